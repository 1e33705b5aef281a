/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as text and numbers, to nanoseconds since 1970 in UTC and back. What
 * is text becomes an integer without a double on the way; what is a double
 * (CBOR's tag 1) becomes the instant whose shortest text in milliseconds or
 * microseconds it is, so that 1795338001.123 is the same instant in JSON, in
 * CBOR and as ISO 8601. No locale, no time zone database, no libc date call.
 *
 * An instant is an int64_t: 1677-09-21T00:12:43.145224192Z to
 * 2262-04-11T23:47:16.854775807Z. Text outside of that is refused.
 */
#ifndef TALLY_CORE_CODEC_TIME_TEXT_H
#define TALLY_CORE_CODEC_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum {
	TIME_TEXT_MAX = 64, /* bytes of text that is read */
	TIME_ISO_MAX = 31,  /* "1677-09-21T00:12:43.145224192Z" and a NUL */
};

/* RFC 3339, 5.6: "2026-11-22T09:00:00.25Z", or an offset such as +01:00 for Z.
 * Digits past the ninth of the fraction are cut. Second 60 is taken in the
 * last minute of a day of UTC and is the second after it, as in POSIX. */
bool time_from_iso(struct sv text, int64_t *ns) MUST_USE;
/* "1795338001.25": seconds, no exponent. Digits past the ninth are cut. */
bool time_from_seconds(struct sv text, int64_t *ns) MUST_USE;
/* Either of the two, as Query requests have them. */
bool time_from_text(struct sv text, int64_t *ns) MUST_USE;
/* False: not finite, or out of range. */
bool time_from_double(double seconds, int64_t *ns) MUST_USE;

/* Days since 1970 of a day of the proleptic Gregorian calendar; month and day
 * must be right, year in -9999 to 9999. */
int64_t time_days_from_civil(int year, int month, int day);

/* With no fraction, or 3, 6 or 9 digits of it: as few as are exact. */
void time_put_iso(struct buf *out, int64_t ns);
/* Exact, without zeros at the end: "1795338001.25", "-0.5", "0". */
void time_put_seconds(struct buf *out, int64_t ns);
/* The nearest double. time_from_double gives ns back where ns is a whole
 * number of milliseconds, or of microseconds before the year 2106. */
double time_to_double(int64_t ns);

#endif
