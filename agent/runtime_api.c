/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/runtime_api.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define API_PREFIX "/2018-06-01/runtime/"

enum route {
	ROUTE_NEXT,
	ROUTE_RESPONSE,
	ROUTE_ERROR,
	ROUTE_INIT_ERROR,
	ROUTE_NONE,
	ROUTE_METHOD,
};

/* One HTTP request; belongs to the connection, freed when it is completed. */
struct request {
	enum route route;
	char id[REQUEST_ID_SIZE];
	struct buf body;
	bool too_large;
	bool dropped; /* a `next` that a newer one replaced, or we close */
	bool woken;   /* a `next` that was suspended and has been resumed */
};

/* Taken by both threads, always for a few instructions only; no call into
 * libmicrohttpd that can wait is made under the lock. */
struct runtime_api {
	const struct env *env;
	struct MHD_Daemon *daemon;
	int event_fd;
	uint16_t port;
	pthread_mutex_t lock;
	struct MHD_Connection *waiting; /* suspended in `next` */
	struct request *waiting_request;
	struct instant waiting_at;
	const struct invocation *pending; /* to be written by `next` */
	bool active;                      /* the runtime works on active_id */
	char active_id[REQUEST_ID_SIZE];
	struct api_result result;
	bool closing;
};

void api_result_fini(struct api_result *r)
{
	buf_fini(&r->body);
	buf_fini(&r->cause);
	*r = (struct api_result){ 0 };
}

static void notify(struct runtime_api *api)
{
	uint64_t one = 1;

	if (write(api->event_fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN); /* counter at its end: is readable */
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status,
			      const char *body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", "application/json");
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result answer_error(struct MHD_Connection *c, unsigned status,
				    const char *type, const char *message)
{
	char body[256];

	snprintf(body, sizeof(body),
		 "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n", message,
		 type);
	return answer(c, status, body);
}

static enum route route_of(const char *method, const char *url, char *id)
{
	struct sv rest = sv_from(url);
	struct sv part;

	id[0] = '\0';
	if (!sv_starts(rest, SV(API_PREFIX)))
		return ROUTE_NONE;
	rest = sv_make(rest.ptr + sizeof(API_PREFIX) - 1,
		       rest.len - (sizeof(API_PREFIX) - 1));
	if (sv_eq(rest, SV("invocation/next")))
		return strcmp(method, "GET") ? ROUTE_METHOD : ROUTE_NEXT;
	if (sv_eq(rest, SV("init/error")))
		return strcmp(method, "POST") ? ROUTE_METHOD : ROUTE_INIT_ERROR;
	if (!sv_eq(sv_cut(&rest, '/'), SV("invocation")) || !rest.ptr)
		return ROUTE_NONE;
	part = sv_cut(&rest, '/');
	if (part.len < REQUEST_ID_SIZE) {
		memcpy(id, part.ptr, part.len);
		id[part.len] = '\0';
	}
	if (sv_eq(rest, SV("response")))
		return strcmp(method, "POST") ? ROUTE_METHOD : ROUTE_RESPONSE;
	if (sv_eq(rest, SV("error")))
		return strcmp(method, "POST") ? ROUTE_METHOD : ROUTE_ERROR;
	return ROUTE_NONE;
}

static enum MHD_Result write_invocation(struct MHD_Connection *c,
					const struct invocation *inv)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		inv->event.len, (void *)(uintptr_t)inv->event.ptr,
		MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;
	char deadline[24];

	if (!r)
		return MHD_NO;
	snprintf(deadline, sizeof(deadline), "%lld",
		 (long long)inv->deadline_ms);
	MHD_add_response_header(r, "Content-Type", "application/json");
	MHD_add_response_header(r, "Lambda-Runtime-Aws-Request-Id",
				inv->request_id);
	MHD_add_response_header(r, "Lambda-Runtime-Deadline-Ms", deadline);
	MHD_add_response_header(r, "Lambda-Runtime-Invoked-Function-Arn",
				inv->arn);
	MHD_add_response_header(r, "Lambda-Runtime-Trace-Id",
				inv->trace_header);
	result = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return result;
}

/* First time: waits. Woken by runtime_api_give: answers. The pending
 * invocation is copied to the response under the lock, because the sandbox's
 * thread may forget it as soon as a result is here. */
static enum MHD_Result on_next(struct runtime_api *api,
			       struct MHD_Connection *c, struct request *req)
{
	enum MHD_Result result = MHD_YES;
	struct MHD_Connection *older = NULL;

	pthread_mutex_lock(&api->lock);
	if (req->dropped || api->closing) {
		pthread_mutex_unlock(&api->lock);
		return answer_error(c, MHD_HTTP_FORBIDDEN,
				    "InvalidStateTransition",
				    "Another request for the next invocation "
				    "took its place");
	}
	if (req->woken) {
		if (api->pending) {
			result = write_invocation(c, api->pending);
			api->pending = NULL;
		}
		pthread_mutex_unlock(&api->lock);
		return result;
	}
	if (api->waiting) { /* its client went away and asks again */
		older = api->waiting;
		api->waiting_request->dropped = true;
		api->waiting_request->woken = true;
	}
	MHD_suspend_connection(c);
	api->waiting = c;
	api->waiting_request = req;
	api->waiting_at = env_mono(api->env);
	pthread_mutex_unlock(&api->lock);
	if (older)
		MHD_resume_connection(older);
	notify(api);
	return MHD_YES;
}

static void copy_value(char *out, size_t size, const char *value)
{
	if (value)
		snprintf(out, size, "%s", value);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static void fill_result(struct runtime_api *api, struct MHD_Connection *c,
			struct request *req)
{
	struct api_result *r = &api->result;
	const char *mode = header(c, "Lambda-Runtime-Function-Response-Mode");
	const char *type = header(c, "Lambda-Runtime-Function-Error-Type");
	const char *cause =
		header(c, "Lambda-Runtime-Function-XRay-Error-Cause");

	api_result_fini(r);
	r->kind = req->route == ROUTE_RESPONSE ? API_RESPONSE :
		  req->route == ROUTE_ERROR    ? API_ERROR :
						 API_INIT_ERROR;
	r->body = req->body;
	req->body = (struct buf)BUF_INIT;
	r->too_large = req->too_large && r->kind == API_RESPONSE;
	r->at = env_mono(api->env);
	r->streaming = mode && !strcmp(mode, "streaming");
	copy_value(r->error_type, sizeof(r->error_type), type);
	copy_value(r->content_type, sizeof(r->content_type),
		   header(c, "Content-Type"));
	if (cause)
		buf_text(&r->cause, cause);
	/* A stream that broke says so behind its last chunk. */
	type = MHD_lookup_connection_value(
		c, MHD_FOOTER_KIND, "Lambda-Runtime-Function-Error-Type");
	copy_value(r->error_type, sizeof(r->error_type), type);
	if (type && r->kind == API_RESPONSE) {
		const char *body = MHD_lookup_connection_value(
			c, MHD_FOOTER_KIND,
			"Lambda-Runtime-Function-Error-Body");

		buf_reset(&r->cause);
		if (body)
			buf_text(&r->cause, body); /* base64 of JSON */
	}
}

static enum MHD_Result on_result(struct runtime_api *api,
				 struct MHD_Connection *c, struct request *req)
{
	bool too_large;

	pthread_mutex_lock(&api->lock);
	if (req->route == ROUTE_INIT_ERROR ? api->active : !api->active) {
		pthread_mutex_unlock(&api->lock);
		return answer_error(c, MHD_HTTP_FORBIDDEN,
				    "InvalidStateTransition",
				    "There is no such invocation to answer");
	}
	if (req->route != ROUTE_INIT_ERROR && strcmp(req->id, api->active_id)) {
		pthread_mutex_unlock(&api->lock);
		return answer_error(c, MHD_HTTP_BAD_REQUEST, "InvalidRequestID",
				    "Invalid request ID");
	}
	fill_result(api, c, req);
	too_large = api->result.too_large;
	api->active = false;
	pthread_mutex_unlock(&api->lock);
	notify(api);
	if (too_large)
		return answer_error(c, MHD_HTTP_CONTENT_TOO_LARGE,
				    "RequestEntityTooLarge",
				    "Exceeded maximum allowed payload size "
				    "(6291556 bytes).");
	return answer(c, MHD_HTTP_ACCEPTED, "{\"status\":\"OK\"}\n");
}

static enum MHD_Result on_body(struct request *req, const char *data,
			       size_t *size)
{
	if (!req->too_large)
		buf_add(&req->body, data, *size);
	if (req->body.failed)
		req->too_large = true; /* the rest is read and thrown away */
	*size = 0;
	return MHD_YES;
}

static struct request *request_new(const char *method, const char *url)
{
	struct request *req = calloc(1, sizeof(*req));

	if (!req)
		return NULL;
	req->route = route_of(method, url, req->id);
	req->body.limit = req->route == ROUTE_RESPONSE ? PAYLOAD_BYTES_MAX :
							 ERROR_BODY_BYTES_MAX;
	return req;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *size, void **state)
{
	struct runtime_api *api = arg;
	struct request *req = *state;

	(void)version;
	if (!req) {
		*state = request_new(method, url);
		return *state ? MHD_YES : MHD_NO;
	}
	if (*size)
		return on_body(req, data, size);
	switch (req->route) {
	case ROUTE_NEXT:
		return on_next(api, c, req);
	case ROUTE_RESPONSE:
	case ROUTE_ERROR:
	case ROUTE_INIT_ERROR:
		return on_result(api, c, req);
	case ROUTE_METHOD:
		return answer_error(c, MHD_HTTP_METHOD_NOT_ALLOWED,
				    "MethodNotAllowed", "Method not allowed");
	case ROUTE_NONE:
		break;
	}
	return answer_error(c, MHD_HTTP_NOT_FOUND, "NotFound",
			    "There is no such path in the Runtime API");
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct runtime_api *api = arg;
	struct request *req = *state;

	(void)c;
	(void)code;
	if (!req)
		return;
	pthread_mutex_lock(&api->lock);
	if (api->waiting_request == req) {
		api->waiting = NULL;
		api->waiting_request = NULL;
	}
	pthread_mutex_unlock(&api->lock);
	buf_fini(&req->body);
	free(req);
	*state = NULL;
}

static int listen_loopback(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

int runtime_api_open(struct runtime_api **out, const struct env *env,
		     struct diag *diag)
{
	struct runtime_api *api = calloc(1, sizeof(*api));
	int fd;

	if (!api)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	api->env = env;
	pthread_mutex_init(&api->lock, NULL);
	api->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fd = listen_loopback(&api->port);
	if (api->event_fd >= 0 && fd >= 0)
		api->daemon = MHD_start_daemon(
			MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME,
			0, NULL, NULL, on_request, api,
			MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, api,
			MHD_OPTION_CONNECTION_LIMIT,
			(unsigned)API_CONNECTIONS_MAX,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT,
			(size_t)API_HEADER_BYTES_MAX, MHD_OPTION_END);
	if (!api->daemon) {
		if (fd >= 0)
			close(fd);
		runtime_api_close(api);
		return diag_set(diag, ERR_IO,
				"the Runtime API cannot listen on 127.0.0.1: "
				"%s",
				strerror(errno));
	}
	*out = api;
	return 0;
}

void runtime_api_close(struct runtime_api *api)
{
	struct MHD_Connection *waiting;

	if (!api)
		return;
	pthread_mutex_lock(&api->lock);
	api->closing = true;
	waiting = api->waiting;
	api->waiting = NULL;
	if (waiting)
		api->waiting_request->woken = true;
	pthread_mutex_unlock(&api->lock);
	if (waiting)
		MHD_resume_connection(waiting);
	if (api->daemon)
		MHD_stop_daemon(api->daemon);
	if (api->event_fd >= 0)
		close(api->event_fd);
	api_result_fini(&api->result);
	pthread_mutex_destroy(&api->lock);
	free(api);
}

uint16_t runtime_api_port(const struct runtime_api *api)
{
	return api->port;
}

int runtime_api_fd(const struct runtime_api *api)
{
	return api->event_fd;
}

struct api_state runtime_api_look(struct runtime_api *api)
{
	struct api_state state;
	uint64_t count;

	if (read(api->event_fd, &count, sizeof(count)) < 0)
		assert(errno == EAGAIN || errno == EINTR);
	pthread_mutex_lock(&api->lock);
	state = (struct api_state){
		.waiting = api->waiting != NULL,
		.has_result = api->result.kind != API_NONE,
		.waiting_at = api->waiting_at,
	};
	pthread_mutex_unlock(&api->lock);
	return state;
}

void runtime_api_give(struct runtime_api *api, const struct invocation *inv)
{
	struct MHD_Connection *c;

	pthread_mutex_lock(&api->lock);
	assert(api->waiting && !api->pending);
	api_result_fini(&api->result);
	c = api->waiting;
	api->waiting_request->woken = true;
	api->waiting = NULL;
	api->waiting_request = NULL;
	api->pending = inv;
	api->active = true;
	memcpy(api->active_id, inv->request_id, sizeof(api->active_id));
	pthread_mutex_unlock(&api->lock);
	MHD_resume_connection(c);
}

void runtime_api_take(struct runtime_api *api, struct api_result *out)
{
	pthread_mutex_lock(&api->lock);
	*out = api->result;
	api->result = (struct api_result){ 0 };
	api->active = false;
	api->pending = NULL;
	pthread_mutex_unlock(&api->lock);
}
