/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/alarms/alarms.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "collector/alarms/state.h"
#include "core/base/log.h"
#include "core/store/checkpoint.h"

#define ALARMS_NAME SV("alarms")

struct definitions *definitions_ref(struct alarms *a)
{
	struct definitions *d;

	pthread_mutex_lock(&a->lock);
	d = a->definitions;
	d->refs++;
	pthread_mutex_unlock(&a->lock);
	return d;
}

void definitions_unref(struct alarms *a, struct definitions *d)
{
	bool last;

	pthread_mutex_lock(&a->lock);
	last = --d->refs == 0;
	pthread_mutex_unlock(&a->lock);
	if (last)
		definitions_free(d);
}

/* --- current states ----------------------------------------------------------- */

static int order(const struct alarm_current *c, const struct scope *scope,
		 struct sv name)
{
	int r;

	if (c->scope.account != scope->account)
		return c->scope.account < scope->account ? -1 : 1;
	r = strcmp(c->scope.region, scope->region);
	return r ? r : sv_cmp(sv_from(c->name), name);
}

/* Where it is or would be. */
static size_t place(const struct alarms *a, const struct scope *scope,
		    struct sv name)
{
	size_t low = 0, high = a->current_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (order(&a->current[mid], scope, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct alarm_current *alarms_current(struct alarms *a,
				     const struct scope *scope, struct sv name)
{
	size_t at = place(a, scope, name);

	if (at < a->current_count && order(&a->current[at], scope, name) == 0)
		return &a->current[at];
	return NULL;
}

struct alarm_current *
alarms_current_add(struct alarms *a, const struct scope *scope, struct sv name)
{
	size_t at = place(a, scope, name);
	struct alarm_current fresh = { .scope = *scope,
				       .state = ALARM_INSUFFICIENT_DATA };

	if (at < a->current_count && order(&a->current[at], scope, name) == 0)
		return &a->current[at];
	if (a->current_count == a->current_cap) {
		size_t cap = a->current_cap ? 2 * a->current_cap : 16;
		struct alarm_current *list =
			realloc(a->current, cap * sizeof(*list));

		if (!list)
			return NULL;
		a->current = list;
		a->current_cap = cap;
	}
	fresh.name = strndup(name.ptr, name.len);
	fresh.reason = strdup("Unchecked: Initial alarm creation");
	if (!fresh.name || !fresh.reason) {
		free(fresh.name);
		free(fresh.reason);
		return NULL;
	}
	memmove(&a->current[at + 1], &a->current[at],
		(a->current_count - at) * sizeof(*a->current));
	a->current[at] = fresh;
	a->current_count++;
	return &a->current[at];
}

/* States of names that are defined no more. */
static void forget_undefined(struct alarms *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->current_count; i++) {
		struct alarm_current *c = &a->current[i];

		if (alarms_defined(a, sv_from(c->name))) {
			a->current[n++] = *c;
			continue;
		}
		free(c->name);
		free(c->reason);
	}
	a->current_count = n;
}

int alarms_define(struct alarms *a, const struct alarm_definition *definitions,
		  size_t count, struct diag *diag)
{
	struct definitions *fresh, *old;
	int e = definitions_new(definitions, count, &fresh, diag);

	if (e)
		return e;
	pthread_mutex_lock(&a->lock);
	old = a->definitions;
	a->definitions = fresh;
	forget_undefined(a);
	pthread_mutex_unlock(&a->lock);
	definitions_unref(a, old);
	return 0;
}

/* --- history ------------------------------------------------------------------ */

static int history_room(struct alarms *a)
{
	size_t cap = a->history_cap ? 2 * a->history_cap : 64;
	struct alarm_past *list;

	assert(a->history_count <= a->history_cap);
	if (a->history_count < a->history_cap ||
	    a->history_cap == a->history_max)
		return 0;
	cap = cap < a->history_max ? cap : a->history_max;
	list = calloc(cap, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	for (size_t i = 0; i < a->history_count; i++)
		list[i] = a->history[(a->history_first + i) % a->history_cap];
	free(a->history);
	a->history = list;
	a->history_first = 0;
	a->history_cap = cap;
	return 0;
}

int alarms_history_add(struct alarms *a, const struct scope *scope,
		       const struct alarm_change *c)
{
	struct alarm_past past = {
		.scope = *scope,
		.name = strndup(c->name.ptr, c->name.len),
		.reason = strndup(c->reason.ptr, c->reason.len),
		.from = c->from,
		.to = c->to,
		.time_ns = c->time_ns,
	};
	struct alarm_past *at;

	if (!past.name || !past.reason || history_room(a)) {
		free(past.name);
		free(past.reason);
		return ERR_NOMEM;
	}
	if (a->history_count == a->history_cap) {
		struct alarm_past *oldest = &a->history[a->history_first];

		free(oldest->name);
		free(oldest->reason);
		a->history_first = (a->history_first + 1) % a->history_cap;
		a->history_count--;
		a->stats.history_dropped++;
	}
	at = &a->history[(a->history_first + a->history_count) %
			 a->history_cap];
	*at = past;
	a->history_count++;
	return 0;
}

/* --- the view ----------------------------------------------------------------- */

/* With the lock held. All that can fail comes first. */
static int apply_change(struct alarms *a, const struct scope *scope,
			const struct alarm_change *change)
{
	struct alarm_current *c = NULL;
	char *reason;

	if (alarms_defined(a, change->name)) {
		c = alarms_current_add(a, scope, change->name);
		if (!c)
			return ERR_NOMEM;
		c->pending_ns = 0;
		if (c->state == change->to && c->since_ns) {
			a->stats.ignored++;
			return 0;
		}
	}
	reason = strndup(change->reason.ptr, change->reason.len);
	if (!reason || alarms_history_add(a, scope, change)) {
		free(reason);
		return ERR_NOMEM;
	}
	a->stats.applied++;
	if (!c) {
		free(reason);
		return 0;
	}
	free(c->reason);
	c->reason = reason;
	c->state = change->to;
	c->since_ns = change->time_ns;
	return 0;
}

static int alarms_apply(void *self, const struct delivery *d)
{
	struct arena arena = ARENA_INIT;
	struct alarm_change change;
	struct alarms *a = self;
	int e;

	if (d->frame->protocol != PROTOCOL_ALARM_CHANGE)
		return 0;
	e = alarm_change_decode(d->frame->body, &arena, &change);
	pthread_mutex_lock(&a->lock);
	if (e == 0)
		e = apply_change(a, &d->frame->scope, &change);
	else if (e != ERR_NOMEM)
		a->stats.ignored++;
	pthread_mutex_unlock(&a->lock);
	arena_fini(&arena);
	a->dirty = true;
	return e == ERR_NOMEM ? e : 0;
}

static bool path_of(const struct alarms *a, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/checkpoint", a->dir);

	return n > 0 && n < PATH_MAX;
}

/* Without a change only the position moves on; that is a few bytes. */
static int alarms_checkpoint(void *self)
{
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	struct alarms *a = self;
	char path[PATH_MAX];
	int e;

	if (!a->dirty && a->view.durable == a->view.position)
		return 0;
	pthread_mutex_lock(&a->lock);
	alarms_image_write(a, &image);
	pthread_mutex_unlock(&a->lock);
	e = image.failed || !path_of(a, path) ?
		    ERR_NOMEM :
		    checkpoint_write(a->env, path, ALARMS_NAME,
				     ALARMS_CHECKPOINT_FORMAT, a->view.position,
				     buf_view(&image));
	buf_fini(&image);
	if (!e) {
		a->view.durable = a->view.position;
		a->dirty = false;
	}
	return e;
}

static const struct view_ops alarms_ops = {
	.name = "alarms",
	.apply = alarms_apply,
	.checkpoint = alarms_checkpoint,
	.skips = ~(UINT32_C(1) << PROTOCOL_ALARM_CHANGE),
};

static int load(struct alarms *a, struct diag *diag)
{
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	uint64_t position;
	char path[PATH_MAX];
	int e;

	if (!path_of(a, path))
		return diag_set(diag, ERR_LIMIT, "path of data is too long");
	e = checkpoint_read(a->env, path, ALARMS_NAME, ALARMS_CHECKPOINT_FORMAT,
			    &position, &image);
	if (e == 0)
		e = alarms_image_read(a, buf_view(&image));
	buf_fini(&image);
	if (e == 0) {
		a->view.position = a->view.durable = position;
		return 0;
	}
	if (e == ERR_NOT_FOUND)
		return 0;
	if (e == ERR_CORRUPT) {
		log_error("alarms", "the checkpoint was damaged: states come "
				    "from the journal as far as it goes");
		return 0;
	}
	return diag_set(diag, e, "%.180s: %s", path, err_text(e));
}

int alarms_open(struct alarms **out, const struct env *env, const char *dir,
		const struct alarms_options *options, struct diag *diag)
{
	struct alarms *a = calloc(1, sizeof(*a));
	int e;

	if (!a)
		return ERR_NOMEM;
	pthread_mutex_init(&a->lock, NULL);
	a->env = env;
	a->view = (struct view){ .ops = &alarms_ops, .self = a };
	a->history_max = options && options->history_max ?
				 options->history_max :
				 ALARM_HISTORY_MAX;
	if (options)
		a->scope = options->scope;
	a->dir = strdup(dir);
	e = a->dir ? env->disk->mkdir(env->disk_self, dir) : -ENOMEM;
	if (e)
		e = diag_set(diag, env_err(e), "cannot make %.180s", dir);
	if (!e)
		e = definitions_new(options ? options->definitions : NULL,
				    options ? options->count : 0,
				    &a->definitions, diag);
	if (!e)
		e = load(a, diag);
	if (e) {
		alarms_close(a);
		return e;
	}
	*out = a;
	return 0;
}

void alarms_close(struct alarms *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->current_count; i++) {
		free(a->current[i].name);
		free(a->current[i].reason);
	}
	for (size_t i = 0; i < a->history_count; i++) {
		struct alarm_past *p =
			&a->history[(a->history_first + i) % a->history_cap];

		free(p->name);
		free(p->reason);
	}
	free(a->current);
	free(a->history);
	definitions_free(a->definitions);
	pthread_mutex_destroy(&a->lock);
	free(a->dir);
	free(a);
}

struct view *alarms_view(struct alarms *a)
{
	return &a->view;
}

void alarms_stats(struct alarms *a, struct alarms_stats *out)
{
	pthread_mutex_lock(&a->lock);
	*out = a->stats;
	out->definitions = a->definitions->count;
	out->history = a->history_count;
	for (size_t i = 0; i < a->current_count; i++)
		out->in_alarm += a->current[i].state == ALARM_ALARM;
	pthread_mutex_unlock(&a->lock);
}

/* --- questions ---------------------------------------------------------------- */

static bool same_scope(const struct scope *a, const struct scope *b)
{
	return a->account == b->account && !strcmp(a->region, b->region);
}

int alarms_list(struct alarms *a, const struct scope *scope,
		struct arena *arena, struct alarm_status **out, size_t *count)
{
	struct alarm_status *list;
	int e = 0;

	pthread_mutex_lock(&a->lock);
	*count = same_scope(&a->scope, scope) ? a->definitions->count : 0;
	*out = list = arena_array(arena, *count, sizeof(*list));
	if (!list)
		e = ERR_NOMEM;
	for (size_t i = 0; i < *count && !e; i++) {
		const struct alarm_definition *d = &a->definitions->list[i];
		const struct alarm_current *c =
			alarms_current(a, scope, d->name);

		list[i].state = c ? c->state : ALARM_INSUFFICIENT_DATA;
		list[i].since_ns = c ? c->since_ns : 0;
		if (!definition_copy(arena, d, &list[i].definition) ||
		    !alarm_text_copy(
			    arena,
			    c ? sv_from(c->reason) :
				SV("Unchecked: Initial alarm creation"),
			    &list[i].reason))
			e = ERR_NOMEM;
	}
	pthread_mutex_unlock(&a->lock);
	if (e)
		*count = 0;
	return e;
}

static int copy_past(struct arena *arena, const struct alarm_past *p,
		     struct alarm_change *out)
{
	*out = (struct alarm_change){ .from = p->from,
				      .to = p->to,
				      .time_ns = p->time_ns };
	return alarm_text_copy(arena, sv_from(p->name), &out->name) &&
			       alarm_text_copy(arena, sv_from(p->reason),
					       &out->reason) ?
		       0 :
		       ERR_NOMEM;
}

int alarms_history(struct alarms *a, const struct scope *scope, struct sv name,
		   size_t limit, struct arena *arena, struct alarm_change **out,
		   size_t *count, bool *truncated)
{
	size_t most;
	int e = 0;

	*count = 0;
	*truncated = false;
	pthread_mutex_lock(&a->lock);
	most = limit < a->history_count ? limit : a->history_count;
	*out = arena_array(arena, most, sizeof(**out));
	if (!*out)
		e = ERR_NOMEM;
	for (size_t i = a->history_count; i-- > 0 && !e;) {
		const struct alarm_past *p =
			&a->history[(a->history_first + i) % a->history_cap];

		if (!same_scope(&p->scope, scope) ||
		    (name.len && !sv_eq(name, sv_from(p->name))))
			continue;
		if (*count == most) {
			*truncated = true;
			break;
		}
		e = copy_past(arena, p, &(*out)[(*count)++]);
	}
	pthread_mutex_unlock(&a->lock);
	return e;
}

bool alarms_find(struct alarms *a, struct sv name, struct arena *arena,
		 struct alarm_definition *out)
{
	const struct alarm_definition *d;
	bool ok;

	pthread_mutex_lock(&a->lock);
	d = definition_find(a->definitions, name);
	ok = d && definition_copy(arena, d, out);
	pthread_mutex_unlock(&a->lock);
	return ok;
}
