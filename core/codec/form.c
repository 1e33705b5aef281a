/* SPDX-License-Identifier: Apache-2.0 */
/* The parser; reading the tree is form_read.c. */
#include "core/codec/form.h"

#include <assert.h>

struct pair {
	struct sv path, value; /* decoded */
	uint32_t parts;        /* of the path */
	uint32_t common;       /* parts that the pair before begins with too */
};

struct parser {
	struct pair *pairs;
	uint32_t pair_count;
	struct form_node *nodes;
	uint32_t count;
	uint32_t depth;
	uint32_t open[FORM_DEPTH_MAX + 1]; /* open[0]: the root */
	struct diag *diag;
};

/* --- text to pairs ----------------------------------------------------------- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes to *out and moves it on; false: an escape, a raw control or space,
 * or what comes out is not UTF-8. */
static bool decode(struct sv from, char **out, struct sv *to)
{
	char *o = *out;

	for (size_t i = 0; i < from.len; i++) {
		unsigned char c = (unsigned char)from.ptr[i];

		if (c == '%') {
			int high, low;

			if (from.len - i < 3)
				return false;
			high = hex_value(from.ptr[i + 1]);
			low = hex_value(from.ptr[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (unsigned char)(high << 4 | low);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		} else if (c <= ' ' || c == 0x7f) {
			return false;
		}
		*o++ = (char)c;
	}
	*to = sv_make(*out, (size_t)(o - *out));
	*out = o;
	return sv_is_utf8(*to);
}

/* The number of parts of a path; 0: one of them is empty. */
static uint32_t count_parts(struct sv path)
{
	uint32_t parts = 0;

	do {
		if (sv_cut(&path, '.').len == 0)
			return 0;
		parts++;
	} while (path.ptr);
	return parts;
}

static int take_pair(struct parser *ps, struct sv text, char **out)
{
	struct pair *p = &ps->pairs[ps->pair_count];
	struct sv name = sv_cut(&text, '=');

	if (!decode(name, out, &p->path) ||
	    !decode(text.ptr ? text : SV(""), out, &p->value))
		return diag_set(ps->diag, ERR_SYNTAX,
				"form: pair %u is not percent-encoded UTF-8",
				ps->pair_count + 1);
	p->parts = count_parts(p->path);
	if (!p->parts)
		return diag_set(ps->diag, ERR_SYNTAX,
				"form: a part of name %u is empty",
				ps->pair_count + 1);
	if (p->parts > FORM_DEPTH_MAX)
		return diag_set(ps->diag, ERR_LIMIT,
				"form: name %u has more than %d parts",
				ps->pair_count + 1, FORM_DEPTH_MAX);
	ps->pair_count++;
	return 0;
}

static int take_pairs(struct parser *ps, struct arena *arena, struct sv text)
{
	size_t most = 1;
	char *out;
	int err;

	for (size_t i = 0; i < text.len; i++)
		most += text.ptr[i] == '&';
	if (most > FORM_PAIRS_MAX)
		return diag_set(ps->diag, ERR_LIMIT, "form: more than %d pairs",
				FORM_PAIRS_MAX);
	out = arena_alloc(arena, text.len);
	ps->pairs = arena_alloc(arena, most * sizeof(*ps->pairs));
	if (!out || !ps->pairs)
		return diag_set(ps->diag, ERR_NOMEM, "form: out of memory");
	while (text.len) {
		struct sv pair = sv_cut(&text, '&');

		if (!pair.len)
			continue;
		err = take_pair(ps, pair, &out);
		if (err)
			return err;
	}
	return 0;
}

/* --- order -------------------------------------------------------------------- */

/* Of a list: digits, without a zero in front. */
static bool is_index(struct sv part)
{
	if (part.ptr[0] == '0')
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (part.ptr[i] < '0' || part.ptr[i] > '9')
			return false;
	return true;
}

/* Indices by value, and before other names. */
static int compare_parts(struct sv a, struct sv b)
{
	bool number = is_index(a);

	if (number != is_index(b))
		return number ? -1 : 1;
	if (number && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return sv_cmp(a, b);
}

static struct sv part_at(struct sv path, size_t start)
{
	struct sv rest = sv_make(path.ptr + start, path.len - start);

	return sv_cut(&rest, '.');
}

/* Part by part; *common of them are equal. What both begin with is most of it
 * and is passed over in one go. */
static int compare_paths(struct sv a, struct sv b, uint32_t *common)
{
	size_t least = a.len < b.len ? a.len : b.len;
	size_t start = 0; /* of the part that i is in */
	size_t i;

	*common = 0;
	for (i = 0; i < least && a.ptr[i] == b.ptr[i]; i++) {
		if (a.ptr[i] == '.') {
			++*common;
			start = i + 1;
		}
	}
	if (i == least &&
	    (a.len == b.len || (a.len > b.len ? a : b).ptr[i] == '.')) {
		++*common;
		return (a.len > least) - (b.len > least);
	}
	return compare_parts(part_at(a, start), part_at(b, start));
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;
	uint32_t common;

	return compare_paths(p->path, q->path, &common);
}

/* Sorts, unless they are in order already, as most clients send them; and
 * counts the nodes of the tree. */
static int order_pairs(struct parser *ps, size_t *nodes)
{
	bool sorted = true;

	for (uint32_t i = 1; sorted && i < ps->pair_count; i++)
		sorted = compare_pairs(&ps->pairs[i - 1], &ps->pairs[i]) <= 0;
	if (!sorted)
		qsort(ps->pairs, ps->pair_count, sizeof(*ps->pairs),
		      compare_pairs);
	*nodes = 1;
	for (uint32_t i = 0; i < ps->pair_count; i++) {
		struct pair *p = &ps->pairs[i];

		p->common = 0;
		if (i)
			compare_paths(p[-1].path, p->path, &p->common);
		/* What is before begins this: it sorts right before it. */
		if (i && p->common == p[-1].parts)
			return diag_set(ps->diag, ERR_INVALID,
					"form: %.*s is given twice, or has "
					"both a value and parts",
					SV_ARG(p[-1].path));
		*nodes += p->parts - p->common;
	}
	if (*nodes > FORM_NODES_MAX)
		return diag_set(ps->diag, ERR_LIMIT, "form: more than %d nodes",
				FORM_NODES_MAX);
	return 0;
}

/* --- pairs to tree -------------------------------------------------------------- */

static bool is_numbered(const struct parser *ps, uint32_t node)
{
	const struct form_node *n = &ps->nodes[node];

	return node != 0 &&
	       (sv_eq(n->name, SV("member")) || sv_eq(n->name, SV("entry")));
}

static void close_to(struct parser *ps, uint32_t depth)
{
	for (; ps->depth > depth; ps->depth--)
		ps->nodes[ps->open[ps->depth]].next = ps->count;
}

static int add_node(struct parser *ps, struct sv name)
{
	uint32_t parent = ps->open[ps->depth];
	uint32_t number = ++ps->nodes[parent].count;
	uint64_t index;

	if (is_numbered(ps, parent)) {
		if (number > FORM_INDEX_MAX)
			return diag_set(ps->diag, ERR_LIMIT,
					"form: a list of more than %d items",
					FORM_INDEX_MAX);
		if (!is_index(name) || !sv_to_u64(name, &index) ||
		    index != number)
			return diag_set(ps->diag, ERR_INVALID,
					"form: an item of a list is numbered "
					"%.*s instead of %u",
					SV_ARG(name), number);
	}
	ps->open[++ps->depth] = ps->count;
	ps->nodes[ps->count++] = (struct form_node){ .name = name };
	return 0;
}

static int add_pair(struct parser *ps, const struct pair *p)
{
	struct sv rest = p->path;
	int err;

	close_to(ps, p->common);
	for (uint32_t i = 0; i < p->common; i++)
		sv_cut(&rest, '.');
	while (rest.ptr) {
		err = add_node(ps, sv_cut(&rest, '.'));
		if (err)
			return err;
	}
	ps->nodes[ps->count - 1].value = p->value;
	return 0;
}

static int build(struct parser *ps)
{
	int err;

	ps->nodes[ps->count++] = (struct form_node){ .name = SV("") };
	for (uint32_t i = 0; i < ps->pair_count; i++) {
		err = add_pair(ps, &ps->pairs[i]);
		if (err)
			return err;
	}
	close_to(ps, 0);
	ps->nodes[0].next = ps->count;
	return 0;
}

int form_parse(struct form_doc *doc, struct arena *arena, struct sv text,
	       struct diag *diag)
{
	struct parser ps = { .diag = diag };
	size_t nodes;
	int err;

	*doc = (struct form_doc){ 0 };
	if (text.len > FORM_BYTES_MAX)
		return diag_set(diag, ERR_LIMIT, "form: more than %d bytes",
				FORM_BYTES_MAX);
	err = take_pairs(&ps, arena, text);
	if (!err)
		err = order_pairs(&ps, &nodes);
	if (err)
		return err;
	ps.nodes = arena_alloc(arena, nodes * sizeof(*ps.nodes));
	if (!ps.nodes)
		return diag_set(diag, ERR_NOMEM, "form: out of memory");
	err = build(&ps);
	if (err)
		return err;
	assert(ps.count == nodes);
	doc->nodes = ps.nodes;
	doc->count = ps.count;
	return 0;
}
