/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service map as X-Ray's Services, a page at a time. Services are in order
 * of name, type and account, and a page goes on behind the key that its token
 * has: so a map that changes between two pages repeats none and skips none of
 * what was there all the time. A ReferenceId is made from the service's key,
 * the same in each page, each answer and after a restart; an edge's is that of
 * the service it leads to.
 */
#ifndef TALLY_COLLECTOR_API_XRAY_SERVICES_H
#define TALLY_COLLECTOR_API_XRAY_SERVICES_H

#include "collector/api/xray_map_shapes.h"
#include "core/wire/records.h"
#include "tracer/graph.h"

enum {
	XRAY_SERVICES_PAGE = 200, /* services of one page */
};

struct xray_services {
	struct xray_service *items;
	size_t count;
	struct sv next_token; /* ptr NULL: this was the last */
};

struct xray_question {
	const struct scope *scope;
	uint64_t hash;   /* of what was asked: a token is good for it alone */
	struct sv token; /* ptr NULL: the first page */
	/* Of a window, to which StartTime and EndTime are cut: of a stored map
	 * they are those of minutes. Both 0: there is none. */
	int64_t start_ns, end_ns;
};

/* All lives in the arena and borrows the graph's text. ERR_INVALID: not a token
 * of ours; ERR_NOMEM. */
int xray_services_page(const struct graph *g, const struct xray_question *q,
		       struct arena *arena, struct xray_services *out) MUST_USE;
/* NULL: no memory. */
struct xray_histogram_entry *xray_histogram_of(const struct graph_histogram *h,
					       struct arena *arena);
struct xray_statistics *xray_statistics_of(const struct graph_stats *s,
					   struct arena *arena);

#endif
