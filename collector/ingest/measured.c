/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/measured.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/api/cloudwatch_shapes.h"
#include "core/codec/json_write.h"
#include "core/smithy/message.h"

static void encode(const struct measured *data, size_t count, struct buf *out)
{
	struct json_writer w = json_writer(out);

	json_open_object(&w);
	json_key(&w, "Namespace");
	json_put_sv(&w, data[0].ns);
	json_key(&w, "MetricData");
	json_open_array(&w);
	for (size_t i = 0; i < count; i++) {
		const struct measured *d = &data[i];
		struct dimension *dimension = (struct dimension *)&d->dimension;
		struct metric_datum datum = {
			.metric_name = d->name,
			.dimensions = { dimension, 1, true },
			.timestamp = { d->time_ns, true },
			.value = { d->value, true },
			.unit = SV("Count"),
		};

		assert(sv_eq(d->ns, data[0].ns));
		shape_write_json(&metric_datum_shape, &datum, &w);
	}
	json_close_array(&w);
	json_close_object(&w);
}

static int take(const struct put_metric_data *in, struct arena *arena,
		struct records *records)
{
	size_t count = in->metric_data.count;

	records->data = arena_array(arena, count, sizeof(*records->data));
	if (!records->data)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct metric_datum *d = &in->metric_data.items[i];

		records->data[i] = (struct datum){
			.ns = in->namespace,
			.name = d->metric_name,
			.dimensions = d->dimensions.items,
			.dimension_count = d->dimensions.count,
			.time_ns = d->timestamp.ns,
			.unit = d->unit,
			.resolution_s = 60,
			.values = &d->value.value,
			.value_count = 1,
		};
	}
	records->datum_count = count;
	return 0;
}

int measured_decode_frame(struct message *m, const struct frame *frame)
{
	struct put_metric_data *in =
		arena_new(&m->arena, struct put_metric_data);
	struct shape_fault fault;
	struct diag diag;
	int e;

	if (!in)
		return ERR_NOMEM;
	e = aws_message_read(AWS_REST_JSON, &put_metric_data_shape, frame->body,
			     &m->arena, in, &fault, &diag);
	if (!e)
		return take(in, &m->arena, &m->records);
	return e == ERR_NOMEM ? e : ERR_CORRUPT;
}

int measured_submit(struct ingest *in, const struct scope *scope,
		    const struct measured *data, size_t count)
{
	struct message *m = message_new(in->apply);
	struct submission *s = calloc(1, sizeof(*s));
	int e = m && s ? 0 : ERR_NOMEM;

	assert(count > 0 && count <= MEASURED_DATA_MAX);
	if (!e) {
		m->body.limit = JOURNAL_FRAME_MAX;
		encode(data, count, &m->body);
		m->frame = (struct frame){
			.protocol = PROTOCOL_MEASURED,
			.decoder = MEASURED_DECODER,
			.scope = *scope,
			.received = env_wall(in->env),
			.body = buf_view(&m->body),
		};
		e = m->body.failed ? ERR_NOMEM :
				     measured_decode_frame(m, &m->frame);
	}
	if (!e && !message_account(in->apply, m))
		e = ERR_BUSY;
	if (e) {
		message_unref(m);
		free(s);
		return e;
	}
	*s = (struct submission){ .ingest = in, .message = m };
	ingest_submit(s);
	return 0;
}
