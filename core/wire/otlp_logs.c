/* SPDX-License-Identifier: Apache-2.0 */
/* Log records: see otlp.h. */
#include "core/codec/json_write.h"
#include "core/wire/check.h"
#include "core/wire/otlp_text.h"
#include "core/wire/otlp_walk.h"

struct log_record {
	uint64_t time_ns, observed_ns;
	uint64_t severity;
	struct sv severity_text, body, trace_id, span_id, event_name;
	struct sv bytes; /* all of it */
};

/* OTLP_OK, why it is refused, or ERR_SYNTAX. */
static int read_record(struct sv bytes, struct log_record *out)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int refusal = OTLP_OK;
	int e;

	*out = (struct log_record){ .bytes = bytes };
	while ((e = protobuf_next(&r, &f)) > 0) {
		switch (PROTOBUF_TAG(f.number, f.type)) {
		case PROTOBUF_TAG(LOG_TIME, PROTOBUF_FIXED64):
			out->time_ns = f.value;
			continue;
		case PROTOBUF_TAG(LOG_OBSERVED, PROTOBUF_FIXED64):
			out->observed_ns = f.value;
			continue;
		case PROTOBUF_TAG(LOG_SEVERITY, PROTOBUF_VARINT):
			out->severity = f.value;
			continue;
		case PROTOBUF_TAG(LOG_SEVERITY_TEXT, PROTOBUF_BYTES):
			out->severity_text = f.bytes;
			continue;
		case PROTOBUF_TAG(LOG_TRACE_ID, PROTOBUF_BYTES):
			out->trace_id = f.bytes;
			continue;
		case PROTOBUF_TAG(LOG_SPAN_ID, PROTOBUF_BYTES):
			out->span_id = f.bytes;
			continue;
		case PROTOBUF_TAG(LOG_EVENT_NAME, PROTOBUF_BYTES):
			out->event_name = f.bytes;
			continue;
		case PROTOBUF_TAG(LOG_DROPPED_ATTRIBUTES, PROTOBUF_VARINT):
		case PROTOBUF_TAG(LOG_FLAGS, PROTOBUF_FIXED32):
			continue;
		case PROTOBUF_TAG(LOG_BODY, PROTOBUF_BYTES):
			out->body = f.bytes;
			e = otlp_check_value(f.bytes);
			break;
		case PROTOBUF_TAG(LOG_ATTRIBUTES, PROTOBUF_BYTES):
			e = otlp_check_attribute(f.bytes);
			break;
		default:
			/* 4 and 7 were never, or are something else */
			e = f.number > LOG_EVENT_NAME || f.number == 4 ?
				    0 :
				    ERR_SYNTAX;
		}
		if (e < 0)
			return e;
		refusal = otlp_worse(refusal, e);
	}
	return e ? e : refusal;
}

/* "INFO" of what is from 9 to 12, and so on. */
static struct sv level_of(const struct log_record *r)
{
	static const char *const levels[] = { "TRACE", "DEBUG", "INFO",
					      "WARN",  "ERROR", "FATAL" };

	if (r->severity_text.len)
		return r->severity_text;
	return r->severity >= 1 && r->severity <= 24 ?
		       sv_from(levels[(r->severity - 1) / 4]) :
		       SV("");
}

static void put_hex(struct json_writer *w, const char *key, struct sv id)
{
	char text[32];

	if (!id.len || id.len > sizeof(text) / 2 || otlp_all_zero(id))
		return;
	hex_from(text, (const uint8_t *)id.ptr, id.len);
	json_key(w, key);
	json_put_sv(w, sv_make(text, 2 * id.len));
}

static void put_text(struct json_writer *w, const char *key, struct sv text)
{
	if (!text.len)
		return;
	json_key(w, key);
	json_put_sv(w, text);
}

/* The id of the run, by which its lines are found. */
static struct sv request_id_of(struct sv record)
{
	struct sv id =
		otlp_text_of(record, LOG_ATTRIBUTES, SV("faas.invocation_id"));

	return id.len ? id :
			otlp_text_of(record, LOG_ATTRIBUTES,
				     SV("aws.request_id"));
}

/* One JSON object, in the manner of Lambda's JSON logs. */
static void put_message(struct buf *out, const struct log_record *r,
			struct sv scope)
{
	struct json_writer w = json_writer(out);
	struct otlp_value body;

	json_open_object(&w);
	put_text(&w, "level", level_of(r));
	put_text(&w, "requestId", request_id_of(r->bytes));
	put_text(&w, "logger", otlp_field_text(scope, SCOPE_NAME));
	put_text(&w, "event", r->event_name);
	otlp_value_read(r->body, &body);
	json_key(&w, "message");
	otlp_value_write(&w, &body);
	put_hex(&w, "traceId", r->trace_id);
	put_hex(&w, "spanId", r->span_id);
	if (otlp_attributes_any(r->bytes, LOG_ATTRIBUTES, OTLP_ALL)) {
		json_key(&w, "attributes");
		json_open_object(&w);
		otlp_attributes_write(&w, r->bytes, LOG_ATTRIBUTES, OTLP_ALL,
				      SV(""));
		json_close_object(&w);
	}
	json_close_object(&w);
}

/* --- where it goes ---------------------------------------------------------------------- */

/* What AWS's own agents say; the log group of the function; the service. */
static struct sv group_of(struct arena *arena, struct sv resource)
{
	struct sv name = otlp_text_of(resource, RESOURCE_ATTRIBUTES,
				      SV("aws.log.group.names"));
	struct sv prefix = SV("");

	if (!name.len) {
		name = otlp_text_of(resource, RESOURCE_ATTRIBUTES,
				    SV("faas.name"));
		prefix = SV("/aws/lambda/");
	}
	if (!name.len) {
		name = otlp_text_of(resource, RESOURCE_ATTRIBUTES,
				    SV("service.name"));
		prefix = SV("");
	}
	if (!name.len) {
		name = SV("unknown_service");
		prefix = SV("");
	}
	return otlp_word(arena, prefix, name, "._-/#", LOG_NAME_MAX);
}

static struct sv stream_of(struct arena *arena, struct sv resource)
{
	static const struct sv keys[] = {
		SV_INIT("aws.log.stream.names"), SV_INIT("faas.instance"),
		SV_INIT("service.instance.id"),  SV_INIT("host.name"),
		SV_INIT("container.id"),
	};
	struct sv name = SV("");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !name.len; i++)
		name = otlp_text_of(resource, RESOURCE_ATTRIBUTES, keys[i]);
	return otlp_line(arena, name.len ? name : SV("otlp"), ":*",
			 LOG_NAME_MAX);
}

struct taking {
	struct arena *arena;
	struct records *records;
	struct otlp_refused *refused;
	struct wall received;
	const struct span_source *source; /* whose group and stream these are */
	struct sv group, stream;
	struct buf text;
};

static int judge(const struct taking *t, const struct log_event *event)
{
	struct fault fault;
	int why = otlp_judge_time(event->time_ns, t->received);

	if (why || log_event_check(event, &fault))
		return why;
	return event->message.len > LOG_MESSAGE_MAX ? OTLP_TOO_LARGE :
						      OTLP_BAD_NAME;
}

static int take_log(void *arg, const struct span_source *source, int refusal,
		    struct sv bytes)
{
	struct taking *t = arg;
	struct log_record record;
	struct log_event *event = &t->records->logs[t->records->log_count];
	int why = otlp_worse(refusal, read_record(bytes, &record));
	uint64_t time;

	if (why < 0)
		return why;
	if (t->source != source) {
		t->group = group_of(t->arena, source->resource);
		t->stream = stream_of(t->arena, source->resource);
		t->source = source;
	}
	time = record.time_ns ? record.time_ns : record.observed_ns;
	if (!why && time > INT64_MAX)
		why = OTLP_BAD_TIME;
	if (!why) {
		buf_reset(&t->text);
		put_message(&t->text, &record, source->scope);
		*event = (struct log_event){
			.group = t->group,
			.stream = t->stream,
			.time_ns = time ? (int64_t)time : t->received.ns,
			.message = arena_copy(t->arena, buf_view(&t->text)),
		};
		if (t->text.failed || !event->message.ptr || !t->group.ptr ||
		    !t->stream.ptr)
			return ERR_NOMEM;
		why = judge(t, event);
	}
	t->refused->counts[why]++;
	t->records->log_count += !why;
	return 0;
}

int otlp_logs_decode(struct arena *arena, struct sv body, struct wall received,
		     struct records *out, struct otlp_refused *refused,
		     struct diag *diag)
{
	struct taking t = { .arena = arena,
			    .records = out,
			    .refused = refused,
			    .received = received };
	size_t count = otlp_walk_count(body);
	int e;

	*refused = (struct otlp_refused){ 0 };
	out->log_count = 0;
	if (count > OTLP_RECORDS_MAX)
		return otlp_walk_fail(diag, ERR_LIMIT);
	/* One more, to work in. */
	out->logs = arena_array(arena, count + 1, sizeof(*out->logs));
	if (!out->logs)
		return ERR_NOMEM;
	e = otlp_walk(arena, body, take_log, &t);
	buf_fini(&t.text);
	return otlp_walk_fail(diag, e);
}
