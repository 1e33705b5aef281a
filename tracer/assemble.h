/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assembly: the documents of one trace, in whatever order they came, to one
 * tree of spans (segments and subsegments). A nested subsegment hangs on what
 * holds it, a document with a parent_id on the span of that id; an id seen
 * twice is one span, the finished one. Loops among parent ids, which hostile
 * documents can have, are cut. Pure: no clock, no store.
 */
#ifndef TALLY_TRACER_ASSEMBLE_H
#define TALLY_TRACER_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/text.h"
#include "tracer/document.h"

enum {
	ASSEMBLY_SPANS_MAX = 65536, /* of one trace; more are left out */
};

#define SPAN_NONE UINT32_MAX

struct span {
	struct segment segment;
	uint32_t document; /* index of the document it is in */
	uint32_t parent;   /* index of a span; SPAN_NONE: none is known */
	uint32_t owner;	   /* the segment it belongs to (itself for one) */
	uint32_t child;	   /* first child, by start time; SPAN_NONE */
	uint32_t sibling;  /* next child of the same parent; SPAN_NONE */
	bool answered;	   /* a segment names it as parent */
};

struct assembly {
	struct span *spans;
	uint32_t count;
	uint32_t top;  /* first span without a parent, by start time; they are
			* linked by sibling */
	uint32_t root; /* the root segment, or the earliest; SPAN_NONE */
	int64_t start_ns, end_ns; /* of all spans */
	/* Of the root segment alone (an error that was handled further down
	 * is not the trace's); Lambda's two segments count as one. */
	enum segment_status status;
	/* Something is in progress, a subsegment's parent has not come, or a
	 * traced call has no segment that answers it. */
	bool partial;
	uint32_t skipped; /* documents that are not segments; spans left out */
	struct arena *arena;
};

/* Documents must be what document_read took; others are skipped. ERR_NOMEM.
 * *out lives in the arena and borrows the documents' bytes. */
/* The same of (sub)segments that were read before, in the order of documents
 * and, of one, containers first. */
struct assembly_part {
	const struct segment *segment;
	uint32_t document;
};
int assemble_parts(const struct assembly_part *parts, size_t count,
		   struct arena *arena, struct assembly *out) MUST_USE;
int assemble(const struct document *documents, size_t count, struct arena *arena,
	     struct assembly *out) MUST_USE;

#endif
