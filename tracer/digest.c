/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/digest.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/hash.h"

static bool has_text(const struct sv *texts, size_t count, struct sv text)
{
	for (size_t i = 0; i < count; i++)
		if (sv_eq(texts[i], text))
			return true;
	return false;
}

bool trace_summary_has_name(const struct trace_summary *s, struct sv name)
{
	return has_text(s->names, s->name_count, name);
}

/* Adds text to a list of at most max, once. */
static void add_text(struct sv *texts, size_t *count, size_t max,
		     struct sv text)
{
	if (text.len && text.len <= REQUEST_ID_MAX + SEGMENT_NAME_MAX * 4 &&
	    *count < max && !has_text(texts, *count, text))
		texts[(*count)++] = text;
}

int trace_summarise(const struct assembly *a, const uint8_t id[TRACE_ID_SIZE],
		    struct arena *arena, struct trace_summary *out)
{
	struct sv *ids =
		arena_array(arena, TRACES_SUMMARY_IDS_MAX, sizeof(*ids));
	struct sv *names =
		arena_array(arena, TRACES_SUMMARY_NAMES_MAX, sizeof(*names));

	if (!ids || !names)
		return ERR_NOMEM;
	*out = (struct trace_summary){ .start_ns = a->start_ns,
				       .end_ns = a->end_ns,
				       .status = a->status,
				       .partial = a->partial,
				       .root = SV(""),
				       .request_ids = ids,
				       .names = names };
	memcpy(out->id, id, TRACE_ID_SIZE);
	if (a->root != SPAN_NONE)
		out->root = a->spans[a->root].segment.name;
	for (int sub = 0; sub < 2; sub++) {
		for (uint32_t i = 0; i < a->count; i++) {
			const struct segment *s = &a->spans[i].segment;

			if (s->subsegment != sub)
				continue;
			if (s->request_id.len <= REQUEST_ID_MAX)
				add_text(ids, &out->request_id_count,
					 TRACES_SUMMARY_IDS_MAX, s->request_id);
			if (!sub)
				add_text(names, &out->name_count,
					 TRACES_SUMMARY_NAMES_MAX, s->name);
		}
	}
	return 0;
}

static int copy_texts(const struct sv *texts, size_t count, struct arena *arena,
		      const struct sv **out)
{
	struct sv *copy = arena_array(arena, count, sizeof(*copy));

	if (!copy)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		copy[i] = arena_copy(arena, texts[i]);
		if (!copy[i].ptr)
			return ERR_NOMEM;
	}
	*out = copy;
	return 0;
}

int trace_summary_copy(const struct trace_summary *s, struct arena *arena,
		       struct trace_summary *out)
{
	int e;

	*out = *s;
	out->root = arena_copy(arena, s->root);
	if (!out->root.ptr)
		return ERR_NOMEM;
	e = copy_texts(s->request_ids, s->request_id_count, arena,
		       &out->request_ids);
	return e ? e : copy_texts(s->names, s->name_count, arena, &out->names);
}

/* Calls as they come, in scratch, before they are packed. */
struct gather {
	struct arena *arena;
	struct digest_node *nodes;
	struct digest_call *calls;
	uint32_t *table; /* node index + 1; 0: free; at most half full */
	uint32_t mask;
	size_t node_count, node_cap, call_count, call_cap;
	int64_t time_ns_max;
	int err;
};

static uint32_t gather_node(struct gather *g, struct sv name, struct sv type,
			    uint64_t account)
{
	uint32_t at = (uint32_t)(hash64(name) * 31 + hash64(type)) & g->mask;

	for (; g->table[at]; at = (at + 1) & g->mask) {
		const struct digest_node *n = &g->nodes[g->table[at] - 1];

		if (sv_eq(n->name, name) && sv_eq(n->type, type) &&
		    n->account == account)
			return g->table[at] - 1;
	}
	if (g->node_count == g->node_cap)
		return DIGEST_NO_NODE;
	g->nodes[g->node_count] = (struct digest_node){ name, type, account };
	g->table[at] = (uint32_t)++g->node_count;
	return (uint32_t)g->node_count - 1;
}

static bool gather_room(struct gather *g)
{
	size_t cap = g->call_cap ? g->call_cap * 2 : 32;
	struct digest_call *calls;

	if (g->call_count < g->call_cap)
		return true;
	calls = arena_array(g->arena, cap, sizeof(*calls));
	if (!calls)
		return false;
	if (g->call_count)
		memcpy(calls, g->calls, g->call_count * sizeof(*calls));
	g->calls = calls;
	g->call_cap = cap;
	return true;
}

static void gather_call(void *arg, const struct graph_call *c)
{
	struct gather *g = arg;
	uint32_t from = DIGEST_NO_NODE, to, alias = DIGEST_NO_NODE;

	if (!gather_room(g)) {
		g->err = ERR_NOMEM;
		return;
	}
	if (c->from_name.ptr) {
		from = gather_node(g, c->from_name, c->from_type,
				   c->from_account);
		if (from == DIGEST_NO_NODE)
			return; /* over the map's own limit of nodes */
	}
	to = gather_node(g, c->to_name, c->to_type, c->to_account);
	if (to == DIGEST_NO_NODE)
		return;
	if (c->alias.len)
		alias = gather_node(g, c->alias, SV(""), 0);
	if (c->time_ns > g->time_ns_max)
		g->time_ns_max = c->time_ns;
	g->calls[g->call_count++] = (struct digest_call){
		.time_ns = c->time_ns,
		.duration_ns = c->duration_ns,
		.work_ns = c->work_ns,
		.from = from,
		.to = to,
		.alias = alias,
		.status = (uint8_t)c->status,
		.root = c->root,
		.inferred = c->inferred,
		.link = c->link,
		.counted = c->counted,
		.untimed = c->untimed,
	};
}

static size_t texts_bytes(const struct sv *texts, size_t count)
{
	size_t bytes = count * sizeof(*texts);

	for (size_t i = 0; i < count; i++)
		bytes += texts[i].len;
	return bytes;
}

static size_t packed_bytes(const struct trace_summary *s,
			   const struct gather *g)
{
	size_t bytes = sizeof(struct digest) + s->root.len +
		       texts_bytes(s->request_ids, s->request_id_count) +
		       texts_bytes(s->names, s->name_count) +
		       g->call_count * sizeof(*g->calls) +
		       g->node_count * sizeof(*g->nodes);

	for (size_t i = 0; i < g->node_count; i++)
		bytes += g->nodes[i].name.len + g->nodes[i].type.len;
	return bytes;
}

/* Structures are laid down from the front, text behind all of them. */
static void *lay(char **at, const void *items, size_t count, size_t size)
{
	char *place = *at;

	if (count)
		memcpy(place, items, count * size);
	*at += count * size;
	return place;
}

static void lay_text(char **at, struct sv *text)
{
	text->ptr = lay(at, text->ptr, text->len, 1);
}

static struct digest *pack(const struct trace_summary *s,
			   const struct gather *g)
{
	size_t bytes = packed_bytes(s, g);
	char *memory = malloc(bytes), *at = memory;
	struct digest head = { .summary = *s,
			       .node_count = g->node_count,
			       .call_count = g->call_count,
			       .time_ns_max = g->time_ns_max,
			       .bytes = bytes };
	struct digest *d;
	struct digest_node *nodes;
	struct sv *ids, *names;

	if (!memory)
		return NULL;
	d = lay(&at, &head, 1, sizeof(head));
	d->calls = lay(&at, g->calls, g->call_count, sizeof(*g->calls));
	nodes = lay(&at, g->nodes, g->node_count, sizeof(*nodes));
	ids = lay(&at, s->request_ids, s->request_id_count, sizeof(*ids));
	names = lay(&at, s->names, s->name_count, sizeof(*names));
	lay_text(&at, &d->summary.root);
	for (size_t i = 0; i < g->node_count; i++) {
		lay_text(&at, &nodes[i].name);
		lay_text(&at, &nodes[i].type);
	}
	for (size_t i = 0; i < s->request_id_count; i++)
		lay_text(&at, &ids[i]);
	for (size_t i = 0; i < s->name_count; i++)
		lay_text(&at, &names[i]);
	assert(at == memory + bytes);
	d->nodes = nodes;
	d->summary.request_ids = ids;
	d->summary.names = names;
	return d;
}

/* A span makes four names at most: its own, the client's of a root, a link's,
 * an alias. */
static int gather_open(struct gather *g, const struct assembly *a)
{
	size_t cap = 8;

	while (cap < (size_t)a->count * 4 && cap < GRAPH_NODES_MAX)
		cap *= 2;
	*g = (struct gather){
		.arena = a->arena,
		.nodes = arena_array(a->arena, cap, sizeof(*g->nodes)),
		.table = arena_array(a->arena, 2 * cap, sizeof(*g->table)),
		.mask = (uint32_t)(2 * cap - 1),
		.node_cap = cap,
		.time_ns_max = INT64_MIN,
	};
	return g->nodes && g->table ? 0 : ERR_NOMEM;
}

int digest_make(struct digest **out, const struct assembly *a,
		const uint8_t id[TRACE_ID_SIZE])
{
	struct trace_summary summary;
	struct gather g;
	int e = trace_summarise(a, id, a->arena, &summary);

	if (!e)
		e = gather_open(&g, a);
	if (e)
		return e;
	graph_calls(a, gather_call, &g);
	if (g.err)
		return g.err;
	*out = pack(&summary, &g);
	return *out ? 0 : ERR_NOMEM;
}

struct graph_call digest_call(const struct digest *d, size_t i)
{
	const struct digest_call *c = &d->calls[i];
	struct graph_call call = {
		.time_ns = c->time_ns,
		.duration_ns = c->duration_ns,
		.work_ns = c->work_ns,
		.to_name = d->nodes[c->to].name,
		.to_type = d->nodes[c->to].type,
		.to_account = d->nodes[c->to].account,
		.status = (enum segment_status)c->status,
		.root = c->root,
		.inferred = c->inferred,
		.link = c->link,
		.counted = c->counted,
		.untimed = c->untimed,
	};

	if (c->from != DIGEST_NO_NODE) {
		call.from_name = d->nodes[c->from].name;
		call.from_type = d->nodes[c->from].type;
		call.from_account = d->nodes[c->from].account;
	}
	if (c->alias != DIGEST_NO_NODE)
		call.alias = d->nodes[c->alias].name;
	return call;
}
