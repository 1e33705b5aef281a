/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An incident's insight, as it grows minute by minute: whom it hit (the group's
 * traces), which service it came from (the one most faults of a minute came
 * from), and what happened when (its events: it began, another service is the
 * cause, faults have doubled, it ended). Pure.
 */
#ifndef TALLY_COLLECTOR_INSIGHTS_INCIDENT_H
#define TALLY_COLLECTOR_INSIGHTS_INCIDENT_H

#include "collector/insights/count.h"
#include "collector/insights/judge.h"
#include "collector/insights/shapes.h"
#include "core/wire/records.h"

/* What is added: of one minute, or of all since it began. */
struct incident_sum {
	double traces, faults;                        /* of the group */
	uint64_t cause_total, cause_faults, cause_ok; /* of the service */
};

/* A new one: its id is of the scope, the group and its start, so that making it
 * twice makes one. Everything is in the arena, or borrows from g. ERR_NOMEM. */
int incident_begin(struct insight *i, const struct scope *scope,
		   const struct group_minute *g, int64_t start_ns,
		   struct arena *arena) MUST_USE;
/* The minute that ended at now_ns: 1: it was added already; 0; ERR_NOMEM. */
int incident_add(struct insight *i, const struct group_minute *g,
		 const struct incident_sum *sum, int64_t now_ns,
		 struct arena *arena) MUST_USE;
/* It ended at end_ns, which is known at now_ns. */
int incident_end(struct insight *i, int64_t end_ns, int64_t now_ns,
		 struct arena *arena) MUST_USE;

#endif
