/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts: what can be asked of one trace, behind one model, for search and for
 * summaries: the nodes of the service map it passed through and the edges
 * between them, each with the (sub)segment that speaks for it; annotations;
 * and what the document itself says. Everything is derived when first asked
 * for, so that a question about a status costs no parsing. A span of
 * OpenTelemetry's is read through its conversion to a segment document
 * (tracer/document.h), once.
 *
 * Pure; lives as long as the assembly, its documents and the arena. Memory's
 * end is remembered in `failed` and reads as "nothing there"; whoever asks
 * must look at it before believing an answer.
 */
#ifndef TALLY_TRACER_FACTS_H
#define TALLY_TRACER_FACTS_H

#include "tracer/assemble.h"
#include "tracer/document.h"

/* A place on the service map as this trace saw it. */
struct facts_part {
	struct sv name, type;
	uint64_t account; /* 0: the trace's own */
	uint32_t span;    /* that speaks for it; SPAN_NONE: none does */
	bool inferred;    /* span is its caller's subsegment */
	bool client;
};

struct facts_edge {
	struct facts_part from, to;
	uint32_t span; /* the caller's view; the callee's if it has none */
};

struct facts_annotation {
	struct sv key;
	struct json value; /* a string, a number or a boolean */
	uint32_t span;
	uint32_t next; /* of the same segment; FACTS_NONE: no more */
};

#define FACTS_NONE UINT32_MAX

struct facts {
	const struct assembly *trace;
	const struct document *documents; /* the first; by the assembly's */
	size_t stride;                    /* bytes from one to the next */
	struct arena *arena;
	uint64_t account;
	bool failed; /* memory was used up */
	/* private: NULL or not `listed` until somebody asked */
	bool parts_listed, annotations_listed;
	struct facts_part *parts;
	struct facts_edge *edges;
	struct facts_annotation *annotations;
	uint32_t *first_annotation; /* by segment */
	struct json *bodies;        /* by span: converted ones */
	uint32_t part_count, edge_count, annotation_count;
};

/* documents: those the assembly was made of; they may be members of larger
 * structs, stride bytes apart. account: whose traces these are. */
void facts_init(struct facts *f, const struct assembly *trace,
		const struct document *documents, size_t stride,
		uint64_t account, struct arena *arena);

/* As the service map counts them (tracer/graph.h), in the order of spans. */
const struct facts_part *facts_parts(struct facts *f, uint32_t *count);
const struct facts_edge *facts_edges(struct facts *f, uint32_t *count);
/* Of all segments and subsegments, in document order. */
const struct facts_annotation *facts_annotations(struct facts *f,
						 uint32_t *count);

/* The first of a segment's own and its subsegments'; FACTS_NONE. */
uint32_t facts_annotations_of(struct facts *f, uint32_t segment);

/* The (sub)segment's JSON; doc NULL: none. */
struct json facts_body(struct facts *f, uint32_t span);
/* A member of it by a path such as "http.request.url". */
struct json facts_at(struct facts *f, uint32_t span, const char *path);
/* The same as text; empty: not there, or no text. */
struct sv facts_text(struct facts *f, uint32_t span, const char *path);
/* The account a part belongs to: 12 digits. */
struct sv facts_account(struct facts *f, const struct facts_part *part);

/* Exceptions of a (sub)segment, in order, up to max. */
struct facts_exception {
	struct sv type, message;
};
uint32_t facts_exceptions(struct facts *f, uint32_t span,
			  struct facts_exception *out, uint32_t max);

/* Answered with success: 2xx; without a status, ended and nothing failed. */
bool facts_ok(const struct segment *s, enum segment_status status);
int64_t facts_response_ns(const struct facts *f); /* of the root segment */

#endif
