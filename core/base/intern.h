/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intern: each distinct text gets a small number, once, at the border; after
 * that no text is compared on the hot path. Ids count from 0 without gaps and
 * are never taken back. Bounded in ids and in bytes, because names come from
 * strangers. Not for two threads at once.
 */
#ifndef TALLY_CORE_BASE_INTERN_H
#define TALLY_CORE_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum {
	INTERN_IDS_MAX = 1 << 20,    /* default */
	INTERN_BYTES_MAX = 64 << 20, /* default, of text */
};
#define INTERN_NONE UINT32_MAX

struct intern;

/* 0 means the default limit. */
int intern_new(struct intern **out, uint32_t ids_max,
	       size_t bytes_max) MUST_USE;
void intern_free(struct intern *in);

/* The id of text, a new one where it is not known yet. ERR_LIMIT (counted),
 * ERR_NOMEM. */
int intern_id(struct intern *in, struct sv text, uint32_t *id) MUST_USE;
/* INTERN_NONE: not known. */
uint32_t intern_find(const struct intern *in, struct sv text);
/* NUL-terminated; valid as long as in. id is one that was given (assert). */
struct sv intern_text(const struct intern *in, uint32_t id);
uint32_t intern_count(const struct intern *in);
uint64_t intern_refused(const struct intern *in); /* ERR_LIMIT answers */

#endif
