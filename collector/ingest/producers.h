/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which batches are stored already: per producer the highest sequence seen and
 * a window of PRODUCER_WINDOW sequences below it, each with a hash of its
 * bytes. A batch is reserved before its frame is appended and confirmed when
 * the frame is applied; only confirmed ones go into the checkpoint, so that a
 * crash between the two forgets exactly what was not durable.
 *
 * At most PRODUCERS_MAX producers in 64 B + 12 B * window each; over it the
 * one longest silent goes (a producer that comes back much later starts anew:
 * its usage records are still known by their ids). A sequence below the window
 * is refused by name: it cannot be told whether it was stored.
 */
#ifndef TALLY_COLLECTOR_INGEST_PRODUCERS_H
#define TALLY_COLLECTOR_INGEST_PRODUCERS_H

#include "core/store/view.h"
#include "core/sys/env.h"

enum {
	PRODUCERS_FORMAT = 1,
	PRODUCERS_MAX = 16384,
	PRODUCER_WINDOW = 256,
};

enum batch_state {
	BATCH_NEW,      /* reserved now: append it, or withdraw */
	BATCH_KNOWN,    /* same bytes, durable or in flight */
	BATCH_CONFLICT, /* same sequence, other bytes */
	BATCH_OLD,      /* below the window */
	BATCH_BUSY,     /* PRODUCERS_MAX producers have batches in flight */
};

struct producers;

int producers_open(struct producers **out, const struct env *env,
		   const char *dir, struct diag *diag) MUST_USE;
void producers_close(struct producers *p);
struct view *producers_view(struct producers *p);

/* Any thread. hash: of the batch's bytes, never 0. */
enum batch_state producers_admit(struct producers *p, const struct scope *scope,
				 struct sv producer, uint64_t sequence,
				 uint64_t hash);
/* Undoes a BATCH_NEW whose frame was not appended, or did not become
 * durable. */
void producers_withdraw(struct producers *p, const struct scope *scope,
			struct sv producer, uint64_t sequence);
size_t producers_count(struct producers *p);

#endif
