/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ladder: which RRD files there are and what is written to them, decided
 * without librrd. CloudWatch's retention is an RRA ladder: 60 s x 15 d, 300 s
 * x 63 d, 3600 s x 455 d. Eight series share a pair of files:
 *
 *   HASH.avg.rrd  step 60  sum0 count0 ... sum7 count7   AVERAGE
 *   HASH.ext.rrd  step  4  nmin0 max0 ... nmin7 max7     MAX (nmin = -min)
 *
 * What makes the figures right (measured with librrd 1.7.2):
 *  - a file begins at an hour's boundary and every second is accounted for:
 *    idle time is written as 0:0 (extremes: unknown), one line for any length;
 *  - librrd makes a rate of each value: it multiplies by the interval and
 *    divides again, which for 60 s changes the last bit of 6 % of all doubles.
 *    So the extremes' file has a step of 4 s, a power of two: 56 s unknown,
 *    then the value for 4 s, consolidated by MAX, are the value to the bit;
 *  - librrd's own parser of numbers rounds once per digit. ladder_number looks
 *    for digits that it reads as exactly the value: found for all of 200,000
 *    decimals of 12 digits, 97 % of 15 digits, 96 % of random doubles. What
 *    has none, the read-back after each write finds, and blocks serve that
 *    hour.
 */
#ifndef TALLY_COLLECTOR_SERIES_LADDER_H
#define TALLY_COLLECTOR_SERIES_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/series/rows.h"
#include "collector/series/tiers.h"
#include "core/base/arena.h"
#include "core/wire/records.h"

enum {
	LADDER_SLOTS = 8,
	LADDER_VALUES = 2 * LADDER_SLOTS, /* data sources of a file */
	LADDER_AVG_STEP = 60,
	LADDER_EXT_STEP = 4,
	LADDER_ARGS = LADDER_VALUES + TIERS,
	LADDER_ARG = 64,
	LADDER_NAME = 2 + 1 + 2 + 1 + 32 + 1, /* ab/cd/32 hex digits */
	LADDER_NUMBER = 96,
	LADDER_CHUNK_STEPS = 1440, /* written by one call */
};

enum ladder_file { LADDER_AVG, LADDER_EXT, LADDER_FILES };

const char *ladder_suffix(enum ladder_file file); /* ".avg.rrd" */
const char *ladder_cf(enum ladder_file file);     /* "AVERAGE", "MAX" */
unsigned long ladder_step(enum ladder_file file);
/* The DS and RRA definitions for create. */
void ladder_definition(enum ladder_file file,
		       char args[LADDER_ARGS][LADDER_ARG]);
/* "ab/cd/HASH", from the scope and the file's number in it. */
void ladder_name(const struct scope *scope, uint32_t number,
		 char out[LADDER_NAME]);

/* Text for v that librrd reads as v, to the bit where there is such a text
 * (true). out is NUL-terminated. */
bool ladder_number(double v, char out[LADDER_NUMBER]);
/* What librrd reads in text made of digits, 'e' and an exponent. */
double ladder_parse(const char *text);

/* Lines for one update call: "time:v:v:..." */
struct ladder_lines {
	const char **line;
	size_t count;
};

/* Lines that bring both files from minute first to minute end, whole steps of
 * tier. rows[i] is slot i's list, folded to that step, within first..end. All
 * in the arena. */
int ladder_fill(const struct row_list rows[LADDER_SLOTS], enum tier tier,
		int32_t first, int32_t end, struct arena *arena,
		struct ladder_lines out[LADDER_FILES]) MUST_USE;
/* A row of slot from one step's values in both files. False: nothing there.
 * *damaged is set where the values cannot be. */
bool ladder_row(const double *avg, const double *ext, unsigned slot,
		enum tier tier, struct row *out, bool *damaged);
/* Whether what was read back is what was meant. */
bool ladder_row_same(const struct row *meant, const struct row *read);

#endif
