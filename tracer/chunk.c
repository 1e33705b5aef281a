/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/chunk.h"

int chunk_encode(struct deflate *deflate, const struct shapes *shapes,
		 const struct columns_row *rows, size_t count, struct buf *out)
{
	struct buf raw = BUF_INIT;
	uint8_t n[4];
	int e;

	(void)shapes;
	for (size_t i = 0; i < count; i++) {
		buf_add(&raw, rows[i].trace_id, TRACE_ID_SIZE);
		put_le32(n, (uint32_t)rows[i].row.len);
		buf_add(&raw, n, 4);
		buf_sv(&raw, rows[i].row);
	}
	put_le32(n, (uint32_t)raw.len);
	buf_add(out, n, 4);
	e = raw.failed ? ERR_NOMEM : deflate_zlib(deflate, out, buf_view(&raw));
	buf_fini(&raw);
	return e;
}

int chunk_read(struct sv chunk, const struct shapes *shapes,
	       const uint8_t trace_id[TRACE_ID_SIZE], struct arena *arena,
	       struct chunk_rows *out)
{
	const uint8_t *p = (const uint8_t *)chunk.ptr;
	size_t len, at = 0, count = 0;
	uint8_t *raw;
	int e;

	(void)shapes;
	*out = (struct chunk_rows){ 0 };
	if (chunk.len < 4)
		return ERR_CORRUPT;
	len = get_le32(p);
	raw = arena_alloc(arena, len);
	if (!raw)
		return ERR_NOMEM;
	e = inflate_exact(raw, len, sv_make(chunk.ptr + 4, chunk.len - 4));
	if (e)
		return e;
	for (; at + 20 <= len; at += 20 + get_le32(raw + at + 16))
		count++;
	out->items = arena_array(arena, count, sizeof(*out->items));
	if (!out->items)
		return ERR_NOMEM;
	for (at = 0; at + 20 <= len; at += 20 + get_le32(raw + at + 16)) {
		if (get_le32(raw + at + 16) > len - at - 20)
			return ERR_CORRUPT;
		if (trace_id && memcmp(trace_id, raw + at, TRACE_ID_SIZE))
			continue;
		out->items[out->count].trace_id = raw + at;
		out->items[out->count++].row =
			sv_make((char *)raw + at + 20, get_le32(raw + at + 16));
	}
	return 0;
}

int chunk_unpack(const struct shapes *shapes, const struct columns_row *row,
		 struct buf *out, struct document *document)
{
	size_t from = out->len;
	int e = shape_unpack(shapes, row->row, row->trace_id, &document->format,
			     out);

	if (!e)
		document->bytes = sv_make(out->ptr + from, out->len - from);
	return e;
}
