/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/ledger.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "billing/ledger_inner.h"
#include "core/base/log.h"
#include "core/codec/deflate.h"

struct view *ledger_view(struct ledger *l)
{
	return &l->view;
}

void ledger_stats(struct ledger *l, struct ledger_stats *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->stats;
	out->entries = l->active_entries;
	for (size_t i = 0; i < l->sealed_count; i++)
		out->entries += l->sealed[i]->entries;
	out->segments = l->sealed_count + 1;
	out->inflight = l->inflight.count;
	out->names = names_count(l->names);
	out->sums = l->days.count;
	pthread_mutex_unlock(&l->lock);
}

/* --- ids ------------------------------------------------------------------ */

int ledger_reindex(struct ledger *l, struct segment *s)
{
	struct ledger_index *x;
	uint64_t damaged;
	int e;

	if (s->unreadable)
		return ERR_CORRUPT;
	e = ledger_index_build(l->env, l->dir, s->number, s->entries, &damaged);
	if (!e)
		e = ledger_index_open(&x, l->env, l->dir, s->number);
	if (e)
		return e;
	log_warn("ledger",
		 "segment %08u: index made anew, %llu damaged entries",
		 s->number, (unsigned long long)damaged);
	l->stats.rebuilt_indexes++;
	if (s->index) {
		l->stats.filter_bytes -=
			s->index->filter ? s->index->filter_bytes : 0;
		ledger_index_free(s->index);
		s->index = NULL;
		return ledger_take_index(l, s, x, false);
	}
	l->stats.damaged_entries += damaged;
	return ledger_take_index(l, s, x, true);
}

static int find_sealed(struct ledger *l, struct segment *s, struct hash128 id,
		       struct id_slot *out)
{
	int found;

	if (!s->index || !ledger_index_may_have(s->index, id))
		return 0;
	found = ledger_index_find(s->index, l->env, l->dir, s->number, id, out);
	if (found != ERR_CORRUPT)
		return found;
	/* Rare, and the answer must be right: so under the lock. */
	found = ledger_reindex(l, s);
	return found ? found :
		       ledger_index_find(s->index, l->env, l->dir, s->number,
					 id, out);
}

int ledger_lookup(struct ledger *l, struct hash128 id, int64_t forget_ns,
		  struct id_slot *out, struct segment **in)
{
	const struct id_slot *slot = id_table_find(&l->active_ids, id);

	*in = NULL;
	if (slot) {
		*out = *slot;
		return 1;
	}
	for (size_t i = l->sealed_count; i-- > 0;) {
		int found;

		if (l->sealed[i]->time.max_ns < forget_ns)
			continue;
		*in = l->sealed[i];
		found = find_sealed(l, l->sealed[i], id, out);
		if (found)
			return found;
	}
	return 0;
}

/* How many names this record would add. */
static uint32_t new_names(struct ledger *l, const struct scope *scope,
			  const struct usage *u, bool *new_source)
{
	char text[NAME_BYTES_MAX];

	*new_source = names_find(l->names, NAME_SOURCE, u->source) ==
		      NAME_UNKNOWN;
	return (names_find(l->names, NAME_SCOPE, scope_name(text, scope)) ==
		NAME_UNKNOWN) +
	       (uint32_t)*new_source +
	       (names_find(l->names, NAME_RESOURCE, u->resource) ==
		NAME_UNKNOWN);
}

static bool source_fits(const struct ledger *l)
{
	unsigned sources = 0;

	for (uint32_t i = 0; i < names_count(l->names); i++)
		sources += names_is(l->names, i, NAME_SOURCE);
	return sources < LEDGER_SOURCES_MAX;
}

static int reserve(struct ledger *l, const struct scope *scope,
		   const struct usage *u, struct hash128 id, uint64_t payload)
{
	bool new_source;
	uint32_t fresh = new_names(l, scope, u, &new_source);

	if (l->inflight.count >= l->options.inflight_max) {
		l->stats.refused_busy++;
		return ERR_BUSY;
	}
	if (fresh && (names_count(l->names) + l->inflight_names + fresh >
			      l->options.names_max ||
		      (new_source && !source_fits(l)))) {
		l->stats.refused_names++;
		return ERR_LIMIT;
	}
	if (id_table_reserve(&l->inflight, 1))
		return ERR_NOMEM;
	id_table_put(&l->inflight, id, payload, fresh);
	l->inflight_names += fresh;
	return 0;
}

static int admit_locked(struct ledger *l, const struct scope *scope,
			const struct usage *u, struct hash128 id,
			uint64_t payload, int64_t forget_ns, enum admit *out)
{
	const struct id_slot *flying = id_table_find(&l->inflight, id);
	struct id_slot slot;
	struct segment *in;
	int found = 1;

	if (flying)
		slot = *flying;
	else
		found = ledger_lookup(l, id, forget_ns, &slot, &in);
	if (found < 0)
		return found;
	if (found) {
		*out = slot.payload == payload ? ADMIT_KNOWN : ADMIT_CONFLICT;
		l->stats.known += *out == ADMIT_KNOWN;
		l->stats.conflicts += *out == ADMIT_CONFLICT;
		return 0;
	}
	found = reserve(l, scope, u, id, payload);
	if (found)
		return found;
	*out = ADMIT_NEW;
	l->stats.admitted++;
	return 0;
}

/* The bounds are ingest's to check; a text or number past them would not fit
 * an entry or a sum, so it is refused here too. */
static bool fits(const struct usage *u)
{
	return u->source.len <= NAME_BYTES_MAX &&
	       u->resource.len <= NAME_BYTES_MAX &&
	       u->id.len <= NAME_BYTES_MAX &&
	       u->trace_id.len <= NAME_BYTES_MAX &&
	       u->memory_mb <= MEMORY_MB_MAX && u->billed_ms <= BILLED_MS_MAX &&
	       u->architecture <= ARCH_ARM64;
}

int ledger_admit(struct ledger *l, const struct scope *scope,
		 const struct usage *usage, struct wall received,
		 enum admit *out)
{
	const int64_t remember_ns = LEDGER_REMEMBER_DAYS * NS_PER_DAY;
	struct hash128 id = usage_id(scope->account, usage->source, usage->id);
	uint64_t payload = usage_payload(scope, usage);
	int e;

	if (!fits(usage))
		return ERR_INVALID;
	if (received.ns > remember_ns &&
	    usage->time_ns < received.ns - remember_ns) {
		pthread_mutex_lock(&l->lock);
		l->stats.old++;
		pthread_mutex_unlock(&l->lock);
		*out = ADMIT_OLD;
		return 0;
	}
	pthread_mutex_lock(&l->lock);
	e = admit_locked(l, scope, usage, id, payload,
			 received.ns - remember_ns, out);
	pthread_mutex_unlock(&l->lock);
	return e;
}

void ledger_withdraw(struct ledger *l, const struct scope *scope,
		     const struct usage *usage)
{
	struct hash128 id = usage_id(scope->account, usage->source, usage->id);
	const struct id_slot *slot;

	pthread_mutex_lock(&l->lock);
	slot = id_table_find(&l->inflight, id);
	if (slot) {
		l->inflight_names -= slot->number;
		(void)id_table_remove(&l->inflight, id);
		l->stats.withdrawn++;
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- look-up -------------------------------------------------------------- */

static int read_at(struct ledger *l, enum ledger_file file,
		   const struct segment *s, void *out, size_t n, uint64_t at)
{
	const struct disk_ops *disk = l->env->disk;
	bool open = s == NULL; /* the open segment's files are open */
	int fd = !open ? ledger_file_open(l->env, l->dir, file, s->number,
					  O_RDONLY) :
		 file == FILE_TEXT ? l->text_fd :
				     l->entries_fd;
	int64_t got;

	if (fd < 0)
		return fd;
	got = disk->pread(l->env->disk_self, fd, out, n, at);
	if (!open)
		disk->close(l->env->disk_self, fd);
	if (got < 0)
		return env_err(got);
	return (uint64_t)got < n ? ERR_CORRUPT : 0;
}

static int read_entry(struct ledger *l, const struct segment *s,
		      uint32_t number, struct entry *out)
{
	uint64_t pending = l->pending.len / ENTRY_BYTES;
	uint8_t bytes[ENTRY_BYTES];
	int e = 0;

	if (!s && number >= l->active_entries - pending)
		memcpy(bytes,
		       l->pending.ptr +
			       (number - (l->active_entries - pending)) *
				       ENTRY_BYTES,
		       ENTRY_BYTES);
	else
		e = read_at(l, FILE_ENTRIES, s, bytes, ENTRY_BYTES,
			    LEDGER_HEADER_BYTES +
				    (uint64_t)number * ENTRY_BYTES);
	if (e)
		return e;
	return entry_decode(out, bytes, number) ? 0 : ERR_CORRUPT;
}

struct sv ledger_text(struct ledger *l, const struct segment *s,
		      const struct packed *p, struct arena *arena)
{
	uint64_t written = l->text_bytes - l->pending_text.len;
	struct text_at at;
	char *text;

	if (p->kind != TEXT_FILE)
		return text_unpack(p, arena);
	at = text_where(p);
	text = arena_alloc(arena, (size_t)at.len + 1);
	if (!text)
		return (struct sv){ NULL, 0 };
	if (!s && at.offset >= written &&
	    at.offset - written + at.len <= l->pending_text.len)
		memcpy(text, l->pending_text.ptr + (at.offset - written),
		       at.len);
	else if (read_at(l, FILE_TEXT, s, text, at.len, at.offset))
		return SV("(text is lost)");
	text[at.len] = '\0';
	return crc32_add(0, text, at.len) == at.crc ? sv_make(text, at.len) :
						      SV("(text is lost)");
}

static int describe(struct ledger *l, const struct segment *s,
		    const struct entry *e, struct arena *arena,
		    struct ledger_record *out)
{
	struct usage *u = &out->usage;

	*out = (struct ledger_record){ .frame = e->frame };
	if (!scope_parse(&out->scope, names_text(l->names, e->scope)))
		return ERR_CORRUPT;
	*u = (struct usage){
		.id = ledger_text(l, s, &e->request, arena),
		.source = arena_copy(arena, names_text(l->names, e->source)),
		.time_ns = e->time_ns,
		.resource =
			arena_copy(arena, names_text(l->names, e->resource)),
		.memory_mb = e->memory_mb,
		.max_memory_mb = e->max_memory_mb,
		.duration_us = e->duration_us,
		.billed_ms = e->billed_ms,
		.init_us = e->init_us,
		.architecture = (enum architecture)e->architecture,
		.status = (enum run_status)e->status,
		.trace_id = ledger_text(l, s, &e->trace, arena),
	};
	return u->id.ptr && u->source.ptr && u->resource.ptr &&
			       u->trace_id.ptr ?
		       0 :
		       ERR_NOMEM;
}

static int find_locked(struct ledger *l, uint64_t account, struct sv id,
		       struct arena *arena, struct ledger_record *out)
{
	for (uint32_t n = 0; n < names_count(l->names); n++) {
		struct id_slot slot;
		struct segment *in;
		struct entry e = { .number = 0 };
		int found;

		if (!names_is(l->names, n, NAME_SOURCE))
			continue;
		found = ledger_lookup(
			l, usage_id(account, names_text(l->names, n), id),
			INT64_MIN, &slot, &in);
		if (found == 1)
			found = read_entry(l, in, slot.number, &e);
		else if (found == 0)
			continue;
		return found ? found : describe(l, in, &e, arena, out);
	}
	return ERR_NOT_FOUND;
}

int ledger_find(struct ledger *l, uint64_t account, struct sv id,
		struct arena *arena, struct ledger_record *out)
{
	int e;

	pthread_mutex_lock(&l->lock);
	e = find_locked(l, account, id, arena, out);
	pthread_mutex_unlock(&l->lock);
	return e;
}
