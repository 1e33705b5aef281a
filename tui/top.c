/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/top.h"

#include <assert.h>

void top_init(struct top *top, const char *endpoint)
{
	*top = (struct top){
		.endpoint = endpoint,
		.stack = { &view_functions },
		.depth = 1,
		.sort = SORT_INVOCATIONS,
		.reverse = true,
	};
}

void top_fini(struct top *top)
{
	model_functions_free(top->functions);
	model_alarms_free(top->alarms);
	model_traces_free(top->traces);
	waterfall_free(top->trace);
	map_free(top->map);
}

const struct view *top_view(const struct top *top)
{
	return top->stack[top->depth - 1];
}

void top_enter(struct top *top, const struct view *view)
{
	if (top->depth == TOP_DEPTH_MAX)
		return;
	top->stack[top->depth++] = view;
	view->update(top);
}

void top_leave(struct top *top)
{
	if (top->depth > 1)
		top->depth--;
	top_view(top)->update(top);
}

void top_take(struct top *top, struct delivery *d)
{
	if (d->functions) {
		model_functions_free(top->functions);
		top->functions = d->functions;
	}
	if (d->alarms) {
		model_alarms_free(top->alarms);
		top->alarms = d->alarms;
	}
	/* An answer to what is asked no more is thrown away. */
	if (d->traces &&
	    sv_eq(d->traces->function, sv_from(top->question.function))) {
		model_traces_free(top->traces);
		top->traces = d->traces;
		d->traces = NULL;
	}
	if (d->trace && sv_eq(d->trace->asked, sv_from(top->question.trace))) {
		waterfall_free(top->trace);
		top->trace = d->trace;
		d->trace = NULL;
	}
	if (d->map) {
		map_free(top->map);
		top->map = d->map;
	}
	d->map = NULL;
	d->functions = NULL;
	d->alarms = NULL;
	top->link = d->link;
	for (size_t i = 0; i < top->depth; i++)
		top->stack[i]->update(top);
}

void top_key(struct top *top, int key)
{
	const struct view *view = top_view(top);
	enum action action = keys_action(key, view->keys);

	switch (action) {
	case ACT_NONE:
		return;
	case ACT_QUIT:
		top->quit = true;
		return;
	case ACT_REFRESH:
		top->hurry = true;
		return;
	case ACT_HELP:
		if (view == &view_help)
			top_leave(top);
		else
			top_enter(top, &view_help);
		return;
	default:
		if (!view->act(top, action) && action == ACT_BACK)
			top_leave(top);
	}
}

bool top_sort_parse(const char *name, enum sort *out)
{
	static const char *const names[SORTS] = { "name",   "invocations",
						  "errors", "p50",
						  "p99",    "cost" };

	for (int i = 0; i < SORTS; i++)
		if (!strcmp(name, names[i])) {
			*out = (enum sort)i;
			return true;
		}
	return false;
}

enum term_style top_status_style(enum span_status status)
{
	static const enum term_style styles[] = {
		[SPAN_OK] = TERM_GREEN,
		[SPAN_THROTTLE] = TERM_YELLOW,
		[SPAN_ERROR] = TERM_YELLOW,
		[SPAN_FAULT] = TERM_RED,
	};

	return styles[status];
}

void top_ago(const struct top *top, struct buf *out, double epoch)
{
	double ago = top->now - epoch;

	if (epoch <= 0)
		buf_char(out, '-');
	else if (ago < 1)
		buf_text(out, "0s");
	else if (ago < 60)
		buf_format(out, "%.0fs", ago < 59 ? ago : 59.0);
	else
		term_seconds(out, ago);
}

/* Left the view, right the time; the endpoint in between where it fits. */
static void draw_title(struct top *top, struct cells *cells)
{
	struct buf clock = BUF_INIT;
	int used, columns = cells->columns;

	term_clock(&clock, top->now);
	buf_char(&clock, 'Z');
	cells_right(cells, 0, 0, columns, TERM_PLAIN, buf_view(&clock));
	columns -= (int)clock.len + 1;
	used = cells_format(cells, 0, 0, columns, CELL_BOLD, "tally-top %s",
			    top_view(top)->name);
	if (columns - used > 2 + (int)strlen(top->endpoint))
		cells_text(cells, used + 2, 0, columns - used - 2, TERM_DIM,
			   sv_from(top->endpoint));
	buf_fini(&clock);
}

/* The last line: what is wrong, or else the keys. */
static void draw_status(struct top *top, struct cells *cells)
{
	struct buf text = BUF_INIT;
	int y = cells->rows - 1;
	unsigned style = TERM_DIM;

	if (top->link.lost) {
		style = TERM_RED | CELL_BOLD;
		buf_text(&text, "no answer since ");
		term_clock(&text, top->link.lost_since);
		buf_text(&text, "Z (");
		top_ago(top, &text, top->link.lost_since);
		buf_char(&text, ')');
		if (top->link.heard > 0) {
			buf_text(&text, ", data of ");
			term_clock(&text, top->link.heard);
			buf_char(&text, 'Z');
		}
		buf_format(&text, ": %s", top->link.text);
	} else if (!top->once) {
		buf_text(&text, top_view(top)->keys == IN_FUNCTIONS ?
					"? help  q quit  enter traces  "
					"a alarms  m map  r reverse" :
					"? help  q quit  esc back");
	}
	cells_text(cells, 0, y, cells->columns, style, buf_view(&text));
	buf_fini(&text);
}

void top_draw(struct top *top, struct cells *cells)
{
	struct area body = { 0, 1, cells->columns, cells->rows - 2 };

	cells_clear(cells);
	if (cells->columns < TOP_COLUMNS_MIN || cells->rows < TOP_ROWS_MIN) {
		cells_text(cells, 0, 0, cells->columns, TERM_PLAIN,
			   SV("too small"));
		return;
	}
	draw_title(top, cells);
	top_view(top)->draw(top, cells, body);
	if (top->link.lost) /* old data must look old */
		cells_style(cells, body, TERM_DIM | CELL_DIM);
	draw_status(top, cells);
}
