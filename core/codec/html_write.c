/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/html_write.h"

#include <assert.h>
#include <strings.h>

#include "core/codec/foreign.h"

static const char *reference(uint32_t code, bool attribute)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '`':
		return "&#96;";
	case '\t':
		return attribute ? "&#9;" : "\t";
	case '\n':
		return attribute ? "&#10;" : "\n";
	case '\r': /* a parser makes a bare one a line feed */
		return "&#13;";
	default:
		return foreign_acts(code) ? "\xef\xbf\xbd" : NULL;
	}
}

static void escape(struct buf *out, struct sv text, bool attribute)
{
	struct foreign c;

	while (foreign_next(&text, &c)) {
		const char *other = reference(c.code, attribute);

		if (other)
			buf_text(out, other);
		else
			buf_sv(out, c.bytes);
	}
}

void html_put_sv(struct buf *out, struct sv text)
{
	escape(out, text, false);
}

static bool is_plain_name(const char *name)
{
	static const char *const others[] = {
		"style",  "href",       "src",    "srcdoc", "srcset",
		"action", "formaction", "poster", "data",   "ping",
	};

	for (const char *p = name; *p; p++)
		if ((*p < 'a' || *p > 'z') && *p != '-')
			return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(name, others[i]))
			return false;
	return name[0] && strncmp(name, "on", 2) != 0;
}

static void put_attribute(struct buf *out, const char *name, struct sv value)
{
	buf_char(out, ' ');
	buf_text(out, name);
	buf_text(out, "=\"");
	escape(out, value, true);
	buf_char(out, '"');
}

void html_put_attribute(struct buf *out, const char *name, struct sv value)
{
	assert(is_plain_name(name));
	put_attribute(out, name, value);
}

static bool starts_with(struct sv url, const char *scheme)
{
	size_t n = strlen(scheme);

	return url.len >= n && !strncasecmp(url.ptr, scheme, n);
}

/* Not "//host" and not "/\host", which a browser reads as that. No control is
 * in it: browsers drop tabs and line breaks, so "/\t/host" is "//host". */
static bool is_safe(struct sv url)
{
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= 0x20 || url.ptr[i] == '\\')
			return false;
	if (starts_with(url, "/"))
		return !starts_with(url, "//");
	return starts_with(url, "#") || starts_with(url, "http://") ||
	       starts_with(url, "https://") || starts_with(url, "mailto:");
}

bool html_put_link(struct buf *out, struct sv url)
{
	if (!is_safe(url))
		return false;
	put_attribute(out, "href", url);
	return true;
}
