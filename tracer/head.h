/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head: documents that are in no block yet, by (scope, trace id), with an
 * index of the request ids in them. No lock and no I/O of its own: the view
 * (traces.c) owns it. All its memory is counted in `bytes`, digests too.
 */
#ifndef TALLY_TRACER_HEAD_H
#define TALLY_TRACER_HEAD_H

#include "core/base/hash.h"
#include "tracer/digest.h"
#include "tracer/rows.h"

struct head_document {
	struct head_document *next; /* in order of arrival */
	uint64_t sequence;
	int64_t received_ns;
	uint8_t id[SEGMENT_ID_SIZE];
	bool in_progress;
	uint8_t format; /* enum document_format */
	uint32_t len;
	char text[];
};

static inline struct document head_document_view(const struct head_document *d)
{
	return (struct document){ (enum document_format)d->format,
				  { d->text, d->len } };
}

struct head_trace {
	struct trace_key key;
	struct head_document *documents;
	uint32_t document_count;
	size_t bytes;              /* of the documents' text */
	int64_t first_ns, last_ns; /* frame times of its documents */
	uint64_t position;         /* of the frame that brought the first */
	struct digest *digest;     /* NULL: changed since */
};

struct head {
	struct head_trace **traces; /* in order of creation */
	size_t count, cap;
	uint32_t *slots; /* index + 1; 0: free */
	size_t slot_count;
	struct head_request *requests; /* request id -> the latest trace */
	size_t request_count, request_slots;
	uint64_t documents;
	size_t bytes;
};

enum head_added {
	HEAD_ADDED,
	HEAD_REPEAT,   /* the same bytes, or in progress after its end */
	HEAD_REPLACED, /* took the place of an earlier one of its id */
	HEAD_SHED,     /* over a limit of one trace */
};

struct head_arrival {
	const struct scope *scope;
	int64_t received_ns;
	uint64_t position;
	uint64_t sequence;
	struct document document;
	const struct segment *segment; /* of document */
};

void head_fini(struct head *h);
/* An enum head_added, or ERR_NOMEM: then nothing has changed. */
int head_add(struct head *h, const struct head_arrival *arrival,
	     struct arena *scratch) MUST_USE;
/* NULL: not here. */
struct head_trace *head_find(const struct head *h, const struct trace_key *key);
/* The trace a request id was last seen in; NULL: none. */
struct head_trace *head_find_request(const struct head *h,
				     const struct scope *scope,
				     struct sv request_id);
/* The trace's digest, made when needed; it stays until the trace changes. */
int head_digest(struct head *h, struct head_trace *trace, struct arena *scratch,
		const struct digest **out) MUST_USE;

#endif
