/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/rate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "core/base/hash.h"

enum { SETS = RATE_ENTRIES / RATE_WAYS };

struct bucket {
	uint64_t id;      /* hash; with a random seed two rarely meet */
	uint64_t full_ns; /* when it is full again; 0: the entry is free */
};

struct rates {
	uint64_t seed;
	pthread_mutex_t locks[RATE_LOCKS];
	_Atomic uint64_t refused, evicted;
	struct bucket sets[SETS][RATE_WAYS];
};

int rates_new(struct rates **out)
{
	struct rates *r = calloc(1, sizeof(*r));

	if (!r)
		return ERR_NOMEM;
	if (getrandom(&r->seed, sizeof(r->seed), 0) != sizeof(r->seed))
		r->seed = (uint64_t)(uintptr_t)r;
	for (size_t i = 0; i < RATE_LOCKS; i++)
		pthread_mutex_init(&r->locks[i], NULL);
	*out = r;
	return 0;
}

void rates_free(struct rates *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < RATE_LOCKS; i++)
		pthread_mutex_destroy(&r->locks[i]);
	free(r);
}

/* The id's bucket, or the one that is nearest to being full, taken over. */
static struct bucket *find(struct rates *r, struct bucket *set, uint64_t id,
			   uint64_t now_ns)
{
	struct bucket *b = &set[0];

	for (size_t i = 0; i < RATE_WAYS; i++) {
		if (set[i].id == id && set[i].full_ns)
			return &set[i];
		if (set[i].full_ns < b->full_ns)
			b = &set[i];
	}
	if (b->full_ns > now_ns)
		atomic_fetch_add(&r->evicted, 1);
	*b = (struct bucket){ .id = id, .full_ns = now_ns };
	return b;
}

static bool take(struct bucket *b, uint64_t rate, uint64_t now_ns)
{
	uint64_t burst = rate < RATE_BURST_MIN ? RATE_BURST_MIN : rate;
	uint64_t each_ns = NS_PER_S / rate;
	uint64_t from_ns = b->full_ns > now_ns ? b->full_ns : now_ns;

	if (from_ns - now_ns > (burst - 1) * each_ns)
		return false;
	b->full_ns = from_ns + each_ns;
	return true;
}

bool rate_take(struct rates *r, struct sv id, uint64_t rate, struct instant now)
{
	uint64_t h, at;
	bool took;

	if (!rate || rate > NS_PER_S)
		return true;
	h = hash64_seed(id, r->seed);
	at = h % SETS;
	pthread_mutex_lock(&r->locks[at % RATE_LOCKS]);
	took = take(find(r, r->sets[at], h, now.ns), rate, now.ns);
	pthread_mutex_unlock(&r->locks[at % RATE_LOCKS]);
	if (!took)
		atomic_fetch_add(&r->refused, 1);
	return took;
}

void rate_stats(struct rates *r, struct rate_stats *out)
{
	*out = (struct rate_stats){
		.refused = atomic_load(&r->refused),
		.evicted = atomic_load(&r->evicted),
	};
}
