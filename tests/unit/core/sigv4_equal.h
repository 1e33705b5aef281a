/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests are the same for Signature Version 4: a judge of the verifier
 * that shares nothing with it. It knows no hash and no key. Each equivalence
 * that the scheme allows is a rule below with a name, and a request is written
 * out after the rules. Two requests are equal if they are then the same text,
 * and a verifier must take exactly those that equal one that was signed. Slow
 * and plain on purpose.
 */
#ifndef TALLY_TESTS_SIGV4_EQUAL_H
#define TALLY_TESTS_SIGV4_EQUAL_H

#include "tests/unit/core/recording.h"

#define EQUAL_RULES(X)                                                     \
	X(NAME_CASE, "case of a header's name")                            \
	X(BLANKS, "white space around and runs of it in a header")         \
	X(AUTHORIZATION, "white space between the parts of Authorization") \
	X(ESCAPES, "how a byte of the query is escaped")                   \
	X(PARAMS, "empty parts of a query")                                \
	X(PATH, "a path that has the signed path as its normal form")      \
	X(NOT_SIGNED, "what is not signed: a token added afterwards")

enum equal_rule {
#define X(name, text) EQUAL_##name,
	EQUAL_RULES(X)
#undef X
		EQUAL_RULE_COUNT,
};

enum {
	EQUAL_ALL = (1 << EQUAL_RULE_COUNT) - 1,
	/* method, path, query, body, then names and values of headers */
	PIECE_METHOD = 0,
	PIECE_PATH,
	PIECE_QUERY,
	PIECE_BODY,
	PIECE_HEADERS,
	PIECES_MAX = PIECE_HEADERS + 2 * SIGV4_HEADERS_MAX,
};

/* A request as the pieces that a byte may be changed in. */
struct pieces {
	struct sv piece[PIECES_MAX];
	size_t count;
	struct sv signed_names; /* of the request that was signed */
	bool normal_path;       /* it was signed by the path's normal form */
	bool token_later;       /* and without the token of its query */
};

/* Each field with its length before it, so that no two lists look alike. */
static inline void equal_field(struct buf *out, struct sv s)
{
	buf_format(out, "%zu:", s.len);
	buf_sv(out, s);
}

static inline bool equal_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline struct sv equal_trim(struct sv s)
{
	while (s.len && equal_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && equal_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static inline void equal_lower(struct buf *out, struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		buf_char(out, s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ?
				      (char)(s.ptr[i] + 32) :
				      s.ptr[i]);
}

static inline bool equal_name(struct sv sent, const char *lower)
{
	struct buf b = BUF_INIT;
	bool same;

	equal_lower(&b, sent);
	same = sv_eq(buf_view(&b), sv_from(lower));
	buf_fini(&b);
	return same;
}

/* --- path and query ------------------------------------------------------- */

static inline void equal_path(struct buf *out, struct sv path)
{
	struct sv kept[SIGV4_SEGMENTS_MAX + 1];
	struct buf b = BUF_INIT;
	size_t n = 0;
	bool slash = path.len && path.ptr[path.len - 1] == '/';

	while (path.ptr) {
		struct sv part = sv_cut(&path, '/');

		if (sv_eq(part, SV("..")) && n > 0)
			n--;
		else if (!sv_eq(part, SV("..")) && !sv_eq(part, SV(".")) &&
			 part.len)
			kept[n++] = part;
	}
	for (size_t i = 0; i < n; i++) {
		buf_char(&b, '/');
		buf_sv(&b, kept[i]);
	}
	if (slash || n == 0)
		buf_char(&b, '/');
	equal_field(out, buf_view(&b));
	buf_fini(&b);
}

static inline int equal_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

/* The bytes that an encoded text means; false: no escape. */
static inline bool equal_decode(struct buf *out, struct sv s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '+') {
			buf_char(out, ' ');
		} else if (s.ptr[i] == '%') {
			int high = i + 1 < s.len ? equal_digit(s.ptr[i + 1]) :
						   -1;
			int low = i + 2 < s.len ? equal_digit(s.ptr[i + 2]) :
						  -1;

			if (high < 0 || low < 0)
				return false;
			buf_char(out, (char)(high * 16 + low));
			i += 2;
		} else {
			buf_char(out, s.ptr[i]);
		}
	}
	return true;
}

static inline bool equal_param(struct buf *out, struct sv part, unsigned rules,
			       bool drop_token)
{
	struct buf name = BUF_INIT, value = BUF_INIT;
	struct sv sent = part, sent_name = sv_cut(&sent, '=');
	bool ok = equal_decode(&name, sent_name) && equal_decode(&value, sent);

	if (ok && drop_token &&
	    sv_eq(buf_view(&name), SV("X-Amz-Security-Token"))) {
		/* not signed */
	} else if (ok && rules & 1 << EQUAL_ESCAPES) {
		equal_field(out, buf_view(&name));
		equal_field(out, buf_view(&value));
	} else {
		equal_field(out, part);
	}
	buf_fini(&name);
	buf_fini(&value);
	return ok;
}

static inline bool equal_query(struct buf *out, const struct pieces *p,
			       unsigned rules)
{
	struct sv query = p->piece[PIECE_QUERY];
	bool drop = p->token_later && rules & 1 << EQUAL_NOT_SIGNED;
	bool ok = true;

	while (ok && query.len) {
		struct sv part = sv_cut(&query, '&');

		if (part.len || !(rules & 1 << EQUAL_PARAMS))
			ok = equal_param(out, part, rules, drop);
	}
	buf_text(out, "|");
	return ok;
}

/* --- headers -------------------------------------------------------------- */

static inline bool equal_signed(const struct pieces *p, struct sv sent)
{
	struct sv names = p->signed_names;
	struct buf b = BUF_INIT;
	bool found = false;

	equal_lower(&b, sent);
	while (names.len)
		found |= sv_eq(sv_cut(&names, ';'), buf_view(&b));
	buf_fini(&b);
	return found;
}

/* Authorization is what is verified; and all x-amz- but the token must be
 * signed, so that to leave one out is no way to add one. */
static inline bool equal_matters(const struct pieces *p, struct sv name)
{
	if (equal_name(name, "authorization") || equal_signed(p, name))
		return true;
	return name.len >= 6 && equal_name(sv_make(name.ptr, 6), "x-amz-") &&
	       !equal_name(name, "x-amz-security-token");
}

static inline void equal_authorization(struct buf *out, struct sv value)
{
	struct sv rest = equal_trim(value);

	equal_field(out, sv_cut(&rest, ' '));
	while (rest.ptr)
		equal_field(out, equal_trim(sv_cut(&rest, ',')));
}

static inline void equal_value(struct buf *out, struct sv value)
{
	struct buf b = BUF_INIT;

	value = equal_trim(value);
	for (size_t i = 0; i < value.len; i++)
		if (!equal_blank(value.ptr[i]))
			buf_char(&b, value.ptr[i]);
		else if (!equal_blank(value.ptr[i - 1]))
			buf_char(&b, ' ');
	equal_field(out, buf_view(&b));
	buf_fini(&b);
}

static inline void equal_header(struct buf *out, const struct pieces *p,
				struct sv name, struct sv value, unsigned rules)
{
	bool authorization = equal_name(name, "authorization");

	if (rules & 1 << EQUAL_NOT_SIGNED && !equal_matters(p, name))
		return;
	buf_text(out, "h");
	if (rules & 1 << EQUAL_NAME_CASE)
		equal_lower(out, name);
	else
		buf_sv(out, name);
	buf_text(out, "=");
	if (authorization && rules & 1 << EQUAL_AUTHORIZATION)
		equal_authorization(out, value);
	else if (!authorization && rules & 1 << EQUAL_BLANKS)
		equal_value(out, value);
	else
		equal_field(out, value);
}

/* --- all of it ------------------------------------------------------------ */

/* Writes the request after the rules of that set. False: it is none. */
static inline bool equal_write(struct buf *out, const struct pieces *p,
			       unsigned rules)
{
	struct sv path = p->piece[PIECE_PATH];

	equal_field(out, p->piece[PIECE_METHOD]);
	if (path.len == 0 || path.ptr[0] != '/')
		return false;
	if (p->normal_path && rules & 1 << EQUAL_PATH)
		equal_path(out, path);
	else
		equal_field(out, path);
	if (!equal_query(out, p, rules))
		return false;
	for (size_t i = PIECE_HEADERS; i + 1 < p->count; i += 2)
		equal_header(out, p, p->piece[i], p->piece[i + 1], rules);
	equal_field(out, p->piece[PIECE_BODY]);
	return !out->failed;
}

static inline bool equal_under(const struct pieces *a, const struct pieces *b,
			       unsigned rules)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool same = equal_write(&x, a, rules) && equal_write(&y, b, rules) &&
		    sv_eq(buf_view(&x), buf_view(&y));

	buf_fini(&x);
	buf_fini(&y);
	return same;
}

/* The one rule that makes them equal, or EQUAL_RULE_COUNT. */
static inline enum equal_rule equal_reason(const struct pieces *a,
					   const struct pieces *b)
{
	for (int rule = 0; rule < EQUAL_RULE_COUNT; rule++)
		if (equal_under(a, b, 1U << rule))
			return (enum equal_rule)rule;
	return EQUAL_RULE_COUNT;
}

static inline const char *equal_text(enum equal_rule rule)
{
	static const char *const texts[] = {
#define X(name, text) text,
		EQUAL_RULES(X)
#undef X
	};

	return texts[rule];
}

#endif
