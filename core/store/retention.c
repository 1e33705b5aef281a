/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store/retention.h"

/* Neither is negative. */
static bool are_near(int64_t a_ns, int64_t b_ns)
{
	return (a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns) <= RETENTION_AHEAD_NS;
}

void retention_tick(struct retention *r, struct wall now)
{
	int64_t ns = now.ns > 0 ? now.ns : 0; /* before 1970 is no time */

	if (ns > r->now_ns && !are_near(ns, r->now_ns)) {
		/* To another time than before: a doubt of its own. */
		if (!r->claim_ns || !are_near(ns, r->claim_ns))
			r->ticks = 0;
		else
			r->ticks++;
		r->claim_ns = ns;
		if (r->ticks < RETENTION_DOUBT_S)
			return;
	}
	r->now_ns = ns;
	r->claim_ns = 0;
	if (r->looked_ns > ns)
		r->looked_ns = ns;
}

bool retention_due(struct retention *r, int64_t every_ns)
{
	if (r->now_ns - r->looked_ns < every_ns)
		return false;
	r->looked_ns = r->now_ns;
	return true;
}
