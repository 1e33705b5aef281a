/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>

#include "core/auth/sigv4_canonical.h"

enum { DAY_S = 86400 };

/* Days since 1970 of a day of the proleptic Gregorian calendar (H. Hinnant,
 * "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
	int64_t era, year_of_era, day_of_year;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	year_of_era = y - era * 400;
	day_of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - 719468;
}

static int64_t month_days(int64_t year, int64_t month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* n digits at p; -1: not digits. */
static int64_t digits(const char *p, size_t n)
{
	uint64_t v;

	return sv_to_u64(sv_make(p, n), &v) ? (int64_t)v : -1;
}

/* Second 60 is refused: no clock of a client gives one. */
static bool compose(int64_t out[1], int64_t year, int64_t month, int64_t day,
		    const int64_t clock[3])
{
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month) || clock[0] < 0 || clock[0] > 23 ||
	    clock[1] < 0 || clock[1] > 59 || clock[2] < 0 || clock[2] > 59)
		return false;
	*out = days_from_civil(year, month, day) * DAY_S + clock[0] * 3600 +
	       clock[1] * 60 + clock[2];
	return true;
}

bool sigv4_time(struct sv text, int64_t *out)
{
	const char *p = text.ptr;
	int64_t clock[3];

	if (text.len != SIGV4_DATE_LEN || p[8] != 'T' || p[15] != 'Z')
		return false;
	for (size_t i = 0; i < 3; i++)
		clock[i] = digits(p + 9 + 2 * i, 2);
	return compose(out, digits(p, 4), digits(p + 4, 2), digits(p + 6, 2),
		       clock);
}

bool sigv4_http_date(struct sv text, int64_t *out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *p = text.ptr;
	int64_t clock[3];
	int64_t month = 0;

	/* Sun, 06 Nov 1994 08:49:37 GMT */
	if (text.len != 29 || p[3] != ',' || p[4] != ' ' || p[7] != ' ' ||
	    p[11] != ' ' || p[16] != ' ' || p[19] != ':' || p[22] != ':' ||
	    memcmp(p + 25, " GMT", 4))
		return false;
	for (int64_t i = 0; i < 12; i++)
		if (!memcmp(p + 8, months + 3 * i, 3))
			month = i + 1;
	for (size_t i = 0; i < 3; i++)
		clock[i] = digits(p + 17 + 3 * i, 2);
	return compose(out, digits(p + 12, 4), month, digits(p + 5, 2), clock);
}

void sigv4_date(char out[SIGV4_DATE_LEN + 1], int64_t now_s)
{
	int64_t days = now_s / DAY_S, left = now_s % DAY_S;
	int64_t year = 1970, month = 1;
	int n;

	assert(now_s >= 0 && now_s < 253402300800); /* year 10000 */
	year += days / 366; /* never too far, then a few steps */
	while (days_from_civil(year + 1, 1, 1) <= days)
		year++;
	days -= days_from_civil(year, 1, 1);
	for (; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	n = snprintf(out, SIGV4_DATE_LEN + 1, "%04u%02u%02uT%02u%02u%02uZ",
		     (unsigned)year % 10000, (unsigned)month % 100,
		     (unsigned)(days + 1) % 100, (unsigned)(left / 3600) % 100,
		     (unsigned)(left / 60 % 60) % 100,
		     (unsigned)(left % 60) % 100);
	assert(n == SIGV4_DATE_LEN);
}
