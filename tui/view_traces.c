/* SPDX-License-Identifier: Apache-2.0 */
/* Recent traces of one function, newest first. */
#include "tui/top.h"

enum {
	TIME_COLUMNS = 12,
	STATUS_COLUMNS = 8,
	DURATION_COLUMNS = 8,
	ROOT_COLUMNS = 24,
	ID_COLUMNS = 36,
};

static void update(struct top *top)
{
	const struct traces *t = top->traces;

	for (size_t i = 0; t && top->selected_trace[0] && i < t->count; i++)
		if (sv_eq(t->rows[i].id, sv_from(top->selected_trace)))
			top->trace_list.selected = i;
	list_fit(&top->trace_list, t ? t->count : 0, top->trace_list.rows);
}

static void select_row(struct top *top)
{
	struct sv id = top->traces->rows[top->trace_list.selected].id;

	if (id.len < sizeof(top->selected_trace))
		snprintf(top->selected_trace, sizeof(top->selected_trace),
			 "%.*s", SV_ARG(id));
}

static bool open_trace(struct top *top)
{
	select_row(top);
	if (strcmp(top->question.trace, top->selected_trace)) {
		snprintf(top->question.trace, sizeof(top->question.trace), "%s",
			 top->selected_trace);
		waterfall_free(top->trace);
		top->trace = NULL;
		top->line_list = (struct list){ 0 };
	}
	top_enter(top, &view_trace);
	return true;
}

static bool act(struct top *top, enum action action)
{
	size_t count = top->traces ? top->traces->count : 0;

	if (action == ACT_BACK) {
		top->question.function[0] = '\0';
		top_leave(top);
		return true;
	}
	if (!count)
		return false;
	if (action == ACT_OPEN)
		return open_trace(top);
	if (!list_act(&top->trace_list, count, action))
		return false;
	select_row(top);
	return true;
}

static void draw_row(struct cells *cells, struct area area,
		     const struct trace_row *row)
{
	struct buf text = BUF_INIT;
	int x = area.x, end = area.x + area.columns;

	/* Of the ISO form, the time of day with milliseconds. */
	term_time(&text, row->start, true);
	if (text.len > 12)
		cells_text(cells, x, area.y, TIME_COLUMNS, TERM_DIM,
			   sv_make(text.ptr + 11, text.len - 12));
	x += TIME_COLUMNS + 1;
	buf_reset(&text);
	term_seconds(&text, row->duration_s);
	cells_right(cells, x, area.y, DURATION_COLUMNS, TERM_PLAIN,
		    buf_view(&text));
	x += DURATION_COLUMNS + 1;
	cells_text(cells, x, area.y, STATUS_COLUMNS,
		   top_status_style(row->status), row->status_text);
	x += STATUS_COLUMNS + 1;
	if (end - x > ROOT_COLUMNS + ID_COLUMNS) {
		cells_text(cells, x, area.y, ROOT_COLUMNS, TERM_PLAIN,
			   row->root);
		x += ROOT_COLUMNS + 1;
	}
	cells_text(cells, x, area.y, ID_COLUMNS, TERM_PLAIN, row->id);
	x += ID_COLUMNS + 1;
	if (end - x >= ID_COLUMNS)
		cells_text(cells, x, area.y, end - x, TERM_DIM,
			   row->request_id);
	buf_fini(&text);
}

static void draw_head(struct top *top, struct cells *cells, struct area area)
{
	int x = area.x;
	int end = area.x + area.columns;

	cells_format(cells, x, area.y, area.columns, CELL_BOLD, "%s%s",
		     top->question.function,
		     top->traces && (top->traces->truncated ||
				     top->traces->left_out) ?
			     " (the latest)" :
			     "");
	area.y++;
	cells_format(cells, x, area.y, area.columns, TERM_PLAIN,
		     "%-*s %*s %-*s", TIME_COLUMNS, "TIME", DURATION_COLUMNS,
		     "DURATION", STATUS_COLUMNS, "STATUS");
	x += TIME_COLUMNS + DURATION_COLUMNS + STATUS_COLUMNS + 3;
	if (end - x > ROOT_COLUMNS + ID_COLUMNS) {
		cells_text(cells, x, area.y, end - x, TERM_PLAIN, SV("ROOT"));
		x += ROOT_COLUMNS + 1;
	}
	cells_text(cells, x, area.y, end - x, TERM_PLAIN, SV("TRACE"));
	x += ID_COLUMNS + 1;
	if (end - x >= ID_COLUMNS)
		cells_text(cells, x, area.y, end - x, TERM_PLAIN,
			   SV("REQUEST"));
	area.rows = 1;
	cells_style(cells, area, CELL_REVERSE);
}

static struct sv nothing(const struct top *top)
{
	if (top->link.refused[0])
		return sv_from(top->link.refused);
	return top->traces ? SV("no traces of it are kept") :
			     SV("waiting for the collector");
}

static void draw(struct top *top, struct cells *cells, struct area area)
{
	const struct traces *t = top->traces;
	struct list *list = &top->trace_list;

	draw_head(top, cells, area);
	area.y += 2;
	area.rows -= 2;
	if (!t || !t->count) {
		cells_text(cells, area.x, area.y, area.columns, TERM_DIM,
			   nothing(top));
		return;
	}
	list_fit(list, t->count, area.rows > 0 ? (size_t)area.rows : 0);
	for (size_t i = 0; i < list->rows && list->top + i < t->count; i++) {
		struct area line = { area.x, area.y + (int)i, area.columns, 1 };

		draw_row(cells, line, &t->rows[list->top + i]);
		if (list->top + i == list->selected)
			cells_style(cells, line, CELL_REVERSE);
	}
}

const struct view view_traces = {
	.name = "traces",
	.keys = IN_TRACES,
	.update = update,
	.act = act,
	.draw = draw,
};
