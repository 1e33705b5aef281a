/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers: the threads that answer questions. A question may read and inflate
 * for a second, and an HTTP thread that does so keeps out everybody whose
 * connection it has, those who write among them: eight readers of long lists
 * once left 11 % of the capacity to writers. So questions are handed over, and
 * their threads yield to all others (nice READERS_NICE): what is written now
 * cannot be written later, what is asked can be asked again.
 *
 * READERS_THREADS work, READERS_QUEUE wait; over it a question is told to come
 * again.
 */
#ifndef TALLY_COLLECTOR_DOOR_READERS_H
#define TALLY_COLLECTOR_DOOR_READERS_H

#include "collector/door/http.h"

enum { READERS_THREADS = 2, READERS_QUEUE = 256, READERS_NICE = 10 };

struct readers;

/* serve: called with arg and each request, in one of the threads, which are all
 * there when this returns; it must leave the reply and not defer. ERR_NOMEM: memory or threads are used up. */
int readers_start(struct readers **out, http_handler_fn *serve,
		  void *arg) MUST_USE;
/* NULL: nothing. Nobody may be in readers_take, nor wait for an answer. */
void readers_stop(struct readers *q);
/* Defers r and answers it later. ERR_BUSY: too many wait; r is as it was. */
int readers_take(struct readers *q, struct request *r) MUST_USE;

#endif
