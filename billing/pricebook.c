/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/pricebook.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* A file of the folder: what it holds now, and the last content of it that
 * was good. Often the same bytes. */
struct source {
	char name[PRICEBOOK_NAME_MAX];
	struct buf seen, good;
	bool there; /* in this reading of the folder */
	int err;    /* of `seen` */
	struct diag diag;
};

struct set {
	struct price_set set; /* first: what readers hold */
	struct price_file files[PRICEBOOK_FILES_MAX];
	unsigned references;
};

struct pricebook {
	const struct env *env;
	char *dir;
	pthread_mutex_t lock; /* a refresh reads a few KB under it */
	struct source *sources[PRICEBOOK_FILES_MAX]; /* by name */
	size_t source_count;
	struct set *current;
	uint64_t generation;
};

const char *usage_type_name(enum usage_type t)
{
	return t == USAGE_REQUEST ? "Lambda-Request" : "Lambda-GB-Second";
}

const char *usage_type_unit(enum usage_type t)
{
	return t == USAGE_REQUEST ? "requests" : "GB-s";
}

const char *architecture_name(enum architecture a)
{
	return a == ARCH_ARM64 ? "arm64" : "x86_64";
}

const struct price_period *price_set_find(const struct price_set *set,
					  const char *region, int64_t time_ns,
					  const struct price_file **file)
{
	for (size_t i = 0; i < set->file_count; i++) {
		const struct price_file *f = &set->files[i];

		if (strcmp(f->region, region))
			continue;
		for (size_t k = 0; k < f->period_count; k++) {
			if (time_ns < f->periods[k].from_ns ||
			    time_ns >= f->periods[k].to_ns)
				continue;
			if (file)
				*file = f;
			return &f->periods[k];
		}
	}
	return NULL;
}

int64_t price_set_next_change(const struct price_set *set, const char *region,
			      int64_t time_ns)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < set->file_count; i++) {
		const struct price_file *f = &set->files[i];

		if (strcmp(f->region, region) && strcmp(f->region, "*"))
			continue;
		for (size_t k = 0; k < f->period_count; k++) {
			int64_t from = f->periods[k].from_ns;
			int64_t to = f->periods[k].to_ns;

			if (from > time_ns && from < next)
				next = from;
			if (to > time_ns && to < next)
				next = to;
		}
	}
	return next;
}

static void set_free(struct set *s)
{
	for (size_t i = 0; i < s->set.file_count; i++)
		free((void *)(uintptr_t)s->files[i].periods);
	free(s);
}

static bool overlaps(const struct set *s, const struct price_file *f,
		     const char **with)
{
	for (size_t i = 0; i < s->set.file_count; i++) {
		const struct price_file *o = &s->files[i];

		if (strcmp(o->region, f->region))
			continue;
		for (size_t a = 0; a < o->period_count; a++)
			for (size_t b = 0; b < f->period_count; b++)
				if (o->periods[a].from_ns <
					    f->periods[b].to_ns &&
				    f->periods[b].from_ns <
					    o->periods[a].to_ns) {
					*with = o->name;
					return true;
				}
	}
	return false;
}

/* Parses text and, where it fits with what is there, adds it to the set. */
static int set_add(struct set *s, const struct source *src, struct sv text,
		   struct diag *diag)
{
	struct price_file *f = &s->files[s->set.file_count];
	const char *with = NULL;
	int e = price_file_parse(f, text, diag);

	if (e)
		return e;
	memcpy(f->name, src->name, sizeof(f->name));
	if (overlaps(s, f, &with)) {
		free((void *)(uintptr_t)f->periods);
		return diag_set(diag, ERR_EXISTS,
				"has a period of region %s that %s has too",
				f->region, with);
	}
	s->set.file_count++;
	return 0;
}

/* What is in force by all sources. Every refused one keeps its diag. */
static int rebuild(struct pricebook *p)
{
	struct set *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR_NOMEM;
	s->set.files = s->files;
	s->set.generation = ++p->generation;
	s->references = 1;
	for (size_t i = 0; i < p->source_count; i++) {
		struct source *src = p->sources[i];
		struct diag of_old;

		src->diag = (struct diag){ 0 };
		src->err = set_add(s, src, buf_view(&src->seen), &src->diag);
		if (!src->err) {
			buf_reset(&src->good);
			buf_sv(&src->good, buf_view(&src->seen));
		} else if (src->good.len) {
			(void)!set_add(s, src, buf_view(&src->good), &of_old);
		}
	}
	if (p->current && --p->current->references == 0)
		set_free(p->current);
	p->current = s;
	return 0;
}

static int read_file(struct pricebook *p, const char *name, struct buf *out)
{
	const struct disk_ops *disk = p->env->disk;
	void *self = p->env->disk_self;
	struct buf path = BUF_INIT;
	int64_t size;
	int64_t got = 0;
	char *room;
	int fd;

	buf_format(&path, "%s/%s", p->dir, name);
	fd = path.failed ? -1 : disk->open(self, path.ptr, O_RDONLY);
	buf_fini(&path);
	if (fd < 0)
		return env_err(fd);
	size = disk->size(self, fd);
	/* One byte over the limit is read, so that the parser sees it is. */
	if (size > PRICEBOOK_BYTES_MAX)
		size = PRICEBOOK_BYTES_MAX + 1;
	room = size > 0 ? buf_grow(out, (size_t)size) : NULL;
	if (room)
		got = disk->pread(self, fd, room, (size_t)size, 0);
	disk->close(self, fd);
	if (size < 0 || got < 0)
		return env_err(size < 0 ? size : got);
	if (room) {
		out->len += (size_t)got;
		out->ptr[out->len] = '\0';
	}
	return out->failed ? ERR_NOMEM : 0;
}

struct listing {
	struct pricebook *p;
	bool changed;
	int err;
	struct diag *diag;
};

static struct source *source_of(struct pricebook *p, const char *name)
{
	size_t at = 0;
	struct source *s;

	while (at < p->source_count && strcmp(p->sources[at]->name, name) < 0)
		at++;
	if (at < p->source_count && !strcmp(p->sources[at]->name, name))
		return p->sources[at];
	if (p->source_count == PRICEBOOK_FILES_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	memcpy(s->name, name, strlen(name) + 1);
	memmove(&p->sources[at + 1], &p->sources[at],
		(p->source_count - at) * sizeof(s));
	p->sources[at] = s;
	p->source_count++;
	return s;
}

static void see_file(void *arg, const char *name)
{
	struct listing *l = arg;
	struct buf text = BUF_INIT;
	struct source *s;
	int e;

	if (name[0] == '.' || !sv_ends(sv_from(name), SV(".json")))
		return;
	if (strlen(name) >= PRICEBOOK_NAME_MAX) {
		l->err = diag_set(l->diag, ERR_LIMIT,
				  "%.60s...: the name is longer than %d bytes",
				  name, PRICEBOOK_NAME_MAX - 1);
		return;
	}
	s = source_of(l->p, name);
	if (!s) {
		l->err = diag_set(l->diag, ERR_LIMIT,
				  "%s: more than %d price files", name,
				  PRICEBOOK_FILES_MAX);
		return;
	}
	s->there = true;
	e = read_file(l->p, name, &text);
	if (e)
		l->err = diag_set(l->diag, e, "%s: cannot be read: %s", name,
				  err_text(e));
	if (!e && !sv_eq(buf_view(&text), buf_view(&s->seen))) {
		buf_fini(&s->seen);
		s->seen = text;
		text = (struct buf)BUF_INIT;
		l->changed = true;
	}
	buf_fini(&text);
}

static void source_free(struct source *s)
{
	buf_fini(&s->seen);
	buf_fini(&s->good);
	free(s);
}

static int refresh(struct pricebook *p, struct diag *diag)
{
	struct listing l = { .p = p, .diag = diag };
	size_t kept = 0;
	int e;

	for (size_t i = 0; i < p->source_count; i++)
		p->sources[i]->there = false;
	e = p->env->disk->list(p->env->disk_self, p->dir, see_file, &l);
	if (e < 0)
		return diag_set(diag, env_err(e),
				"%s: the folder of price files cannot be "
				"read",
				p->dir);
	for (size_t i = 0; i < p->source_count; i++) {
		struct source *s = p->sources[i];

		if (s->there) {
			p->sources[kept++] = s;
		} else {
			source_free(s);
			l.changed = true;
		}
	}
	p->source_count = kept;
	if (l.changed || !p->current) {
		e = rebuild(p);
		if (e)
			return diag_set(diag, e, "out of memory");
	}
	for (size_t i = 0; i < p->source_count && !l.err; i++) {
		const struct source *s = p->sources[i];

		if (!s->err)
			continue;
		l.err = diag_set(diag, s->err, "%s:%d: %.150s", s->name,
				 s->diag.line, s->diag.text);
		if (diag)
			diag->line = s->diag.line;
	}
	return l.err;
}

int pricebook_open(struct pricebook **out, const struct env *env,
		   const char *dir, struct diag *diag)
{
	struct pricebook *p = calloc(1, sizeof(*p));
	int e;

	if (!p)
		return ERR_NOMEM;
	p->env = env;
	p->dir = strdup(dir);
	pthread_mutex_init(&p->lock, NULL);
	if (!p->dir) {
		pricebook_close(p);
		return ERR_NOMEM;
	}
	e = refresh(p, diag);
	if (!p->current) {
		pricebook_close(p);
		return e;
	}
	*out = p;
	return 0;
}

void pricebook_close(struct pricebook *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->source_count; i++)
		source_free(p->sources[i]);
	if (p->current) {
		assert(p->current->references == 1);
		set_free(p->current);
	}
	pthread_mutex_destroy(&p->lock);
	free(p->dir);
	free(p);
}

int pricebook_refresh(struct pricebook *p, struct diag *diag)
{
	int e;

	pthread_mutex_lock(&p->lock);
	e = refresh(p, diag);
	pthread_mutex_unlock(&p->lock);
	return e;
}

const struct price_set *pricebook_acquire(struct pricebook *p)
{
	const struct price_set *set;

	pthread_mutex_lock(&p->lock);
	p->current->references++;
	set = &p->current->set;
	pthread_mutex_unlock(&p->lock);
	return set;
}

void pricebook_release(struct pricebook *p, const struct price_set *set)
{
	struct set *s = (struct set *)(uintptr_t)set;

	pthread_mutex_lock(&p->lock);
	if (--s->references == 0)
		set_free(s);
	pthread_mutex_unlock(&p->lock);
}
