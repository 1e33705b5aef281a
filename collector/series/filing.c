/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the feeder does with files: give series their slots, build a pair of
 * files from blocks, bring it forward, read it back, throw it away.
 */
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "collector/series/feeder.h"
#include "collector/series/rrd.h"
#include "core/base/log.h"

/* --- slots -------------------------------------------------------------------- */

/* The scope's file with a free slot, or a new one. With the lock of series. */
static struct rrd_file *file_for(struct feeder *f, const struct scope *scope)
{
	uint32_t number = 0;
	struct rrd_file *file;

	for (size_t i = 0; i < f->file_count; i++) {
		file = f->files[i];
		if (file->scope.account != scope->account ||
		    strcmp(file->scope.region, scope->region))
			continue;
		if (file->used < LADDER_SLOTS)
			return file;
		number = file->number + 1;
	}
	if (f->file_count == f->file_cap) {
		size_t cap = f->file_cap ? 2 * f->file_cap : 16;
		struct rrd_file **files =
			realloc(f->files, cap * sizeof(struct rrd_file *));

		if (!files)
			return NULL;
		f->files = files;
		f->file_cap = cap;
	}
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->scope = *scope;
	file->number = number;
	file->index = (int32_t)f->file_count;
	ladder_name(scope, number, file->name);
	f->files[f->file_count++] = file;
	return file;
}

static void give_slots(struct feeder *f)
{
	while (f->waiting_count) {
		struct entry *e = f->waiting[f->waiting_count - 1];
		struct rrd_file *file = file_for(f, &e->scope);

		if (!file)
			return; /* no memory: at the next pass */
		f->waiting_count--;
		e->rrd_file = file->index;
		e->rrd_slot = (uint8_t)file->used;
		file->slots[file->used++] = e;
		file->rebuild = true;
	}
}

/* --- paths -------------------------------------------------------------------- */

static bool path_of(const struct feeder *f, const struct rrd_file *file,
		    enum ladder_file which, const char *more,
		    char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s%s%s", f->dir, file->name,
			 ladder_suffix(which), more);

	return n > 0 && n < PATH_MAX;
}

static int make_folders(const struct feeder *f, const struct rrd_file *file)
{
	const struct env *env = f->series->env;
	char path[PATH_MAX];
	int e = 0;

	for (int length = 2; length <= 5 && !e; length += 3) {
		int n = snprintf(path, sizeof(path), "%s/%.*s", f->dir, length,
				 file->name);

		if (n < 0 || n >= PATH_MAX)
			return ERR_LIMIT;
		e = env->disk->mkdir(env->disk_self, path);
	}
	return e ? env_err(e) : 0;
}

/* Out of the way, for a look at it; the newest damaged pair is kept. */
static void quarantine(struct feeder *f, struct rrd_file *file, const char *why)
{
	const struct env *env = f->series->env;
	char from[PATH_MAX], to[PATH_MAX];

	log_warn("series", "RRD %s is built anew: %s", file->name, why);
	for (int i = 0; i < LADDER_FILES; i++)
		if (path_of(f, file, (enum ladder_file)i, "", from) &&
		    path_of(f, file, (enum ladder_file)i, ".damaged", to))
			(void)env->disk->rename(env->disk_self, from, to);
	pthread_mutex_lock(&f->series->lock);
	file->ready = false;
	file->rebuild = true;
	file->retry = series_closed_minute(f->series) + FEEDER_RETRY_MIN;
	f->series->stats.rrd_damaged++;
	pthread_mutex_unlock(&f->series->lock);
}

/* --- writing ------------------------------------------------------------------ */

struct job {
	struct feeder *f;
	struct rrd_file *file;
	const char *more; /* behind the path: "" or ".new" */
	unsigned slots;
	struct diag diag;
	struct arena arena;
};

static int job_path(struct job *j, enum ladder_file which, char *path)
{
	if (path_of(j->f, j->file, which, j->more, path))
		return 0;
	return diag_set(&j->diag, ERR_LIMIT, "path is too long");
}

static int fetch_pair(struct job *j, enum tier tier, int32_t first, int32_t end,
		      struct rrd_grid grid[LADDER_FILES])
{
	char path[PATH_MAX];
	int e = 0;

	grid[LADDER_AVG] = grid[LADDER_EXT] = (struct rrd_grid){ 0 };
	for (int i = 0; i < LADDER_FILES && !e; i++) {
		enum ladder_file which = (enum ladder_file)i;

		e = job_path(j, which, path);
		if (!e)
			e = rrd_file_fetch(path, ladder_cf(which),
					   (int64_t)first * 60,
					   (int64_t)end * 60,
					   (uint32_t)tier_step(tier) * 60,
					   &grid[i], &j->diag);
		if (!e && grid[i].width != LADDER_VALUES)
			e = diag_set(&j->diag, ERR_CORRUPT,
				     "other data sources");
	}
	return e;
}

static void grids_fini(struct rrd_grid grid[LADDER_FILES])
{
	rrd_grid_fini(&grid[LADDER_AVG]);
	rrd_grid_fini(&grid[LADDER_EXT]);
}

/* An hour that RRDtool did not keep to the bit. When they are many, the series'
 * values are of that kind: blocks serve it from now on. */
static void note_inexact(struct job *j, struct entry *e, int32_t minute)
{
	pthread_mutex_lock(&j->f->series->lock);
	feeder_late(j->f, e, minute);
	if (e->late_all)
		atomic_store(&e->inexact, true);
	pthread_mutex_unlock(&j->f->series->lock);
}

static void compare_slot(struct job *j, unsigned slot,
			 const struct row_list *meant, enum tier tier,
			 int32_t first, const struct rrd_grid *grid)
{
	int32_t step = tier_step(tier);

	for (size_t i = 0; i < meant->count; i++) {
		const struct timed_row *m = &meant->rows[i];
		size_t at = (size_t)((m->minute - first) / step);
		bool damaged = false;
		struct row row;

		if (!ladder_row(&grid[LADDER_AVG].values[at * LADDER_VALUES],
				&grid[LADDER_EXT].values[at * LADDER_VALUES],
				slot, tier, &row, &damaged) ||
		    !ladder_row_same(&m->row, &row))
			note_inexact(j, j->file->slots[slot], m->minute);
	}
}

static int write_lines(struct job *j, const struct row_list *rows,
		       enum tier tier, int32_t first, int32_t end)
{
	struct ladder_lines lines[LADDER_FILES];
	char path[PATH_MAX];
	int e = ladder_fill(rows, tier, first, end, &j->arena, lines);

	for (int i = 0; i < LADDER_FILES && !e; i++) {
		e = job_path(j, (enum ladder_file)i, path);
		if (!e)
			e = rrd_file_update(path, lines[i].line, lines[i].count,
					    &j->diag);
	}
	arena_reset(&j->arena);
	return e;
}

/* One chunk: read, write, read back. */
static int write_chunk(struct job *j, enum tier tier, int32_t first,
		       int32_t end)
{
	struct row_list rows[LADDER_SLOTS] = { 0 };
	struct series *s = j->f->series;
	struct rrd_grid grid[LADDER_FILES] = { 0 };
	uint64_t count = 0;
	int e = 0;

	for (unsigned i = 0; i < j->slots && !e; i++) {
		e = series_rows(s, j->file->slots[i], tier, first, end, false,
				&rows[i]);
		count += rows[i].count;
	}
	if (!e)
		e = write_lines(j, rows, tier, first, end);
	if (!e && count)
		e = fetch_pair(j, tier, first, end, grid);
	for (unsigned i = 0; i < j->slots; i++) {
		if (!e)
			compare_slot(j, i, &rows[i], tier, first, grid);
		row_list_fini(&rows[i]);
	}
	grids_fini(grid);
	pthread_mutex_lock(&s->lock);
	s->stats.rrd_updates += LADDER_FILES;
	s->stats.rrd_rows += count;
	pthread_mutex_unlock(&s->lock);
	return e;
}

static int write_range(struct job *j, enum tier tier, int32_t first,
		       int32_t end)
{
	int32_t chunk = LADDER_CHUNK_STEPS * tier_step(tier);
	int e = 0;

	while (first < end && !e) {
		int32_t next = end - first > chunk ? first + chunk : end;

		e = write_chunk(j, tier, first, next);
		first = next;
		if (!e && first < end && feeder_breathe(j->f))
			e = ERR_CLOSED;
	}
	return e;
}

/* --- building ----------------------------------------------------------------- */

static int create_pair(struct job *j, int32_t start)
{
	char args[LADDER_ARGS][LADDER_ARG];
	const char *list[LADDER_ARGS];
	char path[PATH_MAX];
	int e = make_folders(j->f, j->file);

	for (int i = 0; i < LADDER_FILES && !e; i++) {
		enum ladder_file which = (enum ladder_file)i;

		ladder_definition(which, args);
		for (int k = 0; k < LADDER_ARGS; k++)
			list[k] = args[k];
		e = job_path(j, which, path);
		if (!e)
			e = rrd_file_create(path, ladder_step(which),
					    (int64_t)start * 60, list,
					    LADDER_ARGS, &j->diag);
	}
	return e;
}

static int rename_pair(struct job *j)
{
	const struct env *env = j->f->series->env;
	char from[PATH_MAX], to[PATH_MAX];
	int e = 0;

	for (int i = 0; i < LADDER_FILES && !e; i++) {
		e = job_path(j, (enum ladder_file)i, from);
		if (!e && !path_of(j->f, j->file, (enum ladder_file)i, "", to))
			e = ERR_LIMIT;
		if (!e)
			e = env->disk->rename(env->disk_self, from, to);
	}
	return e;
}

/* Where the history of the file's series begins; with the lock of series. */
static int32_t history_start(const struct rrd_file *file, int32_t target)
{
	int32_t first = target;

	for (unsigned i = 0; i < file->used; i++)
		if (file->slots[i]->first_minute < first)
			first = file->slots[i]->first_minute;
	if (first < target - tier_keep(TIER_3600))
		first = target - tier_keep(TIER_3600) + 60;
	return minute_floor(first, 60);
}

/* Each stretch from the finest tier that still has it. */
static int write_history(struct job *j, int32_t start, int32_t target,
			 int32_t from[TIERS])
{
	int e = 0;

	from[TIER_3600] = start;
	for (int t = TIER_3600; t >= 0 && !e; t--) {
		int32_t to = target;

		if (t > 0) {
			to = target - tier_keep((enum tier)(t - 1));
			to = to > start ? minute_floor(to, 60) + 60 : start;
			from[t - 1] = to;
		}
		if (to > from[t])
			e = write_range(j, (enum tier)t, from[t], to);
	}
	return e;
}

static void build(struct feeder *f, struct rrd_file *file, int32_t target)
{
	struct job j = { .f = f, .file = file, .more = ".new" };
	struct series *s = f->series;
	int32_t start, from[TIERS];
	int e;

	pthread_mutex_lock(&s->lock);
	j.slots = file->used;
	start = history_start(file, target);
	for (unsigned i = 0; i < file->used; i++) {
		file->slots[i]->late_count = 0;
		file->slots[i]->late_all = false;
	}
	file->claimed = target;
	file->ready = file->rebuild = false;
	pthread_mutex_unlock(&s->lock);
	e = create_pair(&j, start);
	if (!e)
		e = write_history(&j, start, target, from);
	if (!e)
		e = rename_pair(&j);
	arena_fini(&j.arena);
	if (e == ERR_CLOSED) {
		pthread_mutex_lock(&s->lock);
		file->rebuild = true;
		pthread_mutex_unlock(&s->lock);
		return;
	}
	if (e) {
		quarantine(f, file, j.diag.text[0] ? j.diag.text : err_text(e));
		return;
	}
	pthread_mutex_lock(&s->lock);
	memcpy(file->from, from, sizeof(from));
	file->progress = target;
	file->built = j.slots;
	file->ready = true;
	file->retry = series_closed_minute(s) + FEEDER_JOIN_MIN;
	s->stats.rrd_rebuilt++;
	pthread_mutex_unlock(&s->lock);
}

static void advance(struct feeder *f, struct rrd_file *file, int32_t target)
{
	struct job j = { .f = f, .file = file, .more = "" };
	struct series *s = f->series;
	int32_t from;
	int e;

	pthread_mutex_lock(&s->lock);
	j.slots = file->built;
	from = file->progress;
	file->claimed = target;
	pthread_mutex_unlock(&s->lock);
	e = write_range(&j, TIER_60, from, target);
	arena_fini(&j.arena);
	if (e == ERR_CLOSED) {
		/* Half a range may be written: not to be kept. */
		pthread_mutex_lock(&s->lock);
		file->ready = false;
		file->rebuild = true;
		pthread_mutex_unlock(&s->lock);
		return;
	}
	if (e) {
		quarantine(f, file, j.diag.text[0] ? j.diag.text : err_text(e));
		return;
	}
	pthread_mutex_lock(&s->lock);
	file->progress = target;
	pthread_mutex_unlock(&s->lock);
}

/* Up to the end of the hour of the newest data, as far as it is closed: time
 * without data is written when data comes. With the lock of series. */
static int32_t target_of(const struct series *s, const struct rrd_file *file)
{
	int32_t closed = series_closed_minute(s), last = 0;

	for (unsigned i = 0; i < file->used; i++)
		if (file->slots[i]->last_minute > last)
			last = file->slots[i]->last_minute;
	last = minute_floor(last, 60) + 60;
	return last < closed ? last : closed;
}

static void tend(struct feeder *f, struct rrd_file *file, bool forced)
{
	struct series *s = f->series;
	bool rebuild, ready;
	int32_t target, progress, closed, retry;

	pthread_mutex_lock(&s->lock);
	closed = series_closed_minute(s);
	target = target_of(s, file);
	rebuild = file->rebuild;
	ready = file->ready;
	progress = file->progress;
	retry = file->retry;
	pthread_mutex_unlock(&s->lock);
	if (target <= 0)
		return;
	/* A gap longer than minutes are kept is not written: a new file. */
	if (ready && target - progress > tier_keep(TIER_60) - 120) {
		build(f, file, target);
		return;
	}
	/* Far ahead: the clock has been set back since. */
	if (rebuild &&
	    (forced || closed >= retry || retry - closed > FEEDER_JOIN_MIN)) {
		build(f, file, target > progress ? target : progress);
		return;
	}
	if (!ready || target <= progress)
		return;
	if (forced || target - progress >= FEEDER_EVERY_MIN || target % 60 == 0)
		advance(f, file, target);
}

void filing_pass(struct feeder *f, bool forced)
{
	struct series *s = f->series;
	size_t count;

	pthread_mutex_lock(&s->lock);
	give_slots(f);
	count = f->file_count;
	s->stats.rrd_files = count;
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < count; i++) {
		tend(f, f->files[i], forced);
		if (feeder_breathe(f))
			return;
	}
}

/* --- reading ------------------------------------------------------------------ */

static int read_run(struct job *j, const struct rrd_plan *plan, enum tier tier,
		    struct rrd_run run, struct row_list *out)
{
	struct rrd_grid grid[LADDER_FILES];
	int e = fetch_pair(j, tier, run.first, run.end, grid);
	size_t rows = e ? 0 : grid[LADDER_AVG].rows;

	for (size_t i = 0; i < rows && !e; i++) {
		int32_t minute = run.first + (int32_t)i * tier_step(tier);
		bool damaged = false;
		struct row row, *added;

		if (ladder_row(&grid[LADDER_AVG].values[i * LADDER_VALUES],
			       &grid[LADDER_EXT].values[i * LADDER_VALUES],
			       plan->slot, tier, &row, &damaged)) {
			added = row_list_add(out, minute);
			if (added)
				*added = row;
			else
				e = ERR_NOMEM;
		}
		if (damaged)
			e = diag_set(&j->diag, ERR_CORRUPT,
				     "unknown where there must be values");
	}
	grids_fini(grid);
	return e;
}

int filing_fetch(struct feeder *f, const struct rrd_plan *plan, enum tier tier,
		 struct row_list *out)
{
	struct rrd_file *file = f->files[plan->file->index];
	struct job j = { .f = f, .file = file, .more = "" };
	bool readable;
	int e = 0;

	pthread_mutex_lock(&f->series->lock);
	readable = file->ready && plan->slot < file->built;
	pthread_mutex_unlock(&f->series->lock);
	if (!readable)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < plan->count && !e; i++)
		e = read_run(&j, plan, tier, plan->runs[i], out);
	if (e && e != ERR_NOMEM)
		quarantine(f, file, j.diag.text);
	if (!e) {
		pthread_mutex_lock(&f->series->lock);
		f->series->stats.rrd_reads += plan->count;
		f->series->stats.rrd_points += out->count;
		pthread_mutex_unlock(&f->series->lock);
	}
	return e;
}
