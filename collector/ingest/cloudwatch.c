/* SPDX-License-Identifier: Apache-2.0 */
/* PutMetricData, and its frames. */
#include "collector/ingest/cloudwatch.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/door/answer.h"
#include "core/base/hash.h"
#include "core/smithy/message.h"

static enum cloudwatch_form form_of(enum aws_protocol protocol)
{
	switch (protocol) {
	case AWS_RPC_CBOR:
		return CLOUDWATCH_CBOR;
	case AWS_QUERY:
		return CLOUDWATCH_QUERY;
	case AWS_JSON_1_0:
	case AWS_JSON_1_1:
	case AWS_REST_JSON:
	case AWS_RPC_JSON:
		break;
	}
	return CLOUDWATCH_JSON;
}

/* False: it is none. */
static bool protocol_of(char form, enum aws_protocol *out)
{
	*out = form == CLOUDWATCH_CBOR  ? AWS_RPC_CBOR :
	       form == CLOUDWATCH_QUERY ? AWS_QUERY :
					  AWS_JSON_1_0;
	return form == CLOUDWATCH_CBOR || form == CLOUDWATCH_QUERY ||
	       form == CLOUDWATCH_JSON;
}

/* The body of a frame: its call's id, and *body, both borrowed. */
static bool unframe(struct message *m, struct sv framed,
		    enum aws_protocol *protocol, struct sv *body)
{
	struct sv inner;

	if (!ingest_envelope_take(framed, &m->invocation, &inner) ||
	    !inner.len || !protocol_of(inner.ptr[0], protocol))
		return false;
	m->body_hash = m->invocation.len ? hash64(inner) : 0;
	*body = sv_make(inner.ptr + 1, inner.len - 1);
	return true;
}

static int frame_call(struct ingest *in, struct request *r, struct message *m)
{
	struct sv body = r->method == METHOD_GET ? r->target_query :
						   buf_view(&r->body);

	m->body.limit = JOURNAL_FRAME_MAX;
	ingest_envelope_put(&m->body, ingest_invocation(r), SV(""));
	buf_char(&m->body, (char)form_of(r->protocol));
	buf_sv(&m->body, body);
	if (m->body.failed)
		return ERR_NOMEM;
	m->frame = (struct frame){
		.protocol = PROTOCOL_CLOUDWATCH,
		.decoder = CLOUDWATCH_DECODER,
		.scope = r->caller.scope,
		.received = env_wall(in->env),
		.body = buf_view(&m->body),
	};
	return 0;
}

/* What can be wrong with one, as an answer has to know. */
struct verdict {
	struct shape_fault shape;
	struct cloudwatch_fault rule;
	struct diag diag;
};

/* Both the first time and from the journal: they must decide alike. */
static int decode(struct message *m, struct verdict *v)
{
	struct put_metric_data input;
	enum aws_protocol protocol;
	struct sv body;
	int e;

	if (!unframe(m, m->frame.body, &protocol, &body))
		return ERR_CORRUPT;
	e = aws_message_read(protocol, &put_metric_data_shape, body, &m->arena,
			     &input, &v->shape, &v->diag);
	return e ? e :
		   cloudwatch_data(&input, m->frame.received, &m->arena,
				   &m->records, &v->rule);
}

static void busy(struct request *r, int err)
{
	const char *text = "the collector is busy: send the same again";

	if (err == ERR_FULL)
		text = "the collector's disk is full: nothing is stored until "
		       "it has room; send the same again later";
	else if (err == ERR_CLOSED)
		text = "the collector is stopping: send the same again";
	answer_error(r, "ServiceUnavailableException", text);
	r->retry_after_s = INGEST_RETRY_AFTER_S;
}

static void refuse(struct ingest *in, struct request *r, int err,
		   const struct verdict *v)
{
	if (err == ERR_NOMEM || err == ERR_BUSY) {
		stats_add(&in->stats->shed_memory, 1);
		busy(r, err);
		return;
	}
	stats_add(&in->stats->refused_body, 1);
	if (v->rule.shape)
		answer_error(r, v->rule.shape, v->rule.message);
	else if (v->shape.rule != SHAPE_RULE_NONE)
		answer_fault(r, &v->shape);
	else
		answer_error(r, "SerializationException",
			     v->diag.text[0] ? v->diag.text :
					       "the request cannot be read");
}

static void reply(struct submission *s, int err)
{
	if (err)
		busy(s->request, err);
	else
		answer_write(s->request, NULL, NULL);
}

static bool body_fits(struct request *r)
{
	if (!answer_plain_body(r, CLOUDWATCH_BODY_MAX))
		return false;
	if (r->body.len <= CLOUDWATCH_BODY_MAX)
		return true;
	answer_error(r, "RequestEntityTooLargeException",
		     "the body is longer than 1 MB");
	return false;
}

void cloudwatch_post(struct ingest *in, struct request *r)
{
	struct submission *s;
	struct message *m;
	struct verdict v = { .rule = { .shape = NULL } };
	int e = ERR_NOMEM;

	stats_add(&in->stats->cloudwatch_requests, 1);
	stats_add(&in->stats->cloudwatch_bytes, r->body.len);
	if (!body_fits(r)) {
		stats_add(&in->stats->refused_body, 1);
		return;
	}
	s = calloc(1, sizeof(*s));
	m = message_new(in->apply);
	if (s && m) {
		*s = (struct submission){
			.ingest = in, .message = m, .request = r, .reply = reply
		};
		e = frame_call(in, r, m);
		if (!e)
			e = decode(m, &v);
		/* Of a call that is refused, none is stored nor counted. */
		if (!e) {
			stats_add(&in->stats->data_received,
				  m->records.datum_count);
			if (!message_account(in->apply, m))
				e = ERR_BUSY;
		}
	}
	if (!e) {
		ingest_submit(s);
		return;
	}
	if (e == ERR_NOMEM && m && m->arena.full)
		e = diag_set(&v.diag, ERR_LIMIT,
			     "the data take more memory than one request may: "
			     "send fewer");
	if (e == ERR_BUSY && s)
		ingest_count_given_up(s);
	refuse(in, r, e, &v);
	message_unref(m);
	free(s);
}

int cloudwatch_decode_frame(struct message *m, const struct frame *frame)
{
	struct verdict v;
	int e;

	assert(frame == &m->frame);
	e = decode(m, &v);
	return e == ERR_NOMEM || !e ? e : ERR_CORRUPT;
}
