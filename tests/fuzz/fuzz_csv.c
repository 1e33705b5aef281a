/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as cells of a table: a reader of CSV gets each back, and none is a
 * formula. The first byte says where the text is cut in two. */
#include "core/codec/csv_write.h"
#include "tests/unit/core/encoded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct sv *rest, struct sv text, bool at_end)
{
	struct buf cell = BUF_INIT, want = BUF_INIT;
	bool last;

	assert(csv_read(rest, &cell, &last) && last == at_end);
	assert(!csv_is_formula(buf_view(&cell)));
	encoded_clean(&want, text, false);
	assert(sv_eq(csv_undo(buf_view(&cell)), buf_view(&want)));
	buf_fini(&cell);
	buf_fini(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT;
	struct csv_writer w = csv_writer(&out);
	struct sv all = sv_make((const char *)data, size), rest;
	size_t cut = size ? data[0] % size : 0;
	struct sv tail = sv_make(all.ptr + cut, size - cut);

	csv_put_sv(&w, sv_make(all.ptr, cut));
	csv_put_sv(&w, tail);
	csv_end_row(&w);
	csv_put_number(&w, all); /* read back as number or text */
	csv_end_row(&w);
	rest = buf_view(&out);
	check(&rest, sv_make(all.ptr, cut), false);
	check(&rest, tail, true);
	if (sv_starts(rest, SV("-")))
		assert(strspn(rest.ptr, "-+.eE0123456789") == rest.len - 2);
	else
		check(&rest, all, true);
	buf_fini(&out);
	return 0;
}
