/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/index.h"

#include <assert.h>
#include <stdlib.h>

enum { INDEX_TABLE_MIN = 1024 };

void index_init(struct index *x, size_t limit)
{
	*x = (struct index){ .limit = limit };
}

void index_fini(struct index *x)
{
	for (uint32_t i = 0; i < x->count; i++) {
		window_fini(&x->entries[i]->open);
		free(x->entries[i]->late_hours);
		free(x->entries[i]);
	}
	free(x->entries);
	free(x->table);
	*x = (struct index){ 0 };
}

/* --- the identity's bytes ------------------------------------------------------ */

static char *put_bytes(char *p, struct sv s)
{
	*p++ = (char)(s.len & 0xff);
	*p++ = (char)(s.len >> 8);
	memcpy(p, s.ptr, s.len);
	return p + s.len;
}

static bool fits(const struct identity *id)
{
	if (id->ns.len > METRIC_NAME_MAX || id->name.len > METRIC_NAME_MAX ||
	    id->dimension_count > DIMENSIONS_MAX)
		return false;
	for (size_t i = 0; i < id->dimension_count; i++)
		if (id->dimensions[i].name.len > DIMENSION_NAME_MAX ||
		    id->dimensions[i].value.len > DIMENSION_VALUE_MAX)
			return false;
	return memchr(id->scope->region, 0, REGION_MAX) != NULL;
}

/* out has INDEX_IDENTITY_MAX bytes. */
static struct sv identity_bytes(const struct identity *id, char *out)
{
	size_t region = strlen(id->scope->region) + 1;
	char *p = out;

	put_be64((uint8_t *)p, id->scope->account);
	p += 8;
	memcpy(p, id->scope->region, region);
	p += region;
	p = put_bytes(p, id->ns);
	p = put_bytes(p, id->name);
	*p++ = (char)id->dimension_count;
	for (size_t i = 0; i < id->dimension_count; i++) {
		p = put_bytes(p, id->dimensions[i].name);
		p = put_bytes(p, id->dimensions[i].value);
	}
	assert((size_t)(p - out) <= INDEX_IDENTITY_MAX);
	return sv_make(out, (size_t)(p - out));
}

static bool get_bytes(struct sv *s, size_t max, struct sv *out)
{
	size_t n;

	if (s->len < 2)
		return false;
	n = (size_t)(uint8_t)s->ptr[0] | (size_t)(uint8_t)s->ptr[1] << 8;
	if (n > max || s->len - 2 < n)
		return false;
	*out = sv_make(s->ptr + 2, n);
	s->ptr += 2 + n;
	s->len -= 2 + n;
	return true;
}

/* dims has DIMENSIONS_MAX places; text points into s. */
static bool identity_parse(struct sv s, struct scope *scope,
			   struct identity *id, struct dimension *dims)
{
	const char *nul;
	size_t region, n;

	if (s.len < 9)
		return false;
	*scope = (struct scope){
		.account = get_be64((const uint8_t *)s.ptr),
	};
	s.ptr += 8;
	s.len -= 8;
	nul = memchr(s.ptr, 0, s.len < REGION_MAX ? s.len : REGION_MAX);
	if (!nul)
		return false;
	region = (size_t)(nul - s.ptr) + 1;
	memcpy(scope->region, s.ptr, region);
	s.ptr += region;
	s.len -= region;
	*id = (struct identity){ .scope = scope, .dimensions = dims };
	if (!get_bytes(&s, METRIC_NAME_MAX, &id->ns) ||
	    !get_bytes(&s, METRIC_NAME_MAX, &id->name) || s.len < 1)
		return false;
	n = (uint8_t)s.ptr[0];
	s.ptr++;
	s.len--;
	if (n > DIMENSIONS_MAX)
		return false;
	id->dimension_count = n;
	for (size_t i = 0; i < n; i++)
		if (!get_bytes(&s, DIMENSION_NAME_MAX, &dims[i].name) ||
		    !get_bytes(&s, DIMENSION_VALUE_MAX, &dims[i].value))
			return false;
	return s.len == 0;
}

/* --- the table ---------------------------------------------------------------- */

static struct entry *lookup(const struct index *x, struct hash128 hash)
{
	if (!x->table)
		return NULL;
	for (uint32_t i = (uint32_t)hash.low & x->mask;;
	     i = (i + 1) & x->mask) {
		uint32_t slot = x->table[i];

		if (slot == 0)
			return NULL;
		if (hash128_eq(x->entries[slot - 1]->hash, hash))
			return x->entries[slot - 1];
	}
}

static void place(struct index *x, const struct entry *e)
{
	uint32_t i = (uint32_t)e->hash.low & x->mask;

	while (x->table[i])
		i = (i + 1) & x->mask;
	x->table[i] = e->id + 1;
}

/* Room for one more, the table at most half full. */
static int reserve(struct index *x)
{
	uint32_t size = x->table ? x->mask + 1 : 0;

	if (x->count == x->cap) {
		uint32_t cap = x->cap ? 2 * x->cap : 256;
		struct entry **entries =
			realloc(x->entries, cap * sizeof(struct entry *));

		if (!entries)
			return ERR_NOMEM;
		x->entries = entries;
		x->cap = cap;
	}
	if (size < 2 * (x->count + 1)) {
		uint32_t *table, next = size ? 2 * size : INDEX_TABLE_MIN;

		table = calloc(next, sizeof(*table));
		if (!table)
			return ERR_NOMEM;
		free(x->table);
		x->table = table;
		x->mask = next - 1;
		for (uint32_t i = 0; i < x->count; i++)
			place(x, x->entries[i]);
	}
	return 0;
}

static struct entry *entry_new(struct sv identity, size_t dimension_count)
{
	size_t dims = dimension_count * sizeof(struct dimension);
	struct entry *e = calloc(1, sizeof(*e) + dims + identity.len);
	struct dimension *list;
	struct identity id;
	char *bytes;
	bool ok;

	if (!e)
		return NULL;
	list = (struct dimension *)(e + 1);
	bytes = (char *)(e + 1) + dims;
	memcpy(bytes, identity.ptr, identity.len);
	e->identity = sv_make(bytes, identity.len);
	ok = identity_parse(e->identity, &e->scope, &id, list);
	assert(ok && id.dimension_count == dimension_count);
	e->ns = id.ns;
	e->name = id.name;
	e->dimensions = list;
	e->dimension_count = dimension_count;
	e->rrd_file = -1;
	return e;
}

static int intern(struct index *x, struct sv identity, size_t dimension_count,
		  struct entry **out)
{
	struct hash128 hash = hash128(identity);
	struct entry *e = lookup(x, hash);
	int err;

	if (e) {
		*out = e;
		return sv_eq(e->identity, identity) ? 0 : ERR_LIMIT;
	}
	if (x->count >= x->limit)
		return ERR_LIMIT;
	err = reserve(x);
	if (err)
		return err;
	e = entry_new(identity, dimension_count);
	if (!e)
		return ERR_NOMEM;
	e->hash = hash;
	e->id = x->count;
	x->entries[x->count++] = e;
	place(x, e);
	*out = e;
	return 0;
}

struct entry *index_find(const struct index *x, const struct identity *id)
{
	char bytes[INDEX_IDENTITY_MAX];
	struct sv identity;
	struct entry *e;

	if (!fits(id))
		return NULL;
	identity = identity_bytes(id, bytes);
	e = lookup(x, hash128(identity));
	return e && sv_eq(e->identity, identity) ? e : NULL;
}

int index_intern(struct index *x, const struct identity *id, struct entry **out)
{
	char bytes[INDEX_IDENTITY_MAX];

	if (!fits(id))
		return ERR_LIMIT;
	return intern(x, identity_bytes(id, bytes), id->dimension_count, out);
}

int index_restore(struct index *x, struct sv identity, struct entry **out)
{
	struct dimension dims[DIMENSIONS_MAX];
	struct identity id;
	struct scope scope;

	if (!identity_parse(identity, &scope, &id, dims))
		return ERR_CORRUPT;
	return intern(x, identity, id.dimension_count, out);
}

struct entry *index_by_hash(const struct index *x, struct hash128 hash)
{
	return lookup(x, hash);
}
