/* SPDX-License-Identifier: Apache-2.0 */
/* Every alarm, most urgent first; the reason of the selected one in full. */
#include "tui/top.h"

enum { STATE_COLUMNS = 17, SINCE_COLUMNS = 8, REASON_ROWS = 3 };

static void update(struct top *top)
{
	list_fit(&top->alarm_list, top->alarms ? top->alarms->count : 0,
		 top->alarm_list.rows);
}

static bool act(struct top *top, enum action action)
{
	return list_act(&top->alarm_list, top->alarms ? top->alarms->count : 0,
			action);
}

static enum term_style style_of(enum alarm_state state)
{
	static const enum term_style styles[] = {
		[ALARM_ALARM] = TERM_RED,
		[ALARM_NO_DATA] = TERM_YELLOW,
		[ALARM_OK] = TERM_GREEN,
	};

	return styles[state];
}

static void draw_row(struct top *top, struct cells *cells, struct area area,
		     const struct alarm_row *row)
{
	struct buf ago = BUF_INIT;
	int rest = area.columns - STATE_COLUMNS - SINCE_COLUMNS - 2;

	cells_text(cells, area.x, area.y, STATE_COLUMNS, style_of(row->state),
		   row->state_text);
	top_ago(top, &ago, row->since);
	cells_right(cells, area.x + STATE_COLUMNS + 1, area.y, SINCE_COLUMNS,
		    TERM_DIM, buf_view(&ago));
	cells_text(cells, area.x + STATE_COLUMNS + SINCE_COLUMNS + 2, area.y,
		   rest, TERM_PLAIN, row->name);
	buf_fini(&ago);
}

/* The reason over several lines, broken at the width. */
static void draw_reason(struct cells *cells, struct area area, struct sv reason)
{
	for (int i = 0; i < area.rows && reason.len; i++) {
		size_t n = (size_t)area.columns;

		if (n >= reason.len || i == area.rows - 1)
			n = reason.len;
		else
			while (n > 1 && reason.ptr[n - 1] != ' ')
				n--;
		if (n == 1) /* one long word: cut by the cells */
			n = reason.len;
		cells_text(cells, area.x, area.y + i, area.columns, TERM_PLAIN,
			   sv_make(reason.ptr, n));
		reason = sv_make(reason.ptr + n, reason.len - n);
	}
}

static void draw(struct top *top, struct cells *cells, struct area area)
{
	const struct alarms *a = top->alarms;
	struct list *list = &top->alarm_list;
	int reason = area.rows > 8 ? REASON_ROWS : 0;
	struct area head = { area.x, area.y, area.columns, 1 };
	struct area below = { area.x, area.y + area.rows - reason, area.columns,
			      reason };

	if (!a || !a->count) {
		cells_text(cells, area.x, area.y, area.columns, TERM_DIM,
			   a ? SV("there are no alarms") :
			       SV("waiting for the collector"));
		return;
	}
	cells_format(cells, area.x, area.y, area.columns, TERM_PLAIN,
		     "%-*s %*s %s", STATE_COLUMNS, "STATE", SINCE_COLUMNS,
		     "FOR", "ALARM");
	cells_style(cells, head, CELL_REVERSE);
	list_fit(list, a->count, (size_t)(area.rows - 1 - reason));
	for (size_t i = 0; i < list->rows && list->top + i < a->count; i++) {
		struct area line = { area.x, area.y + 1 + (int)i, area.columns,
				     1 };

		draw_row(top, cells, line, &a->rows[list->top + i]);
		if (list->top + i == list->selected)
			cells_style(cells, line, CELL_REVERSE);
	}
	draw_reason(cells, below, a->rows[list->selected].reason);
}

const struct view view_alarms = {
	.name = "alarms",
	.keys = IN_ALARMS,
	.update = update,
	.act = act,
	.draw = draw,
};
