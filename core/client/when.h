/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When: a point in time as a person types it on a command line. Relative ones
 * are before `now`, which the caller reads once, so that "since" and "until"
 * of one command mean the same clock.
 */
#ifndef TALLY_CORE_CLIENT_WHEN_H
#define TALLY_CORE_CLIENT_WHEN_H

#include <stdbool.h>

#include "core/base/err.h"
#include "core/base/text.h"

/* The forms, for a --help text. */
#define WHEN_HELP                                                           \
	"30s 15m 2h 3d 1w (before now), 2026-11-22, 2026-11-22T09:00:00Z, " \
	"or epoch seconds"

/* Epoch seconds. False: none of WHEN_HELP's forms, or a date that is not in
 * the calendar. A number below 10^8 without unit is refused: it is a slip. */
bool when_parse(const char *text, double now, double *out) MUST_USE;
/* Adds epoch seconds to a query, as client_query does: "start=1795338000.123".
 */
void when_query(struct buf *path, const char *name, double epoch);

#endif
