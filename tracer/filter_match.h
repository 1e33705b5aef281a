/* SPDX-License-Identifier: Apache-2.0 */
/* An expression while it is asked of one trace; private to filter_*.c. */
#ifndef TALLY_TRACER_FILTER_MATCH_H
#define TALLY_TRACER_FILTER_MATCH_H

#include "tracer/filter_inner.h"

struct filter_match {
	const struct filter *filter;
	struct facts *f;
	bool have[ROOTCAUSE_KINDS];
	const struct rootcause *causes[ROOTCAUSE_KINDS];
	uint32_t cause_count[ROOTCAUSE_KINDS];
};

/* What the keywords of a block speak of: the members its place has. */
struct filter_subject {
	enum filter_place place;
	uint32_t span; /* SPAN_NONE: none speaks for it */
	const struct facts_part *part;
	const struct rootcause_service *service;
	const struct rootcause_entity *entity;
	const struct facts_exception *exception;
	uint32_t index, count; /* in its list */
};

/* "AWS::A" of "AWS::A::B"; else type itself. */
struct sv filter_service_type(struct sv type);
/* What keywords and annotations say of the subject. */
bool filter_eval_keyword(struct filter_match *m, const struct filter_node *n,
			 const struct filter_subject *s);
bool filter_eval_annotation(struct filter_match *m, const struct filter_node *n,
			    const struct filter_subject *s);

#endif
