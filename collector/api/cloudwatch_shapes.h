/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes of CloudWatch's operations, as its public model of 2010-08-01 has
 * them: the structs that the reader of shapes fills, and the tables by which it
 * does. Limits and sets of words that the model knows are checked there; what
 * it does not know is with the operation.
 */
#ifndef TALLY_COLLECTOR_API_CLOUDWATCH_SHAPES_H
#define TALLY_COLLECTOR_API_CLOUDWATCH_SHAPES_H

#include "core/smithy/shape.h"
#include "core/wire/records.h"

struct statistic_set {
	struct shape_double sample_count, sum, minimum, maximum;
};

struct metric_datum {
	struct sv metric_name;
	SHAPE_LIST(struct dimension) dimensions;
	struct shape_time timestamp;
	struct shape_double value;
	struct statistic_set *statistic_values;
	SHAPE_LIST(struct shape_double) values;
	SHAPE_LIST(struct shape_double) counts;
	struct sv unit;
	struct shape_integer storage_resolution;
};

struct entity {
	SHAPE_MAP(struct sv) key_attributes;
	SHAPE_MAP(struct sv) attributes;
};

struct entity_metric_data {
	struct entity *entity;
	SHAPE_LIST(struct metric_datum) metric_data;
};

struct put_metric_data {
	struct sv namespace;
	SHAPE_LIST(struct metric_datum) metric_data;
	SHAPE_LIST(struct entity_metric_data) entity_metric_data;
	struct shape_boolean strict_entity_validation;
};

struct list_metrics {
	struct sv namespace, metric_name;
	SHAPE_LIST(struct dimension) dimensions;
	struct sv next_token, recently_active;
	struct shape_boolean include_linked_accounts;
	struct sv owning_account;
};

struct metric {
	struct sv namespace, metric_name;
	SHAPE_LIST(struct dimension) dimensions;
};

struct list_metrics_output {
	SHAPE_LIST(struct metric) metrics;
	struct sv next_token;
	SHAPE_LIST(struct sv) owning_accounts;
};

struct get_metric_statistics {
	struct sv namespace, metric_name;
	SHAPE_LIST(struct dimension) dimensions;
	struct shape_time start_time, end_time;
	struct shape_integer period;
	SHAPE_LIST(struct sv) statistics;
	SHAPE_LIST(struct sv) extended_statistics;
	struct sv unit;
};

struct datapoint {
	struct shape_time timestamp;
	struct shape_double sample_count, average, sum, minimum, maximum;
	struct sv unit;
	SHAPE_MAP(struct shape_double) extended_statistics;
};

struct get_metric_statistics_output {
	struct sv label;
	SHAPE_LIST(struct datapoint) datapoints;
};

extern const struct shape metric_datum_shape, put_metric_data_shape, list_metrics_shape,
	list_metrics_output_shape, get_statistics_shape,
	get_statistics_output_shape;

#endif
