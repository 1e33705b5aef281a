/* SPDX-License-Identifier: Apache-2.0 */
/* What alarms.c (the view) and evaluate.c share. */
#ifndef TALLY_COLLECTOR_ALARMS_STATE_H
#define TALLY_COLLECTOR_ALARMS_STATE_H

#include <pthread.h>

#include "collector/alarms/alarms.h"

enum { ALARMS_CHECKPOINT_FORMAT = 1 };

/* A set of definitions, immutable, shared by count: an evaluation goes on with
 * the old ones while new ones are set. The count is under the lock. */
struct definitions {
	unsigned refs;
	struct arena arena;
	struct alarm_definition *list;
	size_t count;
};

/* The state of a name in a scope; text is owned. */
struct alarm_current {
	struct scope scope;
	char *name;
	char *reason;
	enum alarm_state state;
	int64_t since_ns;   /* 0: never changed */
	int64_t pending_ns; /* a change was proposed then; 0: none */
};

struct alarm_past {
	struct scope scope;
	char *name;
	char *reason;
	enum alarm_state from, to;
	int64_t time_ns;
};

struct alarms {
	const struct env *env;
	char *dir;
	struct view view;
	size_t history_max;
	struct scope scope; /* of the definitions */
	bool dirty;         /* the view's thread only */

	pthread_mutex_t lock;
	struct definitions *definitions;
	/* Sorted by scope and name; only names that are defined. */
	struct alarm_current *current;
	size_t current_count, current_cap;
	/* Oldest first, a ring. */
	struct alarm_past *history;
	size_t history_first, history_count, history_cap;
	struct alarms_stats stats;
};

/* definitions.c. Copies go to the arena; false: no memory. */
bool alarm_text_copy(struct arena *arena, struct sv from, struct sv *to);
bool definition_copy(struct arena *arena, const struct alarm_definition *from,
		     struct alarm_definition *to);
/* A checked set with one reference. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int definitions_new(const struct alarm_definition *list, size_t count,
		    struct definitions **out, struct diag *diag) MUST_USE;
void definitions_free(struct definitions *d);
const struct alarm_definition *definition_find(const struct definitions *d,
					       struct sv name);

/* With the lock held. */
struct alarm_current *alarms_current(struct alarms *a,
				     const struct scope *scope, struct sv name);
/* Made where missing: INSUFFICIENT_DATA. NULL: no memory. */
struct alarm_current *
alarms_current_add(struct alarms *a, const struct scope *scope, struct sv name);
bool alarms_defined(const struct alarms *a, struct sv name);
struct definitions *definitions_ref(struct alarms *a);
void definitions_unref(struct alarms *a, struct definitions *d);

/* image.c: the checkpoint's image; the lock is not needed to write it. */
void alarms_image_write(const struct alarms *a, struct buf *out);
int alarms_image_read(struct alarms *a, struct sv image) MUST_USE;
/* 0, or ERR_NOMEM and nothing changed. With the lock held. */
int alarms_history_add(struct alarms *a, const struct scope *scope,
		       const struct alarm_change *c) MUST_USE;

#endif
