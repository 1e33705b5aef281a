/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/grpc_status.h"

#include "core/codec/base64.h"

enum rpc_code grpc_status_of_http(unsigned status)
{
	return status == 404 ? RPC_UNIMPLEMENTED : rpc_code_of_http(status);
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

void grpc_details_put(struct buf *out, enum rpc_code status, struct sv message,
		      unsigned retry_after_s)
{
	struct buf bytes = { .limit = 4 * GRPC_MESSAGE_MAX };

	if (message.len > GRPC_MESSAGE_MAX)
		message.len = 0; /* grpc-message has it */
	otlp_status_put(&bytes, OTLP_PROTOBUF, status, message, retry_after_s);
	base64_put(out, buf_view(&bytes));
	while (out->len && out->ptr[out->len - 1] == '=')
		out->ptr[--out->len] = '\0'; /* as gRPC sends it */
	buf_fini(&bytes);
}
