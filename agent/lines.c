/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/lines.h"

#define FRAME_TYPE 0xA55A0002U
#define FRAME_TYPE_MASK 0xFFFFFFE2U /* without level and the text bit */

void lines_fini(struct lines *l)
{
	buf_fini(&l->held);
}

/* Adds a piece of an event; gives the event out when it is at its limit. */
static void hold(struct lines *l, struct sv piece, line_fn each, void *arg,
		 uint64_t time_us)
{
	while (l->held.len + piece.len > LOG_EVENT_BYTES_MAX) {
		size_t n = LOG_EVENT_BYTES_MAX - l->held.len;

		buf_add(&l->held, piece.ptr, n);
		each(arg, time_us, buf_view(&l->held));
		buf_reset(&l->held);
		l->cut++;
		piece = sv_make(piece.ptr + n, piece.len - n);
	}
	buf_sv(&l->held, piece);
}

static struct sv without_cr(struct sv s)
{
	if (s.len && s.ptr[s.len - 1] == '\r')
		s.len--;
	return s;
}

void lines_add(struct lines *l, struct sv bytes, line_fn each, void *arg)
{
	while (bytes.len) {
		const char *end = memchr(bytes.ptr, '\n', bytes.len);
		size_t n = end ? (size_t)(end - bytes.ptr) : bytes.len;
		struct sv piece = sv_make(bytes.ptr, n);

		if (end && !l->held.len && n <= LOG_EVENT_BYTES_MAX) {
			each(arg, 0, without_cr(piece));
		} else {
			hold(l, piece, each, arg, 0);
			if (end) {
				each(arg, 0, without_cr(buf_view(&l->held)));
				buf_reset(&l->held);
			}
		}
		if (!end)
			return;
		bytes = sv_make(end + 1, bytes.len - n - 1);
	}
}

void lines_flush(struct lines *l, line_fn each, void *arg)
{
	if (l->held.len)
		each(arg, 0, without_cr(buf_view(&l->held)));
	buf_reset(&l->held);
}

void frames_fini(struct frames *f)
{
	buf_fini(&f->held);
	lines_fini(&f->rest);
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void frame_end(struct frames *f, line_fn each, void *arg)
{
	struct sv message = buf_view(&f->rest.held);

	if (message.len && message.ptr[message.len - 1] == '\n')
		message.len--;
	if (message.len)
		each(arg, f->time_us, message);
	buf_reset(&f->rest.held);
	f->in_message = false;
}

/* Takes header bytes; returns what is left of bytes. */
static struct sv frame_begin(struct frames *f, struct sv bytes)
{
	size_t want = FRAME_HEADER_BYTES - f->held.len;
	size_t n = bytes.len < want ? bytes.len : want;
	const uint8_t *h;

	buf_add(&f->held, bytes.ptr, n);
	if (f->held.len < FRAME_HEADER_BYTES)
		return sv_make(bytes.ptr + n, bytes.len - n);
	h = (const uint8_t *)f->held.ptr;
	f->left = get_be32(h + 4);
	f->time_us = get_be64(h + 8);
	f->in_message = true;
	if ((get_be32(h) & FRAME_TYPE_MASK) != (FRAME_TYPE & FRAME_TYPE_MASK) ||
	    f->left > FRAME_BYTES_MAX)
		f->broken = true;
	return sv_make(bytes.ptr + n, bytes.len - n);
}

void frames_add(struct frames *f, struct sv bytes, line_fn each, void *arg)
{
	while (bytes.len && !f->broken) {
		size_t n;

		if (!f->in_message) {
			bytes = frame_begin(f, bytes);
			if (!f->in_message)
				return;
			if (f->broken)
				break;
			buf_reset(&f->held);
		}
		n = f->left < bytes.len ? (size_t)f->left : bytes.len;
		hold(&f->rest, sv_make(bytes.ptr, n), each, arg, f->time_us);
		f->left -= n;
		bytes = sv_make(bytes.ptr + n, bytes.len - n);
		if (!f->left)
			frame_end(f, each, arg);
	}
	if (f->broken) { /* the header that was none is text as well */
		lines_add(&f->rest, buf_view(&f->held), each, arg);
		buf_reset(&f->held);
		lines_add(&f->rest, bytes, each, arg);
	}
}

void frames_flush(struct frames *f, line_fn each, void *arg)
{
	lines_flush(&f->rest, each, arg);
	f->in_message = false;
	buf_reset(&f->held);
}

struct sv text_clean(struct sv text, struct buf *scratch)
{
	if (sv_is_utf8(text))
		return text;
	buf_reset(scratch);
	for (size_t i = 0; i < text.len;) {
		size_t n = 1;

		while (n <= 4 && i + n <= text.len &&
		       !sv_is_utf8(sv_make(text.ptr + i, n)))
			n++;
		if (n <= 4 && i + n <= text.len) {
			buf_add(scratch, text.ptr + i, n);
			i += n;
		} else {
			buf_text(scratch, "\xef\xbf\xbd");
			i++;
		}
	}
	return buf_view(scratch);
}
