/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/csv_write.h"

#include <assert.h>

#include "core/codec/foreign.h"

static void next_cell(struct csv_writer *w)
{
	if (w->cells++)
		buf_char(w->out, ',');
}

/* A spreadsheet may take the cell for a formula: also by the full-width forms
 * of the signs, which East Asian ones read as the same. */
static bool starts_formula(uint32_t code)
{
	switch (code) {
	case '=':
	case '+':
	case '-':
	case '@':
	case '\t':
	case '\n':
	case '\r':
	case 0xff0b: /* + */
	case 0xff0d: /* - */
	case 0xff1d: /* = */
	case 0xff20: /* @ */
		return true;
	default:
		return false;
	}
}

/* Of the first character that is no apostrophe, or two texts would become the
 * same cell; nor a space, which some readers drop. */
static bool wants_apostrophe(struct sv text)
{
	struct foreign c;

	while (foreign_next(&text, &c))
		if (c.code != '\'' && c.code != ' ')
			return starts_formula(c.code);
	return false;
}

static bool breaks_line(uint32_t code)
{
	return code == '\n' || code == '\r' || code == 0x2028 || code == 0x2029;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool wants_quotes(struct sv text)
{
	struct sv rest = text;
	struct foreign c;

	if (text.len &&
	    (is_blank(text.ptr[0]) || is_blank(text.ptr[text.len - 1])))
		return true;
	while (foreign_next(&rest, &c))
		if (c.code == ',' || c.code == '"' || breaks_line(c.code))
			return true;
	return false;
}

void csv_put_sv(struct csv_writer *w, struct sv text)
{
	bool quotes = wants_quotes(text);
	struct foreign c;

	next_cell(w);
	if (quotes)
		buf_char(w->out, '"');
	if (wants_apostrophe(text))
		buf_char(w->out, '\'');
	while (foreign_next(&text, &c)) {
		bool kept = c.code == '\t' || breaks_line(c.code) ||
			    !foreign_acts(c.code);

		if (c.code == '"')
			buf_char(w->out, '"');
		buf_sv(w->out, kept ? c.bytes : FOREIGN_INSTEAD);
	}
	if (quotes)
		buf_char(w->out, '"');
}

void csv_put_text(struct csv_writer *w, const char *text)
{
	csv_put_sv(w, sv_from(text));
}

static size_t digits(struct sv s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
		n++;
	return n;
}

static struct sv behind(struct sv s, size_t n)
{
	return sv_make(s.ptr + n, s.len - n);
}

/* RFC 8259, 6, but for leading zeros, which do no harm here. */
static bool is_number(struct sv s)
{
	size_t n;

	s = behind(s, sv_starts(s, SV("-")));
	n = digits(s);
	if (!n)
		return false;
	s = behind(s, n);
	if (sv_starts(s, SV("."))) {
		n = digits(behind(s, 1));
		if (!n)
			return false;
		s = behind(s, 1 + n);
	}
	if (sv_starts(s, SV("e")) || sv_starts(s, SV("E"))) {
		s = behind(s, 1);
		s = behind(s, sv_starts(s, SV("-")) || sv_starts(s, SV("+")));
		n = digits(s);
		if (!n)
			return false;
		s = behind(s, n);
	}
	return s.len == 0;
}

void csv_put_number(struct csv_writer *w, struct sv decimal)
{
	if (!is_number(decimal)) {
		csv_put_sv(w, decimal);
		return;
	}
	next_cell(w);
	buf_sv(w->out, decimal);
}

void csv_end_row(struct csv_writer *w)
{
	assert(w->cells > 0);
	buf_text(w->out, "\r\n");
	w->cells = 0;
}
