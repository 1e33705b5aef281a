/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/assemble.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/hash.h"

/* Finds a span by its id; open addressing, at most half full. */
struct id_table {
	uint32_t *slots; /* index + 1; 0: free */
	uint32_t mask;
};

struct builder {
	struct assembly *out;
	struct arena *arena;
	struct id_table ids;
	uint32_t cap;
	uint32_t document;
};

static uint32_t *id_slot(const struct builder *b,
			 const uint8_t id[SEGMENT_ID_SIZE])
{
	uint64_t h = hash64(sv_make((const char *)id, SEGMENT_ID_SIZE));
	uint32_t at = (uint32_t)h & b->ids.mask;

	assert(b->ids.slots);
	while (b->ids.slots[at] &&
	       memcmp(b->out->spans[b->ids.slots[at] - 1].segment.id, id,
		      SEGMENT_ID_SIZE))
		at = (at + 1) & b->ids.mask;
	return &b->ids.slots[at];
}

static uint32_t find_id(const struct builder *b,
			const uint8_t id[SEGMENT_ID_SIZE])
{
	uint32_t found = *id_slot(b, id);

	return found ? found - 1 : SPAN_NONE;
}

static int make_room(struct builder *b, uint32_t cap)
{
	struct span *spans = arena_alloc(b->arena, cap * sizeof(*spans));
	uint32_t *slots =
		arena_array(b->arena, (size_t)cap * 2, sizeof(*slots));

	if (!spans || !slots)
		return ERR_NOMEM;
	if (b->out->count)
		memcpy(spans, b->out->spans, b->out->count * sizeof(*spans));
	b->out->spans = spans;
	b->cap = cap;
	b->ids.slots = slots;
	b->ids.mask = cap * 2 - 1;
	for (uint32_t i = 0; i < b->out->count; i++)
		*id_slot(b, spans[i].segment.id) = i + 1;
	return 0;
}

/* Of two spans with one id the finished one stays, else the later one. */
static bool replaces(const struct segment *next, const struct segment *now)
{
	return now->in_progress || !next->in_progress;
}

static int collect(void *arg, const struct segment *segment,
		   const struct segment *parent, unsigned depth)
{
	struct builder *b = arg;
	uint32_t found;

	(void)parent;
	(void)depth;
	if (b->out->count == b->cap) {
		int e = make_room(b, b->cap ? b->cap * 2 : 16);

		if (e)
			return e;
	}
	found = find_id(b, segment->id);
	if (found != SPAN_NONE) {
		struct span *span = &b->out->spans[found];

		if (!replaces(segment, &span->segment))
			return 0;
		span->segment = *segment;
		span->document = b->document;
		return 0;
	}
	if (b->out->count == ASSEMBLY_SPANS_MAX) {
		b->out->skipped++;
		return 0;
	}
	b->out->spans[b->out->count] = (struct span){
		.segment = *segment,
		.document = b->document,
		.parent = SPAN_NONE,
		.owner = SPAN_NONE,
		.child = SPAN_NONE,
		.sibling = SPAN_NONE,
	};
	*id_slot(b, segment->id) = ++b->out->count;
	return 0;
}

static int collect_all(struct builder *b, const struct document *documents,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct segment segment;
		enum segment_refusal refusal;
		int e;

		b->document = (uint32_t)i;
		refusal = document_read(&documents[i], b->arena, &segment);
		if (refusal == SEGMENT_NO_MEMORY)
			return ERR_NOMEM;
		if (refusal != SEGMENT_OK) {
			b->out->skipped++;
			continue;
		}
		e = segment_walk(&segment, b->arena, collect, b);
		if (e)
			return e;
	}
	return 0;
}

/* Follows each span up; a walk that meets its own trail has found a loop and
 * cuts it there. Each span is walked over once. */
static void cut_loops(struct assembly *a, uint32_t *trail)
{
	for (uint32_t i = 0; i < a->count; i++) {
		uint32_t at = i;

		while (!trail[at]) {
			uint32_t parent = a->spans[at].parent;

			trail[at] = i + 1;
			if (parent == SPAN_NONE)
				break;
			if (trail[parent] == i + 1) {
				a->spans[at].parent = SPAN_NONE;
				break;
			}
			at = parent;
		}
	}
}

/* The nearest segment at or above each span. A second walk fills in what the
 * first one found, so that each span is asked a bounded number of times. */
static void find_owners(struct assembly *a, uint32_t *done)
{
	for (uint32_t i = 0; i < a->count; i++) {
		uint32_t at = i;
		uint32_t owner = SPAN_NONE;

		while (at != SPAN_NONE && !done[at] &&
		       a->spans[at].segment.subsegment)
			at = a->spans[at].parent;
		if (at != SPAN_NONE)
			owner = done[at] ? a->spans[at].owner : at;
		for (at = i; at != SPAN_NONE && !done[at];
		     at = a->spans[at].parent) {
			a->spans[at].owner = owner;
			done[at] = 1;
			if (at == owner)
				break;
		}
	}
}

static void find_parents(struct builder *b)
{
	struct assembly *a = b->out;

	for (uint32_t i = 0; i < a->count; i++) {
		struct span *span = &a->spans[i];

		if (!span->segment.has_parent)
			continue;
		span->parent = find_id(b, span->segment.parent_id);
		if (span->parent == i)
			span->parent = SPAN_NONE;
	}
}

struct by_start {
	int64_t start_ns;
	uint32_t index;
};

static int latest_first(const void *left, const void *right)
{
	const struct by_start *a = left, *b = right;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? 1 : -1;
	return a->index < b->index ? 1 : -1;
}

/* Pushing the latest first to the front leaves each list by start time. */
static int link_children(struct assembly *a)
{
	struct by_start *order =
		arena_array(a->arena, a->count, sizeof(*order));

	if (!order)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < a->count; i++)
		order[i] = (struct by_start){ a->spans[i].segment.start_ns, i };
	qsort(order, a->count, sizeof(*order), latest_first);
	for (uint32_t i = 0; i < a->count; i++) {
		struct span *span = &a->spans[order[i].index];
		uint32_t *head = span->parent == SPAN_NONE ?
					 &a->top :
					 &a->spans[span->parent].child;

		span->sibling = *head;
		*head = order[i].index;
	}
	return 0;
}

/* Smaller is better: a segment without a parent, a segment whose parent is
 * not here, a subsegment. */
static int root_rank(const struct segment *s)
{
	return s->subsegment ? 2 : s->has_parent ? 1 : 0;
}

static void find_root(struct assembly *a)
{
	for (uint32_t i = a->top; i != SPAN_NONE; i = a->spans[i].sibling)
		if (a->root == SPAN_NONE ||
		    root_rank(&a->spans[i].segment) <
			    root_rank(&a->spans[a->root].segment))
			a->root = i;
}

static bool is_function_of(const struct assembly *a, const struct span *span,
			   uint32_t lambda)
{
	return !span->segment.subsegment && span->parent != SPAN_NONE &&
	       sv_eq(span->segment.origin, SV("AWS::Lambda::Function")) &&
	       a->spans[span->parent].owner == lambda;
}

static void judge(struct assembly *a)
{
	const struct span *root = &a->spans[a->root];
	bool lambda = sv_eq(root->segment.origin, SV("AWS::Lambda"));

	a->status = root->segment.status;
	a->start_ns = INT64_MAX;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct span *span = &a->spans[i];
		const struct segment *s = &span->segment;

		if (s->start_ns < a->start_ns)
			a->start_ns = s->start_ns;
		if (s->end_ns > a->end_ns)
			a->end_ns = s->end_ns;
		if (s->in_progress ||
		    (s->subsegment && span->parent == SPAN_NONE) ||
		    (s->subsegment && s->traced && !span->answered))
			a->partial = true;
		if (lambda && s->status > a->status &&
		    is_function_of(a, span, a->root))
			a->status = s->status;
	}
}

static struct builder begin(struct assembly *out, struct arena *arena)
{
	*out = (struct assembly){
		.top = SPAN_NONE,
		.root = SPAN_NONE,
		.arena = arena,
	};
	return (struct builder){ .out = out, .arena = arena };
}

/* All spans are there: the tree of them, and what it says. */
static int finish(struct builder *b)
{
	struct assembly *out = b->out;
	struct arena *arena = b->arena;
	uint32_t *marks;
	int e;

	if (out->count == 0) {
		out->partial = true;
		return 0;
	}
	marks = arena_array(arena, (size_t)out->count * 2, sizeof(*marks));
	if (!marks)
		return ERR_NOMEM;
	find_parents(b);
	cut_loops(out, marks);
	find_owners(out, marks + out->count);
	for (uint32_t i = 0; i < out->count; i++)
		if (!out->spans[i].segment.subsegment &&
		    out->spans[i].parent != SPAN_NONE)
			out->spans[out->spans[i].parent].answered = true;
	e = link_children(out);
	if (e)
		return e;
	find_root(out);
	assert(out->root != SPAN_NONE);
	judge(out);
	return 0;
}

int assemble(const struct document *documents, size_t count,
	     struct arena *arena, struct assembly *out)
{
	struct builder b = begin(out, arena);
	int e = collect_all(&b, documents, count);

	return e ? e : finish(&b);
}

int assemble_parts(const struct assembly_part *parts, size_t count,
		   struct arena *arena, struct assembly *out)
{
	struct builder b = begin(out, arena);
	uint32_t cap = 8;
	int e;

	while (cap < count && cap < ASSEMBLY_SPANS_MAX)
		cap *= 2;
	e = make_room(&b, cap);
	if (e)
		return e;
	for (size_t i = 0; i < count; i++) {
		b.document = parts[i].document;
		e = collect(&b, parts[i].segment, NULL, 0);
		if (e)
			return e;
	}
	return finish(&b);
}
