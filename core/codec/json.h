/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON tape: one pass over the bytes writes a flat array of 16-byte nodes, in
 * document order; a container knows where it ends, so skipping is one step and
 * nothing is allocated per value. Strict RFC 8259: valid UTF-8, depth at most
 * JSON_DEPTH_MAX, no loose commas, no leading zeros, exactly one value, and
 * duplicate keys are kept (json_get finds the first). Numbers stay as text
 * until asked for, so nothing is rounded behind a caller's back. Strings stay
 * as they are in the input; json_string unescapes into an arena only where
 * there is an escape. Half a surrogate pair in \u escapes is legal by the
 * grammar and JSON.stringify writes it: it is accepted, and read as U+FFFD.
 *
 * Memory: 16 bytes for each `,` `:` `[` `{` in the text, at once, and nothing
 * more; the arena's limit bounds it.
 */
#ifndef TALLY_CORE_CODEC_JSON_H
#define TALLY_CORE_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"

enum { JSON_DEPTH_MAX = 64, JSON_BYTES_MAX = 256 << 20 };

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_node {
	uint32_t at;     /* offset in the text: of a string, behind its quote */
	uint32_t len;    /* bytes of text: a string without its quotes, a
			* container with its brackets */
	uint32_t next;   /* index of the node behind this value and all in it */
	uint8_t type;    /* enum json_type */
	uint8_t escaped; /* a string with a backslash in it */
	uint8_t pad[2];
};

struct json_doc {
	struct sv text;
	const struct json_node *nodes; /* nodes[0] is the root */
	uint32_t count;
};

/* A value: a document and an index in it. doc NULL means "no such value", and
 * every function below takes that and answers as for null. */
struct json {
	const struct json_doc *doc;
	uint32_t index;
};

/* 0, ERR_SYNTAX (diag has the offset and what was expected), ERR_LIMIT, or
 * ERR_NOMEM. The nodes are in the arena; text must outlive the doc. */
int json_parse(struct json_doc *doc, struct arena *arena, struct sv text,
	       struct diag *diag) MUST_USE;

static inline struct json json_root(const struct json_doc *doc)
{
	return (struct json){ doc, 0 };
}

static inline bool json_is(struct json v, enum json_type type)
{
	return v.doc && v.doc->nodes[v.index].type == (uint8_t)type;
}

/* The member of an object whose key, unescaped, is key. */
struct json json_get(struct json object, struct sv key);
/* Walking: `for (it = json_first(v); it.doc; it = json_next(v, it))`. In an
 * object it is the key's node and json_member the value's. */
struct json json_first(struct json container);
struct json json_next(struct json container, struct json it);
struct json json_member(struct json key);
/* The bytes of the value as they are in the input, quotes included. */
struct sv json_raw(struct json v);
/* A string's text, unescaped (in arena where needed); ptr NULL if v is not a
 * string or memory is used up. A \u0000 gives a NUL byte. */
struct sv json_string(struct json v, struct arena *arena);
bool json_string_is(struct json v, struct sv text);
/* False if v is not a number, or does not fit exactly. */
bool json_to_i64(struct json v, int64_t *out) MUST_USE;
/* Nearest double; false if v is not a number or it overflows. */
bool json_to_double(struct json v, double *out) MUST_USE;
/* A number of seconds as nanoseconds, exactly (digits past the ninth are cut;
 * an exponent is honoured). False: not a number, or outside +-292 years. */
bool json_to_ns(struct json v, int64_t *out) MUST_USE;

#endif
