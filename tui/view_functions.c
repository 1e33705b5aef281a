/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first screen: alarms that are not well on top, then one row a function.
 * Columns are dropped by rank until the name has room, so that a narrow
 * terminal still has what matters most: name, invocations, errors.
 */
#include <math.h>
#include <stdlib.h>

#include "tui/top.h"

enum {
	NAME_MIN = 12,
	NAME_MAX = 64, /* Lambda's limit for a function's name */
	SPARK_MIN = 8,
	ALARM_LINES_MAX = 5,
};

enum column {
	COLUMN_INVOCATIONS,
	COLUMN_ERRORS,
	COLUMN_P50,
	COLUMN_P99,
	COLUMN_COST,
	COLUMN_SPARK,
	COLUMNS_ALL,
};

static const struct {
	const char *title;
	const char *short_title; /* the key that sorts comes with it */
	int width;
	int rank; /* the largest is dropped first */
	enum sort sort;
} columns[COLUMNS_ALL] = {
	[COLUMN_INVOCATIONS] = { "INVOC", "INVOC", 8, 0, SORT_INVOCATIONS },
	[COLUMN_ERRORS] = { "ERRORS", "ERR", 7, 1, SORT_ERRORS },
	[COLUMN_P50] = { "P50", "P50", 7, 4, SORT_P50 },
	[COLUMN_P99] = { "P99", "P99", 7, 2, SORT_P99 },
	[COLUMN_COST] = { "COST", "COST", 12, 3, SORT_COST },
	[COLUMN_SPARK] = { "LAST 30 MIN", "30 MIN", SPARK_MIN, 5, SORTS },
};

struct layout {
	int name;
	int width[COLUMNS_ALL]; /* 0: not shown */
};

/* --- order ---------------------------------------------------------------- */

static double nan_last(double v)
{
	return isnan(v) ? -1 : v;
}

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct function_row *x = a, *y = b;
	const struct top *top = arg;
	int c = 0;

	switch (top->sort) {
	case SORT_INVOCATIONS:
		c = compare_numbers(x->invocations, y->invocations);
		break;
	case SORT_ERRORS:
		c = compare_numbers(x->errors, y->errors);
		break;
	case SORT_P50:
		c = compare_numbers(nan_last(x->p50_ms), nan_last(y->p50_ms));
		break;
	case SORT_P99:
		c = compare_numbers(nan_last(x->p99_ms), nan_last(y->p99_ms));
		break;
	case SORT_COST:
		c = compare_numbers(x->cost_order, y->cost_order);
		break;
	case SORT_NAME:
	case SORTS:
		c = sv_cmp(x->name, y->name);
		break;
	}
	if (top->reverse)
		c = -c;
	return c ? c : sv_cmp(x->name, y->name); /* a stable picture */
}

/* Sorts, and finds the selected function again by its name. */
static void update(struct top *top)
{
	struct functions *f = top->functions;

	if (!f || !f->count)
		return;
	qsort_r(f->rows, f->count, sizeof(*f->rows), compare_rows, top);
	for (size_t i = 0; top->selected[0] && i < f->count; i++)
		if (sv_eq(f->rows[i].name, sv_from(top->selected)))
			top->function_list.selected = i;
}

/* --- keys ----------------------------------------------------------------- */

static void select_row(struct top *top)
{
	const struct functions *f = top->functions;
	struct sv name;

	if (!f || top->function_list.selected >= f->count)
		return;
	name = f->rows[top->function_list.selected].name;
	if (name.len < sizeof(top->selected))
		snprintf(top->selected, sizeof(top->selected), "%.*s",
			 SV_ARG(name));
}

static bool open_traces(struct top *top)
{
	select_row(top);
	if (!top->functions || !top->functions->count || !top->selected[0])
		return false;
	if (strcmp(top->question.function, top->selected)) {
		snprintf(top->question.function, sizeof(top->question.function),
			 "%s", top->selected);
		model_traces_free(top->traces);
		top->traces = NULL;
		top->trace_list = (struct list){ 0 };
		top->selected_trace[0] = '\0';
	}
	top_enter(top, &view_traces);
	return true;
}

static bool act(struct top *top, enum action action)
{
	size_t count = top->functions ? top->functions->count : 0;

	switch (action) {
	case ACT_OPEN:
		return open_traces(top);
	case ACT_ALARMS:
		top_enter(top, &view_alarms);
		return true;
	case ACT_MAP:
		top->question.map = true;
		top_enter(top, &view_map);
		return true;
	case ACT_REVERSE:
		top->reverse = !top->reverse;
		update(top);
		return true;
	case ACT_SORT_NAME:
	case ACT_SORT_INVOCATIONS:
	case ACT_SORT_ERRORS:
	case ACT_SORT_P50:
	case ACT_SORT_P99:
	case ACT_SORT_COST:
		top->sort = (enum sort)(action - ACT_SORT_NAME);
		top->reverse = action != ACT_SORT_NAME; /* the most first */
		update(top);
		return true;
	default:
		if (!list_act(&top->function_list, count, action))
			return false;
		select_row(top);
		return true;
	}
}

/* --- drawing -------------------------------------------------------------- */

static int longest_name(const struct functions *f)
{
	int longest = NAME_MIN;

	for (size_t i = 0; i < f->count; i++) {
		int width = term_safe_width(f->rows[i].name);

		if (width > longest)
			longest = width;
	}
	return longest > NAME_MAX ? NAME_MAX : longest;
}

static struct layout plan(const struct functions *f, int width)
{
	struct layout l = { 0 };
	int left = width - NAME_MIN, wanted;

	for (int rank = 0; rank < COLUMNS_ALL; rank++)
		for (int c = 0; c < COLUMNS_ALL; c++) {
			if (columns[c].rank != rank)
				continue;
			if (left < columns[c].width + 1) {
				left = 0; /* nothing of a lower rank either */
				break;
			}
			l.width[c] = columns[c].width;
			left -= columns[c].width + 1;
		}
	l.name = width;
	for (int c = 0; c < COLUMNS_ALL; c++)
		l.name -= l.width[c] ? l.width[c] + 1 : 0;
	wanted = longest_name(f);
	if (l.width[COLUMN_SPARK] && l.name > wanted) {
		int more = l.name - wanted;
		int room = SPARK_MAX - l.width[COLUMN_SPARK];

		l.width[COLUMN_SPARK] += more < room ? more : room;
	}
	if (l.name > wanted)
		l.name = wanted;
	return l;
}

static void draw_alarm_line(struct top *top, struct cells *cells,
			    struct area area, int y,
			    const struct alarm_row *row)
{
	unsigned style = row->state == ALARM_ALARM ? TERM_RED | CELL_BOLD :
						     TERM_YELLOW;
	struct buf ago = BUF_INIT;
	int x = area.x, end = area.x + area.columns;

	x += cells_text(cells, x, y, end - x, style,
			row->state == ALARM_ALARM ? SV("ALARM ") :
						    SV("no data "));
	x += cells_text(cells, x, y, end - x, style & CELL_BOLD, row->name);
	top_ago(top, &ago, row->since);
	x += cells_format(cells, x, y, end - x, TERM_DIM, " for %s ", ago.ptr);
	cells_text(cells, x, y, end - x, TERM_PLAIN, row->reason);
	buf_fini(&ago);
}

/* Returns the lines taken: a summary, and the alarms that are not well. */
static int draw_alarms(struct top *top, struct cells *cells, struct area area)
{
	const struct alarms *a = top->alarms;
	size_t shown, unwell;
	int most = area.rows / 4;
	int y = area.y;

	if (!a || !a->count || area.rows < 6)
		return 0;
	if (most > ALARM_LINES_MAX)
		most = ALARM_LINES_MAX;
	cells_format(cells, area.x, y++, area.columns,
		     a->in_state[ALARM_ALARM] ? TERM_RED : TERM_GREEN,
		     "%zu alarms: %zu in alarm, %zu ok, %zu without data",
		     a->count + a->left_out, a->in_state[ALARM_ALARM],
		     a->in_state[ALARM_OK], a->in_state[ALARM_NO_DATA]);
	unwell = a->in_state[ALARM_ALARM];
	shown = unwell > (size_t)most ? (size_t)most : unwell;
	for (size_t i = 0; i < shown; i++)
		draw_alarm_line(top, cells, area, y++, &a->rows[i]);
	return y - area.y;
}

static void draw_head(struct top *top, struct cells *cells, struct area area,
		      const struct layout *l)
{
	const char *mark = top->reverse ? (top->utf8 ? "▼" : "-") :
					  (top->utf8 ? "▲" : "+");
	int x = area.x + l->name;

	cells_format(cells, area.x, area.y, l->name, TERM_PLAIN, "FUNCTION%s",
		     top->sort == SORT_NAME ? mark : "");
	for (int c = 0; c < COLUMNS_ALL; c++) {
		struct buf text = BUF_INIT;

		if (!l->width[c])
			continue;
		if (columns[c].sort == top->sort)
			buf_text(&text, mark);
		buf_text(&text, l->width[c] > (int)strlen(columns[c].title) ?
					columns[c].title :
					columns[c].short_title);
		if (c == COLUMN_SPARK)
			cells_text(cells, x + 1, area.y, l->width[c],
				   TERM_PLAIN, buf_view(&text));
		else
			cells_right(cells, x + 1, area.y, l->width[c],
				    TERM_PLAIN, buf_view(&text));
		x += l->width[c] + 1;
		buf_fini(&text);
	}
	area.rows = 1;
	cells_style(cells, area, CELL_REVERSE);
}

static void count_text(struct buf *out, double count)
{
	if (count < 1e7)
		buf_format(out, "%.0f", count);
	else
		term_count(out, count);
}

/* The text of a number's cell; its style is returned. */
static unsigned cell_text(const struct function_row *row, enum column column,
			  struct buf *text)
{
	switch (column) {
	case COLUMN_INVOCATIONS:
		count_text(text, row->invocations);
		return TERM_PLAIN;
	case COLUMN_ERRORS:
		count_text(text, row->errors);
		return row->errors > 0 ? TERM_RED : TERM_DIM;
	case COLUMN_P50:
		term_seconds(text, row->p50_ms / 1e3);
		return TERM_PLAIN;
	case COLUMN_P99:
		term_seconds(text, row->p99_ms / 1e3);
		return TERM_PLAIN;
	case COLUMN_COST:
		if (row->cost.len)
			term_money(text, row->cost);
		else
			buf_char(text, '-'); /* no price is known for it */
		return TERM_PLAIN;
	case COLUMN_SPARK:
	case COLUMNS_ALL:
		break;
	}
	return TERM_PLAIN;
}

static void draw_row(const struct top *top, struct cells *cells,
		     struct area area, const struct layout *l,
		     const struct function_row *row)
{
	int x = area.x + l->name;

	cells_text(cells, area.x, area.y, l->name,
		   row->invocations > 0 ? TERM_PLAIN : TERM_DIM, row->name);
	for (int c = 0; c < COLUMNS_ALL; c++) {
		struct buf text = BUF_INIT;
		unsigned style;

		if (!l->width[c])
			continue;
		if (c == COLUMN_SPARK) {
			term_spark(&text, row->spark, row->spark_count,
				   l->width[c], top->utf8);
			cells_text(cells, x + 1, area.y, l->width[c], TERM_CYAN,
				   buf_view(&text));
		} else {
			style = cell_text(row, (enum column)c, &text);
			cells_right(cells, x + 1, area.y, l->width[c], style,
				    buf_view(&text));
		}
		x += l->width[c] + 1;
		buf_fini(&text);
	}
}

static void draw(struct top *top, struct cells *cells, struct area area)
{
	const struct functions *f = top->functions;
	struct list *list = &top->function_list;
	struct layout l;
	int used = draw_alarms(top, cells, area);

	area.y += used;
	area.rows -= used;
	if (!f || !f->count) {
		cells_text(cells, area.x, area.y, area.columns, TERM_DIM,
			   !f ? SV("waiting for the collector") :
				SV("no function has run in the last hour"));
		return;
	}
	l = plan(f, area.columns);
	draw_head(top, cells, area, &l);
	list_fit(list, f->count, (size_t)(area.rows - 1));
	for (int i = 1; i < area.rows; i++) {
		size_t index = list->top + (size_t)i - 1;
		struct area line = { area.x, area.y + i, area.columns, 1 };

		if (index >= f->count)
			break;
		draw_row(top, cells, line, &l, &f->rows[index]);
		if (index == list->selected && !top->once)
			cells_style(cells, line, CELL_REVERSE);
	}
}

const struct view view_functions = {
	.name = "functions",
	.keys = IN_FUNCTIONS,
	.update = update,
	.act = act,
	.draw = draw,
};
