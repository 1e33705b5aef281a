/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a block. What is in memory: one chunk, the index, and 16 bytes for
 * each distinct prefix, for the filter. */
#include "core/store/block.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/deflate.h"
#include "core/store/block_file.h"

struct block_writer {
	const struct env *env;
	struct block_options options;
	char *path, *tmp;
	int fd;
	int err; /* the first one; everything after it does nothing */
	uint64_t at;
	struct deflate *deflate;
	struct buf raw, packed, index, key; /* key: the last one */
	struct buf first_key;               /* of the chunk */
	uint32_t chunk_rows, chunks;
	uint64_t rows, raw_bytes;
	struct hash128 *hashes;
	size_t hash_count, hash_cap;
};

static void writer_free(struct block_writer *w)
{
	if (w->fd >= 0)
		w->env->disk->close(w->env->disk_self, w->fd);
	deflate_free(w->deflate);
	buf_fini(&w->raw);
	buf_fini(&w->packed);
	buf_fini(&w->index);
	buf_fini(&w->key);
	buf_fini(&w->first_key);
	free(w->hashes);
	free(w->path);
	free(w->tmp);
	free(w);
}

static int append(struct block_writer *w, const void *bytes, size_t n)
{
	int e = env_err(w->env->disk->pwrite(w->env->disk_self, w->fd, bytes, n,
					     w->at));

	if (e == 0)
		w->at += n;
	return e;
}

static uint32_t format_of(const struct block_writer *w)
{
	return w->options.stores ? BLOCK_FORMAT : BLOCK_PACKED_FORMAT;
}

static int begin(struct block_writer *w, const char *path)
{
	const struct disk_ops *disk = w->env->disk;
	uint8_t header[BLOCK_HEADER_BYTES] = { 0 };
	size_t n = strlen(path);
	int e = deflate_new(&w->deflate);

	if (e < 0)
		return e;
	w->path = strdup(path);
	w->tmp = malloc(n + sizeof(".tmp"));
	if (!w->path || !w->tmp)
		return ERR_NOMEM;
	snprintf(w->tmp, n + sizeof(".tmp"), "%s.tmp", path);
	w->fd = disk->open(w->env->disk_self, w->tmp,
			   O_RDWR | O_CREAT | O_TRUNC);
	if (w->fd < 0)
		return env_err(w->fd);
	put_le32(header, BLOCK_MAGIC);
	put_le32(header + 4, format_of(w));
	put_le32(header + 8, w->options.kind);
	put_le32(header + 12, w->options.format);
	put_le32(header + BLOCK_HEADER_BYTES - 4,
		 crc32_add(0, header, BLOCK_HEADER_BYTES - 4));
	return append(w, header, sizeof(header));
}

int block_writer_open(struct block_writer **out, const struct env *env,
		      const char *path, const struct block_options *options)
{
	struct block_writer *w = calloc(1, sizeof(*w));
	int e;

	if (!w)
		return ERR_NOMEM;
	w->env = env;
	w->options = *options;
	w->fd = -1;
	w->packed.limit = BLOCK_PACKED_MAX;
	w->index.limit = BLOCK_INDEX_MAX;
	e = begin(w, path);
	if (e < 0) {
		block_writer_abort(w);
		return e;
	}
	*out = w;
	return 0;
}

void block_writer_abort(struct block_writer *w)
{
	if (w->fd >= 0)
		w->env->disk->unlink(w->env->disk_self, w->tmp);
	writer_free(w);
}

void block_writer_times(struct block_writer *w, int64_t min_ns, int64_t max_ns)
{
	w->options.time_min_ns = min_ns;
	w->options.time_max_ns = max_ns;
}

/* --- rows ------------------------------------------------------------------ */

static void add_varint(struct buf *b, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_char(b, (char)(v | 0x80));
	buf_char(b, (char)v);
}

static void add_le32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4];

	put_le32(bytes, v);
	buf_add(b, bytes, sizeof(bytes));
}

static void add_le64(struct buf *b, uint64_t v)
{
	add_le32(b, (uint32_t)v);
	add_le32(b, (uint32_t)(v >> 32));
}

/* Writes bytes, which hold the rows of w->raw, and their line of the index. */
static int write_chunk(struct block_writer *w, struct sv bytes, uint32_t flags)
{
	uint64_t at = w->at;
	int e = append(w, bytes.ptr, bytes.len);

	if (e < 0)
		return e;
	add_le64(&w->index, at);
	add_le32(&w->index, (uint32_t)bytes.len);
	add_le32(&w->index, (uint32_t)w->raw.len);
	add_le32(&w->index, crc32_add(0, bytes.ptr, bytes.len));
	add_le32(&w->index, w->chunk_rows | flags);
	add_le32(&w->index, (uint32_t)w->first_key.len);
	buf_sv(&w->index, buf_view(&w->first_key));
	w->raw_bytes += w->raw.len;
	w->chunks++;
	w->chunk_rows = 0;
	buf_reset(&w->raw);
	return w->index.failed ? ERR_LIMIT : 0;
}

static int end_chunk(struct block_writer *w)
{
	int e;

	if (w->chunk_rows == 0)
		return 0;
	buf_reset(&w->packed);
	e = deflate_zlib(w->deflate, &w->packed, buf_view(&w->raw));
	return e < 0 ? e : write_chunk(w, buf_view(&w->packed), 0);
}

static int add_hash(struct block_writer *w, struct sv key)
{
	struct hash128 h = block_filter_hash(key, w->options.filter_prefix);

	if (w->hash_count > 0 && hash128_eq(w->hashes[w->hash_count - 1], h))
		return 0;
	if (w->hash_count == w->hash_cap) {
		size_t cap = w->hash_cap ? 2 * w->hash_cap : 1024;
		struct hash128 *p = realloc(w->hashes, cap * sizeof(*p));

		if (!p)
			return ERR_NOMEM;
		w->hashes = p;
		w->hash_cap = cap;
	}
	w->hashes[w->hash_count++] = h;
	return 0;
}

static int put_row(struct block_writer *w, struct sv key, struct sv value)
{
	if (w->chunk_rows == 0) {
		buf_reset(&w->first_key);
		buf_sv(&w->first_key, key);
	}
	add_varint(&w->raw, (uint32_t)key.len);
	add_varint(&w->raw, (uint32_t)value.len);
	buf_sv(&w->raw, key);
	buf_sv(&w->raw, value);
	buf_reset(&w->key);
	buf_sv(&w->key, key);
	if (w->raw.failed || w->key.failed || w->first_key.failed)
		return ERR_NOMEM;
	w->chunk_rows++;
	w->rows++;
	return 0;
}

static int add_row(struct block_writer *w, struct sv key, struct sv value)
{
	int e = w->options.stores ? 0 : add_hash(w, key);

	if (e == 0)
		e = put_row(w, key, value);
	if (e < 0)
		return e;
	return w->raw.len >= BLOCK_CHUNK_BYTES ? end_chunk(w) : 0;
}

static int store_row(struct block_writer *w, struct sv key, struct sv value)
{
	int e = end_chunk(w);

	if (e == 0)
		e = put_row(w, key, value);
	return e < 0 ? e : write_chunk(w, buf_view(&w->raw), BLOCK_STORED);
}

int block_writer_add(struct block_writer *w, struct sv key, struct sv value)
{
	if (key.len > BLOCK_KEY_MAX || value.len > BLOCK_VALUE_MAX)
		return ERR_LIMIT;
	assert(w->rows == 0 || sv_cmp(buf_view(&w->key), key) <= 0);
	if (w->err == 0)
		w->err = add_row(w, key, value);
	return w->err;
}

int block_writer_store(struct block_writer *w, struct sv key, struct sv value)
{
	if (key.len > BLOCK_KEY_MAX || value.len > BLOCK_VALUE_MAX)
		return ERR_LIMIT;
	assert(w->options.stores);
	assert(w->rows == 0 || sv_cmp(buf_view(&w->key), key) <= 0);
	if (w->err == 0)
		w->err = store_row(w, key, value);
	return w->err;
}

int block_writer_filter(struct block_writer *w, struct sv prefix)
{
	if (w->err == 0)
		w->err = add_hash(w, prefix);
	return w->err;
}

uint32_t block_writer_chunk(const struct block_writer *w)
{
	return w->chunks + (w->chunk_rows > 0);
}

/* --- the end --------------------------------------------------------------- */

/* Sets *bytes (multiple of 8) and returns the bits, malloc'ed. */
static uint8_t *make_filter(const struct block_writer *w, size_t *bytes)
{
	uint64_t bits = (uint64_t)w->hash_count * BLOCK_FILTER_BITS;
	uint8_t *filter;

	bits = bits < 64 ? 64 : (bits + 63) / 64 * 64;
	if (bits / 8 > BLOCK_FILTER_MAX) /* more false answers, no wrong ones */
		bits = (uint64_t)BLOCK_FILTER_MAX * 8;
	*bytes = (size_t)(bits / 8);
	filter = calloc(1, *bytes);
	if (!filter)
		return NULL;
	for (size_t n = 0; n < w->hash_count; n++)
		for (unsigned i = 0; i < BLOCK_FILTER_PROBES; i++) {
			uint64_t bit = block_filter_bit(w->hashes[n], i, bits);

			filter[bit / 8] |= (uint8_t)(1 << bit % 8);
		}
	return filter;
}

static int write_end(struct block_writer *w)
{
	uint8_t footer[BLOCK_FOOTER_BYTES] = { 0 };
	uint64_t index_at, filter_at;
	size_t filter_bytes;
	uint8_t *filter = make_filter(w, &filter_bytes);
	int e = filter ? 0 : ERR_NOMEM;

	index_at = w->at;
	if (e == 0 && w->index.len > 0)
		e = append(w, w->index.ptr, w->index.len);
	filter_at = w->at;
	if (e == 0)
		e = append(w, filter, filter_bytes);
	put_le32(footer, BLOCK_FOOTER_MAGIC);
	put_le32(footer + 4, format_of(w));
	put_le32(footer + 8, w->options.kind);
	put_le32(footer + 12, w->options.format);
	put_le64(footer + 16, w->rows);
	put_le64(footer + 24, w->raw_bytes);
	put_le64(footer + 32, (uint64_t)w->options.time_min_ns);
	put_le64(footer + 40, (uint64_t)w->options.time_max_ns);
	put_le64(footer + 48, index_at);
	put_le64(footer + 56, filter_at);
	put_le32(footer + 64, (uint32_t)w->index.len);
	put_le32(footer + 68, crc32_add(0, w->index.ptr, w->index.len));
	put_le32(footer + 72, (uint32_t)filter_bytes);
	put_le32(footer + 76, filter ? crc32_add(0, filter, filter_bytes) : 0);
	put_le32(footer + 80, w->options.filter_prefix);
	put_le32(footer + 84, w->chunks);
	put_le32(footer + 88, BLOCK_FILTER_PROBES);
	put_le32(footer + BLOCK_FOOTER_BYTES - 4,
		 crc32_add(0, footer, BLOCK_FOOTER_BYTES - 4));
	free(filter);
	return e < 0 ? e : append(w, footer, sizeof(footer));
}

static int sync_parent(const struct block_writer *w)
{
	char *slash = strrchr(w->tmp, '/');
	int e;

	if (!slash)
		return w->env->disk->sync_dir(w->env->disk_self, ".");
	*slash = '\0';
	e = w->env->disk->sync_dir(w->env->disk_self,
				   slash == w->tmp ? "/" : w->tmp);
	*slash = '/';
	return e;
}

int block_writer_finish(struct block_writer *w)
{
	const struct disk_ops *disk = w->env->disk;
	void *self = w->env->disk_self;
	int e = w->err;

	if (e == 0)
		e = end_chunk(w);
	if (e == 0)
		e = write_end(w);
	if (e == 0)
		e = env_err(disk->datasync(self, w->fd));
	if (e == 0)
		e = env_err(disk->rename(self, w->tmp, w->path));
	if (e < 0) {
		block_writer_abort(w);
		return e;
	}
	e = env_err(sync_parent(w));
	writer_free(w);
	return e;
}
