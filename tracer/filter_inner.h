/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a filter expression; private to filter_*.c. */
#ifndef TALLY_TRACER_FILTER_INNER_H
#define TALLY_TRACER_FILTER_INNER_H

#include "core/codec/json.h"
#include "tracer/filter.h"
#include "tracer/rootcause.h"

/* Where a part of an expression stands: what its keywords speak of. */
enum filter_place {
	FILTER_TRACE = 1,
	FILTER_PART = 2,
	FILTER_EDGE = 4,
	FILTER_SERVICES = 8,
	FILTER_ENTITIES = 16,
	FILTER_SLOW = 32,
	FILTER_EXCEPTIONS = 64,
};

enum filter_keyword {
#define KEYWORD(id, text, kind, places) FILTER_##id,
#include "tracer/filter_keywords.def"
#undef KEYWORD
	FILTER_KEYWORDS,
};

enum filter_kind { FILTER_BOOLEAN, FILTER_NUMBER, FILTER_TEXT };

enum filter_op {
	FILTER_SET, /* no operator: it is there, or true */
	FILTER_EQ,
	FILTER_NE,
	FILTER_LT,
	FILTER_LE,
	FILTER_GT,
	FILTER_GE,
	FILTER_CONTAINS,
	FILTER_BEGINSWITH,
	FILTER_ENDSWITH,
};

enum filter_verb {
	FILTER_AND,
	FILTER_OR,
	FILTER_NOT,
	FILTER_KEYWORD,
	FILTER_ANNOTATION,
	FILTER_SERVICE,
	FILTER_EDGES,
	FILTER_CAUSE, /* a block over one of its lists */
	FILTER_CAUSE_JSON,
};

/* Which nodes service() or edge() mean; ptr NULL: any. */
struct filter_id {
	struct sv name, type, account;
};

#define FILTER_NONE UINT32_MAX

struct filter_node {
	uint8_t verb;    /* enum filter_verb */
	uint8_t keyword; /* enum filter_keyword */
	uint8_t op;      /* enum filter_op */
	uint8_t causes;  /* of root causes: bits by enum rootcause_kind */
	uint8_t place;   /* of a root cause's list: enum filter_place */
	bool is_number, is_true, is_false; /* what value may be read as */
	/* First of what it holds (of AND, OR, NOT; a block), and the next that
	 * what holds it holds; FILTER_NONE: none. */
	uint32_t child, next;
	double number;
	struct sv value;
	struct sv key;                     /* of an annotation */
	const struct filter_id *from, *to; /* service(): to alone */
	struct json json;
};

enum filter_kind filter_keyword_kind(enum filter_keyword k);

#endif
