/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a trace block: their keys and values in bytes. A key begins with a
 * letter for its space, then the scope; all keys have the same first part of
 * ROW_PREFIX bytes, which is what a block's filter is over.
 *
 *   C scope trace id            -> a chunk whose first trace this is; stored
 *   D zeros                     -> the dictionary of its rows (shape/shape.h)
 *   M scope minute zeros        -> a page of the map (graph.h)
 *   P zeros                     -> the journal positions of the block
 *   S scope ~start trace id/2   -> a summary
 *   X zeros page                -> a page of the ids' index; stored
 *
 * Chunks come first, so that a chunk's number is that of the container's. The
 * filter has each trace as T scope trace id. Before format 3, instead of C
 * and X:
 *
 *   R scope hash128             -> trace id, received, the request id
 *   T scope trace id | segment id, arrival -> flags, received, document
 *
 * and before format 2 all documents are X-Ray's.
 */
#ifndef TALLY_TRACER_ROWS_H
#define TALLY_TRACER_ROWS_H

#include "tracer/digest.h"

enum {
	BLOCK_KIND_TRACES = 0x43415254, /* "TRAC" */
	ROWS_FORMAT = 3,
	ROWS_FORMAT_CHUNKS = 3, /* the first with chunks */
	SCOPE_KEY_SIZE = 8 + REGION_MAX,
	TRACE_KEY_SIZE = SCOPE_KEY_SIZE + TRACE_ID_SIZE,
	ROW_PREFIX = 1 + TRACE_KEY_SIZE,
	ROW_KEY_MAX = ROW_PREFIX + SEGMENT_ID_SIZE + 8,
};

/* Scope and trace id as bytes that sort by account, region, id. */
struct trace_key {
	uint8_t bytes[TRACE_KEY_SIZE];
};

void trace_key_make(struct trace_key *key, const struct scope *scope,
		    const uint8_t id[TRACE_ID_SIZE]);
static inline const uint8_t *trace_key_id(const struct trace_key *key)
{
	return key->bytes + SCOPE_KEY_SIZE;
}
void trace_key_scope(const struct trace_key *key, struct scope *out);
bool trace_key_in(const struct trace_key *key, const struct scope *scope);

struct row_key {
	uint8_t bytes[ROW_KEY_MAX];
	size_t len;
};

static inline struct sv row_key_view(const struct row_key *k)
{
	return sv_make((const char *)k->bytes, k->len);
}

/* Of the scope in key; the id in it does not matter for the first three. */
void row_key_minute(struct row_key *k, const struct trace_key *key,
		    int64_t minute);
void row_key_request(struct row_key *k, const struct trace_key *key,
		     struct sv request_id);
void row_key_start(struct row_key *k, const struct trace_key *key,
		   int64_t start_ns);
void row_key_position(struct row_key *k);
void row_key_chunk(struct row_key *k, const struct trace_key *key);
void row_key_dictionary(struct row_key *k);
void row_key_ids(struct row_key *k, uint32_t page);
void row_key_document(struct row_key *k, const struct trace_key *key,
		      const uint8_t id[SEGMENT_ID_SIZE], uint64_t sequence);
/* The first ROW_PREFIX bytes of row_key_document. */
void row_key_trace(struct row_key *k, const struct trace_key *key);

/* Letter and scope of two keys are the same. */
bool row_same_space(struct sv key, const struct row_key *other);
int64_t row_minute(struct sv key);
/* Of the key of a chunk of traces; false: it is no such key. */
bool row_chunk_account(struct sv key, uint64_t *account);
uint64_t row_account(const struct row_key *key);
int64_t row_start_ns(struct sv key);

void row_put_document(struct buf *out, bool in_progress, int64_t received_ns,
		      const struct document *document);
bool row_get_document(struct sv key, struct sv value,
		      struct trace_document *out) MUST_USE;
void row_put_request(struct buf *out, const uint8_t id[TRACE_ID_SIZE],
		     int64_t received_ns, struct sv request_id);
bool row_get_request(struct sv value, uint8_t id[TRACE_ID_SIZE],
		     int64_t *received_ns, struct sv *request_id) MUST_USE;
void row_put_summary(struct buf *out, const struct trace_summary *s);
/* Lists are in arena; text is borrowed from value. False: damaged, or no
 * memory. */
bool row_get_summary(struct sv key, struct sv value, struct arena *arena,
		     struct trace_summary *out) MUST_USE;
void row_put_position(struct buf *out, uint64_t sealed, uint64_t oldest);
bool row_get_position(struct sv value, uint64_t *sealed,
		      uint64_t *oldest) MUST_USE;

#endif
