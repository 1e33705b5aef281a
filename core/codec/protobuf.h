/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf's wire format, without a schema: a reader that walks over the
 * fields of one message and a writer that appends to a buf. A nested message
 * is a field whose bytes are read in turn, so whoever walks decides how deep,
 * and nothing here recurses or allocates.
 *
 *   message  = { tag value }             tag = varint(number << 3 | type)
 *   type 0 varint   1 eight bytes   2 varint length, bytes   5 four bytes
 *
 * Groups (types 3 and 4) were deprecated before proto3 and are refused: they
 * nest without a length and would need a stack to be skipped. Source:
 * protobuf.dev, "Encoding".
 */
#ifndef TALLY_CORE_CODEC_PROTOBUF_H
#define TALLY_CORE_CODEC_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum {
	PROTOBUF_VARINT_MAX = 10,            /* bytes */
	PROTOBUF_NUMBER_MAX = (1 << 29) - 1, /* of a field */
};

enum protobuf_type {
	PROTOBUF_VARINT = 0,
	PROTOBUF_FIXED64 = 1,
	PROTOBUF_BYTES = 2, /* bytes, string, message, packed */
	PROTOBUF_FIXED32 = 5,
};

/* A field as it stands on the wire, for a switch over both. */
#define PROTOBUF_TAG(number, type) ((unsigned)(number) << 3 | (unsigned)(type))

struct protobuf {
	const uint8_t *at, *end;
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_type type;
	uint64_t value;  /* of a number; of fixed32 the low half */
	struct sv bytes; /* of PROTOBUF_BYTES, borrowed; else empty */
};

static inline struct protobuf protobuf_reader(struct sv message)
{
	const uint8_t *at = (const uint8_t *)message.ptr;

	return (struct protobuf){ at, at ? at + message.len : at };
}

/* For protobuf_varint only. */
bool protobuf_varint_long(struct protobuf *r, uint64_t *out) MUST_USE;

/* Takes a varint; bits over 64 are dropped, as protobuf's own readers do.
 * False: cut off, or longer than PROTOBUF_VARINT_MAX. */
static inline bool protobuf_varint(struct protobuf *r, uint64_t *out)
{
	if (r->at < r->end && *r->at < 0x80) {
		*out = *r->at++;
		return true;
	}
	return protobuf_varint_long(r, out);
}

/* 1: *out is the next field; 0: the message ends here; ERR_SYNTAX: it is cut
 * off, has a group, or a field number of 0 or over PROTOBUF_NUMBER_MAX. Always
 * inlined: a call for each field is a third of what a span costs. */
__attribute__((always_inline)) static inline int
protobuf_next(struct protobuf *r, struct protobuf_field *out)
{
	uint64_t tag, n;

	if (r->at == r->end)
		return 0;
	if (!protobuf_varint(r, &tag) || tag < 8 || tag > UINT32_MAX)
		return ERR_SYNTAX;
	out->number = (uint32_t)(tag >> 3);
	out->type = (enum protobuf_type)(tag & 7);
	out->bytes = (struct sv){ "", 0 };
	switch (out->type) {
	case PROTOBUF_BYTES:
		if (!protobuf_varint(r, &n) || n > (size_t)(r->end - r->at))
			return ERR_SYNTAX;
		out->value = 0;
		out->bytes = (struct sv){ (const char *)r->at, (size_t)n };
		r->at += n;
		return 1;
	case PROTOBUF_VARINT:
		return protobuf_varint(r, &out->value) ? 1 : ERR_SYNTAX;
	case PROTOBUF_FIXED64:
		if (r->end - r->at < 8)
			return ERR_SYNTAX;
		out->value = get_le64(r->at);
		r->at += 8;
		return 1;
	case PROTOBUF_FIXED32:
		if (r->end - r->at < 4)
			return ERR_SYNTAX;
		out->value = get_le32(r->at);
		r->at += 4;
		return 1;
	}
	return ERR_SYNTAX;
}

/* value of a `double` field. */
static inline double protobuf_double(uint64_t value)
{
	double d;

	memcpy(&d, &value, sizeof(d));
	return d;
}

static inline uint64_t protobuf_bits(double d)
{
	uint64_t value;

	memcpy(&value, &d, sizeof(value));
	return value;
}

/* sint32, sint64. */
static inline int64_t protobuf_zigzag(uint64_t value)
{
	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* --- writing: what does not fit is remembered by out->failed ---------------- */

/* Writes at most PROTOBUF_VARINT_MAX bytes; returns how many. */
size_t protobuf_varint_write(uint8_t *to, uint64_t v);
size_t protobuf_varint_size(uint64_t v);
void protobuf_varint_put(struct buf *out, uint64_t v);
/* A field with its tag. */
void protobuf_put_u64(struct buf *out, uint32_t number, uint64_t v);
void protobuf_put_fixed64(struct buf *out, uint32_t number, uint64_t v);
void protobuf_put_fixed32(struct buf *out, uint32_t number, uint32_t v);
void protobuf_put_bytes(struct buf *out, uint32_t number, struct sv bytes);
/* A nested message is written between these; its length is put in at the end,
 * in as few bytes as it takes. The mark is open's, for close. */
size_t protobuf_open(struct buf *out, uint32_t number);
void protobuf_close(struct buf *out, size_t mark);

#endif
