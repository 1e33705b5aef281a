/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/ledger_file.h"

#include <assert.h>
#include <fcntl.h>

#include "core/codec/deflate.h"

static const char *file_name(enum ledger_file file)
{
	switch (file) {
	case FILE_ENTRIES:
		return "entries";
	case FILE_TEXT:
		return "text";
	case FILE_INDEX:
		return "index";
	case FILE_NAMES:
		break;
	}
	return "names";
}

int ledger_path(struct buf *out, const char *dir, enum ledger_file file,
		uint32_t number, const char *suffix)
{
	buf_reset(out);
	if (file == FILE_NAMES)
		buf_format(out, "%s/names%s", dir, suffix);
	else
		buf_format(out, "%s/%08u.%s%s", dir, number, file_name(file),
			   suffix);
	return out->failed ? ERR_NOMEM : 0;
}

void ledger_header(uint8_t out[LEDGER_HEADER_BYTES], enum ledger_file file,
		   uint32_t number)
{
	memset(out, 0, LEDGER_HEADER_BYTES);
	memcpy(out, "TALLYLDG", 8);
	put_le32(out + 8, LEDGER_FORMAT);
	put_le32(out + 12, number);
	put_le32(out + 16, file);
	put_le32(out + 124, crc32_add(0, out, 124));
}

static int check_header(const uint8_t *h, enum ledger_file file,
			uint32_t number)
{
	if (memcmp(h, "TALLYLDG", 8) ||
	    get_le32(h + 124) != crc32_add(0, h, 124))
		return ERR_CORRUPT;
	if (get_le32(h + 8) > LEDGER_FORMAT)
		return ERR_VERSION;
	return get_le32(h + 12) == number && get_le32(h + 16) == file ?
		       0 :
		       ERR_CORRUPT;
}

int ledger_file_open(const struct env *env, const char *dir,
		     enum ledger_file file, uint32_t number, int flags)
{
	const struct disk_ops *disk = env->disk;
	uint8_t header[LEDGER_HEADER_BYTES];
	struct buf path = BUF_INIT;
	int64_t got;
	int fd;
	int e = ledger_path(&path, dir, file, number, "");

	fd = e ? e : disk->open(env->disk_self, path.ptr, flags);
	buf_fini(&path);
	if (e)
		return e;
	if (fd < 0)
		return env_err(fd);
	got = disk->pread(env->disk_self, fd, header, sizeof(header), 0);
	if (got < 0)
		e = env_err(got);
	else if (got < (int64_t)sizeof(header))
		e = ERR_CORRUPT;
	else
		e = check_header(header, file, number);
	if (e) {
		disk->close(env->disk_self, fd);
		return e;
	}
	return fd;
}

int ledger_file_create(const struct env *env, const char *dir,
		       enum ledger_file file, uint32_t number)
{
	const struct disk_ops *disk = env->disk;
	uint8_t header[LEDGER_HEADER_BYTES];
	struct buf path = BUF_INIT;
	int fd;
	int e = ledger_path(&path, dir, file, number, "");

	fd = e ? e :
		 disk->open(env->disk_self, path.ptr,
			    O_RDWR | O_CREAT | O_TRUNC);
	buf_fini(&path);
	if (e)
		return e;
	if (fd < 0)
		return env_err(fd);
	ledger_header(header, file, number);
	e = disk->pwrite(env->disk_self, fd, header, sizeof(header), 0);
	if (e < 0) {
		disk->close(env->disk_self, fd);
		return env_err(e);
	}
	return fd;
}

int ledger_entries(const struct env *env, int fd, uint64_t first, uint64_t end,
		   uint8_t *buffer, entry_fn *each, void *arg)
{
	while (first < end) {
		uint64_t n = end - first < LEDGER_READ_ENTRIES ?
				     end - first :
				     LEDGER_READ_ENTRIES;
		int64_t got = env->disk->pread(
			env->disk_self, fd, buffer, (size_t)n * ENTRY_BYTES,
			LEDGER_HEADER_BYTES + first * ENTRY_BYTES);

		if (got < 0)
			return env_err(got);
		for (uint64_t i = 0; i < n; i++) {
			uint32_t number = (uint32_t)(first + i);
			struct entry e;
			bool whole = (int64_t)(i + 1) * ENTRY_BYTES <= got;
			bool good = whole &&
				    entry_decode(&e, buffer + i * ENTRY_BYTES,
						 number);

			each(arg, number, good ? &e : NULL);
		}
		first += n;
	}
	return 0;
}
