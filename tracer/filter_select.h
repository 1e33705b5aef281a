/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filter expressions as selectors: of places on a service map instead of
 * traces, as GetTimeSeriesServiceStatistics has them. service(), edge() and
 * their id()s, put together by AND, OR and !; and id(...) alone, which is
 * service(id(...)).
 */
#ifndef TALLY_TRACER_FILTER_SELECT_H
#define TALLY_TRACER_FILTER_SELECT_H

#include "tracer/filter.h"
#include "tracer/graph.h"

struct filter_selector {
	struct filter filter;
	bool nodes, edges; /* it has service(), edge() */
	bool one; /* it is one service, by its name at least */
};

/* As filter_parse; ERR_SYNTAX too for what asks of a trace: keywords,
 * annotations, groups, blocks. */
int filter_selector_parse(struct filter_selector *s, struct sv text,
			  struct arena *arena, struct diag *diag) MUST_USE;
/* account: the scope's, which a node of account 0 is of. */
bool filter_selects_node(const struct filter_selector *s,
			 const struct graph_node_key *node, uint64_t account);
bool filter_selects_edge(const struct filter_selector *s,
			 const struct graph_node_key *from,
			 const struct graph_node_key *to, uint64_t account);

#endif
