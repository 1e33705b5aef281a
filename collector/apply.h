/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the journal to the views. A message is one request on its way: its
 * body, what it decodes to (in its own arena), and its frame. When its frame
 * is durable the message is put on every view's queue; the last view to let go
 * frees it. Nothing is decoded twice, except after a restart and by a view
 * that fell behind.
 *
 * One thread per view (a runner) owns the view's data. Its queue is bounded by
 * APPLY_QUEUE_MESSAGES, and all messages alive together by APPLY_LIVE_BYTES.
 * When a queue is full the message is not put on it: the runner notes that it
 * is behind and reads on from the journal, from the view's own position, until
 * it has caught up with the queue. Nothing is dropped, and a slow view slows
 * nobody.
 *
 * A view is not woken for frames that have nothing for it (view_ops.skips): the
 * last of them is noted, and given to it when it has nothing else to do.
 */
#ifndef TALLY_COLLECTOR_APPLY_H
#define TALLY_COLLECTOR_APPLY_H

#include <stdatomic.h>

#include "collector/stats.h"
#include "core/base/arena.h"
#include "core/store/journal.h"
#include "core/store/view.h"
#include "core/wire/records.h"

enum {
	APPLY_VIEWS_MAX = 12,
	APPLY_QUEUE_MESSAGES = 1024,
	APPLY_LIVE_BYTES = 256 << 20, /* default: of all messages */
	APPLY_USAGE_BYTES = 96,       /* what the ledger holds of a record in
				       * flight */
	APPLY_GATHER_US = 2000,       /* a view waits for more than one */
	APPLY_LARGE_BYTES = 1 << 20,  /* of a frame that is read alone */
	APPLY_CHECKPOINT_S = 5,       /* longest time between checkpoints */
	/* Messages that are kept for their memory when they end: giving that
	 * back to the system and taking it again cost more than reading a
	 * request did. */
	APPLY_SPARE_MESSAGES = 16,
	APPLY_SPARE_BYTES = 512 << 10, /* of each, at most */
};

struct message {
	struct frame frame; /* body and refused point into arena or `body` */
	struct records records;
	struct sv producer;
	uint64_t sequence;
	struct sv invocation; /* of an SDK's call; empty: none */
	uint64_t body_hash;
	struct arena arena;
	struct buf body; /* owned bytes that records borrow */
	_Atomic uint32_t refs;
	struct message *next; /* spare */
	struct apply *apply;  /* where size_bytes is counted */
	size_t size_bytes;
	bool no_records; /* for a view that takes none: decode may stop early */
};

struct apply;

/* A message with one reference, or NULL. Its arena has request_bytes. */
struct message *message_new(struct apply *a);
/* Counts what the message holds, with its body's copy in the journal's queue,
 * against live_bytes_max. Call once, when it is decoded. False: over the limit (the caller refuses the request). */
bool message_account(struct apply *a, struct message *m) MUST_USE;
void message_unref(struct message *m);

/* Decodes a frame that was read from the journal into m, which then borrows
 * nothing from it. 0, or ERR_NOMEM; a body that its decoder accepted once and
 * cannot read now is ERR_CORRUPT. Given by ingest. */
typedef int apply_decode_fn(struct message *m, const struct frame *frame);

struct apply_options {
	const struct env *env;
	struct journal *journal;
	struct stats *stats;
	apply_decode_fn *decode;
	/* May be NULL: asked while apply_start waits. */
	bool (*told_to_stop)(void *arg);
	void *arg;
	size_t live_bytes_max; /* 0: APPLY_LIVE_BYTES */
	size_t request_bytes;  /* of a new message's arena; 0: no limit */
	/* Where messages are counted with what others count there; NULL: a
	 * count of its own. */
	_Atomic size_t *used;
};

int apply_new(struct apply **out, const struct apply_options *options) MUST_USE;
/* Before apply_start; v outlives the runner. */
void apply_add(struct apply *a, struct view *v);
/* Starts the runners; returns when every view has applied all that the journal
 * holds, so that nobody is asked before it knows what was acknowledged. One
 * that stands still (its disk is full) is not waited for, unless admission
 * needs it. ERR_CLOSED: told to stop meanwhile. */
int apply_start(struct apply *a, struct diag *diag) MUST_USE;
/* Hands a durable message to all views, in order of position: called by the
 * journal's done function only. Takes references of its own. */
void apply_push(struct apply *a, struct message *m);
/* Ends the runners after a last checkpoint each, and frees. The journal must
 * not append any more. */
void apply_stop(struct apply *a);

struct apply_view_stats {
	const char *name;
	uint64_t position, durable;
	uint64_t applied; /* frames since start; of skipped ones, some */
	uint64_t queued;
	bool behind; /* reading on from the journal */
	int err;     /* why it stands still; 0: it does not */
	/* That came since the start, not skipped and not applied yet. */
	uint64_t lag_frames;
	int64_t lag_ns; /* how long the oldest of them has waited */
};
size_t apply_stats(struct apply *a, struct apply_view_stats *out, size_t max);
size_t apply_live_bytes(const struct apply *a);
size_t apply_live_bytes_max(const struct apply *a);

#endif
