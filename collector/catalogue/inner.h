/* SPDX-License-Identifier: Apache-2.0 */
/* What a catalogue is made of. Private to catalogue.c and read.c. */
#ifndef TALLY_COLLECTOR_CATALOGUE_INNER_H
#define TALLY_COLLECTOR_CATALOGUE_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/catalogue/store.h"

enum { EARLY_MAX = 64 }; /* more than wait in one commit, but for a flood */

/* What came of a frame nobody waited for when it was applied. */
struct early {
	uint64_t position;
	int err;
	enum catalogue_verdict verdict;
};

struct catalogue {
	struct view view;
	const struct env *env;
	struct store *store;
	bool is_new;
	pthread_mutex_t lock;          /* over all of these */
	struct early early[EARLY_MAX]; /* the latest, in turn */
	size_t early_count;
	uint64_t judged; /* all frames before it are applied */
	struct catalogue_waiter *first, **last;
	int stalled; /* why the view stands still; 0: it does not */
	_Atomic uint64_t items, bytes, changes, refused, damaged_items,
		damaged_changes;
};

#endif
