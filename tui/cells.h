/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells: the screen as a grid in memory. Views draw here, and the grid goes to
 * a terminal (screen.c), to a file (--once) or to a golden file of a test, so
 * that what is tested is what is seen. A cell holds one character with its
 * marks; a wide one takes two cells, the right one of width 0.
 */
#ifndef TALLY_TUI_CELLS_H
#define TALLY_TUI_CELLS_H

#include "core/base/text.h"
#include "core/term/term.h"

enum {
	CELLS_COLUMNS_MAX = TERM_WIDTH_MAX,
	CELLS_ROWS_MAX = 12000,  /* --once shows every function */
	CELL_TEXT_MAX = 4 << 10, /* bytes of one text that are looked at */
};

/* An enum term_style, and these. */
enum cell_flags {
	CELL_COLOUR = 0x0F,
	CELL_BOLD = 0x10,
	CELL_DIM = 0x20,
	CELL_REVERSE = 0x40,
};

struct cell {
	char bytes[sizeof(((struct term_char *)0)->bytes)];
	uint8_t width;
	uint8_t style;
};

struct cells {
	int columns;
	int rows;
	struct cell *cell; /* rows of columns */
};

struct area {
	int x, y, columns, rows;
};

/* Blank cells; sizes are brought into 1 to the maxima. ERR_NOMEM. */
int cells_init(struct cells *c, int columns, int rows) MUST_USE;
void cells_fini(struct cells *c);
/* To the new size, blank; where memory ends it keeps the old size, blank. */
void cells_resize(struct cells *c, int columns, int rows);
void cells_clear(struct cells *c);
struct cell *cells_at(const struct cells *c, int x, int y);
struct area cells_all(const struct cells *c);

/* text from x on in row y, made safe, cut to columns with a mark. What is
 * outside the grid is left out. Returns the columns used. */
int cells_text(struct cells *c, int x, int y, int columns, unsigned style,
	       struct sv text);
/* The same, its right end at x + columns. */
void cells_right(struct cells *c, int x, int y, int columns, unsigned style,
		 struct sv text);
int cells_format(struct cells *c, int x, int y, int columns, unsigned style,
		 const char *format, ...) PRINTF(6, 7);
/* Sets flags on what is there; a colour given takes the old one's place. */
void cells_style(struct cells *c, struct area area, unsigned style);

/* As text, without blanks at the ends of lines; with the term's colours. */
void cells_print(const struct cells *c, const struct term *t, struct buf *out);

#endif
