/* SPDX-License-Identifier: Apache-2.0 */
/* A head of five lines (method, path, X-Amz-Target, Content-Type,
 * smithy-protocol) and a body: dispatch, the shape's reader, the rules. */
#include "collector/api/cloudwatch_shapes.h"
#include "collector/door/dispatch.h"
#include "collector/ingest/cloudwatch.h"
#include "core/smithy/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An empty line: the header was not sent. */
static struct sv line(struct sv *rest)
{
	struct sv s = sv_cut(rest, '\n');

	return s.len ? s : (struct sv){ NULL, 0 };
}

static void read_input(const struct dispatch *d, struct sv body)
{
	static const struct shape *const shapes[] = { &put_metric_data_shape,
						      &list_metrics_shape,
						      &get_statistics_shape };
	const enum operation_id id = d->operation->id;
	const unsigned which = id == OPERATION_PutMetricData ? 0 :
			       id == OPERATION_ListMetrics   ? 1 :
							       2;
	union {
		struct put_metric_data put;
		struct list_metrics list;
		struct get_metric_statistics get;
	} in;
	struct arena a = { .limit = 64 << 20 };
	struct shape_fault fault = { 0 };
	struct cloudwatch_fault rule = { 0 };
	struct records records = { 0 };
	int e = aws_message_read(d->protocol, shapes[which], body, &a, &in,
				 &fault, NULL);

	if (fault.rule && !aws_error_of_fault(&aws_cloudwatch, &fault)->status)
		__builtin_trap();
	if (!e && which == 0 &&
	    cloudwatch_data(&in.put, (struct wall){ 1795348800000000000 }, &a,
			    &records, &rule) == ERR_INVALID &&
	    !aws_error_find(&aws_cloudwatch, rule.shape))
		__builtin_trap();
	arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = sv_make((const char *)data, size);
	struct dispatch_head head = { .method = METHOD_OTHER };
	struct sv method = line(&rest);
	struct dispatch d;

	head.method = sv_eq(method, SV("GET"))    ? METHOD_GET :
		      sv_eq(method, SV("POST"))   ? METHOD_POST :
		      sv_eq(method, SV("PUT"))    ? METHOD_PUT :
		      sv_eq(method, SV("DELETE")) ? METHOD_DELETE :
						    METHOD_OTHER;
	head.query = line(&rest);
	head.path = sv_cut(&head.query, '?');
	head.target = line(&rest);
	head.content_type = line(&rest);
	head.smithy_protocol = line(&rest);
	d = dispatch_by_head(&head);
	if (d.by_body)
		dispatch_by_body(&d, rest);
	if (!d.service || (d.result == DISPATCH_OK) != (d.operation != NULL))
		__builtin_trap();
	if (d.operation && d.operation->built &&
	    service_of(d.operation->service)->aws == &aws_cloudwatch)
		read_input(&d, head.method == METHOD_GET ? head.query : rest);
	return 0;
}
