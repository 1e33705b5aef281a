/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Top: the dashboard without a terminal, a network or a clock. What arrives
 * goes in by top_take, keys by top_key, the time by top.now; out come a grid
 * (top_draw) and the question that the feed has to ask (top_question). A view
 * is a constant table of functions on it; keys.def says which keys it has.
 */
#ifndef TALLY_TUI_TOP_H
#define TALLY_TUI_TOP_H

#include "tui/cells.h"
#include "tui/feed.h"
#include "tui/keys.h"
#include "tui/list.h"

enum {
	TOP_COLUMNS_MIN = 20, /* below it says that it needs more room */
	TOP_ROWS_MIN = 4,
	TOP_DEPTH_MAX = 4, /* views one in another, and the help */
};

enum sort {
	SORT_NAME,
	SORT_INVOCATIONS,
	SORT_ERRORS,
	SORT_P50,
	SORT_P99,
	SORT_COST,
	SORTS,
};

struct top;

struct view {
	const char *name;
	unsigned keys; /* its bit in keys.def */
	/* New data has come, or the view has: bring own state in line. */
	void (*update)(struct top *top);
	/* True when something is to be drawn anew. */
	bool (*act)(struct top *top, enum action action);
	/* Fills the area between the title and the status line. */
	void (*draw)(struct top *top, struct cells *cells, struct area area);
};

extern const struct view view_functions, view_alarms, view_traces, view_trace,
	view_help, view_map;

struct top {
	const char *endpoint;
	bool utf8;
	bool once;  /* no selection and no keys: printed, not operated */
	double now; /* epoch seconds */
	bool quit;
	bool hurry; /* ask everything again; who does clears it */
	const struct view *stack[TOP_DEPTH_MAX];
	size_t depth; /* at least 1 */
	struct functions *functions;
	struct alarms *alarms;
	struct traces *traces;
	struct waterfall *trace;
	struct map *map;
	struct link_state link;
	struct question question;
	enum sort sort;
	bool reverse;
	char selected[FEED_KEY_MAX]; /* name of the function */
	char selected_trace[FEED_KEY_MAX];
	struct list function_list, alarm_list, trace_list, line_list, help_list,
		map_list;
};

void top_init(struct top *top, const char *endpoint);
void top_fini(struct top *top);
/* Takes what is in the delivery; what it leaves there is still d's. */
void top_take(struct top *top, struct delivery *d);
void top_key(struct top *top, int key);
void top_draw(struct top *top, struct cells *cells);
/* False: no such name ("name", "invocations", "errors", "p50", "p99",
 * "cost"). */
bool top_sort_parse(const char *name, enum sort *out) MUST_USE;

/* For views. */
const struct view *top_view(const struct top *top);
void top_enter(struct top *top, const struct view *view);
void top_leave(struct top *top);
enum term_style top_status_style(enum span_status status);
/* "12s", "3m20s": how long ago; "-" for never. */
void top_ago(const struct top *top, struct buf *out, double epoch);

#endif
