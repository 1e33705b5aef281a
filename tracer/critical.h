/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The critical path of a trace: what would have had to be faster for the whole
 * to be faster. From the root's end back to its start it follows, at each
 * moment, the call that the others waited for: of the children that run then,
 * the one that ended last; between children the parent itself. So each moment
 * of the root belongs to exactly one span, and the parts add up to the root's
 * time. What goes on after its parent has ended was not waited for: that part
 * of it is on no path. Pure; n log n for a parent of n children.
 *
 * And the self time of each span: that in which none of its children ran.
 */
#ifndef TALLY_TRACER_CRITICAL_H
#define TALLY_TRACER_CRITICAL_H

#include "tracer/assemble.h"

struct critical_span {
	int64_t self_ns; /* of one in progress: up to the trace's end */
	int64_t path_ns; /* of the critical path, in it itself */
	bool on;         /* the path goes through it, or through a child */
};

/* *out has one for each span of the trace, and lives in the arena. ERR_NOMEM.
 */
int critical_make(const struct assembly *trace, struct arena *arena,
		  struct critical_span **out) MUST_USE;

#endif
