/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Insights as X-Ray's public model of 2016-04-12 has them. An insight is stored
 * in the catalogue, under its id, as its summary with its events.
 */
#ifndef TALLY_COLLECTOR_INSIGHTS_SHAPES_H
#define TALLY_COLLECTOR_INSIGHTS_SHAPES_H

#include "core/smithy/shape.h"

enum {
	INSIGHTS_MAX = 200,       /* of an account and region; the oldest go */
	INSIGHT_EVENTS_MAX = 50,  /* of one; later ones are not told */
	INSIGHT_SERVICES_MAX = 3, /* that are called anomalous */
	INSIGHT_ID_CHARS = 36,
	INSIGHT_DAYS = 30,
};

struct insight_service {
	struct sv name;
	SHAPE_LIST(struct sv) names;
	struct sv account, type;
};
struct insight_impact {
	struct shape_integer fault, ok, total;
};
struct insight_anomalous {
	struct insight_service *service;
};
struct insight_event {
	struct sv summary;
	struct shape_time time;
	struct insight_impact *client, *cause;
	SHAPE_LIST(struct insight_anomalous) top;
};
struct insight {
	struct sv id, group_arn, group_name;
	struct insight_service *root_cause;
	SHAPE_LIST(struct sv) categories;
	struct sv state;
	struct shape_time start, end;
	struct sv summary;
	struct insight_impact *client, *cause;
	SHAPE_LIST(struct insight_anomalous) top;
	struct shape_time updated; /* the end of the last minute judged */
	SHAPE_LIST(struct insight_event) events; /* stored only */
};

struct insight_input {
	struct sv id, token;
	struct shape_integer max;
	struct shape_time start, end;
	struct sv group_name, group_arn;
	SHAPE_LIST(struct sv) states;
};
struct insight_output {
	struct insight *insight;
};
struct insight_events_output {
	SHAPE_LIST(struct insight_event) events;
	struct sv token;
};
struct insight_summaries_output {
	SHAPE_LIST(struct insight) summaries;
	struct sv token;
};

struct insight_edge {
	struct shape_integer reference_id;
};
struct insight_node {
	struct shape_integer reference_id;
	struct sv type, name;
	SHAPE_LIST(struct sv) names;
	struct sv account;
	SHAPE_LIST(struct insight_edge) edges;
};
struct insight_graph_output {
	struct sv id;
	struct shape_time start, end, graph_start, graph_end;
	SHAPE_LIST(struct insight_node) services;
	struct sv token;
};

extern const struct shape insight_stored_shape, get_insight_shape,
	insight_output_shape, insight_events_shape, insight_events_output_shape,
	insight_summaries_shape, insight_summaries_output_shape,
	insight_graph_shape, insight_graph_output_shape;

#endif
