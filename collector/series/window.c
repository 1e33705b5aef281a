/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/window.h"

#include <assert.h>
#include <stdlib.h>

uint32_t window_before(const struct open_rows *w, int32_t minute)
{
	uint32_t low = 0, high = w->count;

	if (high && w->rows[high - 1].minute < minute)
		return high;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (w->rows[mid].minute < minute)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct row *window_find(const struct open_rows *w, int32_t minute)
{
	uint32_t at = window_before(w, minute);

	if (at < w->count && w->rows[at].minute == minute)
		return &w->rows[at].row;
	return NULL;
}

struct row *window_row(struct open_rows *w, int32_t minute, bool *fresh)
{
	uint32_t at = window_before(w, minute);

	*fresh = false;
	if (at < w->count && w->rows[at].minute == minute)
		return &w->rows[at].row;
	if (w->count == w->cap) {
		uint32_t cap = w->cap ? 2 * w->cap : 4;
		struct timed_row *rows = realloc(w->rows, cap * sizeof(*rows));

		if (!rows)
			return NULL;
		w->rows = rows;
		w->cap = cap;
	}
	memmove(&w->rows[at + 1], &w->rows[at],
		(w->count - at) * sizeof(*w->rows));
	w->rows[at] = (struct timed_row){ .minute = minute };
	w->count++;
	*fresh = true;
	return &w->rows[at].row;
}

void window_drop(struct open_rows *w, uint32_t n)
{
	assert(n <= w->count);
	for (uint32_t i = 0; i < n; i++)
		row_fini(&w->rows[i].row);
	w->count -= n;
	if (w->count == 0) {
		free(w->rows);
		*w = (struct open_rows){ 0 };
		return;
	}
	memmove(w->rows, w->rows + n, w->count * sizeof(*w->rows));
}

void window_fini(struct open_rows *w)
{
	window_drop(w, w->count);
}
