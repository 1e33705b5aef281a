/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a view: frames become entries, entries become files. Nothing
 * of a frame is counted before all that could fail is done, so a frame that
 * was refused for want of memory or disk is tried again as a whole. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "billing/ledger_inner.h"
#include "core/base/log.h"
#include "core/store/checkpoint.h"

/* --- sums and spans ------------------------------------------------------- */

int ledger_count_reserve(struct ledger *l, size_t n)
{
	size_t spans =
		(size_t)(l->active_entries + n) / LEDGER_READ_ENTRIES + 1;
	int e = sum_table_reserve(&l->days, n);

	if (!e)
		e = sum_table_reserve(&l->hours, n);
	if (!e && spans > l->span_cap) {
		struct span *more =
			realloc(l->spans, 2 * spans * sizeof(*more));

		if (!more)
			return ERR_NOMEM;
		l->spans = more;
		l->span_cap = 2 * spans;
	}
	return e;
}

void ledger_count(struct ledger *l, const struct entry *e)
{
	struct sum day = sum_of_entry(e, NS_PER_DAY);
	struct sum hour = sum_of_entry(e, NS_PER_HOUR);
	size_t span = e->number / LEDGER_READ_ENTRIES;

	if (e->number % LEDGER_READ_ENTRIES == 0)
		l->spans[span] = span_empty();
	span_add(&l->spans[span], e->time_ns);
	span_add(&l->active_time, e->time_ns);
	if (!sum_table_add(&l->days, &day)) {
		l->sums_partial = true;
		l->stats.sums_refused++;
	}
	if (hour.key.slot >= l->hours_from &&
	    !sum_table_add(&l->hours, &hour)) {
		/* Nothing is complete up to this hour any more. */
		l->hours_from = hour.key.slot + 1;
		l->stats.sums_refused++;
	}
}

int ledger_take_index(struct ledger *l, struct segment *s,
		      struct ledger_index *x, bool with_sums)
{
	int e = with_sums ? sum_table_reserve(&l->days, x->sum_count) : 0;

	if (e) {
		ledger_index_free(x);
		return e;
	}
	for (uint32_t i = 0; with_sums && i < x->sum_count; i++)
		if (!sum_table_add(&l->days, &x->sums[i])) {
			l->sums_partial = true;
			l->stats.sums_refused++;
		}
	free(x->sums);
	x->sums = NULL;
	if (l->stats.filter_bytes + x->filter_bytes >
	    l->options.filter_bytes_max) {
		free(x->filter);
		x->filter = NULL;
		l->stats.filters_refused++;
	} else {
		l->stats.filter_bytes += x->filter_bytes;
	}
	s->index = x;
	s->entries = x->entries;
	s->time = x->time;
	return 0;
}

int ledger_push_sealed(struct ledger *l, struct segment *s)
{
	if (l->sealed_count == l->sealed_cap) {
		size_t cap = l->sealed_cap ? 2 * l->sealed_cap : 16;
		struct segment **more;

		if (cap > LEDGER_SEGMENTS_MAX)
			return ERR_LIMIT;
		more = realloc(l->sealed, cap * sizeof(*more));
		if (!more)
			return ERR_NOMEM;
		l->sealed = more;
		l->sealed_cap = cap;
	}
	l->sealed[l->sealed_count++] = s;
	return 0;
}

/* --- files ---------------------------------------------------------------- */

/* Writes what is pending. Readers find it in memory until it is in the file:
 * the buffers are emptied under the lock, after. */
static int flush(struct ledger *l)
{
	const struct disk_ops *disk = l->env->disk;
	void *self = l->env->disk_self;
	uint64_t at = LEDGER_HEADER_BYTES + l->active_entries * ENTRY_BYTES -
		      l->pending.len;
	uint64_t text_at = l->text_bytes - l->pending_text.len;
	int e = names_flush(l->names);

	if (!e && l->pending_text.len)
		e = env_err(disk->pwrite(self, l->text_fd, l->pending_text.ptr,
					 l->pending_text.len, text_at));
	if (!e && l->pending.len)
		e = env_err(disk->pwrite(self, l->entries_fd, l->pending.ptr,
					 l->pending.len, at));
	if (e)
		return e;
	l->unsynced |= l->pending.len > 0;
	pthread_mutex_lock(&l->lock);
	buf_reset(&l->pending);
	buf_reset(&l->pending_text);
	pthread_mutex_unlock(&l->lock);
	return 0;
}

/* After a failed sync the kernel may have dropped the pages and a second sync
 * would lie. So there is no checkpoint any more: the journal keeps all since
 * the last one, and the next start applies it again. */
static int sync_files(struct ledger *l)
{
	const struct disk_ops *disk = l->env->disk;
	void *self = l->env->disk_self;
	int e = l->broken;

	if (!e)
		e = names_sync(l->names);
	if (!e && l->unsynced)
		e = env_err(disk->datasync(self, l->text_fd));
	if (!e && l->unsynced)
		e = env_err(disk->datasync(self, l->entries_fd));
	if (!e) {
		l->unsynced = false;
	} else if (!l->broken) {
		l->broken = e;
		log_error("ledger",
			  "sync failed: no checkpoints until a restart, "
			  "which applies the journal again");
	}
	return e;
}

static int open_next(struct ledger *l, int *entries_fd, int *text_fd)
{
	const struct disk_ops *disk = l->env->disk;
	int e;

	*text_fd = -1;
	*entries_fd =
		ledger_file_create(l->env, l->dir, FILE_ENTRIES, l->active + 1);
	if (*entries_fd < 0)
		return *entries_fd;
	*text_fd = ledger_file_create(l->env, l->dir, FILE_TEXT, l->active + 1);
	e = *text_fd < 0 ? *text_fd :
			   env_err(disk->sync_dir(l->env->disk_self, l->dir));
	if (e) {
		disk->close(l->env->disk_self, *entries_fd);
		if (*text_fd >= 0)
			disk->close(l->env->disk_self, *text_fd);
	}
	return e;
}

static void switch_active(struct ledger *l, int entries_fd, int text_fd)
{
	const struct disk_ops *disk = l->env->disk;

	disk->close(l->env->disk_self, l->entries_fd);
	disk->close(l->env->disk_self, l->text_fd);
	l->entries_fd = entries_fd;
	l->text_fd = text_fd;
	l->active++;
	l->active_entries = 0;
	l->active_time = span_empty();
	l->text_bytes = LEDGER_HEADER_BYTES;
	l->unsynced = true; /* the new headers */
	id_table_reset(&l->active_ids);
}

/* Seals the open segment and opens the next. Every step may be done again
 * after a failure; a crash between them is healed by the next start, since
 * the checkpoint still names the old one as open. */
static int seal(struct ledger *l)
{
	struct segment *s = calloc(1, sizeof(*s));
	struct ledger_index *x = NULL;
	uint64_t damaged;
	int entries_fd = -1;
	int text_fd = -1;
	int e = s ? flush(l) : ERR_NOMEM;

	if (!e)
		e = sync_files(l);
	if (!e)
		e = ledger_index_build(l->env, l->dir, l->active,
				       l->active_entries, &damaged);
	if (!e)
		e = ledger_index_open(&x, l->env, l->dir, l->active);
	if (!e)
		e = open_next(l, &entries_fd, &text_fd);
	if (e) {
		ledger_index_free(x);
		free(s);
		return e;
	}
	s->number = l->active;
	pthread_mutex_lock(&l->lock);
	e = ledger_push_sealed(l, s);
	if (!e) {
		/* Its sums are in the ledger's already. */
		e = ledger_take_index(l, s, x, false);
		assert(!e);
		l->stats.damaged_entries += damaged;
		switch_active(l, entries_fd, text_fd);
	}
	pthread_mutex_unlock(&l->lock);
	if (e) {
		l->env->disk->close(l->env->disk_self, entries_fd);
		l->env->disk->close(l->env->disk_self, text_fd);
		ledger_index_free(x);
		free(s);
	}
	return e;
}

/* --- apply ---------------------------------------------------------------- */

static int place_text(struct ledger *l, struct packed *out, struct sv text)
{
	if (text_pack(out, text))
		return 0;
	text_place(out, l->text_bytes, text);
	buf_sv(&l->pending_text, text);
	if (l->pending_text.failed)
		return ERR_NOMEM;
	l->text_bytes += text.len;
	return 0;
}

static int make_entry(struct ledger *l, const struct delivery *d,
		      const struct usage *u, struct entry *out)
{
	char text[NAME_BYTES_MAX];
	int e;

	*out = (struct entry){
		.id = usage_id(d->frame->scope.account, u->source, u->id),
		.payload = usage_payload(&d->frame->scope, u),
		.time_ns = u->time_ns,
		.duration_us = u->duration_us,
		.init_us = u->init_us,
		.billed_ms = u->billed_ms,
		.frame = d->frame->position,
		.memory_mb = u->memory_mb,
		.max_memory_mb = u->max_memory_mb,
		.architecture = (uint8_t)u->architecture,
		.status = (uint8_t)u->status,
	};
	e = names_id(l->names, NAME_SCOPE, scope_name(text, &d->frame->scope),
		     &out->scope);
	if (!e)
		e = names_id(l->names, NAME_SOURCE, u->source, &out->source);
	if (!e)
		e = names_id(l->names, NAME_RESOURCE, u->resource,
			     &out->resource);
	if (!e)
		e = place_text(l, &out->request, u->id);
	if (!e)
		e = place_text(l, &out->trace, u->trace_id);
	return e;
}

/* A frame that came again because a checkpoint or entries were lost may be in
 * the files already, in part. */
static int already_there(struct ledger *l, const struct delivery *d,
			 const struct entry *e, bool *there)
{
	struct id_slot slot;
	struct segment *in;
	int found;

	*there = false;
	if (d->frame->position >= l->recover_until)
		return 0;
	found = ledger_lookup(l, e->id, INT64_MIN, &slot, &in);
	if (found < 0)
		return found;
	*there = found && slot.payload == e->payload;
	return 0;
}

static void land(struct ledger *l, struct hash128 id)
{
	const struct id_slot *slot = id_table_find(&l->inflight, id);

	if (!slot)
		return; /* a replay */
	l->inflight_names -= slot->number;
	(void)id_table_remove(&l->inflight, id);
}

/* Entries are made behind what is pending, and counted when all are there. */
static int apply_locked(struct ledger *l, const struct delivery *d)
{
	const struct records *r = d->records;
	size_t before = l->pending.len;
	size_t text_before = l->pending_text.len;
	uint64_t text_bytes = l->text_bytes;
	uint32_t number = (uint32_t)l->active_entries;
	int e = ledger_count_reserve(l, r->usage_count);

	if (!e)
		e = id_table_reserve(&l->active_ids, r->usage_count);
	for (size_t i = 0; !e && i < r->usage_count; i++) {
		struct entry entry;
		uint8_t bytes[ENTRY_BYTES];
		bool there = false;

		e = make_entry(l, d, &r->usage[i], &entry);
		if (!e)
			e = already_there(l, d, &entry, &there);
		if (e || there)
			continue;
		entry.number = number++;
		entry_encode(bytes, &entry);
		buf_add(&l->pending, bytes, sizeof(bytes));
		if (l->pending.failed)
			e = ERR_NOMEM;
	}
	if (e) {
		l->pending.failed = l->pending_text.failed = false;
		l->pending.len = before;
		l->pending_text.len = text_before;
		l->text_bytes = text_bytes;
		return e;
	}
	for (size_t at = before; at < l->pending.len; at += ENTRY_BYTES) {
		struct entry entry;
		bool good = entry_decode(&entry,
					 (const uint8_t *)l->pending.ptr + at,
					 (uint32_t)l->active_entries);

		assert(good);
		if (!id_table_find(&l->active_ids, entry.id))
			id_table_put(&l->active_ids, entry.id, entry.payload,
				     entry.number);
		ledger_count(l, &entry);
		land(l, entry.id);
		l->active_entries++;
	}
	return 0;
}

static int apply(void *self, const struct delivery *d)
{
	struct ledger *l = self;
	int e = 0;

	if (d->records->usage_count) {
		if (l->active_entries >= l->options.segment_entries)
			e = seal(l);
		else if (l->pending.len >= LEDGER_PENDING_BYTES)
			e = flush(l);
		if (e)
			return e;
		pthread_mutex_lock(&l->lock);
		e = apply_locked(l, d);
		pthread_mutex_unlock(&l->lock);
		if (e)
			return e;
	}
	l->view.position = d->frame->next;
	return 0;
}

static int checkpoint(void *self)
{
	struct ledger *l = self;
	struct buf path = BUF_INIT;
	uint8_t image[40];
	int e;

	if (l->view.position == l->checkpoint_position)
		return 0;
	e = flush(l);
	if (!e)
		e = sync_files(l);
	if (e)
		return e;
	put_le64(image, l->active);
	put_le64(image + 8, l->active_entries);
	put_le64(image + 16, l->text_bytes);
	put_le64(image + 24, names_bytes(l->names));
	put_le64(image + 32, names_count(l->names));
	buf_format(&path, "%s/checkpoint", l->dir);
	e = path.failed ? ERR_NOMEM :
			  checkpoint_write(
				  l->env, path.ptr, SV("ledger"),
				  LEDGER_CHECKPOINT_FORMAT, l->view.position,
				  sv_make((const char *)image, sizeof(image)));
	buf_fini(&path);
	if (e)
		return e;
	l->checkpoint_position = l->view.position;
	l->view.durable = l->view.position;
	return 0;
}

/* Hours that have passed go; filters of segments that nobody can repeat an id
 * of go. Neither changes an answer. */
static int tick(void *self, struct wall now)
{
	struct ledger *l = self;
	int64_t forget_ns = now.ns - (LEDGER_REMEMBER_DAYS + 1) * NS_PER_DAY;
	int32_t from = (int32_t)(now.ns / NS_PER_HOUR) - LEDGER_HOURS_KEPT;

	pthread_mutex_lock(&l->lock);
	if (from > l->hours_from) {
		l->hours_from = from;
		sum_table_drop_below(&l->hours, from);
	}
	for (size_t i = 0; i < l->sealed_count; i++) {
		struct ledger_index *x = l->sealed[i]->index;

		if (!x || !x->filter || x->time.max_ns >= forget_ns)
			continue;
		free(x->filter);
		x->filter = NULL;
		l->stats.filter_bytes -= x->filter_bytes;
	}
	pthread_mutex_unlock(&l->lock);
	return 0;
}

const struct view_ops ledger_view_ops = {
	.name = "ledger",
	.apply = apply,
	.checkpoint = checkpoint,
	.tick = tick,
	.skips = ~(UINT32_C(1) << PROTOCOL_NATIVE),
};
