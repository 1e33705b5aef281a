/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/waterfall.h"

#include <assert.h>

static struct sv kind_of(const struct segment *s)
{
	if (s->origin.len)
		return s->origin;
	return sv_eq(s->ns, SV("aws")) || sv_eq(s->ns, SV("remote")) ? s->ns :
								       SV("");
}

static void fill(const struct assembly *a, uint32_t index, unsigned depth,
		 struct waterfall_row *row)
{
	const struct segment *s = &a->spans[index].segment;

	*row = (struct waterfall_row){
		.span = &a->spans[index],
		.depth = depth,
		.kind = kind_of(s),
		.offset_ns = s->start_ns - a->start_ns,
		.duration_ns =
			(s->in_progress ? a->end_ns : s->end_ns) - s->start_ns,
		.status = s->status,
		.in_progress = s->in_progress,
	};
}

int waterfall_make(const struct assembly *trace, struct arena *arena,
		   struct waterfall *out)
{
	/* The way back up: the span at each depth above the current one.
	 * What is deeper is left out and counted in cut. */
	uint32_t way[WATERFALL_DEPTH_MAX];
	unsigned depth = 0;
	uint64_t last = 0;
	uint32_t at = trace->top;
	size_t cap = trace->count < WATERFALL_ROWS_MAX ? trace->count :
							 WATERFALL_ROWS_MAX;

	*out = (struct waterfall){
		.rows = arena_array(arena, cap, sizeof(*out->rows)),
		.duration_ns = trace->count ? trace->end_ns - trace->start_ns :
					      0,
	};
	if (!out->rows)
		return ERR_NOMEM;
	while (at != SPAN_NONE && out->count < cap) {
		const struct span *span = &trace->spans[at];
		uint64_t bit = UINT64_C(1) << depth;

		last = span->sibling == SPAN_NONE ? last | bit : last & ~bit;
		fill(trace, at, depth, &out->rows[out->count]);
		out->rows[out->count++].last = last;
		if (span->child != SPAN_NONE &&
		    depth + 1 < WATERFALL_DEPTH_MAX) {
			way[depth++] = at;
			at = span->child;
			continue;
		}
		at = span->sibling;
		while (at == SPAN_NONE && depth > 0)
			at = trace->spans[way[--depth]].sibling;
	}
	out->cut = trace->count - out->count;
	return 0;
}

struct waterfall_bar waterfall_bar(const struct waterfall *w,
				   const struct waterfall_row *row,
				   unsigned cells)
{
	unsigned eighths = 8 * cells;
	struct waterfall_bar bar = { 0, eighths };

	assert(cells > 0 && cells <= 10000);
	if (w->duration_ns > 0) {
		double scale = (double)eighths / (double)w->duration_ns;
		double from = (double)row->offset_ns * scale;
		double to = (double)(row->offset_ns + row->duration_ns) * scale;

		bar.from = (unsigned)from;
		bar.to = (unsigned)(to + 0.5);
	}
	if (bar.from >= eighths)
		bar.from = eighths - 1;
	if (bar.to <= bar.from)
		bar.to = bar.from + 1;
	if (bar.to > eighths)
		bar.to = eighths;
	return bar;
}
