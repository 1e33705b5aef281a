/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/xray_map_shapes.h"

static const struct shape_type text_type = { .kind = SHAPE_STRING };
static const struct shape_type flag_type = { .kind = SHAPE_BOOLEAN };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type double_type = { .kind = SHAPE_DOUBLE };
static const struct shape_type integer_type = { .kind = SHAPE_INTEGER };
static const struct shape_type texts_type = { .kind = SHAPE_LIST_KIND,
					      .item = &text_type };
static const struct shape_type group_name_type = { .kind = SHAPE_STRING,
						   SHAPE_RANGE(1, 32) };
static const struct shape_type group_arn_type = { .kind = SHAPE_STRING,
						  SHAPE_RANGE(1, 400) };
static const struct shape_type selector_type = { .kind = SHAPE_STRING,
						 SHAPE_RANGE(1, 500) };
static const struct shape_type trace_id_type = { .kind = SHAPE_STRING,
						 SHAPE_RANGE(1, 35) };
static const struct shape_type trace_ids_type = { .kind = SHAPE_LIST_KIND,
						  .item = &trace_id_type };

static const struct shape_member entry_members[] = {
	SHAPE_OPTIONAL(struct xray_histogram_entry, value, "Value",
		       &double_type),
	SHAPE_OPTIONAL(struct xray_histogram_entry, count, "Count",
		       &integer_type),
};
static const struct shape entry_shape =
	SHAPE_OF(struct xray_histogram_entry, "HistogramEntry", entry_members);
static const struct shape_type entry_type = { .kind = SHAPE_STRUCTURE,
					      .of = &entry_shape };

static const struct shape_type histogram_type = { .kind = SHAPE_LIST_KIND,
						  .item = &entry_type };
static const struct shape_member error_members[] = {
	SHAPE_OPTIONAL(struct xray_error_statistics, throttle, "ThrottleCount",
		       &integer_type),
	SHAPE_OPTIONAL(struct xray_error_statistics, other, "OtherCount",
		       &integer_type),
	SHAPE_OPTIONAL(struct xray_error_statistics, total, "TotalCount",
		       &integer_type),
};
static const struct shape error_shape = SHAPE_OF(
	struct xray_error_statistics, "ErrorStatistics", error_members);
static const struct shape_type error_type = { .kind = SHAPE_STRUCTURE,
					      .of = &error_shape };

static const struct shape_member fault_members[] = {
	SHAPE_OPTIONAL(struct xray_fault_statistics, other, "OtherCount",
		       &integer_type),
	SHAPE_OPTIONAL(struct xray_fault_statistics, total, "TotalCount",
		       &integer_type),
};
static const struct shape fault_shape = SHAPE_OF(
	struct xray_fault_statistics, "FaultStatistics", fault_members);
static const struct shape_type fault_type = { .kind = SHAPE_STRUCTURE,
					      .of = &fault_shape };

static const struct shape_member statistics_members[] = {
	SHAPE_OPTIONAL(struct xray_statistics, ok, "OkCount", &integer_type),
	SHAPE_OPTIONAL(struct xray_statistics, error, "ErrorStatistics",
		       &error_type),
	SHAPE_OPTIONAL(struct xray_statistics, fault, "FaultStatistics",
		       &fault_type),
	SHAPE_OPTIONAL(struct xray_statistics, total, "TotalCount",
		       &integer_type),
	SHAPE_OPTIONAL(struct xray_statistics, total_response_time,
		       "TotalResponseTime", &double_type),
};
static const struct shape statistics_shape = SHAPE_OF(
	struct xray_statistics, "ServiceStatistics", statistics_members);
static const struct shape_type statistics_type = { .kind = SHAPE_STRUCTURE,
						   .of = &statistics_shape };

static const struct shape_member alias_members[] = {
	SHAPE_OPTIONAL(struct xray_alias, name, "Name", &text_type),
	SHAPE_OPTIONAL(struct xray_alias, names, "Names", &texts_type),
	SHAPE_OPTIONAL(struct xray_alias, type, "Type", &text_type),
};
static const struct shape alias_shape =
	SHAPE_OF(struct xray_alias, "Alias", alias_members);
static const struct shape_type alias_type = { .kind = SHAPE_STRUCTURE,
					      .of = &alias_shape };

static const struct shape_type aliases_type = { .kind = SHAPE_LIST_KIND,
						.item = &alias_type };
static const struct shape_member edge_members[] = {
	SHAPE_OPTIONAL(struct xray_edge, reference_id, "ReferenceId",
		       &integer_type),
	SHAPE_OPTIONAL(struct xray_edge, start_time, "StartTime", &time_type),
	SHAPE_OPTIONAL(struct xray_edge, end_time, "EndTime", &time_type),
	SHAPE_OPTIONAL(struct xray_edge, statistics, "SummaryStatistics",
		       &statistics_type),
	SHAPE_OPTIONAL(struct xray_edge, response_times,
		       "ResponseTimeHistogram", &histogram_type),
	SHAPE_OPTIONAL(struct xray_edge, aliases, "Aliases", &aliases_type),
	SHAPE_OPTIONAL(struct xray_edge, type, "EdgeType", &text_type),
	SHAPE_OPTIONAL(struct xray_edge, ages, "ReceivedEventAgeHistogram",
		       &histogram_type),
};
static const struct shape edge_shape =
	SHAPE_OF(struct xray_edge, "Edge", edge_members);
static const struct shape_type edge_type = { .kind = SHAPE_STRUCTURE,
					     .of = &edge_shape };

static const struct shape_type edges_type = { .kind = SHAPE_LIST_KIND,
					      .item = &edge_type };
static const struct shape_member xray_service_members[] = {
	SHAPE_OPTIONAL(struct xray_service, reference_id, "ReferenceId",
		       &integer_type),
	SHAPE_OPTIONAL(struct xray_service, name, "Name", &text_type),
	SHAPE_OPTIONAL(struct xray_service, names, "Names", &texts_type),
	SHAPE_OPTIONAL(struct xray_service, root, "Root", &flag_type),
	SHAPE_OPTIONAL(struct xray_service, account_id, "AccountId",
		       &text_type),
	SHAPE_OPTIONAL(struct xray_service, type, "Type", &text_type),
	SHAPE_OPTIONAL(struct xray_service, state, "State", &text_type),
	SHAPE_OPTIONAL(struct xray_service, start_time, "StartTime",
		       &time_type),
	SHAPE_OPTIONAL(struct xray_service, end_time, "EndTime", &time_type),
	SHAPE_OPTIONAL(struct xray_service, edges, "Edges", &edges_type),
	SHAPE_OPTIONAL(struct xray_service, statistics, "SummaryStatistics",
		       &statistics_type),
	SHAPE_OPTIONAL(struct xray_service, durations, "DurationHistogram",
		       &histogram_type),
	SHAPE_OPTIONAL(struct xray_service, response_times,
		       "ResponseTimeHistogram", &histogram_type),
};
const struct shape xray_service_shape =
	SHAPE_OF(struct xray_service, "Service", xray_service_members);
static const struct shape_type xray_service_type = {
	.kind = SHAPE_STRUCTURE, .of = &xray_service_shape
};

static const struct shape_type services_type = { .kind = SHAPE_LIST_KIND,
						 .item = &xray_service_type };
static const struct shape_member get_service_graph_members[] = {
	SHAPE_REQUIRED(struct get_service_graph, start_time, "StartTime",
		       &time_type),
	SHAPE_REQUIRED(struct get_service_graph, end_time, "EndTime",
		       &time_type),
	SHAPE_OPTIONAL(struct get_service_graph, group_name, "GroupName",
		       &group_name_type),
	SHAPE_OPTIONAL(struct get_service_graph, group_arn, "GroupARN",
		       &group_arn_type),
	SHAPE_OPTIONAL(struct get_service_graph, next_token, "NextToken",
		       &text_type),
};
const struct shape get_service_graph_shape =
	SHAPE_OF(struct get_service_graph, "GetServiceGraphRequest",
		 get_service_graph_members);

static const struct shape_member get_service_graph_output_members[] = {
	SHAPE_OPTIONAL(struct get_service_graph_output, start_time, "StartTime",
		       &time_type),
	SHAPE_OPTIONAL(struct get_service_graph_output, end_time, "EndTime",
		       &time_type),
	SHAPE_OPTIONAL(struct get_service_graph_output, services, "Services",
		       &services_type),
	SHAPE_OPTIONAL(struct get_service_graph_output,
		       contains_old_group_versions, "ContainsOldGroupVersions",
		       &flag_type),
	SHAPE_OPTIONAL(struct get_service_graph_output, next_token, "NextToken",
		       &text_type),
};
const struct shape get_service_graph_output_shape =
	SHAPE_OF(struct get_service_graph_output, "GetServiceGraphResult",
		 get_service_graph_output_members);

static const struct shape_member get_trace_graph_members[] = {
	SHAPE_REQUIRED(struct get_trace_graph, trace_ids, "TraceIds",
		       &trace_ids_type),
	SHAPE_OPTIONAL(struct get_trace_graph, next_token, "NextToken",
		       &text_type),
};
const struct shape get_trace_graph_shape = SHAPE_OF(struct get_trace_graph,
						    "GetTraceGraphRequest",
						    get_trace_graph_members);

static const struct shape_member get_trace_graph_output_members[] = {
	SHAPE_OPTIONAL(struct get_trace_graph_output, services, "Services",
		       &services_type),
	SHAPE_OPTIONAL(struct get_trace_graph_output, next_token, "NextToken",
		       &text_type),
};
const struct shape get_trace_graph_output_shape =
	SHAPE_OF(struct get_trace_graph_output, "GetTraceGraphResult",
		 get_trace_graph_output_members);

static const struct shape_member get_time_series_members[] = {
	SHAPE_REQUIRED(struct get_time_series, start_time, "StartTime",
		       &time_type),
	SHAPE_REQUIRED(struct get_time_series, end_time, "EndTime", &time_type),
	SHAPE_OPTIONAL(struct get_time_series, group_name, "GroupName",
		       &group_name_type),
	SHAPE_OPTIONAL(struct get_time_series, group_arn, "GroupARN",
		       &group_arn_type),
	SHAPE_OPTIONAL(struct get_time_series, selector,
		       "EntitySelectorExpression", &selector_type),
	SHAPE_OPTIONAL(struct get_time_series, period, "Period", &integer_type),
	SHAPE_OPTIONAL(struct get_time_series, forecast, "ForecastStatistics",
		       &flag_type),
	SHAPE_OPTIONAL(struct get_time_series, next_token, "NextToken",
		       &text_type),
};
const struct shape get_time_series_shape = SHAPE_OF(
	struct get_time_series, "GetTimeSeriesServiceStatisticsRequest",
	get_time_series_members);

static const struct shape_member forecast_members[] = {
	SHAPE_OPTIONAL(struct xray_forecast, high, "FaultCountHigh",
		       &integer_type),
	SHAPE_OPTIONAL(struct xray_forecast, low, "FaultCountLow",
		       &integer_type),
};
static const struct shape forecast_shape =
	SHAPE_OF(struct xray_forecast, "ForecastStatistics", forecast_members);
static const struct shape_type forecast_type = { .kind = SHAPE_STRUCTURE,
						 .of = &forecast_shape };

static const struct shape_member period_members[] = {
	SHAPE_OPTIONAL(struct xray_period, timestamp, "Timestamp", &time_type),
	SHAPE_OPTIONAL(struct xray_period, edges, "EdgeSummaryStatistics",
		       &statistics_type),
	SHAPE_OPTIONAL(struct xray_period, services, "ServiceSummaryStatistics",
		       &statistics_type),
	SHAPE_OPTIONAL(struct xray_period, forecast,
		       "ServiceForecastStatistics", &forecast_type),
	SHAPE_OPTIONAL(struct xray_period, response_times,
		       "ResponseTimeHistogram", &histogram_type),
};
static const struct shape period_shape = SHAPE_OF(
	struct xray_period, "TimeSeriesServiceStatistics", period_members);
static const struct shape_type period_type = { .kind = SHAPE_STRUCTURE,
					       .of = &period_shape };

static const struct shape_type periods_type = { .kind = SHAPE_LIST_KIND,
						.item = &period_type };
static const struct shape_member get_time_series_output_members[] = {
	SHAPE_OPTIONAL(struct get_time_series_output, periods,
		       "TimeSeriesServiceStatistics", &periods_type),
	SHAPE_OPTIONAL(struct get_time_series_output,
		       contains_old_group_versions, "ContainsOldGroupVersions",
		       &flag_type),
	SHAPE_OPTIONAL(struct get_time_series_output, next_token, "NextToken",
		       &text_type),
};
const struct shape get_time_series_output_shape = SHAPE_OF(
	struct get_time_series_output, "GetTimeSeriesServiceStatisticsResult",
	get_time_series_output_members);
