/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The waterfall of a trace: one row a span, parents above their children,
 * children by start time, each with its place on the trace's time line. Pure;
 * text goes out raw, so a caller who prints must encode it (core/term).
 */
#ifndef TALLY_TRACER_WATERFALL_H
#define TALLY_TRACER_WATERFALL_H

#include "tracer/assemble.h"

enum { WATERFALL_ROWS_MAX = 2000, WATERFALL_DEPTH_MAX = 64 };

struct waterfall_row {
	const struct span *span;
	unsigned depth;
	uint64_t last;	    /* bit d: at depth d no sibling follows */
	struct sv kind;	    /* origin, "aws", "remote", or empty */
	int64_t offset_ns;  /* from the trace's start */
	int64_t duration_ns;/* of one in progress: to the trace's end */
	enum segment_status status;
	bool in_progress;
};

struct waterfall {
	struct waterfall_row *rows;
	size_t count;
	size_t cut; /* rows left out */
	int64_t duration_ns;
};

/* ERR_NOMEM. Rows live in the arena and point into the assembly. */
int waterfall_make(const struct assembly *trace, struct arena *arena,
		   struct waterfall *out) MUST_USE;

/* The part of a row's bar in `cells` cells, in eighths of a cell: never empty
 * and never beyond the end. */
struct waterfall_bar {
	unsigned from, to; /* eighths, from < to <= 8 * cells */
};
struct waterfall_bar waterfall_bar(const struct waterfall *w,
				   const struct waterfall_row *row,
				   unsigned cells);

#endif
