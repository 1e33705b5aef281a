/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errand: what the collector itself must not do (connect to foreign hosts) is
 * done by a process of its own, forked before threads, listeners and sandbox,
 * which holds none of the collector's files and secrets. The collector asks by
 * messages and gets each answered once (docs/decisions/errand.md).
 *
 * There are two processes: one works, with libcurl and all that it meets; its
 * parent waits for it, and starts the next one when it crashed. An errand
 * that was under way is then lost and said to be; who asked decides whether to
 * ask again. Errands do not wait for each other: ERRAND_FLIGHT_MAX are under
 * way at a time, over it nobody waits but is told ERR_BUSY.
 *
 * Both end with the collector, however it ends: by the socket's end, and by
 * PR_SET_PDEATHSIG where they do not look at the socket.
 */
#ifndef TALLY_COLLECTOR_ERRAND_ERRAND_H
#define TALLY_COLLECTOR_ERRAND_ERRAND_H

#include "collector/confine.h"
#include "collector/errand/message.h"

enum {
	ERRAND_FLIGHT_MAX = 32,
	ERRAND_GRACE_MS = 1000, /* after an errand's time, then it is late */
	ERRAND_TICK_MS = 500,   /* how often lateness is looked for */
	/* Between a crash and the next worker: doubled each time, from the
	 * first to the last; from the first again after a minute of work. */
	ERRAND_RESTART_MS = 50,
	ERRAND_RESTART_MS_MAX = 10000,
	ERRAND_CLOSE_MS = 1000, /* the process's time to end by itself */
};

struct errand;

struct errand_options {
	enum confine_mode confine;
	const struct user *user; /* whom it becomes; NULL: stays as it is */
	/* Counters, each may be NULL. */
	_Atomic uint64_t *restarted; /* workers that crashed */
	_Atomic uint64_t *lost;      /* the whole process, for good */
	_Atomic uint64_t *bad;       /* messages that do not parse */
	_Atomic uint64_t *late;
};

/* Forks: before there are threads, and before what the child must not hold is
 * open. */
int errand_start(struct errand **out, const struct errand_options *options,
		 struct diag *diag) MUST_USE;
/* Starts the thread that reads answers. */
int errand_listen(struct errand *e, struct diag *diag) MUST_USE;

/* `text` is valid during the call. On the reader's thread; it may ask again. */
typedef void errand_done_fn(void *arg, const struct errand_answer *answer);

/* Copies the request; its id is given here. 0: done is called exactly once, at
 * the latest timeout_ms + ERRAND_GRACE_MS + ERRAND_TICK_MS from now, or in
 * errand_close. ERR_BUSY: too many under way; ERR_LIMIT: over a limit of
 * message.h; ERR_CLOSED: the process is gone for good. */
int errand_ask(struct errand *e, const struct errand_request *request,
	       errand_done_fn *done, void *arg) MUST_USE;
/* What is under way is lost; waits ERRAND_CLOSE_MS for the process, and leaves
 * the rest to the kernel (PR_SET_PDEATHSIG): a confined collector may not send
 * a signal. NULL: nothing. */
void errand_close(struct errand *e);

#endif
