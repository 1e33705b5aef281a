/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/meter.h"

#include <assert.h>

struct metered meter_usage(const struct usage *usage)
{
	struct metered m = { { 0 } };

	/* 32 x 64 bits: cannot overflow 128. */
	m.quantity[USAGE_REQUEST] = 1;
	m.quantity[USAGE_GB_S] = (int128)usage->memory_mb * usage->billed_ms;
	return m;
}

uint64_t meter_billed_ms(const struct price_period *period,
			 uint64_t duration_us, uint64_t init_us)
{
	int128 us = duration_us;
	int128 step_us;

	assert(period->step_ms > 0);
	step_us = (int128)period->step_ms * 1000;
	if (period->init_billed)
		us += init_us;
	return (uint64_t)((us + step_us - 1) / step_us * period->step_ms);
}
