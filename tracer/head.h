/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head: documents that are in no block yet, by (scope, trace id). Of each
 * there is a row (tracer/shape/shape.h), which gives it back as it came, and
 * the essences of all its (sub)segments, of which lists, map and ids are made
 * without reading it again. No lock and no I/O of its own: the view (traces.c)
 * owns it. Its memory is one arena and a few tables, all counted in `bytes`;
 * what a later document replaced is given back with the whole.
 *
 * Ids are an array in order of arrival: four bytes of hash and the trace, that
 * a look-up runs over from the back. 8 bytes an id and nothing to keep sorted.
 */
#ifndef TALLY_TRACER_HEAD_H
#define TALLY_TRACER_HEAD_H

#include "core/base/hash.h"
#include "tracer/digest.h"
#include "tracer/essence.h"
#include "tracer/rows.h"
#include "tracer/shape/shape.h"

struct head_document {
	struct head_document *next; /* in order of arrival */
	uint64_t sequence;
	int64_t received_ns;
	uint8_t id[SEGMENT_ID_SIZE];
	uint32_t essence_count, essence_bytes; /* the essences follow this */
	uint32_t row_len;                      /* and the row follows them */
	uint32_t len;                          /* of the document as it came */
	uint32_t trace;                        /* index in head.traces */
	bool in_progress;
	bool replaced; /* by a later one: it is no more */
};

struct head_trace {
	struct trace_key key;
	struct head_document *documents, *last; /* with those replaced */
	uint32_t document_count;
	uint32_t index;
	size_t bytes;              /* of the documents as they came */
	int64_t first_ns, last_ns; /* frame times of its documents */
	uint64_t position;         /* of the frame that brought the first */
	struct digest *digest;     /* NULL: changed since */
	/* What the service map's window has of it (map_windows.h): the digest,
	 * or an earlier one; NULL: nothing. */
	struct digest *mapped;
	bool changed; /* it is in the head's list */
};

struct head_slot;

struct head {
	struct arena arena; /* traces, documents, names' text */
	struct words words;
	struct shapes *shapes;      /* NULL: none yet */
	size_t shapes_base;         /* its memory when it was empty */
	struct head_trace **traces; /* in order of creation */
	size_t count, cap;
	struct head_slot *slots, *document_slots;
	size_t slot_count, document_slot_count;
	struct head_document **all; /* with those replaced */
	size_t all_count, all_cap;
	uint32_t *id_hashes, *id_traces;
	size_t id_count, id_cap;
	struct buf row;
	/* While somebody keeps track: traces that changed since this list was
	 * emptied. Lost: there was no memory for one. */
	bool tracked, changes_lost;
	uint32_t *changed;
	size_t changed_count, changed_cap;
	uint64_t documents;  /* without those replaced */
	uint64_t text_bytes; /* of these, as they came */
	size_t digest_bytes;
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
	/* One of them: a segment document and what was parsed of it, or a
	 * span, of which no document is made. */
	struct sv segment;
	const struct json_doc *parsed;
	const struct span_record *span; /* NULL: it is a segment */
	const struct segment *read;     /* what either says, nested ones too */
	uint32_t read_count;
};

void head_fini(struct head *h);
/* An enum head_added, or ERR_NOMEM: then nothing has changed. */
int head_add(struct head *h, const struct head_arrival *arrival,
	     struct arena *scratch) MUST_USE;
/* The same of a document that was kept: a->read and what it was read from are
 * filled in here. */
int head_add_document(struct head *h, struct head_arrival *a,
		      const struct document *document,
		      struct arena *scratch) MUST_USE;
/* NULL: not here. */
struct head_trace *head_find(const struct head *h, const struct trace_key *key);
/* The latest trace that may have an id of this hash, before *at, which is
 * id_count at first and is moved on; NULL: none. */
struct head_trace *head_next_id(const struct head *h, uint32_t hash,
				size_t *at);
/* The first document, and the next, of those that count. */
struct head_document *head_first(const struct head_trace *trace);
struct head_document *head_next(const struct head_document *d);
struct sv head_row(const struct head_document *d);
/* The document as it came, appended to out; *document borrows from it. */
int head_unpack(const struct head *h, const struct head_trace *trace,
		const struct head_document *d, struct buf *out,
		struct document *document) MUST_USE;
/* Of the essences of its documents, which are given in order of arrival. */
int head_assemble(const struct head *h, const struct head_trace *trace,
		  const struct head_document *const *documents, size_t n,
		  struct arena *arena, struct assembly *out) MUST_USE;
/* The trace's digest, made when needed; it stays until the trace changes. */
int head_digest(struct head *h, struct head_trace *trace, struct arena *scratch,
		const struct digest **out) MUST_USE;

/* Private to head*.c: counts its memory anew. */
void head_count_bytes(struct head *h);
/* Puts the trace into the list of changed ones, where there is one. */
void head_mark_changed(struct head *h, struct head_trace *trace);
/* Frees what the trace has as mapped. */
void head_unmap(struct head *h, struct head_trace *trace);

#endif
