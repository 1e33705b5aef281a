/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces view: every segment document and span, kept byte by byte as it
 * came, found by trace id or by any id in it; and the service map.
 *
 * New documents are in the head, in memory, by (scope, trace id). When the
 * head is over its size, or its oldest document over its age by frame time,
 * what has been quiet for TRACES_QUIET_NS is sealed into a block; traces still
 * under way stay, so that a trace is rarely cut in two (the map is computed
 * trace by trace). They go into the checkpoint's image with the list of
 * blocks, and so a checkpoint covers all that was applied. Between two seals
 * nothing is written: the journal has it, and a restart applies it again.
 *
 * A block has chunks of traces in columns, sorted by id; lines for lists,
 * newest first; the map's minutes; and an index of ids (tracer/rows.h).
 * Documents of one segment id are one for a reader: a finished one wins over
 * one in progress, else the one that came last.
 *
 * One thread applies; queries may come from any other at any time. They take
 * the lock to copy from the head, and read blocks (immutable, counted
 * references) without it. Retention deletes whole block files.
 */
#ifndef TALLY_TRACER_TRACES_H
#define TALLY_TRACER_TRACES_H

#include "core/base/arena.h"
#include "core/store/view.h"
#include "core/sys/env.h"
#include "tracer/document.h"
#include "tracer/graph.h"
#include "tracer/keep.h"

enum {
	TRACES_HEAD_BYTES = 64 << 20, /* documents and their bookkeeping */
	/* Times that, of documents as they came: a checkpoint's image has them
	 * so, where the head has once what repeats. */
	TRACES_HEAD_TEXT = 8,
	TRACES_TRACE_DOCUMENTS_MAX = 10000, /* of one trace in the head */
	TRACES_TRACE_BYTES_MAX = 4 << 20,
	TRACES_XRAY_TRACE_BYTES = 500 << 10, /* over it: LimitExceeded */
	TRACES_GET_DOCUMENTS_MAX = 20000,
	TRACES_SUMMARY_IDS_MAX = 16,   /* request ids listed of one trace */
	TRACES_SUMMARY_NAMES_MAX = 32, /* services listed of one trace */
	TRACES_RECENT_MAX = 10000,     /* rows of one list */
	TRACES_BLOCKS_MAX = 16384,
	TRACES_DAYS_MAX = 3650,
};
#define TRACES_SEAL_AGE_NS (3600 * NS_PER_S)
#define TRACES_QUIET_NS (60 * NS_PER_S)
#define TRACES_RETENTION_NS (30 * 24 * 3600 * NS_PER_S)

struct traces;

/* How long the traces of an account are kept. */
struct traces_days {
	uint64_t account;
	uint32_t days; /* 1 to TRACES_DAYS_MAX */
};

struct traces_options {
	uint64_t head_bytes;  /* 0: TRACES_HEAD_BYTES */
	int64_t seal_age_ns;  /* 0: TRACES_SEAL_AGE_NS */
	int64_t quiet_ns;     /* 0: TRACES_QUIET_NS; negative: none */
	int64_t retention_ns; /* 0: TRACES_RETENTION_NS */
	/* Of accounts that differ; borrowed as long as the view. Each length of
	 * time has blocks of its own. */
	const struct traces_days *days;
	size_t day_count;
	/* Which traces go from the head into a block; the rest is dropped
	 * then, but for its part in the service map. Rules are borrowed. */
	struct keep keep;
};

struct traces_stats {
	uint64_t documents;  /* taken since open */
	uint64_t repeats;    /* exact repeats, stored once */
	uint64_t replaced;   /* by a later document of the same id */
	uint64_t shed_trace; /* over a limit of one trace */
	uint64_t dropped;    /* traces the late decision did not keep */
	uint64_t dropped_documents;
	uint64_t seals, seal_errors;
	uint64_t blocks_deleted; /* by retention */
	uint64_t damaged_rows;   /* read from blocks and not usable */
	/* Documents stored as they came, not as a shape's values; entries that
	 * found no room in a dictionary; places of ids that are in too many
	 * traces for the index. */
	uint64_t verbatim, dictionary_full, ids_left_out;
	uint64_t head_traces, head_documents, head_bytes;
	uint64_t blocks, block_bytes, block_rows;
};

/* Opens DIR (made if missing): reads the checkpoint and opens its blocks. A
 * block file no checkpoint names is left from a crash: the journal has its
 * frames, and it is deleted. */
int traces_open(struct traces **out, const struct env *env, const char *dir,
		const struct traces_options *options,
		struct diag *diag) MUST_USE;
/* Frees all; seals nothing (a restart replays the head from the journal). */
void traces_close(struct traces *t);
struct view *traces_view(struct traces *t);
void traces_stats(struct traces *t, struct traces_stats *out);
/* Seals everything now, quiet or not. In the applying thread only. */
int traces_seal(struct traces *t) MUST_USE;

struct trace_document {
	uint8_t segment_id[SEGMENT_ID_SIZE];
	bool in_progress;
	int64_t received_ns;
	uint64_t sequence; /* grows with arrival, among those of a trace */
	struct document document; /* as it came */
};

struct trace_summary {
	uint8_t id[TRACE_ID_SIZE];
	int64_t start_ns, end_ns;   /* of all segments */
	enum segment_status status; /* the root's, see tracer/assemble.h */
	bool partial;               /* something is missing or in progress */
	struct sv root;             /* name of the root segment; may be empty */
	const struct sv *request_ids; /* of its segments first */
	size_t request_id_count;
	bool ids_left_out;      /* a block's row has not all; traces_get does */
	const struct sv *names; /* of its segments (not subsegments), unique */
	size_t name_count;
};

struct trace {
	struct trace_summary summary;
	bool limit_exceeded; /* over X-Ray's size of a trace; all is here */
	const struct trace_document *documents; /* in order of arrival */
	size_t document_count;
	struct assembly assembly; /* of the documents, by their index */
};

/* All that is known of a trace. ERR_NOT_FOUND; ERR_NOMEM, ERR_IO. *out and
 * what it points to live in the arena. */
int traces_get(struct traces *t, const struct scope *scope,
	       const uint8_t trace_id[TRACE_ID_SIZE], struct arena *arena,
	       struct trace *out) MUST_USE;
/* The trace id behind any id: a trace id in X-Ray's or W3C's form, or the whole
 * header that carried it (found only if the trace is there), the id of a segment, subsegment or span, or any id
 * that a document holds (tracer/ids.def). Where one was seen in several
 * traces, the one that came last; of one block, the one that started last.
 * ERR_NOT_FOUND; ERR_IO. */
int traces_find(struct traces *t, const struct scope *scope, struct sv any_id,
		uint8_t trace_id[TRACE_ID_SIZE]) MUST_USE;

struct trace_list {
	const struct trace_summary *rows; /* newest start first */
	size_t count;
	bool truncated; /* there are more than limit */
};
/* Traces that start in [start_ns, end_ns), newest first; with function not
 * empty, those which have a segment of that name. limit 0: the most. */
int traces_recent(struct traces *t, const struct scope *scope, int64_t start_ns,
		  int64_t end_ns, struct sv function, size_t limit,
		  struct arena *arena, struct trace_list *out) MUST_USE;

/* --- search: every trace of a time range, newest start first ----------------
 * Order is by start, latest first, then by id; a trace that lies in head and
 * blocks is put together and comes once. */

/* What of a trace must lie in [start_ns, end_ns), after X-Ray's TimeRangeType.
 * Ids that were made without a time (over TRACES_ID_SKEW_NS off the start)
 * count by the trace's start. */
enum traces_time { TRACES_BY_ID, TRACES_BY_EVENT, TRACES_BY_SERVICE };
#define TRACES_ID_SKEW_NS (3600 * NS_PER_S)
enum { TRACES_SCAN_MAX = 10000 }; /* traces looked at in one call */

/* Where a scan stands; opaque bytes to all but the scan, but for a zero `set`,
 * which is the beginning. The same cursor goes on at the same place. */
struct traces_cursor {
	bool set;
	int64_t start_ns;
	uint8_t id[TRACE_ID_SIZE];
};

struct traces_scan {
	const struct scope *scope;
	int64_t start_ns, end_ns;
	enum traces_time by;
	struct traces_cursor cursor; /* moved on by the scan */
	size_t traces_max;           /* 0: TRACES_SCAN_MAX */
	/* May be NULL. False: not worth reading its documents; it counts as
	 * processed all the same. The summary is valid in the call only. */
	bool (*wants)(void *arg, const struct trace_summary *summary);
	/* Each trace in the range that is wanted. 0: go on; 1: end the scan
	 * here, with the cursor behind this trace; < 0: an error, returned.
	 * *trace is valid in the call only; arena is emptied behind it. */
	int (*visit)(void *arg, const struct trace *trace, struct arena *arena);
	void *arg;
	uint64_t processed; /* traces in the range; added to */
};

/* Goes on from s->cursor until traces_max traces were looked at, visit ends
 * it, or there is no more. 1: there may be more; 0: that was all. ERR_NOMEM,
 * ERR_IO, and what visit returns; then the cursor is before the trace it
 * failed at. Readers and the applying thread are not held up meanwhile. */
int traces_scan(struct traces *t, struct traces_scan *s) MUST_USE;

/* The service map of [start_ns, end_ns), widened to whole minutes. *out is
 * the caller's: graph_fini. */
int traces_map(struct traces *t, const struct scope *scope, int64_t start_ns,
	       int64_t end_ns, struct graph *out) MUST_USE;

#endif
