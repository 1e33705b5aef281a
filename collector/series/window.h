/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open rows of one series: one a minute, ascending by time. Data of the
 * last hour, of the future and late data all stand here until their hour is
 * sealed. Almost every point belongs to the newest row or makes a newer one.
 */
#ifndef TALLY_COLLECTOR_SERIES_WINDOW_H
#define TALLY_COLLECTOR_SERIES_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/series/rows.h"

struct open_rows {
	struct timed_row *rows;
	uint32_t count, cap;
};

/* The row of the minute; made (with count 0, *fresh set) where missing. NULL:
 * no memory. Valid until the next call. */
struct row *window_row(struct open_rows *w, int32_t minute, bool *fresh);
/* NULL: there is none. */
struct row *window_find(const struct open_rows *w, int32_t minute);
/* How many rows lie before the minute. */
uint32_t window_before(const struct open_rows *w, int32_t minute);
/* Takes the first n rows away. */
void window_drop(struct open_rows *w, uint32_t n);
void window_fini(struct open_rows *w);

#endif
