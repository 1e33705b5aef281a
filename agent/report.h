/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines and payloads with which Lambda itself speaks of an invocation.
 * Pure text: numbers in, bytes out. Times are microseconds, because a bill is
 * made from whole milliseconds and must agree with what is printed.
 */
#ifndef TALLY_AGENT_REPORT_H
#define TALLY_AGENT_REPORT_H

#include <stdint.h>

#include "core/base/text.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

struct report {
	const char *request_id;
	uint64_t duration_us;
	uint64_t init_us; /* 0: a warm start */
	uint32_t memory_mb;
	uint32_t max_memory_mb;
	const char *trace_id;
	const char *segment_id;
	enum run_status status;
	const char *error_type; /* for RUN_ERROR, RUN_OUT_OF_MEMORY */
};

/* Duration and init together, up to the next millisecond, at least 1: since
 * August 2025 the init of every function is billed. */
uint64_t report_billed_ms(uint64_t duration_us, uint64_t init_us);
void report_line(struct buf *out, const struct report *r);
/* "INIT_REPORT Init Duration: 12.34 ms\tPhase: init\tStatus: error\t..." */
void report_init_line(struct buf *out, uint64_t init_us, const char *phase,
		      enum run_status status, const char *error_type);
/* "2026-11-22T09:00:03.000Z ID Task timed out after 3.00 seconds" */
void report_timeout_line(struct buf *out, struct wall now,
			 const char *request_id, uint32_t timeout_s);
/* {"errorType":"...","errorMessage":"RequestId: ID Error: ..."} */
void report_error_payload(struct buf *out, const char *request_id,
			  const char *type, const char *message);
/* "2026-11-22T09:00:00.123Z" */
void report_iso(struct buf *out, struct wall now);
/* "2026/11/22/[$LATEST]" and 32 hex digits */
void report_stream(char *out, size_t size, struct wall now);

#endif
