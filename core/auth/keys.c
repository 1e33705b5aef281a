/* SPDX-License-Identifier: Apache-2.0 */
#include "core/auth/keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/auth/keys_table.h"

bool key_in_region(const struct key *k, struct sv region)
{
	for (size_t i = 0; i < k->region_count; i++)
		if (sv_eq(k->regions[i], region))
			return true;
	return k->region_count == 0;
}

bool key_expired(const struct key *k, int64_t now_s)
{
	return k->expires_s && now_s >= k->expires_s;
}

const char *key_role_name(enum key_role role)
{
	switch (role) {
	case KEY_INGEST:
		return "ingest";
	case KEY_READ:
		return "read";
	case KEY_ADMIN:
		return "admin";
	}
	return "none";
}

/* --- a file that may change ------------------------------------------------------ */

struct keys {
	pthread_mutex_t lock; /* of now and of all tables' users */
	struct keys_table *now;
	char *path;
};

static int check_file(const char *path, int fd, size_t *size, struct diag *diag)
{
	struct stat st;

	if (fstat(fd, &st))
		return diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_set(diag, ERR_INVALID, "%s is not a regular file",
				path);
	if (st.st_mode & 07)
		return diag_set(diag, ERR_INVALID,
				"%s holds secrets and others may reach it; "
				"chmod o= %s",
				path, path);
	if (st.st_size > KEYS_FILE_MAX)
		return diag_set(diag, ERR_LIMIT,
				"%s has more than %d bytes of access keys",
				path, KEYS_FILE_MAX);
	*size = (size_t)st.st_size;
	return 0;
}

/* All of fd into p: *len bytes, of at most size. */
static int read_all(int fd, char *p, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size) {
		ssize_t n = read(fd, p + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return 0;
}

static int read_file(struct keys_table **out, const char *path,
		     struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct secret_area area = { 0 };
	size_t size = 0, len = 0;
	int e;

	if (fd < 0)
		return diag_set(diag, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
				"cannot read the keys %.150s: %s%s", path,
				strerror(errno),
				errno == ENOENT ?
					"; `tally keys create` makes them" :
					"");
	e = check_file(path, fd, &size, diag);
	if (!e)
		e = keys_area(&area, size, diag);
	if (!e && read_all(fd, area.ptr, size, &len))
		e = diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
	close(fd);
	if (e) {
		secret_area_fini(&area);
		return e;
	}
	return keys_parse_area(out, &area, len, diag);
}

int keys_open(struct keys **out, const char *path, struct diag *diag)
{
	struct keys *k = calloc(1, sizeof(*k));
	int e;

	if (!k || !(k->path = strdup(path))) {
		free(k);
		return diag_set(diag, ERR_NOMEM, "%s: out of memory", path);
	}
	e = read_file(&k->now, path, diag);
	if (e) {
		free(k->path);
		free(k);
		return e;
	}
	pthread_mutex_init(&k->lock, NULL);
	*out = k;
	return 0;
}

void keys_close(struct keys *k)
{
	if (!k)
		return;
	assert(k->now->users == 0);
	keys_table_free(k->now);
	pthread_mutex_destroy(&k->lock);
	free(k->path);
	free(k);
}

int keys_reload(struct keys *k, struct diag *diag)
{
	struct keys_table *table = NULL, *old;
	int e = read_file(&table, k->path, diag);

	if (e)
		return e;
	pthread_mutex_lock(&k->lock);
	old = k->now;
	k->now = table;
	old->retired = true;
	if (old->users)
		old = NULL; /* the last one who holds it frees it */
	pthread_mutex_unlock(&k->lock);
	keys_table_free(old);
	return 0;
}

const struct keys_table *keys_borrow(struct keys *k)
{
	const struct keys_table *t;

	pthread_mutex_lock(&k->lock);
	k->now->users++;
	t = k->now;
	pthread_mutex_unlock(&k->lock);
	return t;
}

void keys_return(struct keys *k, const struct keys_table *t)
{
	/* Ours since keys_borrow; const only for the borrower. */
	struct keys_table *table = (struct keys_table *)(uintptr_t)t;
	bool last;

	pthread_mutex_lock(&k->lock);
	assert(table->users > 0);
	last = --table->users == 0 && table->retired;
	pthread_mutex_unlock(&k->lock);
	if (last)
		keys_table_free(table);
}
