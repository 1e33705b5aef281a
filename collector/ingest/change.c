/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/change.h"

#include <semaphore.h>

#include "collector/door/answer.h"

/* In the request's arena: it is gone when the reply is sent. */
struct change_call {
	struct catalogue_waiter waiter;
	struct ingest *ingest;
	struct catalogue *catalogue;
	struct request *request;
	struct message *message;
	struct change_plan plan;
	unsigned tries;
	bool submitted; /* by the handler's last turn */
};

static void refuse(struct request *r, int err)
{
	ingest_reply_error(r, err);
	request_send(r);
}

/* In the catalogue's thread, or where it stands still. */
static void on_applied(void *arg, int err, enum catalogue_verdict verdict)
{
	struct change_call *call = arg;
	struct request *r = call->request;

	if (err) {
		refuse(r,
		       err == ERR_FULL || err == ERR_CLOSED ? err : ERR_BUSY);
		return;
	}
	if (verdict == CATALOGUE_CONFLICT && call->plan.again &&
	    ++call->tries < CHANGE_TRIES) {
		call->submitted = false;
		call->plan.again(call->plan.arg, r);
		if (call->submitted)
			return;
	} else {
		call->plan.answer(call->plan.arg, r, verdict);
	}
	request_send(r);
}

/* In the journal's thread: the frame is durable, or given up. */
static void on_durable(void *arg, int err, uint64_t position, uint64_t next)
{
	struct change_call *call = arg;
	struct message *m = call->message;

	if (err) {
		message_unref(m);
		refuse(call->request, err);
		return;
	}
	m->frame.position = position;
	m->frame.next = next;
	call->waiter = (struct catalogue_waiter){ .position = position,
						  .done = on_applied,
						  .arg = call };
	/* From here on the call may be answered, and gone. */
	catalogue_expect(call->catalogue, &call->waiter);
	apply_push(m->apply, m);
	message_unref(m);
}

static int make_message(struct ingest *in, const struct scope *scope,
			const struct catalogue_changes *changes,
			struct message **out)
{
	struct message *m = message_new(in->apply);

	if (!m)
		return ERR_NOMEM;
	*out = m;
	m->body.limit = JOURNAL_FRAME_MAX;
	catalogue_changes_encode(changes, &m->body);
	if (m->body.failed)
		return ERR_NOMEM;
	m->frame = (struct frame){
		.protocol = PROTOCOL_CATALOGUE,
		.decoder = CATALOGUE_DECODER,
		.scope = *scope,
		.received = env_wall(in->env),
		.body = buf_view(&m->body),
	};
	return message_account(in->apply, m) ? 0 : ERR_BUSY;
}

void change_submit(struct ingest *in, struct catalogue *c, struct request *r,
		   struct catalogue_changes *changes,
		   const struct change_plan *plan)
{
	struct change_call *call = r->context;
	struct message *m = NULL;
	int e;

	if (!call) {
		request_defer(r);
		call = arena_new(&r->arena, struct change_call);
		if (!call) {
			refuse(r, ERR_NOMEM);
			return;
		}
		r->context = call;
	}
	call->submitted = true;
	call->ingest = in;
	call->catalogue = c;
	call->request = r;
	call->plan = *plan;
	changes->call = ingest_invocation(r);
	e = make_message(in, &r->caller.scope, changes, &m);
	call->message = m;
	if (!e)
		e = journal_append(in->journal, &m->frame, on_durable, call);
	if (!e)
		return;
	message_unref(m);
	stats_add(e == ERR_FULL ? &in->stats->shed_full : &in->stats->shed_busy,
		  1);
	refuse(r, e);
}

/* --- without a request ------------------------------------------------------------- */

struct change_wait {
	struct catalogue_waiter waiter;
	struct catalogue *catalogue;
	struct message *message;
	enum catalogue_verdict verdict;
	int err;
	sem_t done;
};

static void wait_applied(void *arg, int err, enum catalogue_verdict verdict)
{
	struct change_wait *w = arg;

	w->err = err;
	w->verdict = verdict;
	sem_post(&w->done);
}

static void wait_durable(void *arg, int err, uint64_t position, uint64_t next)
{
	struct change_wait *w = arg;
	struct message *m = w->message;

	if (err) {
		message_unref(m);
		wait_applied(w, err, CATALOGUE_DONE);
		return;
	}
	m->frame.position = position;
	m->frame.next = next;
	w->waiter = (struct catalogue_waiter){ .position = position,
					       .done = wait_applied,
					       .arg = w };
	catalogue_expect(w->catalogue, &w->waiter);
	apply_push(m->apply, m);
	message_unref(m);
}

int change_make(struct ingest *in, struct catalogue *c,
		const struct scope *scope, struct catalogue_changes *changes,
		enum catalogue_verdict *verdict)
{
	struct change_wait w = { .catalogue = c };
	int e = make_message(in, scope, changes, &w.message);

	sem_init(&w.done, 0, 0);
	if (!e)
		e = journal_append(in->journal, &w.message->frame, wait_durable,
				   &w);
	if (e) {
		message_unref(w.message);
	} else {
		while (sem_wait(&w.done) < 0)
			continue;
		e = w.err;
		*verdict = w.verdict;
	}
	sem_destroy(&w.done);
	return e;
}
