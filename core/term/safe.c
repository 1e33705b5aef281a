/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign bytes to what a terminal may see. The one place where it is decided
 * is term_next: what it lets by is printable by wcwidth and not in hidden[];
 * the rest it spells out.
 */
#include "core/term/term.h"

#include <langinfo.h>
#include <wchar.h>

enum { TAB_STOP = 8 };

/* Characters that a libc may call printable, or give no width, and which
 * reorder, hide or break lines: Unicode's bidirectional controls, separators,
 * format characters, tags, variation selectors of the supplement, private use
 * and what has no character. Combining marks are not among them. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00AD, 0x00AD }, /* soft hyphen */
	{ 0x034F, 0x034F }, /* combining grapheme joiner */
	{ 0x061C, 0x061C }, /* Arabic letter mark */
	{ 0x115F, 0x1160 }, /* Hangul fillers */
	{ 0x17B4, 0x17B5 }, /* Khmer inherent vowels */
	{ 0x180B, 0x180F }, /* Mongolian selectors and separator */
	{ 0x200B, 0x200F }, /* zero width space, joiners, LRM, RLM */
	{ 0x2028, 0x202E }, /* separators, LRE RLE PDF LRO RLO */
	{ 0x2060, 0x206F }, /* word joiner, LRI RLI FSI PDI, deprecated */
	{ 0x3164, 0x3164 }, /* Hangul filler */
	{ 0xD800, 0xF8FF }, /* surrogates, private use */
	{ 0xFE00, 0xFE0F }, /* variation selectors */
	{ 0xFEFF, 0xFEFF }, /* byte order mark */
	{ 0xFFA0, 0xFFA0 }, /* half-width Hangul filler */
	{ 0xFFF0, 0xFFFB }, /* interlinear annotation */
	{ 0xFFFE, 0xFFFF },
	{ 0x1BCA0, 0x1BCA3 },  /* shorthand format controls */
	{ 0x1D173, 0x1D17A },  /* musical format controls */
	{ 0xE0000, 0x10FFFF }, /* tags, selectors, private use */
};

/* One character by RFC 3629; 0: not one. Sets *length. */
static bool decode(struct sv s, uint32_t *code, size_t *length)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t n = p[0] < 0x80 ? 1 :
		   p[0] < 0xC2 ? 0 :
		   p[0] < 0xE0 ? 2 :
		   p[0] < 0xF0 ? 3 :
		   p[0] < 0xF5 ? 4 :
				 0;

	if (n == 0 || n > s.len || !sv_is_utf8(sv_make(s.ptr, n)))
		return false;
	*code = n == 1 ? p[0] : p[0] & (0x7FU >> n);
	for (size_t i = 1; i < n; i++)
		*code = *code << 6 | (p[i] & 0x3F);
	*length = n;
	return true;
}

/* The locale that term_open set; a terminal that is not UTF-8 would read the
 * bytes 0x80 to 0x9f within a character as C1 controls. */
static bool locale_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* Columns of a character that may be shown, 0 for a mark; -1: may not be. */
static int shown_width(uint32_t code)
{
	if (code < 0x7F)
		return code < 0x20 ? -1 : 1;
	if (code < 0xA0 || !locale_is_utf8())
		return -1;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return -1;
	return wcwidth((wchar_t)code);
}

/* Spells a character out. */
static void spell(struct term_char *out, uint32_t code)
{
	static const char letters[] = "abtnvfr"; /* from 7 on */

	if (code >= 7 && code <= 13)
		out->width = snprintf(out->bytes, sizeof(out->bytes), "\\%c",
				      letters[code - 7]);
	else if (code < 0x100)
		out->width = snprintf(out->bytes, sizeof(out->bytes), "\\x%02x",
				      code);
	else
		out->width = snprintf(out->bytes, sizeof(out->bytes), "\\u{%x}",
				      code);
}

static struct sv rest(struct sv s, size_t n)
{
	return sv_make(s.ptr + n, s.len - n);
}

bool term_next(struct sv *text, struct term_char *out)
{
	uint32_t code;
	size_t n, used;

	if (text->len == 0)
		return false;
	if (!decode(*text, &code, &n)) {
		spell(out, (unsigned char)text->ptr[0]);
		*text = rest(*text, 1);
		return true;
	}
	out->width = shown_width(code);
	if (out->width <= 0) { /* a mark on nothing is spelled out as well */
		spell(out, code);
		*text = rest(*text, n);
		return true;
	}
	memcpy(out->bytes, text->ptr, n);
	used = n;
	*text = rest(*text, n);
	for (int marks = 0; text->len && marks < TERM_COMBINING_MAX; marks++) {
		if (!decode(*text, &code, &n) || shown_width(code) != 0 ||
		    used + n >= sizeof(out->bytes))
			break;
		memcpy(out->bytes + used, text->ptr, n);
		used += n;
		*text = rest(*text, n);
	}
	out->bytes[used] = '\0';
	return true;
}

void term_safe(struct buf *out, struct sv text)
{
	struct term_char c;

	while (term_next(&text, &c))
		buf_text(out, c.bytes);
}

int term_safe_width(struct sv text)
{
	struct term_char c;
	int64_t columns = 0;

	while (term_next(&text, &c))
		columns += c.width;
	return columns > INT32_MAX ? INT32_MAX : (int)columns;
}

void term_message(struct buf *out, struct sv text)
{
	bool lines;

	while (text.len && memchr(" \t\r\n", text.ptr[text.len - 1], 4))
		text.len--;
	lines = text.len && memchr(text.ptr, '\n', text.len);
	buf_char(out, lines ? '\n' : ' ');
	term_safe_lines(out, text, lines ? 4 : 0);
	buf_char(out, '\n');
}

int term_safe_cut(struct buf *out, struct sv text, int columns)
{
	struct term_char c;
	size_t keep = out->len; /* the length with room left for the mark */
	int used = 0, kept = 0;

	if (columns <= 0)
		return 0;
	while (term_next(&text, &c)) {
		if (used + c.width > columns) {
			if (out->ptr) {
				out->len = keep;
				out->ptr[keep] = '\0';
			}
			buf_text(out, locale_is_utf8() ? "…" : "~");
			return kept + 1;
		}
		buf_text(out, c.bytes);
		used += c.width;
		if (used < columns) {
			keep = out->len;
			kept = used;
		}
	}
	return used;
}

static void spaces(struct buf *out, int n)
{
	for (int i = 0; i < n; i++)
		buf_char(out, ' ');
}

void term_safe_lines(struct buf *out, struct sv text, int indent)
{
	struct term_char c;
	int at = 0;

	spaces(out, indent);
	while (text.len) {
		if (text.ptr[0] == '\n') {
			buf_char(out, '\n');
			spaces(out, indent);
			text = rest(text, 1);
			at = 0;
		} else if (text.ptr[0] == '\t') {
			spaces(out, TAB_STOP - at % TAB_STOP);
			text = rest(text, 1);
			at = 0;
		} else if (term_next(&text, &c)) {
			buf_text(out, c.bytes);
			at = (at + c.width) % TAB_STOP;
		}
	}
}

static void json_escape(struct buf *out, uint32_t code)
{
	if (code < 0x10000) {
		buf_format(out, "\\u%04x", code);
		return;
	}
	code -= 0x10000;
	buf_format(out, "\\u%04x\\u%04x", 0xD800 + (code >> 10),
		   0xDC00 + (code & 0x3FF));
}

void term_safe_json(struct buf *out, struct sv json)
{
	uint32_t code;
	size_t n;

	while (json.len) {
		if (!decode(json, &code, &n)) {
			json_escape(out, 0xFFFD); /* not JSON at all */
			json = rest(json, 1);
			continue;
		}
		if (code == '\n' || code == '\t' || shown_width(code) > 0)
			buf_add(out, json.ptr, n);
		else if (code == '\r')
			buf_char(out, ' ');
		else
			json_escape(out, code);
		json = rest(json, n);
	}
}
