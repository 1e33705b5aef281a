/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One trace: its waterfall, then its logs, then its cost, as one list of lines
 * that scrolls. Bars share one scale, from the first start to the last end.
 */
#include <math.h>

#include "tui/top.h"

enum {
	DURATION_COLUMNS = 8,
	NAME_PERCENT = 40,
	NAME_MIN = 10,
	TIME_COLUMNS = 12,
	INDENT_MAX = 16, /* columns of depth; deeper is not moved further */
};

enum line_kind {
	LINE_SPAN,
	LINE_BLANK,
	LINE_LOGS,
	LINE_EVENT,
	LINE_COST,
	LINE_SUMMARY,
	LINE_CHARGE,
	LINE_NOTE,
};

struct line {
	enum line_kind kind;
	size_t index;
};

static size_t event_lines(const struct waterfall *t)
{
	return t->event_count ? t->event_count + 2 : 0;
}

static size_t cost_lines(const struct waterfall *t)
{
	return t->charge_count ? t->charge_count + 3 + (t->note.len > 0) : 0;
}

static size_t count_lines(const struct waterfall *t)
{
	return t ? t->span_count + event_lines(t) + cost_lines(t) : 0;
}

/* What stands in line at, counted from the first span. */
static struct line line_at(const struct waterfall *t, size_t at)
{
	if (at < t->span_count)
		return (struct line){ LINE_SPAN, at };
	at -= t->span_count;
	if (at < event_lines(t)) {
		if (at < 2)
			return (struct line){ at ? LINE_LOGS : LINE_BLANK, 0 };
		return (struct line){ LINE_EVENT, at - 2 };
	}
	at -= event_lines(t);
	if (at < 3)
		return (struct line){ at == 0 ? LINE_BLANK :
				      at == 1 ? LINE_COST :
						LINE_SUMMARY,
				      0 };
	if (at - 3 < t->charge_count)
		return (struct line){ LINE_CHARGE, at - 3 };
	return (struct line){ LINE_NOTE, 0 };
}

static void update(struct top *top)
{
	list_fit(&top->line_list, count_lines(top->trace), top->line_list.rows);
}

static bool act(struct top *top, enum action action)
{
	if (action == ACT_BACK) {
		top->question.trace[0] = '\0';
		top_leave(top);
		return true;
	}
	return list_act(&top->line_list, count_lines(top->trace), action);
}

/* --- lines ------------------------------------------------------------------ */

static void draw_bar(const struct top *top, struct cells *cells,
		     struct area area, const struct span *span)
{
	const struct waterfall *t = top->trace;
	double scale = t->duration_s > 0 ? area.columns / t->duration_s : 0;
	double from = (span->start - t->start) * scale;
	double to = (span->end - t->start) * scale;
	struct buf bar = BUF_INIT;

	if (!(span->start > 0) || !isfinite(from) || !isfinite(to))
		return;
	/* What took no time, or has not ended, is still to be seen. */
	if (to - from < 0.125)
		to = from + 0.125;
	if (to > area.columns) {
		to = area.columns;
		from = fmin(from, to - 0.125);
	}
	term_bar(&bar, from, to, area.columns, top->utf8);
	cells_text(cells, area.x, area.y, area.columns,
		   top_status_style(span->status), buf_view(&bar));
	buf_fini(&bar);
}

static void draw_span(const struct top *top, struct cells *cells,
		      struct area area, const struct span *span)
{
	int name = area.columns * NAME_PERCENT / 100;
	int indent = 2 * span->depth < INDENT_MAX ? 2 * span->depth :
						    INDENT_MAX;
	struct buf text = BUF_INIT;
	int x = area.x, used;

	if (name < NAME_MIN)
		name = NAME_MIN;
	if (indent > name - NAME_MIN / 2)
		indent = name - NAME_MIN / 2;
	used = cells_text(cells, x + indent, area.y, name - indent, TERM_PLAIN,
			  span->name);
	if (span->detail.len && name - indent - used > 4)
		cells_text(cells, x + indent + used + 1, area.y,
			   name - indent - used - 1, TERM_DIM, span->detail);
	x += name + 1;
	if (span->in_progress)
		buf_text(&text, "open");
	else
		term_seconds(&text, span->end - span->start);
	cells_right(cells, x, area.y, DURATION_COLUMNS,
		    span->status == SPAN_OK ? (unsigned)TERM_PLAIN :
					      top_status_style(span->status),
		    buf_view(&text));
	buf_fini(&text);
	x += DURATION_COLUMNS + 1;
	if (area.x + area.columns - x > 4)
		draw_bar(top, cells,
			 (struct area){ x, area.y, area.x + area.columns - x,
					1 },
			 span);
}

static void draw_event(const struct top *top, struct cells *cells,
		       struct area area, const struct event *event)
{
	struct buf offset = BUF_INIT;

	if (!event->continued) {
		buf_char(&offset, '+');
		term_seconds(&offset, fmax(event->time - top->trace->start, 0));
	}
	cells_right(cells, area.x, area.y, TIME_COLUMNS - 2, TERM_DIM,
		    buf_view(&offset));
	cells_text(cells, area.x + TIME_COLUMNS, area.y,
		   area.columns - TIME_COLUMNS, TERM_PLAIN, event->message);
	buf_fini(&offset);
}

static void draw_charge(struct cells *cells, struct area area,
			const struct charge *charge)
{
	struct buf text = BUF_INIT;
	int x = area.x + 2;

	x += cells_format(cells, x, area.y, area.columns - 2, TERM_PLAIN,
			  "%.*s  ", SV_ARG(charge->usage_type));
	buf_sv(&text, charge->quantity);
	buf_char(&text, ' ');
	buf_sv(&text, charge->unit);
	buf_text(&text, "  $");
	buf_sv(&text, charge->cost);
	cells_text(cells, x, area.y, area.x + area.columns - x, TERM_DIM,
		   buf_view(&text));
	buf_fini(&text);
}

static void draw_heading(struct cells *cells, struct area area,
			 const char *text, struct sv rest)
{
	int used = cells_text(cells, area.x, area.y, area.columns, TERM_CYAN,
			      sv_from(text));

	if (rest.len)
		cells_format(cells, area.x + used + 1, area.y,
			     area.columns - used - 1, CELL_BOLD, "$%.*s",
			     SV_ARG(rest));
}

static void draw_line(const struct top *top, struct cells *cells,
		      struct area area, size_t at)
{
	const struct waterfall *t = top->trace;
	struct line line = line_at(t, at);
	struct area indented = { area.x + 2, area.y, area.columns - 2, 1 };

	switch (line.kind) {
	case LINE_SPAN:
		draw_span(top, cells, area, &t->spans[line.index]);
		break;
	case LINE_BLANK:
		break;
	case LINE_LOGS:
		draw_heading(cells, area, "Logs", SV(""));
		break;
	case LINE_EVENT:
		draw_event(top, cells, area, &t->events[line.index]);
		break;
	case LINE_COST:
		draw_heading(cells, area, "Cost", t->total);
		break;
	case LINE_SUMMARY:
		cells_text(cells, indented.x, area.y, indented.columns,
			   TERM_PLAIN, t->summary);
		break;
	case LINE_CHARGE:
		draw_charge(cells, area, &t->charges[line.index]);
		break;
	case LINE_NOTE:
		cells_text(cells, indented.x, area.y, indented.columns,
			   TERM_DIM, t->note);
		break;
	}
}

static void draw_head(const struct top *top, struct cells *cells,
		      struct area area)
{
	const struct waterfall *t = top->trace;
	struct buf text = BUF_INIT;
	int x = area.x, end = area.x + area.columns;

	x += cells_text(cells, x, area.y, area.columns, CELL_BOLD, t->id) + 1;
	x += cells_text(cells, x, area.y, end - x, top_status_style(t->status),
			t->status_text) +
	     1;
	term_seconds(&text, t->duration_s);
	buf_format(&text, " %zu spans", t->span_count);
	if (t->partial)
		buf_text(&text, ", not complete");
	if (t->left_out)
		buf_format(&text, ", %zu lines left out", t->left_out);
	cells_text(cells, x, area.y, end - x, TERM_PLAIN, buf_view(&text));
	buf_fini(&text);
}

static void draw(struct top *top, struct cells *cells, struct area area)
{
	const struct waterfall *t = top->trace;
	struct list *list = &top->line_list;
	size_t count = count_lines(t);

	if (!t) {
		cells_text(cells, area.x, area.y, area.columns, TERM_DIM,
			   top->link.refused[0] ?
				   sv_from(top->link.refused) :
				   SV("waiting for the collector"));
		return;
	}
	draw_head(top, cells, area);
	area.y++;
	area.rows--;
	list_fit(list, count, area.rows > 0 ? (size_t)area.rows : 0);
	for (size_t i = 0; i < list->rows && list->top + i < count; i++) {
		struct area line = { area.x, area.y + (int)i, area.columns, 1 };

		draw_line(top, cells, line, list->top + i);
		if (list->top + i == list->selected)
			cells_style(cells, line, CELL_REVERSE);
	}
}

const struct view view_trace = {
	.name = "trace",
	.keys = IN_TRACE,
	.update = update,
	.act = act,
	.draw = draw,
};
