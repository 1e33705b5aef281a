/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <pthread.h>

#include "core/auth/secret.h"
#include "core/auth/sigv4_canonical.h"
#include "core/base/hash.h"

enum {
	TAG_MAX = SIGV4_KEY_ID_MAX + 1 + 8 + 1 + SIGV4_REGION_MAX + 1 +
		  SIGV4_SERVICE_MAX,
};

struct entry {
	struct hmac_sha256_ctx derived;
	uint64_t secret; /* seeded hash: a replaced secret finds nothing */
	uint64_t used;   /* tick of the last use; 0: empty */
	size_t tag_len;
	char tag[TAG_MAX];
};

struct sigv4_cache {
	pthread_mutex_t lock; /* held for a look and a copy, not for HMACs */
	struct secret_area area;
	struct entry *entries; /* in area: buckets of SIGV4_CACHE_WAYS */
	size_t buckets;        /* a power of two */
	uint64_t seed;
	uint64_t tick;
	struct sigv4_cache_stats stats;
};

int sigv4_cache_new(struct sigv4_cache **out, size_t entries)
{
	struct sigv4_cache *cache;
	size_t buckets = 1;
	int e;

	assert(entries > 0 && entries <= SIGV4_CACHE_MAX);
	while (buckets * SIGV4_CACHE_WAYS < entries)
		buckets *= 2;
	cache = calloc(1, sizeof(*cache));
	if (!cache)
		return ERR_NOMEM;
	e = secret_random(&cache->seed, sizeof(cache->seed));
	if (!e)
		e = secret_area_init(&cache->area,
				     buckets * SIGV4_CACHE_WAYS *
					     sizeof(struct entry));
	if (e) {
		free(cache);
		return e;
	}
	cache->entries = cache->area.ptr;
	cache->buckets = buckets;
	cache->stats.locked = cache->area.locked;
	pthread_mutex_init(&cache->lock, NULL);
	*out = cache;
	return 0;
}

void sigv4_cache_free(struct sigv4_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_destroy(&cache->lock);
	secret_area_fini(&cache->area);
	free(cache);
}

void sigv4_cache_stats(struct sigv4_cache *cache, struct sigv4_cache_stats *out)
{
	pthread_mutex_lock(&cache->lock);
	*out = cache->stats;
	pthread_mutex_unlock(&cache->lock);
}

static struct entry *find(struct entry *bucket, struct sv tag, uint64_t secret)
{
	for (size_t i = 0; i < SIGV4_CACHE_WAYS; i++)
		if (bucket[i].used && bucket[i].secret == secret &&
		    sv_eq(sv_make(bucket[i].tag, bucket[i].tag_len), tag))
			return &bucket[i];
	return NULL;
}

static void insert(struct sigv4_cache *cache, struct entry *bucket,
		   struct sv tag, uint64_t secret,
		   const struct hmac_sha256_ctx *derived)
{
	struct entry *oldest = find(bucket, tag, secret);

	if (!oldest) { /* another thread may have been faster */
		oldest = bucket;
		for (size_t i = 1; i < SIGV4_CACHE_WAYS; i++)
			if (bucket[i].used < oldest->used)
				oldest = &bucket[i];
		cache->stats.evictions += oldest->used != 0;
	}
	oldest->derived = *derived;
	oldest->secret = secret;
	oldest->used = ++cache->tick;
	oldest->tag_len = tag.len;
	memcpy(oldest->tag, tag.ptr, tag.len);
}

void sigv4_cache_derive(struct sigv4_cache *cache, struct hmac_sha256_ctx *out,
			const struct sigv4_claim *c, struct sv secret)
{
	uint64_t hash = hash64_seed(c->tag, cache->seed);
	uint64_t mark = hash64_seed(secret, cache->seed);
	struct entry *bucket = cache->entries +
			       (hash & (cache->buckets - 1)) * SIGV4_CACHE_WAYS;
	struct entry *hit;

	assert(c->tag.len > 0 && c->tag.len <= TAG_MAX);
	pthread_mutex_lock(&cache->lock);
	hit = find(bucket, c->tag, mark);
	if (hit) {
		hit->used = ++cache->tick;
		*out = hit->derived;
		cache->stats.hits++;
	} else {
		cache->stats.misses++;
	}
	pthread_mutex_unlock(&cache->lock);
	if (hit)
		return;
	sigv4_derive(out, secret, c->date, c->region, c->service);
	pthread_mutex_lock(&cache->lock);
	insert(cache, bucket, c->tag, mark, out);
	pthread_mutex_unlock(&cache->lock);
}
