/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/critical.h"

#include <stdlib.h>

struct interval {
	int64_t from_ns, to_ns;
	uint32_t span;
};

/* A span, and the part of it that is on the path; from == to: none. */
struct work {
	uint32_t span;
	int64_t from_ns, to_ns;
};

struct walk {
	const struct assembly *trace;
	struct critical_span *out;
	struct interval *children; /* of the one at hand */
	struct work *work;         /* each span is in it once */
	size_t work_count;
};

static int64_t end_of(const struct assembly *a, const struct segment *s)
{
	return s->in_progress ? a->end_ns : s->end_ns;
}

/* What ended last comes first; of two, the one that began first, since it
 * covers the other. */
static int by_end(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	if (x->to_ns != y->to_ns)
		return x->to_ns < y->to_ns ? 1 : -1;
	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	return (x->span > y->span) - (x->span < y->span);
}

static size_t take_children(struct walk *w, const struct span *parent)
{
	const struct assembly *a = w->trace;
	size_t n = 0;

	for (uint32_t i = parent->child; i != SPAN_NONE;
	     i = a->spans[i].sibling) {
		const struct segment *s = &a->spans[i].segment;

		w->children[n++] =
			(struct interval){ s->start_ns, end_of(a, s), i };
	}
	qsort(w->children, n, sizeof(w->children[0]), by_end);
	return n;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Time of [from, to] in which no child ran. With path the children go on with
 * their parts of it, else with none. */
static int64_t alone(struct walk *w, size_t count, int64_t from_ns,
		     int64_t to_ns, bool path)
{
	int64_t at = to_ns, self_ns = 0;

	for (size_t i = 0; i < count; i++) {
		const struct interval *c = &w->children[i];
		int64_t to = earlier(c->to_ns, at);
		int64_t from = later(c->from_ns, from_ns);

		if (from < to) {
			self_ns += at - to;
			at = from;
		} else {
			from = to = 0;
		}
		if (path)
			w->work[w->work_count++] =
				(struct work){ c->span, from, to };
	}
	return self_ns + (at > from_ns ? at - from_ns : 0);
}

static void visit(struct walk *w, const struct work *todo)
{
	const struct span *span = &w->trace->spans[todo->span];
	struct critical_span *out = &w->out[todo->span];
	int64_t start_ns = span->segment.start_ns;
	size_t n = take_children(w, span);

	out->self_ns =
		alone(w, n, start_ns, end_of(w->trace, &span->segment), false);
	out->path_ns = alone(w, n, todo->from_ns, todo->to_ns, true);
	out->on = todo->from_ns < todo->to_ns;
}

int critical_make(const struct assembly *trace, struct arena *arena,
		  struct critical_span **out)
{
	struct walk w = {
		.trace = trace,
		.out = arena_array(arena, trace->count, sizeof(*w.out)),
		.children =
			arena_array(arena, trace->count, sizeof(*w.children)),
		.work = arena_array(arena, trace->count, sizeof(*w.work)),
	};

	*out = w.out;
	if (!w.out || !w.children || !w.work)
		return ERR_NOMEM;
	for (uint32_t i = trace->top; i != SPAN_NONE;
	     i = trace->spans[i].sibling) {
		const struct segment *s = &trace->spans[i].segment;
		struct work *first = &w.work[w.work_count++];

		*first = (struct work){ .span = i };
		if (i == trace->root) {
			first->from_ns = s->start_ns;
			first->to_ns = end_of(trace, s);
		}
	}
	while (w.work_count > 0) {
		struct work todo = w.work[--w.work_count];

		visit(&w, &todo);
	}
	return 0;
}
