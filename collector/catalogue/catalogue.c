/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/catalogue/inner.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/log.h"

/* --- who waits ------------------------------------------------------------------- */

/* The first that waits for `position` or one before; NULL: none. Under the
 * lock. */
static struct catalogue_waiter *take_waiter(struct catalogue *c,
					    uint64_t position)
{
	struct catalogue_waiter *w = c->first;

	if (!w || w->position > position)
		return NULL;
	c->first = w->next;
	if (!c->first)
		c->last = &c->first;
	return w;
}

/* All up to position are told: the one of this frame what it came to. A view
 * that reads the journal may have the frame before its sender knows where it
 * is: what it came to is kept for who asks then. */
static void tell(struct catalogue *c, uint64_t position, int err,
		 enum catalogue_verdict verdict)
{
	struct catalogue_waiter *w;
	bool told = false;

	pthread_mutex_lock(&c->lock);
	while ((w = take_waiter(c, position))) {
		bool its = w->position == position;

		told |= its;
		pthread_mutex_unlock(&c->lock);
		w->done(w->arg, its ? err : ERR_CORRUPT, verdict);
		pthread_mutex_lock(&c->lock);
	}
	c->judged = position + 1;
	if (!told)
		c->early[c->early_count++ % EARLY_MAX] =
			(struct early){ position, err, verdict };
	pthread_mutex_unlock(&c->lock);
}

/* While it stands still nobody waits for it: neither those who do now nor
 * those who come. */
static void set_stalled(struct catalogue *c, int err)
{
	struct catalogue_waiter *w;

	pthread_mutex_lock(&c->lock);
	c->stalled = err;
	while (err && (w = take_waiter(c, UINT64_MAX))) {
		pthread_mutex_unlock(&c->lock);
		w->done(w->arg, err, CATALOGUE_DONE);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
}

/* Of a frame that is applied already. Under the lock. */
static struct early early_of(const struct catalogue *c, uint64_t position)
{
	for (size_t i = 0; i < EARLY_MAX && i < c->early_count; i++)
		if (c->early[i].position == position)
			return c->early[i];
	return (struct early){ position, ERR_BUSY, CATALOGUE_DONE };
}

void catalogue_expect(struct catalogue *c, struct catalogue_waiter *w)
{
	struct early known = { .err = 0 };
	bool waits = false;

	w->next = NULL;
	pthread_mutex_lock(&c->lock);
	if (w->position < c->judged) {
		known = early_of(c, w->position);
	} else if (c->stalled) {
		known.err = c->stalled;
	} else {
		waits = true;
		*c->last = w;
		c->last = &w->next;
	}
	pthread_mutex_unlock(&c->lock);
	if (!waits)
		w->done(w->arg, known.err, known.verdict);
}

/* --- applying -------------------------------------------------------------------- */

static bool holds(const struct catalogue_change *change,
		  const struct catalogue_item *old,
		  enum catalogue_verdict *verdict)
{
	switch (change->condition) {
	case CATALOGUE_ALWAYS:
		break;
	case CATALOGUE_IF_ABSENT:
		*verdict = CATALOGUE_EXISTS;
		return !old;
	case CATALOGUE_IF_PRESENT:
		*verdict = CATALOGUE_MISSING;
		return old;
	case CATALOGUE_IF_REVISION:
		*verdict = CATALOGUE_CONFLICT;
		return change->revision == (old ? old->revision : 0);
	}
	return true;
}

/* 0 and a verdict, or why it cannot be judged now. */
static int put_one(struct store_txn *t, const struct frame *frame,
		   const struct catalogue_change *change,
		   const struct catalogue_item *old,
		   enum catalogue_verdict *verdict)
{
	const struct catalogue_item item = {
		.name = change->name,
		.value = change->value,
		.revision = frame->position,
		.version = old ? old->version + 1 : 1,
		.created = old ? old->created : frame->received,
		.modified = frame->received,
	};
	uint64_t count;

	if (!old && change->limit) {
		int e = store_count(t, &frame->scope, change->kind, &count);

		if (e)
			return e;
		if (count >= change->limit) {
			*verdict = CATALOGUE_LIMIT;
			return 0;
		}
	}
	if (store_state(t).bytes + change->name.len + change->value.len >
	    CATALOGUE_BYTES_MAX) {
		*verdict = CATALOGUE_NO_ROOM;
		return 0;
	}
	*verdict = CATALOGUE_DONE;
	return store_put(t, &frame->scope, change->kind, old, &item);
}

/* What is damaged is as if it were not there, and makes room. */
static int apply_one(struct store_txn *t, const struct frame *frame,
		     const struct catalogue_change *change,
		     enum catalogue_verdict *verdict)
{
	const struct scope *scope = &frame->scope;
	struct catalogue_item found;
	const struct catalogue_item *old = NULL;
	int e = store_get(t, scope, change->kind, change->name, &found);

	if (e == ERR_CORRUPT)
		e = store_delete(t, scope, change->kind, change->name);
	else if (e == ERR_NOT_FOUND)
		e = 0;
	else if (!e)
		old = &found;
	if (e || !holds(change, old, verdict))
		return e;
	if (change->action == CATALOGUE_PUT)
		return put_one(t, frame, change, old, verdict);
	*verdict = CATALOGUE_DONE;
	return old ? store_delete(t, scope, change->kind, change->name) : 0;
}

/* By what it changes, but not to what: values may hold an id that is made anew
 * by each try. */
static struct hash128 hash_call(const struct frame *frame,
				const struct catalogue_changes *changes)
{
	uint8_t bytes[8 + REGION_MAX + CATALOGUE_CALL_MAX] = { 0 };
	struct hash128 h;

	put_be64(bytes, frame->scope.account);
	memcpy(bytes + 8, frame->scope.region, strlen(frame->scope.region));
	memcpy(bytes + 8 + REGION_MAX, changes->call.ptr, changes->call.len);
	h = hash128(sv_make((const char *)bytes, sizeof(bytes)));
	for (size_t i = 0; i < changes->count; i++) {
		const struct catalogue_change *c = &changes->list[i];

		h.low = hash64_seed(c->name, h.low ^ (uint64_t)c->kind << 8 ^
						     (uint64_t)c->action);
	}
	return h;
}

static int change_all(struct store_txn *t, const struct frame *frame,
		      const struct catalogue_changes *changes,
		      enum catalogue_verdict *verdict)
{
	struct hash128 call = hash_call(frame, changes);
	bool known = false;
	int e = 0;

	*verdict = CATALOGUE_DONE;
	if (changes->call.len)
		e = store_call_known(t, call, &known);
	if (known)
		return 0;
	for (size_t i = 0;
	     i < changes->count && !e && *verdict == CATALOGUE_DONE; i++)
		e = apply_one(t, frame, &changes->list[i], verdict);
	if (!e && *verdict == CATALOGUE_DONE && changes->call.len)
		e = store_call_note(t, call);
	return e;
}

static int apply_all(struct catalogue *c, const struct frame *frame,
		     const struct catalogue_changes *changes,
		     enum catalogue_verdict *verdict)
{
	struct store_txn *t;
	struct store_state state;
	int e = store_begin(c->store, true, &t);

	if (e)
		return e;
	e = change_all(t, frame, changes, verdict);
	/* All or nothing; what is refused takes no transaction, and would be
	 * refused again. */
	if (e || *verdict != CATALOGUE_DONE) {
		store_abort(t);
		return e;
	}
	store_move(t, frame->next);
	state = store_state(t);
	e = store_commit(t);
	if (e)
		return e;
	c->view.durable = frame->next;
	atomic_store(&c->items, state.items);
	atomic_store(&c->bytes, state.bytes);
	return 0;
}

static int view_apply(void *self, const struct delivery *d)
{
	struct catalogue_changes changes;
	enum catalogue_verdict verdict = CATALOGUE_DONE;
	struct catalogue *c = self;
	int e;

	if (d->frame->protocol != PROTOCOL_CATALOGUE)
		return 0;
	e = catalogue_changes_decode(d->frame->body, &changes);
	if (!e) {
		e = apply_all(c, d->frame, &changes, &verdict);
		/* A damaged item takes no change, and stops nobody else's. */
		if (e && e != ERR_CORRUPT) {
			set_stalled(c, e);
			return e;
		}
	}
	if (e) {
		atomic_fetch_add(&c->damaged_changes, 1);
		log_error("catalogue",
			  "the change of frame %llu is not made: "
			  "%s",
			  (unsigned long long)d->frame->position, err_text(e));
	}
	atomic_fetch_add(
		verdict == CATALOGUE_DONE && !e ? &c->changes : &c->refused, 1);
	if (c->stalled)
		set_stalled(c, 0);
	tell(c, d->frame->position, e, verdict);
	return 0;
}

/* What was passed over since. */
static int view_checkpoint(void *self)
{
	struct catalogue *c = self;
	struct store_txn *t;
	int e;

	if (c->view.position == c->view.durable)
		return 0;
	e = store_begin(c->store, true, &t);
	if (e)
		return e;
	store_move(t, c->view.position);
	e = store_commit(t);
	if (!e)
		c->view.durable = c->view.position;
	return e;
}

static const struct view_ops view_ops = {
	.name = "catalogue",
	.apply = view_apply,
	.checkpoint = view_checkpoint,
	.skips = ~(UINT32_C(1) << PROTOCOL_CATALOGUE),
};

/* --- opening --------------------------------------------------------------------- */

/* Renames DIR/data.mdb; its lock file is of no use to anybody. */
static int set_aside(const struct env *env, const char *dir, struct diag *diag)
{
	char from[1100], to[1200];
	struct diag why = *diag;
	int e;

	snprintf(from, sizeof(from), "%s/data.mdb", dir);
	snprintf(to, sizeof(to), "%s.damaged-%lld", from,
		 (long long)(env_wall(env).ns / NS_PER_S));
	e = env->disk->rename(env->disk_self, from, to);
	if (e)
		return diag_set(diag, env_err(e), "%s: cannot be set aside",
				why.text);
	log_error(
		"catalogue",
		"it is damaged, set aside as %s and begun anew: rules, groups "
		"and what else was in it are gone (%s)",
		to, why.text);
	return 0;
}

static bool is_there(const struct env *env, const char *dir)
{
	char path[1100];
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = env->disk->open(env->disk_self, path, 0);
	if (fd >= 0)
		env->disk->close(env->disk_self, fd);
	return fd >= 0;
}

int catalogue_open(struct catalogue **out, const struct env *env,
		   const char *dir, struct diag *diag)
{
	struct catalogue *c = calloc(1, sizeof(*c));
	struct store_state state = { 0 };
	struct store_txn *t;
	int e;

	if (!c)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	e = env->disk->mkdir(env->disk_self, dir);
	if (e) {
		free(c);
		return diag_set(diag, env_err(e), "cannot make %s", dir);
	}
	c->env = env;
	c->is_new = !is_there(env, dir);
	c->last = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	e = store_open(&c->store, dir, diag);
	if (e == ERR_CORRUPT) {
		e = set_aside(env, dir, diag);
		if (!e)
			e = store_open(&c->store, dir, diag);
	}
	if (!e)
		e = store_begin(c->store, false, &t);
	if (e) {
		catalogue_close(c);
		return e;
	}
	state = store_state(t);
	store_abort(t);
	atomic_store(&c->items, state.items);
	atomic_store(&c->bytes, state.bytes);
	c->view = (struct view){ .ops = &view_ops,
				 .self = c,
				 .position = state.position,
				 .durable = state.position };
	*out = c;
	return 0;
}

void catalogue_close(struct catalogue *c)
{
	if (!c)
		return;
	set_stalled(c, ERR_CLOSED);
	store_close(c->store);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct view *catalogue_view(struct catalogue *c)
{
	return &c->view;
}

bool catalogue_is_new(const struct catalogue *c)
{
	return c->is_new;
}

void catalogue_stats(struct catalogue *c, struct catalogue_stats *out)
{
	*out = (struct catalogue_stats){
		.items = atomic_load(&c->items),
		.bytes = atomic_load(&c->bytes),
		.changes = atomic_load(&c->changes),
		.refused = atomic_load(&c->refused),
		.damaged_items = atomic_load(&c->damaged_items),
		.damaged_changes = atomic_load(&c->damaged_changes),
	};
}
