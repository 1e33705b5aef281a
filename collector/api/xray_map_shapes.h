/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes of X-Ray's questions about the service map, as its public model of
 * 2016-04-12 has them: GetServiceGraph, GetTraceGraph and
 * GetTimeSeriesServiceStatistics. Of services and edges the statistics are one
 * struct, since the model's EdgeStatistics and ServiceStatistics have the same
 * members.
 */
#ifndef TALLY_COLLECTOR_API_XRAY_MAP_SHAPES_H
#define TALLY_COLLECTOR_API_XRAY_MAP_SHAPES_H

#include "core/smithy/shape.h"

struct xray_histogram_entry {
	struct shape_double value; /* seconds */
	struct shape_integer count;
};

struct xray_error_statistics {
	struct shape_integer throttle, other, total;
};

struct xray_fault_statistics {
	struct shape_integer other, total;
};

struct xray_statistics {
	struct shape_integer ok;
	struct xray_error_statistics *error;
	struct xray_fault_statistics *fault;
	struct shape_integer total;
	struct shape_double total_response_time;
};

struct xray_alias {
	struct sv name;
	SHAPE_LIST(struct sv) names;
	struct sv type;
};

struct xray_edge {
	struct shape_integer reference_id; /* of the service it leads to */
	struct shape_time start_time, end_time;
	struct xray_statistics *statistics;
	SHAPE_LIST(struct xray_histogram_entry) response_times;
	SHAPE_LIST(struct xray_alias) aliases;
	struct sv type; /* "link", or not there */
	SHAPE_LIST(struct xray_histogram_entry) ages;
};

struct xray_service {
	struct shape_integer reference_id;
	struct sv name;
	SHAPE_LIST(struct sv) names;
	struct shape_boolean root;
	struct sv account_id, type, state;
	struct shape_time start_time, end_time;
	SHAPE_LIST(struct xray_edge) edges;
	struct xray_statistics *statistics;
	SHAPE_LIST(struct xray_histogram_entry) durations;
	SHAPE_LIST(struct xray_histogram_entry) response_times;
};

struct get_service_graph {
	struct shape_time start_time, end_time;
	struct sv group_name, group_arn, next_token;
};

struct get_service_graph_output {
	struct shape_time start_time, end_time;
	SHAPE_LIST(struct xray_service) services;
	struct shape_boolean contains_old_group_versions;
	struct sv next_token;
};

struct get_trace_graph {
	SHAPE_LIST(struct sv) trace_ids;
	struct sv next_token;
};

struct get_trace_graph_output {
	SHAPE_LIST(struct xray_service) services;
	struct sv next_token;
};

struct get_time_series {
	struct shape_time start_time, end_time;
	struct sv group_name, group_arn, selector;
	struct shape_integer period;
	struct shape_boolean forecast;
	struct sv next_token;
};

struct xray_forecast {
	struct shape_integer high, low; /* fault counts */
};

struct xray_period {
	struct shape_time timestamp;
	struct xray_statistics *edges, *services;
	struct xray_forecast *forecast;
	SHAPE_LIST(struct xray_histogram_entry) response_times;
};

struct get_time_series_output {
	SHAPE_LIST(struct xray_period) periods;
	struct shape_boolean contains_old_group_versions;
	struct sv next_token;
};

extern const struct shape xray_service_shape, get_service_graph_shape,
	get_service_graph_output_shape, get_trace_graph_shape,
	get_trace_graph_output_shape, get_time_series_shape,
	get_time_series_output_shape;

#endif
