/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of what the encoders write (CSV, HTML, SQL), for their tests and fuzz
 * targets: each gives the text back as the format's own rules say, or says that
 * it is broken. They share nothing with the encoders. And hostile texts.
 */
#ifndef TALLY_TESTS_ENCODED_H
#define TALLY_TESTS_ENCODED_H

#include <assert.h>

#include "core/base/text.h"

/* One character off s, its code; -1: a byte that is none. */
static inline long encoded_char(struct sv *s, struct sv *bytes)
{
	for (size_t n = 1; n <= 4 && n <= s->len; n++) {
		const unsigned char *p = (const unsigned char *)s->ptr;
		unsigned long code = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));

		if (!sv_is_utf8(sv_make(s->ptr, n)))
			continue;
		for (size_t i = 1; i < n; i++)
			code = code * 64 + p[i] % 64;
		*bytes = sv_make(s->ptr, n);
		*s = sv_make(s->ptr + n, s->len - n);
		return (long)code;
	}
	*bytes = sv_make(s->ptr, 1);
	*s = sv_make(s->ptr + 1, s->len - 1);
	return -1;
}

static inline bool encoded_hostile(long code)
{
	return (code < 32 && code != '\t' && code != '\n' && code != '\r') ||
	       (code >= 127 && code < 160) ||
	       (code >= 0x202a && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/* What a reader must get: text with U+FFFD for what is not kept. */
static inline void encoded_clean(struct buf *out, struct sv text,
				 bool only_zero)
{
	struct sv bytes;

	while (text.len) {
		long code = encoded_char(&text, &bytes);

		if (only_zero ? code <= 0 : encoded_hostile(code))
			buf_text(out, "\xef\xbf\xbd");
		else
			buf_sv(out, bytes);
	}
}

/* --- CSV ------------------------------------------------------------------ */

/* One cell off s, up to ',' or CRLF, which is taken too. False: broken. */
static inline bool csv_read(struct sv *s, struct buf *out, bool *last)
{
	size_t i = 0;
	bool quoted = s->len && s->ptr[0] == '"';

	for (i = quoted; i < s->len; i++) {
		char c = s->ptr[i];

		if (quoted && c == '"') {
			if (i + 1 == s->len || s->ptr[i + 1] != '"')
				break;
			i++;
		} else if (!quoted && (c == ',' || c == '\r')) {
			break;
		} else if (!quoted && (c == '"' || c == '\n')) {
			return false;
		}
		buf_char(out, c);
	}
	i += quoted;
	*last = i < s->len && s->ptr[i] == '\r';
	if (i >= s->len || (!*last && s->ptr[i] != ','))
		return false;
	i += *last;
	if (*last && (i >= s->len || s->ptr[i] != '\n'))
		return false;
	*s = sv_make(s->ptr + i + 1, s->len - i - 1);
	return true;
}

/* One that a spreadsheet may run. */
static inline bool csv_is_formula(struct sv cell)
{
	static const char *const wide[] = { "\xef\xbc\x8b", "\xef\xbc\x8d",
					    "\xef\xbc\x9d", "\xef\xbc\xa0" };

	for (int i = 0; i < 4; i++)
		if (sv_starts(cell, sv_from(wide[i])))
			return true;
	return cell.len && cell.ptr[0] && strchr("=+-@\t\r\n", cell.ptr[0]);
}

/* The text that a cell was made of. */
static inline struct sv csv_undo(struct sv cell)
{
	struct sv s = cell;

	while (s.len && (s.ptr[0] == '\'' || s.ptr[0] == ' '))
		s = sv_make(s.ptr + 1, s.len - 1);
	return cell.len && cell.ptr[0] == '\'' && csv_is_formula(s) ?
		       sv_make(cell.ptr + 1, cell.len - 1) :
		       cell;
}

/* --- HTML ----------------------------------------------------------------- */

/* False: there is markup in it, or what a parser would change. */
static inline bool html_read(struct buf *out, struct sv s, bool attribute)
{
	static const struct {
		const char *name, *means;
	} rows[] = {
		{ "&amp;", "&" },   { "&lt;", "<" },   { "&gt;", ">" },
		{ "&quot;", "\"" }, { "&#39;", "'" },  { "&#96;", "`" },
		{ "&#9;", "\t" },   { "&#10;", "\n" }, { "&#13;", "\r" },
	};

	while (s.len) {
		size_t i = 0;

		if (s.ptr[0] != '&') {
			if (!s.ptr[0] || strchr("<>\"'`\r", s.ptr[0]) ||
			    (attribute && strchr("\t\n", s.ptr[0])))
				return false;
			buf_char(out, s.ptr[0]);
			s = sv_make(s.ptr + 1, s.len - 1);
			continue;
		}
		while (i < 9 && !sv_starts(s, sv_from(rows[i].name)))
			i++;
		if (i == 9)
			return false;
		buf_text(out, rows[i].means);
		s = sv_make(s.ptr + strlen(rows[i].name),
			    s.len - strlen(rows[i].name));
	}
	return true;
}

/* --- SQL ------------------------------------------------------------------ */

/* A literal, all of s; backslash: it is an escape there. */
static inline bool sql_read(struct buf *out, struct sv s, bool backslash)
{
	size_t i = 1;

	if (s.len < 2 || s.ptr[0] != '\'')
		return false;
	for (; i < s.len && s.ptr[i] != '\0'; i++) {
		if (s.ptr[i] == '\'' || (s.ptr[i] == '\\' && backslash)) {
			if (s.ptr[i] == '\'' && i + 1 == s.len)
				return true;
			if (i + 1 == s.len || s.ptr[i + 1] != s.ptr[i])
				return false;
			i++;
		}
		buf_char(out, s.ptr[i]);
	}
	return false;
}

/* --- hostile texts -------------------------------------------------------- */

static const struct sv encoded_hostiles[] = {
	SV_INIT(""),
	SV_INIT("plain"),
	SV_INIT("\0"),
	SV_INIT("a\0b"),
	SV_INIT("\x01\x07\x08\x1b[31m\x7f"),
	SV_INIT("\xc2\x80\xc2\x9b"
		"31m"), /* C1: CSI */
	SV_INIT("\x80\xff\xc3"),
	SV_INIT("\xc0\xbc\xe0\x80\xbc"), /* overlong < */
	SV_INIT("\xed\xa0\x80\xf5\x80\x80\x80"),
	SV_INIT("\xe2\x80\xa8x\xe2\x80\xa9"), /* U+2028, U+2029 */
	SV_INIT("\xe2\x80\xaegpj.exe\xe2\x81\xa6\xe2\x81\xa9"), /* RLO */
	SV_INIT("\xef\xbb\xbf=1"), /* byte order mark */
	SV_INIT("=cmd|' /C calc'!A0"),
	SV_INIT("+1"),
	SV_INIT("-1+1"),
	SV_INIT("@SUM(1)"),
	SV_INIT("\t=1"),
	SV_INIT("\r=1"),
	SV_INIT("\n=1"),
	SV_INIT("'=1"),
	SV_INIT("''=1"),
	SV_INIT("  =1"),
	SV_INIT("' =1"),
	SV_INIT("'tis"),
	SV_INIT("\xef\xbc\x9d"
		"1"), /* full-width = */
	SV_INIT("a,b\"c\"\r\nd"),
	SV_INIT(" blank "),
	SV_INIT("\"\"\""),
	SV_INIT("x,=1\n=2"),
	SV_INIT("<script>alert(1)</script>"),
	SV_INIT("\" onload=\"x"),
	SV_INIT("' onload='x"),
	SV_INIT("` onload=`x"),
	SV_INIT("&lt;&#60;&amp"),
	SV_INIT("--></style>]]>"),
	SV_INIT("'; DROP TABLE x; --"),
	SV_INIT("\\'; DROP TABLE x; --"),
	SV_INIT("\\"),
	SV_INIT("\\\\'\\"),
	SV_INIT("\xbf'"), /* a quote that GBK would eat */
	SV_INIT("$$x$$ /* -- */ ?1 :a {b}"),
};

enum {
	ENCODED_HOSTILES =
		sizeof(encoded_hostiles) / sizeof(encoded_hostiles[0]),
};

#endif
