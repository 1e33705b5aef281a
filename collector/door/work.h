/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work: how many requests are decoded at once. Each may take as much memory as
 * one request may (memory.h), so there are as many places as were planned for,
 * however many listeners and threads bring requests. A place is held while the
 * handler runs, which is a millisecond or two, not while its reply waits for
 * the disk; a thread that finds none waits. Costs nothing where there is one.
 */
#ifndef TALLY_COLLECTOR_DOOR_WORK_H
#define TALLY_COLLECTOR_DOOR_WORK_H

#include <semaphore.h>

struct work {
	sem_t places;
};

void work_init(struct work *w, unsigned places);
void work_fini(struct work *w); /* nobody holds a place */
void work_begin(struct work *w);
void work_end(struct work *w);

#endif
