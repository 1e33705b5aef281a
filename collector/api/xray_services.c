/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/xray_services.h"

#include <stdlib.h>

#include "core/base/hash.h"
#include "core/sys/env.h"

enum {
	TOKEN_HEAD = 16, /* bytes: the question's hash, the account */
	TOKEN_KEY_MAX = 2 * GRAPH_NAME_MAX + 2,
};

struct group {
	uint32_t *items; /* indexes, those of one owner side by side */
	uint32_t *first; /* of an owner's in items; one more than owners */
};

/* One answer being made. */
struct page {
	const struct graph *g;
	const struct xray_question *q;
	struct arena *arena;
	uint32_t *order; /* of nodes that are there, by key */
	uint32_t count;
	int32_t *ids; /* ReferenceIds, by node */
	struct group edges, aliases;
	struct sv account;
};

/* --- order, and numbers ------------------------------------------------------ */

static int compare_nodes(const struct graph_node *a, const struct graph_node *b)
{
	int order = sv_cmp(a->name, b->name);

	if (!order)
		order = sv_cmp(a->type, b->type);
	if (order)
		return order;
	return a->account < b->account ? -1 : a->account > b->account;
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
	uint64_t h = hash64(n->name) * 31 + hash64(n->type) + n->account;

	return (int32_t)((h ^ h >> 32) & INT32_MAX);
}

/* Two services whose hash is the same are told apart by the order of keys. */
static int number(struct page *p)
{
	const struct graph *g = p->g;
	size_t size = (size_t)g->node_count + 1;
	uint32_t *sorted = arena_array(p->arena, size, sizeof(*sorted));

	p->order = arena_array(p->arena, size, sizeof(*p->order));
	p->ids = arena_array(p->arena, size, sizeof(*p->ids));
	if (!p->order || !p->ids || !sorted)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->node_count; i++) {
		if (!g->nodes[i].there)
			continue;
		p->ids[i] = id_of(&g->nodes[i]);
		p->order[p->count++] = i;
	}
	qsort_r(p->order, p->count, sizeof(*p->order), by_key,
		(void *)(uintptr_t)g);
	memcpy(sorted, p->order, p->count * sizeof(*sorted));
	qsort_r(sorted, p->count, sizeof(*sorted), by_id, p);
	for (uint32_t i = 1; i < p->count; i++)
		if (p->ids[sorted[i]] <= p->ids[sorted[i - 1]] &&
		    p->ids[sorted[i - 1]] < INT32_MAX)
			p->ids[sorted[i]] = p->ids[sorted[i - 1]] + 1;
	return 0;
}

static uint32_t owner_of(const struct graph *g, bool aliases, uint32_t i)
{
	return aliases ? g->aliases[i].edge : g->edges[i].from;
}

static bool is_there(const struct graph *g, bool aliases, uint32_t i)
{
	return aliases ? g->aliases[i].stats.seen : g->edges[i].stats.seen;
}

/* Edges by the node they leave, aliases by their edge: a counting sort. */
static int group_by_owner(const struct page *p, bool aliases, struct group *out)
{
	const struct graph *g = p->g;
	size_t owners = aliases ? g->edge_count : g->node_count;
	uint32_t count = aliases ? g->alias_count : g->edge_count;
	uint32_t *at = arena_array(p->arena, owners + 1, sizeof(*at));

	out->first = arena_array(p->arena, owners + 1, sizeof(*out->first));
	out->items =
		arena_array(p->arena, (size_t)count + 1, sizeof(*out->items));
	if (!out->first || !at || !out->items)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < count; i++)
		if (is_there(g, aliases, i))
			out->first[owner_of(g, aliases, i) + 1]++;
	for (size_t i = 0; i < owners; i++)
		out->first[i + 1] += out->first[i];
	memcpy(at, out->first, (owners + 1) * sizeof(*at));
	for (uint32_t i = 0; i < count; i++)
		if (is_there(g, aliases, i))
			out->items[at[owner_of(g, aliases, i)]++] = i;
	return 0;
}

/* --- tokens ------------------------------------------------------------------- */

static struct sv token_make(uint64_t question, const struct graph_node *next,
			    struct arena *arena)
{
	size_t bytes = TOKEN_HEAD + next->name.len + 1 + next->type.len;
	uint8_t *raw = arena_alloc(arena, bytes);
	char *text = arena_alloc(arena, 2 * bytes + 1);

	if (!raw || !text)
		return (struct sv){ NULL, 0 };
	put_le64(raw, question);
	put_le64(raw + 8, next->account);
	memcpy(raw + TOKEN_HEAD, next->name.ptr, next->name.len);
	raw[TOKEN_HEAD + next->name.len] = '\0';
	if (next->type.len)
		memcpy(raw + TOKEN_HEAD + next->name.len + 1, next->type.ptr,
		       next->type.len);
	hex_from(text, raw, bytes);
	return sv_make(text, 2 * bytes);
}

/* *start: where in order the page begins. */
static int token_read(const struct page *p, uint32_t *start)
{
	struct sv token = p->q->token;
	struct graph_node next = { 0 };
	size_t bytes = token.len / 2;
	struct sv key;
	uint8_t *raw;

	*start = 0;
	if (!token.ptr)
		return 0;
	if (token.len % 2 || bytes < TOKEN_HEAD ||
	    bytes > TOKEN_HEAD + TOKEN_KEY_MAX)
		return ERR_INVALID;
	raw = arena_alloc(p->arena, bytes);
	if (!raw)
		return ERR_NOMEM;
	if (!sv_to_hex(token, raw, bytes) || get_le64(raw) != p->q->hash)
		return ERR_INVALID;
	next.account = get_le64(raw + 8);
	key = sv_make((const char *)raw + TOKEN_HEAD, bytes - TOKEN_HEAD);
	next.name = sv_cut(&key, '\0');
	next.type = key;
	while (*start < p->count &&
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

struct xray_histogram_entry *xray_histogram_of(const struct graph_histogram *h,
					       struct arena *arena)
{
	struct xray_histogram_entry *items =
		arena_array(arena, (size_t)h->used + 1, sizeof(*items));

	for (unsigned i = 0; items && i < h->used; i++)
		items[i] = (struct xray_histogram_entry){
			.value = { (double)graph_step_ns(
					   graph_bucket_step(h->items[i])) /
					   1e9,
				   true },
			.count = { graph_bucket_count(h->items[i]), true },
		};
	return items;
}

/* As far as it is known. */
static void put_times(const struct page *p, const struct graph_stats *s,
		      struct shape_time *start, struct shape_time *end)
{
	const struct xray_question *q = p->q;
	int64_t first = s->first_ns, last = s->last_ns;

	if (!s->seen || !first)
		return;
	if (q->end_ns && first < q->start_ns)
		first = q->start_ns;
	if (q->end_ns && last > q->end_ns)
		last = q->end_ns;
	*start = (struct shape_time){ first, true };
	*end = (struct shape_time){ last < first ? first : last, true };
}

static struct sv absent_if_empty(struct sv text)
{
	return text.len ? text : (struct sv){ NULL, 0 };
}

static int put_aliases(const struct page *p, uint32_t edge,
		       struct xray_edge *out)
{
	const struct graph *g = p->g;
	struct sv type = absent_if_empty(g->nodes[g->edges[edge].to].type);
	uint32_t from = p->aliases.first[edge], to = p->aliases.first[edge + 1];

	out->aliases.set = true;
	out->aliases.items = arena_array(p->arena, (size_t)(to - from) + 1,
					 sizeof(*out->aliases.items));
	if (!out->aliases.items)
		return ERR_NOMEM;
	for (uint32_t i = from; i < to; i++) {
		const struct graph_alias *a = &g->aliases[p->aliases.items[i]];
		struct sv *names = arena_new(p->arena, struct sv);

		if (!names)
			return ERR_NOMEM;
		*names = a->name;
		out->aliases.items[out->aliases.count++] = (struct xray_alias){
			.name = a->name,
			.names = { names, 1, true },
			.type = type,
		};
	}
	return 0;
}

static int put_edge(const struct page *p, uint32_t number,
		    struct xray_edge *out)
{
	const struct graph_edge *edge = &p->g->edges[number];
	const struct graph_histogram *times = &edge->stats.times;
	struct xray_histogram_entry *items = xray_histogram_of(times, p->arena);

	*out = (struct xray_edge){
		.reference_id = { p->ids[edge->to], true },
		.statistics = xray_statistics_of(&edge->stats, p->arena),
	};
	if (!out->statistics || !items)
		return ERR_NOMEM;
	put_times(p, &edge->stats, &out->start_time, &out->end_time);
	if (edge->link) {
		out->type = SV("link");
		out->ages.items = items;
		out->ages.count = times->used;
		out->ages.set = true;
		/* A message has an age and no response. */
		out->statistics->total_response_time.set = false;
	} else {
		out->response_times.items = items;
		out->response_times.count = times->used;
		out->response_times.set = true;
	}
	return put_aliases(p, number, out);
}

static int put_histograms(const struct page *p, const struct graph_stats *s,
			  struct xray_service *out)
{
	struct graph_histogram durations;
	int e = graph_durations(s, &durations);

	if (e)
		return e;
	out->response_times.items = xray_histogram_of(&s->times, p->arena);
	out->response_times.count = s->times.used;
	out->response_times.set = true;
	out->durations.items = xray_histogram_of(&durations, p->arena);
	out->durations.count = durations.used;
	out->durations.set = true;
	free(durations.items);
	return out->durations.items && out->response_times.items ? 0 :
								   ERR_NOMEM;
}

static struct sv account_of(const struct page *p, const struct graph_node *n)
{
	char text[24];

	if (!n->account)
		return p->account;
	snprintf(text, sizeof(text), "%012llu", (unsigned long long)n->account);
	return arena_copy(p->arena, sv_from(text));
}

/* What a service says of itself; of a client only its calls are known. */
static int put_own(const struct page *p, const struct graph_node *n,
		   struct xray_service *out)
{
	out->statistics = xray_statistics_of(&n->stats, p->arena);
	if (!out->statistics)
		return ERR_NOMEM;
	return put_histograms(p, &n->stats, out);
}

static int put_service(const struct page *p, uint32_t node,
		       struct xray_service *out)
{
	const struct graph_node *n = &p->g->nodes[node];
	uint32_t from = p->edges.first[node], to = p->edges.first[node + 1];
	struct sv *names = arena_new(p->arena, struct sv);
	bool client = sv_eq(n->type, SV("client"));
	int e;

	*out = (struct xray_service){
		.reference_id = { p->ids[node], true },
		.name = n->name,
		.names = { names, 1, true },
		.root = { n->root, true },
		.account_id = account_of(p, n),
		.type = absent_if_empty(n->type),
		.state = client || n->inferred ? SV("unknown") : SV("active"),
		.edges = { arena_array(p->arena, (size_t)(to - from) + 1,
				       sizeof(*out->edges.items)),
			   to - from, true },
	};
	if (!names || !out->edges.items || !out->account_id.ptr)
		return ERR_NOMEM;
	names[0] = n->name;
	put_times(p, &n->stats, &out->start_time, &out->end_time);
	e = client ? 0 : put_own(p, n, out);
	for (uint32_t i = from; i < to && !e; i++)
		e = put_edge(p, p->edges.items[i], &out->edges.items[i - from]);
	return e;
}

int xray_services_page(const struct graph *g, const struct xray_question *q,
		       struct arena *arena, struct xray_services *out)
{
	struct page p = { .g = g, .q = q, .arena = arena };
	char account[24];
	uint32_t start;
	int e;

	*out = (struct xray_services){ 0 };
	snprintf(account, sizeof(account), "%012llu",
		 (unsigned long long)q->scope->account);
	p.account = arena_copy(arena, sv_from(account));
	if (!p.account.ptr)
		return ERR_NOMEM;
	e = number(&p);
	if (!e)
		e = group_by_owner(&p, false, &p.edges);
	if (!e)
		e = group_by_owner(&p, true, &p.aliases);
	if (!e)
		e = token_read(&p, &start);
	if (e)
		return e;
	out->items =
		arena_array(arena, XRAY_SERVICES_PAGE, sizeof(*out->items));
	if (!out->items)
		return ERR_NOMEM;
	for (uint32_t i = start; i < p.count && !e; i++) {
		if (out->count == XRAY_SERVICES_PAGE) {
			out->next_token = token_make(
				q->hash, &g->nodes[p.order[i]], arena);
			return out->next_token.ptr ? 0 : ERR_NOMEM;
		}
		e = put_service(&p, p.order[i], &out->items[out->count++]);
	}
	return e;
}
