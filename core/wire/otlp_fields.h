/* SPDX-License-Identifier: Apache-2.0 */
/* Field numbers of opentelemetry-proto's messages, as far as they are read or
 * written by hand. Source: the public schema, opentelemetry/proto. */
#ifndef TALLY_CORE_WIRE_OTLP_FIELDS_H
#define TALLY_CORE_WIRE_OTLP_FIELDS_H

enum { /* common.v1.AnyValue, KeyValue, InstrumentationScope */
       VALUE_STRING = 1,
       VALUE_BOOL = 2,
       VALUE_INT = 3,
       VALUE_DOUBLE = 4,
       VALUE_ARRAY = 5,
       VALUE_KVLIST = 6,
       VALUE_BYTES = 7,
       KEY_VALUE_KEY = 1,
       KEY_VALUE_VALUE = 2,
       SCOPE_NAME = 1,
       SCOPE_VERSION = 2,
       SCOPE_ATTRIBUTES = 3,
       SCOPE_DROPPED = 4,
};

enum { /* resource.v1.Resource */
       RESOURCE_ATTRIBUTES = 1,
       RESOURCE_DROPPED = 2,
};

enum { /* trace.v1: ResourceSpans, ScopeSpans, Span, Event, Link, Status */
       RESOURCE_SPANS_RESOURCE = 1,
       RESOURCE_SPANS_SCOPES = 2,
       RESOURCE_SPANS_SCHEMA = 3,
       SCOPE_SPANS_SCOPE = 1,
       SCOPE_SPANS_SPANS = 2,
       SCOPE_SPANS_SCHEMA = 3,
       SPAN_TRACE_ID = 1,
       SPAN_ID = 2,
       SPAN_TRACE_STATE = 3,
       SPAN_PARENT_ID = 4,
       SPAN_NAME = 5,
       SPAN_KIND = 6,
       SPAN_START = 7,
       SPAN_END = 8,
       SPAN_ATTRIBUTES = 9,
       SPAN_DROPPED_ATTRIBUTES = 10,
       SPAN_EVENTS = 11,
       SPAN_DROPPED_EVENTS = 12,
       SPAN_LINKS = 13,
       SPAN_DROPPED_LINKS = 14,
       SPAN_STATUS = 15,
       SPAN_FLAGS = 16,
       EVENT_TIME = 1,
       EVENT_NAME = 2,
       EVENT_ATTRIBUTES = 3,
       EVENT_DROPPED = 4,
       LINK_TRACE_ID = 1,
       LINK_SPAN_ID = 2,
       LINK_TRACE_STATE = 3,
       LINK_ATTRIBUTES = 4,
       LINK_DROPPED = 5,
       LINK_FLAGS = 6,
       STATUS_MESSAGE = 2,
       STATUS_CODE = 3,
};

enum { /* logs.v1.LogRecord */
       LOG_TIME = 1,
       LOG_SEVERITY = 2,
       LOG_SEVERITY_TEXT = 3,
       LOG_BODY = 5,
       LOG_ATTRIBUTES = 6,
       LOG_DROPPED_ATTRIBUTES = 7,
       LOG_FLAGS = 8,
       LOG_TRACE_ID = 9,
       LOG_SPAN_ID = 10,
       LOG_OBSERVED = 11,
       LOG_EVENT_NAME = 12,
};

enum { /* metrics.v1.Metric and below */
       METRIC_NAME = 1,
       METRIC_UNIT = 3,
       METRIC_GAUGE = 5,
       METRIC_SUM = 7,
       METRIC_HISTOGRAM = 9,
       METRIC_EXPONENTIAL = 10,
       METRIC_SUMMARY = 11,
       DATA_POINTS = 1,
       DATA_TEMPORALITY = 2,
       DATA_MONOTONIC = 3,
       POINT_TIME = 3, /* of every kind of point */
       NUMBER_DOUBLE = 4,
       NUMBER_INT = 6,
       NUMBER_ATTRIBUTES = 7,
       NUMBER_FLAGS = 8,
       HISTOGRAM_COUNT = 4,
       HISTOGRAM_SUM = 5,
       HISTOGRAM_COUNTS = 6,
       HISTOGRAM_BOUNDS = 7,
       HISTOGRAM_ATTRIBUTES = 9,
       HISTOGRAM_FLAGS = 10,
       HISTOGRAM_MIN = 11,
       HISTOGRAM_MAX = 12,
       EXPONENTIAL_ATTRIBUTES = 1,
       EXPONENTIAL_COUNT = 4,
       EXPONENTIAL_SUM = 5,
       EXPONENTIAL_FLAGS = 10,
       EXPONENTIAL_MIN = 12,
       EXPONENTIAL_MAX = 13,
       TEMPORALITY_DELTA = 1,
       TEMPORALITY_CUMULATIVE = 2,
       POINT_NO_VALUE = 1, /* a flag */
};

enum { /* Span.SpanKind, Status.StatusCode */
       KIND_UNSPECIFIED = 0,
       KIND_INTERNAL = 1,
       KIND_SERVER = 2,
       KIND_CLIENT = 3,
       KIND_PRODUCER = 4,
       KIND_CONSUMER = 5,
       STATUS_UNSET = 0,
       STATUS_OK = 1,
       STATUS_ERROR = 2,
};

#endif
