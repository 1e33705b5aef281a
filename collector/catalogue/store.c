/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/catalogue/store_inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	STORE_MODE = 0640,
	STORE_TABLES = 5,

	STATE_BYTES = 40, /* format, check, position, bytes, items, calls */
};

int store_err(int e)
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
	case MDB_BAD_VALSIZE:
	case MDB_INCOMPATIBLE:
		return ERR_CORRUPT;
	default: /* MDB_PANIC too: a write failed; standing still loses none */
		return ERR_IO;
	}
}

uint32_t store_check(MDB_val key, const uint8_t *item, size_t len)
{
	struct sv k = sv_make(key.mv_data, key.mv_size);

	return (uint32_t)hash64_seed(sv_make((const char *)item + 8, len - 8),
				     hash64(k));
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
	    get_le32(p + 4) != store_check(key, p, data.mv_size))
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
	put_le32(p + 4, store_check(key, p, sizeof(p)));
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
