/* SPDX-License-Identifier: Apache-2.0 */
/* Words and values of a filter expression, and what is said of a bad one;
 * private to filter_*.c. Words are compared without case. */
#ifndef TALLY_TRACER_FILTER_LEX_H
#define TALLY_TRACER_FILTER_LEX_H

#include "tracer/filter_inner.h"

struct filter_parser {
	struct sv text; /* of the expression, or of the group at hand */
	size_t at;
	struct arena *arena;
	const struct filter_groups *groups;
	struct filter_node *nodes;
	uint32_t count, cap;
	unsigned depth, group_depth;
	size_t group_at; /* in the outermost text, while group_depth > 0 */
	/* The first error: */
	int err;
	size_t error_at;
	struct diag *diag;
};

/* Note the error, if it is the first; FILTER_NONE. at: a byte of p->text. */
uint32_t filter_fail(struct filter_parser *p, size_t at, int err,
		     const char *what);
uint32_t filter_expected(struct filter_parser *p, size_t at, const char *what);
/* A keyword that means nothing where it stands. */
uint32_t filter_misplaced(struct filter_parser *p, size_t at,
			  enum filter_keyword keyword);

/* Goes over space; where it is then. The others do so first. */
size_t filter_skip(struct filter_parser *p);
bool filter_peek(struct filter_parser *p, char c);
bool filter_take(struct filter_parser *p, char c);
/* False: the error is noted. */
bool filter_expect(struct filter_parser *p, char c);
/* Letters, digits, and _ . - behind a letter or _; empty: none is here. */
struct sv filter_take_word(struct filter_parser *p);
/* FILTER_SET: none is here. */
enum filter_op filter_take_op(struct filter_parser *p);
/* "text", with \" and \\ in it, or what goes on to a space or a mark. False:
 * the error is noted. */
bool filter_take_value(struct filter_parser *p, struct sv *value);
/* [key] or ["key"] */
bool filter_take_bracket(struct filter_parser *p, struct sv *key);
/* #[...]: the array. */
bool filter_take_json(struct filter_parser *p, struct json *out);

bool filter_word_is(struct sv word, const char *text);
/* A whole finite number. */
bool filter_number(struct sv text, double *out);
/* FILTER_KEYWORDS: it is none. */
enum filter_keyword filter_keyword_find(struct sv word);
unsigned filter_keyword_places(enum filter_keyword k);

#endif
