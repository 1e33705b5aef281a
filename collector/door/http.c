/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/door/address.h"
#include "core/base/log.h"

struct http {
	struct MHD_Daemon *daemon;
	struct http_options options;
	char address[ADDRESS_TEXT_MAX];
	_Atomic bool quiesced;
	pthread_mutex_t lock; /* over busy */
	pthread_cond_t idle;
	size_t busy; /* requests with the handler, or deferred */
	_Atomic size_t own_bodies_bytes, own_replies_bytes;
	_Atomic size_t *bodies_bytes;  /* of bodies that are being received */
	_Atomic size_t *replies_bytes; /* of replies that are being sent */
};

/* A request with what only the door knows of it. */
struct exchange {
	struct request request; /* first: a request is its exchange */
	struct MHD_Connection *connection;
	size_t body_bytes;  /* counted in bodies_bytes */
	size_t reply_bytes; /* counted in replies_bytes */
	bool too_large;
	bool begun;    /* its head has been seen */
	bool refused;  /* by the head hook: the reply is there */
	bool shed;     /* over bodies_max: the body is thrown away */
	bool handled;  /* the handler has been called */
	bool deferred; /* and said that the reply comes later */
};

static struct exchange *exchange_of(struct request *r)
{
	return (struct exchange *)r;
}

/* The body is the handler's now, or is not needed. */
static void body_uncount(struct exchange *x)
{
	atomic_fetch_sub(x->request.http->bodies_bytes, x->body_bytes);
	x->body_bytes = 0;
}

static void exchange_free(struct exchange *x)
{
	const struct http_options *options = &x->request.http->options;

	if (x->begun && options->done)
		options->done(options->arg, &x->request);
	body_uncount(x);
	atomic_fetch_sub(x->request.http->replies_bytes, x->reply_bytes);
	arena_fini(&x->request.arena);
	buf_fini(&x->request.body);
	buf_fini(&x->request.reply);
	free(x);
}

/* A version 4 UUID, as AWS's request ids are. */
static void make_request_id(char out[37])
{
	uint8_t b[16];
	size_t at = 0;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		memset(b, 0, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		hex_from(out + at, b + i, 1);
		at += 2;
	}
	out[at] = '\0';
}

static void reply_error(struct request *r, unsigned status, const char *code,
			const char *message)
{
	buf_reset(&r->reply);
	buf_format(&r->reply,
		   "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}\n", code,
		   message);
	r->content_type = "application/json";
	r->status = status;
}

static void count(_Atomic uint64_t *counter)
{
	if (counter)
		atomic_fetch_add(counter, 1);
}

/* What did not fit is a prefix: it is not sent as if it were the answer. Nor
 * is one more large answer while others wait for slow readers. */
static void reply_limit(struct exchange *x)
{
	struct request *r = &x->request;
	struct http *h = r->http;
	size_t len = r->reply.len;
	bool large = len > HTTP_REPLY_SMALL;

	r->reply.limit = 0; /* what is said of it below goes always */
	if (large && !r->reply.failed) {
		x->reply_bytes = len;
		if (atomic_fetch_add(h->replies_bytes, len) + len <=
		    h->options.replies_max)
			return;
		atomic_fetch_sub(h->replies_bytes, len);
		x->reply_bytes = 0;
	}
	if (!large && !r->reply.failed)
		return;
	count(h->options.shed_replies);
	r->error_type = NULL;
	if (large && r->reply.failed) {
		buf_fini(&r->reply);
		reply_error(
			r, 400, "ResponseTooLarge",
			"the answer is over the limit of one: ask for less");
		return;
	}
	buf_fini(&r->reply);
	reply_error(r, 503, "ServiceUnavailable",
		    "no memory for the answer now: send the same again");
	r->retry_after_s = 1;
}

static enum MHD_Result reply_queue(struct exchange *x)
{
	struct request *r = &x->request;
	struct MHD_Response *response;
	enum MHD_Result result;
	size_t len;
	char *bytes;
	char text[40];

	reply_limit(x);
	if (r->http->options.answered)
		r->http->options.answered(r->http->options.arg, r);
	arena_fini(&r->arena); /* a slow reader need not keep them */
	buf_fini(&r->body);
	r->path = (struct sv){ NULL, 0 };
	len = r->reply.len;
	bytes = buf_detach(&r->reply);

	response = MHD_create_response_from_buffer(
		len, bytes ? bytes : (void *)"",
		bytes ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response) {
		free(bytes);
		return MHD_NO;
	}
	if (r->content_type)
		MHD_add_response_header(response, "Content-Type",
					r->content_type);
	if (r->retry_after_s) {
		snprintf(text, sizeof(text), "%u", r->retry_after_s);
		MHD_add_response_header(response, "Retry-After", text);
	}
	if (r->error_type)
		MHD_add_response_header(response, "x-amzn-ErrorType",
					r->error_type);
	if (r->smithy_protocol)
		MHD_add_response_header(response, "smithy-protocol",
					r->smithy_protocol);
	if (r->query_error[0])
		MHD_add_response_header(response, "x-amzn-query-error",
					r->query_error);
	if (r->wants_id)
		MHD_add_response_header(response, "x-amzn-RequestId",
					request_id(r).ptr);
	result = MHD_queue_response(x->connection, r->status, response);
	MHD_destroy_response(response);
	return result;
}

static void reply_too_large(struct exchange *x)
{
	size_t kib = x->request.body_max >> 10;
	char text[64];

	count(x->request.http->options.too_large);
	snprintf(text, sizeof(text),
		 "the body is over %zu %s: send less at once",
		 kib % 1024 ? kib : kib >> 10, kib % 1024 ? "KiB" : "MiB");
	reply_error(&x->request, 413, "RequestTooLarge", text);
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

/* The request line is here: what MHD unescapes is kept as it came. What this
 * returns is the request's context from its first call on. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *c)
{
	struct exchange *x = calloc(1, sizeof(*x));
	struct sv rest;

	if (!x)
		return NULL;
	x->connection = c;
	x->request.http = arg;
	rest = arena_copy(&x->request.arena, sv_from(target));
	x->request.target_path = sv_cut(&rest, '?');
	x->request.target_query = rest;
	return x;
}

/* Whether the rest of a refused request is read and thrown away: a client that
 * has begun to send reads no answer before it has sent all, and an early close
 * would tear the answer down with it. Not for what is beyond reason, nor where
 * the client waits to be told. */
static bool discards(struct MHD_Connection *c, uint64_t bytes)
{
	return bytes <= HTTP_DISCARD_MAX &&
	       !MHD_lookup_connection_value(c, MHD_HEADER_KIND,
					    MHD_HTTP_HEADER_EXPECT);
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
static enum MHD_Result on_head(struct exchange *x, const char *url,
			       const char *method)
{
	struct MHD_Connection *c = x->connection;
	struct request *r = &x->request;
	const struct http_options *options = &r->http->options;
	const char *length = MHD_lookup_connection_value(
		c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	uint64_t bytes = 0;
	bool known = !length || sv_to_u64(sv_from(length), &bytes);

	x->begun = true;
	r->method = method_of(method);
	r->method_text = arena_copy(&r->arena, sv_from(method));
	r->path = arena_copy(&r->arena, sv_from(url));
	if (!r->path.ptr || !r->method_text.ptr || !r->target_path.ptr || !info)
		return MHD_NO;
	r->peer = info->client_addr;
	r->announced_bytes = (size_t)bytes;
	r->body_max = HTTP_BODY_MAX;
	r->reply.limit = options->reply_max;
	x->refused = options->head && !options->head(options->arg, r);
	r->body.limit = r->body_max;
	x->too_large = !x->refused && (!known || bytes > r->body_max);
	if (!x->refused && !x->too_large && !body_count(x, (size_t)bytes))
		body_shed(x);
	if ((!x->refused && !x->too_large) || (known && discards(c, bytes)))
		return MHD_YES;
	if (x->too_large)
		reply_too_large(x);
	return reply_queue(x);
}

static void on_body(struct exchange *x, const char *data, size_t *size)
{
	struct buf *body = &x->request.body;
	size_t n = *size;

	*size = 0;
	if (x->too_large || x->shed || x->refused)
		return;
	if (!body_count(x, body->len + n)) {
		body_shed(x);
		return;
	}
	buf_add(body, data, n);
	x->too_large = body->failed;
	if (x->too_large) {
		buf_fini(body);
		body_uncount(x);
	}
}

static void busy_begin(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->busy++;
	pthread_mutex_unlock(&h->lock);
}

static void busy_end(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	if (--h->busy == 0)
		pthread_cond_broadcast(&h->idle);
	pthread_mutex_unlock(&h->lock);
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

static enum MHD_Result on_access(void *arg, struct MHD_Connection *c,
				 const char *url, const char *method,
				 const char *version, const char *data,
				 size_t *size, void **context)
{
	struct exchange *x = *context;

	(void)version;
	(void)c;
	if (!x)
		return MHD_NO;
	if (!x->begun)
		return on_head(x, url, method);
	if (*size) {
		on_body(x, data, size);
		return MHD_YES;
	}
	if (!x->handled) {
		enum MHD_Result result = on_request(arg, x);

		if (!x->handled || x->deferred)
			return result;
	}
	return reply_queue(x);
}

static void on_done(void *arg, struct MHD_Connection *c, void **context,
		    enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)c;
	(void)why;
	if (*context)
		exchange_free(*context);
	*context = NULL;
}

static void on_log(void *arg, const char *format, va_list ap)
{
	char text[512];

	(void)arg;
	vsnprintf(text, sizeof(text), format, ap);
	text[strcspn(text, "\n")] = '\0';
	log_line(LOG_WARN, "http", "%s", text);
}

static void http_free(struct http *h)
{
	pthread_cond_destroy(&h->idle);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

int http_start(struct http **out, const struct http_options *options,
	       struct diag *diag)
{
	struct http *h = calloc(1, sizeof(*h));
	unsigned threads = options->threads ? options->threads : HTTP_THREADS;
	int fd;

	if (!h)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	h->options = *options;
	if (!h->options.bodies_max)
		h->options.bodies_max = HTTP_BODIES_MAX;
	if (!h->options.replies_max)
		h->options.replies_max = HTTP_REPLIES_MAX;
	if (!h->options.reply_max)
		h->options.reply_max = HTTP_REPLY_MAX;
	h->bodies_bytes = options->used ? options->used : &h->own_bodies_bytes;
	h->replies_bytes = options->used ? options->used :
					   &h->own_replies_bytes;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->idle, NULL);
	fd = address_listen(options->address, SOCK_STREAM,
			    options->loopback_only, h->address, diag);
	if (fd < 0) {
		http_free(h);
		return fd;
	}
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_ERROR_LOG | MHD_USE_TURBO,
		0, NULL, NULL, on_access, h, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
		on_done, NULL, MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(16 << 10),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
		/* The list ends here where there is no pool: one of 0 is
		 * warned of at each start. */
		threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
		threads, MHD_OPTION_END);
	if (!h->daemon) {
		close(fd);
		http_free(h);
		return diag_set(diag, ERR_IO, "cannot start HTTP on %s",
				options->address);
	}
	*out = h;
	return 0;
}

const char *http_address(const struct http *h)
{
	return h->address;
}

void http_quiesce(struct http *h)
{
	atomic_store(&h->quiesced, true);
}

void http_settle(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->busy)
		pthread_cond_wait(&h->idle, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void http_stop(struct http *h)
{
	http_quiesce(h);
	http_settle(h);
	MHD_stop_daemon(h->daemon);
	http_free(h);
}

struct sv request_header(struct request *r, const char *name)
{
	return sv_from(MHD_lookup_connection_value(exchange_of(r)->connection,
						   MHD_HEADER_KIND, name));
}

struct sv request_query(struct request *r, const char *name)
{
	return sv_from(MHD_lookup_connection_value(
		exchange_of(r)->connection, MHD_GET_ARGUMENT_KIND, name));
}

struct walk {
	void (*each)(void *arg, struct sv name, struct sv value);
	void *arg;
};

static enum MHD_Result walk_values(void *arg, enum MHD_ValueKind kind,
				   const char *name, const char *value)
{
	struct walk *w = arg;

	(void)kind;
	w->each(w->arg, sv_from(name), sv_from(value));
	return MHD_YES;
}

void request_query_each(struct request *r,
			void (*each)(void *arg, struct sv name,
				     struct sv value),
			void *arg)
{
	struct walk w = { each, arg };

	MHD_get_connection_values(exchange_of(r)->connection,
				  MHD_GET_ARGUMENT_KIND, walk_values, &w);
}

void request_headers_each(struct request *r,
			  void (*each)(void *arg, struct sv name,
				       struct sv value),
			  void *arg)
{
	struct walk w = { each, arg };

	MHD_get_connection_values(exchange_of(r)->connection, MHD_HEADER_KIND,
				  walk_values, &w);
}

struct sv request_id(struct request *r)
{
	if (!r->id[0])
		make_request_id(r->id);
	return sv_make(r->id, sizeof(r->id) - 1);
}

void request_defer(struct request *r)
{
	struct exchange *x = exchange_of(r);

	assert(x->handled && !x->deferred);
	x->deferred = true;
	MHD_suspend_connection(x->connection);
}

void request_send(struct request *r)
{
	struct exchange *x = exchange_of(r);
	struct http *h = r->http;

	assert(x->deferred);
	MHD_resume_connection(x->connection); /* x may be gone now */
	busy_end(h);
}
