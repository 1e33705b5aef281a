/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List: a selected line and the part that is in sight, for every view that
 * scrolls. It holds positions only; a view that keeps a name selected through
 * a new order sets `selected` anew.
 */
#ifndef TALLY_TUI_LIST_H
#define TALLY_TUI_LIST_H

#include <stddef.h>

#include "tui/keys.h"

struct list {
	size_t selected;
	size_t top;  /* first line in sight */
	size_t rows; /* lines in sight at the last draw */
};

/* Brings it back to count lines of which rows are in sight. */
void list_fit(struct list *l, size_t count, size_t rows);
/* True when the action moved the selection. */
bool list_act(struct list *l, size_t count, enum action action);

#endif
