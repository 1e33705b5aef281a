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

/* A tag of type, into to: its size. */
static size_t tag_write(uint8_t *to, uint32_t number, enum protobuf_type type)
{
	assert(number && number <= PROTOBUF_NUMBER_MAX);
	return protobuf_varint_write(to,
				     (uint64_t)number << 3 | (uint64_t)type);
}

/* head of n bytes, and then bytes: room is made once. */
static void put_two(struct buf *out, const uint8_t *head, size_t n,
		    struct sv bytes)
{
	char *to = buf_grow(out, n + bytes.len);

	if (!to)
		return;
	memcpy(to, head, n);
	if (bytes.len)
		memcpy(to + n, bytes.ptr, bytes.len);
	out->len += n + bytes.len;
	out->ptr[out->len] = '\0';
}

void protobuf_put_u64(struct buf *out, uint32_t number, uint64_t v)
{
	uint8_t head[2 * PROTOBUF_VARINT_MAX];
	size_t n = tag_write(head, number, PROTOBUF_VARINT);

	n += protobuf_varint_write(head + n, v);
	put_two(out, head, n, SV(""));
}

void protobuf_put_fixed64(struct buf *out, uint32_t number, uint64_t v)
{
	uint8_t head[PROTOBUF_VARINT_MAX + 8];
	size_t n = tag_write(head, number, PROTOBUF_FIXED64);

	put_le64(head + n, v);
	put_two(out, head, n + 8, SV(""));
}

void protobuf_put_fixed32(struct buf *out, uint32_t number, uint32_t v)
{
	uint8_t head[PROTOBUF_VARINT_MAX + 4];
	size_t n = tag_write(head, number, PROTOBUF_FIXED32);

	put_le32(head + n, v);
	put_two(out, head, n + 4, SV(""));
}

void protobuf_put_bytes(struct buf *out, uint32_t number, struct sv bytes)
{
	uint8_t head[2 * PROTOBUF_VARINT_MAX];
	size_t n = tag_write(head, number, PROTOBUF_BYTES);

	n += protobuf_varint_write(head + n, bytes.len);
	put_two(out, head, n, bytes);
}

size_t protobuf_open(struct buf *out, uint32_t number)
{
	uint8_t head[PROTOBUF_VARINT_MAX + 1];
	size_t n = tag_write(head, number, PROTOBUF_BYTES);

	head[n++] = 0; /* most messages are short: one byte of length */
	put_two(out, head, n, SV(""));
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
