/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "agent/ids.h"
#include "core/codec/json_write.h"

uint64_t report_billed_ms(uint64_t duration_us, uint64_t init_us)
{
	uint64_t ms = (duration_us + init_us + 999) / 1000;

	return ms ? ms : 1;
}

/* Two decimals, half up, without floating point. */
static void put_ms(struct buf *out, const char *name, uint64_t us)
{
	uint64_t hundredths = (us + 5) / 10;

	buf_format(out, "%s: %" PRIu64 ".%02" PRIu64 " ms", name,
		   hundredths / 100, hundredths % 100);
}

static const char *status_text(enum run_status status)
{
	return status == RUN_TIMEOUT ? "timeout" : "error";
}

void report_line(struct buf *out, const struct report *r)
{
	buf_format(out, "REPORT RequestId: %s\t", r->request_id);
	put_ms(out, "Duration", r->duration_us);
	buf_format(out,
		   "\tBilled Duration: %" PRIu64 " ms\tMemory Size: %" PRIu32
		   " MB\tMax Memory Used: %" PRIu32 " MB\t",
		   report_billed_ms(r->duration_us, r->init_us), r->memory_mb,
		   r->max_memory_mb);
	if (r->init_us) {
		put_ms(out, "Init Duration", r->init_us);
		buf_char(out, '\t');
	}
	buf_format(out, "XRAY TraceId: %s\tSegmentId: %s\tSampled: true\t",
		   r->trace_id, r->segment_id);
	if (r->status == RUN_OK)
		return;
	buf_format(out, "Status: %s\t", status_text(r->status));
	if (r->status != RUN_TIMEOUT && r->error_type && r->error_type[0])
		buf_format(out, "Error Type: %s\t", r->error_type);
}

void report_init_line(struct buf *out, uint64_t init_us, const char *phase,
		      enum run_status status, const char *error_type)
{
	buf_text(out, "INIT_REPORT ");
	put_ms(out, "Init Duration", init_us);
	buf_format(out, "\tPhase: %s\tStatus: %s", phase, status_text(status));
	if (status != RUN_TIMEOUT && error_type && error_type[0])
		buf_format(out, "\tError Type: %s", error_type);
}

void report_iso(struct buf *out, struct wall now)
{
	time_t seconds = (time_t)(now.ns / NS_PER_S);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	buf_format(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		   tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		   tm.tm_min, tm.tm_sec, (int)(now.ns % NS_PER_S / NS_PER_MS));
}

void report_timeout_line(struct buf *out, struct wall now,
			 const char *request_id, uint32_t timeout_s)
{
	report_iso(out, now);
	buf_format(out, " %s Task timed out after %" PRIu32 ".00 seconds",
		   request_id, timeout_s);
}

void report_error_payload(struct buf *out, const char *request_id,
			  const char *type, const char *message)
{
	struct buf text = BUF_INIT;
	struct json_writer w = json_writer(out);

	if (request_id)
		buf_format(&text, "RequestId: %s Error: ", request_id);
	buf_text(&text, message);
	json_open_object(&w);
	json_key(&w, "errorType");
	json_put_text(&w, type);
	json_key(&w, "errorMessage");
	json_put_sv(&w, buf_view(&text));
	json_close_object(&w);
	buf_fini(&text);
}

void report_stream(char *out, size_t size, struct wall now)
{
	time_t seconds = (time_t)(now.ns / NS_PER_S);
	char hex[33];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	id_hex(hex, 16);
	snprintf(out, size, "%04d/%02d/%02d/[$LATEST]%s", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, hex);
}
