/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph that several readers have at once, freed when the last of them is
 * done. A struct graph with a share borrows everything from it; graph_fini
 * drops it. Who holds the only reference, and is the one who gives them out,
 * may change it.
 */
#ifndef TALLY_TRACER_GRAPH_SHARE_H
#define TALLY_TRACER_GRAPH_SHARE_H

#include <stdatomic.h>

#include "tracer/graph.h"

struct graph_share {
	atomic_uint refs;
	struct arena names;
	struct graph graph; /* without a share of its own */
	uint32_t node_cap, edge_cap, alias_cap;
};

/* Empty, with one reference; NULL: no memory. */
struct graph_share *graph_share_new(void);
/* Fills *out, and adds a reference for it. */
void graph_share_borrow(struct graph_share *s, struct graph *out);
bool graph_share_is_alone(const struct graph_share *s);
void graph_share_drop(struct graph_share *s);
/* Adds, with nothing counted on them, nodes, edges and aliases of `names` that
 * s does not have; those it has are the first of names' already. ERR_NOMEM:
 * some of them are there. */
int graph_share_extend(struct graph_share *s,
		       const struct graph *names) MUST_USE;
/* Another with one reference, of the same content; NULL: no memory. */
struct graph_share *graph_share_copy(const struct graph_share *s);

#endif
