/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/calendar.h"

#include <assert.h>

/* A year is counted from March, so that the leap day is its last: then the
 * days before a month are (153 m + 2) / 5, and an era of 400 years has
 * 146,097 days. 719,468 days lie between 0000-03-01 and 1970-01-01. */
int64_t calendar_days(int year, unsigned month, unsigned day)
{
	int64_t y = year + (month > 12);
	int64_t m = month > 12 ? month - 12 : month;
	int64_t era;
	int64_t of_era;
	int64_t of_year;

	assert(year >= 0 && month >= 1 && month <= 13);
	y -= m <= 2;
	era = y / 400;
	of_era = y - era * 400;
	of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

struct date calendar_date(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t d = z - era * 146097;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t of_year = d - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	assert(z >= 0);
	return (struct date){
		.year = (int)(y + era * 400 + (m >= 10)),
		.month = (unsigned)(m < 10 ? m + 3 : m - 9),
		.day = (unsigned)(of_year - (153 * m + 2) / 5 + 1),
	};
}

static bool digits_to(unsigned *out, struct sv s, size_t count)
{
	uint64_t v;

	if (s.len != count || !sv_to_u64(s, &v))
		return false;
	*out = (unsigned)v;
	return true;
}

bool calendar_parse(struct date *out, struct sv text)
{
	struct sv year = sv_cut(&text, '-');
	struct sv month = sv_cut(&text, '-');
	struct date d;
	unsigned y;

	if (!digits_to(&y, year, 4) || !digits_to(&d.month, month, 2) ||
	    !digits_to(&d.day, text, 2))
		return false;
	d.year = (int)y;
	if (d.year < CALENDAR_YEAR_MIN || d.year > CALENDAR_YEAR_MAX ||
	    d.month < 1 || d.month > 12 || d.day < 1 ||
	    calendar_days(d.year, d.month, d.day) >=
		    calendar_days(d.year, d.month + 1, 1))
		return false;
	*out = d;
	return true;
}
