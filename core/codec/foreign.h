/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text, character by character, for those that encode it (csv_write.h,
 * html_write.h, sql_write.h). Bytes that are not UTF-8 become U+FFFD here. */
#ifndef TALLY_CORE_CODEC_FOREIGN_H
#define TALLY_CORE_CODEC_FOREIGN_H

#include <stdbool.h>

#include "core/base/text.h"
#include "core/codec/utf8.h"

#define FOREIGN_INSTEAD SV("\xef\xbf\xbd") /* U+FFFD */

struct foreign {
	struct sv bytes; /* of the character, as they may be copied */
	uint32_t code;
};

/* Takes one off text. False: it is empty. */
static inline bool foreign_next(struct sv *text, struct foreign *c)
{
	const unsigned char *p = (const unsigned char *)text->ptr;
	size_t n;

	if (!text->len)
		return false;
	n = p[0] < 0x80 ? 1 : utf8_length(p, p + text->len);
	c->bytes = n ? sv_make(text->ptr, n) : FOREIGN_INSTEAD;
	c->code = !n ? 0xfffd : n == 1 ? p[0] : p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++)
		c->code = c->code << 6 | (p[i] & 0x3f);
	n += !n;
	*text = sv_make(text->ptr + n, text->len - n);
	return true;
}

/* Controls (C0, DEL, C1) that act on whoever prints them, and the embeddings,
 * overrides and isolates by which a text shows as another (UAX 9). */
static inline bool foreign_acts(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	       (code >= 0x202a && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

#endif
