/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cells.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

static int between(int v, int max)
{
	if (v < 1)
		return 1;
	return v > max ? max : v;
}

int cells_init(struct cells *c, int columns, int rows)
{
	*c = (struct cells){ 0 };
	c->columns = between(columns, CELLS_COLUMNS_MAX);
	c->rows = between(rows, CELLS_ROWS_MAX);
	c->cell =
		calloc((size_t)c->columns * (size_t)c->rows, sizeof(*c->cell));
	if (!c->cell)
		return ERR_NOMEM;
	cells_clear(c);
	return 0;
}

void cells_fini(struct cells *c)
{
	free(c->cell);
	*c = (struct cells){ 0 };
}

void cells_resize(struct cells *c, int columns, int rows)
{
	struct cells next;

	if (between(columns, CELLS_COLUMNS_MAX) == c->columns &&
	    between(rows, CELLS_ROWS_MAX) == c->rows) {
		cells_clear(c);
		return;
	}
	if (cells_init(&next, columns, rows)) {
		cells_clear(c);
		return;
	}
	cells_fini(c);
	*c = next;
}

static const struct cell blank = { .bytes = " ", .width = 1 };

void cells_clear(struct cells *c)
{
	size_t count = (size_t)c->columns * (size_t)c->rows;

	for (size_t i = 0; i < count; i++)
		c->cell[i] = blank;
}

struct cell *cells_at(const struct cells *c, int x, int y)
{
	assert(x >= 0 && x < c->columns && y >= 0 && y < c->rows);
	return &c->cell[(size_t)y * (size_t)c->columns + (size_t)x];
}

struct area cells_all(const struct cells *c)
{
	return (struct area){ 0, 0, c->columns, c->rows };
}

static bool inside(const struct cells *c, int x, int y)
{
	return x >= 0 && x < c->columns && y >= 0 && y < c->rows;
}

/* One character, which may cover half of a wide one: the other half goes. */
static void put(struct cells *c, int x, int y, unsigned style,
		const char *bytes, size_t n, int width)
{
	struct cell *cell = cells_at(c, x, y);

	if (cell->width == 0 && x > 0)
		*cells_at(c, x - 1, y) = blank;
	for (int i = x + 1; i < c->columns && cells_at(c, i, y)->width == 0;
	     i++)
		*cells_at(c, i, y) = blank;
	memcpy(cell->bytes, bytes, n);
	cell->bytes[n] = '\0';
	cell->width = (uint8_t)width;
	cell->style = (uint8_t)style;
	if (width == 2)
		*cells_at(c, x + 1, y) =
			(struct cell){ .style = (uint8_t)style };
}

int cells_text(struct cells *c, int x, int y, int columns, unsigned style,
	       struct sv text)
{
	struct buf cut = BUF_INIT;
	struct term_char one;
	struct sv rest;
	int at = x;

	if (text.len > CELL_TEXT_MAX)
		text.len = CELL_TEXT_MAX;
	if (columns > c->columns - x)
		columns = c->columns - x;
	if (!inside(c, x, y) || columns <= 0)
		return 0;
	term_safe_cut(&cut, text, columns);
	rest = buf_view(&cut);
	while (term_next(&rest, &one)) {
		size_t n = strlen(one.bytes);

		if (at + one.width > c->columns)
			break;
		if (one.width == 2 && n != 2) {
			put(c, at, y, style, one.bytes, n, 2);
		} else if (one.width == 1) {
			put(c, at, y, style, one.bytes, n, 1);
		} else { /* spelled out in ASCII */
			for (size_t i = 0; i < n; i++)
				put(c, at + (int)i, y, style, one.bytes + i, 1,
				    1);
		}
		at += one.width;
	}
	buf_fini(&cut);
	return at - x;
}

void cells_right(struct cells *c, int x, int y, int columns, unsigned style,
		 struct sv text)
{
	int width = term_safe_width(text);

	if (width < columns) {
		x += columns - width;
		columns = width;
	}
	cells_text(c, x, y, columns, style, text);
}

int cells_format(struct cells *c, int x, int y, int columns, unsigned style,
		 const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		return 0;
	return cells_text(c, x, y, columns, style, sv_from(text));
}

void cells_style(struct cells *c, struct area a, unsigned style)
{
	for (int y = a.y; y < a.y + a.rows; y++)
		for (int x = a.x; x < a.x + a.columns; x++) {
			struct cell *cell;

			if (!inside(c, x, y))
				continue;
			cell = cells_at(c, x, y);
			if (style & CELL_COLOUR)
				cell->style &= (uint8_t)~CELL_COLOUR;
			cell->style |= (uint8_t)style;
		}
}

static void begin(const struct term *t, unsigned style, struct buf *out)
{
	buf_text(out, term_style(t, TERM_PLAIN));
	if (style & CELL_COLOUR)
		buf_text(out, term_style(t, style & CELL_COLOUR));
	if (style & CELL_BOLD)
		buf_text(out, term_style(t, TERM_BOLD));
	if (style & CELL_DIM)
		buf_text(out, term_style(t, TERM_DIM));
}

void cells_print(const struct cells *c, const struct term *t, struct buf *out)
{
	for (int y = 0; y < c->rows; y++) {
		unsigned style = 0;
		int end = c->columns;

		while (end > 0 && !strcmp(cells_at(c, end - 1, y)->bytes, " "))
			end--;
		for (int x = 0; x < end; x++) {
			const struct cell *cell = cells_at(c, x, y);

			/* A file has no selection, so REVERSE is no change. */
			if ((cell->style & ~CELL_REVERSE) != style) {
				style = cell->style & ~(unsigned)CELL_REVERSE;
				begin(t, style, out);
			}
			buf_text(out, cell->bytes);
		}
		if (style)
			buf_text(out, term_style(t, TERM_PLAIN));
		buf_char(out, '\n');
	}
}
