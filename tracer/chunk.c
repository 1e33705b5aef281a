/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/chunk.h"

int chunk_read(struct sv chunk, const struct shapes *shapes,
	       const uint8_t trace_id[TRACE_ID_SIZE], struct arena *arena,
	       struct chunk_rows *out)
{
	struct columns *c;
	size_t first = 0;
	int e = columns_open(&c, arena, shapes, chunk);

	*out = (struct chunk_rows){ 0 };
	if (e)
		return e;
	out->count = columns_rows(c);
	if (trace_id && !columns_find(c, trace_id, &first, &out->count))
		out->count = 0;
	return out->count ?
		       columns_read(c, first, out->count, arena, &out->items) :
		       0;
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
