/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of keys.def, for the view that the help was called from. */
#include "tui/top.h"

enum { LABEL_COLUMNS = 11 };

static unsigned asked_from(const struct top *top)
{
	return top->depth > 1 ? top->stack[top->depth - 2]->keys :
				(unsigned)IN_FUNCTIONS;
}

static size_t lines(const struct top *top)
{
	size_t count = 0;

	for (size_t i = 0; i < key_count; i++)
		count += key_table[i].help &&
			 (key_table[i].views & asked_from(top));
	return count;
}

static void update(struct top *top)
{
	(void)top;
}

static bool act(struct top *top, enum action action)
{
	struct list *l = &top->help_list;
	size_t before = l->top;
	size_t count = lines(top);
	size_t last = count > l->rows ? count - l->rows : 0;

	/* Nothing is selected here: what moves is the part in sight. */
	l->selected = l->top;
	if (!list_act(l, count, action))
		return false;
	l->top = l->selected < last ? l->selected : last;
	return l->top != before;
}

static void draw(struct top *top, struct cells *cells, struct area area)
{
	struct list *l = &top->help_list;
	size_t at = 0, count = lines(top);
	int y = area.y;

	l->rows = (size_t)area.rows;
	if (l->top + l->rows > count)
		l->top = count > l->rows ? count - l->rows : 0;
	for (size_t i = 0; i < key_count; i++) {
		const struct key *key = &key_table[i];

		if (!key->help || !(key->views & asked_from(top)))
			continue;
		if (at++ < l->top || y == area.y + area.rows)
			continue;
		cells_text(cells, area.x, y, LABEL_COLUMNS, TERM_CYAN,
			   sv_from(key->label));
		cells_text(cells, area.x + LABEL_COLUMNS + 1, y,
			   area.columns - LABEL_COLUMNS - 1, TERM_PLAIN,
			   sv_from(key->help));
		y++;
	}
}

const struct view view_help = {
	.name = "help",
	.keys = IN_HELP,
	.update = update,
	.act = act,
	.draw = draw,
};
