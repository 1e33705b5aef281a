/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's start: to exactly what the checkpoint says, and where files
 * were damaged or the checkpoint is gone, to as much as there is, with the
 * journal asked for the rest. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "billing/ledger_inner.h"
#include "core/base/log.h"
#include "core/store/checkpoint.h"

/* What the checkpoint says. */
struct image {
	bool found;
	uint64_t position;
	uint32_t active;
	uint64_t entries, text_bytes, names_bytes;
	uint32_t names;
};

static void see_file(void *arg, const char *name)
{
	uint32_t *highest = arg;
	struct sv rest = sv_from(name);
	struct sv number = sv_cut(&rest, '.');
	uint64_t n;

	if (sv_eq(rest, SV("entries")) && sv_to_u64(number, &n) &&
	    n <= LEDGER_SEGMENTS_MAX && n > *highest)
		*highest = (uint32_t)n;
}

static int read_image(struct ledger *l, struct image *out)
{
	struct buf path = BUF_INIT;
	struct buf b = BUF_INIT;
	const uint8_t *p;
	int e;

	*out = (struct image){ 0 };
	buf_format(&path, "%s/checkpoint", l->dir);
	e = path.failed ? ERR_NOMEM :
			  checkpoint_read(l->env, path.ptr, SV("ledger"),
					  LEDGER_CHECKPOINT_FORMAT,
					  &out->position, &b);
	p = (const uint8_t *)b.ptr;
	if (!e &&
	    (b.len < 40 || get_le64(p) == 0 ||
	     get_le64(p) > LEDGER_SEGMENTS_MAX ||
	     get_le64(p + 8) > UINT32_MAX || get_le64(p + 32) > UINT32_MAX))
		e = ERR_CORRUPT;
	if (!e) {
		out->found = true;
		out->active = (uint32_t)get_le64(p);
		out->entries = get_le64(p + 8);
		out->text_bytes = get_le64(p + 16);
		out->names_bytes = get_le64(p + 24);
		out->names = (uint32_t)get_le64(p + 32);
	}
	buf_fini(&path);
	buf_fini(&b);
	if (e == ERR_NOMEM || e == ERR_VERSION)
		return e;
	if (e && e != ERR_NOT_FOUND)
		log_warn("ledger",
			 "the checkpoint cannot be read: %s; "
			 "going by the files",
			 err_text(e));
	return 0;
}

static void remove_file(struct ledger *l, enum ledger_file file,
			uint32_t number, const char *suffix)
{
	struct buf path = BUF_INIT;

	if (!ledger_path(&path, l->dir, file, number, suffix))
		l->env->disk->unlink(l->env->disk_self, path.ptr);
	buf_fini(&path);
}

static void set_aside(struct ledger *l, enum ledger_file file, uint32_t number)
{
	struct buf from = BUF_INIT;
	struct buf to = BUF_INIT;

	if (!ledger_path(&from, l->dir, file, number, "") &&
	    !ledger_path(&to, l->dir, file, number, ".damaged")) {
		l->env->disk->rename(l->env->disk_self, from.ptr, to.ptr);
		log_error("ledger", "%s is damaged: set aside as %s", from.ptr,
			  to.ptr);
	}
	buf_fini(&from);
	buf_fini(&to);
}

/* The open segment's file, as it is or made anew. *made: it was. */
static int open_or_make(struct ledger *l, enum ledger_file file, int *fd,
			bool *made)
{
	*made = false;
	*fd = ledger_file_open(l->env, l->dir, file, l->active, O_RDWR);
	if (*fd >= 0)
		return 0;
	if (*fd == ERR_VERSION || *fd == ERR_NOMEM)
		return *fd;
	if (*fd != ERR_NOT_FOUND)
		set_aside(l, file, l->active);
	*made = true;
	*fd = ledger_file_create(l->env, l->dir, file, l->active);
	return *fd < 0 ? *fd : 0;
}

static int64_t file_bytes(struct ledger *l, int fd)
{
	int64_t n = l->env->disk->size(l->env->disk_self, fd);

	return n < LEDGER_HEADER_BYTES ? LEDGER_HEADER_BYTES : n;
}

/* --- sealed segments ------------------------------------------------------ */

/* Entries by the size of the file; negative where it cannot be opened. */
static int64_t count_entries(struct ledger *l, uint32_t number)
{
	int fd = ledger_file_open(l->env, l->dir, FILE_ENTRIES, number,
				  O_RDONLY);
	int64_t n;

	if (fd < 0)
		return fd;
	n = (file_bytes(l, fd) - LEDGER_HEADER_BYTES) / ENTRY_BYTES;
	l->env->disk->close(l->env->disk_self, fd);
	return n > UINT32_MAX ? ERR_CORRUPT : n;
}

static int load_sealed(struct ledger *l, uint32_t number)
{
	struct segment *s = calloc(1, sizeof(*s));
	struct ledger_index *x = NULL;
	int64_t entries;
	int e;

	if (!s)
		return ERR_NOMEM;
	s->number = number;
	s->time = span_empty();
	e = ledger_push_sealed(l, s);
	if (e) {
		free(s);
		return e;
	}
	entries = count_entries(l, number);
	if (entries == ERR_VERSION)
		return ERR_VERSION;
	s->unreadable = entries < 0;
	e = ledger_index_open(&x, l->env, l->dir, number);
	if (!e) {
		if (!s->unreadable && (uint64_t)entries < x->entries)
			log_error("ledger",
				  "segment %08u is cut off: its "
				  "last entries are lost",
				  number);
		e = ledger_take_index(l, s, x, true);
	} else if (e != ERR_VERSION && !s->unreadable) {
		s->entries = (uint64_t)entries;
		e = ledger_reindex(l, s);
	}
	if (s->unreadable || !s->index) {
		l->stats.lost_segments++;
		log_error("ledger", "segment %08u cannot be read: its %s lost",
			  number,
			  s->index ? "single entries are (sums are not)" :
				     "entries are");
	}
	return e == ERR_VERSION || e == ERR_NOMEM ? e : 0;
}

/* --- the open segment ----------------------------------------------------- */

struct loading {
	struct ledger *l;
	bool bad;            /* one was found */
	uint64_t good_frame; /* of the last entry before the first bad one */
	uint64_t last_frame; /* of any */
	bool any;
	int err;
};

static void load_entry(void *arg, uint32_t number, const struct entry *e)
{
	struct loading *g = arg;
	struct ledger *l = g->l;

	if (g->err)
		return;
	l->active_entries = number;
	g->err = ledger_count_reserve(l, 1);
	if (!g->err)
		g->err = id_table_reserve(&l->active_ids, 1);
	if (g->err)
		return;
	l->active_entries = (uint64_t)number + 1;
	if (!e) {
		if (number % LEDGER_READ_ENTRIES == 0)
			l->spans[number / LEDGER_READ_ENTRIES] = span_empty();
		l->stats.damaged_entries++;
		g->bad = true;
		return;
	}
	if (!g->bad)
		g->good_frame = e->frame;
	if (!g->any || e->frame > g->last_frame)
		g->last_frame = e->frame;
	g->any = true;
	if (!id_table_find(&l->active_ids, e->id))
		id_table_put(&l->active_ids, e->id, e->payload, number);
	ledger_count(l, e);
}

static int load_active(struct ledger *l, const struct image *image,
		       struct loading *g)
{
	const struct disk_ops *disk = l->env->disk;
	uint8_t *chunk;
	uint64_t entries;
	bool made;
	int e = open_or_make(l, FILE_ENTRIES, &l->entries_fd, &made);

	if (!e)
		e = open_or_make(l, FILE_TEXT, &l->text_fd, &made);
	if (e)
		return e;
	entries = image->found ? image->entries :
				 (uint64_t)(file_bytes(l, l->entries_fd) -
					    LEDGER_HEADER_BYTES) /
					 ENTRY_BYTES;
	l->text_bytes = image->found ? image->text_bytes :
				       (uint64_t)file_bytes(l, l->text_fd);
	if (entries > UINT32_MAX || l->text_bytes < LEDGER_HEADER_BYTES)
		return ERR_CORRUPT;
	/* Behind the checkpoint is what the journal gives again. A file that
	 * is shorter than it should be grows a hole: damaged entries. */
	e = env_err(
		disk->truncate(l->env->disk_self, l->entries_fd,
			       LEDGER_HEADER_BYTES + entries * ENTRY_BYTES));
	if (!e)
		e = env_err(disk->truncate(l->env->disk_self, l->text_fd,
					   l->text_bytes));
	if (e)
		return e;
	chunk = malloc((size_t)LEDGER_READ_ENTRIES * ENTRY_BYTES);
	if (!chunk)
		return ERR_NOMEM;
	e = ledger_entries(l->env, l->entries_fd, 0, entries, chunk, load_entry,
			   g);
	free(chunk);
	return e ? e : g->err;
}

/* Where the journal has to begin. Entries name the frame they came with, so
 * without a checkpoint, or with entries missing, it is the frame of the last
 * entry that is surely there; apply then passes over what is (already_there).
 */
static void set_position(struct ledger *l, const struct image *image,
			 const struct loading *g)
{
	struct ledger_index *last =
		l->sealed_count ? l->sealed[l->sealed_count - 1]->index : NULL;
	uint64_t before = last ? last->last_frame : 0;

	l->view.position = image->position;
	if (image->found && !g->bad) {
		l->checkpoint_position = image->position;
	} else {
		l->view.position = g->good_frame ? g->good_frame : before;
		l->recover_until = image->found    ? image->position :
				   g->any          ? g->last_frame + 1 :
				   l->sealed_count ? before + 1 :
						     0;
		l->checkpoint_position = UINT64_MAX;
		if (l->recover_until)
			log_warn("ledger",
				 "%llu entries are damaged or in doubt: the "
				 "journal is read again from position %llu",
				 (unsigned long long)l->stats.damaged_entries,
				 (unsigned long long)l->view.position);
	}
	l->view.durable = l->view.position;
}

static int open_files(struct ledger *l, struct diag *diag)
{
	struct loading g = { .l = l };
	struct image image;
	uint32_t highest = 0;
	uint32_t lost = 0;
	int64_t sealed_until = INT64_MIN;
	int e = read_image(l, &image);

	if (e)
		return e;
	e = l->env->disk->list(l->env->disk_self, l->dir, see_file, &highest);
	if (e < 0)
		return env_err(e);
	l->active = image.found ? image.active : highest ? highest : 1;
	for (uint32_t n = l->active + 1; n <= highest; n++) {
		remove_file(l, FILE_ENTRIES, n, "");
		remove_file(l, FILE_TEXT, n, "");
		remove_file(l, FILE_INDEX, n, "");
	}
	remove_file(l, FILE_INDEX, l->active, "");
	remove_file(l, FILE_INDEX, l->active, ".tmp");
	e = names_open(&l->names, l->env, l->dir,
		       image.found ? image.names_bytes : UINT64_MAX,
		       image.names, &lost);
	if (lost)
		log_error("ledger", "%u names are lost", lost);
	for (uint32_t n = 1; !e && n < l->active; n++) {
		e = load_sealed(l, n);
		if (!e && l->sealed[n - 1]->time.max_ns > sealed_until)
			sealed_until = l->sealed[n - 1]->time.max_ns;
	}
	if (sealed_until != INT64_MIN)
		l->hours_from = (int32_t)(sealed_until / NS_PER_HOUR) + 1;
	if (!e)
		e = load_active(l, &image, &g);
	if (e)
		return diag_set(diag, e, "the ledger in %s: %s", l->dir,
				err_text(e));
	set_position(l, &image, &g);
	return env_err(l->env->disk->sync_dir(l->env->disk_self, l->dir));
}

static void set_options(struct ledger_options *o)
{
	if (!o->segment_entries)
		o->segment_entries = LEDGER_SEGMENT_ENTRIES;
	if (!o->inflight_max)
		o->inflight_max = LEDGER_INFLIGHT_MAX;
	if (!o->names_max)
		o->names_max = LEDGER_NAMES_MAX;
	if (!o->sums_max)
		o->sums_max = LEDGER_SUMS_MAX;
	if (!o->filter_bytes_max)
		o->filter_bytes_max = LEDGER_FILTER_BYTES_MAX;
}

int ledger_open(struct ledger **out, const struct env *env, const char *dir,
		const struct ledger_options *options, struct diag *diag)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int e;

	if (!l)
		return ERR_NOMEM;
	l->env = env;
	l->view = (struct view){ .ops = &ledger_view_ops,
				 .self = l,
				 .admits = true };
	l->entries_fd = l->text_fd = -1;
	l->active_time = span_empty();
	l->hours_from = INT32_MIN;
	pthread_mutex_init(&l->lock, NULL);
	if (options)
		l->options = *options;
	set_options(&l->options);
	l->days.max = l->hours.max = l->options.sums_max;
	l->dir = strdup(dir);
	e = l->dir ? 0 : ERR_NOMEM;
	if (!e) {
		e = env_err(env->disk->mkdir(env->disk_self, dir));
		if (e)
			diag_set(diag, e, "%s: the folder cannot be made", dir);
	}
	if (!e)
		e = open_files(l, diag);
	if (e) {
		ledger_close(l);
		return e;
	}
	*out = l;
	return 0;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	if (l->entries_fd >= 0)
		l->env->disk->close(l->env->disk_self, l->entries_fd);
	if (l->text_fd >= 0)
		l->env->disk->close(l->env->disk_self, l->text_fd);
	for (size_t i = 0; i < l->sealed_count; i++) {
		ledger_index_free(l->sealed[i]->index);
		free(l->sealed[i]);
	}
	free(l->sealed);
	names_close(l->names);
	id_table_fini(&l->active_ids);
	id_table_fini(&l->inflight);
	sum_table_fini(&l->days);
	sum_table_fini(&l->hours);
	buf_fini(&l->pending);
	buf_fini(&l->pending_text);
	free(l->spans);
	pthread_mutex_destroy(&l->lock);
	free(l->dir);
	free(l);
}
