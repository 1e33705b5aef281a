/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/json.h"

#include <assert.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/codec/json_wide.h"
#include "core/codec/utf8.h"

/*
 * The parser is one loop without recursion: `open` holds the containers that
 * are not closed yet. The tape is as long as it can get before the loop
 * starts: every value but the root follows one of `,` `:` `[` `{`, and
 * counting these (also those in strings, which are few) costs 1/20 of the
 * parse. So there is no check per node and nothing is copied to grow.
 */
struct parser {
	const unsigned char *start, *p, *end;
	struct json_node *nodes;
	uint32_t count;
	uint32_t capacity;
	uint32_t depth;
	uint32_t open[JSON_DEPTH_MAX];
	const char *expected; /* for diag, when something is refused */
	int err;
};

static bool fail(struct parser *ps, int err, const char *expected)
{
	ps->err = err;
	ps->expected = expected;
	return false;
}

static size_t count_nodes_most(struct sv text)
{
	size_t n = 1, i = 0;

#ifdef __SSE2__
	const __m128i comma = _mm_set1_epi8(','), colon = _mm_set1_epi8(':');
	const __m128i fold = _mm_set1_epi8(0x20), brace = _mm_set1_epi8('{');

	for (; i + 16 <= text.len; i += 16) {
		__m128i v = _mm_loadu_si128(
			(const __m128i *)(const void *)(text.ptr + i));
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, comma),
					   _mm_cmpeq_epi8(v, colon));

		/* '[' | 0x20 is '{'. */
		hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_or_si128(v, fold),
						       brace));
		n += (size_t)__builtin_popcount(
			(unsigned)_mm_movemask_epi8(hit));
	}
#endif
	for (; i < text.len; i++) {
		char c = text.ptr[i];

		n += c == ',' || c == ':' || c == '[' || c == '{';
	}
	return n;
}

static inline void skip_space(struct parser *ps)
{
	const unsigned char *p = ps->p;

	if (p<ps->end && * p> ' ')
		return;
#ifdef __SSE2__
	const __m128i space = _mm_set1_epi8(' '), line = _mm_set1_epi8('\n');
	const __m128i tab = _mm_set1_epi8('\t'), ret = _mm_set1_epi8('\r');

	while (ps->end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i is = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, space),
						       _mm_cmpeq_epi8(v, line)),
					  _mm_or_si128(_mm_cmpeq_epi8(v, tab),
						       _mm_cmpeq_epi8(v, ret)));
		unsigned not = ~(unsigned)_mm_movemask_epi8(is) & 0xffff;

		if (not ) {
			ps->p = p + __builtin_ctz(not );
			return;
		}
		p += 16;
	}
#endif
	while (p < ps->end &&
	       (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	ps->p = p;
}

/* The first byte of a string that is not plain: quote, backslash, control, or
 * not ASCII; end if there is none. */
static inline const unsigned char *skip_plain(const unsigned char *p,
					      const unsigned char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i control = _mm_set1_epi8(0x1f);

	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote),
					   _mm_cmpeq_epi8(v, slash));
		unsigned mask;

		hit = _mm_or_si128(hit,
				   _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
		/* The sign bit of v itself says "not ASCII". */
		mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(hit, v));
		if (mask)
			return p + __builtin_ctz(mask);
		p += 16;
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && *p >= 0x20 && *p < 0x80)
		p++;
	return p;
}

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits at p as a number, or -1. */
static int32_t hex4(const unsigned char *p)
{
	int32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int d = hex_value(p[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* Length of the escape at p (a backslash), or 0. */
static size_t escape_length(const unsigned char *p, const unsigned char *end)
{
	if (end - p < 2)
		return 0;
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return 2;
	case 'u':
		return end - p >= 6 && hex4(p + 2) >= 0 ? 6 : 0;
	default:
		return 0;
	}
}

static struct json_node *add_node(struct parser *ps, enum json_type type,
				  const unsigned char *at)
{
	struct json_node *n = &ps->nodes[ps->count++];

	assert(ps->count <= ps->capacity);
	*n = (struct json_node){ .at = (uint32_t)(at - ps->start),
				 .next = ps->count,
				 .type = (uint8_t)type };
	return n;
}

/* ps->p is behind the opening quote. */
static bool parse_string(struct parser *ps)
{
	const unsigned char *p = ps->p;
	struct json_node *n = add_node(ps, JSON_STRING, p);

	for (;;) {
		size_t len;

		if (p < ps->end && *p < 0x80)
			p = skip_plain(p, ps->end);
		ps->p = p;
		if (p == ps->end)
			return fail(ps, ERR_SYNTAX, "the end of a string");
		if (*p == '"')
			break;
		if (*p == '\\') {
			n->escaped = 1;
			len = escape_length(p, ps->end);
			if (!len)
				return fail(ps, ERR_SYNTAX, "an escape");
		} else if (*p < 0x20) {
			return fail(ps, ERR_SYNTAX,
				    "no control character in a string");
		} else {
			len = utf8_length(p, ps->end);
			if (!len)
				return fail(ps, ERR_SYNTAX, "UTF-8");
		}
		p += len;
	}
	n->len = (uint32_t)(p - ps->start) - n->at;
	ps->p = p + 1;
	return true;
}

static bool skip_digits(struct parser *ps)
{
	const unsigned char *p = ps->p;

	while (ps->p < ps->end && (unsigned)*ps->p - '0' < 10)
		ps->p++;
	return ps->p > p;
}

/* number = [ "-" ] int [ frac ] [ exp ] (RFC 8259, 6) */
static bool parse_number(struct parser *ps)
{
	struct json_node *n = add_node(ps, JSON_NUMBER, ps->p);

	if (*ps->p == '-')
		ps->p++;
	if (ps->p < ps->end && *ps->p == '0')
		ps->p++;
	else if (!skip_digits(ps))
		return fail(ps, ERR_SYNTAX, "a digit");
	if (ps->p < ps->end && *ps->p == '.') {
		ps->p++;
		if (!skip_digits(ps))
			return fail(ps, ERR_SYNTAX, "a digit");
	}
	if (ps->p < ps->end && (*ps->p | 0x20) == 'e') {
		ps->p++;
		if (ps->p < ps->end && (*ps->p == '+' || *ps->p == '-'))
			ps->p++;
		if (!skip_digits(ps))
			return fail(ps, ERR_SYNTAX, "a digit");
	}
	n->len = (uint32_t)(ps->p - ps->start) - n->at;
	return true;
}

static bool parse_word(struct parser *ps, enum json_type type, struct sv word)
{
	if ((size_t)(ps->end - ps->p) < word.len ||
	    memcmp(ps->p, word.ptr, word.len) != 0)
		return fail(ps, ERR_SYNTAX, "a value");
	add_node(ps, type, ps->p)->len = (uint32_t)word.len;
	ps->p += word.len;
	return true;
}

static bool parse_scalar(struct parser *ps)
{
	switch (*ps->p) {
	case '"':
		ps->p++;
		return parse_string(ps);
	case 't':
		return parse_word(ps, JSON_TRUE, SV("true"));
	case 'f':
		return parse_word(ps, JSON_FALSE, SV("false"));
	case 'n':
		return parse_word(ps, JSON_NULL, SV("null"));
	default:
		if (*ps->p == '-' || (unsigned)*ps->p - '0' < 10)
			return parse_number(ps);
		return fail(ps, ERR_SYNTAX, "a value");
	}
}

/* A key and its colon; ps->p may be at space. */
static bool parse_key(struct parser *ps)
{
	skip_space(ps);
	if (ps->p == ps->end || *ps->p != '"')
		return fail(ps, ERR_SYNTAX, "a key");
	ps->p++;
	if (!parse_string(ps))
		return false;
	skip_space(ps);
	if (ps->p == ps->end || *ps->p != ':')
		return fail(ps, ERR_SYNTAX, "a colon");
	ps->p++;
	return true;
}

static void close_container(struct parser *ps)
{
	struct json_node *n = &ps->nodes[ps->open[--ps->depth]];

	ps->p++;
	n->len = (uint32_t)(ps->p - ps->start) - n->at;
	n->next = ps->count;
}

/* *ps->p is a bracket. True with *empty: it is closed already. */
static bool open_container(struct parser *ps, bool *empty)
{
	bool object = *ps->p == '{';

	if (ps->depth == JSON_DEPTH_MAX)
		return fail(ps, ERR_LIMIT, "no deeper nesting");
	ps->open[ps->depth++] = ps->count;
	add_node(ps, object ? JSON_OBJECT : JSON_ARRAY, ps->p);
	ps->p++;
	skip_space(ps);
	*empty = ps->p < ps->end && *ps->p == (object ? '}' : ']');
	if (*empty)
		close_container(ps);
	else if (object)
		return parse_key(ps);
	return true;
}

/* Behind a value: closes what ends here. True with depth 0: all was read; with
 * more: the next value follows. */
static bool parse_after(struct parser *ps)
{
	while (ps->depth) {
		bool object = ps->nodes[ps->open[ps->depth - 1]].type ==
			      JSON_OBJECT;

		skip_space(ps);
		if (ps->p < ps->end && *ps->p == ',') {
			ps->p++;
			return object ? parse_key(ps) : true;
		}
		if (ps->p == ps->end || *ps->p != (object ? '}' : ']'))
			return fail(ps, ERR_SYNTAX,
				    object ? "a comma or }" : "a comma or ]");
		close_container(ps);
	}
	return true;
}

static bool parse_document(struct parser *ps)
{
	do {
		bool closed = true;

		skip_space(ps);
		if (ps->p == ps->end)
			return fail(ps, ERR_SYNTAX, "a value");
		if (*ps->p == '{' || *ps->p == '[') {
			if (!open_container(ps, &closed))
				return false;
		} else if (!parse_scalar(ps)) {
			return false;
		}
		if (closed && !parse_after(ps))
			return false;
	} while (ps->depth);
	skip_space(ps);
	return ps->p == ps->end ? true :
				  fail(ps, ERR_SYNTAX, "the end of the text");
}

static int refuse_size(struct json_doc *doc, struct sv text, struct diag *diag)
{
	*doc = (struct json_doc){ .text = text };
	if (text.len == 0)
		return diag_set(diag, ERR_SYNTAX, "JSON: the text is empty");
	if (text.len > JSON_BYTES_MAX)
		return diag_set(diag, ERR_LIMIT, "JSON: more than %d bytes",
				JSON_BYTES_MAX);
	return 0;
}

static int parse_portable(struct json_doc *doc, struct json_node *nodes,
			  size_t most, struct diag *diag)
{
	struct sv text = doc->text;
	struct parser ps = {
		.start = (const unsigned char *)text.ptr,
		.p = (const unsigned char *)text.ptr,
		.end = (const unsigned char *)text.ptr + text.len,
		.nodes = nodes,
		.capacity = (uint32_t)most,
	};

	if (!parse_document(&ps))
		return diag_set(diag, ps.err, "JSON: expected %s at byte %zu",
				ps.expected, (size_t)(ps.p - ps.start));
	doc->nodes = ps.nodes;
	doc->count = ps.count;
	return 0;
}

int json_parse_portable(struct json_doc *doc, struct arena *arena,
			struct sv text, struct diag *diag)
{
	struct json_node *nodes;
	size_t most;
	int e = refuse_size(doc, text, diag);

	if (e)
		return e;
	most = count_nodes_most(text);
	nodes = arena_alloc(arena, most * sizeof(*nodes));
	if (!nodes)
		return diag_set(diag, ERR_NOMEM, "JSON: out of memory");
	return parse_portable(doc, nodes, most, diag);
}

int json_parse(struct json_doc *doc, struct arena *arena, struct sv text,
	       struct diag *diag)
{
	const enum json_wide how = json_wide_can();
	struct json_census census;
	struct json_node *nodes;
	int e = refuse_size(doc, text, diag);

	if (e)
		return e;
	if (how == JSON_WIDE_NONE)
		return json_parse_portable(doc, arena, text, diag);
	census = json_wide_census(text);
	nodes = arena_alloc(arena, census.nodes_most * sizeof(*nodes));
	if (!nodes)
		return diag_set(diag, ERR_NOMEM, "JSON: out of memory");
	if (json_wide_parse(text, &census, how, nodes, &doc->count)) {
		doc->nodes = nodes;
		return 0;
	}
	return parse_portable(doc, nodes, census.nodes_most, diag);
}
