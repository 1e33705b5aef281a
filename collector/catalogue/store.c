/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/catalogue/store.h"

#include <assert.h>
#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>

enum {
	STORE_MODE = 0640,
	STORE_TABLES = 5,
	STORE_CALL_BYTES = 16,
	STATE_BYTES = 40, /* format, check, position, bytes, items, calls */
};

struct store {
	MDB_env *env;
	MDB_dbi items, counts, calls, order, state;
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
	bool write;
	struct store_state state;
};

static int store_err(int e)
{
	switch (e) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case ENOSPC:
	case EDQUOT:
	case MDB_MAP_FULL:
		return ERR_FULL;
	case ENOMEM:
		return ERR_NOMEM;
	case MDB_READERS_FULL:
		return ERR_BUSY;
	case MDB_VERSION_MISMATCH:
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
	case MDB_BAD_VALSIZE:
	case MDB_INCOMPATIBLE:
		return ERR_CORRUPT;
	default:
		return ERR_IO;
	}
}

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

static uint32_t check_of(MDB_val key, const uint8_t *item, size_t len)
{
	struct sv k = sv_make(key.mv_data, key.mv_size);

	return (uint32_t)hash64_seed(sv_make((const char *)item + 8, len - 8),
				     hash64(k));
}

static int item_read(MDB_val key, MDB_val data, struct catalogue_item *out)
{
	const uint8_t *p = data.mv_data;
	size_t name_len;

	if (data.mv_size < STORE_ITEM_HEAD || p[0] != CATALOGUE_FORMAT ||
	    get_le32(p + 4) != check_of(key, p, data.mv_size))
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
	put_le32(p + 4, check_of(key, p, data.mv_size));
}

static uint64_t size_of(const struct catalogue_item *item)
{
	return STORE_ITEM_HEAD + item->name.len + item->value.len;
}

/* --- transactions ---------------------------------------------------------------- */

static MDB_val state_key(void)
{
	return (MDB_val){ 5, (void *)"state" };
}

static int state_read(struct store_txn *t)
{
	MDB_val key = state_key(), data;
	int e = mdb_get(t->txn, t->store->state, &key, &data);
	const uint8_t *p = data.mv_data;

	if (e == MDB_NOTFOUND)
		return 0; /* it is new */
	if (e)
		return store_err(e);
	if (data.mv_size < 8)
		return ERR_CORRUPT;
	if (get_le32(p) > CATALOGUE_FORMAT)
		return ERR_VERSION;
	if (data.mv_size != STATE_BYTES ||
	    get_le32(p + 4) != check_of(key, p, data.mv_size))
		return ERR_CORRUPT;
	t->state = (struct store_state){ get_le64(p + 8), get_le64(p + 16),
					 get_le64(p + 24), get_le64(p + 32) };
	return 0;
}

static int state_write(struct store_txn *t)
{
	MDB_val key = state_key(), data;
	uint8_t p[STATE_BYTES] = { 0 };

	put_le32(p, CATALOGUE_FORMAT);
	put_le64(p + 8, t->state.position);
	put_le64(p + 16, t->state.bytes);
	put_le64(p + 24, t->state.items);
	put_le64(p + 32, t->state.calls);
	put_le32(p + 4, check_of(key, p, sizeof(p)));
	data = (MDB_val){ sizeof(p), p };
	return mdb_put(t->txn, t->store->state, &key, &data, 0);
}

int store_begin(struct store *s, bool write, struct store_txn **out)
{
	struct store_txn *t = calloc(1, sizeof(*t));
	int e;

	if (!t)
		return ERR_NOMEM;
	t->store = s;
	t->write = write;
	e = store_err(
		mdb_txn_begin(s->env, NULL, write ? 0 : MDB_RDONLY, &t->txn));
	if (e) {
		free(t);
		return e;
	}
	e = state_read(t);
	if (e) {
		store_abort(t);
		return e;
	}
	*out = t;
	return 0;
}

void store_abort(struct store_txn *t)
{
	if (!t)
		return;
	mdb_txn_abort(t->txn);
	free(t);
}

int store_commit(struct store_txn *t)
{
	int e;

	assert(t->write);
	e = state_write(t);
	if (e) {
		store_abort(t);
		return store_err(e);
	}
	e = mdb_txn_commit(t->txn);
	free(t);
	return store_err(e);
}

struct store_state store_state(const struct store_txn *t)
{
	return t->state;
}

void store_move(struct store_txn *t, uint64_t position)
{
	assert(t->write);
	t->state.position = position;
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
		 enum catalogue_kind kind, const struct catalogue_item *old)
{
	uint64_t size = size_of(old);
	MDB_val key;
	struct key k;
	int e;

	key_make(&k, scope, kind, old->name);
	key = val_of(&k);
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

static int walk(struct store_txn *t, MDB_cursor *cursor,
		const struct scope *scope, enum catalogue_kind kind,
		struct sv after, store_each_fn *each, void *arg,
		uint64_t *damaged)
{
	struct key from = { .len = 0 }, prefix = { .len = 0 };
	MDB_val key, data;
	int e;

	(void)t;
	if (scope) {
		key_prefix(&prefix, scope, kind);
		key_make(&from, scope, kind, after);
	}
	key = val_of(&from);
	for (e = mdb_cursor_get(cursor, &key, &data,
				from.len ? MDB_SET_RANGE : MDB_FIRST);
	     !e; e = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)) {
		struct catalogue_item item;
		enum catalogue_kind its;
		struct scope of;

		if (key.mv_size < prefix.len ||
		    memcmp(key.mv_data, prefix.bytes, prefix.len) != 0)
			break; /* only where a scope is asked for */
		if (!key_scope(key, &of, &its) || item_read(key, data, &item)) {
			++*damaged;
			continue;
		}
		if (its != kind || (after.len && sv_eq(item.name, after)))
			continue;
		if (!each(arg, &of, &item))
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
	e = walk(t, cursor, scope, kind, after, each, arg, damaged);
	mdb_cursor_close(cursor);
	return e;
}

/* --- opening --------------------------------------------------------------------- */

static int open_tables(struct store *s)
{
	MDB_txn *txn;
	int e = mdb_txn_begin(s->env, NULL, 0, &txn);

	if (e)
		return e;
	e = mdb_dbi_open(txn, "items", MDB_CREATE, &s->items);
	if (!e)
		e = mdb_dbi_open(txn, "counts", MDB_CREATE, &s->counts);
	if (!e)
		e = mdb_dbi_open(txn, "calls", MDB_CREATE, &s->calls);
	if (!e)
		e = mdb_dbi_open(txn, "order", MDB_CREATE, &s->order);
	if (!e)
		e = mdb_dbi_open(txn, "state", MDB_CREATE, &s->state);
	if (e) {
		mdb_txn_abort(txn);
		return e;
	}
	return mdb_txn_commit(txn);
}

static int check_state(struct store *s)
{
	struct store_txn *t;
	int e = store_begin(s, false, &t);

	if (!e)
		store_abort(t);
	return e;
}

int store_open(struct store **out, const char *dir, struct diag *diag)
{
	struct store *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	e = mdb_env_create(&s->env);
	if (!e)
		e = mdb_env_set_mapsize(s->env, CATALOGUE_MAP_BYTES);
	if (!e)
		e = mdb_env_set_maxdbs(s->env, STORE_TABLES);
	if (!e)
		e = mdb_env_set_maxreaders(s->env, CATALOGUE_READERS_MAX);
	/* Readers are of any thread, and a thread may be gone. */
	if (!e)
		e = mdb_env_open(s->env, dir, MDB_NOTLS, STORE_MODE);
	if (!e)
		e = open_tables(s);
	if (e)
		e = diag_set(diag, store_err(e), "%s: %s", dir,
			     mdb_strerror(e));
	else
		e = check_state(s);
	if (e) {
		if (e == ERR_VERSION)
			diag_set(diag, e, "%s is from a newer release", dir);
		store_close(s);
		return e;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->env)
		mdb_env_close(s->env);
	free(s);
}
