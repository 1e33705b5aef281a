/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes of X-Ray's trace retrieval, after its public model of 2016-04-12. */
#ifndef TALLY_COLLECTOR_API_XRAY_RETRIEVAL_SHAPES_H
#define TALLY_COLLECTOR_API_XRAY_RETRIEVAL_SHAPES_H

#include "collector/api/xray_map_shapes.h"

struct start_retrieval {
	SHAPE_LIST(struct sv) ids;
	struct shape_time start_time, end_time;
};
struct start_retrieval_output {
	struct sv token;
};
/* Of the other three: what each has of it. */
struct retrieval_input {
	struct sv token, format, next_token;
};

struct xray_span {
	struct sv id, document;
};
struct retrieved_trace {
	struct sv id;
	struct shape_double duration; /* seconds */
	SHAPE_LIST(struct xray_span) spans;
};
struct list_retrieved_output {
	struct sv status, format;
	SHAPE_LIST(struct retrieved_trace) traces;
	struct sv next_token;
};

/* What would lead from one trace to another has no place here. */
struct graph_link {
	struct sv type;
};
struct retrieved_service {
	struct xray_service *service;
	SHAPE_LIST(struct graph_link) links;
};
struct retrieved_graph_output {
	struct sv status;
	SHAPE_LIST(struct retrieved_service) services;
	struct sv next_token;
};

extern const struct shape start_retrieval_shape, start_retrieval_output_shape,
	list_retrieved_shape, list_retrieved_output_shape,
	retrieved_graph_shape, retrieved_graph_output_shape,
	cancel_retrieval_shape;

#endif
