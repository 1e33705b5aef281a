/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/filter_lex.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
	FOUND_MAX = 24,  /* bytes shown of what was found */
	NUMBER_MAX = 64, /* bytes of a number */
};

/* The names that the table has for places. */
enum {
	TRACE = FILTER_TRACE,
	PART = FILTER_PART,
	EDGE = FILTER_EDGE,
	SERVICES = FILTER_SERVICES,
	ENTITIES = FILTER_ENTITIES,
	SLOW = FILTER_SLOW,
	EXCEPTIONS = FILTER_EXCEPTIONS,
};

static const struct keyword {
	const char *text;
	enum filter_kind kind;
	unsigned places;
} keywords[FILTER_KEYWORDS] = {
#define KEYWORD(id, text, kind, places) { text, FILTER_##kind, places },
#include "tracer/filter_keywords.def"
#undef KEYWORD
};

enum filter_kind filter_keyword_kind(enum filter_keyword k)
{
	assert(k < FILTER_KEYWORDS);
	return keywords[k].kind;
}

unsigned filter_keyword_places(enum filter_keyword k)
{
	assert(k < FILTER_KEYWORDS);
	return keywords[k].places;
}

enum filter_keyword filter_keyword_find(struct sv word)
{
	unsigned k = 0;

	while (k < FILTER_KEYWORDS && !filter_word_is(word, keywords[k].text))
		k++;
	return (enum filter_keyword)k;
}

bool filter_word_is(struct sv word, const char *text)
{
	return word.len == strlen(text) &&
	       !strncasecmp(word.ptr, text, word.len);
}

/* --- errors -------------------------------------------------------------------- */

/* Characters before a byte, from 1. */
static size_t character(struct sv text, size_t at)
{
	size_t n = 1;

	for (size_t i = 0; i < at && i < text.len; i++)
		n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return n;
}

uint32_t filter_fail(struct filter_parser *p, size_t at, int err,
		     const char *what)
{
	if (p->err)
		return FILTER_NONE;
	p->err = err;
	p->error_at = p->group_depth ? p->group_at : at;
	(void)diag_set(p->diag, err,
		       "filter expression%s, at character %zu: %s",
		       p->group_depth ? " of the group" : "",
		       character(p->text, at), what);
	return FILTER_NONE;
}

/* What is at a byte, for people: up to a space, not cut inside of a character;
 * of what is no text only that there is something. */
static void describe(struct sv text, size_t at, char out[FOUND_MAX + 8])
{
	size_t n = 0;

	if (at >= text.len) {
		snprintf(out, FOUND_MAX + 8, "the end");
		return;
	}
	while (at + n < text.len && n < FOUND_MAX &&
	       (unsigned char)text.ptr[at + n] > ' ' &&
	       text.ptr[at + n] != '\x7f')
		n++;
	while (n && at + n < text.len &&
	       ((unsigned char)text.ptr[at + n] & 0xc0) == 0x80)
		n--;
	if (n && sv_is_utf8(sv_make(text.ptr + at, n)))
		snprintf(out, FOUND_MAX + 8, "%.*s", (int)n, text.ptr + at);
	else
		snprintf(out, FOUND_MAX + 8, "something else");
}

uint32_t filter_expected(struct filter_parser *p, size_t at, const char *what)
{
	char found[FOUND_MAX + 8], text[200];

	describe(p->text, at, found);
	snprintf(text, sizeof(text), "expected %s, found %s", what, found);
	return filter_fail(p, at, ERR_SYNTAX, text);
}

uint32_t filter_misplaced(struct filter_parser *p, size_t at,
			  enum filter_keyword keyword)
{
	const struct keyword *k = &keywords[keyword];
	char text[160];

	if (k->places & FILTER_TRACE)
		snprintf(text, sizeof(text), "%s means nothing in these braces",
			 k->text);
	else
		snprintf(
			text, sizeof(text),
			"%s stands only in the braces of %s", k->text,
			k->places & SERVICES ? "a root cause" :
			k->places & ENTITIES ? "rootcause.*.entity" :
					       "rootcause.responsetime.entity");
	return filter_fail(p, at, ERR_SYNTAX, text);
}

/* --- marks and words ------------------------------------------------------------ */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t filter_skip(struct filter_parser *p)
{
	while (p->at < p->text.len && is_space(p->text.ptr[p->at]))
		p->at++;
	return p->at;
}

bool filter_peek(struct filter_parser *p, char c)
{
	filter_skip(p);
	return p->at < p->text.len && p->text.ptr[p->at] == c;
}

bool filter_take(struct filter_parser *p, char c)
{
	if (!filter_peek(p, c))
		return false;
	p->at++;
	return true;
}

bool filter_expect(struct filter_parser *p, char c)
{
	char text[2] = { c, '\0' };

	if (filter_take(p, c))
		return true;
	(void)filter_expected(p, p->at, text);
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

struct sv filter_take_word(struct filter_parser *p)
{
	size_t from = filter_skip(p);

	if (from < p->text.len && is_letter(p->text.ptr[from]))
		while (p->at < p->text.len && is_word(p->text.ptr[p->at]))
			p->at++;
	return sv_make(p->text.ptr + from, p->at - from);
}

static bool take_mark(struct filter_parser *p, const char *mark)
{
	size_t n = strlen(mark);

	if (p->text.len - p->at < n || memcmp(p->text.ptr + p->at, mark, n))
		return false;
	p->at += n;
	return true;
}

enum filter_op filter_take_op(struct filter_parser *p)
{
	static const struct {
		const char *mark;
		enum filter_op op;
	} marks[] = { { "!=", FILTER_NE }, { "<=", FILTER_LE },
		      { ">=", FILTER_GE }, { "=", FILTER_EQ },
		      { "<", FILTER_LT },  { ">", FILTER_GT } };
	size_t at = filter_skip(p);
	struct sv word;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (take_mark(p, marks[i].mark))
			return marks[i].op;
	word = filter_take_word(p);
	if (filter_word_is(word, "contains"))
		return FILTER_CONTAINS;
	if (filter_word_is(word, "beginswith"))
		return FILTER_BEGINSWITH;
	if (filter_word_is(word, "endswith"))
		return FILTER_ENDSWITH;
	p->at = at;
	return FILTER_SET;
}

/* --- values -------------------------------------------------------------------- */

/* Takes \" and \\ apart; other backslashes are themselves. */
static bool unescape(struct filter_parser *p, struct sv raw, struct sv *value)
{
	char *out;
	size_t n = 0;

	*value = raw;
	if (!raw.len || !memchr(raw.ptr, '\\', raw.len))
		return true;
	out = arena_alloc(p->arena, raw.len);
	if (!out) {
		(void)filter_fail(p, p->at, ERR_NOMEM, "no memory");
		return false;
	}
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] == '\\' && i + 1 < raw.len &&
		    (raw.ptr[i + 1] == '"' || raw.ptr[i + 1] == '\\'))
			i++;
		out[n++] = raw.ptr[i];
	}
	*value = sv_make(out, n);
	return true;
}

static bool take_quoted(struct filter_parser *p, struct sv *value)
{
	size_t from = ++p->at;

	while (p->at < p->text.len && p->text.ptr[p->at] != '"')
		p->at += p->text.ptr[p->at] == '\\' ? 2 : 1;
	if (p->at >= p->text.len) {
		(void)filter_fail(p, from - 1, ERR_SYNTAX,
				  "the quotation mark is not closed");
		return false;
	}
	p->at++;
	return unescape(p, sv_make(p->text.ptr + from, p->at - 1 - from),
			value);
}

bool filter_take_value(struct filter_parser *p, struct sv *value)
{
	static const char marks[] = "()[]{}\",<>=!#";
	size_t from = filter_skip(p);

	if (from < p->text.len && p->text.ptr[from] == '"')
		return take_quoted(p, value);
	while (p->at < p->text.len && !is_space(p->text.ptr[p->at]) &&
	       !memchr(marks, p->text.ptr[p->at], sizeof(marks) - 1))
		p->at++;
	*value = sv_make(p->text.ptr + from, p->at - from);
	if (value->len)
		return true;
	(void)filter_expected(p, from, "a value");
	return false;
}

bool filter_take_bracket(struct filter_parser *p, struct sv *key)
{
	size_t from;

	if (!filter_expect(p, '['))
		return false;
	from = filter_skip(p);
	if (filter_peek(p, '"'))
		return take_quoted(p, key) && filter_expect(p, ']');
	while (p->at < p->text.len && p->text.ptr[p->at] != ']')
		p->at++;
	*key = sv_trim(sv_make(p->text.ptr + from, p->at - from));
	if (key->len)
		return filter_expect(p, ']');
	(void)filter_expected(p, from, "the name of an annotation");
	return false;
}

/* Where the bracket that opens at p->at is closed; the end: nowhere. */
static size_t closing(const struct filter_parser *p)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = p->at; i < p->text.len; i++) {
		char c = p->text.ptr[i];

		if (quoted)
			quoted = c != '"';
		else if (c == '"')
			quoted = true;
		else if (c == '[')
			depth++;
		else if (c == ']' && !--depth)
			return i + 1;
		if (quoted && c == '\\')
			i++;
	}
	return p->text.len;
}

bool filter_take_json(struct filter_parser *p, struct json *out)
{
	struct json_doc *doc = arena_new(p->arena, struct json_doc);
	struct diag why = { 0 };
	size_t from, to;
	int e;

	if (!filter_expect(p, '#') || !filter_expect(p, '['))
		return false;
	from = --p->at;
	to = closing(p);
	e = doc ? json_parse(doc, p->arena,
			     sv_make(p->text.ptr + from, to - from), &why) :
		  ERR_NOMEM;
	if (e) {
		(void)filter_fail(p, from, e,
				  e == ERR_NOMEM ? "no memory" :
						   "what stands behind # is no "
						   "JSON");
		return false;
	}
	p->at = to;
	*out = json_root(doc);
	return true;
}

bool filter_number(struct sv text, double *out)
{
	char copy[NUMBER_MAX], *end;

	if (!text.len || text.len >= sizeof(copy) || is_space(text.ptr[0]))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!memchr("0123456789+-.eE", text.ptr[i], 15))
			return false; /* strtod takes hex, inf and nan */
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*out = strtod(copy, &end);
	return *end == '\0' && isfinite(*out);
}
