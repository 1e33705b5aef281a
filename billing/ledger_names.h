/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: scopes, sources and functions get numbers, kept in one append-only
 * file, so that an entry holds three numbers instead of three texts. A record
 * of the file: magic, number, length, CRC (4 bytes each), the text, zeros up
 * to the next 16. A damaged record costs its own name only: the next one is
 * found by its alignment and magic.
 *
 * The caller locks. Texts stay where they are until close.
 */
#ifndef TALLY_BILLING_LEDGER_NAMES_H
#define TALLY_BILLING_LEDGER_NAMES_H

#include <stdint.h>

#include "core/base/text.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum name_kind { NAME_SCOPE = 's', NAME_SOURCE = 'o', NAME_RESOURCE = 'r' };
enum { NAME_BYTES_MAX = 1024 };
#define NAME_UNKNOWN UINT32_MAX

struct names;

/* Reads the first `bytes` of the file, makes it where it is missing, and cuts
 * off the rest. Of `count` names those that are lost get a text that says so.
 * *lost: how many. */
int names_open(struct names **out, const struct env *env, const char *dir,
	       uint64_t bytes, uint32_t count, uint32_t *lost) MUST_USE;
void names_close(struct names *n);

/* NAME_UNKNOWN where there is none. */
uint32_t names_find(const struct names *n, enum name_kind kind, struct sv text);
/* The number of the text, a new one where it is not known. ERR_NOMEM;
 * ERR_LIMIT: longer than NAME_BYTES_MAX, or past any use. */
int names_id(struct names *n, enum name_kind kind, struct sv text,
	     uint32_t *id) MUST_USE;
/* Without its kind; for a number that was never given, a text saying so. */
struct sv names_text(const struct names *n, uint32_t id);
/* 0: not a name of this kind. */
bool names_is(const struct names *n, uint32_t id, enum name_kind kind);
uint32_t names_count(const struct names *n);

/* "000000000000/us-east-1" and back. */
struct sv scope_name(char out[NAME_BYTES_MAX], const struct scope *scope);
bool scope_parse(struct scope *out, struct sv name) MUST_USE;

/* Writes what is new; sync makes it durable. The names stay what they are. */
int names_flush(struct names *n) MUST_USE;
int names_sync(struct names *n) MUST_USE;
uint64_t names_bytes(const struct names *n); /* of the file, with new ones */

#endif
