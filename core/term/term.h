/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Term: what all commands share on a terminal. Samples and bytes in, text out:
 * nothing here writes, and only term_open asks the machine anything.
 *
 * Names, messages and errors come from whoever sent telemetry. A terminal obeys
 * control bytes (move the cursor, set the title, fill the clipboard by OSC 52,
 * answer back into the shell's input), and bidirectional controls reorder what
 * a person reads (CVE-2021-42574). So foreign bytes reach a terminal through
 * term_safe() only, tables do it themselves, and JSON output by its \u rules.
 */
#ifndef TALLY_CORE_TERM_TERM_H
#define TALLY_CORE_TERM_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum {
	TERM_WIDTH_DEFAULT = 80, /* columns where nothing says how many */
	TERM_WIDTH_MIN = 20,
	TERM_WIDTH_MAX = 1000,
	TERM_COLUMNS_MAX = 24, /* of a table */
	TERM_ROWS_MAX = 100000,
	TERM_COMBINING_MAX = 4, /* marks on one character; the rest is cut */
};

enum term_when { TERM_AUTO, TERM_ALWAYS, TERM_NEVER };

struct term {
	bool is_tty;
	bool colour;
	bool utf8; /* the locale's encoding; otherwise charts are ASCII */
	int width; /* columns: of the terminal, else $COLUMNS, else 80 */
};

/* About file descriptor fd, usually 1. Sets LC_CTYPE from the environment (and
 * to C.UTF-8 where that says nothing), so call it once, early, in main.
 * colour: ALWAYS and NEVER are --color's and win; AUTO is colour on a terminal
 * without NO_COLOR (non-empty) and with TERM set to something but "dumb". */
void term_open(struct term *t, int fd, enum term_when colour);
/* "auto", "always", "never" (and yes/no); false: another word. */
bool term_when_parse(const char *word, enum term_when *out) MUST_USE;

enum term_style {
	TERM_PLAIN,
	TERM_BOLD,
	TERM_DIM,
	TERM_RED,
	TERM_GREEN,
	TERM_YELLOW,
	TERM_BLUE,
	TERM_CYAN,
	TERM_STYLES,
};

/* The escape sequence that begins a style, TERM_PLAIN ends all; "" where
 * colour is not wanted. */
const char *term_style(const struct term *t, enum term_style style);
/* style, safe text, plain. */
void term_styled(const struct term *t, struct buf *out, enum term_style style,
		 struct sv text);

/* --- foreign bytes ------------------------------------------------------- */

/* Adds text so that no byte of it can steer a terminal: C0 (newline and tab
 * too), DEL, C1, bidirectional and other invisible format characters, line
 * and paragraph separators, surrogates and non-characters come out as \n \t
 * \xHH or \u{HHHH}; bytes that are no UTF-8 as \xHH. Backslash stays itself:
 * this is to be read, not to be parsed. Without UTF-8, all above 0x7e. */
void term_safe(struct buf *out, struct sv text);
/* The same, but newlines stay (each line is begun with indent spaces) and a
 * tab becomes spaces up to the next multiple of 8. For log messages. */
void term_safe_lines(struct buf *out, struct sv text, int indent);
/* A log message behind its time, without blanks at its end: a space and the
 * message, or where it has lines, each on one of its own. Ends the line. */
void term_message(struct buf *out, struct sv text);
/* The same as term_safe, at most columns wide; what does not fit is cut, the
 * last column then is "…" (or "~" where text is ASCII only). Returns the
 * columns taken. */
int term_safe_cut(struct buf *out, struct sv text, int columns);
/* Columns that text takes once it went through term_safe. */
int term_safe_width(struct sv text);

/* A valid JSON text as it came, but for DEL and what is not ASCII and may not
 * reach a terminal: that is written as \uXXXX, which means the same. */
void term_safe_json(struct buf *out, struct sv json);

/* One character of what term_safe would write, for who draws cell by cell. */
struct term_char {
	char bytes[24]; /* UTF-8 with its combining marks, or \xHH; NUL ends */
	int width;      /* columns: 1 or 2, or strlen of an escape */
};
/* Takes the next from *text; false: *text is empty. */
bool term_next(struct sv *text, struct term_char *out);

/* --- numbers ------------------------------------------------------------- */

/* Each adds a short text of at most 8 columns. Seconds: "0", "412us", "1.23ms",
 * "12.3s", "4m05s", "3h12m", "2d04h". */
void term_seconds(struct buf *out, double seconds);
/* "999", "12.3k", "4.56M", "1.2G" */
void term_count(struct buf *out, double count);
/* "17 B", "1.5 KiB", "3.2 MiB" */
void term_bytes(struct buf *out, double bytes);
/* A decimal string of dollars, cut to what a person reads, by text alone:
 * "$0", "$12.35", "$0.0123", "$0.0000002083". Rounded half up; what is no
 * decimal number is shown safely as it came. */
void term_money(struct buf *out, struct sv decimal);
/* "2026-11-22T09:00:00Z", with ms "...00.123Z". */
void term_time(struct buf *out, double epoch, bool ms);
/* "09:00:00" (UTC) */
void term_clock(struct buf *out, double epoch);

/* --- charts --------------------------------------------------------------- */

/* One character a sample, ▁ to █, 0 and less as a blank, scaled to the
 * largest; NAN is a blank. utf8 false: " .:-=+*#". More samples than columns
 * are summed by groups; fewer are right-aligned in columns. */
void term_spark(struct buf *out, const double *samples, size_t count,
		int columns, bool utf8);
/* A line chart of 2x4 dots a character: rows lines of columns characters, each
 * ended by a newline. From min to max; min == max: from the samples. */
void term_braille(struct buf *out, const double *samples, size_t count,
		  int columns, int rows, double min, double max);
/* A bar from column `from` to `to` (fractions of a column) in columns, by
 * eighths; at least an eighth where to > from. utf8 false: '='. */
void term_bar(struct buf *out, double from, double to, int columns, bool utf8);

/* --- tables ---------------------------------------------------------------- */

enum term_align { TERM_LEFT, TERM_RIGHT };

struct term_column {
	const char *title;
	enum term_align align;
	int max;     /* widest, in columns; 0: no limit of its own */
	bool shrink; /* may be cut so that the table fits the width */
};

struct term_table;

/* columns stays the caller's and valid while the table lives. NULL: memory. */
struct term_table *term_table_new(const struct term_column *columns,
				  size_t count);
void term_table_free(struct term_table *table);
/* Cells left to right; after the last one the next row begins. text is
 * copied, and made safe when printed. Over TERM_ROWS_MAX rows are counted and
 * not kept. */
void term_cell(struct term_table *table, enum term_style style, struct sv text);
void term_cellf(struct term_table *table, enum term_style style,
		const char *format, ...) PRINTF(3, 4);
/* Adds the table: a bold head, aligned rows, two spaces between columns, none
 * at a line's end. On a terminal, columns that may shrink are cut to fit;
 * elsewhere nothing is. False: memory ended, or rows were left out. */
bool term_table_print(const struct term *t, const struct term_table *table,
		      struct buf *out) MUST_USE;

#endif
