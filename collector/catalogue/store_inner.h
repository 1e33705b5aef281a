/* SPDX-License-Identifier: Apache-2.0 */
/* The store's parts that are LMDB's. Private to store*.c, which alone include
 * lmdb.h. */
#ifndef TALLY_COLLECTOR_CATALOGUE_STORE_INNER_H
#define TALLY_COLLECTOR_CATALOGUE_STORE_INNER_H

#include <lmdb.h>

#include "collector/catalogue/store.h"

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

/* LMDB's and the system's errors as ours. */
int store_err(int e);
/* The check of what is stored under key, of which the first 8 bytes have it. */
uint32_t store_check(MDB_val key, const uint8_t *bytes, size_t len);

#endif
