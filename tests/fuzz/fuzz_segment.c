/* SPDX-License-Identifier: Apache-2.0 */
/* A segment document, then the tree and the map that are made from it. */
#include <stdlib.h>

#include "tracer/graph.h"
#include "tracer/waterfall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, const struct graph_call *call)
{
	graph_count(arg, call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document documents[2] = { 0 };
	struct arena arena = { .limit = 64 << 20 };
	struct graph graph = GRAPH_INIT;
	struct assembly trace;
	struct waterfall w;

	/* A newline parts two documents of one trace. */
	documents[1].bytes = sv_make((const char *)data, size);
	documents[0].bytes = sv_cut(&documents[1].bytes, '\n');
	if (assemble(documents, 2, &arena, &trace) == 0) {
		graph_calls(&trace, count, &graph);
		if (waterfall_make(&trace, &arena, &w) == 0 && w.count)
			(void)waterfall_bar(&w, &w.rows[0], 10);
	}
	graph_fini(&graph);
	arena_fini(&arena);
	return 0;
}
