/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service map: who calls whom, how often, how it ended, how long it took.
 * After "Using the AWS X-Ray API" (service graphs):
 *
 *  - a node is (name, type); type is the segment's origin, for an inferred
 *    node the AWS resource's or service's type, or "remote";
 *  - each segment counts on its node. A subsegment with namespace aws or
 *    remote to which no segment answers makes an inferred node; when the
 *    callee sends its own segment, that replaces the inferred one;
 *  - an edge has the caller's view (its subsegment), a node its own;
 *  - a root segment gets a node of type "client" with one edge to it.
 *
 * graph_calls is pure: the documents of one trace to a list of counts, each
 * with its time. Such counts add up to a struct graph in any order; a graph is
 * stored entry by entry (a node or an edge with its statistics) and read back
 * by adding. Times are integers in nanoseconds; percentiles come from a
 * histogram with 16 steps an octave, so they are within 3.2 %.
 */
#ifndef TALLY_TRACER_GRAPH_H
#define TALLY_TRACER_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"
#include "tracer/assemble.h"

enum {
	GRAPH_NODES_MAX = 2048,	 /* over it: counted in `dropped` */
	GRAPH_EDGES_MAX = 8192,
	GRAPH_NAME_MAX = 512,	 /* bytes; longer names and types are cut */
	GRAPH_STEPS = 16,	 /* of the histogram, an octave */
	GRAPH_BUCKETS = 36 * GRAPH_STEPS, /* from 1 us to over 19 hours */
};

struct graph_histogram {
	uint32_t counts[GRAPH_BUCKETS];
};

struct graph_stats {
	uint64_t ok, error, throttle, fault; /* add up to the total */
	uint64_t total_time_ns; /* of response times, saturating */
	uint64_t time_ns_min, time_ns_max; /* valid while something counted */
	struct graph_histogram *histogram; /* NULL while nothing counted */
};

struct graph_node {
	struct sv name, type; /* owned by the graph */
	bool root;     /* a root segment was of this node */
	bool inferred; /* nothing of it but what its callers say */
	struct graph_stats stats;
};

struct graph_edge {
	uint32_t from, to; /* indexes of nodes */
	struct graph_stats stats;
};

struct graph {
	struct graph_node *nodes;
	struct graph_edge *edges;
	uint32_t node_count, edge_count;
	uint64_t dropped; /* counts that met a limit or memory's end */
	struct graph_table *table; /* private: finds nodes and edges */
};

#define GRAPH_INIT { 0 }

void graph_fini(struct graph *g);
/* Sum of the four. */
uint64_t graph_total(const struct graph_stats *s);
/* The response time, in ns, below which the share q (0 to 1) lies; 0: none. */
uint64_t graph_quantile(const struct graph_stats *s, double q);

/* Adds all of src to dst. */
void graph_merge(struct graph *dst, const struct graph *src);
/* Entries are nodes, then edges: appends entry i, i < graph_entries. */
uint32_t graph_entries(const struct graph *g);
void graph_encode(const struct graph *g, uint32_t i, struct buf *out);
/* Adds one entry to g. ERR_CORRUPT: not ours; g is as it was. */
int graph_decode(struct graph *g, struct sv bytes) MUST_USE;

/* One count of a trace: on a node, or on an edge when from is not empty. */
struct graph_call {
	int64_t time_ns; /* start of the (sub)segment it speaks of */
	uint64_t duration_ns;
	struct sv from_name, from_type; /* ptr NULL: a node's count */
	struct sv to_name, to_type;
	enum segment_status status;
	bool root, inferred;
	bool counted; /* false: makes the node or edge only (in progress) */
};

typedef void graph_call_fn(void *arg, const struct graph_call *call);
/* What one trace says; all text lives in the assembly's arena. */
void graph_calls(const struct assembly *trace, graph_call_fn *fn, void *arg);
void graph_count(struct graph *g, const struct graph_call *call);

#endif
