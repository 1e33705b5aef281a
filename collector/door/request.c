/* SPDX-License-Identifier: Apache-2.0 */
/* A request, whatever carries it. */
#include <sys/random.h>

#include "collector/door/carrier.h"
#include "core/base/hash.h"

struct sv request_header(struct request *r, const char *name)
{
	return r->carrier->header(r, name);
}

void request_headers_each(struct request *r,
			  void (*each)(void *arg, struct sv name,
				       struct sv value),
			  void *arg)
{
	r->carrier->headers_each(r, each, arg);
}

struct sv request_query(struct request *r, const char *name)
{
	if (!r->carrier->query)
		return (struct sv){ NULL, 0 };
	return r->carrier->query(r, name);
}

void request_query_each(struct request *r,
			void (*each)(void *arg, struct sv name,
				     struct sv value),
			void *arg)
{
	if (r->carrier->query_each)
		r->carrier->query_each(r, each, arg);
}

void request_defer(struct request *r)
{
	r->carrier->defer(r);
}

void request_send(struct request *r)
{
	r->carrier->send(r);
}

/* --- ids ------------------------------------------------------------------------ */

int request_ids_init(struct request_ids *ids)
{
	ssize_t n = getrandom(ids->seed, sizeof(ids->seed), 0);

	return n == (ssize_t)sizeof(ids->seed) ? 0 : ERR_IO;
}

/* A version 4 UUID, as AWS's request ids are: what is random in it comes from a
 * random seed and a count, since asking the kernel each time costs as much as
 * reading a head. */
static void make_id(struct request_ids *ids, char out[37])
{
	uint64_t n =
		atomic_fetch_add_explicit(&ids->made, 1, memory_order_relaxed);
	uint8_t b[REQUEST_ID_SEED + sizeof(n)];
	struct hash128 hash;
	size_t at = 0;

	memcpy(b, ids->seed, REQUEST_ID_SEED);
	memcpy(b + REQUEST_ID_SEED, &n, sizeof(n));
	hash = hash128(sv_make((const char *)b, sizeof(b)));
	put_be64(b, hash.high);
	put_be64(b + 8, hash.low);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		hex_from(out + at, b + i, 1);
		at += 2;
	}
	out[at] = '\0';
}

struct sv request_id(struct request *r)
{
	if (!r->id[0])
		make_id(r->ids, r->id);
	return sv_make(r->id, sizeof(r->id) - 1);
}
