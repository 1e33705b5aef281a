/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "core/codec/cbor.h"
#include "core/codec/time_text.h"
#include "core/codec/utf8.h"

/* The shortest head (RFC 8949, 4.2.1). */
static void put_head(struct cbor_writer *w, enum cbor_type major, uint64_t v)
{
	unsigned char bytes[9];
	uint8_t info = v < 24          ? (uint8_t)v :
		       v <= UINT8_MAX  ? 24 :
		       v <= UINT16_MAX ? 25 :
		       v <= UINT32_MAX ? 26 :
					 27;
	size_t n = info < 24 ? 0 : (size_t)1 << (info - 24);

	bytes[0] = (unsigned char)((unsigned)major << 5 | info);
	for (size_t i = n; i > 0; i--, v >>= 8)
		bytes[i] = (unsigned char)v;
	buf_add(w->out, bytes, n + 1);
}

/* Before an item: the container it is in takes one less. */
static void before(struct cbor_writer *w)
{
	if (w->after_tag) {
		w->after_tag = false;
		return;
	}
	if (w->depth) {
		assert(w->left[w->depth] > 0);
		w->left[w->depth]--;
	} else {
		assert(!w->started); /* one item, not two */
		w->started = true;
	}
}

/* Behind an item: what it has filled is closed. */
static void after(struct cbor_writer *w)
{
	while (w->depth && w->left[w->depth] == 0)
		w->depth--;
}

static void put_container(struct cbor_writer *w, enum cbor_type major,
			  uint32_t size, uint64_t items)
{
	before(w);
	assert(w->depth < CBOR_DEPTH_MAX);
	put_head(w, major, size);
	w->left[++w->depth] = items;
	after(w);
}

void cbor_put_map(struct cbor_writer *w, uint32_t pairs)
{
	put_container(w, CBOR_MAP, pairs, (uint64_t)pairs * 2);
}

void cbor_put_array(struct cbor_writer *w, uint32_t items)
{
	put_container(w, CBOR_ARRAY, items, items);
}

void cbor_put_tag(struct cbor_writer *w, uint64_t tag)
{
	before(w);
	put_head(w, CBOR_TAG, tag);
	w->after_tag = true;
}

void cbor_put_text(struct cbor_writer *w, const char *text)
{
	cbor_put_sv(w, sv_from(text));
}

/* Text that is not UTF-8: each byte that starts no character is three. With
 * out NULL, only counts. */
static size_t put_mended(struct buf *out, struct sv text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	const unsigned char *end = p + text.len;
	size_t total = 0;

	while (p < end) {
		size_t n = *p < 0x80 ? 1 : utf8_length(p, end);

		if (out && n)
			buf_add(out, p, n);
		else if (out)
			buf_text(out, "\xef\xbf\xbd"); /* U+FFFD */
		total += n ? n : 3;
		p += n ? n : 1;
	}
	return total;
}

void cbor_put_sv(struct cbor_writer *w, struct sv text)
{
	before(w);
	if (sv_is_utf8(text)) {
		put_head(w, CBOR_TEXT, text.len);
		buf_sv(w->out, text);
	} else {
		put_head(w, CBOR_TEXT, put_mended(NULL, text));
		put_mended(w->out, text);
	}
	after(w);
}

void cbor_put_bytes(struct cbor_writer *w, struct sv bytes)
{
	before(w);
	put_head(w, CBOR_BYTES, bytes.len);
	buf_sv(w->out, bytes);
	after(w);
}

void cbor_put_u64(struct cbor_writer *w, uint64_t v)
{
	before(w);
	put_head(w, CBOR_UINT, v);
	after(w);
}

void cbor_put_i64(struct cbor_writer *w, int64_t v)
{
	before(w);
	if (v < 0)
		put_head(w, CBOR_NEGATIVE, (uint64_t)(-1 - v));
	else
		put_head(w, CBOR_UINT, (uint64_t)v);
	after(w);
}

static void put_byte(struct cbor_writer *w, unsigned char c)
{
	before(w);
	buf_char(w->out, (char)c);
	after(w);
}

void cbor_put_double(struct cbor_writer *w, double v)
{
	unsigned char bytes[9] = { 0xfb };
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_be64(bytes + 1, bits);
	before(w);
	buf_add(w->out, bytes, sizeof(bytes));
	after(w);
}

void cbor_put_bool(struct cbor_writer *w, bool v)
{
	put_byte(w, v ? 0xf5 : 0xf4);
}

void cbor_put_null(struct cbor_writer *w)
{
	put_byte(w, 0xf6);
}

void cbor_put_seconds(struct cbor_writer *w, int64_t ns)
{
	cbor_put_tag(w, 1);
	cbor_put_double(w, time_to_double(ns));
}

bool cbor_is_complete(const struct cbor_writer *w)
{
	return w->started && !w->depth && !w->after_tag;
}
