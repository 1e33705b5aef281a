/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ctl/keys_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/sys/env.h"

enum { LOCK_STEP_MS = 50 };

/* --- opening ------------------------------------------------------------------ */

/* Where links lead: a rename over the link would leave the file behind it as
 * it was. */
static int set_path(struct keys_file *f, const char *path, struct diag *diag)
{
	char real[PATH_MAX];
	const char *use = realpath(path, real) ? real : path;

	if (strlen(use) + sizeof(".new.XXXXXX") > sizeof(f->path))
		return diag_set(diag, ERR_LIMIT, "the file's path is too long");
	memcpy(f->path, use, strlen(use) + 1);
	return 0;
}

static int open_file(struct keys_file *f, int flags, struct diag *diag)
{
	flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	f->fresh = false;
	f->fd = open(f->path, flags & ~O_CREAT);
	if (f->fd < 0 && errno == ENOENT && flags & O_CREAT) {
		f->fd = open(f->path, flags | O_EXCL, 0600);
		f->fresh = f->fd >= 0;
		if (f->fd < 0 && errno == EEXIST) /* in between */
			f->fd = open(f->path, flags & ~O_CREAT);
	}
	if (f->fd >= 0)
		return 0;
	if (errno == ENOENT && flags & O_CREAT)
		return diag_set(diag, ERR_NOT_FOUND,
				"%.150s: the folder is not there; make it, "
				"or name another file with --file",
				f->path);
	if (errno == ENOENT)
		return diag_set(diag, ERR_NOT_FOUND,
				"%.100s is not there; `tally keys create` "
				"makes it, --file names another",
				f->path);
	return diag_set(diag, ERR_IO, "%.150s: %s", f->path, strerror(errno));
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Of the file that is at the path once we have it: whoever had it before may
 * have put another there. */
static int lock(struct keys_file *f, bool create, struct diag *diag)
{
	const struct timespec step = { 0, LOCK_STEP_MS * NS_PER_MS };
	struct stat now;

	for (int ms = 0; ms <= KEYS_FILE_WAIT_MS; ms += LOCK_STEP_MS) {
		int e = open_file(f, create ? O_RDWR | O_CREAT : O_RDWR, diag);

		if (e)
			return e;
		if (flock(f->fd, LOCK_EX | LOCK_NB) == 0 &&
		    fstat(f->fd, &f->was) == 0 && stat(f->path, &now) == 0 &&
		    f->was.st_dev == now.st_dev && f->was.st_ino == now.st_ino)
			return 0;
		close(f->fd);
		f->fd = -1;
		f->fresh = false; /* somebody else's by now */
		nanosleep(&step, NULL);
	}
	return diag_set(diag, ERR_BUSY,
			"%.150s: another tally keys is changing it; try again",
			f->path);
}

static int check(const struct keys_file *f, struct diag *diag)
{
	if (!S_ISREG(f->was.st_mode))
		return diag_set(diag, ERR_INVALID,
				"%.150s is not a regular file", f->path);
	if (f->was.st_mode & 07)
		return diag_set(diag, ERR_INVALID,
				"%.100s holds secrets and others may reach "
				"it; chmod o= %.100s",
				f->path, f->path);
	if (f->was.st_size > KEYS_FILE_MAX)
		return diag_set(diag, ERR_LIMIT,
				"%.150s has more than %d bytes", f->path,
				KEYS_FILE_MAX);
	return 0;
}

static int parse(struct keys_table **out, const struct keys_file *f,
		 struct sv text, struct diag *diag)
{
	struct diag inner = { 0 };
	int e = keys_parse(out, text, &inner);

	if (e && inner.line)
		return diag_set(diag, e, "%.100s, line %d: %s", f->path,
				inner.line, inner.text);
	return e ? diag_set(diag, e, "%.100s: %s", f->path, inner.text) : 0;
}

static int read_text(struct keys_file *f, struct diag *diag)
{
	size_t size = (size_t)f->was.st_size;
	int e = secret_area_init(&f->area, size + KEYS_FILE_SECTION_MAX);

	if (e)
		return diag_set(diag, e, "no memory for the keys");
	while (f->len < size) {
		ssize_t n = read(f->fd, (char *)f->area.ptr + f->len,
				 size - f->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set(diag, ERR_IO, "%.150s: %s", f->path,
					strerror(errno));
		if (n == 0)
			break;
		f->len += (size_t)n;
	}
	return parse(&f->table, f, sv_make(f->area.ptr, f->len), diag);
}

static int finish_open(struct keys_file *f, int e, struct diag *diag)
{
	if (!e)
		e = check(f, diag);
	if (!e)
		e = read_text(f, diag);
	if (e)
		keys_file_close(f);
	return e;
}

int keys_file_open(struct keys_file *f, const char *path, bool create,
		   struct diag *diag)
{
	int e;

	*f = (struct keys_file){ .fd = -1 };
	e = set_path(f, path, diag);
	return finish_open(f, e ? e : lock(f, create, diag), diag);
}

int keys_file_read(struct keys_file *f, const char *path, struct diag *diag)
{
	int e;

	*f = (struct keys_file){ .fd = -1 };
	e = set_path(f, path, diag);
	if (!e)
		e = open_file(f, O_RDONLY, diag);
	if (!e && fstat(f->fd, &f->was))
		e = diag_set(diag, ERR_IO, "%.150s: %s", f->path,
			     strerror(errno));
	return finish_open(f, e, diag);
}

void keys_file_close(struct keys_file *f)
{
	keys_table_free(f->table);
	f->table = NULL;
	secret_area_fini(&f->area);
	/* A file that was made and got nothing: as if it had not been. */
	if (f->fd >= 0 && f->fresh)
		unlink(f->path);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* --- writing --------------------------------------------------------------------- */

static int write_all(int fd, struct sv text)
{
	while (text.len) {
		ssize_t n = write(fd, text.ptr, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		text = sv_make(text.ptr + n, text.len - (size_t)n);
	}
	return 0;
}

/* As the file was: who may read it, and who owns it. */
static int dress(const struct keys_file *f, int fd)
{
	if (fchmod(fd, f->was.st_mode & 0777))
		return -1;
	if (f->was.st_uid == geteuid() && f->was.st_gid == getegid())
		return 0;
	return fchown(fd, f->was.st_uid, f->was.st_gid);
}

static int sync_folder(const char *path)
{
	char folder[KEYS_FILE_PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 1;
	int fd, e;

	memcpy(folder, slash ? path : ".", n);
	folder[n] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	e = fsync(fd);
	close(fd);
	return e;
}

static int replace(struct keys_file *f, struct sv text, struct diag *diag)
{
	char beside[KEYS_FILE_PATH_MAX + sizeof(".new.XXXXXX")];
	struct stat now;
	int fd;

	snprintf(beside, sizeof(beside), "%s.new.XXXXXX", f->path);
	fd = mkostemp(beside, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return diag_set(diag, ERR_IO, "cannot write beside %.150s: %s",
				f->path, strerror(errno));
	if (dress(f, fd) || write_all(fd, text) || fsync(fd)) {
		diag_set(diag, ERR_IO, "cannot write %.150s: %s", beside,
			 strerror(errno));
		goto failed;
	}
	if (stat(f->path, &now) || !is_same(&f->was, &now)) {
		diag_set(diag, ERR_BUSY,
			 "%.150s was edited meanwhile; nothing is changed, "
			 "try again",
			 f->path);
		goto failed;
	}
	if (rename(beside, f->path)) {
		diag_set(diag, ERR_IO, "cannot replace %.150s: %s", f->path,
			 strerror(errno));
		goto failed;
	}
	close(fd);
	f->fresh = false;
	if (sync_folder(f->path))
		return diag_set(diag, ERR_IO,
				"%.150s is changed, but its folder cannot be "
				"synced: %s",
				f->path, strerror(errno));
	return 0;
failed:
	close(fd);
	unlink(beside);
	return ERR_IO;
}

static int check_and_replace(struct keys_file *f, struct diag *diag)
{
	struct sv text = sv_make(f->area.ptr, f->len);
	struct keys_table *table = NULL;
	int e = parse(&table, f, text, diag);

	keys_table_free(table);
	return e ? e : replace(f, text, diag);
}

int keys_file_add(struct keys_file *f, struct sv section, struct diag *diag)
{
	char *text = f->area.ptr;

	assert(section.len + 2 <= KEYS_FILE_SECTION_MAX);
	if (f->len && text[f->len - 1] != '\n')
		text[f->len++] = '\n';
	if (f->len)
		text[f->len++] = '\n';
	memcpy(text + f->len, section.ptr, section.len);
	f->len += section.len;
	return check_and_replace(f, diag);
}

/* A section is its settings and the empty lines behind them. Comments there
 * are of the next one, or of the file. */
int keys_file_remove(struct keys_file *f, const struct key *key,
		     struct diag *diag)
{
	struct sv rest = sv_make(f->area.ptr, f->len);
	char *text = f->area.ptr;
	size_t from = 0, end = 0;
	bool inside = false, behind = false;

	while (rest.len) {
		size_t at = (size_t)(rest.ptr - text);
		struct sv line = sv_trim(sv_cut(&rest, '\n'));
		size_t next = rest.ptr ? (size_t)(rest.ptr - text) : f->len;

		if (line.len && line.ptr[0] == '[') {
			if (inside)
				break;
			inside = sv_eq(
				sv_trim(sv_make(line.ptr + 1, line.len - 2)),
				key->name);
			from = at;
			end = next;
		} else if (inside && line.len && line.ptr[0] != '#' &&
			   line.ptr[0] != ';') {
			end = next;
			behind = false;
		} else if (inside && line.len) {
			behind = true;
		} else if (inside && !behind) {
			end = next;
		}
	}
	assert(inside);
	memmove(text + from, text + end, f->len - end);
	f->len -= end - from;
	return check_and_replace(f, diag);
}
