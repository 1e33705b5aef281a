/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any id: a trace is found by its own id, by the id of a segment or span, and
 * by any other id that its documents hold (tracer/ids.def).
 */
#ifndef TALLY_TRACER_IDS_H
#define TALLY_TRACER_IDS_H

#include "core/base/hash.h"
#include "tracer/document.h"

enum {
	IDS_MAX = 64,	  /* of one (sub)segment; more are not found by */
	IDS_DEPTH_MAX = 3, /* of objects in "aws" */
};

/* An index has ids by hash: of the scope and the id's text; of a segment's or
 * span's own id its SEGMENT_ID_SIZE bytes. */
uint64_t ids_seed(const struct scope *scope);
static inline uint32_t ids_hash(uint64_t seed, struct sv id)
{
	return (uint32_t)(hash64_seed(id, seed) >> 32);
}

/* Whether a member of this name holds an id. path: what stands before it,
 * such as "aws"; may be empty. */
bool ids_is_key(struct sv path, struct sv key);
/* The ids in a document that document_take read, but for those of segments and
 * of the trace. fn returns 0, or an error that ends it. Text of at most
 * REQUEST_ID_MAX bytes, valid in the call only. */
typedef int ids_fn(void *arg, struct sv id);
int ids_visit_span(struct sv span, ids_fn *fn, void *arg) MUST_USE;
int ids_visit_segments(const struct segment *segments, uint32_t count,
		       struct arena *arena, ids_fn *fn, void *arg) MUST_USE;
int ids_visit(const struct document *d, const struct document_reading *r,
	      struct arena *arena, ids_fn *fn, void *arg) MUST_USE;

#endif
