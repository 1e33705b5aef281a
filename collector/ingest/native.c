/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/batches: the native batch. */
#include "core/wire/native.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/ingest/ingest.h"
#include "core/base/hash.h"
#include "core/codec/deflate.h"
#include "tracer/segment.h"

static uint64_t batch_hash(struct sv body)
{
	uint64_t h = hash64(body);

	return h ? h : 1;
}

/* Refuses records that their parts would refuse later: segments that are no
 * segment documents. Keeps the list ascending. */
static int refuse_segments(struct arena *arena, struct native_batch *batch)
{
	struct native_refusal *merged;
	size_t n = 0, old = 0;

	merged = arena_array(
		arena, batch->refusal_count + batch->records.segment_count,
		sizeof(*merged));
	if (!merged)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < batch->records.segment_count; i++) {
		enum segment_refusal why;

		if (old < batch->refusal_count &&
		    batch->refusals[old].kind == RECORD_SEGMENT &&
		    batch->refusals[old].index == i) {
			merged[n++] = batch->refusals[old++];
			continue;
		}
		why = segment_take(&batch->records.segments[i], arena);
		if (why == SEGMENT_NO_MEMORY)
			return ERR_NOMEM;
		if (why != SEGMENT_OK)
			merged[n++] = (struct native_refusal){
				.kind = RECORD_SEGMENT,
				.index = i,
				.code = sv_from(segment_refusal_code(why)),
				.message = sv_from(segment_refusal_text(why)),
			};
	}
	while (old < batch->refusal_count)
		merged[n++] = batch->refusals[old++];
	batch->refusals = merged;
	batch->refusal_count = n;
	return 0;
}

/* --- admission: once, and in the journal's order --------------------------- */

static bool is_refused(const struct native_refusal *refusals, size_t count,
		       size_t *at, uint32_t index)
{
	while (*at < count && (refusals[*at].kind < RECORD_USAGE ||
			       (refusals[*at].kind == RECORD_USAGE &&
				refusals[*at].index < index)))
		(*at)++;
	return *at < count && refusals[*at].kind == RECORD_USAGE &&
	       refusals[*at].index == index;
}

/* The refusal of a usage record; code.ptr NULL where the ledger's answer is
 * not about the record. */
static struct native_refusal usage_refusal(int err, enum admit a,
					   uint32_t index)
{
	struct native_refusal r = { .kind = RECORD_USAGE, .index = index };

	if (err == ERR_LIMIT) {
		r.code = SV("LimitExceededException");
		r.message = SV("the ledger's table of names is full: no new "
			       "function, source or region");
	} else if (err == ERR_INVALID) {
		r.code = SV("InvalidParameterValue");
		r.message = SV("the ledger cannot hold this record's values");
	} else if (!err && a == ADMIT_CONFLICT) {
		r.code = SV("ConflictException");
		r.message = SV("a usage record with this id and other content "
			       "is stored: nothing was changed");
	} else if (!err && a == ADMIT_OLD) {
		r.code = SV("InvalidParameterValue");
		r.message = SV("the record is older than the 35 days for which "
			       "ids are remembered");
	}
	return r;
}

static void count_refusal(struct submission *s, int err, enum admit a)
{
	struct stats *st = s->ingest->stats;

	s->conflict |= !err && a == ADMIT_CONFLICT;
	stats_add(err                 ? &st->refused_record :
		  a == ADMIT_CONFLICT ? &st->refused_conflict :
					&st->refused_old,
		  1);
}

/* What admission of one batch's usage has come to. */
struct admission {
	struct native_refusal *refusals; /* those from before, and new ones */
	size_t refusal_count;
	uint32_t *without; /* keys of records without effect, ascending */
	size_t without_count;
	uint32_t *reserved; /* indices of what was ADMIT_NEW */
	size_t reserved_count;
};

static int admit_one(struct submission *s, struct admission *ad, uint32_t index)
{
	struct message *m = s->message;
	struct native_refusal refusal;
	enum admit a = ADMIT_NEW;
	int e = ledger_admit(s->ingest->ledger, &m->frame.scope,
			     &m->records.usage[index], m->frame.received, &a);

	if (!e && a == ADMIT_NEW) {
		ad->reserved[ad->reserved_count++] = index;
		return 0;
	}
	ad->without[ad->without_count++] = native_key(RECORD_USAGE, index);
	if (!e && a == ADMIT_KNOWN) {
		s->known++;
		s->relies = true;
		return 0;
	}
	refusal = usage_refusal(e, a, index);
	if (!refusal.code.ptr)
		return e;
	count_refusal(s, e, a);
	ad->refusals[ad->refusal_count++] = refusal;
	return 0;
}

/* Reserves the usage records. Those that were stored before, or conflict, are
 * listed in `without` beside the refused ones. */
static int admit_usage(struct submission *s, struct admission *ad)
{
	struct message *m = s->message;
	size_t at = 0;

	for (size_t i = 0; i < s->refusal_count; i++) {
		ad->refusals[ad->refusal_count++] = s->refusals[i];
		if (s->refusals[i].kind < RECORD_USAGE)
			ad->without[ad->without_count++] = native_key(
				s->refusals[i].kind, s->refusals[i].index);
	}
	for (uint32_t i = 0; i < m->records.usage_count; i++) {
		int e;

		if (is_refused(s->refusals, s->refusal_count, &at, i)) {
			ad->without[ad->without_count++] =
				native_key(RECORD_USAGE, i);
			continue;
		}
		e = admit_one(s, ad, i);
		if (!e)
			continue;
		/* Take back what was reserved here, and only that. */
		while (ad->reserved_count) {
			uint32_t index = ad->reserved[--ad->reserved_count];

			ledger_withdraw(s->ingest->ledger, &m->frame.scope,
					&m->records.usage[index]);
		}
		return e;
	}
	m->frame.refused = ad->without;
	m->frame.refused_count = ad->without_count;
	s->refusals = ad->refusals;
	s->refusal_count = ad->refusal_count;
	return 0;
}

/* The whole batch is known: its answer names what it named the first time,
 * which the sender may not have heard. Reserves nothing. */
static int repeat_refusals(struct submission *s, struct admission *ad)
{
	struct message *m = s->message;
	size_t at = 0;

	for (size_t i = 0; i < s->refusal_count; i++)
		if (!shed_refused(&s->refusals[i])) /* it may be stored */
			ad->refusals[ad->refusal_count++] = s->refusals[i];
	for (uint32_t i = 0; i < m->records.usage_count; i++) {
		const struct usage *u = &m->records.usage[i];
		enum admit a = ADMIT_KNOWN;
		int e = 0;

		if (!is_refused(s->refusals, s->refusal_count, &at, i))
			e = ledger_admit(s->ingest->ledger, &m->frame.scope, u,
					 m->frame.received, &a);
		if (!e && a == ADMIT_NEW)
			ledger_withdraw(s->ingest->ledger, &m->frame.scope, u);
		if (e || a != ADMIT_CONFLICT)
			continue;
		s->conflict = true;
		ad->refusals[ad->refusal_count++] = usage_refusal(0, a, i);
	}
	s->refusals = ad->refusals;
	s->refusal_count = ad->refusal_count;
	return 1;
}

int native_admit(struct submission *s)
{
	struct message *m = s->message;
	struct ingest *in = s->ingest;
	size_t most = s->refusal_count + m->records.usage_count;
	struct admission ad = {
		.refusals = arena_array(&m->arena, most, sizeof(*ad.refusals)),
		.without = arena_array(&m->arena, most, sizeof(*ad.without)),
		.reserved = arena_array(&m->arena, m->records.usage_count,
					sizeof(*ad.reserved)),
	};
	int e;

	if (!ad.refusals || !ad.without || !ad.reserved)
		return ERR_NOMEM;
	s->batch = producers_admit(in->producers, &m->frame.scope, m->producer,
				   m->sequence, m->body_hash);
	switch (s->batch) {
	case BATCH_NEW:
		break;
	case BATCH_KNOWN:
		return repeat_refusals(s, &ad);
	case BATCH_CONFLICT:
	case BATCH_OLD:
		return ERR_EXISTS;
	case BATCH_BUSY:
		return ERR_BUSY;
	}
	e = admit_usage(s, &ad);
	if (e) {
		producers_withdraw(in->producers, &m->frame.scope, m->producer,
				   m->sequence);
		return e;
	}
	s->admitted = true;
	s->filtered = true;
	native_apply_refused(&m->records, m->frame.refused,
			     m->frame.refused_count);
	s->accepted =
		(uint32_t)(m->records.segment_count + m->records.datum_count +
			   m->records.log_count + m->records.usage_count);
	return 0;
}

void native_withdraw(struct submission *s)
{
	struct message *m = s->message;
	struct ingest *in = s->ingest;

	/* records.usage holds by now only what this batch reserved */
	for (size_t i = 0; i < m->records.usage_count; i++)
		ledger_withdraw(in->ledger, &m->frame.scope,
				&m->records.usage[i]);
	producers_withdraw(in->producers, &m->frame.scope, m->producer,
			   m->sequence);
	s->admitted = false;
}

/* --- the reply -------------------------------------------------------------- */

/* Records that were stored before, with their batch or (usage) by id. */
static void count_known(struct submission *s)
{
	const struct records *r = &s->message->records;
	size_t n = s->known;

	if (s->duplicate) {
		n = r->segment_count + r->datum_count + r->log_count +
		    r->usage_count;
		for (size_t i = 0; i < s->refusal_count; i++)
			n -= strcmp(s->refusals[i].code.ptr,
				    "ConflictException") != 0;
	}
	stats_add(&s->ingest->stats->duplicate_records, n);
}

static void native_reply(struct submission *s, int err)
{
	struct request *r = s->request;
	struct native_answer answer = {
		.duplicate = s->duplicate,
		.accepted = s->accepted,
		.known = s->known,
		.refusals = s->refusals,
		.refusal_count = s->refusal_count,
	};

	if (err == ERR_EXISTS) {
		r->status = 409;
		stats_add(&s->ingest->stats->refused_conflict, 1);
		answer.accepted = 0;
		answer.known = 0;
		answer.refusal_count = 0;
		answer.message =
			s->batch == BATCH_CONFLICT ?
				SV("this producer sent other bytes with this "
				   "sequence "
				   "before: nothing was stored") :
				SV("the sequence lies below the window of "
				   "those that "
				   "are remembered: nothing was stored");
	} else if (err) {
		ingest_reply_error(r, err);
		return;
	} else {
		r->status = s->conflict ? 409 : 200;
		stats_add(&s->ingest->stats->duplicate_batches, s->duplicate);
		stats_add(&s->ingest->stats->duplicate_usage, s->known);
		count_known(s);
	}
	buf_reset(&r->reply);
	r->content_type = s->json ? "application/json" :
				    "application/x-protobuf";
	if (s->json)
		native_answer_json(&r->reply, &answer);
	else if (native_answer_encode(&r->reply, &answer))
		ingest_reply_error(r, ERR_BUSY);
}

static void refuse_batch(struct ingest *in, struct request *r, bool json,
			 unsigned status, const char *text)
{
	struct native_answer answer = { .message = sv_from(text) };

	stats_add(status == 413 ? &in->stats->refused_too_large :
				  &in->stats->refused_body,
		  1);
	r->status = status;
	r->content_type = json ? "application/json" : "application/x-protobuf";
	if (json)
		native_answer_json(&r->reply, &answer);
	else if (native_answer_encode(&r->reply, &answer))
		r->status = 503;
}

/* --- the request ------------------------------------------------------------ */

/* Moves the body into the message, inflated where it says gzip. */
static int take_body(struct request *r, struct message *m)
{
	struct sv coding = request_header(r, "Content-Encoding");

	m->body.limit = JOURNAL_FRAME_MAX;
	if (!coding.len || sv_eq(coding, SV("identity"))) {
		m->body = r->body;
		r->body = (struct buf){ 0 };
		return 0;
	}
	if (!sv_eq(coding, SV("gzip")))
		return ERR_INVALID;
	return inflate_gzip(&m->body, buf_view(&r->body), NATIVE_BYTES_MAX);
}

static void count_received(struct stats *st, const struct records *r)
{
	stats_add(&st->segments_received, r->segment_count);
	stats_add(&st->data_received, r->datum_count);
	stats_add(&st->logs_received, r->log_count);
	stats_add(&st->usage_received, r->usage_count);
}

static int decode(struct ingest *in, struct message *m, struct submission *s,
		  struct diag *diag)
{
	struct native_batch batch;
	int e = native_decode(&m->arena, buf_view(&m->body), &batch, diag);
	int shed;

	if (e)
		return e;
	count_received(in->stats, &batch.records);
	m->frame.received = env_wall(in->env);
	e = native_check_times(&m->arena, &batch, m->frame.received);
	if (!e)
		e = refuse_segments(&m->arena, &batch);
	if (e)
		return e;
	stats_add(&in->stats->refused_record, batch.refusal_count);
	shed = shed_records(&m->arena, &batch, admission_level(in->admission),
			    &s->shed);
	m->frame.protocol = PROTOCOL_NATIVE;
	m->frame.decoder = NATIVE_DECODER;
	m->frame.scope = s->request->caller.scope;
	m->frame.body = buf_view(&m->body);
	m->records = batch.records;
	m->producer = batch.producer;
	m->sequence = batch.sequence;
	m->body_hash = batch_hash(m->frame.body);
	s->refusals = batch.refusals;
	s->refusal_count = batch.refusal_count;
	return shed;
}

void native_batch_post(struct ingest *in, struct request *r)
{
	struct submission *s = calloc(1, sizeof(*s));
	struct message *m = message_new(in->apply);
	struct sv accept = request_header(r, "Accept");
	bool json = sv_starts(accept, SV("application/json"));
	struct diag diag = { 0 };
	int e;

	stats_add(&in->stats->native_requests, 1);
	stats_add(&in->stats->native_bytes, r->body.len);
	if (!s || !m) {
		free(s);
		message_unref(m);
		ingest_reply_error(r, ERR_BUSY);
		return;
	}
	*s = (struct submission){ .ingest = in,
				  .message = m,
				  .request = r,
				  .reply = native_reply,
				  .json = json };
	e = take_body(r, m);
	if (e) {
		diag_set(
			&diag, e,
			e == ERR_INVALID ?
				"Content-Encoding must be gzip or identity" :
				"the gzip body is damaged, or inflates to over "
				"8 MiB or 200 times its size");
	} else {
		e = decode(in, m, s, &diag);
	}
	if (!e && !message_account(in->apply, m))
		e = ERR_BUSY;
	if (!e) {
		ingest_submit(s);
		return;
	}
	if (e == ERR_NOMEM && m->arena.full)
		e = diag_set(&diag, ERR_LIMIT,
			     "the batch decodes to more than one request "
			     "may: send smaller batches");
	if (e == ERR_BUSY || e == ERR_NOMEM) {
		stats_add(&in->stats->shed_memory, 1);
		ingest_count_given_up(s);
		ingest_reply_error(r, ERR_BUSY);
	} else {
		refuse_batch(in, r, json, e == ERR_LIMIT ? 413 : 400,
			     diag.text);
	}
	message_unref(m);
	free(s);
}

int native_decode_frame(struct message *m, const struct frame *frame)
{
	struct native_batch batch;
	struct diag diag = { 0 };
	int e = native_decode(&m->arena, frame->body, &batch, &diag);

	if (e)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	m->records = batch.records;
	m->producer = batch.producer;
	m->sequence = batch.sequence;
	m->body_hash = batch_hash(frame->body);
	native_apply_refused(&m->records, frame->refused, frame->refused_count);
	return 0;
}
