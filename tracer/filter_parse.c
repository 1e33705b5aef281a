/* SPDX-License-Identifier: Apache-2.0 */
/* Expression to tree, by recursive descent; depth is bounded. */
#include <assert.h>
#include <stdio.h>
#include <strings.h>

#include "tracer/filter_lex.h"

#define FILTER_PART_EDGE (FILTER_PART | FILTER_EDGE)

static uint32_t parse_expr(struct filter_parser *p, unsigned place);

/* --- the tree ------------------------------------------------------------------ */

static uint32_t add_node(struct filter_parser *p, enum filter_verb verb)
{
	if (p->count == FILTER_NODES_MAX)
		return filter_fail(p, p->at, ERR_LIMIT,
				   "the expression has more than 256 parts");
	if (p->count == p->cap) {
		uint32_t cap = p->cap ? p->cap * 2 : 8;
		struct filter_node *nodes =
			arena_array(p->arena, cap, sizeof(*nodes));

		if (!nodes)
			return filter_fail(p, p->at, ERR_NOMEM, "no memory");
		if (p->count)
			memcpy(nodes, p->nodes, p->count * sizeof(*nodes));
		p->nodes = nodes;
		p->cap = cap;
	}
	p->nodes[p->count] = (struct filter_node){ .verb = (uint8_t)verb,
						   .child = FILTER_NONE,
						   .next = FILTER_NONE };
	return p->count++;
}

/* A node of verb that holds child; FILTER_NONE after an error. */
static uint32_t wrap(struct filter_parser *p, enum filter_verb verb,
		     uint32_t child)
{
	uint32_t node = child == FILTER_NONE ? FILTER_NONE : add_node(p, verb);

	if (node != FILTER_NONE)
		p->nodes[node].child = child;
	return node;
}

static uint32_t negate_if(struct filter_parser *p, bool negate, uint32_t node)
{
	return negate ? wrap(p, FILTER_NOT, node) : node;
}

/* --- comparisons --------------------------------------------------------------- */

static void set_value(struct filter_node *node, struct sv value)
{
	node->value = value;
	node->is_number = filter_number(value, &node->number);
	node->is_true = filter_word_is(value, "true");
	node->is_false = filter_word_is(value, "false");
}

static const char *const expected_op[] = {
	[FILTER_BOOLEAN] = "= or !=",
	[FILTER_NUMBER] = "=, !=, <, <=, > or >=",
	[FILTER_TEXT] = "=, !=, CONTAINS, BEGINSWITH or ENDSWITH",
};

static bool op_fits(enum filter_op op, enum filter_kind kind)
{
	if (op == FILTER_EQ || op == FILTER_NE)
		return true;
	if (op >= FILTER_CONTAINS)
		return kind == FILTER_TEXT;
	return kind == FILTER_NUMBER;
}

/* The operator and value behind a keyword of this kind. */
static uint32_t parse_comparison(struct filter_parser *p, uint32_t node,
				 enum filter_kind kind)
{
	size_t at = filter_skip(p);
	enum filter_op op = filter_take_op(p);
	struct sv value;

	if (op == FILTER_SET)
		return kind == FILTER_NUMBER ?
			       filter_expected(p, at, expected_op[kind]) :
			       node;
	if (!op_fits(op, kind))
		return filter_expected(p, at, expected_op[kind]);
	at = filter_skip(p);
	if (!filter_take_value(p, &value))
		return FILTER_NONE;
	p->nodes[node].op = (uint8_t)op;
	set_value(&p->nodes[node], value);
	if (kind == FILTER_BOOLEAN && !p->nodes[node].is_true &&
	    !p->nodes[node].is_false)
		return filter_expected(p, at, "true or false");
	if (kind == FILTER_NUMBER && !p->nodes[node].is_number)
		return filter_expected(p, at, "a number");
	return node;
}

static uint32_t parse_keyword(struct filter_parser *p, size_t at,
			      enum filter_keyword keyword, unsigned place)
{
	uint32_t node;

	if (!(filter_keyword_places(keyword) & place))
		return filter_misplaced(p, at, keyword);
	node = add_node(p, FILTER_KEYWORD);
	if (node == FILTER_NONE)
		return FILTER_NONE;
	p->nodes[node].keyword = (uint8_t)keyword;
	return parse_comparison(p, node, filter_keyword_kind(keyword));
}

/* annotation.KEY or annotation[KEY]; an annotation may be of any kind. */
static uint32_t parse_annotation(struct filter_parser *p, size_t at,
				 struct sv key, unsigned place)
{
	enum filter_op op;
	uint32_t node;

	if (!(place & (FILTER_TRACE | FILTER_PART_EDGE)))
		return filter_fail(p, at, ERR_SYNTAX,
				   "annotations do not stand in the braces of "
				   "a root cause");
	if (!key.len && !filter_take_bracket(p, &key))
		return FILTER_NONE;
	node = add_node(p, FILTER_ANNOTATION);
	if (node == FILTER_NONE)
		return FILTER_NONE;
	p->nodes[node].key = key;
	filter_skip(p);
	op = filter_take_op(p);
	if (op != FILTER_SET) {
		struct sv value;

		at = filter_skip(p);
		if (!filter_take_value(p, &value))
			return FILTER_NONE;
		p->nodes[node].op = (uint8_t)op;
		set_value(&p->nodes[node], value);
		if (op >= FILTER_LT && op <= FILTER_GE &&
		    !p->nodes[node].is_number)
			return filter_expected(p, at, "a number");
	}
	return node;
}

/* --- service() and edge() ------------------------------------------------------ */

static bool parse_id_argument(struct filter_parser *p, struct filter_id *id)
{
	size_t at = filter_skip(p);
	struct sv name = filter_take_word(p), *to;

	to = filter_word_is(name, "name")       ? &id->name :
	     filter_word_is(name, "type")       ? &id->type :
	     filter_word_is(name, "account.id") ? &id->account :
						  NULL;
	if (!to) {
		(void)filter_expected(p, at, "name, type or account.id");
		return false;
	}
	return filter_expect(p, ':') && filter_take_value(p, to);
}

/* "name" or id(...). */
static const struct filter_id *parse_id(struct filter_parser *p)
{
	struct filter_id *id = arena_new(p->arena, struct filter_id);
	size_t at = filter_skip(p);

	if (!id) {
		(void)filter_fail(p, at, ERR_NOMEM, "no memory");
		return NULL;
	}
	if (!filter_word_is(filter_take_word(p), "id") ||
	    !filter_take(p, '(')) {
		p->at = at;
		return filter_take_value(p, &id->name) ? id : NULL;
	}
	do {
		if (!parse_id_argument(p, id))
			return NULL;
	} while (filter_take(p, ','));
	return filter_expect(p, ')') ? id : NULL;
}

/* { EXPRESSION }, whose last brace may be missing at the very end. */
static bool parse_block(struct filter_parser *p, uint32_t node, unsigned place)
{
	uint32_t child = parse_expr(p, place);

	if (child == FILTER_NONE)
		return false;
	p->nodes[node].child = child;
	filter_skip(p);
	return p->at == p->text.len || filter_expect(p, '}');
}

static uint32_t parse_service(struct filter_parser *p, bool edge)
{
	uint32_t node = add_node(p, edge ? FILTER_EDGES : FILTER_SERVICE);
	const struct filter_id *from = NULL, *to = NULL;

	if (node == FILTER_NONE || !filter_expect(p, '('))
		return FILTER_NONE;
	if (edge) {
		from = parse_id(p);
		if (!from || !filter_expect(p, ','))
			return FILTER_NONE;
	}
	if (edge || !filter_peek(p, ')')) {
		to = parse_id(p);
		if (!to)
			return FILTER_NONE;
	}
	if (!filter_expect(p, ')'))
		return FILTER_NONE;
	p->nodes[node].from = from;
	p->nodes[node].to = to;
	if (filter_take(p, '{') &&
	    !parse_block(p, node, edge ? FILTER_EDGE : FILTER_PART))
		return FILTER_NONE;
	return node;
}

/* --- root causes --------------------------------------------------------------- */

enum { CAUSES_ALL = (1 << ROOTCAUSE_KINDS) - 1 };

static uint32_t parse_cause_json(struct filter_parser *p, unsigned causes)
{
	uint32_t node = add_node(p, FILTER_CAUSE_JSON);
	size_t at = filter_skip(p);
	enum filter_op op;
	struct json json;

	if (node == FILTER_NONE)
		return FILTER_NONE;
	op = filter_take_op(p);
	if (op != FILTER_EQ && op != FILTER_NE)
		return filter_expected(p, at, "= or !=");
	if (!filter_take_json(p, &json))
		return FILTER_NONE;
	p->nodes[node].causes = (uint8_t)causes;
	p->nodes[node].json = json;
	return negate_if(p, op == FILTER_NE, node);
}

static uint32_t parse_cause(struct filter_parser *p, size_t at, struct sv word)
{
	struct sv rest = word, kind, list;
	unsigned causes = CAUSES_ALL, place;
	uint32_t node;

	(void)sv_cut(&rest, '.'); /* rootcause */
	kind = sv_cut(&rest, '.');
	list = rest;
	if (filter_word_is(kind, "json") && !list.len)
		return parse_cause_json(p, causes);
	causes = filter_word_is(kind, "fault")        ? 1u << ROOTCAUSE_FAULT :
		 filter_word_is(kind, "error")        ? 1u << ROOTCAUSE_ERROR :
		 filter_word_is(kind, "responsetime") ? 1u << ROOTCAUSE_SLOW :
							0;
	if (causes && filter_word_is(list, "json"))
		return parse_cause_json(p, causes);
	place = filter_word_is(list, "service")   ? FILTER_SERVICES :
		filter_word_is(list, "exception") ? FILTER_EXCEPTIONS :
		!filter_word_is(list, "entity")   ? 0u :
		causes == 1u << ROOTCAUSE_SLOW    ? FILTER_SLOW :
						    FILTER_ENTITIES;
	if (!causes || !place)
		return filter_expected(p, at,
				       "rootcause.json, or rootcause. and "
				       "fault, error or responsetime, and "
				       "service, entity, exception or json");
	node = add_node(p, FILTER_CAUSE);
	if (node == FILTER_NONE || !filter_expect(p, '{') ||
	    !parse_block(p, node, place))
		return FILTER_NONE;
	p->nodes[node].causes = (uint8_t)causes;
	p->nodes[node].place = (uint8_t)place;
	return node;
}

/* --- groups -------------------------------------------------------------------- */

/* The expression of a group stands in the place of its name. */
static uint32_t parse_group(struct filter_parser *p, size_t at, bool by_name)
{
	static const struct sv none = { NULL, 0 };
	struct sv name = SV(""), text, outer = p->text;
	size_t op_at = filter_skip(p), value_at;
	enum filter_op op = filter_take_op(p);
	uint32_t node;

	if (op != FILTER_EQ && op != FILTER_NE)
		return filter_expected(p, op_at, "= or !=");
	value_at = filter_skip(p);
	if (!filter_take_value(p, &name))
		return FILTER_NONE;
	if (!p->groups || !p->groups->find ||
	    !p->groups->find(p->groups->arg, by_name ? name : none,
			     by_name ? none : name, &text))
		return filter_fail(p, value_at, ERR_NOT_FOUND,
				   "there is no such group");
	if (p->group_depth == FILTER_GROUPS_MAX)
		return filter_fail(p, at, ERR_LIMIT,
				   "groups refer to groups too often");
	op_at = p->at;
	p->text = text;
	p->at = 0;
	if (!p->group_depth++)
		p->group_at = at;
	node = sv_trim(text).len ? parse_expr(p, FILTER_TRACE) :
				   add_node(p, FILTER_AND);
	if (node != FILTER_NONE && filter_skip(p) != p->text.len)
		node = filter_expected(p, p->at, "AND, OR or the end");
	p->group_depth--;
	p->text = outer;
	p->at = op_at;
	return negate_if(p, op == FILTER_NE, node);
}

/* --- expressions --------------------------------------------------------------- */

static uint32_t parse_word(struct filter_parser *p, unsigned place)
{
	static const char annotation[] = "annotation";
	const size_t prefix = sizeof(annotation) - 1;
	size_t at = filter_skip(p);
	struct sv word = filter_take_word(p);
	enum filter_keyword keyword = filter_keyword_find(word);
	bool service = filter_word_is(word, "service");

	if (keyword != FILTER_KEYWORDS)
		return parse_keyword(p, at, keyword, place);
	if (filter_word_is(word, annotation))
		return parse_annotation(p, at, SV(""), place);
	if (word.len > prefix + 1 && word.ptr[prefix] == '.' &&
	    !strncasecmp(word.ptr, annotation, prefix))
		return parse_annotation(p, at,
					sv_make(word.ptr + prefix + 1,
						word.len - prefix - 1),
					place);
	if (!service && !filter_word_is(word, "edge") &&
	    !filter_word_is(word, "group.name") &&
	    !filter_word_is(word, "group.arn") &&
	    !(word.len >= 9 && !strncasecmp(word.ptr, "rootcause", 9)))
		return filter_expected(p, at, "a keyword");
	if (place != FILTER_TRACE)
		return filter_fail(p, at, ERR_SYNTAX,
				   "service, edge, group and rootcause do not "
				   "stand in braces");
	if (service || filter_word_is(word, "edge"))
		return parse_service(p, !service);
	if (word.ptr[0] == 'g' || word.ptr[0] == 'G')
		return parse_group(p, at, filter_word_is(word, "group.name"));
	return parse_cause(p, at, word);
}

static uint32_t parse_unary(struct filter_parser *p, unsigned place)
{
	uint32_t node;

	if (filter_take(p, '!')) {
		if (p->depth == FILTER_DEPTH_MAX)
			return filter_fail(p, p->at, ERR_LIMIT,
					   "nested too deep");
		p->depth++;
		node = parse_unary(p, place);
		p->depth--;
		return wrap(p, FILTER_NOT, node);
	}
	if (!filter_take(p, '('))
		return parse_word(p, place);
	node = parse_expr(p, place);
	return node != FILTER_NONE && filter_expect(p, ')') ? node :
							      FILTER_NONE;
}

static bool at_word(struct filter_parser *p, const char *word)
{
	size_t at = filter_skip(p);
	bool is = filter_word_is(filter_take_word(p), word);

	p->at = at;
	return is;
}

/* Side by side means AND. */
static bool goes_on(struct filter_parser *p)
{
	return filter_skip(p) < p->text.len && !filter_peek(p, ')') &&
	       !filter_peek(p, '}') && !at_word(p, "or");
}

/* Several of one kind, linked under one node: first is the first of them. */
static uint32_t parse_list(struct filter_parser *p, unsigned place, bool any)
{
	uint32_t list = FILTER_NONE, last;
	uint32_t first = any ? parse_list(p, place, false) :
			       parse_unary(p, place);

	last = first;
	while (last != FILTER_NONE && (any ? at_word(p, "or") : goes_on(p))) {
		uint32_t next;

		if (any || at_word(p, "and"))
			(void)filter_take_word(p);
		next = any ? parse_list(p, place, false) :
			     parse_unary(p, place);
		if (next == FILTER_NONE)
			return FILTER_NONE;
		if (list == FILTER_NONE)
			list = wrap(p, any ? FILTER_OR : FILTER_AND, first);
		if (list == FILTER_NONE)
			return FILTER_NONE;
		p->nodes[last].next = next;
		last = next;
	}
	return list != FILTER_NONE && last != FILTER_NONE ? list : last;
}

static uint32_t parse_expr(struct filter_parser *p, unsigned place)
{
	uint32_t node;

	if (p->depth == FILTER_DEPTH_MAX)
		return filter_fail(p, p->at, ERR_LIMIT, "nested too deep");
	p->depth++;
	node = parse_list(p, place, true);
	p->depth--;
	return node;
}

int filter_parse(struct filter *f, struct sv text,
		 const struct filter_groups *groups, struct arena *arena,
		 struct diag *diag)
{
	struct filter_parser p = {
		.text = text, .arena = arena, .groups = groups, .diag = diag
	};
	uint32_t root;

	*f = (struct filter){ .count = 0 };
	if (text.len > FILTER_TEXT_MAX) {
		f->error_at = FILTER_TEXT_MAX;
		return diag_set(diag, ERR_LIMIT,
				"the filter expression is longer than %d bytes",
				FILTER_TEXT_MAX);
	}
	if (filter_skip(&p) == text.len)
		return 0;
	root = parse_expr(&p, FILTER_TRACE);
	if (root != FILTER_NONE && filter_skip(&p) != text.len)
		root = filter_expected(&p, p.at, "AND, OR or the end");
	f->error_at = p.error_at;
	if (root == FILTER_NONE) {
		assert(p.err < 0);
		return p.err;
	}
	f->nodes = p.nodes;
	f->count = p.count;
	f->root = root;
	return 0;
}
