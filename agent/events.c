/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/events.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/codec/json.h"

static int read_all(int fd, struct buf *out)
{
	for (;;) {
		char *to = buf_grow(out, 64 << 10);
		ssize_t n;

		if (!to) { /* near its limit: see whether there is more */
			char one;

			n = read(fd, &one, 1);
			if (n == 0)
				out->failed = false;
			return n == 0 ? 0 : ERR_LIMIT;
		}
		n = read(fd, to, 64 << 10);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? ERR_IO : 0;
		out->len += (size_t)n;
	}
}

static int add_event(struct events *e, const char *path, int fd,
		     struct diag *diag)
{
	struct buf text = { .limit = EVENT_BYTES_MAX + (64 << 10) };
	struct arena arena = ARENA_INIT;
	struct json_doc doc;
	struct diag why = { 0 };
	int err = read_all(fd, &text);

	if (err == 0 && text.len > EVENT_BYTES_MAX)
		err = ERR_LIMIT;
	if (err == ERR_LIMIT)
		diag_set(diag, err, "the event %.150s is over 6 MB", path);
	else if (err < 0)
		diag_set(diag, err, "cannot read the event %.150s: %s", path,
			 strerror(errno));
	if (err == 0) {
		err = json_parse(&doc, &arena, buf_view(&text), &why);
		if (err < 0)
			diag_set(diag, err, "the event %.100s is no JSON: %s",
				 path, why.text);
	}
	if (err == 0) {
		e->list[e->count] = arena_copy(&e->arena, buf_view(&text));
		if (e->list[e->count].ptr)
			e->count++;
		else
			err = diag_set(diag, ERR_LIMIT,
				       "the events are over 512 MB together");
	}
	arena_fini(&arena);
	buf_fini(&text);
	return err;
}

static int events_init(struct events *e, size_t count, struct diag *diag)
{
	*e = (struct events){ .arena.limit = EVENTS_BYTES_MAX };
	e->list = calloc(count, sizeof(*e->list));
	return e->list ? 0 : diag_set(diag, ERR_NOMEM, "out of memory");
}

static int add_file(struct events *e, const char *path, struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return diag_set(diag, ERR_NOT_FOUND,
				"cannot open the event %.150s: %s", path,
				strerror(errno));
	err = add_event(e, path, fd, diag);
	close(fd);
	return err;
}

int events_from_file(struct events *e, const char *path, struct diag *diag)
{
	int err = events_init(e, 1, diag);

	if (err < 0)
		return err;
	if (!path)
		e->list[e->count++] = SV("{}");
	else if (!strcmp(path, "-"))
		err = add_event(e, path, STDIN_FILENO, diag);
	else
		err = add_file(e, path, diag);
	return err;
}

static int is_event(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_entry(struct events *e, const char *dir, const char *name,
		     struct diag *diag)
{
	char path[4096];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return diag_set(diag, ERR_LIMIT, "a path in %.100s is too long",
				dir);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return 0;
	return add_file(e, path, diag);
}

int events_from_dir(struct events *e, const char *dir, struct diag *diag)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_event, by_name);
	int err;

	*e = (struct events){ 0 };
	if (n < 0)
		return diag_set(diag, ERR_NOT_FOUND, "--event-dir %.150s: %s",
				dir, strerror(errno));
	err = n > EVENTS_MAX ? diag_set(diag, ERR_LIMIT,
					"--event-dir %.150s has more than %d "
					"files",
					dir, EVENTS_MAX) :
			       events_init(e, (size_t)n + 1, diag);
	for (int i = 0; i < n; i++) {
		if (err == 0)
			err = add_entry(e, dir, entries[i]->d_name, diag);
		free(entries[i]);
	}
	free(entries);
	if (err == 0 && !e->count)
		err = diag_set(diag, ERR_NOT_FOUND,
			       "--event-dir %.150s has no file", dir);
	return err;
}

void events_fini(struct events *e)
{
	free(e->list);
	arena_fini(&e->arena);
	*e = (struct events){ 0 };
}
