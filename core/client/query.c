/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/query.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void client_escape(struct buf *out, struct sv text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (!is_unreserved(c)) {
			buf_char(out, '%');
			buf_char(out, digits[c >> 4]);
			c = (unsigned char)digits[c & 15];
		}
		buf_char(out, (char)c);
	}
}

void client_query(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_char(out, out->len && memchr(out->ptr, '?', out->len) ? '&' : '?');
	buf_text(out, name);
	buf_char(out, '=');
	client_escape(out, sv_from(value));
}

void client_query_number(struct buf *out, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	client_query(out, name, text);
}
