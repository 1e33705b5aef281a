/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/when.h"

#include <stdio.h>
#include <time.h>

#include "core/client/client.h"

static bool parse_before(struct sv text, double now, double *out)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = {
		{ 's', 1 },     { 'm', 60 },     { 'h', 3600 },
		{ 'd', 86400 }, { 'w', 604800 },
	};
	uint64_t n;

	if (text.len < 2 || text.len > 10 ||
	    !sv_to_u64(sv_make(text.ptr, text.len - 1), &n))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text.ptr[text.len - 1] == units[i].unit) {
			*out = now - (double)n * units[i].seconds;
			return *out >= 0;
		}
	return false;
}

static bool parse_epoch(struct sv text, double *out)
{
	struct sv rest = text;
	struct sv head = sv_cut(&rest, '.');
	uint64_t whole, part = 0;
	double scale = 1;

	if (!sv_to_u64(head, &whole) || whole < 100000000 ||
	    whole > 253402300799)
		return false;
	if (rest.ptr && (rest.len > 9 || !sv_to_u64(rest, &part)))
		return false;
	for (size_t i = 0; i < rest.len; i++)
		scale *= 10;
	*out = (double)whole + (double)part / scale;
	return true;
}

static bool digits(struct sv *text, size_t n, int *out)
{
	uint64_t v;

	if (text->len < n || !sv_to_u64(sv_make(text->ptr, n), &v))
		return false;
	*out = (int)v;
	*text = sv_make(text->ptr + n, text->len - n);
	return true;
}

static bool skip(struct sv *text, char c)
{
	if (!text->len || text->ptr[0] != c)
		return false;
	*text = sv_make(text->ptr + 1, text->len - 1);
	return true;
}

static bool parse_clock(struct sv *text, struct tm *tm)
{
	if (!digits(text, 2, &tm->tm_hour) || !skip(text, ':') ||
	    !digits(text, 2, &tm->tm_min))
		return false;
	if (skip(text, ':') && !digits(text, 2, &tm->tm_sec))
		return false;
	(void)skip(text, 'Z');
	return true;
}

/* ISO 8601 in UTC, the date alone or with a time of day. */
static bool parse_date(struct sv text, double *out)
{
	struct tm tm = { 0 };
	struct tm given;
	time_t t;

	if (!digits(&text, 4, &tm.tm_year) || !skip(&text, '-') ||
	    !digits(&text, 2, &tm.tm_mon) || !skip(&text, '-') ||
	    !digits(&text, 2, &tm.tm_mday))
		return false;
	if (skip(&text, 'T') && !parse_clock(&text, &tm))
		return false;
	if (text.len)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	given = tm;
	t = timegm(&tm);
	/* timegm makes 1 March of 30 February; we do not. */
	if (t < 0 || tm.tm_mday != given.tm_mday || tm.tm_mon != given.tm_mon ||
	    tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min ||
	    tm.tm_sec != given.tm_sec)
		return false;
	*out = (double)t;
	return true;
}

bool when_parse(const char *text, double now, double *out)
{
	struct sv s = sv_from(text);

	if (sv_eq(s, SV("now"))) {
		*out = now;
		return true;
	}
	return parse_before(s, now, out) || parse_date(s, out) ||
	       parse_epoch(s, out);
}

void when_query(struct buf *path, const char *name, double epoch)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", epoch);
	client_query(path, name, text);
}
