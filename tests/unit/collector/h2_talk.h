/* SPDX-License-Identifier: Apache-2.0 */
/* A client of HTTP/2 that can be as wrong as it likes: frames are put together
 * by hand, what comes back is split into frames and its headers are decoded.
 * After cmocka's headers. */
#ifndef TALLY_TESTS_H2_TALK_H
#define TALLY_TESTS_H2_TALK_H

#include <nghttp2/nghttp2.h>

#include "core/base/text.h"
#include "tests/unit/collector/talk.h"

#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4 };

struct h2_peer {
	int fd;
	nghttp2_hd_inflater *inflater;
	struct buf out; /* frames that are to be sent */
	/* The last frame that came. */
	uint8_t type, flags;
	uint32_t stream;
	struct buf payload; /* of HEADERS: "name: value\n" each */
};

static inline void h2_frame(struct buf *out, uint8_t type, uint8_t flags,
			    uint32_t stream, const void *payload, size_t n)
{
	const uint8_t head[9] = { (uint8_t)(n >> 16),
				  (uint8_t)(n >> 8),
				  (uint8_t)n,
				  type,
				  flags,
				  (uint8_t)(stream >> 24),
				  (uint8_t)(stream >> 16),
				  (uint8_t)(stream >> 8),
				  (uint8_t)stream };

	buf_add(out, head, sizeof(head));
	buf_add(out, payload, n);
}

/* HPACK's integer with a prefix of seven bits, and no Huffman. */
static inline void h2_text(struct buf *out, struct sv text)
{
	size_t n = text.len;

	if (n < 127) {
		buf_char(out, (char)n);
	} else {
		buf_char(out, 127);
		for (n -= 127; n >= 128; n >>= 7)
			buf_char(out, (char)(n % 128 + 128));
		buf_char(out, (char)n);
	}
	buf_sv(out, text);
}

/* Literal, never in the table. */
static inline void h2_header(struct buf *out, const char *name, struct sv value)
{
	buf_char(out, 0x00);
	h2_text(out, sv_from(name));
	h2_text(out, value);
}

static inline void h2_request_headers(struct buf *out, const char *path)
{
	h2_header(out, ":method", SV("POST"));
	h2_header(out, ":scheme", SV("http"));
	h2_header(out, ":path", sv_from(path));
	h2_header(out, ":authority", SV("localhost"));
	h2_header(out, "content-type", SV("application/grpc"));
	h2_header(out, "te", SV("trailers"));
}

/* HEADERS of a call, with one more header; name NULL: none. */
static inline void h2_call(struct h2_peer *p, uint32_t stream, const char *path,
			   const char *name, const char *value)
{
	struct buf block = { 0 };

	h2_request_headers(&block, path);
	if (name)
		h2_header(&block, name, sv_from(value));
	h2_frame(&p->out, NGHTTP2_HEADERS, H2_END_HEADERS, stream, block.ptr,
		 block.len);
	buf_fini(&block);
}

/* DATA: a message's prefix, and as much of it as there is. */
static inline void h2_message(struct h2_peer *p, uint32_t stream, uint8_t flag,
			      uint32_t length, struct sv part, uint8_t flags)
{
	const uint8_t prefix[5] = { flag, (uint8_t)(length >> 24),
				    (uint8_t)(length >> 16),
				    (uint8_t)(length >> 8), (uint8_t)length };
	struct buf data = { 0 };

	buf_add(&data, prefix, sizeof(prefix));
	buf_sv(&data, part);
	h2_frame(&p->out, NGHTTP2_DATA, flags, stream, data.ptr, data.len);
	buf_fini(&data);
}

/* False: the other side has gone. */
static inline bool h2_try_flush(struct h2_peer *p)
{
	bool sent = talk_try(p->fd, p->out.ptr, p->out.len);

	buf_reset(&p->out);
	return sent;
}

static inline void h2_flush(struct h2_peer *p)
{
	assert_true(h2_try_flush(p));
}

static inline struct h2_peer h2_open(const char *address)
{
	struct h2_peer p = { .fd = talk_connect(address) };

	assert_int_equal(nghttp2_hd_inflate_new(&p.inflater), 0);
	buf_text(&p.out, H2_PREFACE);
	h2_frame(&p.out, NGHTTP2_SETTINGS, 0, 0, "", 0);
	return p;
}

static inline void h2_close(struct h2_peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	nghttp2_hd_inflate_del(p->inflater);
	buf_fini(&p->out);
	buf_fini(&p->payload);
}

static inline bool h2_read(int fd, void *to, size_t n)
{
	char *at = to;

	while (n) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t got;

		if (poll(&p, 1, PATIENCE_MS) != 1)
			fail_msg("neither a frame nor an end");
		got = recv(fd, at, n, 0);
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* The next frame; false: the connection has ended. */
static inline bool h2_next(struct h2_peer *p)
{
	uint8_t head[9];
	struct buf raw = { 0 };
	size_t n;

	if (!h2_read(p->fd, head, sizeof(head)))
		return false;
	n = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
	p->type = head[3];
	p->flags = head[4];
	p->stream = (uint32_t)(head[5] & 127) << 24 | (uint32_t)head[6] << 16 |
		    (uint32_t)head[7] << 8 | head[8];
	buf_reset(&p->payload);
	assert_true(n == 0 || h2_read(p->fd, buf_grow(&raw, n), n));
	if (p->type != NGHTTP2_HEADERS) {
		buf_add(&p->payload, n ? raw.ptr : "", n);
	} else {
		const uint8_t *at = (const uint8_t *)raw.ptr;
		int what = 0;

		while (!(what & NGHTTP2_HD_INFLATE_FINAL)) {
			nghttp2_nv nv;
			ssize_t took = nghttp2_hd_inflate_hd2(p->inflater, &nv,
							      &what, at, n, 1);

			assert_true(took >= 0);
			at += took;
			n -= (size_t)took;
			if (what & NGHTTP2_HD_INFLATE_EMIT)
				buf_format(&p->payload, "%s: %s\n", nv.name,
					   nv.value);
		}
		nghttp2_hd_inflate_end_headers(p->inflater);
	}
	buf_fini(&raw);
	return true;
}

static inline uint32_t h2_be32(const struct h2_peer *p, size_t at)
{
	const uint8_t *b = (const uint8_t *)p->payload.ptr + at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

/* Skips what is not of this type. */
static inline void h2_until(struct h2_peer *p, uint8_t type)
{
	do {
		if (!h2_next(p))
			fail_msg("it ended before a frame of type %d", type);
	} while (p->type != type);
}

/* The stream's last headers have this line. */
static inline void h2_expect(struct h2_peer *p, uint32_t stream,
			     const char *line)
{
	do {
		h2_until(p, NGHTTP2_HEADERS);
	} while (p->stream != stream || !(p->flags & H2_END_STREAM));
	if (!strstr(p->payload.ptr, line))
		fail_msg("no '%s' in: %s", line, p->payload.ptr);
}

static inline void h2_expect_goaway(struct h2_peer *p, uint32_t code)
{
	h2_until(p, NGHTTP2_GOAWAY);
	assert_int_equal(h2_be32(p, 4), code);
}

static inline void h2_expect_end(struct h2_peer *p)
{
	while (h2_next(p))
		continue;
}

#endif
