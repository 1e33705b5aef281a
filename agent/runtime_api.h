/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Lambda Runtime API (version 2018-06-01) for one sandbox: an HTTP server
 * on a loopback port of its own, that the runtime inside asks for work.
 *
 *   GET  .../runtime/invocation/next            waits for work, for ever
 *   POST .../runtime/invocation/{id}/response   202, or 413 over 6 MB
 *   POST .../runtime/invocation/{id}/error      202
 *   POST .../runtime/init/error                 202
 *
 * A waiting `next` is never closed and never times out: AWS's own runtime
 * client ends for good when it is. libmicrohttpd serves in a thread of its
 * own and suspends the waiting connection; the sandbox's thread is told by an
 * eventfd, looks at the state, gives an invocation, takes a result. Answers
 * are those that AWS's clients were seen to accept.
 */
#ifndef TALLY_AGENT_RUNTIME_API_H
#define TALLY_AGENT_RUNTIME_API_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/ids.h"
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/sys/env.h"

enum {
	/* Lambda's quota of 6 MB and what AWS's message says of it. */
	PAYLOAD_BYTES_MAX = 6291556,
	ERROR_BODY_BYTES_MAX = 1 << 20,
	ERROR_TYPE_MAX = 128,
	CONTENT_TYPE_MAX = 128,
	TRACE_HEADER_MAX = 128,
	ARN_MAX = 320,
	API_CONNECTIONS_MAX = 64,
	/* The X-Ray cause comes in a header: awslambdaric allows it 1 MiB. */
	API_HEADER_BYTES_MAX = (1 << 20) + (64 << 10),
};

/* What `next` answers. All text is borrowed until the result is taken. */
struct invocation {
	char request_id[REQUEST_ID_SIZE];
	char trace_header[TRACE_HEADER_MAX];
	char arn[ARN_MAX];
	int64_t deadline_ms; /* since 1970 */
	struct sv event;
};

enum api_result_kind { API_NONE, API_RESPONSE, API_ERROR, API_INIT_ERROR };

struct api_result {
	enum api_result_kind kind;
	struct buf body;  /* the answer, or the error's JSON */
	struct buf cause; /* X-Ray's cause as JSON; may be empty */
	char error_type[ERROR_TYPE_MAX]; /* header or trailer; may be "" */
	char content_type[CONTENT_TYPE_MAX];
	bool streaming;
	bool too_large;    /* over PAYLOAD_BYTES_MAX: was answered 413 */
	struct instant at; /* when its last byte was here */
};
void api_result_fini(struct api_result *r);

struct runtime_api;

int runtime_api_open(struct runtime_api **out, const struct env *env,
		     struct diag *diag) MUST_USE;
/* The runtime's process must be gone: a waiting `next` is dropped. */
void runtime_api_close(struct runtime_api *api);
uint16_t runtime_api_port(const struct runtime_api *api);
/* Readable when something changed since the last runtime_api_look. */
int runtime_api_fd(const struct runtime_api *api);

struct api_state {
	bool waiting;    /* a `next` waits; since waiting_at */
	bool has_result; /* runtime_api_take has something to give */
	struct instant waiting_at;
};
struct api_state runtime_api_look(struct runtime_api *api);
/* Answers the waiting `next` (there must be one: assert). */
void runtime_api_give(struct runtime_api *api, const struct invocation *inv);
/* Moves the result out; kind API_NONE where there is none. The invocation is
 * forgotten: what comes for it later is answered 403. */
void runtime_api_take(struct runtime_api *api, struct api_result *out);

#endif
