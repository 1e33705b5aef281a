/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/grpc_internal.h"

/* --- floods ----------------------------------------------------------------------- */

/* False: too fast for too long. */
static bool bucket_take(struct grpc_bucket *b, uint64_t now_ms, uint32_t burst,
			uint32_t per_s)
{
	uint64_t more;

	if (!b->since_ms) {
		b->since_ms = now_ms;
		b->tokens = burst;
	}
	more = (now_ms - b->since_ms) * per_s / 1000;
	if (more) {
		b->tokens = more >= burst - b->tokens ?
				    burst :
				    b->tokens + (uint32_t)more;
		b->since_ms = now_ms;
	}
	if (!b->tokens)
		return false;
	b->tokens--;
	return true;
}

static void calm(struct grpc_link *l, enum grpc_count why)
{
	if (l->leaving)
		return;
	grpc_count(l->grpc, why);
	grpc_link_goaway(l, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* Kinds that nobody knows are skipped by nghttp2 before it comes here: they cost
 * what their bytes cost, and keep no connection from being idle. */
static bool carries_nothing(const nghttp2_frame_hd *hd)
{
	switch (hd->type) {
	case NGHTTP2_HEADERS:
	case NGHTTP2_CONTINUATION:
		return false;
	case NGHTTP2_DATA:
		return !hd->length && !(hd->flags & NGHTTP2_FLAG_END_STREAM);
	default:
		return true;
	}
}

static int on_begin_frame(nghttp2_session *h2, const nghttp2_frame_hd *hd,
			  void *arg)
{
	struct grpc_link *l = arg;
	uint64_t now = l->grpc->now_ms;

	(void)h2;
	l->spoken = true;
	if (hd->type == NGHTTP2_RST_STREAM &&
	    !bucket_take(&l->resets, now, GRPC_RESETS_BURST, GRPC_RESETS_PER_S))
		calm(l, GRPC_COUNT_RESETS);
	else if (carries_nothing(hd) &&
		 !bucket_take(&l->control, now, GRPC_CONTROL_BURST,
			      GRPC_CONTROL_PER_S))
		calm(l, GRPC_COUNT_FLOOD);
	return 0;
}

/* --- what comes --------------------------------------------------------------------- */

static struct grpc_call *call_of(nghttp2_session *h2, int32_t stream)
{
	return nghttp2_session_get_stream_user_data(h2, stream);
}

static bool is_request(const nghttp2_frame *frame)
{
	return frame->hd.type == NGHTTP2_HEADERS &&
	       frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame,
			    void *arg)
{
	struct grpc_link *l = arg;
	struct grpc_call *c;

	l->head_due_ms = l->grpc->now_ms + l->grpc->head_ms;
	grpc_due(l->grpc, l->head_due_ms);
	if (!is_request(frame))
		return 0;
	c = grpc_call_new(l, frame->hd.stream_id);
	if (!c) {
		nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE,
					  frame->hd.stream_id,
					  NGHTTP2_REFUSED_STREAM);
		return 0;
	}
	nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id, c);
	return 0;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *arg)
{
	struct grpc_call *c = call_of(h2, frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (!c || !is_request(frame) ||
	    grpc_call_header(c, sv_make((const char *)name, name_len),
			     sv_make((const char *)value, value_len)))
		return 0;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct grpc_link *l = arg;
	struct grpc_call *c;

	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS)
		l->head_due_ms = UINT64_MAX;
	c = call_of(h2, frame->hd.stream_id);
	if (!c)
		return 0;
	if (is_request(frame))
		grpc_call_head(c);
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		grpc_call_end(c);
	return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream,
		   const uint8_t *bytes, size_t n, void *arg)
{
	struct grpc_call *c = call_of(h2, stream);

	(void)flags;
	(void)arg;
	if (c)
		grpc_call_data(c, bytes, n);
	return 0;
}

static int on_close(nghttp2_session *h2, int32_t stream, uint32_t code,
		    void *arg)
{
	struct grpc_call *c = call_of(h2, stream);

	(void)code;
	(void)arg;
	if (c)
		grpc_call_closed(c);
	return 0;
}

/* --- what goes ------------------------------------------------------------------------ */

/* The whole answer has gone before the whole call has come: the rest of it is
 * not wanted (RFC 9113, 8.1). */
static int on_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	(void)arg;
	if (frame->hd.type == NGHTTP2_HEADERS &&
	    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
	    nghttp2_session_get_stream_remote_close(h2, frame->hd.stream_id) ==
		    0)
		nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE,
					  frame->hd.stream_id,
					  NGHTTP2_NO_ERROR);
	return 0;
}

static int on_invalid(nghttp2_session *h2, const nghttp2_frame *frame, int why,
		      void *arg)
{
	struct grpc_link *l = arg;

	(void)h2;
	(void)frame;
	if (why == NGHTTP2_ERR_REFUSED_STREAM)
		grpc_count(l->grpc, GRPC_COUNT_STREAMS);
	else
		grpc_count(l->grpc, GRPC_COUNT_PROTOCOL);
	return 0;
}

/* --- sessions --------------------------------------------------------------------------- */

int grpc_session_global(struct grpc *g)
{
	nghttp2_session_callbacks *cb;

	if (nghttp2_option_new(&g->h2_options) ||
	    nghttp2_session_callbacks_new(&g->callbacks))
		return ERR_NOMEM;
	/* Its own limits are far behind ours: they are a second fence. */
	nghttp2_option_set_max_outbound_ack(g->h2_options, GRPC_OUTBOUND_MAX);
	nghttp2_option_set_max_settings(g->h2_options, 32);
	nghttp2_option_set_max_continuations(g->h2_options,
					     GRPC_CONTINUATIONS_MAX);
	nghttp2_option_set_stream_reset_rate_limit(
		g->h2_options, 2 * GRPC_RESETS_BURST, 2 * GRPC_RESETS_PER_S);
	nghttp2_option_set_max_deflate_dynamic_table_size(g->h2_options, 4096);
	nghttp2_option_set_no_closed_streams(g->h2_options, 1);
	cb = g->callbacks;
	nghttp2_session_callbacks_set_on_begin_frame_callback(cb,
							      on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(
		cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_sent);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
		cb, on_invalid);
	return 0;
}

int grpc_session_new(struct grpc_link *l)
{
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, GRPC_STREAMS_MAX },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GRPC_STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_HEADERS_BYTES },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
	};

	if (nghttp2_session_server_new2(&l->h2, l->grpc->callbacks, l,
					l->grpc->h2_options))
		return ERR_NOMEM;
	if (nghttp2_submit_settings(l->h2, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(settings[0])) ||
	    nghttp2_session_set_local_window_size(l->h2, NGHTTP2_FLAG_NONE, 0,
						  GRPC_CONNECTION_WINDOW))
		return ERR_NOMEM;
	return 0;
}
