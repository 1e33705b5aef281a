/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call that changes the catalogue, on its way: its changes become a frame;
 * when that is durable and the catalogue has applied it, the call is answered
 * by what it came to. So what is acknowledged is stored, and whoever asks next
 * sees it.
 *
 * A call whose change depends on what was there (an update of some members)
 * reads it, makes the new value and asks for the revision that it read; where
 * somebody was faster, it is called again, up to CHANGE_TRIES times.
 */
#ifndef TALLY_COLLECTOR_INGEST_CHANGE_H
#define TALLY_COLLECTOR_INGEST_CHANGE_H

#include "collector/catalogue/catalogue.h"
#include "collector/ingest/ingest.h"

enum { CHANGE_TRIES = 8 };

struct change_plan {
	/* Writes the reply; verdict: what it came to. In the catalogue's
	 * thread: short. */
	void (*answer)(void *arg, struct request *r,
		       enum catalogue_verdict verdict);
	/* Of a change that came to CATALOGUE_CONFLICT: reads again and calls
	 * change_submit, or leaves a reply. NULL: answer is told. */
	void (*again)(void *arg, struct request *r);
	void *arg;
};

/* Journals the changes, which are copied, and answers r later, in any case. Its
 * call's id is filled in from r. The handler returns at once; r->context is
 * used until the reply. */
void change_submit(struct ingest *in, struct catalogue *c, struct request *r,
		   struct catalogue_changes *changes,
		   const struct change_plan *plan);

/* The same for whoever has no request and can wait, in a thread of its own:
 * returns when they are applied. *verdict: what they came to. < 0: they are
 * not, or not yet. */
int change_make(struct ingest *in, struct catalogue *c,
		const struct scope *scope, struct catalogue_changes *changes,
		enum catalogue_verdict *verdict) MUST_USE;

#endif
