/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root causes of a trace, as X-Ray's summaries have them: the way from the
 * trace's beginning to where it went wrong, as a list of services, each with
 * the segment and subsegments on the way (its entities). Rules, where the
 * public documentation leaves them open:
 *
 *  - A fault (or an error: 4xx) has its cause in each (sub)segment which has
 *    that status and below which nothing else has it.
 *  - A call to which no segment answers adds the inferred service behind it.
 *  - A slow response has one cause: down from the root, always to the child
 *    which took longest, as long as that took half of its parent's time;
 *    what goes on after the root's end does not count. Coverage is an entity's
 *    time over the root segment's.
 *  - It impacts the client when the root segment has the status itself.
 */
#ifndef TALLY_TRACER_ROOTCAUSE_H
#define TALLY_TRACER_ROOTCAUSE_H

#include "tracer/facts.h"

enum rootcause_kind {
	ROOTCAUSE_FAULT,
	ROOTCAUSE_ERROR,
	ROOTCAUSE_SLOW,
	ROOTCAUSE_KINDS,
};

enum {
	ROOTCAUSES_MAX = 32,           /* of one kind; more are left out */
	ROOTCAUSE_ENTITIES_MAX = 256,  /* on one way; nearest the cause */
	ROOTCAUSE_EXCEPTIONS_MAX = 16, /* of one entity */
};

struct rootcause_entity {
	struct sv name;
	bool remote;     /* a call that left the service */
	double coverage; /* of ROOTCAUSE_SLOW */
	const struct facts_exception *exceptions; /* of the others */
	uint32_t exception_count;
};

struct rootcause_service {
	struct sv name, type; /* type may be empty */
	struct sv account;
	bool inferred;
	const struct rootcause_entity *entities;
	uint32_t entity_count;
};

struct rootcause {
	const struct rootcause_service *services;
	uint32_t service_count;
	bool client_impacting;
};

/* All of one kind, earliest first; in facts' arena. */
const struct rootcause *rootcauses(struct facts *f, enum rootcause_kind kind,
				   uint32_t *count);

/* Whether a cause is what an object of rootcause.json says: members that are
 * there must be equal, lists of the same length; what is left out or null may
 * be anything. */
bool rootcause_is(struct json object, const struct rootcause *cause,
		  enum rootcause_kind kind, struct arena *scratch);

#endif
