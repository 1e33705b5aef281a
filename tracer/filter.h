/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filter expressions: X-Ray's language to select traces ("Using filter
 * expressions" of its guide; the grammar is in docs/filter.md).
 *
 *   ok !partial duration <3
 *   service("api.example.com") { fault OR responsetime > 2.5 }
 *   edge(id(type: "AWS::Lambda"), "db") { error } AND annotation.user = "a"
 *   rootcause.fault.exception { last and message CONTAINS "denied" }
 *
 * Outside of braces a keyword speaks of the trace's root segment, so that an
 * error which a service handled is not the trace's; user, availabilityzone,
 * instance.id, resource.arn and annotations speak of any segment. In the
 * braces of service() and edge() it speaks of one segment of that node, or one
 * call over that edge; in those of a root cause, of one element of its list.
 * What is not there equals nothing and differs from nothing: http.status !=
 * 200 does not select a trace without a status; "x" alone asks whether it is
 * there.
 *
 * An expression is parsed once to a flat tree in an arena, with every limit
 * checked; filter_match is pure. Borne are the slips of the guide's own
 * examples: a value without quotes, a brace that is missing at the end.
 */
#ifndef TALLY_TRACER_FILTER_H
#define TALLY_TRACER_FILTER_H

#include "tracer/facts.h"

enum {
	FILTER_TEXT_MAX = 8192, /* bytes of an expression */
	FILTER_NODES_MAX = 256, /* with those of its groups */
	FILTER_DEPTH_MAX = 32,  /* of brackets, braces and ! */
	FILTER_GROUPS_MAX = 4,  /* of groups whose expression names a group */
};

/* The expression of a group, by its name or its ARN (ptr of the other is NULL).
 * False: there is no such group. What it gives must outlive the filter. */
typedef bool filter_group_fn(void *arg, struct sv name, struct sv arn,
			     struct sv *expression);

struct filter_groups {
	filter_group_fn *find;
	void *arg;
};

struct filter_node;

struct filter {
	const struct filter_node *nodes;
	uint32_t count; /* 0: it selects every trace */
	uint32_t root;
	size_t error_at; /* after an error: the byte it is at, from 0 */
};

/* Parses text, which must outlive *f, as arena must. groups NULL: none are
 * known. ERR_SYNTAX, ERR_LIMIT, ERR_NOT_FOUND (a group): diag->text says where
 * ("at character 12"), what was expected and what was found. ERR_NOMEM. */
int filter_parse(struct filter *f, struct sv text,
		 const struct filter_groups *groups, struct arena *arena,
		 struct diag *diag) MUST_USE;

/* Whether the trace is selected. Look at facts->failed. */
bool filter_match(const struct filter *f, struct facts *facts);

/* What is known of a trace before its documents are read. */
struct filter_hint {
	int64_t duration_ns;
	enum segment_status status; /* of the root */
	bool partial;
	const struct sv *names; /* of its segments; perhaps not all */
	size_t name_count;
};

/* Ordered so that `and` is the smaller and `or` the greater. */
enum filter_guess { FILTER_NO, FILTER_MAYBE, FILTER_YES };

/* What the answer will be, as far as the hint tells. */
enum filter_guess filter_guess(const struct filter *f,
			       const struct filter_hint *hint);

#endif
