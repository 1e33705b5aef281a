/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/deflate.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l.h>

struct deflate {
	struct isal_zstream stream;
	uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
};

/* ISA-L counts in 32 bits; a block or body is far below that. */
enum { INPUT_MAX = 1 << 30 };

int deflate_new(struct deflate **out)
{
	*out = malloc(sizeof(**out));
	return *out ? 0 : ERR_NOMEM;
}

void deflate_free(struct deflate *d)
{
	free(d);
}

/* In the worst case deflate stores: 5 bytes for each piece of 64 KB at most;
 * ISA-L cuts smaller pieces, hence the generous share, and a header. */
static size_t worst_size(size_t n)
{
	return n + n / 64 + 512;
}

static int compress_with(struct deflate *d, struct buf *out, struct sv in,
			 uint16_t format)
{
	size_t room = worst_size(in.len);
	bool failed = out->failed;
	int status;
	char *p;

	if (in.len > INPUT_MAX)
		return ERR_LIMIT;
	p = buf_grow(out, room);
	if (!p) {
		/* Perhaps only the worst case is too large: try what is left,
		 * for a caller whose limit is tight. */
		size_t limit = out->limit ? out->limit : BUF_LIMIT_DEFAULT;

		if (failed || limit <= out->len)
			return ERR_LIMIT;
		out->failed = failed;
		room = limit - out->len;
		p = buf_grow(out, room);
		if (!p) {
			out->failed = failed;
			return ERR_NOMEM;
		}
	}
	isal_deflate_init(&d->stream);
	d->stream.level = 1;
	d->stream.level_buf = d->level_buf;
	d->stream.level_buf_size = sizeof(d->level_buf);
	d->stream.gzip_flag = format;
	d->stream.end_of_stream = 1;
	d->stream.flush = NO_FLUSH;
	d->stream.next_in = (uint8_t *)(uintptr_t)(in.len ? in.ptr : "");
	d->stream.avail_in = (uint32_t)in.len;
	d->stream.next_out = (uint8_t *)p;
	d->stream.avail_out = (uint32_t)room;
	status = isal_deflate(&d->stream);
	assert(status == COMP_OK);
	if (d->stream.internal_state.state != ZSTATE_END)
		return ERR_LIMIT;
	out->len += room - d->stream.avail_out;
	out->ptr[out->len] = '\0';
	return 0;
}

static int compress_any(struct deflate *d, struct buf *out, struct sv in,
			uint16_t format)
{
	struct deflate *own = NULL;
	int err;

	if (!d) {
		err = deflate_new(&own);
		if (err)
			return err;
	}
	err = compress_with(d ? d : own, out, in, format);
	deflate_free(own);
	return err;
}

int deflate_zlib(struct deflate *d, struct buf *out, struct sv in)
{
	return compress_any(d, out, in, IGZIP_ZLIB);
}

int deflate_gzip(struct deflate *d, struct buf *out, struct sv in)
{
	return compress_any(d, out, in, IGZIP_GZIP);
}

/* The state is 90 KB: too much for the small stacks of a server's threads. */
static struct inflate_state *inflate_begin(struct sv in, uint32_t format)
{
	struct inflate_state *s;

	if (in.len > INPUT_MAX)
		return NULL;
	s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	isal_inflate_init(s);
	s->crc_flag = format;
	s->next_in = (uint8_t *)(uintptr_t)(in.len ? in.ptr : "");
	s->avail_in = (uint32_t)in.len;
	return s;
}

/* Input that is left. ISA-L takes bytes ahead into read_in and, at the end of a
 * zlib stream, does not always give them back (2.30): count these too. */
static uint32_t inflate_left(const struct inflate_state *s)
{
	return s->avail_in + (uint32_t)s->read_in_length / 8;
}

int inflate_exact(void *out, size_t size, struct sv in)
{
	struct inflate_state *s;
	uint8_t spare = 0;
	int status;
	bool good;

	if (size > INPUT_MAX || in.len > INPUT_MAX)
		return ERR_CORRUPT;
	s = inflate_begin(in, ISAL_ZLIB);
	if (!s)
		return ERR_NOMEM;
	s->next_out = size ? out : &spare;
	s->avail_out = (uint32_t)size;
	status = isal_inflate(s);
	if (status == ISAL_DECOMP_OK && s->block_state != ISAL_BLOCK_FINISH) {
		/* The output is full, but the end of the stream may not have
		 * been read yet: there must be nothing more in it. */
		s->next_out = &spare;
		s->avail_out = 1;
		status = isal_inflate(s);
		good = s->avail_out == 1;
	} else {
		good = s->avail_out == 0;
	}
	good = good && status == ISAL_DECOMP_OK &&
	       s->block_state == ISAL_BLOCK_FINISH && inflate_left(s) == 0;
	free(s);
	return good ? 0 : ERR_CORRUPT;
}

struct inflation {
	struct inflate_state *state;
	struct buf *out;
	size_t start; /* of ours in out */
	size_t bytes_max;
	size_t in_len; /* of all members */
};

/* Whether the output is too large for the input that it came from. */
static bool is_bomb(const struct inflation *f)
{
	size_t done = f->out->len - f->start;
	size_t read = f->in_len - inflate_left(f->state);

	return done > INFLATE_RATIO_FREE && done / INFLATE_RATIO_MAX > read;
}

/* One stream or member: appends to out until it ends. */
static int inflate_one(struct inflation *f)
{
	enum { STEP = 64 << 10 };
	struct inflate_state *s = f->state;

	while (s->block_state != ISAL_BLOCK_FINISH) {
		size_t done = f->out->len - f->start;
		/* One byte over the limit, to tell full from too long. */
		size_t room = f->bytes_max - done + 1;
		uint32_t before;
		char *p;
		int status;

		if (room > STEP)
			room = STEP;
		p = buf_grow(f->out, room);
		if (!p)
			return ERR_LIMIT;
		s->next_out = (uint8_t *)p;
		s->avail_out = (uint32_t)room;
		before = s->avail_in;
		status = isal_inflate(s);
		f->out->len += room - s->avail_out;
		f->out->ptr[f->out->len] = '\0';
		if (f->out->len - f->start > f->bytes_max || is_bomb(f))
			return ERR_LIMIT;
		if (status != ISAL_DECOMP_OK)
			return ERR_SYNTAX;
		if (s->block_state != ISAL_BLOCK_FINISH && s->avail_out != 0 &&
		    (s->avail_in == 0 || s->avail_in == before))
			return ERR_SYNTAX; /* cut off */
	}
	return 0;
}

static int inflate_members(struct inflation *f, bool many)
{
	for (int member = 0; member < GZIP_MEMBERS_MAX; member++) {
		struct inflate_state *s = f->state;
		uint8_t *rest;
		uint32_t left;
		int err = inflate_one(f);

		if (err)
			return err;
		left = inflate_left(s);
		if (left == 0)
			return 0;
		if (!many)
			return ERR_SYNTAX;
		rest = s->next_in + s->avail_in - left;
		isal_inflate_reset(s);
		s->next_in = rest;
		s->avail_in = left;
	}
	return ERR_LIMIT;
}

static int inflate_any(struct buf *out, struct sv in, size_t bytes_max,
		       uint32_t format)
{
	struct inflation f = { .out = out,
			       .start = out->len,
			       .bytes_max = bytes_max,
			       .in_len = in.len };
	bool failed = out->failed;
	int err;

	if (in.len > INPUT_MAX)
		return ERR_LIMIT;
	f.state = inflate_begin(in, format);
	if (!f.state)
		return ERR_NOMEM;
	err = inflate_members(&f, format == ISAL_GZIP);
	free(f.state);
	if (err) {
		out->failed = failed;
		out->len = f.start;
		if (out->ptr)
			out->ptr[out->len] = '\0';
	}
	return err;
}

int inflate_zlib(struct buf *out, struct sv in, size_t bytes_max)
{
	return inflate_any(out, in, bytes_max, ISAL_ZLIB);
}

int inflate_gzip(struct buf *out, struct sv in, size_t bytes_max)
{
	return inflate_any(out, in, bytes_max, ISAL_GZIP);
}

uint32_t crc32_add(uint32_t crc, const void *bytes, size_t n)
{
	return crc32_gzip_refl(crc, bytes, n);
}
