/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/retrievals.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/sys/env.h"

struct entry {
	bool used;
	char token[RETRIEVAL_TOKEN_CHARS + 1];
	struct scope scope;
	int64_t expires_ns;
	struct retrieval q; /* its ids are in the arena */
	struct arena arena;
};

struct retrievals {
	pthread_mutex_t lock;
	struct entry entries[RETRIEVALS_MAX];
};

int retrievals_new(struct retrievals **out)
{
	struct retrievals *rs = calloc(1, sizeof(*rs));

	if (!rs)
		return ERR_NOMEM;
	pthread_mutex_init(&rs->lock, NULL);
	*out = rs;
	return 0;
}

static void drop(struct entry *e)
{
	arena_fini(&e->arena);
	*e = (struct entry){ .used = false };
}

void retrievals_free(struct retrievals *rs)
{
	if (!rs)
		return;
	for (size_t i = 0; i < RETRIEVALS_MAX; i++)
		drop(&rs->entries[i]);
	pthread_mutex_destroy(&rs->lock);
	free(rs);
}

/* A free place; NULL: over a limit. */
static struct entry *take_place(struct retrievals *rs, uint64_t account,
				int64_t now_ns)
{
	struct entry *place = NULL;
	size_t of_account = 0;

	for (size_t i = 0; i < RETRIEVALS_MAX; i++) {
		struct entry *e = &rs->entries[i];

		if (e->used && e->expires_ns <= now_ns)
			drop(e);
		if (!e->used)
			place = e;
		else if (e->scope.account == account)
			of_account++;
	}
	return of_account < RETRIEVALS_ACCOUNT_MAX ? place : NULL;
}

static int copy(struct arena *arena, const struct retrieval *from,
		struct retrieval *to)
{
	struct sv *ids = arena_array(arena, from->count, sizeof(*ids));

	if (!ids)
		return ERR_NOMEM;
	*to = *from;
	to->ids = ids;
	for (size_t i = 0; i < from->count; i++) {
		ids[i] = arena_copy(arena, from->ids[i]);
		if (!ids[i].ptr)
			return ERR_NOMEM;
	}
	return 0;
}

int retrievals_start(struct retrievals *rs, const struct scope *scope,
		     const struct retrieval *q, struct sv seed, int64_t now_ns,
		     char token[RETRIEVAL_TOKEN_CHARS + 1])
{
	struct hash128 h = hash128(seed);
	uint8_t bytes[RETRIEVAL_TOKEN_CHARS / 2];
	struct entry *e;
	int err = ERR_LIMIT;

	assert(q->count <= RETRIEVAL_IDS_MAX);
	put_be64(bytes, h.high);
	put_be64(bytes + 8, h.low);
	hex_from(token, bytes, sizeof(bytes));
	token[RETRIEVAL_TOKEN_CHARS] = '\0';
	pthread_mutex_lock(&rs->lock);
	e = take_place(rs, scope->account, now_ns);
	if (e) {
		e->scope = *scope;
		e->expires_ns = now_ns + RETRIEVAL_TTL_S * NS_PER_S;
		memcpy(e->token, token, sizeof(e->token));
		err = copy(&e->arena, q, &e->q);
		e->used = !err;
		if (err)
			drop(e);
	}
	pthread_mutex_unlock(&rs->lock);
	return err;
}

/* Under the lock; NULL: none. */
static struct entry *find(struct retrievals *rs, const struct scope *scope,
			  struct sv token, int64_t now_ns)
{
	for (size_t i = 0; i < RETRIEVALS_MAX; i++) {
		struct entry *e = &rs->entries[i];

		if (e->used && e->expires_ns > now_ns &&
		    e->scope.account == scope->account &&
		    !strcmp(e->scope.region, scope->region) &&
		    sv_eq(sv_from(e->token), token))
			return e;
	}
	return NULL;
}

int retrievals_get(struct retrievals *rs, const struct scope *scope,
		   struct sv token, int64_t now_ns, struct arena *arena,
		   struct retrieval *out)
{
	const struct entry *e;
	int err = ERR_NOT_FOUND;

	pthread_mutex_lock(&rs->lock);
	e = find(rs, scope, token, now_ns);
	if (e)
		err = copy(arena, &e->q, out);
	pthread_mutex_unlock(&rs->lock);
	return err;
}

int retrievals_cancel(struct retrievals *rs, const struct scope *scope,
		      struct sv token, int64_t now_ns)
{
	struct entry *e;
	bool found;

	pthread_mutex_lock(&rs->lock);
	e = find(rs, scope, token, now_ns);
	found = e != NULL;
	if (e)
		e->q.cancelled = true;
	pthread_mutex_unlock(&rs->lock);
	return found ? 0 : ERR_NOT_FOUND;
}
