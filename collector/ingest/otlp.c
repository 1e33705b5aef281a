/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/otlp.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/wire/otlp_json.h"

/* The submission first: it is freed as one. */
struct export
{
	struct submission submission;
	enum otlp_signal signal;
	otlp_done_fn *done;
	void *arg;
	struct otlp_result result;
};

static const enum protocol protocols[OTLP_SIGNALS] = {
	[OTLP_TRACES] = PROTOCOL_OTLP_TRACES,
	[OTLP_METRICS] = PROTOCOL_OTLP_METRICS,
	[OTLP_LOGS] = PROTOCOL_OTLP_LOGS,
};

/* A JSON body as protobuf, in the message's arena; what reading it takes does
 * not stay with the message. */
static int from_json(struct message *m, enum otlp_signal signal,
		     struct sv *body, struct diag *diag)
{
	static const enum otlp_message messages[OTLP_SIGNALS] = {
		[OTLP_TRACES] = OTLP_TRACES_REQUEST,
		[OTLP_METRICS] = OTLP_METRICS_REQUEST,
		[OTLP_LOGS] = OTLP_LOGS_REQUEST,
	};
	struct arena scratch = { .limit = m->arena.limit };
	struct buf out = BUF_INIT;
	int e = otlp_json_read(messages[signal], &scratch, *body, &out, diag);

	m->arena.full |= scratch.full;
	if (!e) {
		*body = arena_copy(&m->arena, buf_view(&out));
		e = body->ptr ? 0 : ERR_NOMEM;
	}
	buf_fini(&out);
	arena_fini(&scratch);
	return e;
}

/* Reads the frame's body: its records, and what was refused of it. */
static int decode(struct message *m, enum otlp_signal signal,
		  struct otlp_refused *refused, struct diag *diag)
{
	struct sv body = m->frame.body;
	int e = 0;

	if (m->frame.decoder == OTLP_JSON)
		e = from_json(m, signal, &body, diag);
	if (e)
		return e;
	switch (signal) {
	case OTLP_TRACES:
		return otlp_traces_decode(&m->arena, body, &m->records, refused,
					  diag);
	case OTLP_METRICS:
		return otlp_metrics_decode(&m->arena, body, m->frame.received,
					   &m->records, refused, diag);
	case OTLP_LOGS:
		return otlp_logs_decode(&m->arena, body, m->frame.received,
					&m->records, refused, diag);
	case OTLP_SIGNALS:
		break;
	}
	assert(false);
	return ERR_INVALID;
}

static const char *later_text(int err)
{
	switch (err) {
	case ERR_FULL:
		return "the collector's disk is full: nothing is stored until "
		       "it has room; send the same again later";
	case ERR_CLOSED:
		return "the collector is stopping: send the same again";
	default:
		return "the collector is busy: send the same again";
	}
}

static void finish(struct export *e, int err)
{
	struct otlp_result *result = &e->result;

	result->err = err;
	if (err) {
		result->accepted = 0;
		result->rejected = 0;
		if (err != ERR_SYNTAX && err != ERR_LIMIT && err != ERR_INVALID)
			snprintf(result->message, sizeof(result->message), "%s",
				 later_text(err));
	}
	e->done(e->arg, result);
}

static void on_reply(struct submission *s, int err)
{
	/* The journal's own limit is about bytes that were small enough to be
	 * let in, but not with what a frame needs. */
	finish((struct export *)s, err);
}

static void count(struct stats *st, enum otlp_signal signal,
		  const struct export *e)
{
	uint64_t n = e->result.accepted + e->result.rejected;

	stats_add(signal == OTLP_TRACES  ? &st->spans_received :
		  signal == OTLP_METRICS ? &st->data_received :
					   &st->logs_received,
		  n);
	stats_add(&st->refused_record, e->result.rejected);
}

/* Frames and decodes the call. */
static int prepare(struct export *e, const struct otlp_call *call)
{
	struct message *m = e->submission.message;
	struct ingest *in = e->submission.ingest;
	struct otlp_refused refused = { 0 };
	struct diag diag = { 0 };
	int err;

	m->body = *call->body;
	*call->body = (struct buf){ 0 };
	m->frame = (struct frame){
		.protocol = protocols[call->signal],
		.decoder = (uint8_t)call->encoding,
		.scope = *call->scope,
		.received = env_wall(in->env),
		.body = buf_view(&m->body),
	};
	err = decode(m, call->signal, &refused, &diag);
	if (err == ERR_NOMEM && m->arena.full)
		err = diag_set(&diag, ERR_LIMIT,
			       "the request takes more memory than one may: "
			       "send smaller batches");
	if (err) {
		snprintf(e->result.message, sizeof(e->result.message), "%s",
			 diag.text);
		return err;
	}
	e->result.accepted = refused.counts[OTLP_OK];
	e->result.rejected = otlp_refused_sum(&refused);
	otlp_refused_text(&refused, call->signal, e->result.message);
	if (message_account(in->apply, m))
		return 0;
	ingest_count_given_up(&e->submission);
	return ERR_BUSY;
}

void otlp_submit(struct ingest *in, const struct otlp_call *call,
		 otlp_done_fn *done, void *arg)
{
	struct export *e = calloc(1, sizeof(*e));
	struct otlp_result none = { .err = ERR_NOMEM };
	struct message *m = message_new(in->apply);
	int err = ERR_NOMEM;

	if (!e || !m) {
		snprintf(none.message, sizeof(none.message), "%s",
			 later_text(ERR_NOMEM));
		stats_add(&in->stats->shed_memory, 1);
		buf_fini(call->body);
		done(arg, &none);
		message_unref(m);
		free(e);
		return;
	}
	e->submission = (struct submission){ .ingest = in,
					     .message = m,
					     .reply = on_reply };
	e->signal = call->signal;
	e->done = done;
	e->arg = arg;
	err = prepare(e, call);
	if (!err) {
		count(in->stats, call->signal, e);
		if (m->records.span_count || m->records.datum_count ||
		    m->records.log_count) {
			ingest_submit(&e->submission);
			return;
		}
	} else if (err == ERR_NOMEM || err == ERR_BUSY) {
		stats_add(&in->stats->shed_memory, 1);
	} else {
		stats_add(&in->stats->refused_body, 1);
	}
	finish(e, err); /* or there is nothing to store */
	message_unref(m);
	free(e);
}

int otlp_decode_frame(struct message *m, const struct frame *frame)
{
	static const enum otlp_signal signals[] = {
		[PROTOCOL_OTLP_TRACES] = OTLP_TRACES,
		[PROTOCOL_OTLP_METRICS] = OTLP_METRICS,
		[PROTOCOL_OTLP_LOGS] = OTLP_LOGS,
	};
	struct otlp_refused refused = { 0 };
	int err;

	assert(frame == &m->frame);
	if (frame->decoder != OTLP_PROTOBUF && frame->decoder != OTLP_JSON) {
		log_error("ingest",
			  "frame %llu was decoded by version %d: it is from a "
			  "newer release",
			  (unsigned long long)frame->position,
			  (int)frame->decoder);
		return ERR_CORRUPT;
	}
	err = decode(m, signals[frame->protocol], &refused, NULL);
	return err && err != ERR_NOMEM ? ERR_CORRUPT : err;
}
