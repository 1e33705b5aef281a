/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: one struct owns everything; who needs a part is passed it.
 * Opened from the inside out (journal, views, what they hold is brought up to
 * date, then the listeners) and closed from the outside in, so that a request
 * never meets a part that is not there.
 *
 * Threads: this one (signals, the alarm clock), the door's, one for datagrams,
 * the journal's writer, one a view, the RRD writer, one for webhooks that wait
 * and one for answers of the errand process, which posts them.
 */
#ifndef TALLY_COLLECTOR_COLLECTOR_H
#define TALLY_COLLECTOR_COLLECTOR_H

#include "collector/config.h"
#include "core/sys/env.h"

enum { COLLECTOR_ALARMS_S = 10 }; /* how often alarms are judged */

struct collector;

/* config is borrowed until close; reload replaces its alarms. ERR_CLOSED: it was
 * told to stop while it started. */
int collector_open(struct collector **out, const struct env *env,
		   struct config *config, struct diag *diag) MUST_USE;
/* Prints the addresses and `ready` on stdout, tells systemd, then works until
 * SIGTERM or SIGINT. SIGHUP reads `config_path` (may be NULL) again. */
int collector_run(struct collector *c, const char *config_path);
/* Answers what waits, makes everything durable, frees. */
void collector_close(struct collector *c);

#endif
