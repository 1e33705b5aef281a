/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/clients.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "collector/door/network.h"
#include "core/base/hash.h"

/* Index 0 is no client. */
struct client {
	uint8_t key[16];
	uint32_t count;
	uint32_t next; /* in its bucket, or of those that are free */
};

struct clients {
	uint64_t seed; /* a client cannot choose whose bucket it shares */
	uint32_t mask; /* buckets, a power of two, less one */
	uint32_t free;
	uint32_t *buckets;
	struct client *list;
};

struct clients *clients_new(uint32_t connections_max)
{
	struct clients *c = calloc(1, sizeof(*c));
	uint32_t buckets = 16;

	if (!c)
		return NULL;
	while (buckets < connections_max)
		buckets *= 2;
	c->mask = buckets - 1;
	c->buckets = calloc(buckets, sizeof(*c->buckets));
	c->list = calloc(connections_max + 1, sizeof(*c->list));
	if (!c->buckets || !c->list) {
		clients_free(c);
		return NULL;
	}
	if (getrandom(&c->seed, sizeof(c->seed), 0) < 0)
		c->seed = (uint64_t)(uintptr_t)c;
	for (uint32_t i = connections_max; i > 0; i--) {
		c->list[i].next = c->free;
		c->free = i;
	}
	return c;
}

void clients_free(struct clients *c)
{
	if (!c)
		return;
	free(c->buckets);
	free(c->list);
	free(c);
}

static void key_of(const struct sockaddr *address, uint8_t key[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(key, 0, 16);
	if (address_bytes(address, key) &&
	    memcmp(key, mapped, sizeof(mapped)) != 0)
		memset(key + 8, 0, 8);
}

static uint32_t *bucket_of(struct clients *c, const uint8_t key[16])
{
	struct sv bytes = sv_make((const char *)key, 16);

	return &c->buckets[hash64_seed(bytes, c->seed) & c->mask];
}

uint32_t clients_take(struct clients *c, const struct sockaddr *address,
		      uint32_t most)
{
	uint8_t key[16];
	uint32_t *bucket;
	uint32_t i;

	key_of(address, key);
	bucket = bucket_of(c, key);
	for (i = *bucket; i; i = c->list[i].next)
		if (!memcmp(c->list[i].key, key, sizeof(key)))
			break;
	if (i) {
		if (c->list[i].count >= most)
			return CLIENT_NONE;
		c->list[i].count++;
		return i;
	}
	i = c->free;
	assert(i); /* each connection holds one at most */
	c->free = c->list[i].next;
	memcpy(c->list[i].key, key, sizeof(key));
	c->list[i].count = 1;
	c->list[i].next = *bucket;
	*bucket = i;
	return i;
}

void clients_drop(struct clients *c, uint32_t handle)
{
	struct client *client = &c->list[handle];
	uint32_t *at = bucket_of(c, client->key);

	assert(handle && client->count);
	if (--client->count)
		return;
	while (*at != handle)
		at = &c->list[*at].next;
	*at = client->next;
	client->next = c->free;
	c->free = handle;
}
