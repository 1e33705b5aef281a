/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/sampling.h"

static const struct shape_type text_type = { .kind = SHAPE_STRING };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type double_type = { .kind = SHAPE_DOUBLE };
static const struct shape_type integer_type = { .kind = SHAPE_INTEGER };
static const struct shape_type count_type = { .kind = SHAPE_INTEGER,
					      SHAPE_RANGE(0, INT32_MAX) };
static const struct shape_type version_type = { .kind = SHAPE_INTEGER,
						SHAPE_AT_LEAST(1) };
static const struct shape_type priority_type = {
	.kind = SHAPE_INTEGER, SHAPE_RANGE(1, SAMPLING_PRIORITY_MAX)
};
static const struct shape_type rule_name_type = { .kind = SHAPE_STRING,
						  SHAPE_RANGE(1, 32) };
static const struct shape_type service_type = { .kind = SHAPE_STRING,
						SHAPE_AT_MOST(64) };
static const struct shape_type method_type = { .kind = SHAPE_STRING,
					       SHAPE_AT_MOST(10) };
static const struct shape_type path_type = { .kind = SHAPE_STRING,
					     SHAPE_AT_MOST(128) };
static const struct shape_type resource_type = { .kind = SHAPE_STRING,
						 SHAPE_AT_MOST(500) };
static const struct shape_type attribute_type = { .kind = SHAPE_STRING,
						  SHAPE_RANGE(1, 32) };
static const struct shape_type attributes_type = {
	.kind = SHAPE_MAP_KIND,
	SHAPE_AT_MOST(SAMPLING_ATTRIBUTES_MAX),
	.item = &attribute_type,
	.key = &attribute_type
};

/* --- rules ----------------------------------------------------------------------- */

static const struct shape_member boost_rule_members[] = {
	SHAPE_REQUIRED(struct sampling_boost_rule, max_rate, "MaxRate",
		       &double_type),
	SHAPE_REQUIRED(struct sampling_boost_rule, cooldown_min,
		       "CooldownWindowMinutes", &count_type),
};
static const struct shape boost_rule_shape = SHAPE_OF(
	struct sampling_boost_rule, "SamplingRateBoost", boost_rule_members);
static const struct shape_type boost_rule_type = { .kind = SHAPE_STRUCTURE,
						   .of = &boost_rule_shape };

#define RULE(field, name, type) \
	SHAPE_OPTIONAL(struct sampling_rule_value, field, name, type)
#define RULE_REQUIRED(field, name, type) \
	SHAPE_REQUIRED(struct sampling_rule_value, field, name, type)

static const struct shape_member new_rule_members[] = {
	RULE(name, "RuleName", &rule_name_type),
	RULE(arn, "RuleARN", &text_type),
	RULE_REQUIRED(resource_arn, "ResourceARN", &resource_type),
	RULE_REQUIRED(priority, "Priority", &priority_type),
	RULE_REQUIRED(fixed_rate, "FixedRate", &double_type),
	RULE_REQUIRED(reservoir, "ReservoirSize", &count_type),
	RULE_REQUIRED(service_name, "ServiceName", &service_type),
	RULE_REQUIRED(service_type, "ServiceType", &service_type),
	RULE_REQUIRED(host, "Host", &service_type),
	RULE_REQUIRED(method, "HTTPMethod", &method_type),
	RULE_REQUIRED(path, "URLPath", &path_type),
	RULE_REQUIRED(version, "Version", &version_type),
	RULE(attributes, "Attributes", &attributes_type),
	RULE(boost, "SamplingRateBoost", &boost_rule_type),
};
static const struct shape new_rule_shape =
	SHAPE_OF(struct sampling_rule_value, "SamplingRule", new_rule_members);
static const struct shape_type new_rule_type = { .kind = SHAPE_STRUCTURE,
						 .of = &new_rule_shape };
static const struct shape_member rule_update_members[] = {
	RULE(name, "RuleName", &rule_name_type),
	RULE(arn, "RuleARN", &text_type),
	RULE(resource_arn, "ResourceARN", &resource_type),
	RULE(priority, "Priority", &priority_type),
	RULE(fixed_rate, "FixedRate", &double_type),
	RULE(reservoir, "ReservoirSize", &count_type),
	RULE(service_name, "ServiceName", &service_type),
	RULE(service_type, "ServiceType", &service_type),
	RULE(host, "Host", &service_type),
	RULE(method, "HTTPMethod", &method_type),
	RULE(path, "URLPath", &path_type),
	RULE(attributes, "Attributes", &attributes_type),
	RULE(boost, "SamplingRateBoost", &boost_rule_type),
};
static const struct shape rule_update_shape = SHAPE_OF(
	struct sampling_rule_value, "SamplingRuleUpdate", rule_update_members);
static const struct shape_type rule_update_type = { .kind = SHAPE_STRUCTURE,
						    .of = &rule_update_shape };
/* As it is stored and told. */
static const struct shape_member rule_members[] = {
	RULE(name, "RuleName", &text_type),
	RULE(arn, "RuleARN", &text_type),
	RULE(resource_arn, "ResourceARN", &text_type),
	RULE(priority, "Priority", &integer_type),
	RULE(fixed_rate, "FixedRate", &double_type),
	RULE(reservoir, "ReservoirSize", &integer_type),
	RULE(service_name, "ServiceName", &text_type),
	RULE(service_type, "ServiceType", &text_type),
	RULE(host, "Host", &text_type),
	RULE(method, "HTTPMethod", &text_type),
	RULE(path, "URLPath", &text_type),
	RULE(version, "Version", &integer_type),
	RULE(attributes, "Attributes", &attributes_type),
	RULE(boost, "SamplingRateBoost", &boost_rule_type),
};
const struct shape rule_value_shape =
	SHAPE_OF(struct sampling_rule_value, "SamplingRule", rule_members);
static const struct shape_type rule_type = { .kind = SHAPE_STRUCTURE,
					     .of = &rule_value_shape };

static const struct shape_member create_rule_members[] = {
	SHAPE_REQUIRED(struct sampling_rule_input, rule, "SamplingRule",
		       &new_rule_type),
	SHAPE_OPTIONAL(struct sampling_rule_input, tags, "Tags",
		       &xray_tags_type),
};
const struct shape create_rule_shape = SHAPE_OF(struct sampling_rule_input,
						"CreateSamplingRuleRequest",
						create_rule_members);
static const struct shape_member update_rule_members[] = {
	SHAPE_REQUIRED(struct sampling_rule_input, rule, "SamplingRuleUpdate",
		       &rule_update_type),
};
const struct shape update_rule_shape = SHAPE_OF(struct sampling_rule_input,
						"UpdateSamplingRuleRequest",
						update_rule_members);
static const struct shape_member delete_rule_members[] = {
	SHAPE_OPTIONAL(struct sampling_name_input, name, "RuleName",
		       &text_type),
	SHAPE_OPTIONAL(struct sampling_name_input, arn, "RuleARN", &text_type),
};
const struct shape delete_rule_shape = SHAPE_OF(struct sampling_name_input,
						"DeleteSamplingRuleRequest",
						delete_rule_members);

static const struct shape_member record_members[] = {
	SHAPE_OPTIONAL(struct sampling_record, rule, "SamplingRule",
		       &rule_type),
	SHAPE_OPTIONAL(struct sampling_record, created, "CreatedAt",
		       &time_type),
	SHAPE_OPTIONAL(struct sampling_record, modified, "ModifiedAt",
		       &time_type),
};
static const struct shape record_shape =
	SHAPE_OF(struct sampling_record, "SamplingRuleRecord", record_members);
static const struct shape_type record_type = { .kind = SHAPE_STRUCTURE,
					       .of = &record_shape };
static const struct shape_type records_type = { .kind = SHAPE_LIST_KIND,
						.item = &record_type };
static const struct shape_member record_output_members[] = {
	SHAPE_OPTIONAL(struct sampling_record_output, record,
		       "SamplingRuleRecord", &record_type),
};
const struct shape record_output_shape = SHAPE_OF(struct sampling_record_output,
						  "SamplingRuleResult",
						  record_output_members);
static const struct shape_member rules_output_members[] = {
	SHAPE_OPTIONAL(struct sampling_rules_output, records,
		       "SamplingRuleRecords", &records_type),
	SHAPE_OPTIONAL(struct sampling_rules_output, next_token, "NextToken",
		       &text_type),
};
const struct shape rules_output_shape = SHAPE_OF(struct sampling_rules_output,
						 "GetSamplingRulesResult",
						 rules_output_members);

/* --- targets --------------------------------------------------------------------- */

static const struct shape_type client_type = { .kind = SHAPE_STRING,
					       SHAPE_RANGE(24, 24) };
#define STATISTIC(field, name, type) \
	SHAPE_REQUIRED(struct sampling_statistics, field, name, type)
static const struct shape_member statistics_members[] = {
	STATISTIC(rule, "RuleName", &rule_name_type),
	STATISTIC(client, "ClientID", &client_type),
	STATISTIC(time, "Timestamp", &time_type),
	STATISTIC(requests, "RequestCount", &count_type),
	STATISTIC(sampled, "SampledCount", &count_type),
	SHAPE_OPTIONAL(struct sampling_statistics, borrowed, "BorrowCount",
		       &count_type),
};
static const struct shape statistics_shape =
	SHAPE_OF(struct sampling_statistics, "SamplingStatisticsDocument",
		 statistics_members);
static const struct shape_type statistics_type = { .kind = SHAPE_STRUCTURE,
						   .of = &statistics_shape };
static const struct shape_type documents_type = {
	.kind = SHAPE_LIST_KIND,
	SHAPE_AT_MOST(SAMPLING_STATISTICS_MAX),
	.item = &statistics_type
};
#define BOOST(field, name, type) \
	SHAPE_REQUIRED(struct sampling_boost_statistics, field, name, type)
static const struct shape_member boost_statistics_members[] = {
	BOOST(rule, "RuleName", &rule_name_type),
	BOOST(service, "ServiceName", &service_type),
	BOOST(time, "Timestamp", &time_type),
	BOOST(anomalies, "AnomalyCount", &count_type),
	BOOST(total, "TotalCount", &count_type),
	BOOST(sampled_anomalies, "SampledAnomalyCount", &count_type),
};
static const struct shape boost_statistics_shape =
	SHAPE_OF(struct sampling_boost_statistics,
		 "SamplingBoostStatisticsDocument", boost_statistics_members);
static const struct shape_type boost_statistics_type = {
	.kind = SHAPE_STRUCTURE, .of = &boost_statistics_shape
};
static const struct shape_type boosts_type = { .kind = SHAPE_LIST_KIND,
					       SHAPE_AT_MOST(
						       SAMPLING_STATISTICS_MAX),
					       .item = &boost_statistics_type };
static const struct shape_member targets_input_members[] = {
	SHAPE_REQUIRED(struct sampling_targets_input, documents,
		       "SamplingStatisticsDocuments", &documents_type),
	SHAPE_OPTIONAL(struct sampling_targets_input, boosts,
		       "SamplingBoostStatisticsDocuments", &boosts_type),
};
const struct shape targets_input_shape = SHAPE_OF(struct sampling_targets_input,
						  "GetSamplingTargetsRequest",
						  targets_input_members);

static const struct shape_member boost_members[] = {
	SHAPE_OPTIONAL(struct sampling_boost, rate, "BoostRate", &double_type),
	SHAPE_OPTIONAL(struct sampling_boost, ttl, "BoostRateTTL", &time_type),
};
static const struct shape boost_shape =
	SHAPE_OF(struct sampling_boost, "SamplingBoost", boost_members);
static const struct shape_type boost_type = { .kind = SHAPE_STRUCTURE,
					      .of = &boost_shape };
#define TARGET(field, name, type) \
	SHAPE_OPTIONAL(struct sampling_target, field, name, type)
static const struct shape_member target_members[] = {
	TARGET(rule, "RuleName", &text_type),
	TARGET(fixed_rate, "FixedRate", &double_type),
	TARGET(quota, "ReservoirQuota", &integer_type),
	TARGET(ttl, "ReservoirQuotaTTL", &time_type),
	TARGET(interval, "Interval", &integer_type),
	TARGET(boost, "SamplingBoost", &boost_type),
};
static const struct shape target_shape = SHAPE_OF(
	struct sampling_target, "SamplingTargetDocument", target_members);
static const struct shape_type target_type = { .kind = SHAPE_STRUCTURE,
					       .of = &target_shape };
static const struct shape_type targets_type = { .kind = SHAPE_LIST_KIND,
						.item = &target_type };
#define UNPROCESSED(field, name) \
	SHAPE_OPTIONAL(struct sampling_unprocessed, field, name, &text_type)
static const struct shape_member unprocessed_members[] = {
	UNPROCESSED(rule, "RuleName"),
	UNPROCESSED(code, "ErrorCode"),
	UNPROCESSED(message, "Message"),
};
static const struct shape unprocessed_shape =
	SHAPE_OF(struct sampling_unprocessed, "UnprocessedStatistics",
		 unprocessed_members);
static const struct shape_type unprocessed_type = { .kind = SHAPE_STRUCTURE,
						    .of = &unprocessed_shape };
static const struct shape_type unprocessed_list_type = {
	.kind = SHAPE_LIST_KIND, .item = &unprocessed_type
};
static const struct shape_member targets_output_members[] = {
	SHAPE_OPTIONAL(struct sampling_targets_output, targets,
		       "SamplingTargetDocuments", &targets_type),
	SHAPE_OPTIONAL(struct sampling_targets_output, modified,
		       "LastRuleModification", &time_type),
	SHAPE_OPTIONAL(struct sampling_targets_output, unprocessed,
		       "UnprocessedStatistics", &unprocessed_list_type),
	SHAPE_OPTIONAL(struct sampling_targets_output, unprocessed_boosts,
		       "UnprocessedBoostStatistics", &unprocessed_list_type),
};
const struct shape targets_output_shape =
	SHAPE_OF(struct sampling_targets_output, "GetSamplingTargetsResult",
		 targets_output_members);

/* --- summaries ------------------------------------------------------------------- */

#define SUMMARY(field, name, type) \
	SHAPE_OPTIONAL(struct sampling_summary, field, name, type)
static const struct shape_member summary_members[] = {
	SUMMARY(rule, "RuleName", &text_type),
	SUMMARY(time, "Timestamp", &time_type),
	SUMMARY(requests, "RequestCount", &integer_type),
	SUMMARY(borrowed, "BorrowCount", &integer_type),
	SUMMARY(sampled, "SampledCount", &integer_type),
};
static const struct shape summary_shape = SHAPE_OF(
	struct sampling_summary, "SamplingStatisticSummary", summary_members);
static const struct shape_type summary_type = { .kind = SHAPE_STRUCTURE,
						.of = &summary_shape };
static const struct shape_type summaries_type = { .kind = SHAPE_LIST_KIND,
						  .item = &summary_type };
static const struct shape_member summaries_members[] = {
	SHAPE_OPTIONAL(struct sampling_summaries_output, summaries,
		       "SamplingStatisticSummaries", &summaries_type),
	SHAPE_OPTIONAL(struct sampling_summaries_output, next_token,
		       "NextToken", &text_type),
};
const struct shape summaries_output_shape =
	SHAPE_OF(struct sampling_summaries_output,
		 "GetSamplingStatisticSummariesResult", summaries_members);
