/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client: how every command reaches a running collector. One handle is one
 * keep-alive connection to one endpoint; it remembers nothing of what was
 * asked. Calls on one handle are safe from several threads and run one after
 * the other: who wants two at once opens two handles.
 *
 * An answer is held whole in memory, so its size has a limit; what is larger
 * is refused, never cut. Time-outs are for the whole call. Nothing here
 * retries: the commands are for people, who see the message and decide, and
 * the dashboard asks again at its next turn.
 */
#ifndef TALLY_CORE_CLIENT_CLIENT_H
#define TALLY_CORE_CLIENT_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum {
	CLIENT_ANSWER_MAX = 32 << 20, /* bytes of a body */
	CLIENT_URL_MAX = 8 << 10,     /* bytes of endpoint, path and query */
	CLIENT_CONNECT_MS = 3000,
	CLIENT_TIMEOUT_MS = 30000,
};

#define CLIENT_ENDPOINT_DEFAULT "http://127.0.0.1:4318"
#define CLIENT_ENDPOINT_VARIABLE "TALLY_ENDPOINT"

struct client;

/* What to do otherwise than usual; zero means the default. */
struct client_options {
	size_t answer_max_bytes;
	long connect_timeout_ms;
	long timeout_ms;
	/* Not NULL: once true, a call under way ends within a second with
	 * ERR_CLOSED. It must live as long as the handle. */
	const atomic_bool *cancel;
};

/* endpoint NULL or "": $TALLY_ENDPOINT, and without it
 * CLIENT_ENDPOINT_DEFAULT. Connects to nothing yet. Refused with ERR_INVALID:
 * what is not http:// or https:// with a host. The handle is the caller's. */
int client_open(struct client **out, const char *endpoint,
		const struct client_options *options,
		struct diag *diag) MUST_USE;
/* NULL is allowed. No call may be under way. */
void client_close(struct client *c);
/* The endpoint without a slash at its end; valid until close. */
const char *client_endpoint(const struct client *c);

/* GET path ("/api/v1/..." with its query already escaped). The body is added
 * to *body, which the caller empties before and releases after. 0 for any
 * 2xx; otherwise *body holds nothing new and diag says what the API said:
 *   400 and other 4xx ERR_INVALID   404 ERR_NOT_FOUND   409 ERR_EXISTS
 *   413 ERR_LIMIT     429, 503 ERR_BUSY     other 5xx ERR_IO
 * and without an answer: ERR_CLOSED (nobody there, or it went away),
 * ERR_TIMEOUT, ERR_LIMIT (the answer is too large). */
int client_get(struct client *c, const char *path, struct buf *body,
	       struct diag *diag) MUST_USE;
/* POST with a body of the named content type; answers as client_get. */
int client_post(struct client *c, const char *path, const char *content_type,
		struct sv send, struct buf *body, struct diag *diag) MUST_USE;

/* The enum err of an HTTP status, by the table above. */
int client_err_of_status(long status);

/* Adds text to out with everything but RFC 3986's unreserved bytes written as
 * %XX: good for a query value and for one part of a path. */
void client_escape(struct buf *out, struct sv text);
/* Adds "?name=value" or, when out holds a '?' already, "&name=value", the
 * value escaped. value NULL or "": adds nothing. */
void client_query(struct buf *out, const char *name, const char *value);
/* The same with a whole number. */
void client_query_number(struct buf *out, const char *name, int64_t value);

#endif
