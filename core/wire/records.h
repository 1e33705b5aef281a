/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain records. Every protocol decodes to these, once, in the arena of
 * its message; every bound is checked there, so that nothing downstream
 * repeats it or knows the protocol. All text is borrowed from the arena or
 * from the body and is valid as long as the frame (collector/view.h).
 */
#ifndef TALLY_CORE_WIRE_RECORDS_H
#define TALLY_CORE_WIRE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"

enum {
	SEGMENT_BYTES_MAX = 64 << 10,  /* X-Ray: a document */
	SEGMENT_BYTES_MOST = 1 << 20,  /* by HTTP, where configured */
	SPAN_BYTES_MAX = 256 << 10,    /* OTLP: a span, resource, scope */
	METRIC_NAME_MAX = 255,	       /* CloudWatch: namespace and name */
	DIMENSIONS_MAX = 30,	       /* CloudWatch: per datum */
	DIMENSION_NAME_MAX = 255,
	DIMENSION_VALUE_MAX = 1024,
	DATUM_VALUES_MAX = 150,	       /* CloudWatch: unique values a datum */
	LOG_NAME_MAX = 512,	       /* group and stream */
	LOG_MESSAGE_MAX = 1 << 20,     /* PutLogEvents: an event */
	BATCH_RECORDS_MAX = 10000,     /* of each kind in one batch */
	PRODUCER_MAX = 64,
	USAGE_ID_MAX = 128,
	RESOURCE_MAX = 256,	       /* a function name or ARN */
	MEMORY_MB_MIN = 128,
	MEMORY_MB_MAX = 10240,
	BILLED_MS_MAX = 900000 + 20000, /* 900 s run and init, with grace */
	REGION_MAX = 24,
};

/* Who the records belong to. Leads every key, file and checkpoint. */
struct scope {
	uint64_t account; /* twelve digits: 000000000000 to 999999999999 */
	char region[REGION_MAX]; /* NUL-terminated, "us-east-1" */
};

struct json_doc;
struct segment;

struct segment_record {
	struct sv document; /* a JSON object as it came, valid JSON */
	/* The same, parsed: a document is read several times on its way, and
	 * parsed once. NULL: not yet. */
	const struct json_doc *parsed;
	/* And read (segment_take in tracer/segment.h): [0] is the document's
	 * own segment, behind it all that are nested in it, parents first, in
	 * document order. NULL: not yet. */
	const struct segment *read;
	uint32_t read_count;
};

struct dimension {
	struct sv name;
	struct sv value;
};

struct datum {
	struct sv ns; /* namespace */
	struct sv name;
	const struct dimension *dimensions; /* sorted by name, unique */
	size_t dimension_count;
	int64_t time_ns;
	struct sv unit;	       /* CloudWatch's name; "None" when not given */
	uint32_t resolution_s; /* 1 or 60 */
	/* Values with counts; or, when has_statistics, value_count is 0. */
	const double *values;
	const double *counts; /* NULL: each value once */
	size_t value_count;
	bool has_statistics;
	double sample_count, sum, minimum, maximum;
};

struct log_event {
	struct sv group;
	struct sv stream;
	int64_t time_ns;
	struct sv message;
};

enum architecture { ARCH_X86_64, ARCH_ARM64 };
enum run_status { RUN_OK, RUN_ERROR, RUN_TIMEOUT, RUN_OUT_OF_MEMORY };

struct usage {
	struct sv id; /* the request id */
	struct sv source;
	int64_t time_ns;
	struct sv resource; /* function name */
	uint32_t memory_mb;
	uint32_t max_memory_mb;
	uint64_t duration_us;
	uint64_t billed_ms;
	uint64_t init_us;
	enum architecture architecture;
	enum run_status status;
	struct sv trace_id;
};

/* What OTLP says once of many spans: messages' bytes, as they came. */
struct span_source {
	struct sv resource; /* opentelemetry.proto.resource.v1.Resource */
	struct sv resource_schema;
	struct sv scope; /* ....common.v1.InstrumentationScope */
	struct sv scope_schema;
};

struct span_record {
	const struct span_source *source;
	struct sv span; /* ....trace.v1.Span, checked, as it came */
};

enum record_kind { RECORD_SEGMENT, RECORD_DATUM, RECORD_LOG, RECORD_USAGE };

struct records {
	struct segment_record *segments;
	struct datum *data;
	struct log_event *logs;
	struct usage *usage;
	struct span_record *spans; /* of OTLP; no native batch has any */
	size_t segment_count, datum_count, log_count, usage_count, span_count;
};

#endif
