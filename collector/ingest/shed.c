/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/shed.h"

#include <strings.h>

static const char shed_code[] = "Throttled";

/* --- levels of lines --------------------------------------------------------------- */

static bool is_level(struct sv word)
{
	return sv_eq(word, SV("DEBUG")) || sv_eq(word, SV("TRACE"));
}

static bool word_is_debug(struct sv s)
{
	size_t at = 0;

	for (int words = 0; words < 3 && at < s.len; words++) {
		struct sv word;
		size_t from;

		while (at < s.len && memchr(" \t[", s.ptr[at], 3))
			at++;
		from = at;
		while (at < s.len && !memchr(" \t]", s.ptr[at], 3))
			at++;
		word = sv_make(s.ptr + from, at - from);
		if (is_level(sv_cut(&word, ':'))) /* DEBUG:module:text */
			return true;
		at++;
	}
	return false;
}

static bool json_is_debug(struct sv s)
{
	static const char key[] = "level\"";
	const size_t n = sizeof(key) - 1;

	for (size_t at = 1; at + n < s.len; at++) {
		const char *p = s.ptr + at;
		size_t left;

		if (p[-1] != '"' || strncasecmp(p, key, n))
			continue;
		p += n;
		left = s.len - at - n;
		while (left && memchr(" \t:\"", *p, 4))
			p++, left--;
		return left >= 6 && p[5] == '"' &&
		       (!strncasecmp(p, "debug", 5) ||
			!strncasecmp(p, "trace", 5));
	}
	return false;
}

bool shed_is_debug(struct sv message)
{
	if (message.len > SHED_LEVEL_WITHIN)
		message.len = SHED_LEVEL_WITHIN;
	if (message.len && message.ptr[0] == '{')
		return json_is_debug(message);
	return word_is_debug(message);
}

/* --- records ------------------------------------------------------------------------ */

static enum shed_kind kind_of(const struct records *r, enum record_kind kind,
			      uint32_t index)
{
	switch (kind) {
	case RECORD_SEGMENT:
		return SHED_SEGMENT;
	case RECORD_DATUM:
		return SHED_DATUM;
	case RECORD_LOG:
		return shed_is_debug(r->logs[index].message) ? SHED_DEBUG :
							       SHED_LOG;
	case RECORD_USAGE:
		break;
	}
	return SHED_USAGE;
}

static size_t count_of(const struct records *r, enum record_kind kind)
{
	switch (kind) {
	case RECORD_SEGMENT:
		return r->segment_count;
	case RECORD_DATUM:
		return r->datum_count;
	case RECORD_LOG:
		return r->log_count;
	case RECORD_USAGE:
		break;
	}
	return r->usage_count;
}

/* The batch's refusals with those that are shed put in among them. */
struct merge {
	struct native_refusal *list;
	size_t count;
	size_t kept; /* records without a refusal */
	size_t old;  /* of the batch's own, taken over */
};

static void merge_kind(struct merge *m, const struct native_batch *batch,
		       enum record_kind kind, enum admission_level level,
		       struct shed *out)
{
	size_t n = count_of(&batch->records, kind);

	for (uint32_t i = 0; i < n; i++) {
		const struct native_refusal *was = &batch->refusals[m->old];
		enum shed_kind what;

		if (m->old < batch->refusal_count && was->kind == kind &&
		    was->index == i) {
			m->list[m->count++] = *was;
			m->old++;
			continue;
		}
		what = kind_of(&batch->records, kind, i);
		if (what == SHED_USAGE ||
		    (what != SHED_DEBUG && level < ADMISSION_NO_TELEMETRY)) {
			m->kept++;
			continue;
		}
		out->counts[what]++;
		m->list[m->count++] = (struct native_refusal){
			.kind = kind,
			.index = i,
			.code = sv_make(shed_code, sizeof(shed_code) - 1),
			.message = SV("the collector's memory is short: usage "
				      "is kept, this is not"),
		};
	}
}

int shed_records(struct arena *arena, struct native_batch *batch,
		 enum admission_level level, struct shed *out)
{
	const struct records *r = &batch->records;
	struct merge m = { 0 };

	*out = (struct shed){ 0 };
	if (level < ADMISSION_NO_READ)
		return 0;
	m.list = arena_array(arena,
			     r->segment_count + r->datum_count + r->log_count +
				     r->usage_count,
			     sizeof(*m.list));
	if (!m.list)
		return ERR_NOMEM;
	for (int kind = RECORD_SEGMENT; kind <= RECORD_USAGE; kind++)
		merge_kind(&m, batch, (enum record_kind)kind, level, out);
	if (!m.kept && m.count > batch->refusal_count)
		return ERR_BUSY;
	batch->refusals = m.list;
	batch->refusal_count = m.count;
	return 0;
}

bool shed_refused(const struct native_refusal *refusal)
{
	return refusal->code.ptr == shed_code;
}

void shed_all(const struct records *r, const struct native_refusal *refusals,
	      size_t refusal_count, struct shed *out)
{
	size_t at = 0;

	*out = (struct shed){ 0 };
	for (int k = RECORD_SEGMENT; k <= RECORD_USAGE; k++) {
		enum record_kind kind = (enum record_kind)k;

		for (uint32_t i = 0; i < count_of(r, kind); i++) {
			if (at < refusal_count && refusals[at].kind == kind &&
			    refusals[at].index == i) {
				if (!shed_refused(&refusals[at++]))
					continue;
			}
			out->counts[kind_of(r, kind, i)]++;
		}
	}
}

void shed_count(struct stats *st, const struct shed *shed)
{
	_Atomic uint64_t *const counters[SHED_KINDS] = {
		[SHED_SEGMENT] = &st->shed_segment_records,
		[SHED_DATUM] = &st->shed_datum_records,
		[SHED_DEBUG] = &st->shed_debug_records,
		[SHED_LOG] = &st->shed_log_records,
		[SHED_USAGE] = &st->shed_usage_records,
	};

	for (size_t i = 0; i < SHED_KINDS; i++)
		if (shed->counts[i])
			stats_add(counters[i], shed->counts[i]);
}
