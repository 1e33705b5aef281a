/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door: HTTP/1.1 on libmicrohttpd. It turns a connection's bytes into a
 * struct request with a whole body, calls the one handler, and sends the reply
 * that the handler leaves. A handler that has to wait for the journal calls
 * request_defer and returns; any thread calls request_send later. While it
 * waits the connection costs its memory and nothing else.
 *
 * With tls_cert it speaks TLS only (door/tls.h).
 *
 * Limits: HTTP_BODY_MAX a body as sent and after decompression,
 * HTTP_BODIES_MAX all bodies together that are being received (over it a body
 * is read, thrown away and answered with 503), HTTP_REPLY_MAX an answer,
 * HTTP_REPLIES_MAX all answers together that slow readers have not taken yet
 * (small ones, as acknowledgements are, go always), HTTP_HEAD_MAX a head with
 * its line (431, or 414 for the line alone), HTTP_URL_MAX path and query (414),
 * HTTP_ARGUMENTS_MAX of the query (400). How many connections there may be and
 * how long each part of a request may take: door/connections.h.
 */
#ifndef TALLY_COLLECTOR_DOOR_HTTP_H
#define TALLY_COLLECTOR_DOOR_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/door/caller.h"
#include "collector/door/connections.h"
#include "core/base/arena.h"
#include "core/base/text.h"
#include "core/smithy/error.h"

enum {
	HTTP_BODY_MAX = 8 << 20,
	HTTP_DISCARD_MAX = 64
			   << 20, /* of a body that is refused for its size */
	HTTP_BODIES_MAX = 128 << 20,
	HTTP_REPLY_MAX = BUF_LIMIT_DEFAULT,
	HTTP_REPLIES_MAX = 256 << 20,
	HTTP_REPLY_SMALL = 16 << 10,
	HTTP_THREADS = 2,
	HTTP_HEAD_MAX = 16 << 10, /* with what the library notes of it */
	/* What one connection costs that has had a request: measured, 24 KiB
	 * in clear, 27 with TLS. */
	HTTP_CONNECTION_BYTES = 28 << 10,
	HTTP_URL_MAX = 8 << 10,
	HTTP_ARGUMENTS_MAX = 1000,
	HTTP_LOG_LINES_MAX = 20, /* a second, of what the library complains */
};

enum method {
	METHOD_GET,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_OTHER
};

struct sockaddr;

struct carrier;
struct operation;
struct request_ids;
struct service;
struct request;
struct http;

/* What a handler sees. Valid until the reply is sent. */
struct request {
	enum method method;
	struct sv method_text; /* as sent */
	struct sv path;        /* unescaped, without the query */
	/* As sent, before and behind the '?': what a signature is over. */
	struct sv target_path, target_query;
	const struct sockaddr *peer; /* while the request lives */
	size_t announced_bytes; /* of the body, by its head; 0: not known */
	size_t body_max;        /* bytes as sent; a head hook may lower it */
	bool tls;
	struct buf body;    /* as sent; a handler may take it (buf_detach) */
	bool inflated;      /* body is plain now, whatever the head says */
	struct arena arena; /* reset when the request ends */
	const struct carrier *carrier; /* door/carrier.h */
	struct request_ids *ids;
	struct http *http; /* NULL: it came by gRPC */
	/* It did: an error is a status and a text, in no service's form, and
	 * it brings tokens, not signatures. */
	bool grpc;
	/* What the door found out (door/door.c); the HTTP layer knows nothing
	 * of it. NULL: not yet, or there is none. */
	const struct service *service;
	enum aws_protocol protocol;
	const struct operation *operation;
	struct caller caller;
	uint64_t claimed; /* hash of whom a long body's head names, before that
			   * is proven; 0: nobody */
	unsigned admission_slot; /* of door/admission.c; 0: not counted */
	size_t admission_bytes;
	size_t admission_arriving; /* bytes of the body that is to come */
	/* The reply: set these, then return or call request_send. */
	unsigned status;
	const char *content_type; /* static text */
	struct buf reply;
	unsigned retry_after_s; /* 0: no such header */
	const char *error_type; /* x-amzn-ErrorType, or NULL; static text */
	const char *smithy_protocol;           /* header of rpc v2, or NULL */
	char query_error[AWS_QUERY_ERROR_MAX]; /* x-amzn-query-error, or "" */
	char id[37];   /* "": not made yet; request_id makes it */
	bool wants_id; /* x-amzn-RequestId is sent */
	void *context; /* the handler's own */
};

typedef void http_handler_fn(void *arg, struct request *r);
/* The head is whole, the body is still to come. False: refused, with what it
 * left as the reply, which is sent when the body has been read and thrown away
 * (or at once, and the connection closed, where the body is beyond
 * HTTP_DISCARD_MAX or the client waits for a 100). */
typedef bool http_head_fn(void *arg, struct request *r);
/* The HTTP layer itself refuses r: leaves status and message as the reply, in
 * the form of r's protocol where that is known. code: "RequestTooLarge", as the
 * native API names it. */
typedef void http_refuse_fn(void *arg, struct request *r, unsigned status,
			    const char *code, const char *message);

struct http_options {
	const char *address; /* "127.0.0.1:4318"; port 0: any free one */
	/* NULL: any address will do; else why only loopback does. */
	const char *loopback_only;
	http_head_fn *head; /* may be NULL */
	http_handler_fn *handler;
	/* May be NULL: once at the end of each request whose head was whole,
	 * when its reply is sent or its connection gone. */
	void (*done)(void *arg, struct request *r);
	/* The reply is whole and about to be sent: r->status is what the
	 * client will see. Must not change it. May be NULL. Also where the
	 * client has gone before, if the handler was called. */
	http_handler_fn *answered;
	http_refuse_fn *refuse; /* NULL: in the native API's form */
	void *arg;
	unsigned threads; /* 0: HTTP_THREADS */
	/* PEM files; tls_cert NULL or "": in clear. With tls_client_ca a client
	 * must show a certificate of it. */
	const char *tls_cert, *tls_key, *tls_client_ca;
	struct connections_options connections;
	/* Where the bytes of bodies and of replies are counted against
	 * bodies_max and replies_max, with what others count there; NULL: a
	 * count of its own for each. */
	_Atomic size_t *used;
	size_t bodies_max;    /* 0: HTTP_BODIES_MAX */
	size_t replies_max;   /* 0: HTTP_REPLIES_MAX */
	size_t reply_max;     /* 0: HTTP_REPLY_MAX */
	size_t request_bytes; /* of a request's arena; 0: no limit */
	/* Count what was turned away over a limit; may be NULL. */
	_Atomic uint64_t *shed_bodies;  /* over bodies_max */
	_Atomic uint64_t *too_large;    /* over HTTP_BODY_MAX */
	_Atomic uint64_t *shed_replies; /* over HTTP_REPLY_MAX, replies_max */
};

/* Listens at once. *out is owned by the caller until http_stop. */
int http_start(struct http **out, const struct http_options *options,
	       struct diag *diag) MUST_USE;
/* "127.0.0.1:4318" with the real port. */
const char *http_address(const struct http *h);
/* Reads the files of TLS again, for connections from now on; those that are
 * there go on. On an error what was in force stays. 0 without TLS. */
int http_reload_tls(struct http *h, struct diag *diag) MUST_USE;
/* How many connections it may have; how many there are. */
uint32_t http_connections_max(const struct http *h);
uint32_t http_connections(const struct http *h);
/* When its certificate ends, in seconds since 1970; 0: it has none. */
int64_t http_certificate_ends_s(const struct http *h);
/* From now on requests are told to come again; those that wait are answered. */
void http_quiesce(struct http *h);
/* After http_quiesce: returns when no request is with the handler any more nor
 * waits for its request_send. Their replies may still be on their way. */
void http_settle(struct http *h);
/* Quiesces, settles, closes all connections, frees. */
void http_stop(struct http *h);

/* A header of the request; ptr NULL: not sent. Name in any case. */
struct sv request_header(struct request *r, const char *name);
/* Calls each for every header, as sent. */
void request_headers_each(struct request *r,
			  void (*each)(void *arg, struct sv name,
				       struct sv value),
			  void *arg);
/* A query argument, unescaped; ptr NULL: not given. */
struct sv request_query(struct request *r, const char *name);
/* Calls each for every query argument, in order. */
void request_query_each(struct request *r,
			void (*each)(void *arg, struct sv name,
				     struct sv value),
			void *arg);

/* The id that x-amzn-RequestId tells: a version 4 UUID, as AWS's are. Valid as
 * long as the request. */
struct sv request_id(struct request *r);

/* The handler returns without a reply; request_send comes later, exactly
 * once, from any thread. */
void request_defer(struct request *r);
void request_send(struct request *r);

#endif
