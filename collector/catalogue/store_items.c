/* SPDX-License-Identifier: Apache-2.0 */
/* Items, their counts, and calls: within a transaction. */
#include "collector/catalogue/store_inner.h"

#include <assert.h>
#include <stdlib.h>

enum { STORE_CALL_BYTES = 16 };

/* --- keys and items -------------------------------------------------------------- */

struct key {
	uint8_t bytes[STORE_KEY_MAX];
	size_t len;
};

static void key_prefix(struct key *k, const struct scope *scope,
		       enum catalogue_kind kind)
{
	size_t region = strlen(scope->region);

	assert(region < REGION_MAX);
	put_be64(k->bytes, scope->account);
	memcpy(k->bytes + 8, scope->region, region + 1);
	k->len = 8 + region + 1;
	k->bytes[k->len++] = (uint8_t)kind;
}

static void key_make(struct key *k, const struct scope *scope,
		     enum catalogue_kind kind, struct sv name)
{
	struct hash128 hash;

	key_prefix(k, scope, kind);
	if (name.len <= STORE_KEY_NAME_MAX) {
		if (name.len)
			memcpy(k->bytes + k->len, name.ptr, name.len);
		k->len += name.len;
		return;
	}
	hash = hash128(name);
	memcpy(k->bytes + k->len, name.ptr, STORE_KEY_NAME_HEAD);
	put_be64(k->bytes + k->len + STORE_KEY_NAME_HEAD, hash.high);
	put_be64(k->bytes + k->len + STORE_KEY_NAME_HEAD + 8, hash.low);
	k->len += STORE_KEY_NAME_HEAD + 16;
}

/* False: it is none of ours. */
static bool key_scope(MDB_val key, struct scope *scope,
		      enum catalogue_kind *kind)
{
	const uint8_t *p = key.mv_data;
	size_t n = 0;

	if (key.mv_size < 10)
		return false;
	*scope = (struct scope){ .account = get_be64(p) };
	for (p += 8; n < REGION_MAX && n < key.mv_size - 8 && p[n]; n++)
		scope->region[n] = (char)p[n];
	if (n == REGION_MAX || n + 10 > key.mv_size)
		return false;
	*kind = (enum catalogue_kind)p[n + 1];
	return true;
}

static MDB_val val_of(const struct key *k)
{
	return (MDB_val){ k->len, (void *)k->bytes };
}

static int item_read(MDB_val key, MDB_val data, struct catalogue_item *out)
{
	const uint8_t *p = data.mv_data;
	size_t name_len;

	if (data.mv_size < STORE_ITEM_HEAD || p[0] != CATALOGUE_FORMAT ||
	    get_le32(p + 4) != store_check(key, p, data.mv_size))
		return ERR_CORRUPT;
	name_len = p[2] | (size_t)p[3] << 8;
	if (name_len > data.mv_size - STORE_ITEM_HEAD)
		return ERR_CORRUPT;
	*out = (struct catalogue_item){
		.revision = get_le64(p + 8),
		.version = get_le64(p + 16),
		.created.ns = (int64_t)get_le64(p + 24),
		.modified.ns = (int64_t)get_le64(p + 32),
		.name = sv_make((const char *)p + STORE_ITEM_HEAD, name_len),
		.value = sv_make((const char *)p + STORE_ITEM_HEAD + name_len,
				 data.mv_size - STORE_ITEM_HEAD - name_len),
	};
	return 0;
}

static void item_write(MDB_val key, MDB_val data,
		       const struct catalogue_item *item)
{
	uint8_t *p = data.mv_data;

	memset(p, 0, STORE_ITEM_HEAD);
	p[0] = CATALOGUE_FORMAT;
	p[2] = (uint8_t)item->name.len;
	p[3] = (uint8_t)(item->name.len >> 8);
	put_le64(p + 8, item->revision);
	put_le64(p + 16, item->version);
	put_le64(p + 24, (uint64_t)item->created.ns);
	put_le64(p + 32, (uint64_t)item->modified.ns);
	memcpy(p + STORE_ITEM_HEAD, item->name.ptr, item->name.len);
	if (item->value.len)
		memcpy(p + STORE_ITEM_HEAD + item->name.len, item->value.ptr,
		       item->value.len);
	put_le32(p + 4, store_check(key, p, data.mv_size));
}

static uint64_t size_of(const struct catalogue_item *item)
{
	return STORE_ITEM_HEAD + item->name.len + item->value.len;
}

/* --- items ----------------------------------------------------------------------- */

int store_get(struct store_txn *t, const struct scope *scope,
	      enum catalogue_kind kind, struct sv name,
	      struct catalogue_item *out)
{
	MDB_val key, data;
	struct key k;
	int e;

	key_make(&k, scope, kind, name);
	key = val_of(&k);
	e = store_err(mdb_get(t->txn, t->store->items, &key, &data));
	if (!e)
		e = item_read(key, data, out);
	/* Another name of the same hash: it does not happen. */
	return e ? e : sv_eq(out->name, name) ? 0 : ERR_NOT_FOUND;
}

int store_count(struct store_txn *t, const struct scope *scope,
		enum catalogue_kind kind, uint64_t *out)
{
	MDB_val key, data;
	struct key k;
	int e;

	key_prefix(&k, scope, kind);
	key = val_of(&k);
	*out = 0;
	e = store_err(mdb_get(t->txn, t->store->counts, &key, &data));
	if (e)
		return e == ERR_NOT_FOUND ? 0 : e;
	if (data.mv_size != 8)
		return ERR_CORRUPT;
	*out = get_le64(data.mv_data);
	return 0;
}

static int add_count(struct store_txn *t, const struct scope *scope,
		     enum catalogue_kind kind, int by)
{
	uint8_t bytes[8];
	MDB_val key, data = { sizeof(bytes), bytes };
	uint64_t count;
	struct key k;
	int e = store_count(t, scope, kind, &count);

	if (e)
		return e;
	t->state.items += (uint64_t)(int64_t)by;
	key_prefix(&k, scope, kind);
	key = val_of(&k);
	put_le64(bytes, count + (uint64_t)(int64_t)by);
	return store_err(mdb_put(t->txn, t->store->counts, &key, &data, 0));
}

int store_put(struct store_txn *t, const struct scope *scope,
	      enum catalogue_kind kind, const struct catalogue_item *old,
	      const struct catalogue_item *item)
{
	uint64_t size = size_of(item);
	MDB_val key, data = { size, NULL };
	uint64_t old_size = old ? size_of(old) : 0;
	struct key k;
	int e;

	key_make(&k, scope, kind, item->name);
	key = val_of(&k);
	/* item may borrow from what is there: nothing is written before all is
	 * read, so it is made beside it. */
	data.mv_data = malloc(size);
	if (!data.mv_data)
		return ERR_NOMEM;
	item_write(key, data, item);
	e = mdb_put(t->txn, t->store->items, &key, &data, 0);
	free(data.mv_data);
	if (e)
		return store_err(e);
	t->state.bytes += size - old_size;
	return old ? 0 : add_count(t, scope, kind, 1);
}

int store_delete(struct store_txn *t, const struct scope *scope,
		 enum catalogue_kind kind, struct sv name)
{
	MDB_val key, data;
	uint64_t size;
	struct key k;
	int e;

	key_make(&k, scope, kind, name);
	key = val_of(&k);
	e = store_err(mdb_get(t->txn, t->store->items, &key, &data));
	if (e)
		return e;
	size = data.mv_size;
	e = store_err(mdb_del(t->txn, t->store->items, &key, NULL));
	if (e)
		return e;
	t->state.bytes -= size;
	return add_count(t, scope, kind, -1);
}

/* --- calls ----------------------------------------------------------------------- */

static void call_key(uint8_t out[STORE_CALL_BYTES], struct hash128 call)
{
	put_be64(out, call.high);
	put_be64(out + 8, call.low);
}

int store_call_known(struct store_txn *t, struct hash128 call, bool *out)
{
	uint8_t bytes[STORE_CALL_BYTES];
	MDB_val key = { sizeof(bytes), bytes }, data;
	int e;

	call_key(bytes, call);
	e = store_err(mdb_get(t->txn, t->store->calls, &key, &data));
	*out = !e;
	return e == ERR_NOT_FOUND ? 0 : e;
}

/* The oldest that is remembered. */
static int call_forget(struct store_txn *t)
{
	uint8_t number[8];
	uint8_t bytes[STORE_CALL_BYTES];
	MDB_val key = { sizeof(number), number }, data;
	int e;

	put_be64(number, t->state.calls - CATALOGUE_CALLS_MAX);
	e = store_err(mdb_get(t->txn, t->store->order, &key, &data));
	if (e)
		return e;
	if (data.mv_size != sizeof(bytes))
		return ERR_CORRUPT;
	memcpy(bytes, data.mv_data, sizeof(bytes));
	e = store_err(mdb_del(t->txn, t->store->order, &key, NULL));
	if (e)
		return e;
	key = (MDB_val){ sizeof(bytes), bytes };
	return store_err(mdb_del(t->txn, t->store->calls, &key, NULL));
}

int store_call_note(struct store_txn *t, struct hash128 call)
{
	uint8_t bytes[STORE_CALL_BYTES], number[8];
	MDB_val by_call = { sizeof(bytes), bytes };
	MDB_val by_number = { sizeof(number), number };
	int e;

	if (t->state.calls >= CATALOGUE_CALLS_MAX) {
		e = call_forget(t);
		if (e)
			return e;
	}
	call_key(bytes, call);
	put_be64(number, t->state.calls++);
	e = store_err(
		mdb_put(t->txn, t->store->calls, &by_call, &by_number, 0));
	return e ? e :
		   store_err(mdb_put(t->txn, t->store->order, &by_number,
				     &by_call, 0));
}

/* --- walking --------------------------------------------------------------------- */

static int walk(MDB_cursor *cursor, const struct scope *scope,
		enum catalogue_kind kind, struct sv after, store_each_fn *each,
		void *arg, uint64_t *damaged)
{
	struct key from, prefix;
	MDB_val key, data;
	int e;

	key_prefix(&prefix, scope, kind);
	key_make(&from, scope, kind, after);
	key = val_of(&from);
	for (e = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE); !e;
	     e = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)) {
		struct catalogue_item item;

		if (key.mv_size < prefix.len ||
		    memcmp(key.mv_data, prefix.bytes, prefix.len) != 0)
			break;
		if (item_read(key, data, &item)) {
			++*damaged;
			continue;
		}
		if (after.len && sv_eq(item.name, after))
			continue;
		if (!each(arg, &item))
			break;
	}
	return e == MDB_NOTFOUND ? 0 : store_err(e);
}

int store_walk(struct store_txn *t, const struct scope *scope,
	       enum catalogue_kind kind, struct sv after, store_each_fn *each,
	       void *arg, uint64_t *damaged)
{
	MDB_cursor *cursor;
	int e = store_err(mdb_cursor_open(t->txn, t->store->items, &cursor));

	if (e)
		return e;
	e = walk(cursor, scope, kind, after, each, arg, damaged);
	mdb_cursor_close(cursor);
	return e;
}

int store_scopes(struct store_txn *t, enum catalogue_kind kind,
		 catalogue_scope_fn *each, void *arg)
{
	MDB_cursor *cursor;
	MDB_val key, data;
	int e = store_err(mdb_cursor_open(t->txn, t->store->counts, &cursor));

	if (e)
		return e;
	for (e = mdb_cursor_get(cursor, &key, &data, MDB_FIRST); !e;
	     e = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)) {
		enum catalogue_kind its;
		struct scope scope;

		if (data.mv_size == 8 && get_le64(data.mv_data) &&
		    key_scope(key, &scope, &its) && its == kind)
			each(arg, &scope);
	}
	mdb_cursor_close(cursor);
	return e == MDB_NOTFOUND ? 0 : store_err(e);
}
