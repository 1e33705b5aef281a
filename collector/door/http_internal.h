/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the HTTP layer share, and nobody else includes:
 *
 *   http.c           the listener: start, stop, connections, defer and send
 *   http_exchange.c  a request's course: line, head, body, handler
 *   http_target.c    what a request asks for: path, query, headers
 *   http_reply.c     what it gets
 */
#ifndef TALLY_COLLECTOR_DOOR_HTTP_INTERNAL_H
#define TALLY_COLLECTOR_DOOR_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "collector/door/address.h"
#include "collector/door/carrier.h"
#include "collector/door/http.h"
#include "collector/door/tls.h"
#include "collector/door/tls_wait.h"

struct http {
	struct MHD_Daemon *daemon;
	struct http_options options;
	char address[ADDRESS_TEXT_MAX];
	struct connections *connections;
	struct tls *tls; /* NULL: in clear */
	struct tls_wait *tls_wait;
	_Atomic bool quiesced;
	pthread_mutex_t lock; /* over busy */
	pthread_cond_t idle;
	size_t busy; /* requests with the handler, or deferred */
	_Atomic size_t own_bodies_bytes, own_replies_bytes;
	_Atomic size_t *bodies_bytes;  /* of bodies that are being received */
	_Atomic size_t *replies_bytes; /* of replies that are being sent */
	struct request_ids ids;
	_Atomic int64_t log_second; /* on_log's */
	_Atomic unsigned log_lines; /* in it */
};

/* What the layer knows of a connection; MHD keeps it as the socket's context.
 * NULL: it may not stay, and is closed without a word. */
struct link {
	uint32_t handle; /* in http's connections */
	const struct sockaddr *peer;
	struct tls_set *tls;
	struct tls_waiter waiter;
};

struct argument {
	struct sv name, value; /* value.ptr NULL: without '=' */
};

/* A request with what only the door knows of it. */
struct exchange {
	struct request request; /* first: a request is its exchange */
	struct MHD_Connection *connection;
	struct link *link;
	struct argument *arguments; /* NULL: not looked at yet */
	size_t argument_count;
	uint64_t received_bytes; /* of the body, kept or not */
	size_t body_bytes;       /* counted in bodies_bytes */
	size_t reply_bytes;      /* counted in replies_bytes */
	bool too_large;
	bool begun;    /* its head has been seen */
	bool refused;  /* by the head hook: the reply is there */
	bool shed;     /* over bodies_max: the body is thrown away */
	bool handled;  /* the handler has been called */
	bool answered; /* the hook of this name has been called */
	bool deferred; /* and said that the reply comes later */
};

static inline struct exchange *exchange_of(struct request *r)
{
	return (struct exchange *)r;
}

static inline void exchange_phase(struct exchange *x,
				  enum connection_phase phase)
{
	connections_phase(x->request.http->connections, x->link->handle, phase);
}

static inline void count(_Atomic uint64_t *counter)
{
	if (counter)
		atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* http.c */
extern const struct carrier http_carrier;
/* Requests that are with the handler. */
void busy_begin(struct http *h);
void busy_end(struct http *h);

/* http_exchange.c: MHD's callbacks; arg is the struct http. */
void *on_target(void *arg, const char *target, struct MHD_Connection *c);
enum MHD_Result on_access(void *arg, struct MHD_Connection *c, const char *url,
			  const char *method, const char *version,
			  const char *data, size_t *size, void **context);
void on_done(void *arg, struct MHD_Connection *c, void **context,
	     enum MHD_RequestTerminationCode why);
/* The body is the handler's now, or is not needed. */
void body_uncount(struct exchange *x);

/* http_target.c: of http_carrier, as in door/carrier.h. */
struct sv http_header(struct request *r, const char *name);
void http_headers_each(struct request *r,
		       void (*each)(void *arg, struct sv name, struct sv value),
		       void *arg);
struct sv http_query(struct request *r, const char *name);
void http_query_each(struct request *r,
		     void (*each)(void *arg, struct sv name, struct sv value),
		     void *arg);
/* Sets path, target_path, target_query. False: no memory. */
bool target_read(struct exchange *x, struct sv target) MUST_USE;

/* http_reply.c */
/* An error of the HTTP layer itself. */
void reply_error(struct request *r, unsigned status, const char *code,
		 const char *message);
void reply_too_large(struct exchange *x);
/* Hands the reply to MHD. */
enum MHD_Result reply_queue(struct exchange *x);

#endif
