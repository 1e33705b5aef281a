/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk of columns: two bytes of the head's length, the head before it is
 * compressed, the tail. Its dictionary is that of the benchmark's spans. */
#include <stdlib.h>

#include "tests/sim/documents.h"
#include "tracer/shape/columns_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct shapes *s;
	struct arena arena = { .limit = 64 << 20 };
	struct buf chunk = { 0 }, out = { .limit = 8 << 20 };
	enum document_format format;
	struct columns_row *rows;
	struct columns *c;
	size_t head;

	s = s ? s : documents_shapes();
	if (size < 2)
		return 0;
	head = (size_t)data[0] | (size_t)data[1] << 8;
	head = head < size - 2 ? head : size - 2;
	if (columns_frame(NULL, sv_make((const char *)data + 2, head),
			  sv_make((const char *)data + 2 + head,
				  size - 2 - head),
			  &chunk) == 0 &&
	    columns_open(&c, &arena, s, buf_view(&chunk)) == 0 &&
	    columns_read(c, 0, columns_rows(c), &arena, &rows) == 0)
		for (size_t i = 0; i < columns_rows(c); i++) {
			buf_reset(&out);
			if (shape_unpack(s, rows[i].row, rows[i].trace_id,
					 &format, &out))
				break;
		}
	buf_fini(&chunk);
	buf_fini(&out);
	arena_fini(&arena);
	return 0;
}
