/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "collector/door/grpc_internal.h"

enum {
	HEADER_OVERHEAD = 32,             /* each, as RFC 9113, 6.5.2 has it */
	HEADERS_BEYOND = 16,              /* times the limit: no answer more */
	CALLS_MAX = 2 * GRPC_STREAMS_MAX, /* with those the client left */
};

/* Counts n more bytes; false: there is no room for them. */
static bool count_used(struct grpc *g, size_t *counted, size_t n)
{
	*counted += n;
	return atomic_fetch_add(g->used, n) + n <= g->options.bodies_max;
}

static void uncount_used(struct grpc *g, size_t *counted)
{
	atomic_fetch_sub(g->used, *counted);
	*counted = 0;
}

static void count(_Atomic uint64_t *counter)
{
	if (counter)
		atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* --- beginning and end ----------------------------------------------------------------- */

struct grpc_call *grpc_call_new(struct grpc_link *l, int32_t stream)
{
	struct grpc *g = l->grpc;
	struct grpc_call *c;

	if (l->call_count >= CALLS_MAX) {
		grpc_count(g, GRPC_COUNT_STREAMS);
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	if (!count_used(g, &c->own_bytes, sizeof(*c))) {
		uncount_used(g, &c->own_bytes);
		count(g->options.shed_bodies);
		free(c);
		return NULL;
	}
	c->grpc = g;
	c->link = l;
	c->peer = l->peer;
	c->stream = stream;
	c->begun_ms = g->now_ms;
	c->due_ms = g->now_ms + g->head_ms;
	c->timeout_ms = UINT64_MAX;
	c->request = (struct request){
		.method = METHOD_POST,
		.method_text = SV("POST"),
		.carrier = &grpc_carrier,
		.ids = &g->ids,
		.grpc = true,
		.tls = g->tls != NULL,
		.peer = (const struct sockaddr *)&c->peer,
		.body_max = GRPC_MESSAGE_BYTES,
		.reply.limit = GRPC_REPLY_BYTES,
		.arena.limit = g->options.request_bytes,
	};
	grpc_due(g, c->due_ms);
	c->next = l->calls;
	c->back = &l->calls;
	if (c->next)
		c->next->back = &c->next;
	l->calls = c;
	l->call_count++;
	return c;
}

static void unlink_call(struct grpc_call *c)
{
	if (!c->link)
		return;
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	c->link->call_count--;
	c->link = NULL;
}

/* What the request needed, once its reply is a frame or not wanted. */
static void release(struct grpc_call *c)
{
	const struct grpc_options *o = &c->grpc->options;

	if (c->handled && o->answered)
		o->answered(o->arg, &c->request);
	if (c->begun && o->done)
		o->done(o->arg, &c->request);
	c->handled = c->begun = false;
	uncount_used(c->grpc, &c->body_bytes);
	c->headers = NULL;
	c->header_count = 0;
	arena_fini(&c->request.arena);
	buf_fini(&c->request.body);
	buf_fini(&c->request.reply);
}

void grpc_call_free(struct grpc_call *c)
{
	assert(c->phase != GRPC_HANDLER);
	unlink_call(c);
	release(c);
	uncount_used(c->grpc, &c->own_bytes);
	buf_fini(&c->frame);
	free(c);
}

void grpc_call_closed(struct grpc_call *c)
{
	c->stream = 0;
	if (c->phase != GRPC_HANDLER)
		grpc_call_free(c);
}

/* --- the reply --------------------------------------------------------------------------- */

/* What the handler, or the head hook, left. */
static void answer(struct grpc_call *c)
{
	struct request *r = &c->request;

	if (c->stream && !c->answered) {
		if (r->status == 200)
			grpc_reply_message(c);
		else
			grpc_reply_status(c, grpc_status_of_http(r->status),
					  buf_view(&r->reply),
					  r->retry_after_s);
	}
	release(c);
}

/* Refused by what is here, with this status and text. */
static void refuse(struct grpc_call *c, enum rpc_code status, struct sv text,
		   unsigned retry_after_s)
{
	grpc_reply_status(c, status, text, retry_after_s);
	release(c);
}

static void refuse_message(struct grpc_call *c, const char *text)
{
	grpc_count(c->grpc, GRPC_COUNT_MESSAGE);
	refuse(c, RPC_INVALID_ARGUMENT, sv_from(text), 0);
}

/* --- headers -------------------------------------------------------------------------------- */

bool grpc_call_header(struct grpc_call *c, struct sv name, struct sv value)
{
	struct arena *arena = &c->request.arena;
	struct grpc_header *h;

	c->header_bytes += name.len + value.len + HEADER_OVERHEAD;
	if (c->header_bytes > GRPC_HEADERS_BYTES)
		return c->header_bytes <= HEADERS_BEYOND * GRPC_HEADERS_BYTES;
	if (!c->headers)
		c->headers = arena_array(arena, GRPC_HEADERS_MAX,
					 sizeof(*c->headers));
	if (!c->headers || c->header_count == GRPC_HEADERS_MAX) {
		c->header_bytes = GRPC_HEADERS_BYTES + 1;
		return true;
	}
	h = &c->headers[c->header_count];
	h->name = arena_copy(arena, name);
	h->value = arena_copy(arena, value);
	if (h->name.ptr && h->value.ptr)
		c->header_count++;
	else
		c->header_bytes = GRPC_HEADERS_BYTES + 1;
	return true;
}

static bool is_grpc(struct sv type)
{
	struct sv kind = sv_trim(sv_cut(&type, ';'));

	return sv_eq(kind, SV("application/grpc")) ||
	       sv_eq(kind, SV("application/grpc+proto"));
}

/* Sets target and path. A method that is on no route is asked for below a path
 * that has no operations, so that who asks is known before it is told. */
static bool set_route(struct grpc_call *c, struct sv method)
{
	const struct grpc_options *o = &c->grpc->options;
	struct request *r = &c->request;
	struct buf path = { .limit = GRPC_HEADERS_BYTES };
	const char *known = NULL;

	for (size_t i = 0; i < o->route_count && !known; i++)
		if (sv_eq(method, sv_from(o->routes[i].method)))
			known = o->routes[i].path;
	buf_text(&path, known ? known : "/api/grpc");
	if (!known)
		buf_sv(&path, method);
	r->target_path = arena_copy(&r->arena, buf_view(&path));
	r->target_query = SV("");
	r->path = r->target_path;
	buf_fini(&path);
	return r->path.ptr != NULL;
}

static bool set_encoding(struct grpc_call *c)
{
	struct sv encoding = grpc_call_sent_header(c, SV("grpc-encoding"));

	c->gzip = sv_eq(encoding, SV("gzip"));
	return c->gzip || !encoding.len || sv_eq(encoding, SV("identity"));
}

static bool set_times(struct grpc_call *c)
{
	struct sv text = grpc_call_sent_header(c, SV("grpc-timeout"));
	uint64_t ms;

	c->due_ms = c->begun_ms + c->grpc->body_ms;
	if (text.ptr) {
		if (!grpc_timeout_parse(text, &ms))
			return false;
		c->timeout_ms = c->begun_ms + ms;
		if (c->timeout_ms < c->due_ms)
			c->due_ms = c->timeout_ms;
	}
	grpc_due(c->grpc, c->due_ms);
	return true;
}

void grpc_call_head(struct grpc_call *c)
{
	struct grpc *g = c->grpc;

	if (c->phase != GRPC_HEAD)
		return; /* trailers */
	c->phase = GRPC_LENGTH;
	if (c->header_bytes > GRPC_HEADERS_BYTES) {
		grpc_count(g, GRPC_COUNT_HEADERS);
		refuse(c, RPC_RESOURCE_EXHAUSTED,
		       SV("the metadata is over 16 KiB, or 64 entries"), 0);
	} else if (!sv_eq(grpc_call_sent_header(c, SV(":method")),
			  SV("POST"))) {
		grpc_reply_http(c, "405");
	} else if (!is_grpc(grpc_call_sent_header(c, SV("content-type")))) {
		grpc_reply_http(c, "415");
	} else if (!set_times(c)) {
		refuse(c, RPC_INVALID_ARGUMENT,
		       SV("grpc-timeout is not digits and a unit"), 0);
	} else if (!set_encoding(c)) {
		refuse(c, RPC_UNIMPLEMENTED,
		       SV("grpc-encoding must be gzip or identity"), 0);
	} else if (atomic_load(&g->quiesced)) {
		refuse(c, RPC_UNAVAILABLE,
		       SV("the collector is stopping: send it again"), 1);
	} else if (!set_route(c, grpc_call_sent_header(c, SV(":path")))) {
		refuse(c, RPC_UNAVAILABLE,
		       SV("no memory now: send the same again"), 1);
	} else {
		(void)count_used(g, &c->own_bytes,
				 arena_held(&c->request.arena));
	}
}

/* --- the message ------------------------------------------------------------------------------- */

/* Its length is known, and nothing of it is here: now it is refused, or taken. */
static void admit(struct grpc_call *c)
{
	const struct grpc_options *o = &c->grpc->options;
	struct request *r = &c->request;

	snprintf(c->length_text, sizeof(c->length_text), "%zu", c->length);
	r->announced_bytes = c->length;
	c->begun = true;
	if (o->head && !o->head(o->arg, r)) {
		answer(c);
		return;
	}
	if (c->length > r->body_max) {
		count(o->too_large);
		refuse(c, RPC_RESOURCE_EXHAUSTED,
		       SV("the message is over 8 MiB: send less at once"), 0);
		return;
	}
	if (!count_used(c->grpc, &c->body_bytes, c->length)) {
		count(o->shed_bodies);
		refuse(c, RPC_UNAVAILABLE,
		       SV("too much is being received at once: send the same "
			  "again"),
		       1);
		return;
	}
	r->body.limit = r->body_max;
	c->phase = c->length ? GRPC_BODY : GRPC_WHOLE;
}

static size_t take_prefix(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
	const uint8_t *p = c->prefix;
	size_t took = GRPC_PREFIX - c->prefix_len;

	if (took > n)
		took = n;
	memcpy(c->prefix + c->prefix_len, bytes, took);
	c->prefix_len += took;
	if (c->prefix_len < GRPC_PREFIX)
		return took;
	c->compressed = p[0] == 1;
	c->length = (size_t)p[1] << 24 | (size_t)p[2] << 16 |
		    (size_t)p[3] << 8 | p[4];
	if (p[0] > 1)
		refuse_message(c, "a message begins with 0 or 1");
	else if (c->compressed && !c->gzip)
		refuse_message(c, "the message says that it is compressed, and "
				  "there is no grpc-encoding");
	else
		admit(c);
	return took;
}

void grpc_call_data(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
	struct buf *body = &c->request.body;

	while (n) {
		size_t took = n;

		if (c->answered)
			return;
		if (c->phase == GRPC_LENGTH) {
			took = take_prefix(c, bytes, n);
		} else if (c->phase == GRPC_BODY) {
			if (took > c->length - body->len)
				took = c->length - body->len;
			buf_add(body, bytes, took);
			if (body->failed) {
				refuse(c, RPC_UNAVAILABLE,
				       SV("no memory now: send the same again"),
				       1);
				return;
			}
			if (body->len == c->length)
				c->phase = GRPC_WHOLE;
		} else {
			refuse_message(c, "the call takes one message");
			return;
		}
		bytes += took;
		n -= took;
	}
}

/* --- the handler --------------------------------------------------------------------------------- */

static void finish(struct grpc_call *c)
{
	c->phase = GRPC_REPLY;
	if (c->link)
		c->link->with_us--;
	if (c->stream) {
		answer(c);
		return;
	}
	grpc_call_free(c);
}

static void handle(struct grpc_call *c)
{
	struct grpc *g = c->grpc;

	uncount_used(g, &c->body_bytes);
	grpc_busy_begin(g); /* first: who settles sees it, or it is refused */
	if (atomic_load(&g->quiesced)) {
		grpc_busy_end(g);
		refuse(c, RPC_UNAVAILABLE,
		       SV("the collector is stopping: send it again"), 1);
		return;
	}
	c->phase = GRPC_HANDLER;
	c->due_ms = c->timeout_ms;
	grpc_due(g, c->due_ms);
	c->link->with_us++;
	c->handled = true;
	c->request.status = 200;
	g->options.handler(g->options.arg, &c->request);
	/* A deferred one may be in the list of those sent by now. */
	if (c->deferred)
		return;
	finish(c);
	grpc_busy_end(g);
}

void grpc_call_end(struct grpc_call *c)
{
	if (c->answered)
		return;
	if (c->phase == GRPC_WHOLE)
		handle(c);
	else
		refuse_message(c, "the call ends before its message does");
}

void grpc_call_sent(struct grpc_call *c)
{
	finish(c);
}

void grpc_call_late(struct grpc_call *c)
{
	c->due_ms = UINT64_MAX;
	if (!c->stream)
		return;
	if (c->answered) {
		grpc_count(c->grpc, GRPC_COUNT_READER);
		nghttp2_submit_rst_stream(c->link->h2, NGHTTP2_FLAG_NONE,
					  c->stream, NGHTTP2_CANCEL);
		return;
	}
	grpc_count(c->grpc, GRPC_COUNT_DEADLINE);
	grpc_reply_status(c, RPC_DEADLINE_EXCEEDED,
			  SV("the call took longer than it may"), 0);
	if (c->phase != GRPC_HANDLER)
		release(c);
}
