/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access keys: who may ask, for which account, where, and how fast. They come
 * from a file in the format of AWS's credentials file, with names of our own
 * besides:
 *
 *   [checkout]
 *   aws_access_key_id = AKID...          8 to 128 of A-Z a-z 0-9 _ - .
 *   aws_secret_access_key = ...          16 to 128 visible characters
 *   role = ingest                        ingest, read or admin
 *   account = 123456789012
 *   regions = us-east-1, eu-west-1       a list, or * (the default)
 *   rate = 1000                          requests a second; 0: no limit
 *   expires = 20270101T000000Z           the default is never
 *
 * A file is taken whole or not at all; an error names its line. Reading it
 * again replaces all keys in one step, and who is in the middle of a request
 * keeps what he borrowed.
 *
 * Secrets, and the bytes of the file while it is read, are in one area of
 * locked memory that stays out of core dumps and is wiped (core/auth/secret.h).
 * Looking up takes the same steps for a key that is not there: a decoy with a
 * random secret is compared and given instead.
 */
#ifndef TALLY_CORE_AUTH_KEYS_H
#define TALLY_CORE_AUTH_KEYS_H

#include "core/auth/sigv4.h"

enum {
	KEYS_MAX = 4096,
	KEYS_FILE_MAX = 1 << 20, /* bytes */
	KEYS_LINE_MAX = 1024,
	KEY_NAME_MAX = 64,
	KEY_REGION_MAX = 23, /* as struct scope has room for */
	KEY_ID_MIN = 8,
	KEY_SECRET_MIN = 16,
	KEY_REGIONS_MAX = 32,   /* of one key */
	KEY_RATE_MAX = 1000000, /* requests a second */
};

enum key_role { KEY_INGEST, KEY_READ, KEY_ADMIN };

struct key {
	struct sv name; /* of its section; "" for the decoy */
	struct sv id;
	struct sv secret;
	enum key_role role;
	uint64_t account;
	const struct sv *regions;
	size_t region_count; /* 0: all */
	uint64_t rate;       /* 0: no limit */
	int64_t expires_s;   /* 0: never */
	bool known;          /* false: the decoy */
};

struct keys_table; /* one state of the file; immutable */

/* Parses text, which stays the caller's. ERR_SYNTAX, ERR_LIMIT, ERR_INVALID,
 * ERR_EXISTS (diag has the line, never a secret), ERR_NOMEM, ERR_IO. */
int keys_parse(struct keys_table **out, struct sv text,
	       struct diag *diag) MUST_USE;
void keys_table_free(struct keys_table *t);
/* Never NULL: the decoy where there is none. Valid as long as the table. */
const struct key *keys_find(const struct keys_table *t, struct sv id);
size_t keys_count(const struct keys_table *t);
/* In the order of the file; i < keys_count (assert). */
const struct key *keys_at(const struct keys_table *t, size_t i);
/* Secrets are in memory that is never swapped out. */
bool keys_locked(const struct keys_table *t);

bool key_in_region(const struct key *k, struct sv region);
bool key_expired(const struct key *k, int64_t now_s);
const char *key_role_name(enum key_role role);

/* --- a file that may change --------------------------------------------------- */

struct keys;

/* Reads path, a regular file. ERR_INVALID also where others than owner and
 * group may read or write it. ERR_NOT_FOUND, ERR_IO. */
int keys_open(struct keys **out, const char *path, struct diag *diag) MUST_USE;
/* Nobody may hold a table. */
void keys_close(struct keys *k);
/* Reads the file again. On an error the old keys stay. */
int keys_reload(struct keys *k, struct diag *diag) MUST_USE;
/* The keys of now, for one request; give them back. Any thread. */
const struct keys_table *keys_borrow(struct keys *k);
void keys_return(struct keys *k, const struct keys_table *t);

#endif
