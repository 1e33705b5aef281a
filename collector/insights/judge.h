/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule by which a group's faults are an incident. Of each minute two numbers
 * are known: the group's traces that began in it, and how many of them ended in
 * a fault (5xx) at their root.
 *
 *  - The baseline of a minute is the rate of faults over the hour before it,
 *    without the minutes in it that were bad.
 *  - A minute is bad when at least INSIGHT_TRACES_MIN traces began in it, and
 *    its rate is both INSIGHT_FACTOR times the baseline and INSIGHT_MARGIN over
 *    it: so that a service which always fails a little has no incident, and one
 *    that never does has not one for a single fault.
 *  - Nothing is bad as long as nothing is known: the first five minutes with
 *    traces, of the two hours that are looked at, are what is normal. So what
 *    fails from its beginning is no incident, and one of two hours ends.
 *  - An incident begins with the third bad minute in a row, and began with the
 *    first of them. It ends when none of the last five was bad, and ended with
 *    the last bad one.
 *
 * Pure; a function of the minutes, so a restart judges as the first run did.
 */
#ifndef TALLY_COLLECTOR_INSIGHTS_JUDGE_H
#define TALLY_COLLECTOR_INSIGHTS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	INSIGHT_BASELINE_MINUTES = 60,
	INSIGHT_WINDOW_MINUTES = 2 * INSIGHT_BASELINE_MINUTES, /* looked at */
	INSIGHT_BEGIN_MINUTES = 3,
	INSIGHT_END_MINUTES = 5,
	INSIGHT_LEARN_MINUTES = 5,
	INSIGHT_TRACES_MIN = 10,
};
#define INSIGHT_FACTOR 3.0
#define INSIGHT_MARGIN 0.05

struct insight_minute {
	double traces, faults;
};

enum insight_verdict {
	INSIGHT_NONE,   /* no incident, now as before */
	INSIGHT_BEGINS, /* with this minute */
	INSIGHT_GOES_ON,
	INSIGHT_ENDS,
};

/* Of minutes, oldest first, judges the last (count >= 1, assert); active:
 * there was an incident until now. *since: how many minutes before the last
 * one the incident began (INSIGHT_BEGINS), or its last bad minute was
 * (otherwise). */
enum insight_verdict insight_judge(const struct insight_minute *minutes,
				   size_t count, bool active, size_t *since);

#endif
