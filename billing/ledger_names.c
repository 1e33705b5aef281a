/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/ledger_names.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "billing/ledger_file.h"
#include "core/base/intern.h"
#include "core/codec/deflate.h"

enum { RECORD_HEAD = 16, RECORD_ALIGN = 16 };
#define RECORD_MAGIC 0x6d616e6cU /* "lnam" */

struct names {
	const struct env *env;
	int fd;
	struct intern *texts; /* with the kind in front; id is the number */
	uint64_t written;     /* bytes of the file */
	struct buf fresh;     /* records behind that */
	bool unsynced;
};

static size_t record_bytes(size_t len)
{
	return (RECORD_HEAD + len + RECORD_ALIGN - 1) / RECORD_ALIGN *
	       RECORD_ALIGN;
}

static struct sv with_kind(char out[NAME_BYTES_MAX + 1], enum name_kind kind,
			   struct sv text)
{
	assert(text.len <= NAME_BYTES_MAX);
	out[0] = (char)kind;
	if (text.len)
		memcpy(out + 1, text.ptr, text.len);
	return sv_make(out, text.len + 1);
}

/* A number without a name keeps its place, or all behind it would shift. */
static int fill_lost(struct names *n, uint32_t up_to, uint32_t *lost)
{
	while (intern_count(n->texts) < up_to) {
		struct buf text = BUF_INIT;
		uint32_t id;
		int e;

		buf_format(&text, "?(name %u is lost)", intern_count(n->texts));
		e = text.failed ? ERR_NOMEM :
				  intern_id(n->texts, buf_view(&text), &id);
		buf_fini(&text);
		if (e)
			return e;
		++*lost;
	}
	return 0;
}

static int load(struct names *n, struct sv file, uint32_t count, uint32_t *lost)
{
	const uint8_t *p = (const uint8_t *)file.ptr;
	size_t at = LEDGER_HEADER_BYTES;

	while (at + RECORD_HEAD <= file.len) {
		uint32_t number = get_le32(p + at + 4);
		size_t len = get_le32(p + at + 8);
		uint32_t got;
		uint32_t crc;
		int e;

		if (get_le32(p + at) != RECORD_MAGIC || len == 0 ||
		    len > NAME_BYTES_MAX + 1 ||
		    len > file.len - at - RECORD_HEAD) {
			at += RECORD_ALIGN;
			continue;
		}
		crc = crc32_add(0, p + at + 4, 8);
		crc = crc32_add(crc, p + at + RECORD_HEAD, len);
		if (crc != get_le32(p + at + 12) ||
		    number < intern_count(n->texts) ||
		    number >= INTERN_IDS_MAX) {
			at += RECORD_ALIGN;
			continue;
		}
		e = fill_lost(n, number, lost);
		if (!e)
			e = intern_id(n->texts,
				      sv_make(file.ptr + at + RECORD_HEAD, len),
				      &got);
		if (e)
			return e;
		assert(got == number);
		at += record_bytes(len);
	}
	return fill_lost(n, count, lost);
}

static int read_all(struct names *n, uint64_t bytes, struct buf *out)
{
	int64_t size = n->env->disk->size(n->env->disk_self, n->fd);
	int64_t got;
	char *room;

	if (size < 0)
		return env_err(size);
	if ((uint64_t)size < bytes)
		bytes = (uint64_t)size;
	out->limit = 1 << 30;
	room = buf_grow(out, (size_t)bytes);
	if (!room)
		return ERR_NOMEM;
	got = n->env->disk->pread(n->env->disk_self, n->fd, room, (size_t)bytes,
				  0);
	if (got < 0)
		return env_err(got);
	out->len = (size_t)got;
	/* What is cut off in the middle of a record is not a record. */
	n->written = (uint64_t)got / RECORD_ALIGN * RECORD_ALIGN;
	return env_err(
		n->env->disk->truncate(n->env->disk_self, n->fd, n->written));
}

int names_open(struct names **out, const struct env *env, const char *dir,
	       uint64_t bytes, uint32_t count, uint32_t *lost)
{
	struct names *n = calloc(1, sizeof(*n));
	struct buf file = BUF_INIT;
	int e;

	*lost = 0;
	if (!n)
		return ERR_NOMEM;
	n->env = env;
	n->fd = ledger_file_open(env, dir, FILE_NAMES, 0, O_RDWR);
	if (n->fd == ERR_NOT_FOUND || n->fd == ERR_CORRUPT)
		n->fd = ledger_file_create(env, dir, FILE_NAMES, 0);
	e = n->fd < 0 ? n->fd : intern_new(&n->texts, 0, 1 << 30);
	if (!e)
		e = read_all(n,
			     bytes < LEDGER_HEADER_BYTES ? LEDGER_HEADER_BYTES :
							   bytes,
			     &file);
	if (!e)
		e = load(n, buf_view(&file), count, lost);
	buf_fini(&file);
	if (e) {
		names_close(n);
		return e;
	}
	*out = n;
	return 0;
}

void names_close(struct names *n)
{
	if (!n)
		return;
	if (n->fd >= 0)
		n->env->disk->close(n->env->disk_self, n->fd);
	intern_free(n->texts);
	buf_fini(&n->fresh);
	free(n);
}

uint32_t names_find(const struct names *n, enum name_kind kind, struct sv text)
{
	char key[NAME_BYTES_MAX + 1];

	if (text.len > NAME_BYTES_MAX)
		return NAME_UNKNOWN;
	_Static_assert(INTERN_NONE == NAME_UNKNOWN, "handed through");
	return intern_find(n->texts, with_kind(key, kind, text));
}

int names_id(struct names *n, enum name_kind kind, struct sv text, uint32_t *id)
{
	char key[NAME_BYTES_MAX + 1];
	uint32_t before = intern_count(n->texts);
	struct sv name;
	size_t bytes;
	uint8_t *p;
	int e;

	if (text.len > NAME_BYTES_MAX)
		return ERR_LIMIT;
	name = with_kind(key, kind, text);
	*id = intern_find(n->texts, name);
	if (*id != INTERN_NONE)
		return 0;
	bytes = record_bytes(name.len);
	p = (uint8_t *)buf_grow(&n->fresh, bytes);
	if (!p) {
		n->fresh.failed = false; /* what is in it is whole */
		return ERR_NOMEM;
	}
	e = intern_id(n->texts, name, id);
	if (e)
		return e;
	assert(*id == before);
	memset(p, 0, bytes);
	put_le32(p, RECORD_MAGIC);
	put_le32(p + 4, *id);
	put_le32(p + 8, (uint32_t)name.len);
	memcpy(p + RECORD_HEAD, name.ptr, name.len);
	put_le32(p + 12,
		 crc32_add(crc32_add(0, p + 4, 8), p + RECORD_HEAD, name.len));
	n->fresh.len += bytes;
	return 0;
}

struct sv names_text(const struct names *n, uint32_t id)
{
	struct sv s;

	if (id >= intern_count(n->texts))
		return SV("(unknown name)");
	s = intern_text(n->texts, id);
	assert(s.len >= 1);
	return sv_make(s.ptr + 1, s.len - 1);
}

bool names_is(const struct names *n, uint32_t id, enum name_kind kind)
{
	return id < intern_count(n->texts) &&
	       intern_text(n->texts, id).ptr[0] == (char)kind;
}

uint32_t names_count(const struct names *n)
{
	return intern_count(n->texts);
}

struct sv scope_name(char out[NAME_BYTES_MAX], const struct scope *scope)
{
	int len = snprintf(out, NAME_BYTES_MAX, "%012llu/%.*s",
			   (unsigned long long)scope->account, REGION_MAX - 1,
			   scope->region);

	return sv_make(out, (size_t)len);
}

bool scope_parse(struct scope *out, struct sv name)
{
	struct sv account = sv_cut(&name, '/');

	*out = (struct scope){ 0 };
	if (!sv_to_u64(account, &out->account) || name.len >= REGION_MAX ||
	    name.len == 0)
		return false;
	memcpy(out->region, name.ptr, name.len);
	return true;
}

int names_flush(struct names *n)
{
	int e;

	if (n->fresh.len == 0)
		return 0;
	e = n->env->disk->pwrite(n->env->disk_self, n->fd, n->fresh.ptr,
				 n->fresh.len, n->written);
	if (e < 0)
		return env_err(e);
	n->written += n->fresh.len;
	n->unsynced = true;
	buf_reset(&n->fresh);
	return 0;
}

int names_sync(struct names *n)
{
	int e;

	if (!n->unsynced)
		return 0;
	e = n->env->disk->datasync(n->env->disk_self, n->fd);
	if (e < 0)
		return env_err(e);
	n->unsynced = false;
	return 0;
}

uint64_t names_bytes(const struct names *n)
{
	return n->written + n->fresh.len;
}
