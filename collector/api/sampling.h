/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's sampling: rules are objects of the catalogue, reservoirs
 * (tracer/reservoir.h) are in memory. The rule Default is always there, matches
 * all, and cannot be deleted; of it only the rate and the reservoir can be set.
 * As long as nobody has, it samples everything, because here a trace costs
 * nothing but its bytes.
 */
#ifndef TALLY_COLLECTOR_API_SAMPLING_H
#define TALLY_COLLECTOR_API_SAMPLING_H

#include "collector/api/control.h"
#include "collector/api/xray_shapes.h"
#include "tracer/reservoir.h"
#include "tracer/sampling.h"

enum {
	SAMPLING_STATISTICS_MAX = 25, /* documents of one call */
	SAMPLING_DEFAULT_RESERVOIR = 100,
};

struct sampling_boost_rule {
	struct shape_double max_rate;
	struct shape_integer cooldown_min;
};
/* SamplingRule and SamplingRuleUpdate; stored. */
struct sampling_rule_value {
	struct sv name, arn, resource_arn;
	struct shape_integer priority;
	struct shape_double fixed_rate;
	struct shape_integer reservoir;
	struct sv service_name, service_type, host, method, path;
	struct shape_integer version;
	SHAPE_MAP(struct sv) attributes;
	struct sampling_boost_rule *boost;
};
struct sampling_record {
	struct sampling_rule_value *rule;
	struct shape_time created, modified;
};
struct sampling_rule_input {
	struct sampling_rule_value *rule;
	SHAPE_LIST(struct xray_tag) tags;
};
struct sampling_name_input {
	struct sv name, arn;
};
struct sampling_record_output {
	struct sampling_record *record;
};
struct sampling_rules_output {
	SHAPE_LIST(struct sampling_record) records;
	struct sv next_token;
};

struct sampling_statistics {
	struct sv rule, client;
	struct shape_time time;
	struct shape_integer requests, sampled, borrowed;
};
struct sampling_boost_statistics {
	struct sv rule, service;
	struct shape_time time;
	struct shape_integer anomalies, total, sampled_anomalies;
};
struct sampling_targets_input {
	SHAPE_LIST(struct sampling_statistics) documents;
	SHAPE_LIST(struct sampling_boost_statistics) boosts;
};
struct sampling_boost {
	struct shape_double rate;
	struct shape_time ttl;
};
struct sampling_target {
	struct sv rule;
	struct shape_double fixed_rate;
	struct shape_integer quota;
	struct shape_time ttl;
	struct shape_integer interval;
	struct sampling_boost *boost;
};
struct sampling_unprocessed {
	struct sv rule, code, message;
};
struct sampling_targets_output {
	SHAPE_LIST(struct sampling_target) targets;
	struct shape_time modified;
	SHAPE_LIST(struct sampling_unprocessed) unprocessed;
	SHAPE_LIST(struct sampling_unprocessed) unprocessed_boosts;
};

struct sampling_summary {
	struct sv rule;
	struct shape_time time;
	struct shape_integer requests, borrowed, sampled;
};
struct sampling_summaries_output {
	SHAPE_LIST(struct sampling_summary) summaries;
	struct sv next_token;
};

extern const struct shape create_rule_shape, update_rule_shape,
	delete_rule_shape, rule_value_shape, record_output_shape,
	rules_output_shape, targets_input_shape, targets_output_shape,
	summaries_output_shape;

/* The rule of this name with what is stored of it; Default always is.
 * ERR_NOT_FOUND. item may be NULL. */
int sampling_rule_find(struct api *a, struct request *r, struct sv name,
		       struct sampling_rule_value *out,
		       struct catalogue_item *item) MUST_USE;
/* 0; ERR_NOT_FOUND. */
int sampling_rule_exists(struct api *a, struct request *r,
			 struct sv name) MUST_USE;
/* All of the caller's rules with Default, in the order in which they are
 * tried. */
int sampling_rules_all(struct api *a, struct request *r,
		       struct sampling_record **out, size_t *count) MUST_USE;
/* When the last of them was made, changed or deleted. */
int sampling_modified(struct api *a, struct request *r,
		      struct shape_time *out) MUST_USE;

#endif
