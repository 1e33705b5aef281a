/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meter: the rule that turns a record into quantities of usage types. A run of
 * a function is one request and memory x billed time in MB-ms: whole numbers,
 * so that a sum over any number of runs is exact.
 */
#ifndef TALLY_BILLING_METER_H
#define TALLY_BILLING_METER_H

#include "billing/money.h"
#include "billing/pricebook.h"
#include "core/wire/records.h"

struct metered {
	int128 quantity[USAGE_TYPE_COUNT]; /* requests; MB-ms */
};

struct metered meter_usage(const struct usage *usage);

/* The milliseconds a period's rule bills for a measured run: duration, with
 * initialization where that is billed, rounded up to the step. A record's
 * billed_ms is what was billed; this is to check it. */
uint64_t meter_billed_ms(const struct price_period *period,
			 uint64_t duration_us, uint64_t init_us);

#endif
