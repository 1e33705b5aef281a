/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's sampling rules: which of them is for a request. Rules go by priority,
 * ascending, those of one priority by name; the first that matches decides.
 * SDKs match by themselves; this is for those who want to know what they will
 * come to, and for tests.
 *
 * Patterns have * for any text and ? for one character (of UTF-8), and do not
 * tell a from A, as in X-Ray's SDKs. A request that lacks what a pattern is about matches "*" alone; an
 * attribute of a rule must be there.
 */
#ifndef TALLY_TRACER_SAMPLING_H
#define TALLY_TRACER_SAMPLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"

enum {
	SAMPLING_RULES_MAX =
		25, /* X-Ray: of an account and region, + Default */
	SAMPLING_ATTRIBUTES_MAX = 5,
	SAMPLING_PRIORITY_MAX = 9999,
	SAMPLING_DEFAULT_PRIORITY = 10000,
};

struct sampling_attribute {
	struct sv key, value; /* of a rule the value is a pattern */
};

struct sampling_rule {
	struct sv name;
	uint32_t priority;
	double fixed_rate;
	uint32_t reservoir; /* requests a second */
	struct sv service_name, service_type, host, method, path, resource_arn;
	struct sampling_attribute attributes[SAMPLING_ATTRIBUTES_MAX];
	size_t attribute_count;
};

/* What is not known is empty. */
struct sampling_request {
	struct sv service_name, service_type, host, method, path, resource_arn;
	const struct sampling_attribute *attributes;
	size_t attribute_count;
};

bool sampling_pattern_matches(struct sv pattern, struct sv text);
bool sampling_rule_matches(const struct sampling_rule *rule,
			   const struct sampling_request *request);
/* <0, 0, >0: for sorting them as they are tried. */
int sampling_rule_compare(const struct sampling_rule *a,
			  const struct sampling_rule *b);
/* The first that matches, of rules in any order; NULL: none does. */
const struct sampling_rule *
sampling_choose(const struct sampling_rule *rules, size_t count,
		const struct sampling_request *request);

#endif
