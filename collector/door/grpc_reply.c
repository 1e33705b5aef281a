/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/grpc_internal.h"

#define HEADER(n, v) header_of(SV(n), v)

static nghttp2_nv header_of(struct sv name, struct sv value)
{
	return (nghttp2_nv){ (uint8_t *)name.ptr, (uint8_t *)value.ptr,
			     name.len, value.len, NGHTTP2_NV_FLAG_NONE };
}

static void replied(struct grpc_call *c)
{
	c->answered = true;
	c->link->progress = true;
	if (c->phase != GRPC_HANDLER)
		c->phase = GRPC_REPLY;
	c->due_ms = c->grpc->now_ms + c->grpc->reader_ms;
	grpc_due(c->grpc, c->due_ms);
}

/* Headers alone, which end the stream. */
void grpc_reply_status(struct grpc_call *c, enum rpc_code status,
		       struct sv text, unsigned retry_after_s)
{
	struct buf message = { .limit = 4 * GRPC_MESSAGE_MAX };
	struct buf details = { .limit = 8 * GRPC_MESSAGE_MAX };
	char number[12];
	nghttp2_nv nv[6];
	size_t n = 0;

	if (c->answered || !c->stream)
		return;
	snprintf(number, sizeof(number), "%d", (int)status);
	grpc_message_put(&message, text);
	nv[n++] = HEADER(":status", SV("200"));
	nv[n++] = HEADER("content-type", SV("application/grpc"));
	nv[n++] = HEADER("grpc-status", sv_from(number));
	nv[n++] = HEADER("grpc-message", buf_view(&message));
	if (status == RPC_UNIMPLEMENTED)
		nv[n++] = HEADER("grpc-accept-encoding", SV("identity,gzip"));
	if (retry_after_s) {
		grpc_details_put(&details, status, text, retry_after_s);
		nv[n++] = HEADER("grpc-status-details-bin", buf_view(&details));
	}
	nghttp2_submit_response(c->link->h2, c->stream, nv, n, NULL);
	replied(c);
	buf_fini(&message);
	buf_fini(&details);
}

/* What is no gRPC is told so by a status of HTTP. */
void grpc_reply_http(struct grpc_call *c, const char *status)
{
	nghttp2_nv nv[] = { HEADER(":status", sv_from(status)) };

	nghttp2_submit_response(c->link->h2, c->stream, nv, 1, NULL);
	replied(c);
}

static ssize_t read_frame(nghttp2_session *h2, int32_t stream, uint8_t *to,
			  size_t room, uint32_t *flags,
			  nghttp2_data_source *source, void *arg)
{
	nghttp2_nv trailer[] = { HEADER("grpc-status", SV("0")) };
	struct grpc_call *c = source->ptr;
	size_t n = c->frame.len - c->frame_sent;

	(void)arg;
	if (n > room)
		n = room;
	memcpy(to, c->frame.ptr + c->frame_sent, n);
	c->frame_sent += n;
	if (c->frame_sent == c->frame.len) {
		*flags |= NGHTTP2_DATA_FLAG_EOF |
			  NGHTTP2_DATA_FLAG_NO_END_STREAM;
		if (nghttp2_submit_trailer(h2, stream, trailer, 1))
			return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	return (ssize_t)n;
}

void grpc_reply_message(struct grpc_call *c)
{
	const struct buf *reply = &c->request.reply;
	uint8_t prefix[GRPC_PREFIX] = { 0, (uint8_t)(reply->len >> 24),
					(uint8_t)(reply->len >> 16),
					(uint8_t)(reply->len >> 8),
					(uint8_t)reply->len };
	nghttp2_nv nv[] = {
		HEADER(":status", SV("200")),
		HEADER("content-type", SV("application/grpc")),
	};
	const nghttp2_data_provider provider = {
		.source.ptr = c,
		.read_callback = read_frame,
	};

	buf_add(&c->frame, prefix, sizeof(prefix));
	buf_sv(&c->frame, buf_view(reply));
	if (reply->failed || c->frame.failed) {
		grpc_reply_status(c, RPC_INTERNAL,
				  SV("no memory for the answer"), 0);
		return;
	}
	nghttp2_submit_response(c->link->h2, c->stream, nv, 2, &provider);
	replied(c);
}
