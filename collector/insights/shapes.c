/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/insights/shapes.h"

static const char *const state_words[] = { "ACTIVE", "CLOSED", NULL };

static const struct shape_type text_type = { .kind = SHAPE_STRING };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type integer_type = { .kind = SHAPE_INTEGER };
static const struct shape_type texts_type = { .kind = SHAPE_LIST_KIND,
					      .item = &text_type };
static const struct shape_type token_type = { .kind = SHAPE_STRING,
					      SHAPE_RANGE(1, 2000) };
static const struct shape_type id_type = {
	.kind = SHAPE_STRING, SHAPE_RANGE(INSIGHT_ID_CHARS, INSIGHT_ID_CHARS)
};

/* --- parts ------------------------------------------------------------------------- */

#define SERVICE(field, name, type) \
	SHAPE_OPTIONAL(struct insight_service, field, name, type)
static const struct shape_member service_members[] = {
	SERVICE(name, "Name", &text_type),
	SERVICE(names, "Names", &texts_type),
	SERVICE(account, "AccountId", &text_type),
	SERVICE(type, "Type", &text_type),
};
static const struct shape service_shape =
	SHAPE_OF(struct insight_service, "ServiceId", service_members);
static const struct shape_type service_type = { .kind = SHAPE_STRUCTURE,
						.of = &service_shape };
#define IMPACT(field, name) \
	SHAPE_OPTIONAL(struct insight_impact, field, name, &integer_type)
static const struct shape_member impact_members[] = {
	IMPACT(fault, "FaultCount"),
	IMPACT(ok, "OkCount"),
	IMPACT(total, "TotalCount"),
};
static const struct shape impact_shape = SHAPE_OF(
	struct insight_impact, "RequestImpactStatistics", impact_members);
static const struct shape_type impact_type = { .kind = SHAPE_STRUCTURE,
					       .of = &impact_shape };
static const struct shape_member anomalous_members[] = {
	SHAPE_OPTIONAL(struct insight_anomalous, service, "ServiceId",
		       &service_type),
};
static const struct shape anomalous_shape = SHAPE_OF(
	struct insight_anomalous, "AnomalousService", anomalous_members);
static const struct shape_type anomalous_type = { .kind = SHAPE_STRUCTURE,
						  .of = &anomalous_shape };
static const struct shape_type top_type = { .kind = SHAPE_LIST_KIND,
					    .item = &anomalous_type };

#define EVENT(field, name, type) \
	SHAPE_OPTIONAL(struct insight_event, field, name, type)
static const struct shape_member event_members[] = {
	EVENT(summary, "Summary", &text_type),
	EVENT(time, "EventTime", &time_type),
	EVENT(client, "ClientRequestImpactStatistics", &impact_type),
	EVENT(cause, "RootCauseServiceRequestImpactStatistics", &impact_type),
	EVENT(top, "TopAnomalousServices", &top_type),
};
static const struct shape event_shape =
	SHAPE_OF(struct insight_event, "InsightEvent", event_members);
static const struct shape_type event_type = { .kind = SHAPE_STRUCTURE,
					      .of = &event_shape };
static const struct shape_type events_type = { .kind = SHAPE_LIST_KIND,
					       .item = &event_type };

/* --- insights: what is told of one, its summary, what is stored -------------------- */

#define INSIGHT(field, name, type) \
	SHAPE_OPTIONAL(struct insight, field, name, type)
#define INSIGHT_MEMBERS                                                   \
	INSIGHT(id, "InsightId", &text_type),                             \
		INSIGHT(group_arn, "GroupARN", &text_type),               \
		INSIGHT(group_name, "GroupName", &text_type),             \
		INSIGHT(root_cause, "RootCauseServiceId", &service_type), \
		INSIGHT(categories, "Categories", &texts_type),           \
		INSIGHT(state, "State", &text_type),                      \
		INSIGHT(start, "StartTime", &time_type),                  \
		INSIGHT(end, "EndTime", &time_type),                      \
		INSIGHT(summary, "Summary", &text_type),                  \
		INSIGHT(client, "ClientRequestImpactStatistics",          \
			&impact_type),                                    \
		INSIGHT(cause, "RootCauseServiceRequestImpactStatistics", \
			&impact_type),                                    \
		INSIGHT(top, "TopAnomalousServices", &top_type)
static const struct shape_member insight_members[] = { INSIGHT_MEMBERS };
static const struct shape insight_shape =
	SHAPE_OF(struct insight, "Insight", insight_members);
static const struct shape_member summary_members[] = {
	INSIGHT_MEMBERS,
	INSIGHT(updated, "LastUpdateTime", &time_type),
};
static const struct shape summary_shape =
	SHAPE_OF(struct insight, "InsightSummary", summary_members);
static const struct shape_member stored_members[] = {
	INSIGHT_MEMBERS,
	INSIGHT(updated, "LastUpdateTime", &time_type),
	INSIGHT(events, "Events", &events_type),
};
const struct shape insight_stored_shape =
	SHAPE_OF(struct insight, "StoredInsight", stored_members);
static const struct shape_type insight_type = { .kind = SHAPE_STRUCTURE,
						.of = &insight_shape };
static const struct shape_type summary_type = { .kind = SHAPE_STRUCTURE,
						.of = &summary_shape };
static const struct shape_type summaries_type = { .kind = SHAPE_LIST_KIND,
						  .item = &summary_type };

/* --- operations -------------------------------------------------------------------- */

static const struct shape_member get_members[] = {
	SHAPE_REQUIRED(struct insight_input, id, "InsightId", &id_type),
};
const struct shape get_insight_shape =
	SHAPE_OF(struct insight_input, "GetInsightRequest", get_members);
static const struct shape_member output_members[] = {
	SHAPE_OPTIONAL(struct insight_output, insight, "Insight",
		       &insight_type),
};
const struct shape insight_output_shape =
	SHAPE_OF(struct insight_output, "GetInsightResult", output_members);

static const struct shape_type events_max_type = { .kind = SHAPE_INTEGER,
						   SHAPE_RANGE(1, 50) };
static const struct shape_member get_events_members[] = {
	SHAPE_REQUIRED(struct insight_input, id, "InsightId", &id_type),
	SHAPE_OPTIONAL(struct insight_input, max, "MaxResults",
		       &events_max_type),
	SHAPE_OPTIONAL(struct insight_input, token, "NextToken", &token_type),
};
const struct shape insight_events_shape = SHAPE_OF(
	struct insight_input, "GetInsightEventsRequest", get_events_members);
static const struct shape_member events_output_members[] = {
	SHAPE_OPTIONAL(struct insight_events_output, events, "InsightEvents",
		       &events_type),
	SHAPE_OPTIONAL(struct insight_events_output, token, "NextToken",
		       &text_type),
};
const struct shape insight_events_output_shape =
	SHAPE_OF(struct insight_events_output, "GetInsightEventsResult",
		 events_output_members);

static const struct shape_type state_type = { .kind = SHAPE_STRING,
					      .words = state_words };
static const struct shape_type states_type = { .kind = SHAPE_LIST_KIND,
					       SHAPE_AT_MOST(1),
					       .item = &state_type };
static const struct shape_type summaries_max_type = { .kind = SHAPE_INTEGER,
						      SHAPE_RANGE(1, 100) };
static const struct shape_type group_name_type = { .kind = SHAPE_STRING,
						   SHAPE_RANGE(1, 32) };
static const struct shape_type group_arn_type = { .kind = SHAPE_STRING,
						  SHAPE_RANGE(1, 400) };
static const struct shape_member get_summaries_members[] = {
	SHAPE_OPTIONAL(struct insight_input, states, "States", &states_type),
	SHAPE_OPTIONAL(struct insight_input, group_arn, "GroupARN",
		       &group_arn_type),
	SHAPE_OPTIONAL(struct insight_input, group_name, "GroupName",
		       &group_name_type),
	SHAPE_REQUIRED(struct insight_input, start, "StartTime", &time_type),
	SHAPE_REQUIRED(struct insight_input, end, "EndTime", &time_type),
	SHAPE_OPTIONAL(struct insight_input, max, "MaxResults",
		       &summaries_max_type),
	SHAPE_OPTIONAL(struct insight_input, token, "NextToken", &token_type),
};
const struct shape insight_summaries_shape =
	SHAPE_OF(struct insight_input, "GetInsightSummariesRequest",
		 get_summaries_members);
static const struct shape_member summaries_output_members[] = {
	SHAPE_OPTIONAL(struct insight_summaries_output, summaries,
		       "InsightSummaries", &summaries_type),
	SHAPE_OPTIONAL(struct insight_summaries_output, token, "NextToken",
		       &text_type),
};
const struct shape insight_summaries_output_shape =
	SHAPE_OF(struct insight_summaries_output, "GetInsightSummariesResult",
		 summaries_output_members);

static const struct shape_member get_graph_members[] = {
	SHAPE_REQUIRED(struct insight_input, id, "InsightId", &id_type),
	SHAPE_REQUIRED(struct insight_input, start, "StartTime", &time_type),
	SHAPE_REQUIRED(struct insight_input, end, "EndTime", &time_type),
	SHAPE_OPTIONAL(struct insight_input, token, "NextToken", &token_type),
};
const struct shape insight_graph_shape =
	SHAPE_OF(struct insight_input, "GetInsightImpactGraphRequest",
		 get_graph_members);
static const struct shape_member edge_members[] = {
	SHAPE_OPTIONAL(struct insight_edge, reference_id, "ReferenceId",
		       &integer_type),
};
static const struct shape edge_shape =
	SHAPE_OF(struct insight_edge, "InsightImpactGraphEdge", edge_members);
static const struct shape_type edge_type = { .kind = SHAPE_STRUCTURE,
					     .of = &edge_shape };
static const struct shape_type edges_type = { .kind = SHAPE_LIST_KIND,
					      .item = &edge_type };
#define NODE(field, name, type) \
	SHAPE_OPTIONAL(struct insight_node, field, name, type)
static const struct shape_member node_members[] = {
	NODE(reference_id, "ReferenceId", &integer_type),
	NODE(type, "Type", &text_type),
	NODE(name, "Name", &text_type),
	NODE(names, "Names", &texts_type),
	NODE(account, "AccountId", &text_type),
	NODE(edges, "Edges", &edges_type),
};
static const struct shape node_shape = SHAPE_OF(
	struct insight_node, "InsightImpactGraphService", node_members);
static const struct shape_type node_type = { .kind = SHAPE_STRUCTURE,
					     .of = &node_shape };
static const struct shape_type nodes_type = { .kind = SHAPE_LIST_KIND,
					      .item = &node_type };
#define GRAPH(field, name, type) \
	SHAPE_OPTIONAL(struct insight_graph_output, field, name, type)
static const struct shape_member graph_output_members[] = {
	GRAPH(id, "InsightId", &text_type),
	GRAPH(start, "StartTime", &time_type),
	GRAPH(end, "EndTime", &time_type),
	GRAPH(graph_start, "ServiceGraphStartTime", &time_type),
	GRAPH(graph_end, "ServiceGraphEndTime", &time_type),
	GRAPH(services, "Services", &nodes_type),
	GRAPH(token, "NextToken", &text_type),
};
const struct shape insight_graph_output_shape =
	SHAPE_OF(struct insight_graph_output, "GetInsightImpactGraphResult",
		 graph_output_members);
