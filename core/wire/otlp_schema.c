/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_schema.h"

#include <assert.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- names of enums' values ------------------------------------------------------- */

static const struct sv kind_values[] = {
	SV_INIT("SPAN_KIND_UNSPECIFIED"), SV_INIT("SPAN_KIND_INTERNAL"),
	SV_INIT("SPAN_KIND_SERVER"),      SV_INIT("SPAN_KIND_CLIENT"),
	SV_INIT("SPAN_KIND_PRODUCER"),    SV_INIT("SPAN_KIND_CONSUMER"),
};
static const struct otlp_names kinds = { kind_values, COUNT(kind_values) };

static const struct sv code_values[] = {
	SV_INIT("STATUS_CODE_UNSET"),
	SV_INIT("STATUS_CODE_OK"),
	SV_INIT("STATUS_CODE_ERROR"),
};
static const struct otlp_names codes = { code_values, COUNT(code_values) };

static const struct sv temporality_values[] = {
	SV_INIT("AGGREGATION_TEMPORALITY_UNSPECIFIED"),
	SV_INIT("AGGREGATION_TEMPORALITY_DELTA"),
	SV_INIT("AGGREGATION_TEMPORALITY_CUMULATIVE"),
};
static const struct otlp_names temporalities = { temporality_values,
						 COUNT(temporality_values) };

static const struct sv severity_values[] = {
	SV_INIT("SEVERITY_NUMBER_UNSPECIFIED"),
	SV_INIT("SEVERITY_NUMBER_TRACE"),
	SV_INIT("SEVERITY_NUMBER_TRACE2"),
	SV_INIT("SEVERITY_NUMBER_TRACE3"),
	SV_INIT("SEVERITY_NUMBER_TRACE4"),
	SV_INIT("SEVERITY_NUMBER_DEBUG"),
	SV_INIT("SEVERITY_NUMBER_DEBUG2"),
	SV_INIT("SEVERITY_NUMBER_DEBUG3"),
	SV_INIT("SEVERITY_NUMBER_DEBUG4"),
	SV_INIT("SEVERITY_NUMBER_INFO"),
	SV_INIT("SEVERITY_NUMBER_INFO2"),
	SV_INIT("SEVERITY_NUMBER_INFO3"),
	SV_INIT("SEVERITY_NUMBER_INFO4"),
	SV_INIT("SEVERITY_NUMBER_WARN"),
	SV_INIT("SEVERITY_NUMBER_WARN2"),
	SV_INIT("SEVERITY_NUMBER_WARN3"),
	SV_INIT("SEVERITY_NUMBER_WARN4"),
	SV_INIT("SEVERITY_NUMBER_ERROR"),
	SV_INIT("SEVERITY_NUMBER_ERROR2"),
	SV_INIT("SEVERITY_NUMBER_ERROR3"),
	SV_INIT("SEVERITY_NUMBER_ERROR4"),
	SV_INIT("SEVERITY_NUMBER_FATAL"),
	SV_INIT("SEVERITY_NUMBER_FATAL2"),
	SV_INIT("SEVERITY_NUMBER_FATAL3"),
	SV_INIT("SEVERITY_NUMBER_FATAL4"),
};
static const struct otlp_names severities = { severity_values,
					      COUNT(severity_values) };

/* --- fields ----------------------------------------------------------------------------- */

/* Where zero is not written; where it is; a message; many; an enum. */
#define FIELD(key, number, type)                                  \
	{                                                         \
		SV_INIT(key), number, OTLP_##type, 0, false, NULL \
	}
#define GIVEN(key, number, type)                                 \
	{                                                        \
		SV_INIT(key), number, OTLP_##type, 0, true, NULL \
	}
#define NESTED(key, number, message)                                          \
	{                                                                     \
		SV_INIT(key), number, OTLP_NESTED, OTLP_##message, true, NULL \
	}
#define LIST(key, number, message)                                          \
	{                                                                   \
		SV_INIT(key), number, OTLP_LIST, OTLP_##message, true, NULL \
	}
#define NAMED(key, number, names)                                   \
	{                                                           \
		SV_INIT(key), number, OTLP_ENUM, 0, false, &(names) \
	}

static const struct otlp_field traces_request_fields[] = {
	LIST("resourceSpans", 1, RESOURCE_SPANS),
};
static const struct otlp_field metrics_request_fields[] = {
	LIST("resourceMetrics", 1, RESOURCE_METRICS),
};
static const struct otlp_field logs_request_fields[] = {
	LIST("resourceLogs", 1, RESOURCE_LOGS),
};
static const struct otlp_field resource_spans_fields[] = {
	NESTED("resource", 1, RESOURCE),
	LIST("scopeSpans", 2, SCOPE_SPANS),
	FIELD("schemaUrl", 3, STRING),
};
static const struct otlp_field resource_metrics_fields[] = {
	NESTED("resource", 1, RESOURCE),
	LIST("scopeMetrics", 2, SCOPE_METRICS),
	FIELD("schemaUrl", 3, STRING),
};
static const struct otlp_field resource_logs_fields[] = {
	NESTED("resource", 1, RESOURCE),
	LIST("scopeLogs", 2, SCOPE_LOGS),
	FIELD("schemaUrl", 3, STRING),
};
static const struct otlp_field scope_spans_fields[] = {
	NESTED("scope", 1, SCOPE),
	LIST("spans", 2, SPAN),
	FIELD("schemaUrl", 3, STRING),
};
static const struct otlp_field scope_metrics_fields[] = {
	NESTED("scope", 1, SCOPE),
	LIST("metrics", 2, METRIC),
	FIELD("schemaUrl", 3, STRING),
};
static const struct otlp_field scope_logs_fields[] = {
	NESTED("scope", 1, SCOPE),
	LIST("logRecords", 2, LOG_RECORD),
	FIELD("schemaUrl", 3, STRING),
};
static const struct otlp_field resource_fields[] = {
	LIST("attributes", 1, KEY_VALUE),
	FIELD("droppedAttributesCount", 2, UINT32),
};
static const struct otlp_field scope_fields[] = {
	FIELD("name", 1, STRING),
	FIELD("version", 2, STRING),
	LIST("attributes", 3, KEY_VALUE),
	FIELD("droppedAttributesCount", 4, UINT32),
};
static const struct otlp_field span_fields[] = {
	FIELD("traceId", 1, HEX),
	FIELD("spanId", 2, HEX),
	FIELD("traceState", 3, STRING),
	FIELD("parentSpanId", 4, HEX),
	FIELD("flags", 16, FIXED32),
	FIELD("name", 5, STRING),
	NAMED("kind", 6, kinds),
	FIELD("startTimeUnixNano", 7, FIXED64),
	FIELD("endTimeUnixNano", 8, FIXED64),
	LIST("attributes", 9, KEY_VALUE),
	FIELD("droppedAttributesCount", 10, UINT32),
	LIST("events", 11, EVENT),
	FIELD("droppedEventsCount", 12, UINT32),
	LIST("links", 13, LINK),
	FIELD("droppedLinksCount", 14, UINT32),
	NESTED("status", 15, STATUS),
};
static const struct otlp_field event_fields[] = {
	FIELD("timeUnixNano", 1, FIXED64),
	FIELD("name", 2, STRING),
	LIST("attributes", 3, KEY_VALUE),
	FIELD("droppedAttributesCount", 4, UINT32),
};
static const struct otlp_field link_fields[] = {
	FIELD("traceId", 1, HEX),
	FIELD("spanId", 2, HEX),
	FIELD("traceState", 3, STRING),
	LIST("attributes", 4, KEY_VALUE),
	FIELD("droppedAttributesCount", 5, UINT32),
	FIELD("flags", 6, FIXED32),
};
static const struct otlp_field status_fields[] = {
	FIELD("message", 2, STRING),
	NAMED("code", 3, codes),
};
static const struct otlp_field log_record_fields[] = {
	FIELD("timeUnixNano", 1, FIXED64),
	FIELD("observedTimeUnixNano", 11, FIXED64),
	NAMED("severityNumber", 2, severities),
	FIELD("severityText", 3, STRING),
	NESTED("body", 5, VALUE),
	LIST("attributes", 6, KEY_VALUE),
	FIELD("droppedAttributesCount", 7, UINT32),
	FIELD("flags", 8, FIXED32),
	FIELD("traceId", 9, HEX),
	FIELD("spanId", 10, HEX),
	FIELD("eventName", 12, STRING),
};
static const struct otlp_field metric_fields[] = {
	FIELD("name", 1, STRING),
	FIELD("description", 2, STRING),
	FIELD("unit", 3, STRING),
	NESTED("gauge", 5, GAUGE),
	NESTED("sum", 7, SUM),
	NESTED("histogram", 9, HISTOGRAM),
	NESTED("exponentialHistogram", 10, EXPONENTIAL),
	NESTED("summary", 11, SUMMARY),
	LIST("metadata", 12, KEY_VALUE),
};
static const struct otlp_field gauge_fields[] = {
	LIST("dataPoints", 1, NUMBER_POINT),
};
static const struct otlp_field sum_fields[] = {
	LIST("dataPoints", 1, NUMBER_POINT),
	NAMED("aggregationTemporality", 2, temporalities),
	FIELD("isMonotonic", 3, BOOL),
};
static const struct otlp_field histogram_fields[] = {
	LIST("dataPoints", 1, HISTOGRAM_POINT),
	NAMED("aggregationTemporality", 2, temporalities),
};
static const struct otlp_field exponential_fields[] = {
	LIST("dataPoints", 1, EXPONENTIAL_POINT),
	NAMED("aggregationTemporality", 2, temporalities),
};
static const struct otlp_field summary_fields[] = {
	LIST("dataPoints", 1, SUMMARY_POINT),
};
static const struct otlp_field number_point_fields[] = {
	LIST("attributes", 7, KEY_VALUE),
	FIELD("startTimeUnixNano", 2, FIXED64),
	FIELD("timeUnixNano", 3, FIXED64),
	GIVEN("asDouble", 4, DOUBLE),
	GIVEN("asInt", 6, SFIXED64),
	LIST("exemplars", 5, EXEMPLAR),
	FIELD("flags", 8, UINT32),
};
static const struct otlp_field histogram_point_fields[] = {
	LIST("attributes", 9, KEY_VALUE),
	FIELD("startTimeUnixNano", 2, FIXED64),
	FIELD("timeUnixNano", 3, FIXED64),
	FIELD("count", 4, FIXED64),
	GIVEN("sum", 5, DOUBLE),
	FIELD("bucketCounts", 6, FIXED64S),
	FIELD("explicitBounds", 7, DOUBLES),
	LIST("exemplars", 8, EXEMPLAR),
	FIELD("flags", 10, UINT32),
	GIVEN("min", 11, DOUBLE),
	GIVEN("max", 12, DOUBLE),
};
static const struct otlp_field exponential_point_fields[] = {
	LIST("attributes", 1, KEY_VALUE),
	FIELD("startTimeUnixNano", 2, FIXED64),
	FIELD("timeUnixNano", 3, FIXED64),
	FIELD("count", 4, FIXED64),
	GIVEN("sum", 5, DOUBLE),
	FIELD("scale", 6, SINT32),
	FIELD("zeroCount", 7, FIXED64),
	NESTED("positive", 8, BUCKETS),
	NESTED("negative", 9, BUCKETS),
	FIELD("flags", 10, UINT32),
	LIST("exemplars", 11, EXEMPLAR),
	GIVEN("min", 12, DOUBLE),
	GIVEN("max", 13, DOUBLE),
	FIELD("zeroThreshold", 14, DOUBLE),
};
static const struct otlp_field buckets_fields[] = {
	FIELD("offset", 1, SINT32),
	FIELD("bucketCounts", 2, UINT64S),
};
static const struct otlp_field summary_point_fields[] = {
	LIST("attributes", 7, KEY_VALUE),
	FIELD("startTimeUnixNano", 2, FIXED64),
	FIELD("timeUnixNano", 3, FIXED64),
	FIELD("count", 4, FIXED64),
	FIELD("sum", 5, DOUBLE),
	LIST("quantileValues", 6, QUANTILE),
	FIELD("flags", 8, UINT32),
};
static const struct otlp_field quantile_fields[] = {
	FIELD("quantile", 1, DOUBLE),
	FIELD("value", 2, DOUBLE),
};
static const struct otlp_field exemplar_fields[] = {
	LIST("filteredAttributes", 7, KEY_VALUE),
	FIELD("timeUnixNano", 2, FIXED64),
	GIVEN("asDouble", 3, DOUBLE),
	GIVEN("asInt", 6, SFIXED64),
	FIELD("spanId", 4, HEX),
	FIELD("traceId", 5, HEX),
};
static const struct otlp_field value_fields[] = {
	GIVEN("stringValue", 1, STRING), GIVEN("boolValue", 2, BOOL),
	GIVEN("intValue", 3, INT64),     GIVEN("doubleValue", 4, DOUBLE),
	NESTED("arrayValue", 5, ARRAY),  NESTED("kvlistValue", 6, KEY_VALUES),
	GIVEN("bytesValue", 7, BASE64),
};
static const struct otlp_field array_fields[] = {
	LIST("values", 1, VALUE),
};
static const struct otlp_field key_values_fields[] = {
	LIST("values", 1, KEY_VALUE),
};
static const struct otlp_field key_value_fields[] = {
	FIELD("key", 1, STRING),
	NESTED("value", 2, VALUE),
};

const struct otlp_field *otlp_fields(enum otlp_message message, size_t *count)
{
#define MESSAGE(id, fields) [OTLP_##id] = { fields, COUNT(fields) }
	static const struct {
		const struct otlp_field *fields;
		size_t count;
	} messages[OTLP_MESSAGES] = {
		MESSAGE(TRACES_REQUEST, traces_request_fields),
		MESSAGE(METRICS_REQUEST, metrics_request_fields),
		MESSAGE(LOGS_REQUEST, logs_request_fields),
		MESSAGE(RESOURCE_SPANS, resource_spans_fields),
		MESSAGE(RESOURCE_METRICS, resource_metrics_fields),
		MESSAGE(RESOURCE_LOGS, resource_logs_fields),
		MESSAGE(SCOPE_SPANS, scope_spans_fields),
		MESSAGE(SCOPE_METRICS, scope_metrics_fields),
		MESSAGE(SCOPE_LOGS, scope_logs_fields),
		MESSAGE(RESOURCE, resource_fields),
		MESSAGE(SCOPE, scope_fields),
		MESSAGE(SPAN, span_fields),
		MESSAGE(EVENT, event_fields),
		MESSAGE(LINK, link_fields),
		MESSAGE(STATUS, status_fields),
		MESSAGE(LOG_RECORD, log_record_fields),
		MESSAGE(METRIC, metric_fields),
		MESSAGE(GAUGE, gauge_fields),
		MESSAGE(SUM, sum_fields),
		MESSAGE(HISTOGRAM, histogram_fields),
		MESSAGE(EXPONENTIAL, exponential_fields),
		MESSAGE(SUMMARY, summary_fields),
		MESSAGE(NUMBER_POINT, number_point_fields),
		MESSAGE(HISTOGRAM_POINT, histogram_point_fields),
		MESSAGE(EXPONENTIAL_POINT, exponential_point_fields),
		MESSAGE(BUCKETS, buckets_fields),
		MESSAGE(SUMMARY_POINT, summary_point_fields),
		MESSAGE(QUANTILE, quantile_fields),
		MESSAGE(EXEMPLAR, exemplar_fields),
		MESSAGE(VALUE, value_fields),
		MESSAGE(ARRAY, array_fields),
		MESSAGE(KEY_VALUES, key_values_fields),
		MESSAGE(KEY_VALUE, key_value_fields),
	};

	assert(message < OTLP_MESSAGES);
	*count = messages[message].count;
	return messages[message].fields;
}
