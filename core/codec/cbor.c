/* SPDX-License-Identifier: Apache-2.0 */
/* The parser; reading a tape is cbor_read.c. */
#include "core/codec/cbor.h"

#include <assert.h>

/*
 * A head (RFC 8949, 3): three bits of major type, five of information, and
 * what these announce.
 *
 *   +-------+-----------+----------------------------+
 *   | major |   info    |  0, 1, 2, 4 or 8 bytes,    |
 *   |  3    |    5      |  big-endian                |
 *   +-------+-----------+----------------------------+
 *            0..23 value itself, 24..27 bytes follow, 31 indefinite or break
 *
 * One loop without recursion: `open` holds the arrays, maps and tags that are
 * not complete. With nodes NULL the walk only checks and counts.
 */
enum { INFO_INDEFINITE = 31, BREAK = 0xff };

struct head {
	uint8_t major, info;
	uint64_t value;
};

struct level {
	uint64_t left; /* items to come, where the length is definite */
	uint32_t node;
	uint32_t items; /* seen */
	bool indefinite;
	bool map;
};

struct parser {
	const unsigned char *start, *p, *end;
	struct cbor_node *nodes;
	uint32_t count;
	uint32_t depth;
	struct level open[CBOR_DEPTH_MAX];
	const char *expected; /* for diag, when something is refused */
	int err;
};

static bool fail(struct parser *ps, int err, const char *expected)
{
	ps->err = err;
	ps->expected = expected;
	return false;
}

static size_t bytes_left(const struct parser *ps)
{
	return (size_t)(ps->end - ps->p);
}

static bool take_head(struct parser *ps, struct head *h)
{
	size_t n;

	if (ps->p == ps->end)
		return fail(ps, ERR_SYNTAX, "an item");
	h->major = *ps->p >> 5;
	h->info = *ps->p & 31;
	h->value = h->info;
	if (h->info < 24 || h->info == INFO_INDEFINITE) {
		ps->p++;
		return true;
	}
	if (h->info > 27)
		return fail(ps, ERR_SYNTAX, "no reserved length");
	n = (size_t)1 << (h->info - 24);
	if (bytes_left(ps) - 1 < n)
		return fail(ps, ERR_SYNTAX, "the rest of a head");
	ps->p++;
	for (h->value = 0; n > 0; n--)
		h->value = h->value << 8 | *ps->p++;
	return true;
}

static struct cbor_node *add_node(struct parser *ps, enum cbor_type type,
				  const unsigned char *at,
				  struct cbor_node *sink)
{
	struct cbor_node *n = ps->nodes ? &ps->nodes[ps->count] : sink;

	ps->count++;
	*n = (struct cbor_node){ .at = (uint32_t)(at - ps->start),
				 .next = ps->count,
				 .type = (uint8_t)type };
	return n;
}

/* The bytes of one piece of a string, h being its head. */
static bool take_piece(struct parser *ps, const struct head *h, uint32_t *len)
{
	if (h->value > bytes_left(ps))
		return fail(ps, ERR_SYNTAX, "the rest of a string");
	/* Each piece is text on its own (3.2.3). The first walk has checked. */
	if (!ps->nodes && h->major == CBOR_TEXT &&
	    !sv_is_utf8(sv_make((const char *)ps->p, (size_t)h->value)))
		return fail(ps, ERR_SYNTAX, "UTF-8");
	ps->p += h->value;
	*len += (uint32_t)h->value;
	return true;
}

static bool take_string(struct parser *ps, const struct head *h)
{
	struct cbor_node sink;
	struct cbor_node *n = add_node(ps, h->major, ps->p, &sink);
	struct head piece;

	if (h->info != INFO_INDEFINITE)
		return take_piece(ps, h, &n->len);
	n->pieces = 1;
	for (;;) {
		if (ps->p < ps->end && *ps->p == BREAK) {
			ps->p++;
			return true;
		}
		if (!take_head(ps, &piece))
			return false;
		if (piece.major != h->major || piece.info == INFO_INDEFINITE)
			return fail(ps, ERR_SYNTAX, "a piece of the string");
		if (!take_piece(ps, &piece, &n->len))
			return false;
	}
}

/* An array, map or tag is open behind this; one that is empty is too, and is
 * closed by the loop. at: its head. */
static bool open_container(struct parser *ps, const struct head *h,
			   const unsigned char *at)
{
	struct cbor_node sink;
	struct level *l;
	uint64_t items = h->value;

	if (ps->depth == CBOR_DEPTH_MAX)
		return fail(ps, ERR_LIMIT, "no deeper nesting");
	if (h->major == CBOR_TAG)
		items = 1;
	/* Every item takes a byte at least. */
	else if (h->info != INFO_INDEFINITE &&
		 items > bytes_left(ps) / (h->major == CBOR_MAP ? 2 : 1))
		return fail(ps, ERR_SYNTAX, "as many items as announced");
	l = &ps->open[ps->depth++];
	*l = (struct level){ .left = h->major == CBOR_MAP ? items * 2 : items,
			     .node = ps->count,
			     .indefinite = h->info == INFO_INDEFINITE,
			     .map = h->major == CBOR_MAP };
	add_node(ps, h->major, at, &sink);
	return true;
}

static bool take_simple(struct parser *ps, const struct head *h,
			const unsigned char *at)
{
	static const uint8_t words[] = { CBOR_FALSE, CBOR_TRUE, CBOR_NULL,
					 CBOR_UNDEFINED };
	struct cbor_node sink;
	enum cbor_type type = CBOR_SIMPLE;

	if (h->info >= 25 && h->info <= 27)
		type = CBOR_FLOAT;
	else if (h->info == 24 && h->value < 32)
		return fail(ps, ERR_SYNTAX, "no simple value in a longer form");
	else if (h->value >= 20 && h->value <= 23)
		type = words[h->value - 20];
	add_node(ps, type, at, &sink);
	return true;
}

static bool take_item(struct parser *ps)
{
	const unsigned char *at = ps->p;
	struct cbor_node sink;
	struct head h;

	if (ps->count == CBOR_ITEMS_MAX)
		return fail(ps, ERR_LIMIT, "no more items");
	if (!take_head(ps, &h))
		return false;
	if (h.info == INFO_INDEFINITE &&
	    (h.major < CBOR_BYTES || h.major > CBOR_MAP))
		return fail(ps, ERR_SYNTAX, "an item");
	switch (h.major) {
	case CBOR_UINT:
	case CBOR_NEGATIVE:
		add_node(ps, h.major, at, &sink);
		return true;
	case CBOR_BYTES:
	case CBOR_TEXT:
		return take_string(ps, &h);
	case CBOR_ARRAY:
	case CBOR_MAP:
	case CBOR_TAG:
		return open_container(ps, &h, at);
	default:
		return take_simple(ps, &h, at);
	}
}

/* Before an item of the innermost container: true if it has none more. */
static bool at_end(struct parser *ps, struct level *l)
{
	if (!l->indefinite)
		return l->left == 0;
	if (ps->p == ps->end || *ps->p != BREAK)
		return false;
	if (l->map && l->items % 2)
		return false; /* a key without a value: BREAK is no item */
	ps->p++;
	return true;
}

/* Closes what is complete. True with depth 0: the root is. */
static void close_complete(struct parser *ps)
{
	while (ps->depth) {
		struct level *l = &ps->open[ps->depth - 1];

		if (!at_end(ps, l))
			return;
		if (ps->nodes) {
			ps->nodes[l->node].next = ps->count;
			ps->nodes[l->node].len = l->items;
		}
		ps->depth--;
	}
}

static bool parse_document(struct parser *ps)
{
	do {
		if (ps->depth) {
			struct level *l = &ps->open[ps->depth - 1];

			l->items++;
			l->left--; /* means nothing where indefinite */
		}
		if (!take_item(ps))
			return false;
		close_complete(ps);
	} while (ps->depth);
	return ps->p == ps->end ? true :
				  fail(ps, ERR_SYNTAX, "the end of the bytes");
}

int cbor_parse(struct cbor_doc *doc, struct arena *arena, struct sv bytes,
	       struct diag *diag)
{
	struct parser ps = { .start = (const unsigned char *)bytes.ptr };
	uint32_t items;
	bool again;

	*doc = (struct cbor_doc){ .bytes = bytes };
	if (bytes.len == 0)
		return diag_set(diag, ERR_SYNTAX, "CBOR: there are no bytes");
	if (bytes.len > CBOR_BYTES_MAX)
		return diag_set(diag, ERR_LIMIT, "CBOR: more than %d bytes",
				CBOR_BYTES_MAX);
	ps.p = ps.start;
	ps.end = ps.start + bytes.len;
	if (!parse_document(&ps))
		return diag_set(diag, ps.err, "CBOR: expected %s at byte %zu",
				ps.expected, (size_t)(ps.p - ps.start));
	items = ps.count;
	ps.nodes = arena_alloc(arena, items * sizeof(*ps.nodes));
	if (!ps.nodes)
		return diag_set(diag, ERR_NOMEM, "CBOR: out of memory");
	ps.p = ps.start;
	ps.count = 0;
	again = parse_document(&ps);
	assert(again && ps.count == items);
	doc->nodes = ps.nodes;
	doc->count = ps.count;
	return 0;
}
