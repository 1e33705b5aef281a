/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door, for gRPC: HTTP/2 on nghttp2, in clear with prior knowledge or by
 * TLS with ALPN "h2". A unary call becomes a struct request, which goes through
 * the same door as one of HTTP (door/carrier.h), and its reply a message or a
 * grpc-status. What serves it may defer, and send from any thread.
 *
 * One thread accepts, reads, decodes frames, calls the handler and writes; a
 * connection is worth nothing to two threads, and one decodes OTLP faster than
 * the journal takes it.
 *
 *   HEADERS            names, limits, time-out, route
 *   DATA, 5 bytes      how long the message is: admission is asked now, so
 *                      that what has no room is never taken
 *   DATA               the body
 *   END_STREAM         the handler
 *
 * What a client may cost is bounded: connections and those of an address
 * (door/connections.h), streams of a connection, the list of headers, windows,
 * frames that carry nothing, resets, frames that it does not read, and the time
 * of each part of a call. A call's memory and the bytes that its message
 * announces are counted as load (door/admission.h). A connection that floods is
 * told ENHANCE_YOUR_CALM and closed.
 *
 * A call over its deadline is told DEADLINE_EXCEEDED, also where the handler
 * has it still: what it wrote may have been stored, as with every lost answer.
 */
#ifndef TALLY_COLLECTOR_DOOR_GRPC_H
#define TALLY_COLLECTOR_DOOR_GRPC_H

#include "collector/door/http.h"

enum {
	GRPC_CONNECTIONS_MAX = 1024,
	GRPC_STREAMS_MAX = 100, /* of a connection; as many may be closed by
				 * the client and with the handler still */
	GRPC_HEADERS_BYTES = 16 << 10, /* as RFC 9113 counts a list */
	GRPC_HEADERS_MAX = 64,
	GRPC_CONTINUATIONS_MAX = 8, /* frames of one list */
	GRPC_MESSAGE_BYTES = HTTP_BODY_MAX,
	GRPC_REPLY_BYTES = 64 << 10,
	GRPC_STREAM_WINDOW = 256 << 10,
	GRPC_CONNECTION_WINDOW = 1 << 20,
	/* Frames that carry nothing: PING, SETTINGS, empty DATA ... */
	GRPC_CONTROL_BURST = 1000,
	GRPC_CONTROL_PER_S = 100,
	GRPC_RESETS_BURST = 200,
	GRPC_RESETS_PER_S = 20,
	GRPC_OUTBOUND_MAX = 1000, /* frames that wait for the client to read */
	GRPC_IDLE_S = 300,        /* exporters of metrics come once a minute */
	/* What one connection costs that has had three calls: measured, 17 KiB
	 * in clear and 43 by TLS. */
	GRPC_CONNECTION_BYTES = 44 << 10,
};

/* What is counted; the names are those of stats.def's rows. */
enum grpc_count {
	GRPC_COUNT_FLOOD,    /* a connection was closed for its frames */
	GRPC_COUNT_RESETS,   /* ... for its resets */
	GRPC_COUNT_PROTOCOL, /* ... since it does not speak HTTP/2 */
	GRPC_COUNT_STREAMS,  /* a stream was refused: too many */
	GRPC_COUNT_HEADERS,  /* a call had too many headers, or too long ones */
	GRPC_COUNT_MESSAGE,  /* ... not one whole message */
	GRPC_COUNT_DEADLINE, /* ... no more time */
	GRPC_COUNT_READER,   /* ... and did not take its answer */
	GRPC_COUNTS,
};

/* A method, and the HTTP path whose operation (door/operations.h) it is. */
struct grpc_route {
	const char *method; /* "/package.Service/Method" */
	const char *path;
};

struct grpc_options {
	const char *address;       /* "127.0.0.1:4317"; port 0: any free one */
	const char *loopback_only; /* as in struct http_options, these all */
	http_head_fn *head;        /* when the message's length is known */
	http_handler_fn *handler;
	void (*done)(void *arg, struct request *r);
	http_handler_fn *answered;
	void *arg;
	const char *tls_cert, *tls_key, *tls_client_ca;
	struct connections_options connections;
	_Atomic size_t *used;
	size_t bodies_max;
	size_t request_bytes;
	_Atomic uint64_t *shed_bodies;
	_Atomic uint64_t *too_large;
	/* Any other method is UNIMPLEMENTED. */
	const struct grpc_route *routes;
	size_t route_count;
	_Atomic uint64_t *counts[GRPC_COUNTS]; /* each may be NULL */
};

struct grpc;

/* Listens at once. *out is owned by the caller until grpc_stop. */
int grpc_start(struct grpc **out, const struct grpc_options *options,
	       struct diag *diag) MUST_USE;
/* "127.0.0.1:4317" with the real port. */
const char *grpc_address(const struct grpc *g);
/* As http_reload_tls. */
int grpc_reload_tls(struct grpc *g, struct diag *diag) MUST_USE;
uint32_t grpc_connections_max(const struct grpc *g);
uint32_t grpc_connections(const struct grpc *g);
/* From now on connections are told to go elsewhere (GOAWAY), and new calls are
 * UNAVAILABLE; those that wait are answered. */
void grpc_quiesce(struct grpc *g);
/* After grpc_quiesce: returns when no call is with the handler any more. Their
 * replies may still be on their way. */
void grpc_settle(struct grpc *g);
/* Quiesces, settles, closes all connections, frees. */
void grpc_stop(struct grpc *g);

#endif
