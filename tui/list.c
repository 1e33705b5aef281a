/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/list.h"

void list_fit(struct list *l, size_t count, size_t rows)
{
	l->rows = rows;
	if (l->selected >= count)
		l->selected = count ? count - 1 : 0;
	if (l->top > l->selected)
		l->top = l->selected;
	if (rows && l->selected - l->top >= rows)
		l->top = l->selected - rows + 1;
	/* No blank lines below while there are lines above. */
	if (l->top + rows > count)
		l->top = count > rows ? count - rows : 0;
}

bool list_act(struct list *l, size_t count, enum action action)
{
	size_t last = count ? count - 1 : 0;
	size_t page = l->rows > 1 ? l->rows - 1 : 1;
	size_t at = l->selected;

	switch (action) {
	case ACT_UP:
		at -= at > 0;
		break;
	case ACT_DOWN:
		at += at < last;
		break;
	case ACT_PAGE_UP:
		at = at > page ? at - page : 0;
		break;
	case ACT_PAGE_DOWN:
		at = last - at > page ? at + page : last;
		break;
	case ACT_FIRST:
		at = 0;
		break;
	case ACT_LAST:
		at = last;
		break;
	default:
		return false;
	}
	if (at == l->selected)
		return false;
	l->selected = at;
	list_fit(l, count, l->rows);
	return true;
}
