/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "collector/door/http_internal.h"

void body_uncount(struct exchange *x)
{
	atomic_fetch_sub(x->request.http->bodies_bytes, x->body_bytes);
	x->body_bytes = 0;
}

static void exchange_free(struct exchange *x)
{
	const struct http_options *options = &x->request.http->options;

	/* Its connection went before its reply could: what was done is done. */
	if (x->handled && !x->answered && options->answered)
		options->answered(options->arg, &x->request);
	if (x->begun && options->done)
		options->done(options->arg, &x->request);
	body_uncount(x);
	atomic_fetch_sub(x->request.http->replies_bytes, x->reply_bytes);
	arena_fini(&x->request.arena);
	buf_fini(&x->request.body);
	buf_fini(&x->request.reply);
	free(x);
}

static enum method method_of(const char *method)
{
	if (!strcmp(method, "GET") || !strcmp(method, "HEAD"))
		return METHOD_GET;
	if (!strcmp(method, "PUT"))
		return METHOD_PUT;
	if (!strcmp(method, "DELETE"))
		return METHOD_DELETE;
	return !strcmp(method, "POST") ? METHOD_POST : METHOD_OTHER;
}

/* The request line is here. What this returns is the request's context from its
 * first call on. */
void *on_target(void *arg, const char *target, struct MHD_Connection *c)
{
	struct exchange *x = calloc(1, sizeof(*x));
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	char *query;

	if (!x || !info || !info->socket_context) {
		free(x);
		return NULL;
	}
	x->connection = c;
	x->link = info->socket_context;
	x->link->waiter.done = true;
	x->request.http = arg;
	x->request.ids = &x->request.http->ids;
	x->request.carrier = &http_carrier;
	exchange_phase(x, CONNECTION_HEAD);
	if (!target)
		target = "";
	if (!target_read(x, sv_from(target))) {
		exchange_free(x);
		return NULL;
	}
	/* MHD splits the arguments next, into records for which its memory may
	 * not do; then it neither answers nor reads on. So it finds none: they
	 * are split here, where one asks for them. The line is in the
	 * connection's buffer, which MHD itself cuts up in this way. */
	query = strchr(target, '?');
	if (query)
		query[1] = '\0';
	return x;
}

/* What the head says of how long the body is. */
struct framing {
	const char *length;
	const char *encoding;
	unsigned lengths, encodings;
	bool expect; /* the client waits to be told */
	bool spaced; /* a name with white space, which others may read */
};

static enum MHD_Result read_header(void *arg, enum MHD_ValueKind kind,
				   const char *name, const char *value)
{
	struct framing *f = arg;

	(void)kind;
	f->spaced |= name[strcspn(name, " \t")] != '\0';
	if (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
		f->length = value;
		f->lengths++;
	} else if (!strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
		f->encoding = value;
		f->encodings++;
	} else if (!strcasecmp(name, MHD_HTTP_HEADER_EXPECT)) {
		f->expect = true;
	}
	return MHD_YES;
}

/* Source: RFC 9112 section 6.3: where two headers disagree on where the body
 * ends, so may two programs in a row, and one request becomes two. And section
 * 5.1: so may they on "Transfer-Encoding : chunked". */
static bool framing_ok(const struct framing *f)
{
	return !f->spaced && f->lengths + f->encodings <= 1 &&
	       (!f->encoding || !strcasecmp(f->encoding, "chunked"));
}

static bool target_ok(struct request *r)
{
	size_t arguments = 1;
	struct sv query = r->target_query;

	if (r->target_path.len + query.len >= HTTP_URL_MAX) {
		reply_error(r, 414, "UriTooLong",
			    "path and query are over 8 KiB: ask with POST");
		return false;
	}
	for (size_t i = 0; i < query.len; i++)
		arguments += query.ptr[i] == '&';
	if (arguments > HTTP_ARGUMENTS_MAX) {
		reply_error(r, 400, "ValidationError",
			    "the query has over 1,000 arguments: ask with "
			    "POST");
		return false;
	}
	return true;
}

/* Whether the rest of a refused request is read and thrown away: a client that
 * has begun to send reads no answer before it has sent all, and an early close
 * would tear the answer down with it. Not for what is beyond reason, nor where
 * the client waits to be told. */
static bool discards(const struct framing *f, uint64_t bytes)
{
	return bytes <= HTTP_DISCARD_MAX && !f->expect;
}

/* True: there is room for bodies with this one of n bytes, and it is counted:
 * as announced when its head comes, since all that were let in at once may
 * send all they announced; else as it grows. */
static bool body_count(struct exchange *x, size_t n)
{
	struct http *h = x->request.http;
	size_t more = n > x->body_bytes ? n - x->body_bytes : 0;

	x->body_bytes += more;
	return !more || atomic_fetch_add(h->bodies_bytes, more) + more <=
				h->options.bodies_max;
}

/* Its bytes are thrown away from now on. */
static void body_shed(struct exchange *x)
{
	x->shed = true;
	buf_fini(&x->request.body);
	body_uncount(x);
}

/* The head of a request is here. */
static enum MHD_Result on_head(struct exchange *x, const char *method)
{
	struct request *r = &x->request;
	const struct http_options *options = &r->http->options;
	struct framing f = { 0 };
	uint64_t bytes = 0;
	bool known;

	x->begun = true;
	r->method = method_of(method);
	r->method_text = arena_copy(&r->arena, sv_from(method));
	if (!r->method_text.ptr)
		return MHD_NO;
	r->peer = x->link->peer;
	r->tls = r->http->tls != NULL;
	r->body_max = HTTP_BODY_MAX;
	r->reply.limit = options->reply_max;
	r->arena.limit = options->request_bytes;
	exchange_phase(x, CONNECTION_BODY);
	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, read_header,
				  &f);
	if (!framing_ok(&f)) {
		reply_error(r, 400, "BadRequest",
			    "one Content-Length, or Transfer-Encoding: "
			    "chunked, and not both; no space before a colon");
		return reply_queue(x);
	}
	known = !f.length || sv_to_u64(sv_from(f.length), &bytes);
	r->announced_bytes = (size_t)bytes;
	x->refused = !target_ok(r) ||
		     (options->head && !options->head(options->arg, r));
	r->body.limit = r->body_max;
	x->too_large = !x->refused && (!known || bytes > r->body_max);
	if (!x->refused && !x->too_large && !body_count(x, (size_t)bytes))
		body_shed(x);
	if ((!x->refused && !x->too_large) || (known && discards(&f, bytes)))
		return MHD_YES;
	if (x->too_large)
		reply_too_large(x);
	return reply_queue(x);
}

static enum MHD_Result on_body(struct exchange *x, const char *data,
			       size_t *size)
{
	struct buf *body = &x->request.body;
	size_t n = *size;

	*size = 0;
	x->received_bytes += n;
	if (x->received_bytes > HTTP_DISCARD_MAX)
		return MHD_NO; /* chunks without end */
	if (x->too_large || x->shed || x->refused)
		return MHD_YES;
	if (!body_count(x, body->len + n)) {
		body_shed(x);
		return MHD_YES;
	}
	/* All of it at once, where its length is known: nothing is moved. */
	if (!body->ptr && x->request.announced_bytes > n)
		(void)buf_grow(body, x->request.announced_bytes);
	buf_add(body, data, n);
	x->too_large = body->failed;
	if (x->too_large) {
		buf_fini(body);
		body_uncount(x);
	}
	return MHD_YES;
}

static enum MHD_Result on_request(struct http *h, struct exchange *x)
{
	struct request *r = &x->request;

	if (x->refused)
		return reply_queue(x);
	if (x->too_large) {
		reply_too_large(x);
		return reply_queue(x);
	}
	if (x->shed) {
		count(h->options.shed_bodies);
		reply_error(r, 503, "ServiceUnavailable",
			    "too much is being received at once: send the "
			    "same again");
		r->retry_after_s = 1;
		return reply_queue(x);
	}
	body_uncount(x);
	exchange_phase(x, CONNECTION_OURS);
	busy_begin(h); /* first: who settles sees it, or it sees quiesced */
	if (atomic_load(&h->quiesced)) {
		busy_end(h);
		reply_error(r, 503, "ServiceUnavailable",
			    "the collector is stopping: send it again");
		r->retry_after_s = 1;
		return reply_queue(x);
	}
	x->handled = true;
	r->status = 200;
	h->options.handler(h->options.arg, r);
	/* A deferred one may be answered by now, by another thread, which
	 * ended its being busy. request_defer suspended the connection, and
	 * MHD calls again, in this thread, when it is resumed. */
	if (!x->deferred)
		busy_end(h);
	return MHD_YES;
}

enum MHD_Result on_access(void *arg, struct MHD_Connection *c, const char *url,
			  const char *method, const char *version,
			  const char *data, size_t *size, void **context)
{
	struct exchange *x = *context;

	(void)c;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	if (!x->begun)
		return on_head(x, method);
	if (*size)
		return on_body(x, data, size);
	if (!x->handled) {
		enum MHD_Result result = on_request(arg, x);

		if (!x->handled || x->deferred)
			return result;
	}
	return reply_queue(x);
}

void on_done(void *arg, struct MHD_Connection *c, void **context,
	     enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)c;
	(void)why;
	if (*context) {
		exchange_phase(*context, CONNECTION_IDLE);
		exchange_free(*context);
	}
	*context = NULL;
}
