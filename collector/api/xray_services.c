/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/xray_services.h"

#include <stdlib.h>

#include "core/base/hash.h"

enum {
	TOKEN_QUESTION = 16, /* hex digits of the question's hash */
	TOKEN_KEY_MAX = 2 * GRAPH_NAME_MAX + 2,
};

/* One answer being made. */
struct page {
	const struct graph *g;
	struct arena *arena;
	uint32_t *order; /* of nodes, by key */
	int32_t *ids;    /* ReferenceIds, by node */
	uint32_t *edges; /* in order of their first node */
	uint32_t *first; /* index in edges of a node's first; one more */
	struct sv account;
};

static bool set_text(struct sv *to, struct arena *arena, const char *text)
{
	*to = arena_copy(arena, sv_from(text));
	return to->ptr != NULL;
}

/* --- order, and numbers ------------------------------------------------------ */

static int compare_nodes(const struct graph_node *a, const struct graph_node *b)
{
	int order = sv_cmp(a->name, b->name);

	return order ? order : sv_cmp(a->type, b->type);
}

static int by_key(const void *left, const void *right, void *arg)
{
	const struct graph *g = arg;
	const uint32_t *a = left, *b = right;

	return compare_nodes(&g->nodes[*a], &g->nodes[*b]);
}

static int by_id(const void *left, const void *right, void *arg)
{
	const struct page *p = arg;
	const uint32_t *a = left, *b = right;
	int32_t x = p->ids[*a], y = p->ids[*b];

	return x != y ? (x < y ? -1 : 1) : *a < *b ? -1 : *a > *b;
}

static int32_t id_of(const struct graph_node *n)
{
	uint64_t h = hash64(n->name) * 31 + hash64(n->type);

	return (int32_t)((h ^ h >> 32) & INT32_MAX);
}

/* Two services whose hash is the same are told apart by the order of keys. */
static int number(struct page *p)
{
	uint32_t count = p->g->node_count;
	uint32_t *sorted = arena_array(p->arena, count + 1, sizeof(*sorted));

	p->order = arena_array(p->arena, count + 1, sizeof(*p->order));
	p->ids = arena_array(p->arena, count + 1, sizeof(*p->ids));
	if (!p->order || !p->ids || !sorted)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < count; i++)
		p->order[i] = i;
	qsort_r(p->order, count, sizeof(*p->order), by_key,
		(void *)(uintptr_t)p->g);
	for (uint32_t i = 0; i < count; i++) {
		sorted[i] = p->order[i];
		p->ids[i] = id_of(&p->g->nodes[i]);
	}
	qsort_r(sorted, count, sizeof(*sorted), by_id, p);
	for (uint32_t i = 1; i < count; i++)
		if (p->ids[sorted[i]] <= p->ids[sorted[i - 1]] &&
		    p->ids[sorted[i - 1]] < INT32_MAX)
			p->ids[sorted[i]] = p->ids[sorted[i - 1]] + 1;
	return 0;
}

/* Edges by the node they leave: a counting sort. */
static int group_edges(struct page *p)
{
	const struct graph *g = p->g;
	uint32_t *at;

	p->first = arena_array(p->arena, g->node_count + 1, sizeof(*p->first));
	at = arena_array(p->arena, g->node_count + 1, sizeof(*at));
	p->edges = arena_array(p->arena, g->edge_count + 1, sizeof(*p->edges));
	if (!p->first || !at || !p->edges)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->edge_count; i++)
		p->first[g->edges[i].from + 1]++;
	for (uint32_t i = 0; i < g->node_count; i++)
		p->first[i + 1] += p->first[i];
	memcpy(at, p->first, (g->node_count + 1) * sizeof(*at));
	for (uint32_t i = 0; i < g->edge_count; i++)
		p->edges[at[g->edges[i].from]++] = i;
	return 0;
}

/* --- tokens ------------------------------------------------------------------- */

static struct sv token_make(uint64_t question, const struct graph_node *next,
			    struct arena *arena)
{
	size_t bytes = 8 + next->name.len + 1 + next->type.len;
	uint8_t *raw = arena_alloc(arena, bytes);
	char *text = arena_alloc(arena, 2 * bytes + 1);

	if (!raw || !text)
		return (struct sv){ NULL, 0 };
	put_le64(raw, question);
	memcpy(raw + 8, next->name.ptr, next->name.len);
	raw[8 + next->name.len] = '\0';
	memcpy(raw + 9 + next->name.len, next->type.ptr, next->type.len);
	hex_from(text, raw, bytes);
	return sv_make(text, 2 * bytes);
}

/* *start: where in order the page begins. */
static int token_read(const struct page *p, uint64_t question, struct sv token,
		      uint32_t *start)
{
	struct graph_node next = { 0 };
	size_t bytes = token.len / 2;
	struct sv key;
	uint8_t *raw;

	*start = 0;
	if (!token.ptr)
		return 0;
	if (token.len % 2 || token.len < TOKEN_QUESTION ||
	    token.len > TOKEN_QUESTION + 2 * (size_t)TOKEN_KEY_MAX)
		return ERR_INVALID;
	raw = arena_alloc(p->arena, bytes);
	if (!raw)
		return ERR_NOMEM;
	if (!sv_to_hex(token, raw, bytes) || get_le64(raw) != question)
		return ERR_INVALID;
	key = sv_make((const char *)raw + 8, bytes - 8);
	next.name = sv_cut(&key, '\0');
	next.type = key;
	while (*start < p->g->node_count &&
	       compare_nodes(&p->g->nodes[p->order[*start]], &next) < 0)
		++*start;
	return 0;
}

/* --- one service ----------------------------------------------------------------- */

static struct shape_integer count_of(uint64_t n)
{
	return (struct shape_integer){ n > INT64_MAX ? INT64_MAX : (int64_t)n,
				       true };
}

struct xray_statistics *xray_statistics_of(const struct graph_stats *s,
					   struct arena *arena)
{
	struct xray_statistics *out = arena_array(arena, 1, sizeof(*out));
	struct xray_error_statistics *error =
		arena_array(arena, 1, sizeof(*error));
	struct xray_fault_statistics *fault =
		arena_array(arena, 1, sizeof(*fault));

	if (!out || !error || !fault)
		return NULL;
	*error = (struct xray_error_statistics){
		.throttle = count_of(s->throttle),
		.other = count_of(s->error),
		.total = count_of(s->throttle + s->error),
	};
	*fault = (struct xray_fault_statistics){
		.other = count_of(s->fault),
		.total = count_of(s->fault),
	};
	*out = (struct xray_statistics){
		.ok = count_of(s->ok),
		.error = error,
		.fault = fault,
		.total = count_of(graph_total(s)),
		.total_response_time = { (double)s->total_time_ns / 1e9, true },
	};
	return out;
}

static int put_edge(const struct page *p, const struct graph_edge *edge,
		    struct xray_edge *out)
{
	*out = (struct xray_edge){
		.reference_id = { p->ids[edge->to], true },
		.statistics = xray_statistics_of(&edge->stats, p->arena),
		.aliases = { .set = true },
	};
	return out->statistics ? 0 : ERR_NOMEM;
}

static int put_service(const struct page *p, uint32_t node,
		       struct xray_service *out)
{
	const struct graph_node *n = &p->g->nodes[node];
	uint32_t from = p->first[node], to = p->first[node + 1];
	struct sv *names = arena_array(p->arena, 1, sizeof(*names));
	bool client = sv_eq(n->type, SV("client"));
	int e = 0;

	*out = (struct xray_service){
		.reference_id = { p->ids[node], true },
		.name = n->name,
		.names = { names, 1, true },
		.root = { n->root, true },
		.account_id = p->account,
		.type = n->type.len ? n->type : (struct sv){ NULL, 0 },
		.state = client || n->inferred ? SV("unknown") : SV("active"),
		.edges = { arena_array(p->arena, to - from + 1,
				       sizeof(*out->edges.items)),
			   to - from, true },
	};
	if (!names || !out->edges.items)
		return ERR_NOMEM;
	names[0] = n->name;
	if (!client) {
		out->statistics = xray_statistics_of(&n->stats, p->arena);
		if (!out->statistics)
			return ERR_NOMEM;
	}
	for (uint32_t i = from; i < to && !e; i++)
		e = put_edge(p, &p->g->edges[p->edges[i]],
			     &out->edges.items[i - from]);
	return e;
}

int xray_services_page(const struct graph *g, const struct scope *scope,
		       uint64_t question, struct sv token, struct arena *arena,
		       struct xray_services *out)
{
	struct page p = { .g = g, .arena = arena };
	char account[16];
	uint32_t start;
	int e;

	*out = (struct xray_services){ 0 };
	snprintf(account, sizeof(account), "%012llu",
		 (unsigned long long)scope->account);
	if (!set_text(&p.account, arena, account))
		return ERR_NOMEM;
	e = number(&p);
	if (!e)
		e = group_edges(&p);
	if (!e)
		e = token_read(&p, question, token, &start);
	if (e)
		return e;
	out->items =
		arena_array(arena, XRAY_SERVICES_PAGE, sizeof(*out->items));
	if (!out->items)
		return ERR_NOMEM;
	for (uint32_t i = start; i < g->node_count && !e; i++) {
		if (out->count == XRAY_SERVICES_PAGE) {
			out->next_token = token_make(
				question, &g->nodes[p.order[i]], arena);
			return out->next_token.ptr ? 0 : ERR_NOMEM;
		}
		e = put_service(&p, p.order[i], &out->items[out->count++]);
	}
	return e;
}
