/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/cloudwatch_shapes.h"

static const char *const unit_words[] = { "Seconds",
					  "Microseconds",
					  "Milliseconds",
					  "Bytes",
					  "Kilobytes",
					  "Megabytes",
					  "Gigabytes",
					  "Terabytes",
					  "Bits",
					  "Kilobits",
					  "Megabits",
					  "Gigabits",
					  "Terabits",
					  "Percent",
					  "Count",
					  "Bytes/Second",
					  "Kilobytes/Second",
					  "Megabytes/Second",
					  "Gigabytes/Second",
					  "Terabytes/Second",
					  "Bits/Second",
					  "Kilobits/Second",
					  "Megabits/Second",
					  "Gigabits/Second",
					  "Terabits/Second",
					  "Count/Second",
					  "None",
					  NULL };
static const char *const statistic_words[] = { "SampleCount", "Average", "Sum",
					       "Minimum",     "Maximum", NULL };
static const char *const active_words[] = { "PT3H", NULL };

static const struct shape_type text_type = { .kind = SHAPE_STRING };
static const struct shape_type flag_type = { .kind = SHAPE_BOOLEAN };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type double_type = { .kind = SHAPE_DOUBLE };
static const struct shape_type positive_type = { .kind = SHAPE_INTEGER,
						 SHAPE_AT_LEAST(1) };
static const struct shape_type name_type = { .kind = SHAPE_STRING,
					     SHAPE_RANGE(1, 255) };
static const struct shape_type value_type = { .kind = SHAPE_STRING,
					      SHAPE_RANGE(1, 1024) };
static const struct shape_type unit_type = { .kind = SHAPE_STRING,
					     .words = unit_words };
static const struct shape_type statistic_type = { .kind = SHAPE_STRING,
						  .words = statistic_words };
static const struct shape_type active_type = { .kind = SHAPE_STRING,
					       .words = active_words };

static const struct shape_member dimension_members[] = {
	SHAPE_REQUIRED(struct dimension, name, "Name", &name_type),
	SHAPE_REQUIRED(struct dimension, value, "Value", &value_type),
};
static const struct shape dimension_shape =
	SHAPE_OF(struct dimension, "Dimension", dimension_members);
static const struct shape_type dimension_type = { .kind = SHAPE_STRUCTURE,
						  .of = &dimension_shape };
static const struct shape_type dimensions_type = { .kind = SHAPE_LIST_KIND,
						   SHAPE_AT_MOST(30),
						   .item = &dimension_type };

static const struct shape_member filter_members[] = {
	SHAPE_REQUIRED(struct dimension, name, "Name", &name_type),
	SHAPE_OPTIONAL(struct dimension, value, "Value", &value_type),
};
static const struct shape filter_shape =
	SHAPE_OF(struct dimension, "DimensionFilter", filter_members);
static const struct shape_type filter_type = { .kind = SHAPE_STRUCTURE,
					       .of = &filter_shape };
static const struct shape_type filters_type = { .kind = SHAPE_LIST_KIND,
						SHAPE_AT_MOST(10),
						.item = &filter_type };

static const struct shape_member statistic_set_members[] = {
	SHAPE_REQUIRED(struct statistic_set, sample_count, "SampleCount",
		       &double_type),
	SHAPE_REQUIRED(struct statistic_set, sum, "Sum", &double_type),
	SHAPE_REQUIRED(struct statistic_set, minimum, "Minimum", &double_type),
	SHAPE_REQUIRED(struct statistic_set, maximum, "Maximum", &double_type),
};
static const struct shape statistic_set_shape =
	SHAPE_OF(struct statistic_set, "StatisticSet", statistic_set_members);
static const struct shape_type statistic_set_type = {
	.kind = SHAPE_STRUCTURE, .of = &statistic_set_shape
};
static const struct shape_type doubles_type = { .kind = SHAPE_LIST_KIND,
						SHAPE_AT_MOST(150),
						.item = &double_type };

static const struct shape_member datum_members[] = {
	SHAPE_REQUIRED(struct metric_datum, metric_name, "MetricName",
		       &name_type),
	SHAPE_OPTIONAL(struct metric_datum, dimensions, "Dimensions",
		       &dimensions_type),
	SHAPE_OPTIONAL(struct metric_datum, timestamp, "Timestamp", &time_type),
	SHAPE_OPTIONAL(struct metric_datum, value, "Value", &double_type),
	SHAPE_OPTIONAL(struct metric_datum, statistic_values, "StatisticValues",
		       &statistic_set_type),
	SHAPE_OPTIONAL(struct metric_datum, values, "Values", &doubles_type),
	SHAPE_OPTIONAL(struct metric_datum, counts, "Counts", &doubles_type),
	SHAPE_OPTIONAL(struct metric_datum, unit, "Unit", &unit_type),
	SHAPE_OPTIONAL(struct metric_datum, storage_resolution,
		       "StorageResolution", &positive_type),
};
const struct shape metric_datum_shape =
	SHAPE_OF(struct metric_datum, "MetricDatum", datum_members);
static const struct shape_type datum_type = { .kind = SHAPE_STRUCTURE,
					      .of = &metric_datum_shape };
static const struct shape_type data_type = { .kind = SHAPE_LIST_KIND,
					     SHAPE_AT_MOST(1000),
					     .item = &datum_type };

static const struct shape_type attribute_key_type = { .kind = SHAPE_STRING,
						      SHAPE_RANGE(1, 256) };
static const struct shape_type attribute_value_type = { .kind = SHAPE_STRING,
							SHAPE_RANGE(1, 2048) };
static const struct shape_type key_attributes_type = {
	.kind = SHAPE_MAP_KIND,
	SHAPE_RANGE(2, 4),
	.item = &attribute_value_type,
	.key = &attribute_key_type
};
static const struct shape_type attributes_type = {
	.kind = SHAPE_MAP_KIND,
	SHAPE_AT_MOST(10),
	.item = &attribute_value_type,
	.key = &attribute_key_type
};
static const struct shape_member entity_members[] = {
	SHAPE_OPTIONAL(struct entity, key_attributes, "KeyAttributes",
		       &key_attributes_type),
	SHAPE_OPTIONAL(struct entity, attributes, "Attributes",
		       &attributes_type),
};
static const struct shape entity_shape =
	SHAPE_OF(struct entity, "Entity", entity_members);
static const struct shape_type entity_type = { .kind = SHAPE_STRUCTURE,
					       .of = &entity_shape };
static const struct shape_member entity_data_members[] = {
	SHAPE_OPTIONAL(struct entity_metric_data, entity, "Entity",
		       &entity_type),
	SHAPE_OPTIONAL(struct entity_metric_data, metric_data, "MetricData",
		       &data_type),
};
static const struct shape entity_data_shape = SHAPE_OF(
	struct entity_metric_data, "EntityMetricData", entity_data_members);
static const struct shape_type entity_data_type = { .kind = SHAPE_STRUCTURE,
						    .of = &entity_data_shape };
static const struct shape_type entity_list_type = { .kind = SHAPE_LIST_KIND,
						    SHAPE_AT_MOST(2),
						    .item = &entity_data_type };

static const struct shape_member put_metric_data_members[] = {
	SHAPE_REQUIRED(struct put_metric_data, namespace, "Namespace",
		       &name_type),
	SHAPE_OPTIONAL(struct put_metric_data, metric_data, "MetricData",
		       &data_type),
	SHAPE_OPTIONAL(struct put_metric_data, entity_metric_data,
		       "EntityMetricData", &entity_list_type),
	SHAPE_OPTIONAL(struct put_metric_data, strict_entity_validation,
		       "StrictEntityValidation", &flag_type),
};
const struct shape put_metric_data_shape = SHAPE_OF(
	struct put_metric_data, "PutMetricDataInput", put_metric_data_members);

static const struct shape_member list_metrics_members[] = {
	SHAPE_OPTIONAL(struct list_metrics, namespace, "Namespace", &name_type),
	SHAPE_OPTIONAL(struct list_metrics, metric_name, "MetricName",
		       &name_type),
	SHAPE_OPTIONAL(struct list_metrics, dimensions, "Dimensions",
		       &filters_type),
	SHAPE_OPTIONAL(struct list_metrics, next_token, "NextToken",
		       &text_type),
	SHAPE_OPTIONAL(struct list_metrics, recently_active, "RecentlyActive",
		       &active_type),
	SHAPE_OPTIONAL(struct list_metrics, include_linked_accounts,
		       "IncludeLinkedAccounts", &flag_type),
	SHAPE_OPTIONAL(struct list_metrics, owning_account, "OwningAccount",
		       &name_type),
};
const struct shape list_metrics_shape =
	SHAPE_OF(struct list_metrics, "ListMetricsInput", list_metrics_members);

static const struct shape_member metric_members[] = {
	SHAPE_OPTIONAL(struct metric, namespace, "Namespace", &name_type),
	SHAPE_OPTIONAL(struct metric, metric_name, "MetricName", &name_type),
	SHAPE_OPTIONAL(struct metric, dimensions, "Dimensions",
		       &dimensions_type),
};
static const struct shape metric_shape =
	SHAPE_OF(struct metric, "Metric", metric_members);
static const struct shape_type metric_type = { .kind = SHAPE_STRUCTURE,
					       .of = &metric_shape };
static const struct shape_type metrics_type = { .kind = SHAPE_LIST_KIND,
						.item = &metric_type };
static const struct shape_type accounts_type = { .kind = SHAPE_LIST_KIND,
						 .item = &name_type };
static const struct shape_member list_metrics_output_members[] = {
	SHAPE_OPTIONAL(struct list_metrics_output, metrics, "Metrics",
		       &metrics_type),
	SHAPE_OPTIONAL(struct list_metrics_output, next_token, "NextToken",
		       &text_type),
	SHAPE_OPTIONAL(struct list_metrics_output, owning_accounts,
		       "OwningAccounts", &accounts_type),
};
const struct shape list_metrics_output_shape =
	SHAPE_OF(struct list_metrics_output, "ListMetricsOutput",
		 list_metrics_output_members);

static const struct shape_type statistics_type = { .kind = SHAPE_LIST_KIND,
						   SHAPE_RANGE(1, 5),
						   .item = &statistic_type };
static const struct shape_type extended_type = { .kind = SHAPE_LIST_KIND,
						 SHAPE_RANGE(1, 10),
						 .item = &text_type };
static const struct shape_member get_statistics_members[] = {
	SHAPE_REQUIRED(struct get_metric_statistics, namespace, "Namespace",
		       &name_type),
	SHAPE_REQUIRED(struct get_metric_statistics, metric_name, "MetricName",
		       &name_type),
	SHAPE_OPTIONAL(struct get_metric_statistics, dimensions, "Dimensions",
		       &dimensions_type),
	SHAPE_REQUIRED(struct get_metric_statistics, start_time, "StartTime",
		       &time_type),
	SHAPE_REQUIRED(struct get_metric_statistics, end_time, "EndTime",
		       &time_type),
	SHAPE_REQUIRED(struct get_metric_statistics, period, "Period",
		       &positive_type),
	SHAPE_OPTIONAL(struct get_metric_statistics, statistics, "Statistics",
		       &statistics_type),
	SHAPE_OPTIONAL(struct get_metric_statistics, extended_statistics,
		       "ExtendedStatistics", &extended_type),
	SHAPE_OPTIONAL(struct get_metric_statistics, unit, "Unit", &unit_type),
};
const struct shape get_statistics_shape = SHAPE_OF(struct get_metric_statistics,
						   "GetMetricStatisticsInput",
						   get_statistics_members);

static const struct shape_type percentiles_type = { .kind = SHAPE_MAP_KIND,
						    .item = &double_type };
static const struct shape_member datapoint_members[] = {
	SHAPE_OPTIONAL(struct datapoint, timestamp, "Timestamp", &time_type),
	SHAPE_OPTIONAL(struct datapoint, sample_count, "SampleCount",
		       &double_type),
	SHAPE_OPTIONAL(struct datapoint, average, "Average", &double_type),
	SHAPE_OPTIONAL(struct datapoint, sum, "Sum", &double_type),
	SHAPE_OPTIONAL(struct datapoint, minimum, "Minimum", &double_type),
	SHAPE_OPTIONAL(struct datapoint, maximum, "Maximum", &double_type),
	SHAPE_OPTIONAL(struct datapoint, unit, "Unit", &unit_type),
	SHAPE_OPTIONAL(struct datapoint, extended_statistics,
		       "ExtendedStatistics", &percentiles_type),
};
static const struct shape datapoint_shape =
	SHAPE_OF(struct datapoint, "Datapoint", datapoint_members);
static const struct shape_type datapoint_type = { .kind = SHAPE_STRUCTURE,
						  .of = &datapoint_shape };
static const struct shape_type datapoints_type = { .kind = SHAPE_LIST_KIND,
						   .item = &datapoint_type };
static const struct shape_member get_statistics_output_members[] = {
	SHAPE_OPTIONAL(struct get_metric_statistics_output, label, "Label",
		       &text_type),
	SHAPE_OPTIONAL(struct get_metric_statistics_output, datapoints,
		       "Datapoints", &datapoints_type),
};
const struct shape get_statistics_output_shape =
	SHAPE_OF(struct get_metric_statistics_output,
		 "GetMetricStatisticsOutput", get_statistics_output_members);
