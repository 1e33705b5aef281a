/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/rootcause.h"

#include <assert.h>

struct way {
	struct facts *f;
	enum rootcause_kind kind;
	uint32_t spans[ROOTCAUSE_ENTITIES_MAX]; /* the cause first */
	uint32_t count;
};

static const struct span *span_at(const struct facts *f, uint32_t i)
{
	return &f->trace->spans[i];
}

static bool has_status(const struct segment *s, enum rootcause_kind kind)
{
	return kind == ROOTCAUSE_FAULT ?
		       s->status == SEGMENT_STATUS_FAULT :
		       s->status == SEGMENT_STATUS_ERROR ||
			       s->status == SEGMENT_STATUS_THROTTLE;
}

static bool is_call(const struct segment *s)
{
	return s->subsegment &&
	       (sv_eq(s->ns, SV("aws")) || sv_eq(s->ns, SV("remote")));
}

/* While the client waited: work that goes on after the answer delays none. */
static int64_t took_ns(const struct facts *f, uint32_t span)
{
	const struct segment *s = &span_at(f, span)->segment;
	int64_t answered_ns = span_at(f, f->trace->root)->segment.end_ns;
	int64_t end_ns = s->end_ns < answered_ns ? s->end_ns : answered_ns;

	return end_ns > s->start_ns ? end_ns - s->start_ns : 0;
}

/* --- one way -------------------------------------------------------------------- */

static void put_entity(struct way *w, uint32_t span,
		       struct rootcause_entity *out)
{
	const struct segment *s = &span_at(w->f, span)->segment;
	int64_t whole = facts_response_ns(w->f);
	struct facts_exception found[ROOTCAUSE_EXCEPTIONS_MAX], *kept;
	uint32_t n;

	*out = (struct rootcause_entity){ .name = s->name,
					  .remote = is_call(s) };
	if (w->kind == ROOTCAUSE_SLOW) {
		out->coverage = whole > 0 ? (double)took_ns(w->f, span) /
						    (double)whole :
					    1;
		return;
	}
	n = facts_exceptions(w->f, span, found, ROOTCAUSE_EXCEPTIONS_MAX);
	if (!n)
		return;
	kept = arena_array(w->f->arena, n, sizeof(*kept));
	if (!kept) {
		w->f->failed = true;
		return;
	}
	memcpy(kept, found, n * sizeof(*kept));
	out->exceptions = kept;
	out->exception_count = n;
}

static void put_service(struct way *w, const struct facts_part *part,
			struct rootcause_service *out)
{
	*out = (struct rootcause_service){
		.name = part->name,
		.type = part->type,
		.account = facts_account(w->f, part),
		.inferred = part->inferred,
	};
}

/* The inferred service behind the way's end; false: none is. */
static bool find_inferred(struct way *w, struct facts_part *out)
{
	uint32_t count;
	const struct facts_part *parts = facts_parts(w->f, &count);

	for (uint32_t i = 0; i < count; i++)
		if (parts[i].inferred && parts[i].span == w->spans[0]) {
			*out = parts[i];
			return true;
		}
	return false;
}

static void put_inferred(struct way *w, struct rootcause_service *service,
			 struct rootcause_entity *entity)
{
	struct facts_part part;

	if (!find_inferred(w, &part)) {
		service->entity_count = 0;
		return;
	}
	put_service(w, &part, service);
	put_entity(w, w->spans[0], entity);
	entity->name = part.name;
	entity->remote = false;
	service->entities = entity;
	service->entity_count = 1;
}

/* Fills *out of w->spans; false: no memory. */
static bool follow(struct way *w, struct rootcause *out)
{
	struct facts *f = w->f;
	struct rootcause_service *services =
		arena_array(f->arena, w->count + 1, sizeof(*services));
	struct rootcause_entity *entities =
		arena_array(f->arena, w->count + 1, sizeof(*entities));
	uint32_t owner = SPAN_NONE, n = 0, k = 0;

	if (!services || !entities) {
		f->failed = true;
		return false;
	}
	for (uint32_t i = w->count; i-- > 0;) {
		uint32_t at = w->spans[i];
		const struct span *span = span_at(f, at);

		if (!n || span->owner != owner) {
			uint32_t of = span->owner == SPAN_NONE ? at :
								 span->owner;
			const struct segment *s = &span_at(f, of)->segment;
			struct facts_part part = { .name = s->name,
						   .type = s->origin,
						   .span = of };

			owner = span->owner;
			put_service(w, &part, &services[n]);
			services[n++].entities = &entities[k];
		}
		put_entity(w, at, &entities[k++]);
		services[n - 1].entity_count++;
	}
	put_inferred(w, &services[n], &entities[k]);
	if (services[n].entity_count)
		n++;
	out->services = services;
	out->service_count = n;
	return !f->failed;
}

/* From the span up; a way that is too long keeps what is nearest. */
static void walk_up(struct way *w, uint32_t span)
{
	w->count = 0;
	while (span != SPAN_NONE && w->count < ROOTCAUSE_ENTITIES_MAX) {
		w->spans[w->count++] = span;
		span = span_at(w->f, span)->parent;
	}
}

/* --- faults and errors ---------------------------------------------------------- */

/* marks[i]: something below span i has the status. Each span is gone over once
 * upwards until a mark is met. */
static uint8_t *mark_above(struct facts *f, enum rootcause_kind kind)
{
	uint8_t *marks = arena_array(f->arena, f->trace->count + 1, 1);

	if (!marks) {
		f->failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < f->trace->count; i++) {
		uint32_t at;

		if (!has_status(&span_at(f, i)->segment, kind))
			continue;
		for (at = span_at(f, i)->parent; at != SPAN_NONE && !marks[at];
		     at = span_at(f, at)->parent)
			marks[at] = 1;
	}
	return marks;
}

static const struct rootcause *find_failed(struct way *w, uint32_t *count)
{
	struct facts *f = w->f;
	const uint8_t *marks = mark_above(f, w->kind);
	struct rootcause *causes;
	bool impacting = false;

	if (!marks)
		return NULL;
	causes = arena_array(f->arena, ROOTCAUSES_MAX, sizeof(*causes));
	if (!causes) {
		f->failed = true;
		return NULL;
	}
	if (f->trace->root != SPAN_NONE)
		impacting = has_status(&span_at(f, f->trace->root)->segment,
				       w->kind);
	for (uint32_t i = 0; i < f->trace->count && *count < ROOTCAUSES_MAX;
	     i++) {
		if (marks[i] || !has_status(&span_at(f, i)->segment, w->kind))
			continue;
		walk_up(w, i);
		if (!follow(w, &causes[*count]))
			return NULL;
		causes[(*count)++].client_impacting = impacting;
	}
	return causes;
}

/* --- response time -------------------------------------------------------------- */

static uint32_t slowest_child(const struct facts *f, uint32_t span)
{
	uint32_t best = SPAN_NONE;

	for (uint32_t i = span_at(f, span)->child; i != SPAN_NONE;
	     i = span_at(f, i)->sibling)
		if (best == SPAN_NONE || took_ns(f, i) > took_ns(f, best))
			best = i;
	if (best == SPAN_NONE || took_ns(f, best) < took_ns(f, span) / 2)
		return SPAN_NONE;
	return best;
}

static const struct rootcause *find_slow(struct way *w, uint32_t *count)
{
	struct facts *f = w->f;
	uint32_t at = f->trace->root, next;
	struct rootcause *cause;

	if (at == SPAN_NONE || span_at(f, at)->segment.in_progress)
		return NULL;
	cause = arena_new(f->arena, struct rootcause);
	if (!cause) {
		f->failed = true;
		return NULL;
	}
	while ((next = slowest_child(f, at)) != SPAN_NONE)
		at = next;
	walk_up(w, at);
	if (!follow(w, cause))
		return NULL;
	cause->client_impacting = true;
	*count = 1;
	return cause;
}

const struct rootcause *rootcauses(struct facts *f, enum rootcause_kind kind,
				   uint32_t *count)
{
	struct way w = { .f = f, .kind = kind };
	const struct rootcause *causes;

	assert(kind < ROOTCAUSE_KINDS);
	*count = 0;
	causes = kind == ROOTCAUSE_SLOW ? find_slow(&w, count) :
					  find_failed(&w, count);
	if (!causes)
		*count = 0;
	return causes;
}
