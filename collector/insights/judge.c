/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/insights/judge.h"

#include <assert.h>

static double rate_of(double faults, double traces)
{
	return traces > 0 ? faults / traces : 0;
}

/* Over the hour before minute i, bad minutes left out. */
static double baseline_of(const struct insight_minute *m, const bool *bad,
			  size_t i)
{
	size_t from =
		i > INSIGHT_BASELINE_MINUTES ? i - INSIGHT_BASELINE_MINUTES : 0;
	double traces = 0, faults = 0;

	for (size_t k = from; k < i; k++) {
		if (bad[k])
			continue;
		traces += m[k].traces;
		faults += m[k].faults;
	}
	return rate_of(faults, traces);
}

static bool is_bad(const struct insight_minute *m, const bool *bad, size_t i)
{
	double baseline = baseline_of(m, bad, i);
	double rate = rate_of(m[i].faults, m[i].traces);

	return m[i].traces >= INSIGHT_TRACES_MIN &&
	       rate >= INSIGHT_FACTOR * baseline &&
	       rate >= baseline + INSIGHT_MARGIN;
}

/* How many minutes at the end are as `is` in a row. */
static size_t run_of(const bool *bad, size_t count, bool is)
{
	size_t n = 0;

	while (n < count && bad[count - 1 - n] == is)
		n++;
	return n;
}

enum insight_verdict insight_judge(const struct insight_minute *minutes,
				   size_t count, bool active, size_t *since)
{
	bool bad[INSIGHT_WINDOW_MINUTES] = { false };
	size_t run, learnt = 0;

	assert(count > 0);
	if (count > INSIGHT_WINDOW_MINUTES) {
		minutes += count - INSIGHT_WINDOW_MINUTES;
		count = INSIGHT_WINDOW_MINUTES;
	}
	for (size_t i = 0; i < count; i++) {
		bad[i] = learnt >= INSIGHT_LEARN_MINUTES &&
			 is_bad(minutes, bad, i);
		learnt += minutes[i].traces > 0;
	}
	*since = run_of(bad, count, false);
	if (active)
		return *since < INSIGHT_END_MINUTES ? INSIGHT_GOES_ON :
						      INSIGHT_ENDS;
	run = run_of(bad, count, true);
	if (run < INSIGHT_BEGIN_MINUTES)
		return INSIGHT_NONE;
	*since = run - 1;
	return INSIGHT_BEGINS;
}
