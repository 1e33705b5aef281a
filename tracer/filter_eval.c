/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a trace is what an expression says. */
#include <assert.h>

#include "tracer/filter_match.h"

static bool eval(struct filter_match *m, uint32_t node,
		 const struct filter_subject *s);

static const struct filter_node *node_at(const struct filter_match *m,
					 uint32_t i)
{
	assert(i < m->filter->count);
	return &m->filter->nodes[i];
}

/* --- nodes and edges ------------------------------------------------------------ */

static bool is_meant(struct filter_match *m, const struct filter_id *id,
		     const struct facts_part *part)
{
	if (!id)
		return true;
	if (id->name.ptr && !sv_eq(id->name, part->name))
		return false;
	if (id->type.ptr && !sv_eq(id->type, part->type) &&
	    !(part->inferred &&
	      sv_eq(id->type, filter_service_type(part->type))))
		return false;
	if (id->account.ptr && !sv_eq(id->account, facts_account(m->f, part)))
		return false;
	/* The client has the name of what it calls; only its type tells. */
	return !part->client || id->type.ptr;
}

static bool eval_service(struct filter_match *m, const struct filter_node *n)
{
	uint32_t count;
	const struct facts_part *parts = facts_parts(m->f, &count);

	for (uint32_t i = 0; i < count; i++) {
		const struct filter_subject s = { .place = FILTER_PART,
						  .span = parts[i].span,
						  .part = &parts[i] };

		if (is_meant(m, n->to, &parts[i]) &&
		    (n->child == FILTER_NONE || eval(m, n->child, &s)))
			return true;
	}
	return false;
}

static bool eval_edges(struct filter_match *m, const struct filter_node *n)
{
	uint32_t count;
	const struct facts_edge *edges = facts_edges(m->f, &count);

	for (uint32_t i = 0; i < count; i++) {
		const struct filter_subject s = { .place = FILTER_EDGE,
						  .span = edges[i].span,
						  .part = &edges[i].to };

		if (is_meant(m, n->from, &edges[i].from) &&
		    is_meant(m, n->to, &edges[i].to) &&
		    (n->child == FILTER_NONE || eval(m, n->child, &s)))
			return true;
	}
	return false;
}

/* --- root causes --------------------------------------------------------------- */

static const struct rootcause *
causes_of(struct filter_match *m, enum rootcause_kind kind, uint32_t *count)
{
	if (!m->have[kind])
		m->causes[kind] = rootcauses(m->f, kind, &m->cause_count[kind]);
	m->have[kind] = true;
	*count = m->cause_count[kind];
	return m->causes[kind];
}

static uint32_t list_length(enum filter_place place, const struct rootcause *c)
{
	uint32_t n = 0;

	if (place == FILTER_SERVICES)
		return c->service_count;
	for (uint32_t i = 0; i < c->service_count; i++) {
		const struct rootcause_service *service = &c->services[i];

		for (uint32_t k = 0; k < service->entity_count; k++)
			n += place == FILTER_EXCEPTIONS ?
				     service->entities[k].exception_count :
				     1;
	}
	return n;
}

static bool eval_entity(struct filter_match *m, uint32_t block,
			struct filter_subject *s)
{
	if (s->place != FILTER_EXCEPTIONS) {
		bool is = eval(m, block, s);

		s->index++;
		return is;
	}
	for (uint32_t i = 0; i < s->entity->exception_count; i++) {
		s->exception = &s->entity->exceptions[i];
		if (eval(m, block, s))
			return true;
		s->index++;
	}
	return false;
}

/* Whether one element of the cause's list is what the block says. */
static bool eval_cause(struct filter_match *m, const struct filter_node *n,
		       const struct rootcause *cause)
{
	struct filter_subject s = { .place = (enum filter_place)n->place,
				    .span = SPAN_NONE };

	s.count = list_length(s.place, cause);
	for (uint32_t i = 0; i < cause->service_count; i++) {
		s.service = &cause->services[i];
		if (s.place == FILTER_SERVICES) {
			if (eval(m, n->child, &s))
				return true;
			s.index++;
			continue;
		}
		for (uint32_t k = 0; k < s.service->entity_count; k++) {
			s.entity = &s.service->entities[k];
			if (eval_entity(m, n->child, &s))
				return true;
		}
	}
	return false;
}

static bool eval_causes(struct filter_match *m, const struct filter_node *n)
{
	for (unsigned kind = 0; kind < ROOTCAUSE_KINDS; kind++) {
		const struct rootcause *causes;
		uint32_t count;

		if (!(n->causes & 1u << kind))
			continue;
		causes = causes_of(m, (enum rootcause_kind)kind, &count);
		for (uint32_t i = 0; i < count; i++)
			if (eval_cause(m, n, &causes[i]))
				return true;
	}
	return false;
}

static bool is_a_cause(struct filter_match *m, struct json object,
		       enum rootcause_kind kind)
{
	uint32_t count;
	const struct rootcause *causes = causes_of(m, kind, &count);

	for (uint32_t i = 0; i < count; i++)
		if (rootcause_is(object, &causes[i], kind, m->f->arena))
			return true;
	return false;
}

/* All that the list has are causes of one kind. */
static bool eval_cause_json(struct filter_match *m, const struct filter_node *n)
{
	for (unsigned kind = 0; kind < ROOTCAUSE_KINDS; kind++) {
		struct json it = json_first(n->json);
		bool all = it.doc && (n->causes & 1u << kind);

		for (; it.doc && all; it = json_next(n->json, it))
			all = is_a_cause(m, it, (enum rootcause_kind)kind);
		if (all)
			return true;
	}
	return false;
}

/* --- the tree ------------------------------------------------------------------ */

static bool eval_list(struct filter_match *m, const struct filter_node *n,
		      bool any, const struct filter_subject *s)
{
	for (uint32_t i = n->child; i != FILTER_NONE; i = node_at(m, i)->next)
		if (eval(m, i, s) == any)
			return any;
	return !any;
}

static bool eval(struct filter_match *m, uint32_t node,
		 const struct filter_subject *s)
{
	const struct filter_node *n = node_at(m, node);

	switch ((enum filter_verb)n->verb) {
	case FILTER_AND:
		return eval_list(m, n, false, s);
	case FILTER_OR:
		return eval_list(m, n, true, s);
	case FILTER_NOT:
		return !eval(m, n->child, s);
	case FILTER_KEYWORD:
		return filter_eval_keyword(m, n, s);
	case FILTER_ANNOTATION:
		return filter_eval_annotation(m, n, s);
	case FILTER_SERVICE:
		return eval_service(m, n);
	case FILTER_EDGES:
		return eval_edges(m, n);
	case FILTER_CAUSE:
		return eval_causes(m, n);
	case FILTER_CAUSE_JSON:
		return eval_cause_json(m, n);
	}
	return false;
}

bool filter_match(const struct filter *f, struct facts *facts)
{
	struct filter_match m = { .filter = f, .f = facts };
	const struct filter_subject root = { .place = FILTER_TRACE,
					     .span = facts->trace->root };

	return f->count == 0 || eval(&m, f->root, &root);
}
