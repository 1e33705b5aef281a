/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a block. Index and filter are in memory; a scan has one chunk. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/deflate.h"
#include "core/store/block_file.h"

struct chunk {
	uint64_t at;
	uint32_t packed_bytes, raw_bytes, crc;
	bool stored;
	struct sv first_key; /* in the index */
};

struct block {
	const struct env *env;
	int fd;
	struct block_info info;
	char *index;
	size_t index_bytes;
	struct chunk *chunks;
	uint8_t *filter;
	size_t filter_bytes;
	uint32_t filter_prefix, probes;
};

/* --- open ------------------------------------------------------------------ */

static int read_exact(const struct block *b, void *bytes, size_t n, uint64_t at)
{
	int64_t got =
		b->env->disk->pread(b->env->disk_self, b->fd, bytes, n, at);

	if (got < 0)
		return ERR_IO;
	return (size_t)got == n ? 0 : ERR_CORRUPT;
}

/* Header and footer begin alike. ERR_VERSION only when the CRC holds. */
static int check_start(const uint8_t *p, size_t size, uint32_t magic,
		       uint32_t kind, uint32_t format)
{
	if (get_le32(p) != magic ||
	    get_le32(p + size - 4) != crc32_add(0, p, size - 4))
		return ERR_CORRUPT;
	if (get_le32(p + 4) > BLOCK_FORMAT)
		return ERR_VERSION;
	if (get_le32(p + 8) != kind)
		return ERR_CORRUPT;
	return get_le32(p + 12) > format ? ERR_VERSION : 0;
}

/* Reads n bytes that have this CRC, malloc'ed. */
static int read_part(const struct block *b, void **out, size_t n, uint64_t at,
		     uint32_t crc)
{
	void *bytes = malloc(n ? n : 1);
	int e = bytes ? read_exact(b, bytes, n, at) : ERR_NOMEM;

	if (e == 0 && crc32_add(0, bytes, n) != crc)
		e = ERR_CORRUPT;
	if (e < 0)
		free(bytes);
	else
		*out = bytes;
	return e;
}

static int read_footer(struct block *b, uint32_t kind, uint32_t format)
{
	uint8_t header[BLOCK_HEADER_BYTES], f[BLOCK_FOOTER_BYTES];
	uint64_t size = b->info.file_bytes, index_at, filter_at;
	void *index, *filter;
	int e;

	if (size < sizeof(header) + sizeof(f))
		return ERR_CORRUPT;
	e = read_exact(b, header, sizeof(header), 0);
	if (e == 0)
		e = check_start(header, sizeof(header), BLOCK_MAGIC, kind,
				format);
	if (e == 0)
		e = read_exact(b, f, sizeof(f), size - sizeof(f));
	if (e == 0)
		e = check_start(f, sizeof(f), BLOCK_FOOTER_MAGIC, kind, format);
	if (e < 0)
		return e;
	b->info.kind = kind;
	b->info.format = get_le32(f + 12);
	b->info.rows = get_le64(f + 16);
	b->info.raw_bytes = get_le64(f + 24);
	b->info.time_min_ns = (int64_t)get_le64(f + 32);
	b->info.time_max_ns = (int64_t)get_le64(f + 40);
	b->info.chunks = get_le32(f + 84);
	index_at = get_le64(f + 48);
	filter_at = get_le64(f + 56);
	b->index_bytes = get_le32(f + 64);
	b->filter_bytes = get_le32(f + 72);
	b->filter_prefix = get_le32(f + 80);
	b->probes = get_le32(f + 88);
	if (b->index_bytes > BLOCK_INDEX_MAX ||
	    b->filter_bytes > BLOCK_FILTER_MAX || b->filter_bytes == 0 ||
	    b->info.chunks > b->index_bytes / BLOCK_ENTRY_BYTES ||
	    index_at > size || filter_at > size || b->probes > 64)
		return ERR_CORRUPT;
	e = read_part(b, &index, b->index_bytes, index_at, get_le32(f + 68));
	if (e < 0)
		return e;
	b->index = index;
	e = read_part(b, &filter, b->filter_bytes, filter_at, get_le32(f + 76));
	if (e < 0)
		return e;
	b->filter = filter;
	return 0;
}

static int parse_entry(const struct block *b, size_t *at, struct chunk *c)
{
	const uint8_t *p = (const uint8_t *)b->index + *at;
	size_t left = b->index_bytes - *at;
	uint32_t key_bytes;

	if (left < BLOCK_ENTRY_BYTES)
		return ERR_CORRUPT;
	c->at = get_le64(p);
	c->packed_bytes = get_le32(p + 8);
	c->raw_bytes = get_le32(p + 12);
	c->crc = get_le32(p + 16);
	c->stored = get_le32(p + 20) & BLOCK_STORED;
	key_bytes = get_le32(p + 24);
	if (key_bytes > BLOCK_KEY_MAX || key_bytes > left - BLOCK_ENTRY_BYTES ||
	    c->packed_bytes > BLOCK_PACKED_MAX || c->packed_bytes == 0 ||
	    c->raw_bytes > BLOCK_RAW_MAX || c->raw_bytes == 0 ||
	    (c->stored && c->raw_bytes != c->packed_bytes) ||
	    c->at > b->info.file_bytes ||
	    c->packed_bytes > b->info.file_bytes - c->at)
		return ERR_CORRUPT;
	c->first_key = sv_make((const char *)p + BLOCK_ENTRY_BYTES, key_bytes);
	*at += BLOCK_ENTRY_BYTES + key_bytes;
	return 0;
}

static int parse_index(struct block *b)
{
	size_t at = 0;

	b->chunks = calloc(b->info.chunks + 1, sizeof(*b->chunks));
	if (!b->chunks)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < b->info.chunks; i++) {
		int e = parse_entry(b, &at, &b->chunks[i]);

		if (e < 0)
			return e;
		if (i > 0 && sv_cmp(b->chunks[i - 1].first_key,
				    b->chunks[i].first_key) > 0)
			return ERR_CORRUPT;
	}
	return at == b->index_bytes ? 0 : ERR_CORRUPT;
}

int block_open(struct block **out, const struct env *env, const char *path,
	       uint32_t kind, uint32_t format, struct diag *diag)
{
	struct block *b = calloc(1, sizeof(*b));
	int64_t size;
	int e;

	if (!b)
		return diag_set(diag, ERR_NOMEM, "%s: out of memory", path);
	b->env = env;
	b->fd = env->disk->open(env->disk_self, path, O_RDONLY);
	e = b->fd < 0 ? env_err(b->fd) : 0;
	if (e == 0) {
		size = env->disk->size(env->disk_self, b->fd);
		b->info.file_bytes = size < 0 ? 0 : (uint64_t)size;
		e = size < 0 ? ERR_IO : read_footer(b, kind, format);
	}
	if (e == 0)
		e = parse_index(b);
	if (e < 0) {
		block_close(b);
		return diag_set(diag, e, "%s: %s", path, err_text(e));
	}
	*out = b;
	return 0;
}

void block_close(struct block *b)
{
	if (b->fd >= 0)
		b->env->disk->close(b->env->disk_self, b->fd);
	free(b->index);
	free(b->chunks);
	free(b->filter);
	free(b);
}

void block_info(const struct block *b, struct block_info *out)
{
	*out = b->info;
}

bool block_may_have(const struct block *b, struct sv key_prefix)
{
	struct hash128 h = block_filter_hash(key_prefix, b->filter_prefix);
	uint64_t bits = (uint64_t)b->filter_bytes * 8;

	/* Keys are hashed up to filter_prefix: less of one says nothing. */
	if (key_prefix.len < b->filter_prefix)
		return true;
	for (unsigned i = 0; i < b->probes; i++) {
		uint64_t bit = block_filter_bit(h, i, bits);

		if (!(b->filter[bit / 8] & 1 << bit % 8))
			return false;
	}
	return true;
}

/* --- scan ------------------------------------------------------------------ */

struct block_scan {
	const struct block *b;
	struct buf from;
	bool skipping; /* rows below `from` may still come */
	uint32_t next_chunk;
	uint8_t *raw, *packed;
	size_t raw_cap, packed_cap;
	size_t at, len; /* in raw */
	uint64_t damaged;
};

/* The chunk where rows with key >= from can begin: the last one that begins
 * below it, since equal keys may go on over chunks. */
static uint32_t first_chunk(const struct block *b, struct sv from)
{
	uint32_t low = 0, high = b->info.chunks;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sv_cmp(b->chunks[middle].first_key, from) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : 0;
}

uint32_t block_chunk_at(const struct block *b, struct sv key)
{
	uint32_t low = 0, high = b->info.chunks;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sv_cmp(b->chunks[middle].first_key, key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : UINT32_MAX;
}

struct sv block_chunk_key(const struct block *b, uint32_t n)
{
	assert(n < b->info.chunks);
	return b->chunks[n].first_key;
}

int block_scan_chunk(struct block_scan **out, const struct block *b, uint32_t n)
{
	struct block_scan *s = calloc(1, sizeof(*s));

	assert(n <= b->info.chunks);
	if (!s)
		return ERR_NOMEM;
	s->b = b;
	s->next_chunk = n;
	*out = s;
	return 0;
}

int block_scan_open(struct block_scan **out, const struct block *b,
		    struct sv from)
{
	struct block_scan *s;
	int e = block_scan_chunk(&s, b, 0);

	if (e)
		return e;
	buf_sv(&s->from, from);
	if (s->from.failed) {
		block_scan_close(s);
		return ERR_NOMEM;
	}
	s->skipping = from.len > 0;
	s->next_chunk = first_chunk(b, from);
	*out = s;
	return 0;
}

void block_scan_close(struct block_scan *s)
{
	buf_fini(&s->from);
	free(s->raw);
	free(s->packed);
	free(s);
}

uint64_t block_scan_damaged(const struct block_scan *s)
{
	return s->damaged;
}

static int fit(uint8_t **bytes, size_t *cap, size_t n)
{
	uint8_t *p;

	if (*cap >= n)
		return 0;
	p = realloc(*bytes, n);
	if (!p)
		return ERR_NOMEM;
	*bytes = p;
	*cap = n;
	return 0;
}

/* ERR_CORRUPT: this chunk does not hold; the next one may. */
static int load_chunk(struct block_scan *s, const struct chunk *c)
{
	int e = fit(&s->raw, &s->raw_cap, c->raw_bytes);
	uint8_t *bytes;

	s->at = s->len = 0;
	if (e == 0 && !c->stored)
		e = fit(&s->packed, &s->packed_cap, c->packed_bytes);
	bytes = c->stored ? s->raw : s->packed;
	if (e == 0)
		e = read_exact(s->b, bytes, c->packed_bytes, c->at);
	if (e == 0 && crc32_add(0, bytes, c->packed_bytes) != c->crc)
		e = ERR_CORRUPT;
	if (e == 0 && !c->stored)
		e = inflate_exact(s->raw, c->raw_bytes,
				  sv_make((const char *)s->packed,
					  c->packed_bytes));
	if (e == 0)
		s->len = c->raw_bytes;
	return e;
}

static bool take_varint(struct block_scan *s, uint32_t *out)
{
	uint32_t v = 0;

	for (unsigned shift = 0; shift < 7 * BLOCK_VARINT_MAX; shift += 7) {
		uint8_t byte;

		if (s->at == s->len)
			return false;
		byte = s->raw[s->at++];
		v |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = v;
			return true;
		}
	}
	return false;
}

static bool take_bytes(struct block_scan *s, uint32_t n, struct sv *out)
{
	if (n > s->len - s->at)
		return false;
	*out = sv_make((const char *)s->raw + s->at, n);
	s->at += n;
	return true;
}

/* False: the chunk was written wrongly; the rest of it is passed over. */
static bool take_row(struct block_scan *s, struct sv *key, struct sv *value)
{
	uint32_t key_bytes, value_bytes;

	if (take_varint(s, &key_bytes) && take_varint(s, &value_bytes) &&
	    take_bytes(s, key_bytes, key) && take_bytes(s, value_bytes, value))
		return true;
	s->at = s->len;
	s->damaged++;
	return false;
}

int block_scan_next(struct block_scan *s, struct sv *key, struct sv *value)
{
	for (;;) {
		int e;

		while (s->at < s->len) {
			if (!take_row(s, key, value))
				break;
			if (s->skipping && sv_cmp(*key, buf_view(&s->from)) < 0)
				continue;
			s->skipping = false;
			return 1;
		}
		if (s->next_chunk == s->b->info.chunks)
			return 0;
		e = load_chunk(s, &s->b->chunks[s->next_chunk]);
		if (e == ERR_CORRUPT)
			s->damaged++;
		else if (e < 0)
			return e; /* the same chunk, when asked again */
		s->next_chunk++;
	}
}
