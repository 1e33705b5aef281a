/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CBOR (RFC 8949) as Smithy RPC v2 uses it: a strict reader of one item into a
 * flat tape of 16-byte nodes in document order, in the manner of json.h, and a
 * writer.
 *
 * The reader walks the bytes twice. The first walk checks everything (lengths
 * against what is left, depth, UTF-8 of each piece of text, that nothing
 * follows the item) and counts; only then is the tape allocated, at exactly
 * the size it needs, and filled. So a head that claims 2^60 members costs
 * nothing. Definite and indefinite lengths, all widths of integers and floats,
 * any tag, any simple value are taken; a length or number that could be
 * shorter is too (preferred serialisation is the sender's choice, 4.1). Keys
 * of maps may be anything; cbor_get finds those that are text, the first of
 * equal ones.
 *
 * Memory: 16 bytes for each item, at most CBOR_ITEMS_MAX of them; text and
 * bytes stay in the input. Only a string in several pieces is copied, when
 * asked for.
 */
#ifndef TALLY_CORE_CODEC_CBOR_H
#define TALLY_CORE_CODEC_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"

enum {
	CBOR_DEPTH_MAX = 64, /* arrays, maps and tags in each other */
	CBOR_ITEMS_MAX = 1 << 22,
	CBOR_BYTES_MAX = 64 << 20,
};

/* The first eight have the number of their major type. */
enum cbor_type {
	CBOR_UINT,
	CBOR_NEGATIVE, /* -1 - n */
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_ARRAY,
	CBOR_MAP,
	CBOR_TAG,    /* has one child: what is tagged */
	CBOR_SIMPLE, /* one that has no meaning here */
	CBOR_FLOAT,
	CBOR_FALSE,
	CBOR_TRUE,
	CBOR_NULL,
	CBOR_UNDEFINED,
};

struct cbor_node {
	uint32_t at;    /* offset in the input: of the head, but of a string in
			* one piece, of its bytes */
	uint32_t len;   /* bytes of a string, all pieces together; items of a
			* container, key and value are two; else 0 */
	uint32_t next;  /* index of the node behind this item and all in it */
	uint8_t type;   /* enum cbor_type */
	uint8_t pieces; /* a string of indefinite length */
	uint8_t pad[2];
};

struct cbor_doc {
	struct sv bytes;
	const struct cbor_node *nodes; /* nodes[0] is the root */
	uint32_t count;
};

/* An item: a document and an index in it. doc NULL means "no such item", and
 * every function below takes that and answers as for null. */
struct cbor {
	const struct cbor_doc *doc;
	uint32_t index;
};

/* 0, ERR_SYNTAX (diag has the offset and what was expected), ERR_LIMIT, or
 * ERR_NOMEM. The nodes are in the arena; bytes must outlive the doc. */
int cbor_parse(struct cbor_doc *doc, struct arena *arena, struct sv bytes,
	       struct diag *diag) MUST_USE;

static inline struct cbor cbor_root(const struct cbor_doc *doc)
{
	return (struct cbor){ doc, 0 };
}

static inline bool cbor_is(struct cbor v, enum cbor_type type)
{
	return v.doc && v.doc->nodes[v.index].type == (uint8_t)type;
}

/* The value of a map whose key is this text. */
struct cbor cbor_get(struct cbor map, struct sv key);
/* Walking: `for (it = cbor_first(v); it.doc; it = cbor_next(v, it))`. In a map
 * it is the key and cbor_member its value; in a tag, what is tagged. */
struct cbor cbor_first(struct cbor container);
struct cbor cbor_next(struct cbor container, struct cbor it);
struct cbor cbor_member(struct cbor key);
/* Text or bytes (in arena where they came in pieces); ptr NULL: v is not that,
 * or memory is used up. */
struct sv cbor_text(struct cbor v, struct arena *arena);
struct sv cbor_bytes(struct cbor v, struct arena *arena);
bool cbor_text_is(struct cbor v, struct sv text);
/* False if v is not a number, or is not a whole one that fits. */
bool cbor_to_i64(struct cbor v, int64_t *out) MUST_USE;
/* Of any integer (the nearest double) and any float, NaN and Inf too. */
bool cbor_to_double(struct cbor v, double *out) MUST_USE;
bool cbor_to_bool(struct cbor v, bool *out) MUST_USE;
/* Tag 1: epoch seconds, integer or float, in nanoseconds (time_from_double). */
bool cbor_to_ns(struct cbor v, int64_t *out) MUST_USE;
bool cbor_to_tag(struct cbor v, uint64_t *out) MUST_USE;

/*
 * The writer appends to a struct buf. Lengths are definite, so a container is
 * opened with its size and closes itself behind its last item; what does not
 * fit together is our bug (assert). Doubles are written as float64. Bytes in
 * text that are not UTF-8 become U+FFFD, so that an answer is always read.
 */
struct cbor_writer {
	struct buf *out;
	uint8_t depth;
	bool started, after_tag;
	uint64_t left[CBOR_DEPTH_MAX + 1]; /* items a container still takes */
};

static inline struct cbor_writer cbor_writer(struct buf *out)
{
	return (struct cbor_writer){ .out = out };
}

void cbor_put_map(struct cbor_writer *w, uint32_t pairs);
void cbor_put_array(struct cbor_writer *w, uint32_t items);
void cbor_put_tag(struct cbor_writer *w, uint64_t tag); /* of what follows */
void cbor_put_text(struct cbor_writer *w, const char *text);
void cbor_put_sv(struct cbor_writer *w, struct sv text);
void cbor_put_bytes(struct cbor_writer *w, struct sv bytes);
void cbor_put_u64(struct cbor_writer *w, uint64_t v);
void cbor_put_i64(struct cbor_writer *w, int64_t v);
void cbor_put_double(struct cbor_writer *w, double v);
void cbor_put_bool(struct cbor_writer *w, bool v);
void cbor_put_null(struct cbor_writer *w);
/* Tag 1 and a float64, as AWS answers. */
void cbor_put_seconds(struct cbor_writer *w, int64_t ns);
/* One item was written, and nothing of it is open. */
bool cbor_is_complete(const struct cbor_writer *w);

#endif
