/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/dot_write.h"

#include "core/codec/foreign.h"

void dot_put_text(struct buf *out, struct sv text)
{
	struct foreign c;

	while (foreign_next(&text, &c)) {
		if (c.code == '"' || c.code == '\\')
			buf_char(out, '\\');
		if (c.code == '&')
			buf_text(out, "&amp;");
		else if (c.code == '\n' || c.code == '\t' || c.code == '\r')
			buf_char(out, ' ');
		else if (foreign_acts(c.code))
			buf_text(out, "\xef\xbf\xbd");
		else
			buf_sv(out, c.bytes);
	}
}

void dot_put_string(struct buf *out, struct sv text)
{
	buf_char(out, '"');
	dot_put_text(out, text);
	buf_char(out, '"');
}
