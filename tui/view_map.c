/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls whom, how often, how well, how fast. */
#include <math.h>

#include "tui/top.h"

enum { NUMBER_COLUMNS = 7, NUMBERS = 5, NAME_MIN = 12, NAME_MAX = 60 };

static size_t count_lines(const struct top *top)
{
	return top->map ? top->map->count : 0;
}

static void update(struct top *top)
{
	list_fit(&top->map_list, count_lines(top), top->map_list.rows);
}

static bool act(struct top *top, enum action action)
{
	if (action == ACT_BACK) {
		top->question.map = false;
		top_leave(top);
		return true;
	}
	return list_act(&top->map_list, count_lines(top), action);
}

/* How many of the numbers have room beside the name. */
static int numbers_in(int columns)
{
	int n = (columns - NAME_MIN) / (NUMBER_COLUMNS + 1);

	if (n < 0)
		return 0;
	return n > NUMBERS ? NUMBERS : n;
}

static int name_columns(int columns)
{
	int name = columns - numbers_in(columns) * (NUMBER_COLUMNS + 1);

	return name > NAME_MAX ? NAME_MAX : name;
}

static void draw_numbers(struct cells *cells, struct area area,
			 const struct map_line *line)
{
	int n = numbers_in(area.columns);
	int x = area.x + name_columns(area.columns) + 1;

	for (int i = 0; i < n; i++, x += NUMBER_COLUMNS + 1) {
		struct buf text = BUF_INIT;
		unsigned style = TERM_PLAIN;

		if (i == 0) {
			term_count(&text, line->total);
		} else if (i == 1) {
			term_count(&text, line->errors);
			style = line->errors > 0 ? TERM_YELLOW : TERM_DIM;
		} else if (i == 2) {
			term_count(&text, line->faults);
			style = line->faults > 0 ? TERM_RED : TERM_DIM;
		} else {
			term_seconds(&text, i == 3 ? line->p50_s : line->p99_s);
		}
		if (i == 3 && line->is_edge && !isnan(line->p50_s))
			style = TERM_DIM; /* a mean, not a median */
		cells_right(cells, x, area.y, NUMBER_COLUMNS, style,
			    buf_view(&text));
		buf_fini(&text);
	}
}

static void draw_line(const struct top *top, struct cells *cells,
		      struct area area, const struct map_line *line)
{
	int x = area.x, end = area.x + name_columns(area.columns);

	if (line->is_edge)
		x += cells_text(cells, x, area.y, end - x, TERM_DIM,
				top->utf8 ? SV("  → ") : SV("  > "));
	x += cells_text(cells, x, area.y, end - x,
			line->is_edge ? (unsigned)TERM_PLAIN :
					(unsigned)CELL_BOLD,
			line->name);
	if (line->type.len && end - x > 8)
		cells_text(cells, x + 2, area.y, end - x - 2, TERM_DIM,
			   line->type);
	draw_numbers(cells, area, line);
}

static void draw_head(struct cells *cells, struct area area)
{
	static const char *const titles[NUMBERS] = { "CALLS", "ERRORS",
						     "FAULTS", "P50", "P99" };
	int x = area.x + name_columns(area.columns) + 1;

	cells_text(cells, area.x, area.y, name_columns(area.columns),
		   TERM_PLAIN, SV("SERVICE"));
	for (int i = 0; i < numbers_in(area.columns); i++) {
		cells_right(cells, x, area.y, NUMBER_COLUMNS, TERM_PLAIN,
			    sv_from(titles[i]));
		x += NUMBER_COLUMNS + 1;
	}
	area.rows = 1;
	cells_style(cells, area, CELL_REVERSE);
}

static void draw(struct top *top, struct cells *cells, struct area area)
{
	const struct map *m = top->map;
	struct list *list = &top->map_list;

	if (!m || !m->count) {
		cells_text(cells, area.x, area.y, area.columns, TERM_DIM,
			   m ? SV("no calls in the last hour") :
			       SV("waiting for the collector"));
		return;
	}
	draw_head(cells, area);
	list_fit(list, m->count, (size_t)(area.rows - 1));
	for (size_t i = 0; i < list->rows && list->top + i < m->count; i++) {
		struct area line = { area.x, area.y + 1 + (int)i, area.columns,
				     1 };

		draw_line(top, cells, line, &m->lines[list->top + i]);
		if (list->top + i == list->selected)
			cells_style(cells, line, CELL_REVERSE);
	}
}

const struct view view_map = {
	.name = "map",
	.keys = IN_MAP,
	.update = update,
	.act = act,
	.draw = draw,
};
