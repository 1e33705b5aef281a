/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client: how the agent and every command reach a running collector. One
 * handle is one keep-alive connection to one endpoint; of what was asked it
 * remembers nothing but how wrong our clock is. Calls on one handle are safe
 * from several threads and run one after the other: who wants two at once opens
 * two handles.
 *
 * A call is signed with the keys of the settings, or carries their token; with
 * neither it is unsigned. What fails on the way, or is refused for the moment
 * (retry.h), is tried again a few times with growing pauses, under the same
 * invocation id. When the collector says that our clock is wrong, its own
 * counts from then on, and the call is repeated once.
 *
 * An answer is held whole in memory, so its size has a limit; what is larger
 * is refused, never cut. Time-outs are for the whole call, tries and pauses
 * together. Redirects are not followed: a signature is for one host.
 *
 * Links libcurl and core, nothing else; what reads JSON with jansson is
 * answer.h, what serves a command line is program.h.
 */
#ifndef TALLY_CORE_CLIENT_CLIENT_H
#define TALLY_CORE_CLIENT_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/client/query.h"
#include "core/client/settings.h"

enum {
	CLIENT_ANSWER_MAX = 32 << 20, /* bytes of a body */
	CLIENT_URL_MAX = 8 << 10,     /* bytes of endpoint, path and query */
	CLIENT_CONNECT_MS = 3000,
	CLIENT_TIMEOUT_MS = 30000,
	CLIENT_ATTEMPTS_MAX = 3,
	CLIENT_TYPE_MAX = 64,
	CLIENT_SKEW_S = 4 * 60, /* less is no reason to mend the clock */
};

struct client;

/* Bytes so far and in all, 0: not known. From the thread of the call. */
typedef void client_progress_fn(void *self, uint64_t sent, uint64_t to_send,
				uint64_t got, uint64_t to_get);

/* What to do otherwise than usual; zero means the default. */
struct client_options {
	size_t answer_max_bytes;
	long connect_timeout_ms;
	long timeout_ms;
	unsigned attempts_max; /* 1: nothing is tried again */
	/* Not NULL: once true, a call under way ends within a second with
	 * ERR_CLOSED. It must live as long as the handle. */
	const atomic_bool *cancel;
	client_progress_fn *progress;
	void *progress_self;
	/* The world, for tests: clock and disk, pauses and their dice. */
	const struct env *env;
	void (*pause)(void *self, uint64_t ms);
	uint64_t (*random)(void *self);
	void *self;
};

/* Connects to nothing yet. settings must live as long as the handle. Refused
 * with ERR_INVALID: an endpoint that is not http:// or https:// with a host, or
 * has a name or query in it; a token that would go over the network in clear.
 * The handle is the caller's. */
int client_open(struct client **out, const struct settings *settings,
		const struct client_options *options,
		struct diag *diag) MUST_USE;
/* NULL is allowed. No call may be under way. */
void client_close(struct client *c);
/* The endpoint without a slash at its end; valid until close. */
const char *client_endpoint(const struct client *c);

/* --- any call ----------------------------------------------------------------- */

struct client_call {
	const char *method;       /* NULL: GET */
	const char *path;         /* "/api/v1/...", its query escaped already */
	const char *content_type; /* NULL: no body */
	const char *accept;       /* NULL: anything */
	struct sv body;
};

struct client_reply {
	long status;
	uint64_t retry_after_ms; /* 0: the collector said nothing */
	unsigned attempts;
	char type[CLIENT_TYPE_MAX]; /* Content-Type, cut */
	struct buf body;            /* whatever the status */
};

/* 0: there is an answer, of any status. Otherwise ERR_CLOSED (nobody there, or
 * it went away), ERR_TIMEOUT, ERR_LIMIT (path or answer are too large),
 * ERR_INVALID (a byte that a path cannot have), what settings_read_token says.
 * client_reply_fini in any case. */
int client_exchange(struct client *c, const struct client_call *call,
		    struct client_reply *reply, struct diag *diag) MUST_USE;
void client_reply_fini(struct client_reply *reply);
/* The enum err of an answer's status; diag says what the API said:
 *   400 and other 4xx ERR_INVALID   404 ERR_NOT_FOUND   409 ERR_EXISTS
 *   413 ERR_LIMIT     429, 503 ERR_BUSY     other 5xx ERR_IO */
int client_check(const struct client *c, const struct client_reply *reply,
		 struct diag *diag) MUST_USE;
/* The enum err of an HTTP status, by the table above. */
int client_err_of_status(long status);

/* --- the usual ones ------------------------------------------------------------- */

/* The answer's body is added to *body, which the caller empties before and
 * releases after. 0 for any 2xx; otherwise *body holds nothing new. Errors as
 * client_exchange and client_check. */
int client_get(struct client *c, const char *path, struct buf *body,
	       struct diag *diag) MUST_USE;
int client_post(struct client *c, const char *path, const char *content_type,
		struct sv send, struct buf *body, struct diag *diag) MUST_USE;

#endif
