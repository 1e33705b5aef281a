/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/xray_shapes.h"

static const char *const encryption_words[] = { "NONE", "KMS", NULL };
static const char *const destination_words[] = { "XRay", "CloudWatchLogs",
						 NULL };

static const struct shape_type text_type = { .kind = SHAPE_STRING };
static const struct shape_type flag_type = { .kind = SHAPE_BOOLEAN };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type double_type = { .kind = SHAPE_DOUBLE };
static const struct shape_type count_type = { .kind = SHAPE_INTEGER,
					      SHAPE_AT_LEAST(0) };
static const struct shape_type arn_type = { .kind = SHAPE_STRING,
					    SHAPE_RANGE(1, 1011) };
static const struct shape_type token_type = { .kind = SHAPE_STRING,
					      SHAPE_RANGE(1, 100) };

/* --- tags ------------------------------------------------------------------------ */

static const struct shape_type tag_key_type = { .kind = SHAPE_STRING,
						SHAPE_RANGE(1, 128) };
static const struct shape_type tag_value_type = { .kind = SHAPE_STRING,
						  SHAPE_AT_MOST(256) };
static const struct shape_member tag_members[] = {
	SHAPE_REQUIRED(struct xray_tag, key, "Key", &tag_key_type),
	SHAPE_REQUIRED(struct xray_tag, value, "Value", &tag_value_type),
};
static const struct shape tag_shape =
	SHAPE_OF(struct xray_tag, "Tag", tag_members);
static const struct shape_type tag_type = { .kind = SHAPE_STRUCTURE,
					    .of = &tag_shape };
const struct shape_type xray_tags_type = { .kind = SHAPE_LIST_KIND,
					   SHAPE_AT_MOST(200),
					   .item = &tag_type };
static const struct shape_type tag_keys_type = { .kind = SHAPE_LIST_KIND,
						 SHAPE_AT_MOST(200),
						 .item = &tag_key_type };

static const struct shape_member tags_members[] = {
	SHAPE_OPTIONAL(struct xray_tags, tags, "Tags", &xray_tags_type),
};
const struct shape tags_shape =
	SHAPE_OF(struct xray_tags, "ListTagsForResourceResponse", tags_members);
static const struct shape_member tag_resource_members[] = {
	SHAPE_REQUIRED(struct tag_input, arn, "ResourceARN", &arn_type),
	SHAPE_REQUIRED(struct tag_input, tags, "Tags", &xray_tags_type),
};
const struct shape tag_resource_shape =
	SHAPE_OF(struct tag_input, "TagResourceRequest", tag_resource_members);
static const struct shape_member untag_resource_members[] = {
	SHAPE_REQUIRED(struct tag_input, arn, "ResourceARN", &arn_type),
	SHAPE_REQUIRED(struct tag_input, keys, "TagKeys", &tag_keys_type),
};
const struct shape untag_resource_shape = SHAPE_OF(
	struct tag_input, "UntagResourceRequest", untag_resource_members);
static const struct shape_member list_tags_members[] = {
	SHAPE_REQUIRED(struct tag_input, arn, "ResourceARN", &arn_type),
	SHAPE_OPTIONAL(struct tag_input, next_token, "NextToken", &text_type),
};
const struct shape list_tags_shape = SHAPE_OF(
	struct tag_input, "ListTagsForResourceRequest", list_tags_members);

/* --- groups ---------------------------------------------------------------------- */

static const struct shape_type group_name_type = { .kind = SHAPE_STRING,
						   SHAPE_RANGE(1, 32) };
static const struct shape_type group_arn_type = { .kind = SHAPE_STRING,
						  SHAPE_RANGE(1, 400) };

static const struct shape_member insights_members[] = {
	SHAPE_OPTIONAL(struct insights_configuration, insights_enabled,
		       "InsightsEnabled", &flag_type),
	SHAPE_OPTIONAL(struct insights_configuration, notifications_enabled,
		       "NotificationsEnabled", &flag_type),
};
static const struct shape insights_shape =
	SHAPE_OF(struct insights_configuration, "InsightsConfiguration",
		 insights_members);
static const struct shape_type insights_type = { .kind = SHAPE_STRUCTURE,
						 .of = &insights_shape };

static const struct shape_member create_group_members[] = {
	SHAPE_REQUIRED(struct group_input, name, "GroupName", &group_name_type),
	SHAPE_OPTIONAL(struct group_input, filter_expression,
		       "FilterExpression", &text_type),
	SHAPE_OPTIONAL(struct group_input, insights, "InsightsConfiguration",
		       &insights_type),
	SHAPE_OPTIONAL(struct group_input, tags, "Tags", &xray_tags_type),
};
const struct shape create_group_shape = SHAPE_OF(
	struct group_input, "CreateGroupRequest", create_group_members);
static const struct shape_member update_group_members[] = {
	SHAPE_OPTIONAL(struct group_input, name, "GroupName", &group_name_type),
	SHAPE_OPTIONAL(struct group_input, arn, "GroupARN", &group_arn_type),
	SHAPE_OPTIONAL(struct group_input, filter_expression,
		       "FilterExpression", &text_type),
	SHAPE_OPTIONAL(struct group_input, insights, "InsightsConfiguration",
		       &insights_type),
};
const struct shape update_group_shape = SHAPE_OF(
	struct group_input, "UpdateGroupRequest", update_group_members);
static const struct shape_member name_group_members[] = {
	SHAPE_OPTIONAL(struct group_input, name, "GroupName", &group_name_type),
	SHAPE_OPTIONAL(struct group_input, arn, "GroupARN", &group_arn_type),
};
const struct shape name_group_shape =
	SHAPE_OF(struct group_input, "GetGroupRequest", name_group_members);

static const struct shape_member group_members[] = {
	SHAPE_OPTIONAL(struct xray_group, name, "GroupName", &text_type),
	SHAPE_OPTIONAL(struct xray_group, arn, "GroupARN", &text_type),
	SHAPE_OPTIONAL(struct xray_group, filter_expression, "FilterExpression",
		       &text_type),
	SHAPE_OPTIONAL(struct xray_group, insights, "InsightsConfiguration",
		       &insights_type),
};
const struct shape group_shape =
	SHAPE_OF(struct xray_group, "Group", group_members);
static const struct shape_type group_type = { .kind = SHAPE_STRUCTURE,
					      .of = &group_shape };
static const struct shape_type groups_type = { .kind = SHAPE_LIST_KIND,
					       .item = &group_type };
static const struct shape_member group_output_members[] = {
	SHAPE_OPTIONAL(struct group_output, group, "Group", &group_type),
};
const struct shape group_output_shape =
	SHAPE_OF(struct group_output, "GroupResult", group_output_members);
static const struct shape_member groups_output_members[] = {
	SHAPE_OPTIONAL(struct groups_output, groups, "Groups", &groups_type),
	SHAPE_OPTIONAL(struct groups_output, next_token, "NextToken",
		       &text_type),
};
const struct shape groups_output_shape = SHAPE_OF(
	struct groups_output, "GetGroupsResult", groups_output_members);
static const struct shape_member get_groups_members[] = {
	SHAPE_OPTIONAL(struct page_input, next_token, "NextToken", &token_type),
};
const struct shape get_groups_shape =
	SHAPE_OF(struct page_input, "GetGroupsRequest", get_groups_members);
static const struct shape_member page_members[] = {
	SHAPE_OPTIONAL(struct page_input, next_token, "NextToken", &text_type),
};
const struct shape page_input_shape =
	SHAPE_OF(struct page_input, "PageRequest", page_members);
const struct shape empty_shape = { .name = "EmptyRequest",
				   .size = sizeof(struct page_input) };

/* --- resource policies ----------------------------------------------------------- */

static const struct shape_type policy_name_type = { .kind = SHAPE_STRING,
						    SHAPE_RANGE(1, 128) };
static const struct shape_member put_policy_members[] = {
	SHAPE_REQUIRED(struct policy_input, name, "PolicyName",
		       &policy_name_type),
	SHAPE_REQUIRED(struct policy_input, document, "PolicyDocument",
		       &text_type),
	SHAPE_OPTIONAL(struct policy_input, revision_id, "PolicyRevisionId",
		       &text_type),
	SHAPE_OPTIONAL(struct policy_input, bypass, "BypassPolicyLockoutCheck",
		       &flag_type),
};
const struct shape put_policy_shape = SHAPE_OF(
	struct policy_input, "PutResourcePolicyRequest", put_policy_members);
static const struct shape_member delete_policy_members[] = {
	SHAPE_REQUIRED(struct policy_input, name, "PolicyName",
		       &policy_name_type),
	SHAPE_OPTIONAL(struct policy_input, revision_id, "PolicyRevisionId",
		       &text_type),
};
const struct shape delete_policy_shape = SHAPE_OF(struct policy_input,
						  "DeleteResourcePolicyRequest",
						  delete_policy_members);
const struct shape list_policies_shape = SHAPE_OF(
	struct page_input, "ListResourcePoliciesRequest", get_groups_members);
static const struct shape_member policy_members[] = {
	SHAPE_OPTIONAL(struct resource_policy, name, "PolicyName", &text_type),
	SHAPE_OPTIONAL(struct resource_policy, document, "PolicyDocument",
		       &text_type),
	SHAPE_OPTIONAL(struct resource_policy, revision_id, "PolicyRevisionId",
		       &text_type),
	SHAPE_OPTIONAL(struct resource_policy, updated, "LastUpdatedTime",
		       &time_type),
};
const struct shape policy_shape =
	SHAPE_OF(struct resource_policy, "ResourcePolicy", policy_members);
static const struct shape_type policy_type = { .kind = SHAPE_STRUCTURE,
					       .of = &policy_shape };
static const struct shape_type policies_type = { .kind = SHAPE_LIST_KIND,
						 .item = &policy_type };
static const struct shape_member policy_output_members[] = {
	SHAPE_OPTIONAL(struct policy_output, policy, "ResourcePolicy",
		       &policy_type),
};
const struct shape policy_output_shape = SHAPE_OF(
	struct policy_output, "PutResourcePolicyResult", policy_output_members);
static const struct shape_member policies_output_members[] = {
	SHAPE_OPTIONAL(struct policies_output, policies, "ResourcePolicies",
		       &policies_type),
	SHAPE_OPTIONAL(struct policies_output, next_token, "NextToken",
		       &text_type),
};
const struct shape policies_output_shape =
	SHAPE_OF(struct policies_output, "ListResourcePoliciesResult",
		 policies_output_members);

/* --- encryption ------------------------------------------------------------------ */

static const struct shape_type key_id_type = { .kind = SHAPE_STRING,
					       SHAPE_RANGE(1, 3000) };
static const struct shape_type encryption_word_type = {
	.kind = SHAPE_STRING, .words = encryption_words
};
static const struct shape_member put_encryption_members[] = {
	SHAPE_OPTIONAL(struct encryption_config, key_id, "KeyId", &key_id_type),
	SHAPE_REQUIRED(struct encryption_config, type, "Type",
		       &encryption_word_type),
};
const struct shape put_encryption_shape = SHAPE_OF(struct encryption_config,
						   "PutEncryptionConfigRequest",
						   put_encryption_members);
static const struct shape_member encryption_members[] = {
	SHAPE_OPTIONAL(struct encryption_config, key_id, "KeyId", &text_type),
	SHAPE_OPTIONAL(struct encryption_config, status, "Status", &text_type),
	SHAPE_OPTIONAL(struct encryption_config, type, "Type", &text_type),
};
const struct shape encryption_shape = SHAPE_OF(
	struct encryption_config, "EncryptionConfig", encryption_members);
static const struct shape_type encryption_type = { .kind = SHAPE_STRUCTURE,
						   .of = &encryption_shape };
static const struct shape_member encryption_output_members[] = {
	SHAPE_OPTIONAL(struct encryption_output, config, "EncryptionConfig",
		       &encryption_type),
};
const struct shape encryption_output_shape =
	SHAPE_OF(struct encryption_output, "EncryptionConfigResult",
		 encryption_output_members);

/* --- indexing rules -------------------------------------------------------------- */

static const struct shape_member probabilistic_members[] = {
	SHAPE_REQUIRED(struct probabilistic_rule, desired,
		       "DesiredSamplingPercentage", &double_type),
	SHAPE_OPTIONAL(struct probabilistic_rule, actual,
		       "ActualSamplingPercentage", &double_type),
};
static const struct shape probabilistic_shape =
	SHAPE_OF(struct probabilistic_rule, "ProbabilisticRuleValue",
		 probabilistic_members);
static const struct shape_type probabilistic_type = {
	.kind = SHAPE_STRUCTURE, .of = &probabilistic_shape
};
static const struct shape_member indexing_value_members[] = {
	SHAPE_OPTIONAL(struct indexing_value, probabilistic, "Probabilistic",
		       &probabilistic_type),
};
static const struct shape indexing_value_shape = SHAPE_OF(
	struct indexing_value, "IndexingRuleValue", indexing_value_members);
static const struct shape_type indexing_value_type = {
	.kind = SHAPE_STRUCTURE, .of = &indexing_value_shape
};
static const struct shape_member update_indexing_members[] = {
	SHAPE_REQUIRED(struct indexing_input, name, "Name", &text_type),
	SHAPE_REQUIRED(struct indexing_input, rule, "Rule",
		       &indexing_value_type),
};
const struct shape update_indexing_shape = SHAPE_OF(struct indexing_input,
						    "UpdateIndexingRuleRequest",
						    update_indexing_members);
static const struct shape_member indexing_rule_members[] = {
	SHAPE_OPTIONAL(struct indexing_rule, name, "Name", &text_type),
	SHAPE_OPTIONAL(struct indexing_rule, modified, "ModifiedAt",
		       &time_type),
	SHAPE_OPTIONAL(struct indexing_rule, rule, "Rule",
		       &indexing_value_type),
};
const struct shape indexing_rule_shape =
	SHAPE_OF(struct indexing_rule, "IndexingRule", indexing_rule_members);
static const struct shape_type indexing_rule_type = {
	.kind = SHAPE_STRUCTURE, .of = &indexing_rule_shape
};
static const struct shape_type indexing_rules_type = {
	.kind = SHAPE_LIST_KIND, .item = &indexing_rule_type
};
static const struct shape_member indexing_output_members[] = {
	SHAPE_OPTIONAL(struct indexing_output, rule, "IndexingRule",
		       &indexing_rule_type),
};
const struct shape indexing_output_shape = SHAPE_OF(struct indexing_output,
						    "UpdateIndexingRuleResult",
						    indexing_output_members);
static const struct shape_member indexing_list_members[] = {
	SHAPE_OPTIONAL(struct indexing_list_output, rules, "IndexingRules",
		       &indexing_rules_type),
	SHAPE_OPTIONAL(struct indexing_list_output, next_token, "NextToken",
		       &text_type),
};
const struct shape indexing_list_shape = SHAPE_OF(struct indexing_list_output,
						  "GetIndexingRulesResult",
						  indexing_list_members);

/* --- segment destination --------------------------------------------------------- */

static const struct shape_type destination_type = {
	.kind = SHAPE_STRING, .words = destination_words
};
static const struct shape_member destination_input_members[] = {
	SHAPE_OPTIONAL(struct segment_destination, destination, "Destination",
		       &destination_type),
};
const struct shape destination_input_shape = SHAPE_OF(
	struct segment_destination, "UpdateTraceSegmentDestinationRequest",
	destination_input_members);
static const struct shape_member destination_members[] = {
	SHAPE_OPTIONAL(struct segment_destination, destination, "Destination",
		       &text_type),
	SHAPE_OPTIONAL(struct segment_destination, status, "Status",
		       &text_type),
};
const struct shape destination_shape = SHAPE_OF(struct segment_destination,
						"TraceSegmentDestinationResult",
						destination_members);

/* --- telemetry ------------------------------------------------------------------- */

static const struct shape_type instance_type = { .kind = SHAPE_STRING,
						 SHAPE_AT_MOST(20) };
static const struct shape_type hostname_type = { .kind = SHAPE_STRING,
						 SHAPE_AT_MOST(255) };
static const struct shape_type resource_type = { .kind = SHAPE_STRING,
						 SHAPE_AT_MOST(500) };
static const struct shape_member telemetry_record_members[] = {
	SHAPE_REQUIRED(struct telemetry_record, time, "Timestamp", &time_type),
	SHAPE_OPTIONAL(struct telemetry_record, received,
		       "SegmentsReceivedCount", &count_type),
	SHAPE_OPTIONAL(struct telemetry_record, sent, "SegmentsSentCount",
		       &count_type),
	SHAPE_OPTIONAL(struct telemetry_record, spillover,
		       "SegmentsSpilloverCount", &count_type),
	SHAPE_OPTIONAL(struct telemetry_record, rejected,
		       "SegmentsRejectedCount", &count_type),
};
static const struct shape telemetry_record_shape = SHAPE_OF(
	struct telemetry_record, "TelemetryRecord", telemetry_record_members);
static const struct shape_type telemetry_record_type = {
	.kind = SHAPE_STRUCTURE, .of = &telemetry_record_shape
};
static const struct shape_type telemetry_records_type = {
	.kind = SHAPE_LIST_KIND, .item = &telemetry_record_type
};
static const struct shape_member telemetry_members[] = {
	SHAPE_REQUIRED(struct telemetry_input, records, "TelemetryRecords",
		       &telemetry_records_type),
	SHAPE_OPTIONAL(struct telemetry_input, instance_id, "EC2InstanceId",
		       &instance_type),
	SHAPE_OPTIONAL(struct telemetry_input, hostname, "Hostname",
		       &hostname_type),
	SHAPE_OPTIONAL(struct telemetry_input, resource_arn, "ResourceARN",
		       &resource_type),
};
const struct shape telemetry_shape = SHAPE_OF(struct telemetry_input,
					      "PutTelemetryRecordsRequest",
					      telemetry_members);
