/* SPDX-License-Identifier: Apache-2.0 */
/* The service map as the collector answers it, read for map.c (text) and
 * draw.c (pictures). */
#ifndef TALLY_TRACER_CMD_MAP_H
#define TALLY_TRACER_CMD_MAP_H

#include "tracer/cmd/cmd.h"
#include "tracer/graph.h"

struct map {
	struct cmd *c;
	struct json *nodes; /* by id */
	struct json *edges;
	uint32_t *to, *from; /* of edges[i]; UINT32_MAX: no such node */
	bool *shown, *called;
	uint32_t node_count, edge_count;
};

/* Seconds of one call of a node or edge; 0 without calls. */
double map_mean(struct json counted);
/* Writes the map for Graphviz: to program.out (CMD_DOT), or by its `dot` to the
 * file at path ("-": standard output). The exit status; errors are said. */
int map_draw(struct map *m, enum cmd_drawing drawing, const char *path);

#endif
