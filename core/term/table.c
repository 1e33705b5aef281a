/* SPDX-License-Identifier: Apache-2.0 */
#include "core/term/term.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "core/base/arena.h"

enum { GAP = 2, SHRINK_MIN = 8, CELL_MAX = 16 << 10 };

struct cell {
	struct sv text;
	enum term_style style;
};

struct term_table {
	const struct term_column *columns;
	size_t column_count;
	struct arena arena; /* of the texts */
	struct cell *cells;
	size_t cell_count;
	size_t cell_cap;
	size_t dropped; /* cells over TERM_ROWS_MAX or memory's end */
};

struct term_table *term_table_new(const struct term_column *columns,
				  size_t count)
{
	struct term_table *table = calloc(1, sizeof(*table));

	assert(count > 0 && count <= TERM_COLUMNS_MAX);
	if (!table)
		return NULL;
	table->columns = columns;
	table->column_count = count;
	return table;
}

void term_table_free(struct term_table *table)
{
	if (!table)
		return;
	arena_fini(&table->arena);
	free(table->cells);
	free(table);
}

static bool room(struct term_table *table)
{
	size_t cap = table->cell_cap ? table->cell_cap * 2 : 64;
	struct cell *cells;

	if (table->cell_count >= TERM_ROWS_MAX * table->column_count)
		return false;
	if (table->cell_count < table->cell_cap)
		return true;
	cells = realloc(table->cells, cap * sizeof(*cells));
	if (!cells)
		return false;
	table->cells = cells;
	table->cell_cap = cap;
	return true;
}

void term_cell(struct term_table *table, enum term_style style, struct sv text)
{
	struct cell cell = { .style = style };

	if (text.len > CELL_MAX)
		text.len = CELL_MAX;
	if (table->dropped || !room(table) ||
	    !(cell.text = arena_copy(&table->arena, text)).ptr) {
		table->dropped++;
		return;
	}
	table->cells[table->cell_count++] = cell;
}

void term_cellf(struct term_table *table, enum term_style style,
		const char *format, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	term_cell(table, style, sv_make(text, (size_t)n));
}

static int wider(int a, int b)
{
	return a > b ? a : b;
}

static void measure(const struct term_table *table, int *widths)
{
	assert(table->column_count > 0);
	for (size_t c = 0; c < table->column_count; c++)
		widths[c] = term_safe_width(sv_from(table->columns[c].title));
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t c = i % table->column_count;

		widths[c] =
			wider(widths[c], term_safe_width(table->cells[i].text));
	}
	for (size_t c = 0; c < table->column_count; c++)
		if (table->columns[c].max && widths[c] > table->columns[c].max)
			widths[c] = table->columns[c].max;
}

/* Takes columns from the widest that may shrink until the table fits. */
static void fit(const struct term_table *table, int *widths, int width)
{
	int total = -GAP;

	for (size_t c = 0; c < table->column_count; c++)
		total += widths[c] + GAP;
	while (total > width) {
		int widest = -1;

		for (size_t c = 0; c < table->column_count; c++)
			if (table->columns[c].shrink &&
			    widths[c] > SHRINK_MIN &&
			    (widest < 0 || widths[c] > widths[widest]))
				widest = (int)c;
		if (widest < 0)
			return;
		if (widths[widest] - (total - width) > TERM_WIDTH_MAX) {
			total -= widths[widest] - TERM_WIDTH_MAX;
			widths[widest] = TERM_WIDTH_MAX;
			continue;
		}
		widths[widest]--;
		total--;
	}
}

static void pad(struct buf *out, int n)
{
	for (int i = 0; i < n; i++)
		buf_char(out, ' ');
}

static void print_cell(const struct term *t, const struct term_table *table,
		       size_t column, const struct cell *cell, int width,
		       struct buf *out)
{
	bool last = column + 1 == table->column_count;
	int used = term_safe_width(cell->text);

	used = used > width ? width : used;
	if (table->columns[column].align == TERM_RIGHT)
		pad(out, width - used);
	if (cell->style != TERM_PLAIN)
		buf_text(out, term_style(t, cell->style));
	used = term_safe_cut(out, cell->text, width);
	if (cell->style != TERM_PLAIN)
		buf_text(out, term_style(t, TERM_PLAIN));
	if (last) {
		while (out->len && out->ptr[out->len - 1] == ' ')
			out->ptr[--out->len] = '\0';
		buf_char(out, '\n');
		return;
	}
	if (table->columns[column].align == TERM_LEFT)
		pad(out, width - used);
	pad(out, GAP);
}

bool term_table_print(const struct term *t, const struct term_table *table,
		      struct buf *out)
{
	int widths[TERM_COLUMNS_MAX];

	assert(table->column_count > 0);
	measure(table, widths);
	if (t->is_tty)
		fit(table, widths, t->width);
	for (size_t c = 0; c < table->column_count; c++) {
		struct cell head = { sv_from(table->columns[c].title),
				     TERM_BOLD };

		print_cell(t, table, c, &head, widths[c], out);
	}
	for (size_t i = 0; i < table->cell_count; i++)
		print_cell(t, table, i % table->column_count, &table->cells[i],
			   widths[i % table->column_count], out);
	return !table->dropped && !out->failed;
}
