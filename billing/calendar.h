/* SPDX-License-Identifier: Apache-2.0 */
/* Days of the Gregorian calendar in UTC, by arithmetic on whole numbers: no
 * time zone, no leap seconds, no state of the C library. */
#ifndef TALLY_BILLING_CALENDAR_H
#define TALLY_BILLING_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum { CALENDAR_YEAR_MIN = 1970, CALENDAR_YEAR_MAX = 2261 };

#define NS_PER_HOUR (3600 * 1000000000LL)
#define NS_PER_DAY (24 * NS_PER_HOUR)

struct date {
	int year;       /* CALENDAR_YEAR_MIN to CALENDAR_YEAR_MAX */
	unsigned month; /* 1 to 12 */
	unsigned day;   /* 1 to the month's last */
};

/* Days since 1970-01-01; day 1 of month 13 is the next year's first. */
int64_t calendar_days(int year, unsigned month, unsigned day);
struct date calendar_date(int64_t days);
/* "2026-11-22". False: not a date of the calendar. */
bool calendar_parse(struct date *out, struct sv text) MUST_USE;

#endif
