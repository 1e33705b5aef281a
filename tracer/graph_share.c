/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/graph_share.h"

#include <assert.h>
#include <stdlib.h>

struct graph_share *graph_share_new(void)
{
	struct graph_share *s = calloc(1, sizeof(*s));

	if (s)
		atomic_init(&s->refs, 1);
	return s;
}

void graph_share_borrow(struct graph_share *s, struct graph *out)
{
	unsigned before = atomic_fetch_add(&s->refs, 1);

	assert(before > 0);
	*out = s->graph;
	out->share = s;
}

void graph_share_drop(struct graph_share *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	arena_fini(&s->arena);
	free(s);
}
