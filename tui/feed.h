/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feed: the thread that asks the collector, so that the screen never waits for
 * the network. The screen says what it wants to see (a question); the thread
 * asks for that at once, and for functions and alarms every interval, and puts
 * each answer in a mailbox of one place per kind, where a newer one takes the
 * older one's place. The screen empties the mailbox when it likes. A collector
 * that does not answer is no end: the link says since when, and the thread
 * keeps trying.
 */
#ifndef TALLY_TUI_FEED_H
#define TALLY_TUI_FEED_H

#include "core/client/client.h"
#include "core/sys/env.h"
#include "tui/map.h"
#include "tui/model.h"
#include "tui/spans.h"

enum { FEED_KEY_MAX = 512, FEED_TIMEOUT_MS = 10000 };

/* What the screen shows beside functions and alarms; "": nothing. */
struct question {
	char function[FEED_KEY_MAX]; /* recent traces of it */
	char trace[FEED_KEY_MAX];    /* this trace */
	bool map;                    /* the service map */
};

/* How the collector is to be reached. */
struct link_state {
	bool lost;
	double lost_since; /* epoch seconds */
	double heard;      /* the last answer; 0: none yet */
	char text[240];    /* why it is lost */
	char refused[240]; /* why the question has no answer; "": it has */
};

/* Whatever is not NULL is new and the receiver's. */
struct delivery {
	struct functions *functions;
	struct alarms *alarms;
	struct traces *traces;
	struct waterfall *trace;
	struct map *map;
	struct link_state link;
};

void delivery_fini(struct delivery *d);

/* Asks once, here and now, without a thread: functions, alarms and what the
 * question names. The first error, if any, is in diag and returned. */
int feed_once(struct client *client, const struct env *env,
	      const struct question *question, struct delivery *out,
	      struct diag *diag) MUST_USE;

struct feed;

/* Starts the thread. It opens a client of its own by the settings, which must
 * live as long. */
int feed_open(struct feed **out, const struct env *env,
	      const struct settings *settings, int interval_ms,
	      struct diag *diag) MUST_USE;
/* Stops it, within a second or so whatever the network does. */
void feed_close(struct feed *f);
/* Readable when there is a delivery: for poll. */
int feed_fd(const struct feed *f);
void feed_ask(struct feed *f, const struct question *question);
/* Ask everything again now. */
void feed_hurry(struct feed *f);
/* Empties the mailbox into *out; what is not new is NULL there. */
void feed_take(struct feed *f, struct delivery *out);

#endif
