/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/work.h"

#include <assert.h>
#include <errno.h>

void work_init(struct work *w, unsigned places)
{
	int e = sem_init(&w->places, 0, places);

	assert(!e && places > 0);
}

void work_fini(struct work *w)
{
	sem_destroy(&w->places);
}

void work_begin(struct work *w)
{
	while (sem_wait(&w->places) < 0)
		assert(errno == EINTR);
}

void work_end(struct work *w)
{
	int e = sem_post(&w->places);

	assert(!e);
}
