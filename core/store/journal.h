/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: the append-only, checksummed, fsynced log that alone makes an
 * acknowledgement durable. A frame is an accepted request's body as received,
 * with protocol, decoder version, scope, receive time, and which of its
 * records were refused, so that a replay decides as the first run did.
 *
 * Appending costs a copy and a CRC. One thread writes: it takes all frames
 * that wait, writes them with one pwrite, syncs with one fdatasync, and only
 * then calls each frame's done function, in order (group commit). Files are
 * preallocated (JOURNAL_FILE_BYTES) so that a sync writes no metadata.
 *
 * A position names a frame: (file number << 32 | offset). Positions only grow.
 *
 * What can go wrong, and what happens then:
 *  - a torn tail: cut at open; nothing behind it was acknowledged;
 *  - a damaged frame before that: the reader finds the next frame by its
 *    magic, alignment, file number and own offset; the bytes between are
 *    copied to DIR/quarantine/, counted and named, and the start goes on;
 *  - an fsync or write error: that file is never trusted again (the kernel
 *    may have dropped the pages): a new file is started whose header says how
 *    far the old one is good, the frames that wait are appended there, and
 *    only then acknowledged;
 *  - a full disk: waiting frames fail with ERR_FULL, appends are refused with
 *    ERR_FULL until the disk has room again (tried at most twice a second);
 *    recovery needs nobody.
 * A file is deleted when journal_release has passed it and it is older than
 * `keep_ns`, or the files together exceed `budget_bytes`. Where the budget is
 * used up by files that no view has released, appends get ERR_FULL, as with a
 * full disk: what was acknowledged is never deleted for what was not.
 *
 * A commit that fails leaves nothing that a later start could take for a frame
 * next to newer ones: the file is ended before anything else is accepted.
 */
#ifndef TALLY_CORE_STORE_JOURNAL_H
#define TALLY_CORE_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	JOURNAL_FORMAT = 1,
	JOURNAL_FILE_BYTES = 64 << 20, /* default size of a file */
	JOURNAL_FRAME_MAX = 16 << 20,  /* body and refusals */
	JOURNAL_QUEUE_FRAMES = 16384,  /* waiting: over it, ERR_BUSY */
	JOURNAL_QUEUE_BYTES = 64 << 20,
	JOURNAL_REFUSED_MAX = 65535,        /* refused records of one frame */
	JOURNAL_FILES_MAX = 65536,          /* over it: full */
	JOURNAL_FIRST_FILE_BYTES = 4 << 20, /* files grow from it, fourfold */
};

/* What the body of a frame is. Stored: never renumber. */
enum protocol {
	PROTOCOL_NATIVE = 1,        /* tally.wire.Batch, plain */
	PROTOCOL_XRAY_UDP = 2,      /* datagrams: u32le length, bytes, ... */
	PROTOCOL_XRAY_SEGMENTS = 3, /* PutTraceSegments, JSON */
	PROTOCOL_ALARM_CHANGE = 4,  /* an alarm's change of state, JSON */
	PROTOCOL_CLOUDWATCH = 5,    /* PutMetricData: ingest/cloudwatch.h */
	PROTOCOL_OTLP_TRACES = 6,   /* Export...ServiceRequest, inflated; */
	PROTOCOL_OTLP_METRICS = 7,  /* in protobuf or JSON, which decoder */
	PROTOCOL_OTLP_LOGS = 8,     /* says: core/wire/otlp.h */
	PROTOCOL_CATALOGUE = 9,     /* a change: collector/catalogue */
	PROTOCOL_MEASURED = 10,     /* the collector's own metric data */
};

struct frame {
	uint64_t position; /* set by the journal */
	uint64_t next;     /* position behind this frame */
	enum protocol protocol;
	uint8_t decoder; /* version of the decoder that accepted it */
	struct scope scope;
	struct wall received;
	/* For append: what is written in front of the body, as if it were the
	 * body's first bytes; so whoever adds some need not copy all. A frame
	 * that is read has none. */
	struct sv prefix;
	struct sv body;
	/* Records of the body without effect (refused, or known already):
	 * record kind << 24 | index in its list, ascending. */
	const uint32_t *refused;
	size_t refused_count;
};

struct journal;

struct journal_options {
	uint64_t file_bytes;   /* 0: JOURNAL_FILE_BYTES */
	uint64_t budget_bytes; /* 0: 4 GiB; files that are released go first */
	int64_t keep_ns;       /* 0: 24 h; negative: none */
	size_t queue_frames;   /* 0: JOURNAL_QUEUE_FRAMES */
	size_t queue_bytes;    /* 0: JOURNAL_QUEUE_BYTES */
	int64_t probe_ns;      /* 0: half a second between tries of a disk
				* that was full */
	/* No new frame gets a position below: the highest checkpoint of all
	 * views. Where the newest files were lost, a view that is further on
	 * than the journal would otherwise pass over new frames. */
	uint64_t least_position;
};

struct journal_stats {
	uint64_t frames, bytes, commits;     /* durable since open */
	uint64_t refused_busy, refused_full; /* appends turned away */
	uint64_t damaged_frames;             /* ranges put in quarantine */
	uint64_t torn_bytes;                 /* cut at open */
	uint64_t sync_errors;                /* files given up: EIO */
	uint64_t waiting_frames, waiting_bytes;
	uint64_t file_count, disk_bytes;
	uint64_t durable; /* position behind the last frame */
	bool full;
};

/* Opens DIR (made if missing), recovers, starts the writer. Owned by the
 * caller until journal_close. ERR_VERSION: DIR is from a newer release. */
int journal_open(struct journal **out, const struct env *env, const char *dir,
		 const struct journal_options *options,
		 struct diag *diag) MUST_USE;

/* Called in the writer's thread, in order of position, after the fdatasync
 * returned (err 0) or when the frame is given up (err < 0). Must be short and
 * must not call journal functions other than append and barrier. */
typedef void journal_done_fn(void *arg, int err, uint64_t position,
			     uint64_t next);

/* Copies frame (position and next are ignored) into the queue. 0: done will be
 * called exactly once. ERR_BUSY, ERR_FULL, ERR_LIMIT, ERR_CLOSED: nothing
 * happened and done is not called. Any thread. */
int journal_append(struct journal *j, const struct frame *frame,
		   journal_done_fn *done, void *arg) MUST_USE;

/* Calls done when all that was appended before it is durable; err < 0 where
 * any of the frames that then waited failed. What a repeated request waits for
 * whose first copy is still in flight. */
int journal_barrier(struct journal *j, journal_done_fn *done,
		    void *arg) MUST_USE;

/* Commits what waits, calls all done functions, ends the thread, frees j. */
void journal_close(struct journal *j);

/* Every view has its data up to position durable elsewhere. */
void journal_release(struct journal *j, uint64_t position);
void journal_stats(struct journal *j, struct journal_stats *out);

/* How much of the budget is in files that some view still needs, in percent: at
 * 100 appends get ERR_FULL. Any thread, no lock. */
unsigned journal_backlog_percent(const struct journal *j);

/* Position of the oldest frame that is kept; of the end of what is durable. */
uint64_t journal_oldest(struct journal *j);
uint64_t journal_durable(struct journal *j);

/* Reading on from a position, while the writer appends. One thread a reader;
 * all readers are closed before the journal. A position behind the durable end
 * starts at that end and sets *gap. */
struct journal_reader;
int journal_reader_open(struct journal_reader **out, struct journal *j,
			uint64_t position) MUST_USE;
/* 1: *frame is valid until the next call; 0: nothing durable is left now;
 * < 0: ERR_IO, ERR_NOMEM. Damaged ranges are skipped and counted. A position
 * older than the oldest file starts there and sets *gap. */
int journal_reader_next(struct journal_reader *r, struct frame *frame,
			bool *gap) MUST_USE;
void journal_reader_close(struct journal_reader *r);

#endif
