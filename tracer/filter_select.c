/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/filter_select.h"

#include <stdio.h>
#include <strings.h>

#include "tracer/filter_match.h"

/* The place in question; from NULL: a node. */
struct place {
	const struct filter *filter;
	const struct graph_node_key *from, *to;
	uint64_t account;
};

static bool is_meant(const struct place *p, const struct filter_id *id,
		     const struct graph_node_key *node)
{
	uint64_t account = node->account ? node->account : p->account;
	char text[24];

	if (!id)
		return true;
	if (id->name.ptr && !sv_eq(id->name, node->name))
		return false;
	if (id->type.ptr && !sv_eq(id->type, node->type))
		return false;
	snprintf(text, sizeof(text), "%012llu", (unsigned long long)account);
	if (id->account.ptr && !sv_eq(id->account, sv_from(text)))
		return false;
	/* The client has the name of what it calls; only its type tells. */
	return id->type.ptr || !sv_eq(node->type, SV("client"));
}

/* Depth is that of the parsed expression, which is bounded. */
static bool selects(const struct place *p, uint32_t at)
{
	const struct filter_node *n = &p->filter->nodes[at];
	uint32_t child = n->child;

	switch ((enum filter_verb)n->verb) {
	case FILTER_AND:
		for (; child != FILTER_NONE;
		     child = p->filter->nodes[child].next)
			if (!selects(p, child))
				return false;
		return true;
	case FILTER_OR:
		for (; child != FILTER_NONE;
		     child = p->filter->nodes[child].next)
			if (selects(p, child))
				return true;
		return false;
	case FILTER_NOT:
		return !selects(p, child);
	case FILTER_SERVICE:
		return !p->from && is_meant(p, n->to, p->to);
	case FILTER_EDGES:
		return p->from && is_meant(p, n->from, p->from) &&
		       is_meant(p, n->to, p->to);
	default:
		return false;
	}
}

static int check(struct filter_selector *s, struct diag *diag)
{
	for (uint32_t i = 0; i < s->filter.count; i++) {
		const struct filter_node *n = &s->filter.nodes[i];

		switch ((enum filter_verb)n->verb) {
		case FILTER_AND:
		case FILTER_OR:
		case FILTER_NOT:
			continue;
		case FILTER_SERVICE:
			s->nodes = true;
			break;
		case FILTER_EDGES:
			s->edges = true;
			break;
		default:
			return diag_set(diag, ERR_SYNTAX,
					"a selector has service(), edge() and "
					"id() alone");
		}
		if (n->child != FILTER_NONE)
			return diag_set(diag, ERR_SYNTAX,
					"a selector has no block { } behind "
					"service() or edge()");
	}
	if (s->filter.count == 1 && s->nodes) {
		const struct filter_id *id = s->filter.nodes[0].to;

		s->one = id && id->name.ptr;
	}
	return 0;
}

int filter_selector_parse(struct filter_selector *s, struct sv text,
			  struct arena *arena, struct diag *diag)
{
	struct sv trimmed = sv_trim(text);
	int e;

	*s = (struct filter_selector){ 0 };
	if (trimmed.len > 2 && !strncasecmp(trimmed.ptr, "id(", 3)) {
		struct buf b = BUF_INIT;

		buf_format(&b, "service(%.*s)", SV_ARG(trimmed));
		text = b.failed ? (struct sv){ NULL, 0 } :
				  arena_copy(arena, buf_view(&b));
		buf_fini(&b);
		if (!text.ptr)
			return ERR_NOMEM;
	}
	e = filter_parse(&s->filter, text, NULL, arena, diag);
	return e ? e : check(s, diag);
}

bool filter_selects_node(const struct filter_selector *s,
			 const struct graph_node_key *node, uint64_t account)
{
	const struct place p = { .filter = &s->filter,
				 .to = node,
				 .account = account };

	return s->nodes && s->filter.count && selects(&p, s->filter.root);
}

bool filter_selects_edge(const struct filter_selector *s,
			 const struct graph_node_key *from,
			 const struct graph_node_key *to, uint64_t account)
{
	const struct place p = {
		.filter = &s->filter, .from = from, .to = to, .account = account
	};

	return s->edges && s->filter.count && selects(&p, s->filter.root);
}
