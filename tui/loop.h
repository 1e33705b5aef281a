/* SPDX-License-Identifier: Apache-2.0 */
/* Loop: wait for a key or the feed, put it into the dashboard, draw, ask what
 * is wanted now. It is the only place where terminal, thread and clock meet. */
#ifndef TALLY_TUI_LOOP_H
#define TALLY_TUI_LOOP_H

#include "core/sys/env.h"
#include "tui/feed.h"
#include "tui/screen.h"
#include "tui/top.h"

enum { LOOP_TICK_MS = 1000 }; /* the clock in the corner goes on */

/* Until the quit key, or the terminal is gone. */
void loop_run(struct top *top, struct screen *screen, struct feed *feed,
	      const struct env *env);

#endif
