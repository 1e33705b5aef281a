/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV (RFC 4180) for people's spreadsheets, so for programs that run what they
 * read: a cell whose text begins with = + - @, a tab or a line break may be a
 * formula to them, quoted or not (OWASP, "CSV Injection"). Such a text gets an
 * apostrophe in front, which a spreadsheet takes for "this is text". A number
 * begins with a minus as often as not and must stay one, so the caller says
 * which a cell is, and csv_put_number looks whether it is true.
 *
 * A reader has the text back: without the first apostrophe, where behind all
 * leading ones and spaces stands a byte of those; a text that looked like that
 * already got one more. Not kept are bytes that are not UTF-8, controls but tab, line feed
 * and return, and bidirectional overrides: each is U+FFFD, since a table is
 * also printed on terminals.
 *
 * Cells are parted by commas, rows end with CRLF; a cell that has a comma, a
 * quote, a line break (U+2028, U+2029 too) or a blank at an end is quoted.
 */
#ifndef TALLY_CORE_CODEC_CSV_WRITE_H
#define TALLY_CORE_CODEC_CSV_WRITE_H

#include "core/base/text.h"

struct csv_writer {
	struct buf *out;
	size_t cells; /* of this row so far */
};

static inline struct csv_writer csv_writer(struct buf *out)
{
	return (struct csv_writer){ .out = out };
}

void csv_put_sv(struct csv_writer *w, struct sv text);
void csv_put_text(struct csv_writer *w, const char *text);
/* A decimal number as JSON writes it, kept digit by digit; what is none is
 * written as text. */
void csv_put_number(struct csv_writer *w, struct sv decimal);
/* A row has a cell at least (assert). */
void csv_end_row(struct csv_writer *w);

#endif
