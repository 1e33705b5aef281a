/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retrievals: which traces somebody wants to fetch under a token. In AWS that
 * starts a search of a log group; here all traces are at hand, so a retrieval
 * is complete when it starts, and is no more than its question. It is in memory
 * and ends after RETRIEVAL_TTL_S, or with the collector: then its token is of
 * nothing. Any thread.
 */
#ifndef TALLY_COLLECTOR_API_RETRIEVALS_H
#define TALLY_COLLECTOR_API_RETRIEVALS_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/wire/records.h"

enum {
	RETRIEVALS_MAX = 256,
	RETRIEVALS_ACCOUNT_MAX = 64, /* of one account */
	RETRIEVAL_IDS_MAX = 100,
	RETRIEVAL_ID_MAX = 35, /* bytes of a trace id, as it was given */
	RETRIEVAL_TTL_S = 3600,
	RETRIEVAL_TOKEN_CHARS = 32,
};

struct retrieval {
	int64_t start_ns, end_ns; /* both are of the range */
	const struct sv *ids;
	size_t count;
	bool cancelled;
};

struct retrievals;

int retrievals_new(struct retrievals **out) MUST_USE;
void retrievals_free(struct retrievals *rs); /* NULL: nothing */

/* Copies q; token: RETRIEVAL_TOKEN_CHARS and a NUL. seed: bytes that no two
 * calls share. ERR_LIMIT: of the account, or of all; ERR_NOMEM. */
int retrievals_start(struct retrievals *rs, const struct scope *scope,
		     const struct retrieval *q, struct sv seed, int64_t now_ns,
		     char token[RETRIEVAL_TOKEN_CHARS + 1]) MUST_USE;
/* A copy in the arena. ERR_NOT_FOUND, ERR_NOMEM. */
int retrievals_get(struct retrievals *rs, const struct scope *scope,
		   struct sv token, int64_t now_ns, struct arena *arena,
		   struct retrieval *out) MUST_USE;
/* ERR_NOT_FOUND. */
int retrievals_cancel(struct retrievals *rs, const struct scope *scope,
		      struct sv token, int64_t now_ns) MUST_USE;

#endif
