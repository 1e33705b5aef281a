/* SPDX-License-Identifier: Apache-2.0 */
/*
 * application/x-www-form-urlencoded as AWS's Query protocol uses it: names are
 * paths (`MetricData.member.1.Value=42`), so what is read is a tree. The pairs
 * are sorted by path, numbers by value; neighbours then share their beginning,
 * and the tree is written in one pass as a flat array in document order, like
 * the tapes of JSON and CBOR. Sorting also makes repeated names meet.
 *
 * Strict: `%` needs two hex digits, text must be UTF-8 once decoded, spaces and
 * controls must be encoded, a name may neither repeat nor be both a value and a
 * beginning, no part of a name is empty, and what stands below `member` or
 * `entry` is numbered 1, 2, 3 ... without a gap. `+` is a space, `a` is `a=`,
 * and empty pairs (`&&`) are nothing.
 *
 * Memory: 40 bytes for a pair, 40 for a node, and the text decoded, within the
 * limits below and the arena's.
 */
#ifndef TALLY_CORE_CODEC_FORM_H
#define TALLY_CORE_CODEC_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"

enum {
	FORM_BYTES_MAX = 8 << 20,
	FORM_PAIRS_MAX = 1 << 17,
	FORM_NODES_MAX = 1 << 19,
	FORM_DEPTH_MAX = 32,    /* parts of a name */
	FORM_INDEX_MAX = 50000, /* below `member` and `entry` */
};

struct form_node {
	struct sv name;  /* the last part of the path, decoded */
	struct sv value; /* ptr NULL: it has children instead */
	uint32_t next;   /* index of the node behind this and all below it */
	uint32_t count;  /* of children */
};

struct form_doc {
	const struct form_node *nodes; /* nodes[0] is the root */
	uint32_t count;
};

/* A node; doc NULL means "no such node", which every function takes. */
struct form {
	const struct form_doc *doc;
	uint32_t index;
};

/* 0, ERR_SYNTAX, ERR_LIMIT, ERR_INVALID (names that do not go together), or
 * ERR_NOMEM; diag says which pair. All is in the arena; text is not kept. */
int form_parse(struct form_doc *doc, struct arena *arena, struct sv text,
	       struct diag *diag) MUST_USE;

static inline struct form form_root(const struct form_doc *doc)
{
	return (struct form){ doc, 0 };
}

struct form form_get(struct form v, struct sv name);
/* The node at a path such as "Dimensions.member.1.Name". */
struct form form_at(struct form v, struct sv path);
/* Children in order: `for (it = form_first(v); it.doc; it = form_next(v, it))` */
struct form form_first(struct form v);
struct form form_next(struct form v, struct form it);
uint32_t form_count(struct form v);
struct sv form_name(struct form v);
/* ptr NULL: there is no such node or it has children. */
struct sv form_value(struct form v);
/* Whole text in decimal. */
bool form_to_i64(struct form v, int64_t *out) MUST_USE;
/* JSON's grammar of numbers, and NaN, Infinity, -Infinity as AWS has them;
 * false too where a number overflows. */
bool form_to_double(struct form v, double *out) MUST_USE;
bool form_to_bool(struct form v, bool *out) MUST_USE;  /* true, false */
bool form_to_ns(struct form v, int64_t *out) MUST_USE; /* time_from_text */

#endif
