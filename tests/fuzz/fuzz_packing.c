/* SPDX-License-Identifier: Apache-2.0 */
/* Documents there and back, four times into the same dictionary. The first
 * byte says of which format they are; a byte 0xff parts them. */
#include <stdlib.h>

#include "tracer/shape/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(struct shapes *s, const struct document *d)
{
	static const uint8_t id[] = "0123456789abcdef";
	struct arena arena = { .limit = 64 << 20 };
	struct buf row = { 0 }, out = { 0 };
	enum document_format format;

	if (!shape_pack_document(s, d, id, &arena, &row) ||
	    shape_unpack(s, buf_view(&row), id, &format, &out) ||
	    format != d->format || !sv_eq(buf_view(&out), d->bytes))
		abort();
	buf_fini(&row);
	buf_fini(&out);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document d = { size ? data[0] % 2 : 0, SV("") };
	struct shapes *s;

	if (!size || shapes_new(&s, 1 << 16))
		return 0;
	for (int round = 0; round < 4; round++)
		for (struct sv rest = { (const char *)data + 1, size - 1 };
		     rest.len;) {
			d.bytes = sv_cut(&rest, '\xff');
			there_and_back(s, &d);
		}
	shapes_free(s);
	return 0;
}
