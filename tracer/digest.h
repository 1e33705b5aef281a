/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digest: what lists, the id index and the service map need of one trace, in
 * one piece of memory and without the documents' JSON. Made when first asked
 * for, thrown away when the trace changes; 32 bytes a call, so that a head of
 * thousands of traces is summed without parsing it again.
 */
#ifndef TALLY_TRACER_DIGEST_H
#define TALLY_TRACER_DIGEST_H

#include "tracer/assemble.h"
#include "tracer/graph.h"
#include "tracer/traces.h"

struct digest_node {
	struct sv name, type;
	uint64_t account;
};

#define DIGEST_NO_NODE UINT32_MAX

struct digest_call {
	int64_t time_ns;
	uint64_t duration_ns;
	uint64_t work_ns;
	uint32_t from, to; /* indexes of nodes; from may be DIGEST_NO_NODE */
	uint32_t alias;    /* of a node with that name; or DIGEST_NO_NODE */
	uint8_t status;    /* enum segment_status */
	bool root, inferred, link, counted, untimed;
};

struct digest {
	struct trace_summary summary;
	const struct digest_node *nodes;
	const struct digest_call *calls;
	size_t node_count, call_count;
	int64_t time_ns_max; /* latest start of any span */
	size_t bytes;        /* of this piece of memory */
};

/* Summary of a trace, in arena. ERR_NOMEM. */
int trace_summarise(const struct assembly *a, const uint8_t id[TRACE_ID_SIZE],
		    struct arena *arena, struct trace_summary *out) MUST_USE;
/* Copies summary and all it points to. */
int trace_summary_copy(const struct trace_summary *s, struct arena *arena,
		       struct trace_summary *out) MUST_USE;
bool trace_summary_has_name(const struct trace_summary *s, struct sv name);

/* free() it. Uses the assembly's arena. ERR_NOMEM. */
int digest_make(struct digest **out, const struct assembly *a,
		const uint8_t id[TRACE_ID_SIZE]) MUST_USE;
/* Call i as graph_count takes it; borrows from the digest. */
struct graph_call digest_call(const struct digest *d, size_t i);

#endif
