/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/skew.h"

/* What puts the called in its call's time; 0: it is there. */
static int64_t shift_of(const struct segment *call,
			const struct segment *called)
{
	int64_t early = call->start_ns - called->start_ns;
	int64_t late = called->end_ns - call->end_ns;
	int64_t room = (call->end_ns - call->start_ns) -
		       (called->end_ns - called->start_ns);
	bool is_late = late > SKEW_LEAST_NS && room >= 0 && call->http_status;

	if (called->in_progress || call->in_progress)
		return early > SKEW_LEAST_NS ? early : 0;
	if (early <= SKEW_LEAST_NS && !is_late)
		return 0;
	return room >= 0 ? early + room / 2 : early;
}

static void shift(struct assembly *a, uint32_t i, int64_t *shift_ns,
		  size_t *moved)
{
	struct span *span = &a->spans[i];

	if (span->owner != i && span->owner != SPAN_NONE) {
		shift_ns[i] = shift_ns[span->owner];
	} else if (span->parent != SPAN_NONE && !span->segment.subsegment) {
		shift_ns[i] = shift_of(&a->spans[span->parent].segment,
				       &span->segment);
		*moved += shift_ns[i] != 0;
	}
	span->segment.start_ns += shift_ns[i];
	span->segment.end_ns += shift_ns[i];
}

/* The one after i, parents first; the trees have no loops. */
static uint32_t next_of(const struct assembly *a, uint32_t i)
{
	if (a->spans[i].child != SPAN_NONE)
		return a->spans[i].child;
	while (i != SPAN_NONE && a->spans[i].sibling == SPAN_NONE)
		i = a->spans[i].parent;
	return i == SPAN_NONE ? i : a->spans[i].sibling;
}

size_t skew_correct(struct assembly *trace, int64_t *shift_ns)
{
	size_t moved = 0;

	for (uint32_t i = 0; i < trace->count; i++)
		shift_ns[i] = 0;
	for (uint32_t i = trace->top; i != SPAN_NONE; i = next_of(trace, i))
		shift(trace, i, shift_ns, &moved);
	if (!moved)
		return 0;
	trace->start_ns = INT64_MAX;
	trace->end_ns = INT64_MIN;
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct segment *s = &trace->spans[i].segment;

		if (s->start_ns < trace->start_ns)
			trace->start_ns = s->start_ns;
		if (s->end_ns > trace->end_ns)
			trace->end_ns = s->end_ns;
	}
	return moved;
}
