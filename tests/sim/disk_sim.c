/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/disk_sim.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint64_t from, to;
};

struct node {
	uint8_t *now, *synced; /* both of cap bytes */
	uint64_t size, synced_size, cap;
	struct range *dirty;
	size_t dirty_count, dirty_cap;
	bool direct; /* writes are in blocks */
};

struct name {
	char path[DISK_SIM_PATH_MAX];
	struct node *node;
};

struct names {
	struct name *list;
	size_t count;
};

struct disk_sim {
	pthread_mutex_t lock;
	pthread_cond_t held;
	struct node *nodes[DISK_SIM_FILES_MAX];
	size_t node_count;
	struct names now, synced;
	/* Names as they were after each change since the folder's sync. */
	struct names *changes;
	size_t change_count;
	struct node *fds[DISK_SIM_FDS_MAX];
	struct disk_sim_fault fault;
	uint64_t ops, random, room;
	bool dead, hit, hold;
};

uint64_t disk_sim_random(struct disk_sim *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

struct disk_sim *disk_sim_new(uint64_t seed)
{
	struct disk_sim *s = calloc(1, sizeof(*s));

	assert(s);
	s->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->held, NULL);
	return s;
}

static struct names names_copy(const struct names *from)
{
	struct names n = { .count = from->count };

	n.list = calloc(n.count + 1, sizeof(*n.list));
	assert(n.list);
	if (n.count > 0)
		memcpy(n.list, from->list, n.count * sizeof(*n.list));
	return n;
}

static void forget_changes(struct disk_sim *s)
{
	for (size_t i = 0; i < s->change_count; i++)
		free(s->changes[i].list);
	free(s->changes);
	s->changes = NULL;
	s->change_count = 0;
}

void disk_sim_free(struct disk_sim *s)
{
	for (size_t i = 0; i < s->node_count; i++) {
		free(s->nodes[i]->now);
		free(s->nodes[i]->synced);
		free(s->nodes[i]->dirty);
		free(s->nodes[i]);
	}
	forget_changes(s);
	free(s->now.list);
	free(s->synced.list);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->held);
	free(s);
}

/* --- faults ---------------------------------------------------------------- */

/* Counts a change; 0, or the negative errno it gets. */
static int step(struct disk_sim *s, bool needs_room)
{
	uint64_t n = ++s->ops;
	const struct disk_sim_fault *f = &s->fault;

	if (f->crash_at && n == f->crash_at)
		s->hit = s->dead = true;
	if (s->dead)
		return -EIO;
	if (f->error_at && n == f->error_at) {
		s->hit = true;
		return -EIO;
	}
	if (f->full_at && n >= f->full_at && n < f->full_at + f->full_ops &&
	    needs_room) {
		s->hit = true;
		return -ENOSPC;
	}
	return 0;
}

void disk_sim_fault(struct disk_sim *s, struct disk_sim_fault fault)
{
	pthread_mutex_lock(&s->lock);
	s->fault = fault;
	s->ops = 0;
	s->hit = false;
	pthread_mutex_unlock(&s->lock);
}

uint64_t disk_sim_ops(struct disk_sim *s)
{
	uint64_t n;

	pthread_mutex_lock(&s->lock);
	n = s->ops;
	pthread_mutex_unlock(&s->lock);
	return n;
}

bool disk_sim_hit(struct disk_sim *s)
{
	bool hit;

	pthread_mutex_lock(&s->lock);
	hit = s->hit;
	pthread_mutex_unlock(&s->lock);
	return hit;
}

void disk_sim_hold(struct disk_sim *s, bool hold)
{
	pthread_mutex_lock(&s->lock);
	s->hold = hold;
	pthread_cond_broadcast(&s->held);
	pthread_mutex_unlock(&s->lock);
}

void disk_sim_room(struct disk_sim *s, uint64_t bytes)
{
	pthread_mutex_lock(&s->lock);
	s->room = bytes;
	pthread_mutex_unlock(&s->lock);
}

/* --- nodes and names ------------------------------------------------------- */

static void node_fit(struct node *n, uint64_t size)
{
	uint64_t cap = n->cap ? n->cap : 4096;

	while (cap < size)
		cap *= 2;
	if (cap == n->cap)
		return;
	n->now = realloc(n->now, cap);
	n->synced = realloc(n->synced, cap);
	assert(n->now && n->synced);
	memset(n->now + n->cap, 0, cap - n->cap);
	memset(n->synced + n->cap, 0, cap - n->cap);
	n->cap = cap;
}

static void node_dirty(struct node *n, uint64_t from, uint64_t to)
{
	if (n->dirty_count == n->dirty_cap) {
		n->dirty_cap = n->dirty_cap ? 2 * n->dirty_cap : 8;
		n->dirty = realloc(n->dirty, n->dirty_cap * sizeof(*n->dirty));
		assert(n->dirty);
	}
	n->dirty[n->dirty_count++] = (struct range){ from, to };
}

static void node_write(struct node *n, const void *bytes, uint64_t size,
		       uint64_t at)
{
	node_fit(n, at + size);
	memcpy(n->now + at, bytes, size);
	if (n->size < at + size)
		n->size = at + size;
	node_dirty(n, at, at + size);
}

/* Makes `now` and `synced` the same by copying in one direction. */
static void node_settle(struct node *n, bool keep)
{
	for (size_t i = 0; i < n->dirty_count; i++) {
		uint64_t from = n->dirty[i].from;
		size_t size = n->dirty[i].to - from;

		if (keep)
			memcpy(n->synced + from, n->now + from, size);
		else
			memcpy(n->now + from, n->synced + from, size);
	}
	if (keep)
		n->synced_size = n->size;
	else
		n->size = n->synced_size;
	n->dirty_count = 0;
}

/* Any of the sectors that wait may have reached the disk. */
static void node_tear(struct disk_sim *s, struct node *n)
{
	if (n->dirty_count > 0 && disk_sim_random(s) % 2)
		n->synced_size = n->size;
	for (size_t i = 0; i < n->dirty_count; i++) {
		uint64_t at = n->dirty[i].from;

		while (at < n->dirty[i].to) {
			uint64_t to =
				(at / DISK_SIM_SECTOR + 1) * DISK_SIM_SECTOR;

			if (to > n->dirty[i].to)
				to = n->dirty[i].to;
			if (disk_sim_random(s) % 2)
				memcpy(n->synced + at, n->now + at, to - at);
			at = to;
		}
	}
	node_settle(n, false);
}

static struct name *name_find(struct names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->list[i].path, path))
			return &names->list[i];
	return NULL;
}

static void name_remove(struct names *names, const char *path)
{
	struct name *n = name_find(names, path);

	if (n)
		*n = names->list[--names->count];
}

static void name_set(struct names *names, const char *path, struct node *node)
{
	struct name *n;

	name_remove(names, path);
	names->list =
		realloc(names->list, (names->count + 1) * sizeof(*names->list));
	assert(names->list && strlen(path) < DISK_SIM_PATH_MAX);
	n = &names->list[names->count++];
	snprintf(n->path, sizeof(n->path), "%s", path);
	n->node = node;
}

static void note_change(struct disk_sim *s)
{
	s->changes = realloc(s->changes,
			     (s->change_count + 1) * sizeof(*s->changes));
	assert(s->changes);
	s->changes[s->change_count++] = names_copy(&s->now);
}

void disk_sim_reboot(struct disk_sim *s, enum disk_sim_crash mode)
{
	const struct names *left = mode == CRASH_KEEP ? &s->now : &s->synced;
	struct names names;

	if (mode == CRASH_TEAR && s->change_count > 0) {
		size_t n = disk_sim_random(s) % (s->change_count + 1);

		if (n > 0)
			left = &s->changes[n - 1];
	}
	names = names_copy(left);
	forget_changes(s);
	free(s->now.list);
	free(s->synced.list);
	s->now = names;
	s->synced = names_copy(&names);
	for (size_t i = 0; i < s->node_count; i++) {
		if (mode == CRASH_TEAR)
			node_tear(s, s->nodes[i]);
		else
			node_settle(s->nodes[i], mode == CRASH_KEEP);
	}
	memset(s->fds, 0, sizeof(s->fds));
	s->fault = (struct disk_sim_fault){ 0 };
	s->dead = false;
	s->hold = false;
}

uint8_t *disk_sim_bytes(struct disk_sim *s, const char *path, size_t *size)
{
	struct name *n;
	uint8_t *bytes = NULL;

	pthread_mutex_lock(&s->lock);
	n = name_find(&s->now, path);
	if (n) {
		node_settle(n->node, true);
		*size = n->node->size;
		bytes = n->node->now;
	}
	pthread_mutex_unlock(&s->lock);
	return bytes;
}

size_t disk_sim_count(struct disk_sim *s, const char *prefix)
{
	size_t count = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->now.count; i++)
		count += !strncmp(s->now.list[i].path, prefix, strlen(prefix));
	pthread_mutex_unlock(&s->lock);
	return count;
}

/* --- the disk's functions -------------------------------------------------- */

static struct node *node_of(struct disk_sim *s, int fd)
{
	return fd >= 0 && fd < DISK_SIM_FDS_MAX ? s->fds[fd] : NULL;
}

static bool room_for(struct disk_sim *s, struct node *n, uint64_t size)
{
	uint64_t used = 0;

	if (s->room == 0 || size <= n->size)
		return true;
	for (size_t i = 0; i < s->now.count; i++)
		used += s->now.list[i].node->size;
	return used + size - n->size <= s->room;
}

static int open_node(struct disk_sim *s, const char *path, int flags,
		     struct node **out)
{
	struct name *n = name_find(&s->now, path);
	int e;

	if (n && (flags & O_EXCL))
		return -EEXIST;
	if (!n && !(flags & O_CREAT))
		return -ENOENT;
	if (!n || (flags & O_TRUNC)) {
		e = step(s, !n);
		if (e < 0)
			return e;
	}
	if (n) {
		*out = n->node;
		if (flags & O_TRUNC)
			(*out)->size = 0;
		return 0;
	}
	assert(s->node_count < DISK_SIM_FILES_MAX);
	*out = calloc(1, sizeof(**out));
	assert(*out);
	node_fit(*out, 1);
	s->nodes[s->node_count++] = *out;
	name_set(&s->now, path, *out);
	note_change(s);
	return 0;
}

static int sim_open(void *self, const char *path, int flags)
{
	struct disk_sim *s = self;
	struct node *node = NULL;
	int fd = 0, e;

	pthread_mutex_lock(&s->lock);
	e = open_node(s, path, flags, &node);
	while (e == 0 && s->fds[fd])
		fd++;
	assert(fd < DISK_SIM_FDS_MAX);
	if (e == 0)
		s->fds[fd] = node;
	pthread_mutex_unlock(&s->lock);
	return e < 0 ? e : fd;
}

static int sim_close(void *self, int fd)
{
	struct disk_sim *s = self;
	int e = 0;

	pthread_mutex_lock(&s->lock);
	if (node_of(s, fd))
		s->fds[fd] = NULL;
	else
		e = -EBADF;
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int64_t sim_pread(void *self, int fd, void *buf, size_t n, uint64_t at)
{
	struct disk_sim *s = self;
	struct node *node;
	int64_t got = -EBADF;

	pthread_mutex_lock(&s->lock);
	node = node_of(s, fd);
	if (s->dead) {
		got = -EIO;
	} else if (node) {
		got = 0;
		if (at < node->size)
			got = (int64_t)(node->size - at < n ? node->size - at :
							      n);
		if (got > 0)
			memcpy(buf, node->now + at, (size_t)got);
	}
	pthread_mutex_unlock(&s->lock);
	return got;
}

static int sim_pwrite(void *self, int fd, const void *buf, size_t n,
		      uint64_t at)
{
	struct disk_sim *s = self;
	struct node *node;
	bool alive;
	int e;

	pthread_mutex_lock(&s->lock);
	alive = !s->dead;
	node = node_of(s, fd);
	assert(!node || !node->direct ||
	       ((uintptr_t)buf % DISK_BLOCK == 0 && n % DISK_BLOCK == 0 &&
		at % DISK_BLOCK == 0));
	e = node ? step(s, true) : -EBADF;
	if (e == 0 && !room_for(s, node, at + n))
		e = -ENOSPC;
	/* What fails may have been done by half. */
	if (node && alive)
		node_write(node, buf, e < 0 && !s->dead ? n / 2 : n, at);
	pthread_mutex_unlock(&s->lock);
	return e;
}

/* There is no cache to pass; what is asked of such writes is looked at. */
static int sim_direct(void *self, int fd, bool on)
{
	struct disk_sim *s = self;
	struct node *node;

	pthread_mutex_lock(&s->lock);
	node = node_of(s, fd);
	if (node)
		node->direct = on;
	pthread_mutex_unlock(&s->lock);
	return node ? 0 : -EBADF;
}

static int sim_datasync(void *self, int fd)
{
	struct disk_sim *s = self;
	struct node *node;
	int e;

	pthread_mutex_lock(&s->lock);
	while (s->hold)
		pthread_cond_wait(&s->held, &s->lock);
	node = node_of(s, fd);
	e = node ? step(s, false) : -EBADF;
	if (node && !s->dead && e < 0 && disk_sim_random(s) % 2)
		node_tear(s, node); /* some of it may be there all the same */
	else if (node && !s->dead)
		node_settle(node, e == 0);
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int resize(struct disk_sim *s, int fd, uint64_t size, bool grow_only)
{
	struct node *node = node_of(s, fd);
	int e = node ? step(s, grow_only) : -EBADF;

	if (e < 0 || (grow_only && node->size >= size))
		return e;
	if (!room_for(s, node, size))
		return -ENOSPC;
	node_fit(node, size);
	if (size < node->size) {
		memset(node->now + size, 0, node->size - size);
		node_dirty(node, size, node->size);
	}
	node->size = size;
	return 0;
}

static int sim_allocate(void *self, int fd, uint64_t size)
{
	struct disk_sim *s = self;
	int e;

	pthread_mutex_lock(&s->lock);
	e = resize(s, fd, size, true);
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int sim_truncate(void *self, int fd, uint64_t size)
{
	struct disk_sim *s = self;
	int e;

	pthread_mutex_lock(&s->lock);
	e = resize(s, fd, size, false);
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int64_t sim_size(void *self, int fd)
{
	struct disk_sim *s = self;
	struct node *node;
	int64_t size;

	pthread_mutex_lock(&s->lock);
	node = node_of(s, fd);
	size = node ? (int64_t)node->size : -EBADF;
	pthread_mutex_unlock(&s->lock);
	return size;
}

static int sim_rename(void *self, const char *from, const char *to)
{
	struct disk_sim *s = self;
	struct name *n;
	int e;

	pthread_mutex_lock(&s->lock);
	n = name_find(&s->now, from);
	e = n ? step(s, false) : -ENOENT;
	if (e == 0) {
		struct node *node = n->node;

		name_remove(&s->now, from);
		name_set(&s->now, to, node);
		note_change(s);
	}
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int sim_unlink(void *self, const char *path)
{
	struct disk_sim *s = self;
	int e;

	pthread_mutex_lock(&s->lock);
	e = name_find(&s->now, path) ? step(s, false) : -ENOENT;
	if (e == 0) {
		name_remove(&s->now, path);
		note_change(s);
	}
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int sim_mkdir(void *self, const char *path)
{
	(void)self;
	(void)path;
	return 0;
}

static int sim_sync_dir(void *self, const char *path)
{
	struct disk_sim *s = self;
	int e;

	(void)path; /* one sync for all folders is enough here */
	pthread_mutex_lock(&s->lock);
	e = step(s, false);
	if (e == 0) {
		free(s->synced.list);
		s->synced = names_copy(&s->now);
		forget_changes(s);
	}
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int sim_list(void *self, const char *path,
		    void (*each)(void *arg, const char *name), void *arg)
{
	struct disk_sim *s = self;
	struct names names;
	size_t n = strlen(path);

	pthread_mutex_lock(&s->lock);
	names = names_copy(&s->now);
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < names.count; i++) {
		const char *p = names.list[i].path;

		if (!strncmp(p, path, n) && p[n] == '/' &&
		    !strchr(p + n + 1, '/'))
			each(arg, p + n + 1);
	}
	free(names.list);
	return 0;
}

static int64_t sim_free_bytes(void *self, const char *path)
{
	(void)self;
	(void)path;
	return 1LL << 40;
}

struct env disk_sim_env(struct disk_sim *s)
{
	static const struct disk_ops disk = {
		.open = sim_open,
		.close = sim_close,
		.pread = sim_pread,
		.pwrite = sim_pwrite,
		.direct = sim_direct,
		.datasync = sim_datasync,
		.allocate = sim_allocate,
		.truncate = sim_truncate,
		.size = sim_size,
		.rename = sim_rename,
		.unlink = sim_unlink,
		.mkdir = sim_mkdir,
		.sync_dir = sim_sync_dir,
		.list = sim_list,
		.free_bytes = sim_free_bytes,
	};

	return (struct env){
		.clock = env_posix()->clock,
		.clock_self = env_posix()->clock_self,
		.disk = &disk,
		.disk_self = s,
	};
}
