/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Map: the service map as lines of text, since a terminal draws no graph well:
 * each service once, the roots first, and below it whom it calls. An edge to a
 * service that is not in the answer is left out and counted.
 */
#ifndef TALLY_TUI_MAP_H
#define TALLY_TUI_MAP_H

#include "tui/model.h"

enum { MAP_NODES_MAX = 2000, MAP_EDGES_MAX = 10000 };

struct map_line {
	bool is_edge; /* a call of the service above it */
	struct sv name;
	struct sv type; /* of a service; "": none */
	double total;
	double errors; /* error and throttle */
	double faults;
	double p50_s; /* of a service; of an edge, the mean; NAN: none */
	double p99_s; /* NAN on an edge */
};

struct map {
	struct arena arena;
	struct map_line *lines;
	size_t count;
	size_t left_out;
};

/* NULL: memory is used up. */
struct map *map_new(const json_t *answer);
void map_free(struct map *m);

#endif
