/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/xray_retrieval_shapes.h"

#include "collector/api/retrievals.h"

static const char *const format_words[] = { "XRAY", "OTEL", NULL };

static const struct shape_type text_type = { .kind = SHAPE_STRING };
static const struct shape_type time_type = { .kind = SHAPE_TIMESTAMP };
static const struct shape_type double_type = { .kind = SHAPE_DOUBLE };
static const struct shape_type id_type = { .kind = SHAPE_STRING,
					   SHAPE_RANGE(1, RETRIEVAL_ID_MAX) };
static const struct shape_type ids_type = { .kind = SHAPE_LIST_KIND,
					    SHAPE_AT_MOST(RETRIEVAL_IDS_MAX),
					    .item = &id_type };
static const struct shape_type token_type = { .kind = SHAPE_STRING,
					      SHAPE_AT_MOST(1020) };
static const struct shape_type format_type = { .kind = SHAPE_STRING,
					       .words = format_words };

static const struct shape_member start_members[] = {
	SHAPE_REQUIRED(struct start_retrieval, ids, "TraceIds", &ids_type),
	SHAPE_REQUIRED(struct start_retrieval, start_time, "StartTime",
		       &time_type),
	SHAPE_REQUIRED(struct start_retrieval, end_time, "EndTime", &time_type),
};
const struct shape start_retrieval_shape = SHAPE_OF(
	struct start_retrieval, "StartTraceRetrievalRequest", start_members);
static const struct shape_member start_output_members[] = {
	SHAPE_OPTIONAL(struct start_retrieval_output, token, "RetrievalToken",
		       &text_type),
};
const struct shape start_retrieval_output_shape =
	SHAPE_OF(struct start_retrieval_output, "StartTraceRetrievalResult",
		 start_output_members);

static const struct shape_member list_members[] = {
	SHAPE_REQUIRED(struct retrieval_input, token, "RetrievalToken",
		       &token_type),
	SHAPE_OPTIONAL(struct retrieval_input, format, "TraceFormat",
		       &format_type),
	SHAPE_OPTIONAL(struct retrieval_input, next_token, "NextToken",
		       &text_type),
};
const struct shape list_retrieved_shape = SHAPE_OF(
	struct retrieval_input, "ListRetrievedTracesRequest", list_members);
static const struct shape_member graph_members[] = {
	SHAPE_REQUIRED(struct retrieval_input, token, "RetrievalToken",
		       &token_type),
	SHAPE_OPTIONAL(struct retrieval_input, next_token, "NextToken",
		       &text_type),
};
const struct shape retrieved_graph_shape =
	SHAPE_OF(struct retrieval_input, "GetRetrievedTracesGraphRequest",
		 graph_members);
static const struct shape_member cancel_members[] = {
	SHAPE_REQUIRED(struct retrieval_input, token, "RetrievalToken",
		       &token_type),
};
const struct shape cancel_retrieval_shape = SHAPE_OF(
	struct retrieval_input, "CancelTraceRetrievalRequest", cancel_members);

static const struct shape_member span_members[] = {
	SHAPE_OPTIONAL(struct xray_span, id, "Id", &text_type),
	SHAPE_OPTIONAL(struct xray_span, document, "Document", &text_type),
};
static const struct shape span_shape =
	SHAPE_OF(struct xray_span, "Span", span_members);
static const struct shape_type span_type = { .kind = SHAPE_STRUCTURE,
					     .of = &span_shape };
static const struct shape_type spans_type = { .kind = SHAPE_LIST_KIND,
					      .item = &span_type };
static const struct shape_member trace_members[] = {
	SHAPE_OPTIONAL(struct retrieved_trace, id, "Id", &text_type),
	SHAPE_OPTIONAL(struct retrieved_trace, duration, "Duration",
		       &double_type),
	SHAPE_OPTIONAL(struct retrieved_trace, spans, "Spans", &spans_type),
};
static const struct shape trace_shape =
	SHAPE_OF(struct retrieved_trace, "RetrievedTrace", trace_members);
static const struct shape_type trace_type = { .kind = SHAPE_STRUCTURE,
					      .of = &trace_shape };
static const struct shape_type traces_type = { .kind = SHAPE_LIST_KIND,
					       .item = &trace_type };
static const struct shape_member list_output_members[] = {
	SHAPE_OPTIONAL(struct list_retrieved_output, status, "RetrievalStatus",
		       &text_type),
	SHAPE_OPTIONAL(struct list_retrieved_output, format, "TraceFormat",
		       &text_type),
	SHAPE_OPTIONAL(struct list_retrieved_output, traces, "Traces",
		       &traces_type),
	SHAPE_OPTIONAL(struct list_retrieved_output, next_token, "NextToken",
		       &text_type),
};
const struct shape list_retrieved_output_shape =
	SHAPE_OF(struct list_retrieved_output, "ListRetrievedTracesResult",
		 list_output_members);

static const struct shape_member link_members[] = {
	SHAPE_OPTIONAL(struct graph_link, type, "ReferenceType", &text_type),
};
static const struct shape link_shape =
	SHAPE_OF(struct graph_link, "GraphLink", link_members);
static const struct shape_type link_type = { .kind = SHAPE_STRUCTURE,
					     .of = &link_shape };
static const struct shape_type links_type = { .kind = SHAPE_LIST_KIND,
					      .item = &link_type };
static const struct shape_type service_type = { .kind = SHAPE_STRUCTURE,
						.of = &xray_service_shape };
static const struct shape_member retrieved_service_members[] = {
	SHAPE_OPTIONAL(struct retrieved_service, service, "Service",
		       &service_type),
	SHAPE_OPTIONAL(struct retrieved_service, links, "Links", &links_type),
};
static const struct shape retrieved_service_shape =
	SHAPE_OF(struct retrieved_service, "RetrievedService",
		 retrieved_service_members);
static const struct shape_type retrieved_service_type = {
	.kind = SHAPE_STRUCTURE, .of = &retrieved_service_shape
};
static const struct shape_type retrieved_services_type = {
	.kind = SHAPE_LIST_KIND, .item = &retrieved_service_type
};
static const struct shape_member graph_output_members[] = {
	SHAPE_OPTIONAL(struct retrieved_graph_output, status, "RetrievalStatus",
		       &text_type),
	SHAPE_OPTIONAL(struct retrieved_graph_output, services, "Services",
		       &retrieved_services_type),
	SHAPE_OPTIONAL(struct retrieved_graph_output, next_token, "NextToken",
		       &text_type),
};
const struct shape retrieved_graph_output_shape =
	SHAPE_OF(struct retrieved_graph_output, "GetRetrievedTracesGraphResult",
		 graph_output_members);
