/* SPDX-License-Identifier: Apache-2.0 */
/* The gRPC listener with a handler of tests: it keeps what it was asked and
 * answers with the message's bytes, as an error, late, or not before it is
 * told. After cmocka's headers. */
#ifndef TALLY_TESTS_GRPC_SERVER_H
#define TALLY_TESTS_GRPC_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/door/grpc.h"
#include "core/codec/deflate.h"
#include "tests/unit/collector/h2_talk.h"

#define ECHO "/test.Echo/Call"

enum { SERVER_CALLS = 256 };

struct server {
	struct grpc *grpc;
	struct grpc_options options;
	_Atomic uint64_t counts[GRPC_COUNTS];
	_Atomic uint64_t shed_bodies, too_large;
	_Atomic uint64_t ended[CONNECTION_ENDS];
	_Atomic size_t used;
	_Atomic int heads, handled, done, answered;
	/* What the handler, or the head hook, leaves. */
	unsigned status, retry_after_s;
	bool refuse_heads;
	const char *text; /* NULL: the message */
	/* Deferred until server_send. */
	bool defers;
	struct request *_Atomic waiting[SERVER_CALLS];
	char path[256]; /* of the last request */
	struct buf body;
};

static inline void server_answer(struct server *s, struct request *r)
{
	r->status = s->status;
	r->retry_after_s = s->retry_after_s;
	if (s->text)
		buf_text(&r->reply, s->text);
	else
		buf_sv(&r->reply, buf_view(&r->body));
}

static inline bool server_head(void *arg, struct request *r)
{
	struct server *s = arg;

	atomic_fetch_add(&s->heads, 1);
	snprintf(s->path, sizeof(s->path), "%.*s", SV_ARG(r->path));
	if (s->refuse_heads)
		server_answer(s, r);
	return !s->refuse_heads;
}

static inline void server_handle(void *arg, struct request *r)
{
	struct server *s = arg;
	struct sv coding = request_header(r, "Content-Encoding");

	buf_reset(&s->body);
	if (sv_eq(coding, SV("gzip")))
		assert_int_equal(
			inflate_gzip(&s->body, buf_view(&r->body), 1 << 20), 0);
	else
		buf_sv(&s->body, buf_view(&r->body));
	if (s->defers) {
		request_defer(r);
		s->waiting[atomic_load(&s->handled)] = r;
	} else {
		server_answer(s, r);
	}
	atomic_fetch_add(&s->handled, 1);
}

static inline void server_done(void *arg, struct request *r)
{
	struct server *s = arg;

	(void)r;
	atomic_fetch_add(&s->done, 1);
}

static inline void server_answered(void *arg, struct request *r)
{
	struct server *s = arg;

	(void)r;
	atomic_fetch_add(&s->answered, 1);
}

/* With what is set in s->options already. */
static inline void server_start(struct server *s)
{
	static const struct grpc_route routes[] = { { ECHO, "/echo" } };
	struct grpc_options *o = &s->options;
	struct diag diag = { 0 };

	if (!s->status)
		s->status = 200;
	o->address = "127.0.0.1:0";
	o->head = server_head;
	o->handler = server_handle;
	o->done = server_done;
	o->answered = server_answered;
	o->arg = s;
	o->routes = routes;
	o->route_count = 1;
	o->used = &s->used;
	o->shed_bodies = &s->shed_bodies;
	o->too_large = &s->too_large;
	for (size_t i = 0; i < GRPC_COUNTS; i++)
		o->counts[i] = &s->counts[i];
	for (size_t i = 0; i < CONNECTION_ENDS; i++)
		o->connections.ended[i] = &s->ended[i];
	if (grpc_start(&s->grpc, o, &diag))
		fail_msg("%s", diag.text);
}

/* Nothing is left behind: no memory counted, no hook without its pair. */
static inline void server_stop(struct server *s)
{
	grpc_stop(s->grpc);
	assert_int_equal(atomic_load(&s->used), 0);
	assert_int_equal(atomic_load(&s->heads), atomic_load(&s->done));
	assert_int_equal(atomic_load(&s->handled), atomic_load(&s->answered));
	buf_fini(&s->body);
}

static inline void server_send(struct server *s, size_t i)
{
	struct request *r = atomic_exchange(&s->waiting[i], NULL);

	assert_non_null(r);
	server_answer(s, r);
	request_send(r);
}

/* Until a counter is there. */
#define SERVER_WAIT(counter, n)                                           \
	for (uint64_t _end = talk_ms() + PATIENCE_MS;                     \
	     (int64_t)atomic_load(&(counter)) < (int64_t)(n);) {          \
		if (talk_ms() > _end)                                     \
			fail_msg("%s: %d, not %d", #counter,              \
				 (int)atomic_load(&(counter)), (int)(n)); \
		usleep(1000);                                             \
	}

#endif
