/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's insights: incidents that the watch (collector/insights/watch.h) found.
 */
#include <stdlib.h>

#include "collector/api/xray.h"
#include "collector/api/xray_map.h"
#include "collector/api/xray_services.h"
#include "collector/door/answer.h"
#include "collector/insights/shapes.h"

enum {
	EVENTS_PAGE = 50,
	SUMMARIES_PAGE = 100,
	TOKEN_CHARS = 2 * (4 + 8), /* where to go on, hash of the question */
	IMPACT_HOURS_MAX = 6,
};

/* --- pages ------------------------------------------------------------------------- */

static bool token_read(struct request *r, struct sv token, uint64_t question,
		       size_t *at)
{
	uint8_t bytes[TOKEN_CHARS / 2];

	*at = 0;
	if (!token.ptr)
		return true;
	if (token.len == TOKEN_CHARS &&
	    sv_to_hex(token, bytes, sizeof(bytes)) &&
	    get_le64(bytes + 4) == question) {
		*at = get_le32(bytes);
		return true;
	}
	xray_map_failed(r, ERR_INVALID);
	return false;
}

static struct sv token_write(struct arena *arena, uint64_t question, size_t at)
{
	uint8_t bytes[TOKEN_CHARS / 2];
	char *text = arena_alloc(arena, TOKEN_CHARS);

	if (!text)
		return (struct sv){ NULL, 0 };
	put_le32(bytes, (uint32_t)at);
	put_le64(bytes + 4, question);
	hex_from(text, bytes, sizeof(bytes));
	return sv_make(text, TOKEN_CHARS);
}

static size_t page_of(struct shape_integer max, size_t most)
{
	return max.set ? (size_t)max.value : most;
}

/* --- one insight ------------------------------------------------------------------- */

/* False: answered. */
static bool find(struct api *a, struct request *r, struct sv id,
		 struct insight *out)
{
	int e = control_get(a, r, CATALOGUE_INSIGHT, id, &insight_stored_shape,
			    out, NULL);

	if (e == ERR_NOT_FOUND)
		control_invalid(r, "Insight not found");
	else if (e)
		control_failed(r, e);
	return !e;
}

void api_xray_insight(struct api *a, struct request *r)
{
	struct insight_input in;
	struct insight insight;
	struct insight_output out = { .insight = &insight };

	if (answer_read(r, &get_insight_shape, &in) &&
	    find(a, r, in.id, &insight))
		answer_write(r, &insight_output_shape, &out);
}

/* Newest first; a token goes on behind the oldest that was told, so that what
 * happens meanwhile moves nothing. */
void api_xray_insight_events(struct api *a, struct request *r)
{
	struct insight_events_output out = { .events = { .set = true } };
	struct insight_input in;
	struct insight insight;
	struct buf b = BUF_INIT;
	uint64_t question;
	size_t left, page;

	if (!answer_read(r, &insight_events_shape, &in) ||
	    !find(a, r, in.id, &insight))
		return;
	xray_question_begin(&b, r);
	xray_question_text(&b, in.id);
	question = xray_question_end(&b);
	if (!token_read(r, in.token, question, &left))
		return;
	if (!in.token.ptr || left > insight.events.count)
		left = insight.events.count;
	page = page_of(in.max, EVENTS_PAGE);
	out.events.items =
		arena_array(&r->arena, left, sizeof(*out.events.items));
	if (!out.events.items) {
		control_failed(r, ERR_NOMEM);
		return;
	}
	while (left > 0 && out.events.count < page)
		out.events.items[out.events.count++] =
			insight.events.items[--left];
	if (left)
		out.token = token_write(&r->arena, question, left);
	answer_write(r, &insight_events_output_shape, &out);
}

/* --- summaries --------------------------------------------------------------------- */

static int by_start(const void *x, const void *y)
{
	const struct insight *a = x, *b = y;

	if (a->start.ns != b->start.ns)
		return a->start.ns > b->start.ns ? -1 : 1;
	return sv_cmp(a->id, b->id);
}

static bool is_wanted(const struct insight_input *in, struct sv group_arn,
		      const struct insight *i)
{
	return sv_eq(i->group_arn, group_arn) && i->start.ns >= in->start.ns &&
	       i->start.ns <= in->end.ns &&
	       (!in->states.count || sv_eq(in->states.items[0], i->state));
}

/* Those of the group that are wanted, newest first. */
static int list(struct api *a, struct request *r,
		const struct insight_input *in, struct sv group_arn,
		struct insight **out, size_t *count)
{
	struct catalogue_item *items;
	struct insight *all;
	size_t n, kept = 0;
	bool more;
	int e = catalogue_list(a->catalogue, &r->caller.scope,
			       CATALOGUE_INSIGHT, SV(""), INSIGHTS_MAX,
			       &r->arena, &items, &n, &more);

	if (e)
		return e;
	all = arena_array(&r->arena, n, sizeof(*all));
	if (!all)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		e = control_read(&insight_stored_shape, items[i].value,
				 &r->arena, &all[kept]);
		if (e)
			return e;
		if (is_wanted(in, group_arn, &all[kept]))
			kept++;
	}
	qsort(all, kept, sizeof(*all), by_start);
	*out = all;
	*count = kept;
	return 0;
}

static uint64_t hash_summaries(const struct request *r,
			       const struct insight_input *in,
			       struct sv group_arn)
{
	struct buf b = BUF_INIT;

	xray_question_begin(&b, r);
	buf_format(&b, " %lld %lld", (long long)in->start.ns,
		   (long long)in->end.ns);
	xray_question_text(&b, group_arn);
	if (in->states.count)
		xray_question_text(&b, in->states.items[0]);
	return xray_question_end(&b);
}

void api_xray_insight_summaries(struct api *a, struct request *r)
{
	struct insight_summaries_output out = { .summaries = { .set = true } };
	struct insight_input in;
	struct xray_group group;
	struct insight *all;
	uint64_t question;
	size_t count, at, page;
	int e;

	if (!answer_read(r, &insight_summaries_shape, &in))
		return;
	if (in.start.ns > in.end.ns) {
		control_invalid(r, "EndTime must not be before StartTime");
		return;
	}
	e = xray_group_find(a, r, in.group_name, in.group_arn, &group);
	if (e == ERR_NOT_FOUND)
		control_invalid(r, "Group not found");
	else if (e && e != ERR_INVALID)
		control_failed(r, e);
	if (e)
		return;
	question = hash_summaries(r, &in, group.arn);
	if (!token_read(r, in.token, question, &at))
		return;
	e = list(a, r, &in, group.arn, &all, &count);
	if (e) {
		control_failed(r, e);
		return;
	}
	at = at < count ? at : count;
	page = page_of(in.max, SUMMARIES_PAGE);
	out.summaries.items = all + at;
	out.summaries.count = count - at < page ? count - at : page;
	if (at + out.summaries.count < count)
		out.token = token_write(&r->arena, question,
					at + out.summaries.count);
	answer_write(r, &insight_summaries_output_shape, &out);
}

/* --- whom it hit ------------------------------------------------------------------- */

/* Which services lead to the cause, by edges of the map; the cause with them. */
static void mark(const struct xray_services *all, struct sv cause, bool *hit)
{
	bool again = true;

	for (size_t i = 0; i < all->count; i++)
		hit[i] = sv_eq(all->items[i].name, cause);
	while (again) {
		again = false;
		for (size_t i = 0; i < all->count; i++)
			for (size_t k = 0;
			     k < all->items[i].edges.count && !hit[i]; k++) {
				int64_t to = all->items[i]
						     .edges.items[k]
						     .reference_id.value;

				for (size_t n = 0; n < all->count; n++)
					if (hit[n] &&
					    all->items[n].reference_id.value ==
						    to)
						hit[i] = again = true;
			}
	}
}

static int make_node(const struct xray_services *all, const bool *hit,
		     const struct xray_service *from, struct arena *arena,
		     struct insight_node *out)
{
	*out = (struct insight_node){
		.reference_id = from->reference_id,
		.type = from->type,
		.name = from->name,
		.account = from->account_id,
		.edges = { .set = true },
	};
	out->names.items = from->names.items;
	out->names.count = from->names.count;
	out->names.set = from->names.set;
	out->edges.items = arena_array(arena, from->edges.count,
				       sizeof(*out->edges.items));
	if (!out->edges.items)
		return ERR_NOMEM;
	for (size_t i = 0; i < from->edges.count; i++)
		for (size_t n = 0; n < all->count; n++)
			if (hit[n] &&
			    all->items[n].reference_id.value ==
				    from->edges.items[i].reference_id.value)
				out->edges.items[out->edges.count++]
					.reference_id =
					from->edges.items[i].reference_id;
	return 0;
}

static int make_impact(const struct xray_services *all, struct sv cause,
		       struct arena *arena, struct insight_graph_output *out)
{
	bool *hit = arena_array(arena, all->count, sizeof(*hit));
	int e = 0;

	out->services.items =
		arena_array(arena, all->count, sizeof(*out->services.items));
	out->services.set = true;
	if (!hit || !out->services.items)
		return ERR_NOMEM;
	mark(all, cause, hit);
	for (size_t i = 0; i < all->count && !e; i++)
		if (hit[i])
			e = make_node(
				all, hit, &all->items[i], arena,
				&out->services.items[out->services.count++]);
	return e;
}

/* The map of the window, a page of it at once: of each page those that lead to
 * the cause within it. */
void api_xray_insight_graph(struct api *a, struct request *r)
{
	struct insight_graph_output out = { .services = { .set = true } };
	struct xray_question q = { .scope = &r->caller.scope };
	struct xray_services page;
	struct insight_input in;
	struct insight insight;
	struct buf b = BUF_INIT;
	struct graph graph;
	struct sv cause;
	int e;

	if (!answer_read(r, &insight_graph_shape, &in) ||
	    !xray_range_fits(r, &in.start, &in.end, IMPACT_HOURS_MAX) ||
	    !find(a, r, in.id, &insight))
		return;
	cause = insight.root_cause ? insight.root_cause->name : SV("");
	e = traces_map(a->traces, &r->caller.scope, in.start.ns, in.end.ns,
		       &graph);
	if (e) {
		xray_map_failed(r, e);
		return;
	}
	xray_question_begin(&b, r);
	xray_question_text(&b, in.id);
	q.hash = xray_question_end(&b);
	q.token = in.token;
	e = xray_services_page(&graph, &q, &r->arena, &page);
	if (!e)
		e = make_impact(&page, cause, &r->arena, &out);
	if (e) {
		xray_map_failed(r, e);
	} else {
		out.id = insight.id;
		out.start = out.graph_start = in.start;
		out.end = out.graph_end = in.end;
		out.token = page.next_token;
		answer_write(r, &insight_graph_output_shape, &out);
	}
	graph_fini(&graph);
}
