/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the catalogue asks of LMDB; the one file that includes lmdb.h is behind
 * it. Five tables in one file:
 *
 *   items   scope kind name -> head value
 *   counts  scope kind -> how many items
 *   calls   hash of a call -> its number; order: the other way round
 *   state   "state" -> position, bytes of all items, items, number of the
 *           next call
 *
 *   key     8        n       1  1     up to KEY_NAME_MAX
 *   | account big-endian | region | 0 | kind | name |
 *   of a longer name: its first KEY_NAME_HEAD bytes, and 16 of its hash.
 *
 *   item    0        2          4       8         16        24       32        40
 *   | format, 0 | name length | check | revision | version | created | modified | name value |
 *   check: over the key and all behind it, little-endian like all numbers here.
 *
 * Private to the catalogue.
 */
#ifndef TALLY_COLLECTOR_CATALOGUE_STORE_H
#define TALLY_COLLECTOR_CATALOGUE_STORE_H

#include "collector/catalogue/catalogue.h"
#include "core/base/hash.h"

enum {
	STORE_KEY_NAME_MAX = 256,
	STORE_KEY_NAME_HEAD = 240,
	STORE_KEY_MAX = 8 + REGION_MAX + 1 + STORE_KEY_NAME_MAX,
	STORE_ITEM_HEAD = 40,
};

struct store;

struct store_state {
	uint64_t position;
	uint64_t bytes, items;
	uint64_t calls; /* ever noted */
};

/* ERR_CORRUPT: it is no store, or damaged; ERR_VERSION. */
int store_open(struct store **out, const char *dir, struct diag *diag) MUST_USE;
void store_close(struct store *s);

struct store_txn;
/* One writer at a time. */
int store_begin(struct store *s, bool write, struct store_txn **out) MUST_USE;
void store_abort(struct store_txn *t); /* NULL: nothing */
/* Of a writer: durable when it returns 0. Frees t either way. */
int store_commit(struct store_txn *t) MUST_USE;

/* What is there, borrowed until t ends or writes. */
int store_get(struct store_txn *t, const struct scope *scope,
	      enum catalogue_kind kind, struct sv name,
	      struct catalogue_item *out) MUST_USE;
/* old: what store_get found; NULL: nothing. item->name and value are set. */
int store_put(struct store_txn *t, const struct scope *scope,
	      enum catalogue_kind kind, const struct catalogue_item *old,
	      const struct catalogue_item *item) MUST_USE;
/* Also what is damaged. ERR_NOT_FOUND. */
int store_delete(struct store_txn *t, const struct scope *scope,
		 enum catalogue_kind kind, struct sv name) MUST_USE;
int store_count(struct store_txn *t, const struct scope *scope,
		enum catalogue_kind kind, uint64_t *out) MUST_USE;
/* Whether a call was noted, of the last CATALOGUE_CALLS_MAX; noting one. */
int store_call_known(struct store_txn *t, struct hash128 call,
		     bool *out) MUST_USE;
int store_call_note(struct store_txn *t, struct hash128 call) MUST_USE;
/* As changed by this transaction. */
struct store_state store_state(const struct store_txn *t);
/* Sets the position that store_commit writes. */
void store_move(struct store_txn *t, uint64_t position);

/* Items of a kind, in order, from behind `after` on (empty: all); each gives
 * false to end it. *damaged counts what was left out. */
typedef bool store_each_fn(void *arg, const struct catalogue_item *item);
int store_walk(struct store_txn *t, const struct scope *scope,
	       enum catalogue_kind kind, struct sv after, store_each_fn *each,
	       void *arg, uint64_t *damaged) MUST_USE;
/* Scopes that have items of a kind, by the counts. */
int store_scopes(struct store_txn *t, enum catalogue_kind kind,
		 catalogue_scope_fn *each, void *arg) MUST_USE;

#endif
