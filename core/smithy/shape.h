/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes: what a request or an answer of an AWS service looks like, as const
 * tables after the service's public model (Smithy). One table fills a plain C
 * struct from awsJson, rest-json bodies, Smithy RPC v2 CBOR or a Query form,
 * and writes one as JSON, CBOR or Query XML. So an operation is written once,
 * against its struct, and does not know which protocol asked.
 *
 * How a member lives in the struct, by its kind:
 *
 *   string, blob   struct sv; ptr NULL: not there
 *   integer        struct shape_integer    \
 *   double         struct shape_double      | zero: not there
 *   boolean        struct shape_boolean     |
 *   timestamp      struct shape_time       /
 *   structure      a pointer to its struct; NULL: not there
 *   list           SHAPE_LIST(type): items in a row, type being what a member
 *                  of that kind would be, but for a structure its struct
 *   map            SHAPE_MAP(type): as a list, with keys beside the values
 *
 * What is read borrows from the parsed document and lives in the arena.
 * Members that the table does not name are ignored, as AWS does; null is the
 * same as not there, but not in a list. Of repeated keys the first counts.
 * Required members, lengths, ranges and sets of words are checked here, with
 * the messages of CloudWatch; all that are broken are told at once, up to
 * SHAPE_FAULTS_MAX. NaN and Inf are refused: no service here takes them.
 */
#ifndef TALLY_CORE_SMITHY_SHAPE_H
#define TALLY_CORE_SMITHY_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/codec/cbor.h"
#include "core/codec/form.h"
#include "core/codec/json.h"

enum {
	SHAPE_DEPTH_MAX = 48,   /* of structures, lists and maps */
	SHAPE_MEMBERS_MAX = 64, /* of one structure */
	SHAPE_FAULTS_MAX = 16,  /* told of one request */
	SHAPE_TEXT_MAX = 4096,  /* bytes of what is told */
	SHAPE_PATH_MAX = 256,   /* bytes of "MetricData.member.1.Unit" */
};

enum shape_kind {
	SHAPE_STRING,
	SHAPE_INTEGER, /* and long */
	SHAPE_DOUBLE,  /* and float */
	SHAPE_BOOLEAN,
	SHAPE_TIMESTAMP,
	SHAPE_BLOB,
	SHAPE_LIST_KIND,
	SHAPE_MAP_KIND,
	SHAPE_STRUCTURE,
};

struct shape_integer {
	int64_t value;
	bool set;
};

struct shape_double {
	double value;
	bool set;
};

struct shape_boolean {
	bool value;
	bool set;
};

struct shape_time {
	int64_t ns;
	bool set;
};

#define SHAPE_LIST(type)                                              \
	struct {                                                      \
		type *items; /* NOLINT(bugprone-macro-parentheses) */ \
		size_t count;                                         \
		bool set; /* it was given, perhaps empty */           \
	}
#define SHAPE_MAP(type)                                                \
	struct {                                                       \
		struct sv *keys;                                       \
		type *values; /* NOLINT(bugprone-macro-parentheses) */ \
		size_t count;                                          \
		bool set;                                              \
	}

/* Which of the two limits of a type count. */
enum { SHAPE_MIN = 1, SHAPE_MAX = 2 };
#define SHAPE_RANGE(low, high) \
	.limits = SHAPE_MIN | SHAPE_MAX, .min = (low), .max = (high)
#define SHAPE_AT_LEAST(low) .limits = SHAPE_MIN, .min = (low)
#define SHAPE_AT_MOST(high) .limits = SHAPE_MAX, .max = (high)

struct shape;

struct shape_type {
	enum shape_kind kind;
	uint8_t limits;   /* SHAPE_MIN, SHAPE_MAX */
	int64_t min, max; /* characters of a string, bytes of a blob, items of
			   * a list or map, value of an integer */
	const char *const *words; /* all a string may be; NULL at the end */
	const struct shape *of;   /* of a structure */
	const struct shape_type *item; /* of a list or map */
	const struct shape_type *key;  /* of a map; NULL: any string */
};

struct shape_member {
	const char *name;
	const char *query; /* in Query forms and XML; NULL: the same */
	const struct shape_type *type;
	uint32_t offset;
	bool required;
};

struct shape {
	const char *name;
	size_t size; /* of the struct */
	const struct shape_member *members;
	size_t member_count;
};

/* A row of a table, and the table's shape. */
#define SHAPE_OPTIONAL(structure, field, name_, type_) \
	{                                              \
		.name = (name_), .type = (type_),      \
		.offset = offsetof(structure, field)   \
	}
#define SHAPE_REQUIRED(structure, field, name_, type_)                 \
	{                                                              \
		.name = (name_), .type = (type_),                      \
		.offset = offsetof(structure, field), .required = true \
	}
#define SHAPE_OF(structure, name_, table)                          \
	{                                                          \
		.name = (name_), .size = sizeof(structure),        \
		.members = (table),                                \
		.member_count = sizeof(table) / sizeof((table)[0]) \
	}

/* Which rule the first broken one is; the error of a service follows. */
enum shape_rule {
	SHAPE_RULE_NONE,
	SHAPE_RULE_KIND,     /* a number where text should be, and so on */
	SHAPE_RULE_REQUIRED, /* not there, or empty where it must not be */
	SHAPE_RULE_LENGTH,
	SHAPE_RULE_RANGE,
	SHAPE_RULE_WORD, /* not in the set */
};

struct shape_fault {
	enum shape_rule rule; /* of the first */
	unsigned count;
	char path[SHAPE_PATH_MAX]; /* of the first */
	size_t text_len;
	char text[SHAPE_TEXT_MAX]; /* a line for each, no newline at the end */
};

/* Fill *out, a struct of shape->size. 0; ERR_INVALID (fault says it all);
 * ERR_LIMIT: nested too deep; ERR_NOMEM. On an error *out is not to be used. */
int shape_read_json(const struct shape *shape, struct json v,
		    struct arena *arena, void *out,
		    struct shape_fault *fault) MUST_USE;
int shape_read_cbor(const struct shape *shape, struct cbor v,
		    struct arena *arena, void *out,
		    struct shape_fault *fault) MUST_USE;
int shape_read_form(const struct shape *shape, struct form v,
		    struct arena *arena, void *out,
		    struct shape_fault *fault) MUST_USE;

/* Write the members of *in that are there; nothing is checked. JSON has times
 * as epoch seconds and blobs as base64, CBOR tag 1 and bytes; XML, which has
 * the members alone and no element around them, ISO 8601 and base64. */
struct json_writer;
struct xml_writer;
void shape_write_json(const struct shape *shape, const void *in,
		      struct json_writer *w);
void shape_write_cbor(const struct shape *shape, const void *in,
		      struct cbor_writer *w);
void shape_write_xml(const struct shape *shape, const void *in,
		     struct xml_writer *w);

#endif
