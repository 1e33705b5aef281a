/* SPDX-License-Identifier: Apache-2.0 */
/* Private to core/auth/keys*.c: what a table is made of. */
#ifndef TALLY_CORE_AUTH_KEYS_TABLE_H
#define TALLY_CORE_AUTH_KEYS_TABLE_H

#include "core/auth/keys.h"
#include "core/auth/secret.h"
#include "core/base/arena.h"

struct keys_slot {
	uint64_t hash; /* of the id, seeded */
	const struct key *key;
	char id[SIGV4_KEY_ID_MAX]; /* padded with zeros, to compare all of it */
};

struct keys_table {
	struct secret_area area; /* the file's text, the decoy's secret */
	struct arena arena;      /* lists of regions */
	struct key *keys;        /* in the file's order */
	struct keys_slot *slots; /* by hash, each another */
	size_t count;
	uint64_t seed;
	struct key decoy;
	struct keys_slot no_slot; /* stands where there are no slots */
	uint64_t users;           /* under the lock of struct keys */
	bool retired;             /* likewise: replaced by another */
};

/* An area for a text of that many bytes and what we add. */
int keys_area(struct secret_area *area, size_t size,
	      struct diag *diag) MUST_USE;
/* Takes area, also on an error. The text is its first len bytes. */
int keys_parse_area(struct keys_table **out, struct secret_area *area,
		    size_t len, struct diag *diag) MUST_USE;

#endif
