/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes of X-Ray's control plane but sampling, after its public model of
 * 2016-04-12. What the catalogue stores are these too.
 */
#ifndef TALLY_COLLECTOR_API_XRAY_SHAPES_H
#define TALLY_COLLECTOR_API_XRAY_SHAPES_H

#include "core/smithy/shape.h"

struct xray_tag {
	struct sv key, value;
};
/* Stored, under the ARN that they are of. */
struct xray_tags {
	SHAPE_LIST(struct xray_tag) tags;
};

struct insights_configuration {
	struct shape_boolean insights_enabled, notifications_enabled;
};
/* Stored. */
struct xray_group {
	struct sv name, arn, filter_expression;
	struct insights_configuration *insights;
};
/* CreateGroup, UpdateGroup, DeleteGroup, GetGroup: what each has of it. */
struct group_input {
	struct sv name, arn, filter_expression;
	struct insights_configuration *insights;
	SHAPE_LIST(struct xray_tag) tags;
};
struct group_output {
	struct xray_group *group;
};
struct groups_output {
	SHAPE_LIST(struct xray_group) groups;
	struct sv next_token;
};

/* Of all that have no other member. */
struct page_input {
	struct sv next_token;
};

struct tag_input {
	struct sv arn;
	SHAPE_LIST(struct xray_tag) tags;
	SHAPE_LIST(struct sv) keys;
	struct sv next_token;
};

/* Stored, but for what is of its item. */
struct resource_policy {
	struct sv name, document, revision_id;
	struct shape_time updated;
};
struct policy_input {
	struct sv name, document, revision_id;
	struct shape_boolean bypass;
};
struct policy_output {
	struct resource_policy *policy;
};
struct policies_output {
	SHAPE_LIST(struct resource_policy) policies;
	struct sv next_token;
};

/* Stored. */
struct encryption_config {
	struct sv key_id, status, type;
};
struct encryption_output {
	struct encryption_config *config;
};

struct probabilistic_rule {
	struct shape_double desired, actual;
};
struct indexing_value {
	struct probabilistic_rule *probabilistic;
};
/* Stored, but for what is of its item. */
struct indexing_rule {
	struct sv name;
	struct shape_time modified;
	struct indexing_value *rule;
};
struct indexing_input {
	struct sv name;
	struct indexing_value *rule;
};
struct indexing_output {
	struct indexing_rule *rule;
};
struct indexing_list_output {
	SHAPE_LIST(struct indexing_rule) rules;
	struct sv next_token;
};

/* Stored. */
struct segment_destination {
	struct sv destination, status;
};

struct telemetry_record {
	struct shape_time time;
	struct shape_integer received, sent, spillover, rejected;
};
struct telemetry_input {
	SHAPE_LIST(struct telemetry_record) records;
	struct sv instance_id, hostname, resource_arn;
};

extern const struct shape create_group_shape, update_group_shape,
	name_group_shape, group_shape, group_output_shape, get_groups_shape,
	groups_output_shape, page_input_shape, empty_shape;
extern const struct shape tag_resource_shape, untag_resource_shape,
	list_tags_shape, tags_shape;
extern const struct shape put_policy_shape, delete_policy_shape,
	list_policies_shape, policy_shape, policy_output_shape,
	policies_output_shape;
extern const struct shape put_encryption_shape, encryption_shape,
	encryption_output_shape;
extern const struct shape update_indexing_shape, indexing_rule_shape,
	indexing_output_shape, indexing_list_shape;
extern const struct shape destination_input_shape, destination_shape;
extern const struct shape telemetry_shape;
extern const struct shape_type xray_tags_type;

#endif
