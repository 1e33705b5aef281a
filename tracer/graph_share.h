/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph that several readers have at once: made once, never changed, freed
 * when the last of them is done. All its memory is one arena. A struct graph
 * with a share borrows everything from it; graph_fini drops it.
 */
#ifndef TALLY_TRACER_GRAPH_SHARE_H
#define TALLY_TRACER_GRAPH_SHARE_H

#include <stdatomic.h>

#include "tracer/graph.h"

struct graph_share {
	atomic_uint refs;
	struct arena arena;
	struct graph graph; /* without a share of its own */
};

/* Empty, with one reference; NULL: no memory. */
struct graph_share *graph_share_new(void);
/* Fills *out, and adds a reference for it. */
void graph_share_borrow(struct graph_share *s, struct graph *out);
void graph_share_drop(struct graph_share *s);

#endif
