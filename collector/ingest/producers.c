/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/producers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/store/checkpoint.h"

enum { BUCKETS = 2 * PRODUCERS_MAX, PATH_BYTES = 512 };

enum slot_state { SLOT_EMPTY, SLOT_RESERVED, SLOT_STORED };

struct producer {
	struct hash128 key; /* of scope and name */
	uint64_t
		highest; /* sequence; slots are for (highest-window, highest] */
	uint64_t last_used; /* a turn number, for the one longest silent */
	uint32_t reserved;  /* slots in that state */
	uint8_t state[PRODUCER_WINDOW];
	uint64_t hash[PRODUCER_WINDOW];
};

struct producers {
	struct view view;
	const struct env *env;
	char path[PATH_BYTES];
	pthread_mutex_t lock; /* admit and apply are in different threads */
	struct producer *table[BUCKETS]; /* open addressing by key */
	size_t count;
	uint64_t turn;
	uint64_t next;    /* position behind the last frame applied */
	uint64_t written; /* that of the checkpoint on disk */
	bool dirty;
};

static struct hash128 key_of(const struct scope *scope, struct sv producer)
{
	char text[sizeof(scope->region) + PRODUCER_MAX + 32];
	int n = snprintf(text, sizeof(text), "%012llu/%s/%.*s",
			 (unsigned long long)scope->account, scope->region,
			 SV_ARG(producer));

	assert(n > 0 && (size_t)n < sizeof(text));
	return hash128(sv_make(text, (size_t)n));
}

static size_t place_of(const struct producers *p, struct hash128 key)
{
	size_t i = (size_t)(key.low % BUCKETS);

	while (p->table[i] && !hash128_eq(p->table[i]->key, key))
		i = (i + 1) % BUCKETS;
	return i;
}

/* Takes one out and moves up those that its place had pushed on. */
static void table_remove(struct producers *p, size_t hole)
{
	size_t i = hole;

	free(p->table[hole]);
	p->table[hole] = NULL;
	p->count--;
	for (;;) {
		struct producer *x;
		size_t home;

		i = (i + 1) % BUCKETS;
		x = p->table[i];
		if (!x)
			return;
		home = (size_t)(x->key.low % BUCKETS);
		if ((i > hole) ? (home <= hole || home > i) :
				 (home <= hole && home > i)) {
			p->table[hole] = x;
			p->table[i] = NULL;
			hole = i;
		}
	}
}

static bool drop_silent(struct producers *p)
{
	size_t best = BUCKETS;

	for (size_t i = 0; i < BUCKETS; i++) {
		const struct producer *x = p->table[i];

		if (x && !x->reserved &&
		    (best == BUCKETS ||
		     x->last_used < p->table[best]->last_used))
			best = i;
	}
	if (best == BUCKETS)
		return false;
	table_remove(p, best);
	return true;
}

/* The producer, made if it is not there; NULL: no room. */
static struct producer *producer_get(struct producers *p, struct hash128 key)
{
	size_t i = place_of(p, key);

	if (!p->table[i]) {
		struct producer *x;

		if (p->count == PRODUCERS_MAX) {
			if (!drop_silent(p))
				return NULL;
			i = place_of(p, key);
		}
		x = calloc(1, sizeof(*x));
		if (!x)
			return NULL;
		x->key = key;
		p->table[i] = x;
		p->count++;
	}
	p->table[i]->last_used = ++p->turn;
	return p->table[i];
}

/* Moves the window so that it covers sequence. */
static void producer_advance(struct producer *x, uint64_t sequence)
{
	if (sequence <= x->highest)
		return;
	for (uint64_t n = sequence - x->highest, i = 0;
	     i < n && i < PRODUCER_WINDOW; i++) {
		size_t slot = (size_t)((sequence - i) % PRODUCER_WINDOW);

		if (x->state[slot] == SLOT_RESERVED)
			x->reserved--;
		x->state[slot] = SLOT_EMPTY;
	}
	x->highest = sequence;
}

enum batch_state producers_admit(struct producers *p, const struct scope *scope,
				 struct sv producer, uint64_t sequence,
				 uint64_t hash)
{
	size_t slot = (size_t)(sequence % PRODUCER_WINDOW);
	enum batch_state state = BATCH_NEW;
	struct producer *x;

	pthread_mutex_lock(&p->lock);
	x = producer_get(p, key_of(scope, producer));
	if (!x) {
		state = BATCH_BUSY;
	} else if (x->highest >= PRODUCER_WINDOW &&
		   sequence <= x->highest - PRODUCER_WINDOW) {
		state = BATCH_OLD;
	} else {
		producer_advance(x, sequence);
		if (x->state[slot] != SLOT_EMPTY) {
			state = x->hash[slot] == hash ? BATCH_KNOWN :
							BATCH_CONFLICT;
		} else {
			x->state[slot] = SLOT_RESERVED;
			x->hash[slot] = hash;
			x->reserved++;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return state;
}

void producers_withdraw(struct producers *p, const struct scope *scope,
			struct sv producer, uint64_t sequence)
{
	size_t slot = (size_t)(sequence % PRODUCER_WINDOW);
	struct producer *x;

	pthread_mutex_lock(&p->lock);
	x = p->table[place_of(p, key_of(scope, producer))];
	if (x && sequence <= x->highest &&
	    x->highest - sequence < PRODUCER_WINDOW &&
	    x->state[slot] == SLOT_RESERVED) {
		x->state[slot] = SLOT_EMPTY;
		x->reserved--;
	}
	pthread_mutex_unlock(&p->lock);
}

size_t producers_count(struct producers *p)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->count;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static int producers_apply(void *self, const struct delivery *d)
{
	struct producers *p = self;

	pthread_mutex_lock(&p->lock);
	if (d->producer.len) {
		struct producer *x =
			producer_get(p, key_of(&d->frame->scope, d->producer));
		size_t slot = (size_t)(d->sequence % PRODUCER_WINDOW);

		if (!x) {
			pthread_mutex_unlock(&p->lock);
			return ERR_NOMEM;
		}
		producer_advance(x, d->sequence);
		if (x->highest - d->sequence < PRODUCER_WINDOW) {
			if (x->state[slot] == SLOT_RESERVED)
				x->reserved--;
			x->state[slot] = SLOT_STORED;
			x->hash[slot] = d->body_hash;
		}
		p->dirty = true;
	}
	p->next = d->frame->next;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

/* Image: per producer key (16), highest (8), then per stored slot of the
 * window: sequence offset below highest (u16) and hash (8), closed by an
 * offset of 0xffff. All little-endian. */
static void image_add(struct buf *image, const struct producer *x)
{
	uint8_t b[24];

	put_le64(b, x->key.high);
	put_le64(b + 8, x->key.low);
	put_le64(b + 16, x->highest);
	buf_add(image, b, 24);
	for (uint64_t i = 0; i < PRODUCER_WINDOW && i < x->highest; i++) {
		size_t slot = (size_t)((x->highest - i) % PRODUCER_WINDOW);

		if (x->state[slot] != SLOT_STORED)
			continue;
		b[0] = (uint8_t)i;
		b[1] = (uint8_t)(i >> 8);
		put_le64(b + 2, x->hash[slot]);
		buf_add(image, b, 10);
	}
	buf_add(image, "\xff\xff", 2);
}

static int image_read(struct producers *p, struct sv image)
{
	const uint8_t *b = (const uint8_t *)image.ptr;
	const uint8_t *end = b + image.len;

	while (end - b >= 26) {
		struct producer *x = producer_get(
			p, (struct hash128){ get_le64(b), get_le64(b + 8) });

		if (!x)
			return ERR_NOMEM;
		x->highest = get_le64(b + 16);
		b += 24;
		while (end - b >= 10 && !(b[0] == 0xff && b[1] == 0xff)) {
			uint64_t below = (uint64_t)b[0] | (uint64_t)b[1] << 8;
			size_t slot;

			if (below >= PRODUCER_WINDOW || below >= x->highest)
				return ERR_CORRUPT;
			slot = (size_t)((x->highest - below) % PRODUCER_WINDOW);
			x->state[slot] = SLOT_STORED;
			x->hash[slot] = get_le64(b + 2);
			b += 10;
		}
		if (end - b < 2 || b[0] != 0xff || b[1] != 0xff)
			return ERR_CORRUPT;
		b += 2;
	}
	return b == end ? 0 : ERR_CORRUPT;
}

static int producers_checkpoint(void *self)
{
	struct producers *p = self;
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	uint64_t next;
	bool dirty;
	int e = 0;

	pthread_mutex_lock(&p->lock);
	next = p->next;
	/* Frames without batches change nothing here; but a checkpoint must
	 * not name a journal file that is long gone. */
	dirty = p->dirty || next >> 32 != p->written >> 32;
	p->dirty = false;
	for (size_t i = 0; dirty && i < BUCKETS; i++)
		if (p->table[i])
			image_add(&image, p->table[i]);
	pthread_mutex_unlock(&p->lock);
	if (image.failed)
		e = ERR_NOMEM;
	else if (dirty)
		e = checkpoint_write(p->env, p->path, SV("producers"),
				     PRODUCERS_FORMAT, next, buf_view(&image));
	buf_fini(&image);
	if (e) {
		pthread_mutex_lock(&p->lock);
		p->dirty = true;
		pthread_mutex_unlock(&p->lock);
		return e;
	}
	if (dirty)
		p->written = next;
	p->view.durable = p->written;
	return 0;
}

static const struct view_ops producers_ops = {
	.name = "producers",
	.apply = producers_apply,
	.checkpoint = producers_checkpoint,
	.skips = ~(UINT32_C(1) << PROTOCOL_NATIVE),
};

int producers_open(struct producers **out, const struct env *env,
		   const char *dir, struct diag *diag)
{
	struct producers *p = calloc(1, sizeof(*p));
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	uint64_t position = 0;
	int e;

	if (!p)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	pthread_mutex_init(&p->lock, NULL);
	p->env = env;
	e = env_err(env->disk->mkdir(env->disk_self, dir));
	if (e || (size_t)snprintf(p->path, sizeof(p->path), "%s/checkpoint",
				  dir) >= sizeof(p->path)) {
		producers_close(p);
		return diag_set(diag, e ? e : ERR_LIMIT, "cannot use %s: %s",
				dir, err_text(e ? e : ERR_LIMIT));
	}
	e = checkpoint_read(env, p->path, SV("producers"), PRODUCERS_FORMAT,
			    &position, &image);
	if (!e)
		e = image_read(p, buf_view(&image));
	buf_fini(&image);
	if (e == ERR_CORRUPT) {
		log_error("producers",
			  "the checkpoint is damaged: it is set "
			  "aside, and what the journal holds is read again");
		position = 0;
	} else if (e && e != ERR_NOT_FOUND) {
		producers_close(p);
		return diag_set(diag, e, "cannot read %s/checkpoint: %s", dir,
				err_text(e));
	}
	p->next = position;
	p->written = position;
	p->view = (struct view){ .ops = &producers_ops,
				 .self = p,
				 .position = position,
				 .durable = position,
				 .admits = true };
	*out = p;
	return 0;
}

void producers_close(struct producers *p)
{
	for (size_t i = 0; i < BUCKETS; i++)
		free(p->table[i]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct view *producers_view(struct producers *p)
{
	return &p->view;
}
