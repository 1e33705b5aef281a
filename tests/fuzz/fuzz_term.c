/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes to the terminal: nothing that steers one comes out, what is
 * cut fits, and safe text is as wide as its source. */
#include <locale.h>

#include "core/term/term.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct buf *out, int columns)
{
	struct sv s = buf_view(out);

	if (!sv_is_utf8(s) || term_safe_width(s) > columns)
		__builtin_trap();
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] >= 0 && s.ptr[i] < 0x20) || s.ptr[i] == 0x7F ||
		    (s.ptr[i] == '\xC2' && s.ptr[i + 1] < '\xA0'))
			__builtin_trap();
	buf_reset(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = sv_make((const char *)data, size);
	struct buf out = BUF_INIT;
	int columns = size ? data[0] % 40 : 0;

	setlocale(LC_CTYPE, "C.UTF-8");
	term_safe(&out, text);
	check(&out, term_safe_width(text));
	if (term_safe_cut(&out, text, columns) > columns)
		__builtin_trap();
	check(&out, columns);
	term_money(&out, text);
	check(&out, term_safe_width(text) + 8);
	buf_fini(&out);
	return 0;
}
