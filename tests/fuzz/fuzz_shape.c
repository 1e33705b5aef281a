/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte names the protocol and the operation, the rest is a request.
 * A struct that is read is written as JSON, and as CBOR from what that gives;
 * both must be read as the same struct. XML must only come to its end. */
#include "collector/api/cloudwatch_shapes.h"
#include "core/codec/json_write.h"
#include "core/codec/xml_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_as(int protocol, const struct shape *shape, struct sv body,
		   struct arena *a, void *out, struct shape_fault *fault)
{
	struct json_doc *json = arena_new(a, struct json_doc);
	struct cbor_doc *cbor = arena_new(a, struct cbor_doc);
	struct form_doc *form = arena_new(a, struct form_doc);

	int err = protocol == 0 ? json_parse(json, a, body, NULL) :
		  protocol == 1 ? cbor_parse(cbor, a, body, NULL) :
				  form_parse(form, a, body, NULL);

	if (err)
		return err;
	if (protocol == 0)
		return shape_read_json(shape, json_root(json), a, out, fault);
	if (protocol == 1)
		return shape_read_cbor(shape, cbor_root(cbor), a, out, fault);
	return shape_read_form(shape, form_root(form), a, out, fault);
}

/* A double says milliseconds exactly, but not nanoseconds. */
static void cut_time(struct shape_time *t)
{
	t->ns -= t->ns % 1000000;
}

static void cut_times(struct metric_datum *data, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cut_time(&data[i].timestamp);
}

union request {
	struct put_metric_data put;
	struct list_metrics list;
	struct get_metric_statistics get;
	struct get_metric_statistics_output output;
};

static void cut_all(int operation, union request *r)
{
	if (operation == 0) {
		cut_times(r->put.metric_data.items, r->put.metric_data.count);
		for (size_t i = 0; i < r->put.entity_metric_data.count; i++)
			cut_times(r->put.entity_metric_data.items[i]
					  .metric_data.items,
				  r->put.entity_metric_data.items[i]
					  .metric_data.count);
	} else if (operation == 2) {
		cut_time(&r->get.start_time);
		cut_time(&r->get.end_time);
	} else if (operation == 3) {
		for (size_t i = 0; i < r->output.datapoints.count; i++)
			cut_time(&r->output.datapoints.items[i].timestamp);
	}
}

static void check(const struct shape *shape, const union request *in,
		  struct arena *a)
{
	struct buf json = BUF_INIT, cbor = BUF_INIT, last = BUF_INIT;
	struct json_writer w = json_writer(&json), v = json_writer(&last);
	struct cbor_writer c = cbor_writer(&cbor);
	struct xml_writer x = xml_writer(&last);
	struct shape_fault fault;
	union request again;

	shape_write_json(shape, in, &w);
	if (read_as(0, shape, buf_view(&json), a, &again, &fault))
		__builtin_trap();
	shape_write_cbor(shape, &again, &c);
	if (!cbor_is_complete(&c) ||
	    read_as(1, shape, buf_view(&cbor), a, &again, &fault))
		__builtin_trap();
	shape_write_json(shape, &again, &v);
	if (!sv_eq(buf_view(&json), buf_view(&last)))
		__builtin_trap();
	buf_reset(&last);
	shape_write_xml(shape, in, &x);
	if (x.depth || !sv_is_utf8(buf_view(&last)))
		__builtin_trap();
	buf_fini(&json);
	buf_fini(&cbor);
	buf_fini(&last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct shape *const shapes[] = {
		&put_metric_data_shape, &list_metrics_shape,
		&get_statistics_shape, &get_statistics_output_shape
	};
	struct arena a = ARENA_INIT;
	struct shape_fault fault = { .rule = SHAPE_RULE_NONE };
	union request in;
	struct sv body;
	int err;

	if (!size)
		return 0;
	body = sv_make((const char *)data + 1, size - 1);
	err = read_as(data[0] % 3, shapes[data[0] / 3 % 4], body, &a, &in,
		      &fault);
	if (!err) {
		cut_all(data[0] / 3 % 4, &in);
		check(shapes[data[0] / 3 % 4], &in, &a);
	} else if (fault.count && (!fault.rule || !fault.text_len ||
				   !sv_is_utf8(sv_from(fault.text)))) {
		__builtin_trap();
	}
	arena_fini(&a);
	return 0;
}
