/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling rules' patterns: a pattern, a newline, a text. What matches still
 * does with a * before and behind it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tracer/sampling.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = { (const char *)data, size };
	struct sv pattern = sv_cut(&text, '\n');
	struct buf wider = BUF_INIT;

	if (!text.ptr || size > 1024)
		return 0;
	buf_char(&wider, '*');
	buf_sv(&wider, pattern);
	buf_char(&wider, '*');
	if (sampling_pattern_matches(pattern, text) &&
	    !sampling_pattern_matches(buf_view(&wider), text))
		__builtin_trap();
	buf_fini(&wider);
	return 0;
}
