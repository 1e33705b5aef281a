/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/compare.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "tracer/critical.h"

enum {
	SLOTS = 2 * COMPARE_PROPERTIES_MAX,
	TEXTS_MAX = 2 << 20, /* bytes of all names and values */
	NAMES = -1,          /* kind of an entry that counts a name's values */
	TIMES = -2,          /* ... that adds up a name's time on the path */
};

struct entry {
	int kind; /* enum compare_kind, NAMES or TIMES */
	struct sv name, value;
	uint64_t hash;
	uint64_t seen;              /* the trace that had it last; 0: none */
	int64_t sum[COMPARE_SIDES]; /* traces, or ns; of NAMES [0]: values */
};

struct compare {
	struct arena texts;
	struct entry *entries;
	uint32_t *slots; /* by hash: 1 + index of an entry */
	size_t entry_count;
	uint64_t traces[COMPARE_SIDES];
	int64_t *durations[COMPARE_SIDES];
	bool sorted;
	uint64_t cut;
};

const char *compare_kind_name(enum compare_kind kind)
{
	static const char *const names[COMPARE_KINDS] = {
		"service",   "status", "http_status", "annotation", "user",
		"exception", "root",   "url",         "failed",
	};

	return names[kind];
}

int compare_new(struct compare **out)
{
	struct compare *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	c->texts.limit = TEXTS_MAX;
	c->entries = calloc(COMPARE_PROPERTIES_MAX, sizeof(*c->entries));
	c->slots = calloc(SLOTS, sizeof(*c->slots));
	for (int i = 0; i < COMPARE_SIDES; i++)
		c->durations[i] =
			calloc(COMPARE_TRACES_MAX, sizeof(*c->durations[i]));
	if (!c->entries || !c->slots || !c->durations[0] || !c->durations[1]) {
		compare_free(c);
		return ERR_NOMEM;
	}
	*out = c;
	return 0;
}

void compare_free(struct compare *c)
{
	if (!c)
		return;
	arena_fini(&c->texts);
	free(c->entries);
	free(c->slots);
	for (int i = 0; i < COMPARE_SIDES; i++)
		free(c->durations[i]);
	free(c);
}

/* --- the table --------------------------------------------------------------------- */

/* At most COMPARE_TEXT_MAX bytes, never a part of a character. */
static struct sv shorten(struct sv text)
{
	if (text.len <= COMPARE_TEXT_MAX)
		return text;
	text.len = COMPARE_TEXT_MAX;
	while (text.len && ((uint8_t)text.ptr[text.len] & 0xc0) == 0x80)
		text.len--;
	return text;
}

/* The slot of such an entry, or the free one where it belongs. */
static size_t slot_of(const struct compare *c, int kind, struct sv name,
		      struct sv value, uint64_t *hash)
{
	size_t at;

	*hash = hash64_seed(value, hash64_seed(name, (uint64_t)(int64_t)kind));
	for (at = *hash % SLOTS; c->slots[at]; at = (at + 1) % SLOTS) {
		const struct entry *e = &c->entries[c->slots[at] - 1];

		if (e->hash == *hash && e->kind == kind &&
		    sv_eq(e->name, name) && sv_eq(e->value, value))
			break;
	}
	return at;
}

static bool is_known(const struct compare *c, int kind, struct sv name,
		     struct sv value)
{
	uint64_t hash;

	return c->slots[slot_of(c, kind, name, value, &hash)] != 0;
}

/* Made where it is not there. NULL: there is no room for another. */
static struct entry *entry_of(struct compare *c, int kind, struct sv name,
			      struct sv value)
{
	uint64_t hash;
	size_t at = slot_of(c, kind, name, value, &hash);
	struct entry *e;

	if (c->slots[at])
		return &c->entries[c->slots[at] - 1];
	if (c->entry_count == COMPARE_PROPERTIES_MAX)
		return NULL;
	e = &c->entries[c->entry_count];
	*e = (struct entry){
		.kind = kind,
		.name = arena_copy(&c->texts, name),
		.value = arena_copy(&c->texts, value),
		.hash = hash,
	};
	if (!e->name.ptr || !e->value.ptr)
		return NULL;
	c->slots[at] = (uint32_t)++c->entry_count;
	return e;
}

/* Names that people give may have any number of values. */
static bool takes_value(struct compare *c, enum compare_kind kind,
			struct sv name, struct sv value)
{
	struct entry *e;

	if ((kind != COMPARE_ANNOTATION && kind != COMPARE_USER &&
	     kind != COMPARE_URL) ||
	    is_known(c, (int)kind, name, value))
		return true;
	e = entry_of(c, NAMES, name, SV(""));
	return e && e->sum[0]++ < COMPARE_VALUES_MAX;
}

static void count(struct compare *c, enum compare_side side,
		  enum compare_kind kind, struct sv name, struct sv value)
{
	uint64_t trace = c->traces[COMPARE_A] + c->traces[COMPARE_B] + 1;
	struct entry *e = NULL;

	if (!value.len)
		return;
	name = shorten(name);
	value = shorten(value);
	if (takes_value(c, kind, name, value))
		e = entry_of(c, (int)kind, name, value);
	if (!e)
		c->cut++;
	else if (e->seen != trace)
		e->sum[side]++;
	if (e)
		e->seen = trace;
}

/* --- a trace --------------------------------------------------------------------------- */

static void count_root(struct compare *c, enum compare_side side,
		       struct facts *f)
{
	const struct assembly *a = f->trace;
	const struct segment *s = &a->spans[a->root].segment;
	struct sv url = facts_text(f, a->root, "http.request.url");
	char status[8];

	count(c, side, COMPARE_URL, SV(""), sv_cut(&url, '?'));
	count(c, side, COMPARE_STATUS, SV(""),
	      sv_from(segment_status_text(a->status)));
	count(c, side, COMPARE_ROOT, SV(""), s->name);
	snprintf(status, sizeof(status), "%u", (unsigned)s->http_status);
	if (s->http_status)
		count(c, side, COMPARE_HTTP, SV(""), sv_from(status));
}

static void count_spans(struct compare *c, enum compare_side side,
			struct facts *f)
{
	const struct assembly *a = f->trace;

	for (uint32_t i = 0; i < a->count; i++) {
		const struct segment *s = &a->spans[i].segment;

		count(c, side, COMPARE_EXCEPTION, SV(""), s->error_type);
		if (s->status != SEGMENT_STATUS_OK)
			count(c, side, COMPARE_FAILED,
			      sv_from(segment_status_text(s->status)), s->name);
		if (a->spans[i].owner == i)
			count(c, side, COMPARE_USER, SV(""),
			      facts_text(f, i, "user"));
	}
}

static void count_parts(struct compare *c, enum compare_side side,
			struct facts *f)
{
	uint32_t n;
	const struct facts_part *parts = facts_parts(f, &n);
	const struct facts_annotation *annotations;

	for (uint32_t i = 0; i < n; i++)
		if (!parts[i].client)
			count(c, side, COMPARE_SERVICE, SV(""), parts[i].name);
	annotations = facts_annotations(f, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct sv text = json_string(annotations[i].value, f->arena);

		count(c, side, COMPARE_ANNOTATION, annotations[i].key,
		      text.ptr ? text : json_raw(annotations[i].value));
	}
}

static int add_times(struct compare *c, enum compare_side side,
		     const struct facts *f)
{
	const struct assembly *a = f->trace;
	struct critical_span *critical;

	if (critical_make(a, f->arena, &critical))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < a->count; i++) {
		struct entry *e;

		if (critical[i].path_ns <= 0)
			continue;
		e = entry_of(c, TIMES, shorten(a->spans[i].segment.name),
			     SV(""));
		if (e)
			e->sum[side] += critical[i].path_ns;
		else
			c->cut++;
	}
	return 0;
}

int compare_add(struct compare *c, enum compare_side side, struct facts *facts)
{
	if (c->traces[side] == COMPARE_TRACES_MAX)
		return ERR_LIMIT;
	if (facts->trace->root == SPAN_NONE)
		return 0;
	count_root(c, side, facts);
	count_spans(c, side, facts);
	count_parts(c, side, facts);
	if (facts->failed || add_times(c, side, facts))
		return ERR_NOMEM;
	c->durations[side][c->traces[side]++] = facts_response_ns(facts);
	c->sorted = false;
	return 0;
}

/* --- what came of it ------------------------------------------------------------------------ */

uint64_t compare_traces(const struct compare *c, enum compare_side side)
{
	return c->traces[side];
}

int compare_histogram(const struct compare *c, enum compare_side side,
		      struct graph_histogram *out)
{
	*out = (struct graph_histogram){ 0 };
	for (uint64_t i = 0; i < c->traces[side]; i++) {
		int64_t ns = c->durations[side][i];
		int e = graph_histogram_add(
			out, graph_step(ns > 0 ? (uint64_t)ns : 0), 1);

		if (e) {
			free(out->items);
			*out = (struct graph_histogram){ 0 };
			return e;
		}
	}
	return 0;
}

uint64_t compare_cut(const struct compare *c)
{
	return c->cut;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t compare_quantile_ns(struct compare *c, enum compare_side side,
			    unsigned permille)
{
	uint64_t n = c->traces[side];

	assert(permille <= 1000);
	for (int i = 0; !c->sorted && i < COMPARE_SIDES; i++)
		qsort(c->durations[i], c->traces[i], sizeof(int64_t), by_time);
	c->sorted = true;
	return n ? c->durations[side][(n - 1) * permille / 1000] : 0;
}

/* Of the traces on this side; 0 without any. */
static double share(const struct compare *c, const struct entry *e, int side)
{
	return c->traces[side] ?
		       (double)e->sum[side] / (double)c->traces[side] :
		       0;
}

/* More than might be chance, if both sets were drawn from one. */
static bool differs(const struct compare *c, const struct entry *e)
{
	double a = (double)c->traces[COMPARE_A];
	double b = (double)c->traces[COMPARE_B];
	double p, error;

	if (a < 1 || b < 1)
		return false;
	p = (double)(e->sum[COMPARE_A] + e->sum[COMPARE_B]) / (a + b);
	error = sqrt(p * (1 - p) * (1 / a + 1 / b));
	return fabs(share(c, e, COMPARE_A) - share(c, e, COMPARE_B)) >
	       COMPARE_SIGMAS * error;
}

struct ranked {
	double weight;
	const struct entry *entry;
};

/* Of equals the first in order of names, so that answers repeat. */
static int by_weight(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	if (x->entry->kind != y->entry->kind)
		return x->entry->kind < y->entry->kind ? -1 : 1;
	order = sv_cmp(x->entry->name, y->entry->name);
	return order ? order : sv_cmp(x->entry->value, y->entry->value);
}

/* The entries of kinds or of TIMES that differ, ranked; NULL: no memory. */
static struct ranked *rank(const struct compare *c, bool times, size_t *count)
{
	struct ranked *list = calloc(COMPARE_PROPERTIES_MAX, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; list && i < c->entry_count; i++) {
		const struct entry *e = &c->entries[i];

		if (times ? e->kind != TIMES : e->kind < 0 || !differs(c, e))
			continue;
		list[n++] = (struct ranked){
			fabs(share(c, e, COMPARE_A) - share(c, e, COMPARE_B)),
			e,
		};
	}
	if (list)
		qsort(list, n, sizeof(*list), by_weight);
	*count = n;
	return list;
}

size_t compare_properties(struct compare *c, struct compare_property *out,
			  size_t max)
{
	size_t n, kept;
	struct ranked *list = rank(c, false, &n);

	kept = n < max ? n : max;
	for (size_t i = 0; i < kept; i++) {
		const struct entry *e = list[i].entry;

		out[i] = (struct compare_property){
			.kind = (enum compare_kind)e->kind,
			.name = e->name,
			.value = e->value,
			.count = { (uint64_t)e->sum[COMPARE_A],
				   (uint64_t)e->sum[COMPARE_B] },
		};
	}
	free(list);
	return kept;
}

size_t compare_times(struct compare *c, struct compare_time *out, size_t max)
{
	size_t n, kept;
	struct ranked *list = rank(c, true, &n);

	kept = n < max ? n : max;
	for (size_t i = 0; i < kept; i++) {
		const struct entry *e = list[i].entry;

		out[i] = (struct compare_time){
			.name = e->name,
			.path_ns = { e->sum[COMPARE_A], e->sum[COMPARE_B] },
		};
	}
	free(list);
	return kept;
}
