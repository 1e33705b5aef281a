/* SPDX-License-Identifier: Apache-2.0 */
/* Plain records and answers to bytes, and answers back. */
#include <assert.h>

#include "core/codec/json_write.h"
#include "core/wire/native.h"
#include "core/wire/native_pb.h"
#include "core/wire/native_walk.h"

/* Makes protobuf-c's structs in an arena; a lack of memory is remembered, so
 * that it is asked for once. */
struct encoding {
	struct arena arena;
	bool no_memory;
};

static void *make(struct encoding *e, size_t count, size_t size)
{
	void *p = arena_array(&e->arena, count, size);

	if (!p)
		e->no_memory = true;
	return p;
}

/* A C string. A NUL inside would end it early and make one name of two: it
 * becomes '?'. */
static char *text(struct encoding *e, struct sv s)
{
	struct sv copy = arena_copy(&e->arena, s);
	char *p = (char *)(uintptr_t)copy.ptr;

	if (!p) {
		e->no_memory = true;
		return (char *)(uintptr_t)protobuf_c_empty_string;
	}
	for (size_t i = 0; i < s.len; i++)
		if (!p[i])
			p[i] = '?';
	return p;
}

static ProtobufCBinaryData binary(struct sv s)
{
	return (ProtobufCBinaryData){ s.len, (uint8_t *)(uintptr_t)s.ptr };
}

/* One list of messages: an array of pointers and the messages themselves. */
#define MAKE_LIST(e, n, list, items)                        \
	do {                                                \
		(list) = make((e), (n), sizeof(*(list)));   \
		(items) = make((e), (n), sizeof(*(items))); \
		if ((e)->no_memory)                         \
			return;                             \
	} while (0)

static void add_segments(struct encoding *e, Tally__Wire__Batch *b,
			 const struct records *r)
{
	Tally__Wire__Segment *items;

	MAKE_LIST(e, r->segment_count, b->segments, items);
	b->n_segments = r->segment_count;
	for (size_t i = 0; i < r->segment_count; i++) {
		tally__wire__segment__init(&items[i]);
		items[i].document = binary(r->segments[i].document);
		b->segments[i] = &items[i];
	}
}

static void add_dimensions(struct encoding *e, Tally__Wire__Datum *to,
			   const struct datum *d)
{
	Tally__Wire__Dimension *items;

	MAKE_LIST(e, d->dimension_count, to->dimensions, items);
	to->n_dimensions = d->dimension_count;
	for (size_t i = 0; i < d->dimension_count; i++) {
		tally__wire__dimension__init(&items[i]);
		items[i].name = text(e, d->dimensions[i].name);
		items[i].value = text(e, d->dimensions[i].value);
		to->dimensions[i] = &items[i];
	}
}

static void add_datum(struct encoding *e, Tally__Wire__Datum *to,
		      const struct datum *d)
{
	tally__wire__datum__init(to);
	to->namespace_ = text(e, d->ns);
	to->name = text(e, d->name);
	to->time_ns = d->time_ns;
	to->unit = text(e, d->unit);
	to->resolution_s = d->resolution_s;
	to->n_values = d->value_count;
	to->values = (double *)(uintptr_t)d->values;
	if (d->counts) {
		to->n_counts = d->value_count;
		to->counts = (double *)(uintptr_t)d->counts;
	}
	if (d->has_statistics) {
		to->statistics = make(e, 1, sizeof(*to->statistics));
		if (!to->statistics)
			return;
		tally__wire__statistic_set__init(to->statistics);
		to->statistics->sample_count = d->sample_count;
		to->statistics->sum = d->sum;
		to->statistics->minimum = d->minimum;
		to->statistics->maximum = d->maximum;
	}
	add_dimensions(e, to, d);
}

static void add_data(struct encoding *e, Tally__Wire__Batch *b,
		     const struct records *r)
{
	Tally__Wire__Datum *items;

	MAKE_LIST(e, r->datum_count, b->data, items);
	b->n_data = r->datum_count;
	for (size_t i = 0; i < r->datum_count; i++) {
		add_datum(e, &items[i], &r->data[i]);
		b->data[i] = &items[i];
	}
}

static bool same_stream(const struct log_event *a, const struct log_event *b)
{
	return sv_eq(a->group, b->group) && sv_eq(a->stream, b->stream);
}

static void add_logs(struct encoding *e, Tally__Wire__Batch *b,
		     const struct records *r)
{
	Tally__Wire__LogStream *streams;
	Tally__Wire__LogEvent *items, **events;

	MAKE_LIST(e, r->log_count, events, items);
	MAKE_LIST(e, r->log_count, b->logs, streams);
	for (size_t i = 0; i < r->log_count; i++) {
		Tally__Wire__LogStream *s;

		if (!i || !same_stream(&r->logs[i], &r->logs[i - 1])) {
			s = &streams[b->n_logs];
			tally__wire__log_stream__init(s);
			s->group = text(e, r->logs[i].group);
			s->stream = text(e, r->logs[i].stream);
			s->events = &events[i];
			b->logs[b->n_logs++] = s;
		}
		s = b->logs[b->n_logs - 1];
		tally__wire__log_event__init(&items[i]);
		items[i].time_ns = r->logs[i].time_ns;
		items[i].message = binary(r->logs[i].message);
		s->events[s->n_events++] = &items[i];
	}
}

static void add_usage(struct encoding *e, Tally__Wire__Batch *b,
		      const struct records *r)
{
	Tally__Wire__Usage *items;

	MAKE_LIST(e, r->usage_count, b->usage, items);
	b->n_usage = r->usage_count;
	for (size_t i = 0; i < r->usage_count; i++) {
		const struct usage *u = &r->usage[i];
		Tally__Wire__Usage *to = &items[i];

		tally__wire__usage__init(to);
		to->id = text(e, u->id);
		to->source = text(e, u->source);
		to->time_ns = u->time_ns;
		to->resource = text(e, u->resource);
		to->memory_mb = u->memory_mb;
		to->max_memory_mb = u->max_memory_mb;
		to->duration_us = u->duration_us;
		to->billed_ms = u->billed_ms;
		to->init_us = u->init_us;
		to->architecture = (Tally__Wire__Architecture)u->architecture;
		to->status = (uint32_t)u->status;
		to->trace_id = text(e, u->trace_id);
		b->usage[i] = to;
	}
}

int native_encode(struct buf *out, struct sv producer, uint64_t sequence,
		  const struct records *records)
{
	struct encoding e = { 0 };
	Tally__Wire__Batch b = TALLY__WIRE__BATCH__INIT;
	int err = ERR_NOMEM;

	b.producer = text(&e, producer);
	b.sequence = sequence;
	add_segments(&e, &b, records);
	add_data(&e, &b, records);
	add_logs(&e, &b, records);
	add_usage(&e, &b, records);
	if (!e.no_memory)
		err = native_pb_pack(out, &b.base);
	arena_fini(&e.arena);
	return err;
}

/* --- answers ------------------------------------------------------------------ */

static void add_refusals(struct encoding *e, Tally__Wire__BatchAnswer *pb,
			 const struct native_answer *a)
{
	Tally__Wire__Refusal *items;

	MAKE_LIST(e, a->refusal_count, pb->refused, items);
	pb->n_refused = a->refusal_count;
	for (size_t i = 0; i < a->refusal_count; i++) {
		const struct native_refusal *r = &a->refusals[i];

		tally__wire__refusal__init(&items[i]);
		items[i].kind = text(e, sv_from(native_kind_text(r->kind)));
		items[i].index = r->index;
		items[i].code = text(e, r->code);
		items[i].message = text(e, r->message);
		pb->refused[i] = &items[i];
	}
}

int native_answer_encode(struct buf *out, const struct native_answer *answer)
{
	struct encoding e = { 0 };
	Tally__Wire__BatchAnswer pb = TALLY__WIRE__BATCH_ANSWER__INIT;
	int err = ERR_NOMEM;

	pb.duplicate = answer->duplicate;
	pb.accepted = answer->accepted;
	pb.known = answer->known;
	pb.message = text(&e, answer->message);
	add_refusals(&e, &pb, answer);
	if (!e.no_memory)
		err = native_pb_pack(out, &pb.base);
	arena_fini(&e.arena);
	return err;
}

void native_answer_json(struct buf *out, const struct native_answer *answer)
{
	struct json_writer w = json_writer(out);

	json_open_object(&w);
	json_key(&w, "duplicate");
	json_put_bool(&w, answer->duplicate);
	json_key(&w, "accepted");
	json_put_u64(&w, answer->accepted);
	json_key(&w, "known");
	json_put_u64(&w, answer->known);
	json_key(&w, "refused");
	json_open_array(&w);
	for (size_t i = 0; i < answer->refusal_count; i++) {
		const struct native_refusal *r = &answer->refusals[i];

		json_open_object(&w);
		json_key(&w, "kind");
		json_put_text(&w, native_kind_text(r->kind));
		json_key(&w, "index");
		json_put_u64(&w, r->index);
		json_key(&w, "code");
		json_put_sv(&w, r->code);
		json_key(&w, "message");
		json_put_sv(&w, r->message);
		json_close_object(&w);
	}
	json_close_array(&w);
	if (answer->message.len) {
		json_key(&w, "message");
		json_put_sv(&w, answer->message);
	}
	json_close_object(&w);
}

static bool kind_from(const char *kind_text, enum record_kind *out)
{
	for (int k = RECORD_SEGMENT; k <= RECORD_USAGE; k++)
		if (sv_eq(sv_from(kind_text),
			  sv_from(native_kind_text((enum record_kind)k)))) {
			*out = (enum record_kind)k;
			return true;
		}
	return false;
}

int native_answer_decode(struct arena *arena, struct sv body,
			 struct native_answer *out, struct diag *diag)
{
	struct native_walk *walk = arena_new(arena, struct native_walk);
	struct native_refusal *refusals;
	Tally__Wire__BatchAnswer *pb;
	int err;

	*out = (struct native_answer){ 0 };
	if (!walk)
		return diag_set(diag, ERR_NOMEM, "answer: out of memory");
	if (body.len > NATIVE_ANSWER_BYTES_MAX)
		return diag_set(diag, ERR_LIMIT, "answer: more than %d bytes",
				NATIVE_ANSWER_BYTES_MAX);
	err = native_walk(walk, MESSAGE_ANSWER, body);
	if (err)
		return diag_set(diag, err, "answer: %s", walk->what);
	pb = (Tally__Wire__BatchAnswer *)native_pb_unpack(
		&tally__wire__batch_answer__descriptor, arena, body, &err);
	if (!pb)
		return diag_set(diag, err, "answer: %s", err_text(err));
	refusals = arena_array(arena, pb->n_refused, sizeof(*refusals));
	if (!refusals)
		return diag_set(diag, ERR_NOMEM, "answer: out of memory");
	for (size_t i = 0; i < pb->n_refused; i++) {
		const Tally__Wire__Refusal *r = pb->refused[i];

		if (!kind_from(r->kind, &refusals[i].kind))
			return diag_set(diag, ERR_INVALID,
					"answer: a refusal of unknown kind");
		refusals[i].index = r->index;
		refusals[i].code = sv_from(r->code);
		refusals[i].message = sv_from(r->message);
	}
	*out = (struct native_answer){
		.duplicate = pb->duplicate,
		.accepted = pb->accepted,
		.known = pb->known,
		.refusals = refusals,
		.refusal_count = pb->n_refused,
		.message = sv_from(pb->message),
	};
	return 0;
}
