/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/spans.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/client/answer.h"

/* An end before its start, or none, has no bar. */
static double sane_end(double start, double end)
{
	return isfinite(end) && end > start ? end : start;
}

static struct sv keep(struct arena *a, struct sv text)
{
	struct sv copy = arena_copy(a, text);

	return copy.ptr ? copy : SV("");
}

static struct sv joined(struct arena *a, struct sv first, struct sv second)
{
	struct buf text = BUF_INIT;
	struct sv out;

	buf_sv(&text, first);
	if (first.len && second.len)
		buf_char(&text, ' ');
	buf_sv(&text, second);
	out = keep(a, buf_view(&text));
	buf_fini(&text);
	return out;
}

/* --- X-Ray -------------------------------------------------------------- */

static enum span_status xray_status(const json_t *d)
{
	if (answer_bool(d, "fault"))
		return SPAN_FAULT;
	if (answer_bool(d, "throttle"))
		return SPAN_THROTTLE;
	return answer_bool(d, "error") ? SPAN_ERROR : SPAN_OK;
}

static struct sv xray_detail(struct arena *a, const json_t *d)
{
	const json_t *http = answer_object(d, "http");
	const json_t *aws = answer_object(d, "aws");
	int64_t status =
		answer_integer(answer_object(http, "response"), "status");
	char code[24] = "";

	if (answer_text(aws, "operation").len)
		return joined(a, answer_text(aws, "operation"),
			      answer_text(aws, "table_name"));
	if (status > 0)
		snprintf(code, sizeof(code), "%lld", (long long)status);
	return joined(a, answer_text(answer_object(http, "request"), "method"),
		      sv_from(code));
}

static struct span *next_span(struct waterfall *t)
{
	if (t->span_count == SPANS_MAX) {
		t->left_out++;
		return NULL;
	}
	return &t->spans[t->span_count++];
}

static void read_xray(struct waterfall *t, const json_t *d, struct sv parent_id,
		      int depth)
{
	struct span *span = next_span(t);
	const json_t *child;
	size_t i;

	if (!span)
		return;
	span->id = keep(&t->arena, answer_text(d, "id"));
	span->parent_id = keep(&t->arena, answer_text(d, "parent_id"));
	if (!span->parent_id.len)
		span->parent_id = parent_id;
	span->name = keep(&t->arena, answer_text(d, "name"));
	span->detail = xray_detail(&t->arena, d);
	span->start = answer_number(d, "start_time");
	span->end = sane_end(span->start, answer_number(d, "end_time"));
	span->in_progress = answer_bool(d, "in_progress");
	span->status = xray_status(d);
	json_array_foreach(answer_array(d, "subsegments"), i, child)
	{
		if (depth >= SPAN_DEPTH_MAX)
			t->left_out++;
		else
			read_xray(t, child, span->id, depth + 1);
	}
}

/* --- OpenTelemetry ------------------------------------------------------ */

/* OTLP's JSON writes 64-bit numbers as decimal strings. */
static double nano_time(const json_t *d, const char *key)
{
	uint64_t ns;

	if (sv_to_u64(answer_text(d, key), &ns))
		return (double)ns / 1e9;
	return answer_number(d, key) / 1e9;
}

static void read_otlp(struct waterfall *t, const json_t *d)
{
	struct span *span = next_span(t);
	const json_t *status = answer_object(d, "status");

	if (!span)
		return;
	span->id = keep(&t->arena, answer_text(d, "spanId"));
	span->parent_id = keep(&t->arena, answer_text(d, "parentSpanId"));
	span->name = keep(&t->arena, answer_text(d, "name"));
	span->detail = keep(&t->arena, answer_text(status, "message"));
	span->start = nano_time(d, "startTimeUnixNano");
	span->end = sane_end(span->start, nano_time(d, "endTimeUnixNano"));
	span->status = answer_integer(status, "code") == 2 || /* ERROR */
				       sv_eq(answer_text(status, "code"),
					     SV("STATUS_CODE_ERROR")) ?
			       SPAN_FAULT :
			       SPAN_OK;
}

/* --- the order of the waterfall ------------------------------------------ */

/* Indices sorted by id (and position), to find parents by. */
struct by_id {
	const struct span *span;
	size_t index;
};

static int compare_ids(const void *a, const void *b)
{
	const struct by_id *x = a, *y = b;
	int c = sv_cmp(x->span->id, y->span->id);

	return c ? c : (x->index > y->index) - (x->index < y->index);
}

static size_t find_id(const struct by_id *ids, size_t count, struct sv id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (sv_cmp(ids[mid].span->id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < count && sv_eq(ids[low].span->id, id))
		return ids[low].index;
	return SIZE_MAX;
}

/* A child, in the order of its siblings. */
struct child {
	size_t parent; /* SIZE_MAX: a root */
	double start;
	size_t index;
};

static int compare_children(const void *a, const void *b)
{
	const struct child *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent + 1 < y->parent + 1 ? -1 : 1; /* roots first */
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

struct tree {
	const struct span *spans;
	const struct child *children; /* sorted by parent */
	size_t count;
	bool *done;
	struct span *out;
	size_t out_count;
	size_t *stack; /* of positions in children, one a level */
};

static size_t first_child(const struct tree *tree, size_t parent)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		/* +1 turns SIZE_MAX, which marks roots, into the least. */
		if (tree->children[mid].parent + 1 < parent + 1)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Puts out a span and what is below it, without recursion: depth is foreign.
 * stack[level] is the next sibling to look at, parents the spans above. */
static void put_out(struct tree *tree, size_t root, size_t *parents)
{
	size_t level = 0;

	tree->done[root] = true;
	tree->out[tree->out_count++] = tree->spans[root];
	parents[0] = root;
	tree->stack[0] = first_child(tree, root);
	for (;;) {
		size_t at = tree->stack[level];
		size_t index;

		if (at >= tree->count ||
		    tree->children[at].parent != parents[level]) {
			if (level-- == 0)
				return;
			continue;
		}
		tree->stack[level]++;
		index = tree->children[at].index;
		if (tree->done[index])
			continue;
		tree->done[index] = true;
		level++;
		tree->out[tree->out_count] = tree->spans[index];
		tree->out[tree->out_count++].depth = (int)level;
		parents[level] = index;
		tree->stack[level] = first_child(tree, index);
	}
}

static bool arrange(struct waterfall *t)
{
	size_t n = t->span_count;
	struct by_id *ids = arena_array(&t->arena, n + 1, sizeof(*ids));
	struct child *children =
		arena_array(&t->arena, n + 1, sizeof(*children));
	size_t *parents = arena_array(&t->arena, n + 1, sizeof(*parents));
	struct tree tree = {
		.spans = t->spans,
		.children = children,
		.count = n,
		.done = arena_array(&t->arena, n + 1, sizeof(bool)),
		.out = arena_array(&t->arena, n + 1, sizeof(struct span)),
		.stack = arena_array(&t->arena, n + 1, sizeof(size_t)),
	};

	if (!ids || !children || !parents || !tree.done || !tree.out ||
	    !tree.stack)
		return false;
	for (size_t i = 0; i < n; i++)
		ids[i] = (struct by_id){ &t->spans[i], i };
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < n; i++) {
		const struct span *span = &t->spans[i];
		size_t parent = span->parent_id.len ?
					find_id(ids, n, span->parent_id) :
					SIZE_MAX;

		children[i] = (struct child){ parent == i ? SIZE_MAX : parent,
					      span->start, i };
	}
	qsort(children, n, sizeof(*children), compare_children);
	for (size_t i = 0; i < n && children[i].parent == SIZE_MAX; i++)
		put_out(&tree, children[i].index, parents);
	for (size_t i = 0; i < n; i++) /* what only a circle leads to */
		if (!tree.done[children[i].index])
			put_out(&tree, children[i].index, parents);
	assert(tree.out_count == n);
	t->spans = tree.out;
	return true;
}

/* --- logs and cost -------------------------------------------------------- */

/* The events of several requests come one request after the other. */
static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* One line of a message, its tabs (Node's runtime writes them between its
 * fields) as spaces. */
static struct sv keep_line(struct arena *a, struct sv line)
{
	char *bytes = arena_alloc(a, line.len + 1);

	if (!bytes)
		return SV("");
	for (size_t i = 0; i < line.len; i++)
		bytes[i] = line.ptr[i] == '\t' ? ' ' : line.ptr[i];
	bytes[line.len] = '\0';
	return sv_make(bytes, line.len);
}

/* A row for each line of each message. */
static void read_events(struct waterfall *t, const json_t *list)
{
	const json_t *from;
	size_t i;

	t->events = arena_array(&t->arena, EVENTS_MAX, sizeof(*t->events));
	if (!t->events)
		return;
	json_array_foreach(list, i, from)
	{
		struct sv rest = sv_trim(answer_text(from, "message"));
		bool first = true;

		while (first || rest.ptr) {
			struct sv line = sv_cut(&rest, '\n');
			struct event *event = &t->events[t->event_count];

			if (t->event_count == EVENTS_MAX) {
				t->left_out++;
				break;
			}
			event->time = answer_number(from, "time");
			event->order = t->event_count++;
			event->continued = !first;
			event->message = keep_line(&t->arena, line);
			first = false;
		}
	}
	if (t->event_count)
		qsort(t->events, t->event_count, sizeof(*t->events),
		      compare_events);
}

/* Milliseconds come as a decimal string, or as a number. */
static void add_ms(struct buf *text, const json_t *usage, const char *key)
{
	struct sv exact = answer_text(usage, key);

	if (exact.len)
		buf_sv(text, exact);
	else
		buf_format(text, "%g", answer_number(usage, key));
}

static void read_summary(struct waterfall *t, const json_t *usage)
{
	struct buf text = BUF_INIT;

	buf_format(&text, "%lld MB",
		   (long long)answer_integer(usage, "memory_mb"));
	if (answer_integer(usage, "max_memory_mb"))
		buf_format(&text, ", %lld used",
			   (long long)answer_integer(usage, "max_memory_mb"));
	buf_text(&text, ", ");
	add_ms(&text, usage, "billed_ms");
	buf_text(&text, " ms billed");
	if (strtod(answer_string(usage, "init_ms"), NULL) > 0 ||
	    answer_number(usage, "init_ms") > 0) {
		buf_text(&text, ", ");
		add_ms(&text, usage, "init_ms");
		buf_text(&text, " ms init");
	}
	t->summary = keep(&t->arena, buf_view(&text));
	buf_fini(&text);
}

/* The total is the collector's, of one usage record. Of several, the charges
 * are listed and no total is shown: adding decimals is the ledger's business. */
static void read_usage(struct waterfall *t, const json_t *list)
{
	size_t records = json_array_size(list);
	char text[48];

	t->charges = arena_array(&t->arena, CHARGES_MAX, sizeof(*t->charges));
	if (!t->charges)
		return;
	if (records > 1) {
		snprintf(text, sizeof(text), "%zu invocations", records);
		t->summary = keep(&t->arena, sv_from(text));
	}
	for (size_t r = 0; r < records; r++) {
		const json_t *usage = json_array_get(list, r);
		const json_t *cost = answer_object(usage, "cost");
		const json_t *item;
		size_t i;

		if (r == 0)
			t->note = keep(&t->arena, answer_text(cost, "note"));
		if (records == 1) {
			read_summary(t, usage);
			t->total = keep(&t->arena, answer_text(cost, "total"));
		}
		json_array_foreach(answer_array(cost, "items"), i, item)
		{
			struct charge *charge = &t->charges[t->charge_count];

			if (t->charge_count == CHARGES_MAX) {
				t->left_out++;
				continue;
			}
			t->charge_count++;
			charge->usage_type = keep(
				&t->arena, answer_text(item, "usage_type"));
			charge->quantity =
				keep(&t->arena, answer_text(item, "quantity"));
			charge->unit =
				keep(&t->arena, answer_text(item, "unit"));
			charge->cost =
				keep(&t->arena, answer_text(item, "cost"));
		}
	}
}

/* From the first start to the last end, over what is sane: the documents'
 * times are finer than the answer's own, which serve where no span has any. */
static void measure(struct waterfall *t)
{
	double first = INFINITY, last = -INFINITY;

	for (size_t i = 0; i < t->span_count; i++) {
		if (!(t->spans[i].start > 0))
			continue;
		first = fmin(first, t->spans[i].start);
		last = fmax(last, t->spans[i].end);
	}
	if (isfinite(first) && last >= first) {
		t->start = first;
		t->duration_s = last - first;
	}
}

struct waterfall *waterfall_new(const json_t *answer, struct sv asked)
{
	struct waterfall *t = calloc(1, sizeof(*t));
	const json_t *segment;
	size_t i;

	if (!t)
		return NULL;
	t->arena.limit = MODEL_BYTES_MAX;
	t->spans = arena_array(&t->arena, SPANS_MAX, sizeof(*t->spans));
	if (!t->spans) {
		waterfall_free(t);
		return NULL;
	}
	t->asked = keep(&t->arena, asked);
	t->id = keep(&t->arena, answer_text(answer, "id"));
	t->start = answer_number(answer, "start");
	t->duration_s = answer_number(answer, "duration");
	t->status_text = keep(&t->arena, answer_text(answer, "status"));
	t->status = span_status_parse(t->status_text);
	t->partial = answer_bool(answer, "partial");
	json_array_foreach(answer_array(answer, "segments"), i, segment)
	{
		const json_t *document = answer_object(segment, "document");

		if (json_object_get(document, "spanId"))
			read_otlp(t, document);
		else if (document)
			read_xray(t, document, SV(""), 0);
	}
	if (!arrange(t)) {
		waterfall_free(t);
		return NULL;
	}
	measure(t);
	read_events(t, answer_array(answer, "logs"));
	read_usage(t, answer_array(answer, "usage"));
	return t;
}

void waterfall_free(struct waterfall *t)
{
	if (t)
		arena_fini(&t->arena);
	free(t);
}
