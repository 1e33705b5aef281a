/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/ladder.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#include "core/base/hash.h"

/* Longer than any gap: time is accounted for by lines, not by time-outs. */
#define LADDER_HEARTBEAT "1000000000"

const char *ladder_suffix(enum ladder_file file)
{
	return file == LADDER_AVG ? ".avg.rrd" : ".ext.rrd";
}

const char *ladder_cf(enum ladder_file file)
{
	return file == LADDER_AVG ? "AVERAGE" : "MAX";
}

unsigned long ladder_step(enum ladder_file file)
{
	return file == LADDER_AVG ? LADDER_AVG_STEP : LADDER_EXT_STEP;
}

void ladder_definition(enum ladder_file file,
		       char args[LADDER_ARGS][LADDER_ARG])
{
	const char *first = file == LADDER_AVG ? "sum" : "nmin";
	const char *second = file == LADDER_AVG ? "count" : "max";
	int per_minute = 60 / (int)ladder_step(file);

	for (int i = 0; i < LADDER_VALUES; i++)
		snprintf(args[i], LADDER_ARG,
			 "DS:%s%d:GAUGE:" LADDER_HEARTBEAT ":U:U",
			 i % 2 ? second : first, i / 2);
	/* xff: one known minute makes an hour's extreme known. */
	for (int t = 0; t < TIERS; t++)
		snprintf(args[LADDER_VALUES + t], LADDER_ARG,
			 "RRA:%s:0.999:%d:%d", ladder_cf(file),
			 tier_step((enum tier)t) * per_minute,
			 tier_keep((enum tier)t) / tier_step((enum tier)t));
}

void ladder_name(const struct scope *scope, uint32_t number,
		 char out[LADDER_NAME])
{
	char text[64 + REGION_MAX];
	uint8_t bytes[16];
	struct hash128 hash;
	int n = snprintf(text, sizeof(text), "%" PRIu64 "/%s/%" PRIu32,
			 scope->account, scope->region, number);

	assert(n > 0 && (size_t)n < sizeof(text));
	hash = hash128(sv_make(text, (size_t)n));
	put_be64(bytes, hash.high);
	put_be64(bytes + 8, hash.low);
	hex_from(out, bytes, 1);
	out[2] = '/';
	hex_from(out + 3, bytes + 1, 1);
	out[5] = '/';
	hex_from(out + 6, bytes, sizeof(bytes));
	out[LADDER_NAME - 1] = '\0';
}

/* --- numbers ------------------------------------------------------------------ */

/* librrd 1.7: number = number * 10 + digit, then the exponent's powers of ten
 * one by one. Checked against the library by rrd_truth_test. */
double ladder_parse(const char *text)
{
	bool negative = *text == '-', down = false;
	double v = 0, p10 = 10;
	int exponent = 0;

	text += negative;
	for (; *text >= '0' && *text <= '9'; text++)
		v = v * 10. + (*text - '0');
	if (*text == 'e') {
		down = *++text == '-';
		text += down;
		for (; *text >= '0' && *text <= '9'; text++)
			exponent = exponent * 10 + (*text - '0');
	}
	if (negative)
		v = -v;
	/* The integer ends it; p10 goes along, rounded just as RRDtool's. */
	/* NOLINTNEXTLINE(cert-flp30-c) */
	for (; exponent; exponent >>= 1, p10 *= p10)
		if (exponent & 1)
			v = down ? v / p10 : v * p10;
	return v;
}

static bool try_number(double v, uint64_t digits, int zeros, int scale,
		       char out[LADDER_NUMBER])
{
	static const char zero[] =
		"00000000000000000000000000000000000000000000";

	snprintf(out, LADDER_NUMBER, "%s%" PRIu64 "%.*se-%d",
		 signbit(v) ? "-" : "", digits, zeros, zero, scale);
	return ladder_parse(out) == v;
}

/* Digits at every scale that a double can need, then more digits at the finest
 * with zeros behind, which round differently. */
static bool search_number(double v, char out[LADDER_NUMBER])
{
	long double x = fabsl((long double)v);
	int finest = (int)ceil(16 - log10(fabs(v)));
	uint64_t digits;

	for (int scale = finest > 16 ? finest - 16 : 0; scale <= finest + 1;
	     scale++) {
		long double shifted = x * powl(10, scale);

		if (shifted >= 0.5L && shifted < 9e18L &&
		    try_number(v, (uint64_t)llrintl(shifted), 0, scale, out))
			return true;
	}
	digits = (uint64_t)llrintl(x * powl(10, finest));
	for (int zeros = 0; zeros < 40; zeros++)
		for (uint64_t d = 0; d < 7; d++)
			if (try_number(v, digits - 3 + d, zeros, finest + zeros,
				       out))
				return true;
	return false;
}

bool ladder_number(double v, char out[LADDER_NUMBER])
{
	if (fabs(v) < 9007199254740992.0 && v == floor(v)) {
		snprintf(out, LADDER_NUMBER, "%.0f", v == 0 ? 0.0 : v);
		return true;
	}
	if (fabs(v) > 1e-15 && fabs(v) < 1e15 && search_number(v, out))
		return true;
	snprintf(out, LADDER_NUMBER, "%.17g", v);
	return false;
}

/* --- lines -------------------------------------------------------------------- */

static int add_line(struct ladder_lines *l, struct arena *arena,
		    const struct buf *text)
{
	struct sv copy = arena_copy(arena, buf_view(text));

	if (text->failed || !copy.ptr)
		return ERR_NOMEM;
	l->line[l->count++] = copy.ptr;
	return 0;
}

static int64_t seconds(int32_t minute)
{
	return (int64_t)minute * 60;
}

static int add_idle(struct ladder_lines *l, struct arena *arena,
		    struct buf *text, int64_t time_s, const char *value)
{
	buf_reset(text);
	buf_format(text, "%" PRId64, time_s);
	for (int i = 0; i < LADDER_VALUES; i++)
		buf_text(text, value);
	return add_line(l, arena, text);
}

static int add_avg(struct ladder_lines *l, struct arena *arena,
		   struct buf *text, int64_t time_s, int32_t step,
		   const struct row *const rows[LADDER_SLOTS])
{
	buf_reset(text);
	buf_format(text, "%" PRId64, time_s);
	for (int i = 0; i < LADDER_SLOTS; i++) {
		const struct row *r = rows[i];

		if (r)
			buf_format(text, ":%.17g:%.17g", r->sum / step,
				   r->count / step);
		else
			buf_text(text, ":0:0");
	}
	return add_line(l, arena, text);
}

static int add_ext(struct ladder_lines *l, struct arena *arena,
		   struct buf *text, int64_t time_s,
		   const struct row *const rows[LADDER_SLOTS])
{
	char number[LADDER_NUMBER];

	buf_reset(text);
	buf_format(text, "%" PRId64, time_s);
	for (int i = 0; i < LADDER_SLOTS; i++) {
		if (!rows[i]) {
			buf_text(text, ":U:U");
			continue;
		}
		(void)ladder_number(-rows[i]->min, number);
		buf_format(text, ":%s", number);
		(void)ladder_number(rows[i]->max, number);
		buf_format(text, ":%s", number);
	}
	return add_line(l, arena, text);
}

/* One active step: idle time before it, then its values, at its end. */
static int add_step(struct ladder_lines out[LADDER_FILES], struct arena *arena,
		    struct buf *text, int32_t at, int32_t minute, int32_t step,
		    const struct row *const rows[LADDER_SLOTS])
{
	int64_t end_s = seconds(minute + step);
	int e = 0;

	if (at < minute)
		e = add_idle(&out[LADDER_AVG], arena, text, seconds(minute),
			     ":0");
	if (!e)
		e = add_avg(&out[LADDER_AVG], arena, text, end_s, step, rows);
	if (!e)
		e = add_idle(&out[LADDER_EXT], arena, text,
			     end_s - LADDER_EXT_STEP, ":U");
	if (!e)
		e = add_ext(&out[LADDER_EXT], arena, text, end_s, rows);
	return e;
}

int ladder_fill(const struct row_list rows[LADDER_SLOTS], enum tier tier,
		int32_t first, int32_t end, struct arena *arena,
		struct ladder_lines out[LADDER_FILES])
{
	int32_t step = tier_step(tier), at = first;
	size_t lines = 2 * (size_t)((end - first) / step) + 1;
	size_t next[LADDER_SLOTS] = { 0 };
	struct buf text = BUF_INIT;
	int e = 0;

	assert(first < end && first % step == 0 && end % step == 0);
	for (int f = 0; f < LADDER_FILES; f++) {
		out[f].count = 0;
		out[f].line = arena_array(arena, lines, sizeof(char *));
		if (!out[f].line)
			return ERR_NOMEM;
	}
	while (!e) {
		const struct row *now[LADDER_SLOTS] = { 0 };
		int32_t minute = INT32_MAX;

		for (int i = 0; i < LADDER_SLOTS; i++)
			if (next[i] < rows[i].count &&
			    rows[i].rows[next[i]].minute < minute)
				minute = rows[i].rows[next[i]].minute;
		if (minute == INT32_MAX)
			break;
		assert(minute >= at && minute < end);
		for (int i = 0; i < LADDER_SLOTS; i++)
			if (next[i] < rows[i].count &&
			    rows[i].rows[next[i]].minute == minute)
				now[i] = &rows[i].rows[next[i]++].row;
		e = add_step(out, arena, &text, at, minute, step, now);
		at = minute + step;
	}
	if (!e && at < end)
		e = add_idle(&out[LADDER_AVG], arena, &text, seconds(end),
			     ":0");
	if (!e && at < end)
		e = add_idle(&out[LADDER_EXT], arena, &text, seconds(end),
			     ":U");
	buf_fini(&text);
	return e;
}

bool ladder_row(const double *avg, const double *ext, unsigned slot,
		enum tier tier, struct row *out, bool *damaged)
{
	const double sum = avg[2 * (size_t)slot];
	const double rate = avg[2 * (size_t)slot + 1];
	int32_t step = tier_step(tier);

	*out = (struct row){ .mixed = true };
	if (isnan(rate) || isnan(sum)) {
		*damaged = true;
		return false;
	}
	/* Counts are whole: a series of other counts is not served by RRD. */
	out->count = rint(rate * step);
	if (out->count <= 0)
		return false;
	out->sum = sum * step;
	out->min = -ext[2 * (size_t)slot];
	out->max = ext[2 * (size_t)slot + 1];
	if (isnan(out->min) || isnan(out->max)) {
		*damaged = true;
		return false;
	}
	return true;
}

bool ladder_row_same(const struct row *meant, const struct row *read)
{
	return meant->count == read->count && meant->min == read->min &&
	       meant->max == read->max &&
	       fabs(meant->sum - read->sum) <= 1e-13 * fabs(meant->sum);
}
