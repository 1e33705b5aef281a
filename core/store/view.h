/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view is what applies frames in order: traces with the service map, series,
 * logs, the ledger, producers, alarms. It is driven by one thread that owns
 * its data; it reads no clock (the frame has the time) and no journal. Readers
 * in other threads take the view's own short lock.
 *
 * The collector gives each view its frames from a bounded queue; when that is
 * full the view later reads on from the journal. A frame is given again after
 * a restart when no checkpoint covers it, and only then: a view need not find
 * repeats itself, but its checkpoint must hold its state and the position
 * together, atomically.
 */
#ifndef TALLY_CORE_STORE_VIEW_H
#define TALLY_CORE_STORE_VIEW_H

#include "core/store/journal.h"
#include "core/wire/records.h"

/* One frame with what it decodes to; records without effect (frame.refused)
 * are taken out already. Borrowed: valid until apply returns. */
struct delivery {
	const struct frame *frame;
	const struct records *records;
	/* Of a native batch: who sent it, which one, hash of its bytes. */
	struct sv producer; /* empty: not a native batch */
	uint64_t sequence;
	/* Of a call of AWS's SDKs: its amz-sdk-invocation-id; empty: none. */
	struct sv invocation;
	uint64_t body_hash; /* of either; 0 where there is neither */
};

struct view_ops {
	const char *name;
	/* 0, or an error that stops this view (reported, its checkpoint stays
	 * where it is): ERR_NOMEM, ERR_IO, ERR_FULL are tried again with the
	 * same delivery, so apply must not half-apply. Bad data never stops a
	 * view: ingest refused it. */
	int (*apply)(void *self, const struct delivery *d);
	/* Makes everything applied so far durable, with `next` of the last
	 * frame applied as position. Called by the view's thread every few
	 * seconds, when much was applied, and at a clean end. */
	int (*checkpoint)(void *self);
	/* Time passes without frames: called about once a second with the
	 * wall clock, so that windows close. May be NULL. */
	int (*tick)(void *self, struct wall now);
	/* Bits (1 << enum protocol) of frames that never have anything for this
	 * view. Of a run of them it is given the last alone, some time later
	 * and without body and records, so that its position and its time move
	 * on: most frames are for one view or two, and waking all of them cost
	 * more than applying did. */
	uint32_t skips;
	/* It never looks at records: what is read from the journal for it need
	 * not be decoded further than to the delivery's other members, and where
	 * these are empty the frame is one to skip. */
	bool no_records;
};

struct view {
	const struct view_ops *ops;
	void *self;
	uint64_t position; /* of the next frame it needs; 0: from the oldest */
	/* Position up to which what was applied is durable: set by open and by
	 * checkpoint. The journal keeps what is behind it. */
	uint64_t durable;
	/* Admission asks it what is known (ledger, producers): no request is
	 * taken before it has all that the journal holds. */
	bool admits;
};

#endif
