/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: what a key does where, and how the help says it, all from keys.def. */
#ifndef TALLY_TUI_KEYS_H
#define TALLY_TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	IN_FUNCTIONS = 1,
	IN_ALARMS = 2,
	IN_TRACES = 4,
	IN_TRACE = 8,
	IN_HELP = 16,
	IN_MAP = 32,
	IN_ALL = 63,
};

enum action {
	ACT_NONE,
	ACT_QUIT,
	ACT_HELP,
	ACT_REFRESH,
	ACT_UP,
	ACT_DOWN,
	ACT_PAGE_UP,
	ACT_PAGE_DOWN,
	ACT_FIRST,
	ACT_LAST,
	ACT_OPEN,
	ACT_BACK,
	ACT_ALARMS,
	ACT_MAP,
	ACT_SORT_NAME, /* the sorts stand in the order of enum sort */
	ACT_SORT_INVOCATIONS,
	ACT_SORT_ERRORS,
	ACT_SORT_P50,
	ACT_SORT_P99,
	ACT_SORT_COST,
	ACT_REVERSE,
};

struct key {
	enum action action;
	int key;
	unsigned views;
	const char *label;
	const char *help; /* NULL: another key of the same action has it */
};

extern const struct key key_table[];
extern const size_t key_count;

/* ACT_NONE: the key does nothing in that view. */
enum action keys_action(int key, unsigned view);

#endif
