/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/ingest.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/door/answer.h"
#include "collector/ingest/cloudwatch.h"
#include "collector/ingest/measured.h"
#include "collector/ingest/otlp.h"
#include "core/base/log.h"

void ingest_init(struct ingest *in)
{
	pthread_mutex_init(&in->lock, NULL);
	atomic_init(&in->failures, 0);
}

void ingest_fini(struct ingest *in)
{
	pthread_mutex_destroy(&in->lock);
}

static void submission_end(struct submission *s, int err)
{
	struct request *r = s->request;

	if (s->reply)
		s->reply(s, err);
	message_unref(s->message);
	free(s);
	if (r)
		request_send(r);
}

static void count_stored(struct stats *st, const struct records *r)
{
	stats_add(&st->segments_stored, r->segment_count);
	stats_add(&st->data_stored, r->datum_count);
	stats_add(&st->logs_stored, r->log_count);
	stats_add(&st->usage_stored, r->usage_count);
	stats_add(&st->spans_stored, r->span_count);
}

void ingest_count_given_up(struct submission *s)
{
	struct shed shed;

	stats_add(&s->ingest->stats->shed_span_records,
		  s->message->records.span_count);
	shed_all(&s->message->records, s->refusals,
		 s->filtered ? 0 : s->refusal_count, &shed);
	if (s->filtered)
		shed_count(s->ingest->stats, &s->shed);
	shed_count(s->ingest->stats, &shed);
}

static void count_shed(struct stats *st, int err)
{
	stats_add(err == ERR_FULL ? &st->shed_full : &st->shed_busy, 1);
}

/* Gives back what was reserved for a frame that is not to be. */
static void withdraw(struct submission *s)
{
	const struct message *m = s->message;

	if (!s->admitted)
		return;
	if (m->frame.protocol == PROTOCOL_NATIVE)
		native_withdraw(s);
	else
		invocations_withdraw(s->ingest->invocations, &m->frame.scope,
				     m->invocation, m->body_hash);
	s->admitted = false;
}

/* As native_admit, for a call of an SDK: 1: it is a retry of one that is
 * stored, or on its way. */
static int invocation_admit(struct submission *s)
{
	const struct message *m = s->message;

	if (!m->invocation.len)
		return 0;
	switch (invocations_admit(s->ingest->invocations, &m->frame.scope,
				  m->invocation, m->body_hash)) {
	case INVOCATION_NEW:
		s->admitted = true;
		return 0;
	case INVOCATION_KNOWN:
		stats_add(&s->ingest->stats->duplicate_calls, 1);
		return 1;
	case INVOCATION_OTHER:
		break;
	}
	return 0;
}

/* In the journal's thread: the frame is durable, or given up. */
static void on_durable(void *arg, int err, uint64_t position, uint64_t next)
{
	struct submission *s = arg;
	struct ingest *in = s->ingest;

	if (!err && !s->duplicate) {
		s->message->frame.position = position;
		s->message->frame.next = next;
		count_stored(in->stats, &s->message->records);
		shed_count(in->stats, &s->shed);
		apply_push(in->apply, s->message);
	}
	if (err) {
		count_shed(in->stats, err);
		if (!s->duplicate)
			ingest_count_given_up(s);
		withdraw(s);
		/* Only now: who admits after this meets no reservation of a
		 * frame that has failed. */
		atomic_fetch_add(&in->failures, 1);
	} else if (s->relies &&
		   atomic_load(&in->failures) != s->failures_before) {
		err = ERR_BUSY;
	}
	submission_end(s, err);
}

/* Under the lock. 0: done will be called. */
static int admit_and_append(struct submission *s)
{
	struct ingest *in = s->ingest;
	int e = 0;

	s->failures_before = atomic_load(&in->failures);
	e = s->message->frame.protocol == PROTOCOL_NATIVE ? native_admit(s) :
							    invocation_admit(s);
	if (e < 0)
		return e;
	if (e == 1) {
		s->duplicate = true;
		s->relies = true;
		return journal_barrier(in->journal, on_durable, s);
	}
	e = journal_append(in->journal, &s->message->frame, on_durable, s);
	if (e)
		withdraw(s);
	return e;
}

void ingest_submit(struct submission *s)
{
	struct ingest *in = s->ingest;
	struct request *r = s->request;
	int e;

	/* Deferred first: done may be called before append returns. */
	if (r)
		request_defer(r);
	pthread_mutex_lock(&in->lock);
	e = admit_and_append(s);
	pthread_mutex_unlock(&in->lock);
	if (!e)
		return;
	if (e == ERR_BUSY || e == ERR_FULL || e == ERR_CLOSED) {
		count_shed(in->stats, e);
		ingest_count_given_up(s);
	}
	submission_end(s, e);
}

struct sv ingest_invocation(struct request *r)
{
	struct sv id = request_header(r, "amz-sdk-invocation-id");

	if (!id.len || id.len > INVOCATION_ID_MAX)
		return (struct sv){ NULL, 0 };
	return id;
}

void ingest_envelope_put(struct buf *out, struct sv invocation, struct sv body)
{
	if (!buf_grow(out, 1 + invocation.len + body.len))
		return;
	buf_char(out, (char)invocation.len);
	buf_sv(out, invocation);
	buf_sv(out, body);
}

bool ingest_envelope_take(struct sv framed, struct sv *invocation,
			  struct sv *body)
{
	size_t n = framed.len ? (uint8_t)framed.ptr[0] : 0;

	if (!framed.len || n > INVOCATION_ID_MAX || n > framed.len - 1)
		return false;
	*invocation = sv_make(framed.ptr + 1, n);
	*body = sv_make(framed.ptr + 1 + n, framed.len - 1 - n);
	return true;
}

void ingest_reply_error(struct request *r, int err)
{
	if (err == ERR_LIMIT) {
		answer_error(r, "RequestEntityTooLargeException",
			     "the request is over a limit: send smaller "
			     "batches");
		return;
	}
	answer_error(r, "ServiceUnavailableException",
		     err == ERR_FULL ?
			     "the collector's disk is full: nothing is stored "
			     "until it has room; send the same again later" :
		     err == ERR_CLOSED ?
			     "the collector is stopping: send the same again" :
			     "the collector is busy: send the same again");
	r->retry_after_s = INGEST_RETRY_AFTER_S;
}

int ingest_decode_frame(struct message *m, const struct frame *frame)
{
	uint32_t *refused;

	m->frame = *frame;
	m->body.limit = JOURNAL_FRAME_MAX;
	buf_sv(&m->body, frame->body);
	refused =
		arena_array(&m->arena, frame->refused_count, sizeof(*refused));
	if (m->body.failed || !refused)
		return ERR_NOMEM;
	if (frame->refused_count)
		memcpy(refused, frame->refused,
		       frame->refused_count * sizeof(*refused));
	m->frame.body = buf_view(&m->body);
	m->frame.refused = refused;
	switch (frame->protocol) {
	case PROTOCOL_NATIVE:
		return native_decode_frame(m, &m->frame);
	case PROTOCOL_XRAY_SEGMENTS:
		return xray_segments_decode_frame(m, &m->frame);
	case PROTOCOL_XRAY_UDP:
		return xray_udp_decode_frame(m, &m->frame);
	case PROTOCOL_CLOUDWATCH:
		return cloudwatch_decode_frame(m, &m->frame);
	case PROTOCOL_OTLP_TRACES:
	case PROTOCOL_OTLP_METRICS:
	case PROTOCOL_OTLP_LOGS:
		return otlp_decode_frame(m, &m->frame);
	case PROTOCOL_MEASURED:
		return measured_decode_frame(m, &m->frame);
	case PROTOCOL_CATALOGUE:
	case PROTOCOL_ALARM_CHANGE:
		return 0; /* its view reads the body itself */
	}
	log_error("ingest",
		  "frame %llu has the unknown protocol %d: it is "
		  "from a newer release",
		  (unsigned long long)frame->position, (int)frame->protocol);
	return ERR_CORRUPT;
}
