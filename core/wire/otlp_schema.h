/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opentelemetry-proto as a table: what each field is called in JSON, which
 * number it has and what it is. From it JSON becomes protobuf and the other way
 * round (otlp_json.h). Source: the public schema, opentelemetry/proto 1.x.
 */
#ifndef TALLY_CORE_WIRE_OTLP_SCHEMA_H
#define TALLY_CORE_WIRE_OTLP_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"

enum otlp_type {
	OTLP_STRING,
	OTLP_HEX,    /* bytes; an id: hex in OTLP's JSON */
	OTLP_BASE64, /* bytes */
	OTLP_BOOL,
	OTLP_UINT32,   /* varint; a number in JSON */
	OTLP_ENUM,     /* varint; a number in JSON, or one of names */
	OTLP_INT64,    /* varint; text in JSON */
	OTLP_SINT32,   /* zigzag varint; a number in JSON */
	OTLP_FIXED32,  /* a number in JSON */
	OTLP_FIXED64,  /* text in JSON */
	OTLP_SFIXED64, /* text in JSON */
	OTLP_DOUBLE,
	OTLP_FIXED64S, /* packed */
	OTLP_UINT64S,  /* packed varints */
	OTLP_DOUBLES,  /* packed */
	OTLP_NESTED,   /* a message */
	OTLP_LIST,     /* repeated messages */
};

enum otlp_message {
	OTLP_TRACES_REQUEST, /* in the order of enum otlp_signal */
	OTLP_METRICS_REQUEST,
	OTLP_LOGS_REQUEST,
	OTLP_RESOURCE_SPANS,
	OTLP_RESOURCE_METRICS,
	OTLP_RESOURCE_LOGS,
	OTLP_SCOPE_SPANS,
	OTLP_SCOPE_METRICS,
	OTLP_SCOPE_LOGS,
	OTLP_RESOURCE,
	OTLP_SCOPE,
	OTLP_SPAN,
	OTLP_EVENT,
	OTLP_LINK,
	OTLP_STATUS,
	OTLP_LOG_RECORD,
	OTLP_METRIC,
	OTLP_GAUGE,
	OTLP_SUM,
	OTLP_HISTOGRAM,
	OTLP_EXPONENTIAL,
	OTLP_SUMMARY,
	OTLP_NUMBER_POINT,
	OTLP_HISTOGRAM_POINT,
	OTLP_EXPONENTIAL_POINT,
	OTLP_BUCKETS,
	OTLP_SUMMARY_POINT,
	OTLP_QUANTILE,
	OTLP_EXEMPLAR,
	OTLP_VALUE, /* AnyValue */
	OTLP_ARRAY,
	OTLP_KEY_VALUES,
	OTLP_KEY_VALUE,
	OTLP_MESSAGES,
};

struct otlp_names; /* of an enum's values, from 0 */

struct otlp_field {
	struct sv key; /* in JSON */
	uint8_t number;
	uint8_t type;    /* enum otlp_type */
	uint8_t message; /* of OTLP_NESTED and OTLP_LIST */
	bool present;    /* it says something also where it is 0 */
	const struct otlp_names *names; /* of OTLP_ENUM */
};

struct otlp_names {
	const struct sv *values;
	size_t count;
};

/* The fields of a message, in the order in which JSON has them. */
const struct otlp_field *otlp_fields(enum otlp_message message, size_t *count);

#endif
