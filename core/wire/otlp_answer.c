/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_answer.h"

#include "core/codec/json_write.h"
#include "core/codec/protobuf.h"

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"

enum rpc_code rpc_code_of_err(int err)
{
	switch (err) {
	case ERR_OK:
		return RPC_OK;
	case ERR_SYNTAX:
	case ERR_LIMIT:
	case ERR_INVALID:
		return RPC_INVALID_ARGUMENT;
	default:
		return RPC_UNAVAILABLE;
	}
}

enum rpc_code rpc_code_of_http(unsigned status)
{
	switch (status) {
	case 200:
		return RPC_OK;
	case 401:
		return RPC_UNAUTHENTICATED;
	case 403:
		return RPC_PERMISSION_DENIED;
	case 404:
		return RPC_NOT_FOUND;
	case 405:
		return RPC_UNIMPLEMENTED;
	case 413:
	case 429:
		return RPC_RESOURCE_EXHAUSTED;
	case 503:
		return RPC_UNAVAILABLE;
	default:
		return status >= 400 && status < 500 ? RPC_INVALID_ARGUMENT :
						       RPC_INTERNAL;
	}
}

const char *otlp_content_type(enum otlp_encoding encoding)
{
	return encoding == OTLP_JSON ? "application/json" :
				       "application/x-protobuf";
}

static void response_json(struct buf *out, const char *rejected_key,
			  uint64_t rejected, struct sv message)
{
	struct json_writer w = json_writer(out);
	char digits[24];

	json_open_object(&w);
	if (rejected || message.len) {
		json_key(&w, "partialSuccess");
		json_open_object(&w);
		if (rejected) {
			/* int64 is text in protobuf's JSON. */
			snprintf(digits, sizeof(digits), "%llu",
				 (unsigned long long)rejected);
			json_key(&w, rejected_key);
			json_put_text(&w, digits);
		}
		if (message.len) {
			json_key(&w, "errorMessage");
			json_put_sv(&w, message);
		}
		json_close_object(&w);
	}
	json_close_object(&w);
}

void otlp_response_put(struct buf *out, enum otlp_signal signal,
		       enum otlp_encoding encoding, uint64_t rejected,
		       struct sv message)
{
	static const char *const keys[OTLP_SIGNALS] = {
		[OTLP_TRACES] = "rejectedSpans",
		[OTLP_METRICS] = "rejectedDataPoints",
		[OTLP_LOGS] = "rejectedLogRecords",
	};
	size_t mark;

	if (encoding == OTLP_JSON) {
		response_json(out, keys[signal], rejected, message);
		return;
	}
	if (!rejected && !message.len)
		return;
	mark = protobuf_open(out, 1); /* partial_success */
	if (rejected)
		protobuf_put_u64(out, 1, rejected);
	if (message.len)
		protobuf_put_bytes(out, 2, message);
	protobuf_close(out, mark);
}

static void status_json(struct buf *out, enum rpc_code code, struct sv message,
			unsigned retry_after_s)
{
	struct json_writer w = json_writer(out);
	char seconds[16];

	json_open_object(&w);
	json_key(&w, "code");
	json_put_i64(&w, code);
	json_key(&w, "message");
	json_put_sv(&w, message);
	if (retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%us", retry_after_s);
		json_key(&w, "details");
		json_open_array(&w);
		json_open_object(&w);
		json_key(&w, "@type");
		json_put_text(&w, RETRY_INFO);
		json_key(&w, "retryDelay");
		json_put_text(&w, seconds);
		json_close_object(&w);
		json_close_array(&w);
	}
	json_close_object(&w);
}

void otlp_status_put(struct buf *out, enum otlp_encoding encoding,
		     enum rpc_code code, struct sv message,
		     unsigned retry_after_s)
{
	size_t any, info, duration;

	if (encoding == OTLP_JSON) {
		status_json(out, code, message, retry_after_s);
		return;
	}
	protobuf_put_u64(out, 1, code);
	protobuf_put_bytes(out, 2, message);
	if (!retry_after_s)
		return;
	any = protobuf_open(out, 3); /* details */
	protobuf_put_bytes(out, 1, SV(RETRY_INFO));
	info = protobuf_open(out, 2);
	duration = protobuf_open(out, 1); /* retry_delay */
	protobuf_put_u64(out, 1, retry_after_s);
	protobuf_close(out, duration);
	protobuf_close(out, info);
	protobuf_close(out, any);
}
