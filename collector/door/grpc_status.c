/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/grpc_status.h"

#include "core/codec/base64.h"
#include "core/codec/protobuf.h"

enum grpc_status grpc_status_of_http(unsigned status)
{
	switch (status) {
	case 200:
		return GRPC_OK;
	case 401:
		return GRPC_UNAUTHENTICATED;
	case 403:
		return GRPC_PERMISSION_DENIED;
	case 404:
	case 405:
	case 501:
		return GRPC_UNIMPLEMENTED;
	case 408:
	case 504:
		return GRPC_DEADLINE_EXCEEDED;
	case 409:
		return GRPC_ABORTED;
	case 413:
	case 429:
		return GRPC_RESOURCE_EXHAUSTED;
	case 503:
		return GRPC_UNAVAILABLE;
	default:
		return status < 500 ? GRPC_INVALID_ARGUMENT : GRPC_INTERNAL;
	}
}

bool grpc_timeout_parse(struct sv text, uint64_t *out_ms)
{
	static const struct {
		char unit;
		uint64_t ns;
	} units[] = {
		{ 'H', 3600000000000 }, { 'M', 60000000000 },
		{ 'S', 1000000000 },    { 'm', 1000000 },
		{ 'u', 1000 },          { 'n', 1 },
	};
	uint64_t n;

	if (text.len < 2 || text.len > 9 ||
	    !sv_to_u64(sv_make(text.ptr, text.len - 1), &n))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != text.ptr[text.len - 1])
			continue;
		/* 99,999,999 hours are 3.6e20 ns: too many for 64 bits. */
		if (units[i].ns >= 1000000)
			*out_ms = n * (units[i].ns / 1000000);
		else
			*out_ms = (n * units[i].ns + 999999) / 1000000;
		return true;
	}
	return false;
}

void grpc_message_put(struct buf *out, struct sv text)
{
	static const char digits[] = "0123456789ABCDEF";

	if (text.len > GRPC_MESSAGE_MAX) {
		text.len = GRPC_MESSAGE_MAX;
		while (text.len && ((uint8_t)text.ptr[text.len] & 0xc0) == 0x80)
			text.len--;
	}
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.ptr[i];

		if (c >= 0x20 && c <= 0x7e && c != '%') {
			buf_char(out, (char)c);
			continue;
		}
		buf_char(out, '%');
		buf_char(out, digits[c >> 4]);
		buf_char(out, digits[c & 15]);
	}
}

/* google.rpc.Status { code = 1, message = 2, details = 3 of Any { type_url = 1,
 * value = 2 } }; RetryInfo { retry_delay = 1 of Duration { seconds = 1 } } */
void grpc_details_put(struct buf *out, enum grpc_status status,
		      struct sv message, unsigned retry_after_s)
{
	struct buf bytes = { .limit = 4 * GRPC_MESSAGE_MAX };
	size_t any, value, delay;

	if (message.len > GRPC_MESSAGE_MAX)
		message.len = 0; /* grpc-message has it */
	protobuf_put_u64(&bytes, 1, (uint64_t)status);
	protobuf_put_bytes(&bytes, 2, message);
	any = protobuf_open(&bytes, 3);
	protobuf_put_bytes(&bytes, 1,
			   SV("type.googleapis.com/google.rpc.RetryInfo"));
	value = protobuf_open(&bytes, 2);
	delay = protobuf_open(&bytes, 1);
	protobuf_put_u64(&bytes, 1, retry_after_s);
	protobuf_close(&bytes, delay);
	protobuf_close(&bytes, value);
	protobuf_close(&bytes, any);
	base64_put(out, buf_view(&bytes));
	while (out->len && out->ptr[out->len - 1] == '=')
		out->ptr[--out->len] = '\0'; /* as gRPC sends it */
	buf_fini(&bytes);
}
