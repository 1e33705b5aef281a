/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/series.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "collector/series/feeder.h"
#include "collector/series/state.h"
#include "core/base/log.h"
#include "core/store/checkpoint.h"

#define SERIES_NAME SV("series")

static const int64_t SEAL_RETRY_NS = 10 * NS_PER_S;
static const int64_t EXPIRE_EVERY_NS = 3600 * NS_PER_S;

bool series_time_ok(struct wall received, int64_t time_ns)
{
	return time_ns >= 0 &&
	       time_ns >= received.ns - SERIES_PAST_S * NS_PER_S &&
	       time_ns <= received.ns + SERIES_FUTURE_S * NS_PER_S;
}

static bool path_of(const struct series *s, const char *name,
		    char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", s->dir, name);

	return n > 0 && n < PATH_MAX;
}

/* --- checkpoint --------------------------------------------------------------- */

static int write_checkpoint(struct series *s)
{
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	char path[PATH_MAX];
	int e;

	series_image_write(s, &image);
	if (image.failed || !path_of(s, "checkpoint", path)) {
		e = ERR_NOMEM;
	} else {
		e = checkpoint_write(s->env, path, SERIES_NAME,
				     SERIES_CHECKPOINT_FORMAT, s->view.position,
				     buf_view(&image));
	}
	pthread_mutex_lock(&s->lock);
	if (e)
		s->stats.checkpoint_errors++;
	else
		s->stats.checkpoint_bytes = image.len;
	pthread_mutex_unlock(&s->lock);
	if (!e) {
		s->checkpoint_bytes = image.len;
		s->checkpoint_ns = s->newest_ns;
		s->view.durable = s->view.position;
		s->dirty = s->urgent = false;
		series_gone_unlink(s);
	}
	buf_fini(&image);
	return e;
}

/* Writing costs at most SERIES_CHECKPOINT_BYTES_PER_S on average: an image of
 * 1 MB may be written every half second, one of 60 MB every half minute. */
static bool checkpoint_is_due(const struct series *s)
{
	int64_t bytes = (int64_t)s->checkpoint_bytes;
	int64_t wait_ns = bytes * (NS_PER_S / SERIES_CHECKPOINT_BYTES_PER_S);

	if (s->urgent)
		return true;
	if (!s->dirty && s->view.durable == s->view.position)
		return false;
	return s->newest_ns < s->checkpoint_ns ||
	       s->newest_ns - s->checkpoint_ns >= wait_ns;
}

static int series_checkpoint(void *self)
{
	struct series *s = self;

	return checkpoint_is_due(s) ? write_checkpoint(s) : 0;
}

/* --- time --------------------------------------------------------------------- */

/* Seals every hour that is wholly behind the watermark. A failure is tried
 * again later; until then the rows are where they were. */
static void seal_if_due(struct series *s)
{
	int32_t cut = minute_floor(series_closed_minute(s), 60);

	if (cut <= s->sealed_to || s->newest_ns < s->seal_retry_ns)
		return;
	if (series_seal(s, cut)) {
		s->seal_retry_ns = s->newest_ns + SEAL_RETRY_NS;
		return;
	}
	s->sealed_to = cut;
	s->dirty = true;
	series_blocks_merge(s);
	if (s->urgent && write_checkpoint(s))
		log_warn("series", "checkpoint failed, tried again later");
}

/* The clock was far ahead and has been set right. What was done for the time
 * that never was is done; time goes on from here, or all that comes until then
 * would count as too old to be kept, and no checkpoint would be due. */
static void set_back(struct series *s, int64_t now_ns)
{
	int32_t cut;

	pthread_mutex_lock(&s->lock);
	s->newest_ns = now_ns;
	pthread_mutex_unlock(&s->lock);
	cut = minute_floor(series_closed_minute(s), 60);
	if (s->sealed_to > cut)
		s->sealed_to = cut;
	s->seal_retry_ns = 0;
	s->dirty = true;
	log_warn("series", "the clock was set back by more than %d s",
		 SERIES_SET_BACK_S);
}

static void time_passes(struct series *s, int64_t now_ns)
{
	bool new_minute;

	if (now_ns < s->newest_ns - SERIES_SET_BACK_S * NS_PER_S)
		set_back(s, now_ns);
	if (now_ns <= s->newest_ns)
		return;
	new_minute = now_ns / MINUTE_NS != s->newest_ns / MINUTE_NS;
	pthread_mutex_lock(&s->lock);
	s->newest_ns = now_ns;
	pthread_mutex_unlock(&s->lock);
	seal_if_due(s);
	if (new_minute && s->feeder)
		feeder_wake(s->feeder);
}

static int series_tick(void *self, struct wall now)
{
	struct series *s = self;

	pthread_mutex_lock(&s->lock);
	retention_tick(&s->retention, now);
	pthread_mutex_unlock(&s->lock);
	time_passes(s, now.ns);
	if (retention_due(&s->retention, EXPIRE_EVERY_NS))
		series_blocks_expire(s);
	return 0;
}

/* --- apply -------------------------------------------------------------------- */

static bool minute_of(const struct datum *d, int32_t *minute)
{
	if (d->time_ns < 0 || d->time_ns / MINUTE_NS >= INT32_MAX)
		return false;
	*minute = (int32_t)(d->time_ns / MINUTE_NS);
	return true;
}

static int scratch_reserve(struct series *s, size_t n)
{
	struct entry **scratch;

	if (n <= s->scratch_cap)
		return 0;
	scratch = realloc(s->scratch, n * sizeof(struct entry *));
	if (!scratch)
		return ERR_NOMEM;
	s->scratch = scratch;
	s->scratch_cap = n;
	return 0;
}

/* First half of apply: everything that can fail. A row that is made and not
 * filled, because the second datum failed, has count 0 and is nowhere seen. */
static int prepare(struct series *s, const struct delivery *d)
{
	const struct records *records = d->records;
	int e = scratch_reserve(s, records->datum_count);

	for (size_t i = 0; i < records->datum_count && !e; i++) {
		const struct datum *datum = &records->data[i];
		const struct identity id = {
			.scope = &d->frame->scope,
			.ns = datum->ns,
			.name = datum->name,
			.dimensions = datum->dimensions,
			.dimension_count = datum->dimension_count,
		};
		struct entry *entry = NULL;
		int32_t minute;
		bool fresh;

		s->scratch[i] = NULL;
		if (!minute_of(datum, &minute))
			continue;
		e = index_intern(&s->index, &id, &entry);
		if (e == ERR_LIMIT) {
			e = 0;
			continue;
		}
		if (e)
			break;
		if (!window_row(&entry->open, minute, &fresh))
			return ERR_NOMEM;
		s->open_rows += fresh;
		s->scratch[i] = entry;
	}
	return e;
}

static bool is_whole(double count)
{
	return count == floor(count) && count < 9007199254740992.0;
}

static bool add_values(struct entry *e, struct row *row, const struct datum *d)
{
	bool ok = true;

	if (d->has_statistics) {
		if (!is_whole(d->sample_count) || d->minimum < 0)
			atomic_store(&e->inexact, true);
		row_add_statistics(row, d->sample_count, d->sum, d->minimum,
				   d->maximum);
		return true;
	}
	for (size_t i = 0; i < d->value_count; i++) {
		double count = d->counts ? d->counts[i] : 1;

		if (!(count > 0))
			continue;
		/* Sums of mixed sign cancel: what RRDtool rounds would show. */
		if (!is_whole(count) || d->values[i] < 0)
			atomic_store(&e->inexact, true);
		ok &= row_add(row, d->values[i], count);
	}
	return ok;
}

static void note_minute(struct series *s, struct entry *e, int32_t minute)
{
	if (e->active_minutes == 0 || minute < e->first_minute)
		e->first_minute = minute;
	if (e->active_minutes == 0 || minute > e->last_minute)
		e->last_minute = minute;
	if (e->active_minutes < UINT32_MAX)
		e->active_minutes++;
	if (s->feeder && e->active_minutes >= s->options.rrd_minutes)
		feeder_want(s->feeder, e);
}

/* Second half: cannot fail. */
static void add(struct series *s, const struct delivery *d)
{
	for (size_t i = 0; i < d->records->datum_count; i++) {
		const struct datum *datum = &d->records->data[i];
		struct entry *e = s->scratch[i];
		struct row *row;
		int32_t minute;

		s->stats.points++;
		if (!e || !minute_of(datum, &minute)) {
			s->stats.refused_series++;
			continue;
		}
		row = window_find(&e->open, minute);
		assert(row);
		if (row->count == 0)
			note_minute(s, e, minute);
		if (!add_values(e, row, datum))
			s->stats.distributions_lost++;
		s->stats.late += minute < series_closed_minute(s);
		if (s->feeder)
			feeder_late(s->feeder, e, minute);
	}
}

static int make_room(struct series *s, size_t rows)
{
	int e;

	if (s->open_rows + rows <= s->options.rows_max || s->open_rows == 0)
		return 0;
	e = series_seal(s, INT32_MAX);
	if (e)
		return e;
	pthread_mutex_lock(&s->lock);
	s->stats.sealed_early++;
	pthread_mutex_unlock(&s->lock);
	if (write_checkpoint(s))
		log_warn("series", "checkpoint failed, tried again later");
	return 0;
}

static int series_apply(void *self, const struct delivery *d)
{
	struct series *s = self;
	int e;

	time_passes(s, d->frame->received.ns);
	if (d->records->datum_count == 0)
		return 0;
	e = make_room(s, d->records->datum_count);
	if (e)
		return e;
	pthread_mutex_lock(&s->lock);
	e = prepare(s, d);
	if (!e)
		add(s, d);
	pthread_mutex_unlock(&s->lock);
	s->dirty = true;
	return e;
}

/* --- life --------------------------------------------------------------------- */

static const struct view_ops series_ops = {
	.name = "series",
	.apply = series_apply,
	.checkpoint = series_checkpoint,
	.tick = series_tick,
	.skips = UINT32_C(1) << PROTOCOL_XRAY_UDP |
		 UINT32_C(1) << PROTOCOL_XRAY_SEGMENTS |
		 UINT32_C(1) << PROTOCOL_CATALOGUE |
		 UINT32_C(1) << PROTOCOL_ALARM_CHANGE,
};

static void defaults(struct series_options *o)
{
	if (!o->series_max)
		o->series_max = SERIES_MAX;
	if (!o->rows_max)
		o->rows_max = SERIES_ROWS_MAX;
	if (!o->window_ns)
		o->window_ns = SERIES_WINDOW_MIN * MINUTE_NS;
	if (!o->rrd_minutes)
		o->rrd_minutes = SERIES_RRD_MINUTES;
}

static int make_dirs(struct series *s, struct diag *diag)
{
	static const char *const names[] = { "", "blocks", "lost" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int e = path_of(s, names[i], path) ?
				s->env->disk->mkdir(s->env->disk_self, path) :
				-ENAMETOOLONG;

		if (e)
			return diag_set(diag, env_err(e), "cannot make %.180s",
					path);
	}
	return 0;
}

struct stray {
	struct series *s;
	bool keep; /* the checkpoint was not readable: they may matter */
};

static bool is_listed(const struct series *s, const char *path)
{
	char listed[PATH_MAX];

	for (size_t i = 0; i < s->block_count; i++)
		if (tier_path(&s->place, s->blocks[i]->tier,
			      s->blocks[i]->number, listed) &&
		    !strcmp(path, listed))
			return true;
	return false;
}

static void stray_file(void *arg, const char *name)
{
	const struct stray *stray = arg;
	struct series *s = stray->s;
	char path[PATH_MAX], to[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/blocks/%s", s->dir, name);
	int m = snprintf(to, sizeof(to), "%s/lost/%s", s->dir, name);

	if (n < 0 || n >= PATH_MAX || m < 0 || m >= PATH_MAX ||
	    is_listed(s, path))
		return;
	if (stray->keep)
		(void)s->env->disk->rename(s->env->disk_self, path, to);
	else
		(void)s->env->disk->unlink(s->env->disk_self, path);
}

/* Blocks that no checkpoint names were made after it: their rows come again. */
static void remove_strays(struct series *s, bool keep)
{
	struct stray stray = { s, keep };
	char path[PATH_MAX];

	if (path_of(s, "blocks", path))
		(void)s->env->disk->list(s->env->disk_self, path, stray_file,
					 &stray);
}

static int load(struct series *s, struct diag *diag)
{
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	uint64_t position = 0;
	char path[PATH_MAX];
	int e;

	if (!path_of(s, "checkpoint", path))
		return diag_set(diag, ERR_LIMIT, "path of data is too long");
	e = checkpoint_read(s->env, path, SERIES_NAME, SERIES_CHECKPOINT_FORMAT,
			    &position, &image);
	if (e == 0) {
		e = series_image_read(s, buf_view(&image), diag);
		buf_fini(&image);
		if (e)
			return diag_set(diag, e,
					"%.180s: %s; move it away to start "
					"from the journal",
					path, err_text(e));
		s->view.position = s->view.durable = position;
		s->checkpoint_bytes = image.len;
		s->checkpoint_ns = s->newest_ns;
		remove_strays(s, false);
		return 0;
	}
	buf_fini(&image);
	if (e != ERR_NOT_FOUND && e != ERR_CORRUPT)
		return diag_set(diag, e, "%.180s: %s", path, err_text(e));
	if (e == ERR_CORRUPT)
		log_error("series",
			  "the checkpoint was damaged: starting from the "
			  "journal; older blocks are in lost/");
	remove_strays(s, true);
	return 0;
}

static void series_free(struct series *s)
{
	for (size_t i = 0; i < s->block_count; i++)
		tier_unref(s->blocks[i]);
	free(s->blocks);
	free(s->gone);
	free(s->scratch);
	index_fini(&s->index);
	pthread_mutex_destroy(&s->lock);
	free(s->dir);
	free(s);
}

int series_open(struct series **out, const struct env *env, const char *dir,
		const struct series_options *options, struct diag *diag)
{
	struct series *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return ERR_NOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->env = env;
	s->options = options ? *options : (struct series_options){ 0 };
	defaults(&s->options);
	index_init(&s->index, s->options.series_max);
	s->view = (struct view){ .ops = &series_ops, .self = s };
	s->next_number = 1;
	s->dir = strdup(dir);
	s->place = (struct tier_place){ env, s->dir };
	e = s->dir ? make_dirs(s, diag) : ERR_NOMEM;
	if (!e)
		e = load(s, diag);
	if (!e && !s->options.no_rrd)
		e = feeder_open(&s->feeder, s, diag);
	if (e) {
		series_free(s);
		return e;
	}
	*out = s;
	return 0;
}

void series_close(struct series *s)
{
	bool clean = true;

	if (!s)
		return;
	if (s->dirty || s->urgent || s->view.durable != s->view.position)
		clean = write_checkpoint(s) == 0;
	feeder_close(s->feeder, clean);
	series_free(s);
}

struct view *series_view(struct series *s)
{
	return &s->view;
}

void series_stats(struct series *s, struct series_stats *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->stats;
	out->series = s->index.count;
	out->open_rows = s->open_rows;
	out->blocks = s->block_count;
	out->watermark_ns = series_watermark(s);
	pthread_mutex_unlock(&s->lock);
}

void series_rrd_settle(struct series *s)
{
	if (s->feeder)
		feeder_settle(s->feeder);
}
