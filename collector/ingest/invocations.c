/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/invocations.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/store/checkpoint.h"

enum {
	BUCKETS = 2 * INVOCATIONS_MAX, /* a power of two */
	PATH_BYTES = 512,
	ENTRY_BYTES = 24, /* in the image: key, hash */
};

enum entry_state { ENTRY_EMPTY, ENTRY_RESERVED, ENTRY_STORED };

struct entry {
	struct hash128 key; /* of scope and id */
	uint64_t hash;      /* of the body */
	enum entry_state state;
};

struct invocations {
	struct view view;
	const struct env *env;
	char path[PATH_BYTES];
	pthread_mutex_t lock; /* admit and apply are in different threads */
	struct entry *ring;   /* INVOCATIONS_MAX, by arrival */
	uint32_t *buckets;    /* place in ring + 1, by key; 0: none */
	uint64_t turn;        /* of the next: ring[turn % INVOCATIONS_MAX] */
	uint64_t remembered, forgotten;
	uint64_t next;    /* position behind the last frame applied */
	uint64_t written; /* that of the checkpoint on disk */
	bool dirty;
};

static struct hash128 key_of(const struct scope *scope, struct sv id)
{
	char text[REGION_MAX + INVOCATION_ID_MAX + 32];
	int n;

	assert(id.len && id.len <= INVOCATION_ID_MAX);
	n = snprintf(text, sizeof(text), "%012llu/%s/",
		     (unsigned long long)scope->account, scope->region);
	assert(n > 0 && (size_t)n + id.len < sizeof(text));
	memcpy(text + n, id.ptr, id.len);
	return hash128(sv_make(text, (size_t)n + id.len));
}

/* --- the table ------------------------------------------------------------------ */

static size_t home_of(struct hash128 key)
{
	return (size_t)(key.low % BUCKETS);
}

/* Its bucket, or the empty one where it belongs. */
static size_t place_of(const struct invocations *v, struct hash128 key)
{
	size_t i = home_of(key);

	while (v->buckets[i] &&
	       !hash128_eq(v->ring[v->buckets[i] - 1].key, key))
		i = (i + 1) % BUCKETS;
	return i;
}

/* Takes one out and moves up those that its place had pushed on. */
static void table_remove(struct invocations *v, size_t hole)
{
	v->ring[v->buckets[hole] - 1].state = ENTRY_EMPTY;
	v->buckets[hole] = 0;
	v->remembered--;
	for (size_t i = (hole + 1) % BUCKETS; v->buckets[i];
	     i = (i + 1) % BUCKETS) {
		size_t home = home_of(v->ring[v->buckets[i] - 1].key);
		size_t from_home = (i - home) % BUCKETS;
		size_t from_hole = (i - hole) % BUCKETS;

		if (from_home < from_hole)
			continue;
		v->buckets[hole] = v->buckets[i];
		v->buckets[i] = 0;
		hole = i;
	}
}

static struct entry *table_find(struct invocations *v, struct hash128 key)
{
	uint32_t place = v->buckets[place_of(v, key)];

	return place ? &v->ring[place - 1] : NULL;
}

/* key is not there yet. The oldest makes room: one that is still reserved is
 * durable by now (the journal's queue is shorter than the ring), and is put in
 * again when it is applied. */
static void table_add(struct invocations *v, struct hash128 key, uint64_t hash,
		      enum entry_state state)
{
	size_t at = (size_t)(v->turn++ % INVOCATIONS_MAX);
	struct entry *e;

	assert(v->ring);
	e = &v->ring[at];
	if (e->state != ENTRY_EMPTY) {
		table_remove(v, place_of(v, e->key));
		v->forgotten++;
	}
	*e = (struct entry){ key, hash, state };
	v->buckets[place_of(v, key)] = (uint32_t)at + 1;
	v->remembered++;
}

/* --- admission -------------------------------------------------------------------- */

enum invocation_state invocations_admit(struct invocations *v,
					const struct scope *scope, struct sv id,
					uint64_t hash)
{
	struct hash128 key = key_of(scope, id);
	enum invocation_state state = INVOCATION_NEW;
	const struct entry *e;

	pthread_mutex_lock(&v->lock);
	e = table_find(v, key);
	if (e)
		state = e->hash == hash ? INVOCATION_KNOWN : INVOCATION_OTHER;
	else
		table_add(v, key, hash, ENTRY_RESERVED);
	pthread_mutex_unlock(&v->lock);
	return state;
}

void invocations_withdraw(struct invocations *v, const struct scope *scope,
			  struct sv id, uint64_t hash)
{
	struct hash128 key = key_of(scope, id);
	const struct entry *e;

	pthread_mutex_lock(&v->lock);
	e = table_find(v, key);
	if (e && e->state == ENTRY_RESERVED && e->hash == hash)
		table_remove(v, place_of(v, key));
	pthread_mutex_unlock(&v->lock);
}

void invocations_stats(struct invocations *v, struct invocations_stats *out)
{
	pthread_mutex_lock(&v->lock);
	*out = (struct invocations_stats){ v->remembered, v->forgotten };
	pthread_mutex_unlock(&v->lock);
}

/* --- the view ----------------------------------------------------------------------- */

static int invocations_apply(void *self, const struct delivery *d)
{
	struct invocations *v = self;

	pthread_mutex_lock(&v->lock);
	if (d->invocation.len) {
		struct hash128 key = key_of(&d->frame->scope, d->invocation);
		struct entry *e = table_find(v, key);

		/* Other bytes under a known id are not remembered. */
		if (!e)
			table_add(v, key, d->body_hash, ENTRY_STORED);
		else if (e->hash == d->body_hash)
			e->state = ENTRY_STORED;
		v->dirty = true;
	}
	v->next = d->frame->next;
	pthread_mutex_unlock(&v->lock);
	return 0;
}

/* Image: of each that is stored, oldest first, key (16) and hash (8), all
 * little-endian. */
static void image_add(struct buf *image, const struct entry *e)
{
	uint8_t b[ENTRY_BYTES];

	put_le64(b, e->key.high);
	put_le64(b + 8, e->key.low);
	put_le64(b + 16, e->hash);
	buf_add(image, b, sizeof(b));
}

static int image_read(struct invocations *v, struct sv image)
{
	const uint8_t *b = (const uint8_t *)image.ptr;

	if (image.len % ENTRY_BYTES ||
	    image.len / ENTRY_BYTES > INVOCATIONS_MAX)
		return ERR_CORRUPT;
	for (size_t at = 0; at < image.len; at += ENTRY_BYTES) {
		struct hash128 key = { get_le64(b + at), get_le64(b + at + 8) };

		if (!table_find(v, key))
			table_add(v, key, get_le64(b + at + 16), ENTRY_STORED);
	}
	return 0;
}

static int invocations_checkpoint(void *self)
{
	struct invocations *v = self;
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	uint64_t next;
	bool dirty;
	int e = 0;

	pthread_mutex_lock(&v->lock);
	next = v->next;
	/* Frames without ids change nothing here; but a checkpoint must not
	 * name a journal file that is long gone. */
	dirty = v->dirty || next >> 32 != v->written >> 32;
	v->dirty = false;
	for (uint64_t i = 0; dirty && i < INVOCATIONS_MAX; i++) {
		const struct entry *x =
			&v->ring[(v->turn + i) % INVOCATIONS_MAX];

		if (x->state == ENTRY_STORED)
			image_add(&image, x);
	}
	pthread_mutex_unlock(&v->lock);
	if (image.failed)
		e = ERR_NOMEM;
	else if (dirty)
		e = checkpoint_write(v->env, v->path, SV("invocations"),
				     INVOCATIONS_FORMAT, next,
				     buf_view(&image));
	buf_fini(&image);
	if (e) {
		pthread_mutex_lock(&v->lock);
		v->dirty = true;
		pthread_mutex_unlock(&v->lock);
		return e;
	}
	if (dirty)
		v->written = next;
	v->view.durable = v->written;
	return 0;
}

static const struct view_ops invocations_ops = {
	.name = "invocations",
	.apply = invocations_apply,
	.checkpoint = invocations_checkpoint,
	.no_records = true,
	.skips = UINT32_C(1) << PROTOCOL_XRAY_UDP |
		 UINT32_C(1) << PROTOCOL_NATIVE |
		 UINT32_C(1) << PROTOCOL_CATALOGUE |
		 UINT32_C(1) << PROTOCOL_MEASURED |
		 UINT32_C(1) << PROTOCOL_ALARM_CHANGE,
};

/* The checkpoint of the last run, if there is one. */
static int recall(struct invocations *v, uint64_t *position)
{
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	int e = checkpoint_read(v->env, v->path, SV("invocations"),
				INVOCATIONS_FORMAT, position, &image);

	if (!e)
		e = image_read(v, buf_view(&image));
	buf_fini(&image);
	if (e == ERR_CORRUPT) {
		log_error("invocations",
			  "the checkpoint is damaged: it is set aside, and "
			  "what the journal holds is read again");
		*position = 0;
		return 0;
	}
	return e == ERR_NOT_FOUND ? 0 : e;
}

int invocations_open(struct invocations **out, const struct env *env,
		     const char *dir, struct diag *diag)
{
	struct invocations *v = calloc(1, sizeof(*v));
	uint64_t position = 0;
	int e;

	if (!v)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	pthread_mutex_init(&v->lock, NULL);
	v->env = env;
	v->ring = calloc(INVOCATIONS_MAX, sizeof(*v->ring));
	v->buckets = calloc(BUCKETS, sizeof(*v->buckets));
	e = v->ring && v->buckets ? 0 : ERR_NOMEM;
	if (!e)
		e = env_err(env->disk->mkdir(env->disk_self, dir));
	if (!e && (size_t)snprintf(v->path, sizeof(v->path), "%s/checkpoint",
				   dir) >= sizeof(v->path))
		e = ERR_LIMIT;
	if (!e)
		e = recall(v, &position);
	if (e) {
		invocations_close(v);
		return diag_set(diag, e, "cannot use %s: %s", dir, err_text(e));
	}
	v->next = position;
	v->written = position;
	v->view = (struct view){ .ops = &invocations_ops,
				 .self = v,
				 .position = position,
				 .durable = position,
				 .admits = true };
	*out = v;
	return 0;
}

void invocations_close(struct invocations *v)
{
	free(v->ring);
	free(v->buckets);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

struct view *invocations_view(struct invocations *v)
{
	return &v->view;
}
