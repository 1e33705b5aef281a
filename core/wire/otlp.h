/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP's export requests (opentelemetry-proto 1.x): bytes to plain records.
 * Requests are hot and hostile, so a walker reads them where they lie: what a
 * span record says are the sender's own bytes, and nothing is allocated for a
 * span but its record. Depth is bounded by OTLP_NESTING_MAX, counts before
 * anything is allocated, and all else by the body's size.
 *
 * A body that is no protobuf message of this kind is an error: nothing of it
 * counts. A record that cannot be placed is refused alone, by reason, and
 * counted in struct otlp_refused: that is OTLP's partial success. Both depend
 * on the bytes alone, so a replay decides as the first run did.
 *
 * Text that is not UTF-8 is kept as it came and shown with U+FFFD.
 */
#ifndef TALLY_CORE_WIRE_OTLP_H
#define TALLY_CORE_WIRE_OTLP_H

#include "core/base/arena.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	OTLP_RECORDS_MAX = 65535, /* of one request */
	/* Arrays and key-value lists within each other, in one attribute. In
	 * JSON each takes up to four levels of JSON_DEPTH_MAX. */
	OTLP_NESTING_MAX = 12,
	OTLP_TRACE_ID_SIZE = 16,
	OTLP_SPAN_ID_SIZE = 8,
	OTLP_MESSAGE_MAX = 256,
};

/* Of a plain body. Also frame.decoder of PROTOCOL_OTLP_...: stored, never
 * renumber. */
enum otlp_encoding {
	OTLP_PROTOBUF = 1,
	OTLP_JSON = 2, /* read by otlp_json.h */
};

enum otlp_signal { OTLP_TRACES, OTLP_METRICS, OTLP_LOGS, OTLP_SIGNALS };

/* Why a record is refused, in order of precedence. */
enum otlp_refusal {
	OTLP_OK,
	OTLP_TOO_LARGE,     /* with resource and scope over SPAN_BYTES_MAX */
	OTLP_TOO_DEEP,      /* over OTLP_NESTING_MAX */
	OTLP_BAD_TRACE_ID,  /* not 16 bytes, or all zero */
	OTLP_BAD_SPAN_ID,   /* not 8 bytes, or all zero */
	OTLP_BAD_PARENT_ID, /* not 8 bytes, nor empty */
	OTLP_NO_START,      /* a span without a start */
	OTLP_BAD_TIME,      /* after 2262-04-11, where 63 bits end */
	OTLP_TOO_OLD,       /* NATIVE_AGE_DAYS_MAX; spans may be of any age */
	OTLP_TOO_NEW,       /* NATIVE_AHEAD_HOURS_MAX */
	OTLP_BAD_NAME,      /* or dimensions: CloudWatch's limits */
	OTLP_BAD_VALUE,     /* not finite, or beyond +-2^360 */
	OTLP_CUMULATIVE,    /* a histogram since the start of its process */
	OTLP_NO_SUM,        /* a histogram without sum, least or greatest */
	OTLP_QUANTILES,     /* quantiles cannot be stored */
	OTLP_NO_TEMPORALITY,
	OTLP_REFUSALS,
};

struct otlp_refused {
	uint32_t counts[OTLP_REFUSALS];
};

uint32_t otlp_refused_sum(const struct otlp_refused *refused);
/* "3 spans were refused: 2 without a valid trace id, ...": for partialSuccess,
 * with a NUL; empty where nothing was refused. */
void otlp_refused_text(const struct otlp_refused *refused,
		       enum otlp_signal signal, char text[OTLP_MESSAGE_MAX]);

/* ExportTraceServiceRequest to out->spans. All else in *out is left alone; what
 * it points to is in the arena, and in body. ERR_SYNTAX, ERR_LIMIT (diag says
 * what), ERR_NOMEM. */
int otlp_traces_decode(struct arena *arena, struct sv body, struct records *out,
		       struct otlp_refused *refused,
		       struct diag *diag) MUST_USE;

/* ExportLogsServiceRequest to out->logs. The message is a JSON object in the
 * manner of Lambda's JSON logs: level, requestId, logger, event, message (the
 * body), traceId, spanId, attributes, as far as they are there. The group is
 * aws.log.group.names, /aws/lambda/ and faas.name, or service.name, of the
 * resource. Times are judged by received, which a replay knows too. */
int otlp_logs_decode(struct arena *arena, struct sv body, struct wall received,
		     struct records *out, struct otlp_refused *refused,
		     struct diag *diag) MUST_USE;

/* ExportMetricsServiceRequest to out->data (core/wire/otlp_points.h says of
 * which kinds). The namespace is the service's, the dimensions are the point's
 * attributes; those of the resource are not. A point that says it has nothing
 * is taken, and nothing stored. */
int otlp_metrics_decode(struct arena *arena, struct sv body,
			struct wall received, struct records *out,
			struct otlp_refused *refused,
			struct diag *diag) MUST_USE;

#endif
