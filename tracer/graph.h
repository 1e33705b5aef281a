/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service map: who calls whom, how often, how it ended, how long it took.
 * After "Using the AWS X-Ray API" (service graphs):
 *
 *  - a node is (name, type, account); type is the segment's origin, for an
 *    inferred node the AWS resource's or service's type, or "remote";
 *  - each segment counts on its node. A subsegment with namespace aws or
 *    remote to which no segment answers makes an inferred node; when the
 *    callee sends its own segment, that replaces the inferred one;
 *  - an edge has the caller's view (its subsegment), a node its own; what the
 *    caller calls it, where that is not the node's name, is an alias;
 *  - a root segment gets a node of type "client" with one edge to it;
 *  - what a segment says it received (a queue's message, a link to another
 *    trace) is an edge of its own kind: asynchronous, one count a message, and
 *    in the place of response times the ages at which they were received.
 *
 * graph_calls is pure: the documents of one trace to a list of counts, each
 * with its time. Such counts add up to a struct graph in any order; a graph is
 * stored in pages (nodes, edges and aliases with their statistics) and read
 * back by adding.
 */
#ifndef TALLY_TRACER_GRAPH_H
#define TALLY_TRACER_GRAPH_H

#include "tracer/assemble.h"
#include "tracer/graph_stats.h"

enum {
	GRAPH_NODES_MAX = 2048, /* over it: counted in `dropped` */
	GRAPH_EDGES_MAX = 8192,
	GRAPH_ALIASES_MAX = 4096,    /* over it: left out */
	GRAPH_NAME_MAX = 512,        /* bytes; longer names and types are cut */
	GRAPH_PAGE_BYTES = 16 << 10, /* a page ends behind the entry that
				      * crosses it */
};

#define GRAPH_MINUTE_NS (60 * INT64_C(1000000000))

struct graph_node {
	struct sv name, type; /* owned by the graph */
	uint64_t account;     /* 0: the scope's own */
	/* False in a shared graph, which has the names of a longer time: not of
	 * this map. Of edges and aliases stats.seen is 0 then. */
	bool there;
	bool root;     /* a root segment was of this node */
	bool inferred; /* nothing of it but what its callers say */
	struct graph_stats stats;
};

struct graph_edge {
	uint32_t from, to; /* indexes of nodes */
	bool link;         /* asynchronous; stats.times are ages */
	struct graph_stats stats;
};

struct graph_alias {
	uint32_t edge;
	struct sv name;           /* owned by the graph */
	struct graph_stats stats; /* nothing but seen */
};

struct graph {
	struct graph_node *nodes;
	struct graph_edge *edges;
	struct graph_alias *aliases;
	uint32_t node_count, edge_count, alias_count;
	/* Set by who makes it: first and last are of the minutes in which calls
	 * began, all that a stored map knows; else they are exact. */
	bool minutes;
	uint64_t account;          /* the scope's own: the same as 0 */
	uint64_t dropped;          /* counts that met a limit or memory's end */
	struct graph_table *table; /* private: finds entries */
	struct graph_share *share; /* private: owns all, if not NULL */
};

#define GRAPH_INIT \
	{          \
		0  \
	}

void graph_fini(struct graph *g);

/* Adds all of src to dst. */
void graph_merge(struct graph *dst, const struct graph *src);

/* One count of a trace: on a node, or on an edge when from is not empty. */
struct graph_call {
	int64_t time_ns;      /* start of the (sub)segment it speaks of */
	uint64_t duration_ns; /* response time; of a link: age when received */
	uint64_t work_ns; /* of a node: until all its work ended; 0: the same */
	struct sv from_name, from_type; /* ptr NULL: a node's count */
	struct sv to_name, to_type;
	uint64_t from_account, to_account; /* 0: the scope's */
	struct sv alias; /* of an edge: another name of to; empty: none */
	/* Of graph_calls: the (sub)segment whose view it is, and the segment of
	 * from; SPAN_NONE: there is none. */
	uint32_t span, from_span;
	enum segment_status status;
	bool root, inferred;
	bool link;
	bool counted; /* false: makes the node or edge only (in progress) */
	bool untimed; /* it has no duration: a link whose age is not known */
};

typedef void graph_call_fn(void *arg, const struct graph_call *call);
/* What one trace says; all text lives in the assembly's arena. */
void graph_calls(const struct assembly *trace, graph_call_fn *fn, void *arg);
void graph_count(struct graph *g, const struct graph_call *call);
/* The statistics' part of a call. */
struct graph_count graph_count_of(const struct graph_call *call);

/* --- finding entries: of a graph that is not shared ------------------------- */

struct graph_node_key {
	struct sv name, type;
	uint64_t account;
};
/* Index, made if missing; SPAN_NONE: over the limit, or no memory. */
uint32_t graph_need_node(struct graph *g, const struct graph_node_key *key);
uint32_t graph_need_edge(struct graph *g, uint32_t from, uint32_t to,
			 bool link);
uint32_t graph_need_alias(struct graph *g, uint32_t edge, struct sv name);

/* --- the stored form (tracer/graph_page.c) ------------------------------------ */

struct graph_page_cursor {
	uint32_t node, edge, alias; /* the next of each */
};
/* Appends the next page of g, whose counts are all of one minute; false: there
 * is no more, and nothing was appended. */
bool graph_put_page(const struct graph *g, struct graph_page_cursor *at,
		    struct buf *out);
/* Adds one page, or one entry of format 1 (graph_page.c has both), to g. ERR_CORRUPT: not ours; g may have a part of it. */
int graph_decode(struct graph *g, struct sv bytes) MUST_USE;

#endif
