/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/protobuf.h"

#include <assert.h>

bool protobuf_varint_long(struct protobuf *r, uint64_t *out)
{
	const uint8_t *at = r->at;
	uint64_t v = 0;

	for (unsigned i = 0; i < PROTOBUF_VARINT_MAX && at < r->end; i++) {
		uint8_t c = *at++;

		v |= (uint64_t)(c & 0x7f) << 7 * i;
		if (c & 0x80)
			continue;
		r->at = at;
		*out = v;
		return true;
	}
	return false;
}

size_t protobuf_varint_write(uint8_t *to, uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

size_t protobuf_varint_size(uint64_t v)
{
	size_t n = 1;

	for (; v >= 0x80; v >>= 7)
		n++;
	return n;
}

void protobuf_varint_put(struct buf *out, uint64_t v)
{
	uint8_t bytes[PROTOBUF_VARINT_MAX];

	buf_add(out, bytes, protobuf_varint_write(bytes, v));
}

static void put_tag(struct buf *out, uint32_t number, enum protobuf_type type)
{
	assert(number && number <= PROTOBUF_NUMBER_MAX);
	protobuf_varint_put(out, (uint64_t)number << 3 | (uint64_t)type);
}

void protobuf_put_u64(struct buf *out, uint32_t number, uint64_t v)
{
	put_tag(out, number, PROTOBUF_VARINT);
	protobuf_varint_put(out, v);
}

void protobuf_put_fixed64(struct buf *out, uint32_t number, uint64_t v)
{
	uint8_t bytes[8];

	put_le64(bytes, v);
	put_tag(out, number, PROTOBUF_FIXED64);
	buf_add(out, bytes, sizeof(bytes));
}

void protobuf_put_fixed32(struct buf *out, uint32_t number, uint32_t v)
{
	uint8_t bytes[4];

	put_le32(bytes, v);
	put_tag(out, number, PROTOBUF_FIXED32);
	buf_add(out, bytes, sizeof(bytes));
}

void protobuf_put_bytes(struct buf *out, uint32_t number, struct sv bytes)
{
	put_tag(out, number, PROTOBUF_BYTES);
	protobuf_varint_put(out, bytes.len);
	buf_sv(out, bytes);
}

size_t protobuf_open(struct buf *out, uint32_t number)
{
	put_tag(out, number, PROTOBUF_BYTES);
	buf_char(out, 0); /* most messages are short: one byte of length */
	return out->len;
}

void protobuf_close(struct buf *out, size_t mark)
{
	uint8_t length[PROTOBUF_VARINT_MAX];
	size_t n, size;

	if (out->failed)
		return;
	assert(mark && mark <= out->len);
	size = out->len - mark;
	n = protobuf_varint_write(length, size);
	if (n > 1) {
		if (!buf_grow(out, n - 1))
			return;
		memmove(out->ptr + mark + n - 1, out->ptr + mark, size);
		out->len += n - 1;
		out->ptr[out->len] = '\0';
	}
	memcpy(out->ptr + mark - 1, length, n);
}
