/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/feeder.h"

#include <assert.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>

#include "core/base/log.h"

struct fetch_request {
	struct fetch_request *next;
	const struct rrd_plan *plan;
	enum tier tier;
	struct row_list *out;
	int err;
	bool finished;
};

/* --- with the lock of series held ------------------------------------------------ */

void feeder_want(struct feeder *f, struct entry *e)
{
	if (e->wants_rrd)
		return;
	if (f->waiting_count == f->waiting_cap) {
		size_t cap = f->waiting_cap ? 2 * f->waiting_cap : 64;
		struct entry **waiting =
			realloc(f->waiting, cap * sizeof(struct entry *));

		if (!waiting)
			return; /* asked again with its next minute */
		f->waiting = waiting;
		f->waiting_cap = cap;
	}
	f->waiting[f->waiting_count++] = e;
	e->wants_rrd = true;
}

void feeder_late(struct feeder *f, struct entry *e, int32_t minute)
{
	int32_t hour = minute_floor(minute, 60);
	struct rrd_file *file;
	unsigned at = 0;

	if (e->rrd_file < 0 || e->late_all)
		return;
	file = f->files[e->rrd_file];
	if (minute >= file->claimed)
		return;
	while (at < e->late_count && e->late_hours[at] < hour)
		at++;
	if (at < e->late_count && e->late_hours[at] == hour)
		return;
	if (!e->late_hours)
		e->late_hours =
			malloc(INDEX_LATE_HOURS_MAX * sizeof(*e->late_hours));
	if (!e->late_hours || e->late_count == INDEX_LATE_HOURS_MAX) {
		e->late_all = true;
		file->rebuild = true;
		if (file->retry < file->progress + FEEDER_LATE_MIN)
			file->retry = file->progress + FEEDER_LATE_MIN;
		return;
	}
	memmove(&e->late_hours[at + 1], &e->late_hours[at],
		(e->late_count - at) * sizeof(*e->late_hours));
	e->late_hours[at] = hour;
	e->late_count++;
}

static int32_t step_ceil(int32_t minute, int32_t step)
{
	return minute_floor(minute + step - 1, step);
}

static void add_run(struct rrd_plan *p, int32_t first, int32_t end)
{
	if (first < end)
		p->runs[p->count++] = (struct rrd_run){ first, end };
}

bool feeder_plan(const struct feeder *f, const struct entry *e, enum tier tier,
		 int32_t first, int32_t end, bool automatic, struct rrd_plan *p)
{
	int32_t step = tier_step(tier), low, high;
	const struct rrd_file *file;

	*p = (struct rrd_plan){ .inexact = atomic_load(&e->inexact) };
	if (e->rrd_file < 0)
		return false;
	file = f->files[e->rrd_file];
	/* While it is built, or built anew, blocks serve. */
	if (!file->ready || e->rrd_slot >= file->built)
		return true;
	p->file = file;
	p->slot = e->rrd_slot;
	if (p->inexact || e->late_all)
		return true;
	low = file->progress - tier_keep(tier) + step;
	low = step_ceil(low > file->from[tier] ? low : file->from[tier], step);
	low = low > first ? low : first;
	high = minute_floor(file->progress, step);
	high = high < end ? high : end;
	if (automatic && high - low < FEEDER_AUTO_MIN)
		return true;
	for (unsigned i = 0; i < e->late_count; i++) {
		int32_t hour = e->late_hours[i];

		if (hour + 60 <= low || hour >= high)
			continue;
		if (automatic) {
			p->count = 0;
			return true;
		}
		add_run(p, low, hour);
		low = hour + 60;
	}
	add_run(p, low, high);
	return true;
}

/* --- the queue ---------------------------------------------------------------- */

void feeder_wake(struct feeder *f)
{
	pthread_mutex_lock(&f->lock);
	f->woken = true;
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
}

void feeder_settle(struct feeder *f)
{
	uint64_t mine;

	pthread_mutex_lock(&f->lock);
	f->forced = true;
	mine = ++f->passes_asked;
	pthread_cond_signal(&f->work);
	while (f->passes_done < mine && !f->stop)
		pthread_cond_wait(&f->done, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

int feeder_fetch(struct feeder *f, const struct rrd_plan *plan, enum tier tier,
		 struct row_list *out)
{
	struct fetch_request r = { .plan = plan, .tier = tier, .out = out };
	int e = 0;

	pthread_mutex_lock(&f->lock);
	if (f->stop)
		e = ERR_CLOSED;
	else if (f->queued >= f->queue_max)
		e = ERR_BUSY;
	if (!e) {
		*f->last = &r;
		/* It is off the list again before this returns. */
		/* cppcheck-suppress autoVariables */
		f->last = &r.next;
		f->queued++;
		pthread_cond_signal(&f->work);
		while (!r.finished)
			pthread_cond_wait(&f->done, &f->lock);
		e = r.err;
	}
	pthread_mutex_unlock(&f->lock);
	return e;
}

/* With the feeder's lock held, which is let go meanwhile. */
static void serve(struct feeder *f)
{
	while (f->first) {
		struct fetch_request *r = f->first;
		int e;

		f->first = r->next;
		if (!f->first)
			f->last = &f->first;
		f->queued--;
		pthread_mutex_unlock(&f->lock);
		e = filing_fetch(f, r->plan, r->tier, r->out);
		pthread_mutex_lock(&f->lock);
		r->err = e;
		r->finished = true;
		pthread_cond_broadcast(&f->done);
	}
}

bool feeder_breathe(struct feeder *f)
{
	bool stop;

	pthread_mutex_lock(&f->lock);
	serve(f);
	stop = f->stop;
	pthread_mutex_unlock(&f->lock);
	return stop;
}

static void *feeder_main(void *arg)
{
	struct feeder *f = arg;
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	/* Numbers have points here, whatever the program's locale is. */
	if (plain)
		uselocale(plain);
	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		uint64_t asked = f->passes_asked;
		bool forced = f->forced;

		serve(f);
		if (!f->woken && !forced) {
			if (!f->stop && !f->first)
				pthread_cond_wait(&f->work, &f->lock);
			continue;
		}
		f->woken = f->forced = false;
		pthread_mutex_unlock(&f->lock);
		filing_pass(f, forced);
		pthread_mutex_lock(&f->lock);
		f->passes_done = asked;
		pthread_cond_broadcast(&f->done);
	}
	serve(f);
	pthread_mutex_unlock(&f->lock);
	if (plain) {
		uselocale(LC_GLOBAL_LOCALE);
		freelocale(plain);
	}
	return NULL;
}

/* --- life --------------------------------------------------------------------- */

static void feeder_free(struct feeder *f)
{
	for (size_t i = 0; i < f->file_count; i++)
		free(f->files[i]);
	free(f->files);
	free(f->waiting);
	free(f->dir);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->work);
	pthread_cond_destroy(&f->done);
	free(f);
}

static int make_dir(struct feeder *f, struct diag *diag)
{
	const struct env *env = f->series->env;
	size_t size = strlen(f->series->dir) + sizeof("/rrd");
	int e;

	f->dir = malloc(size);
	if (!f->dir)
		return ERR_NOMEM;
	snprintf(f->dir, size, "%s/rrd", f->series->dir);
	e = env->disk->mkdir(env->disk_self, f->dir);
	if (e)
		return diag_set(diag, env_err(e), "cannot make %.160s", f->dir);
	return 0;
}

static void want_all(struct feeder *f)
{
	const struct index *index = &f->series->index;

	for (uint32_t i = 0; i < index->count; i++) {
		struct entry *e = index->entries[i];

		if (e->rrd_file < 0 &&
		    e->active_minutes >= f->series->options.rrd_minutes)
			feeder_want(f, e);
	}
}

int feeder_open(struct feeder **out, struct series *s, struct diag *diag)
{
	struct feeder *f = calloc(1, sizeof(*f));
	int e;

	if (!f)
		return ERR_NOMEM;
	f->series = s;
	f->last = &f->first;
	f->queue_max = s->options.rrd_queue ? s->options.rrd_queue :
					      FEEDER_QUEUE_MAX;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->work, NULL);
	pthread_cond_init(&f->done, NULL);
	e = make_dir(f, diag);
	if (!e) {
		if (!keep_load(f))
			keep_wipe(f);
		want_all(f);
		f->woken = true;
		if (pthread_create(&f->thread, NULL, feeder_main, f))
			e = diag_set(diag, ERR_NOMEM, "no thread for RRD");
	}
	if (e) {
		feeder_free(f);
		return e;
	}
	f->running = true;
	*out = f;
	return 0;
}

void feeder_close(struct feeder *f, bool clean)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->work);
	pthread_cond_broadcast(&f->done);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	if (clean)
		keep_save(f);
	feeder_free(f);
}
