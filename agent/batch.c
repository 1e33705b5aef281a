/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/batch.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/arena.h"

struct batch {
	const struct env *env;
	struct spool *spool;
	pthread_mutex_t lock;
	struct arena arena; /* of what the records borrow */
	struct segment_record segments[BATCH_HELD_COUNT_MAX];
	struct datum data[BATCH_HELD_COUNT_MAX];
	struct log_event logs[BATCH_HELD_COUNT_MAX];
	struct usage usage[BATCH_HELD_COUNT_MAX];
	size_t segment_count, datum_count, log_count, usage_count;
	size_t bytes;         /* of text */
	struct instant since; /* of the oldest record */
	bool stuck;           /* the last try to store failed */
	struct batch_stats stats;
};

int batch_new(struct batch **out, const struct env *env, struct spool *spool)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return ERR_NOMEM;
	b->env = env;
	b->spool = spool;
	pthread_mutex_init(&b->lock, NULL);
	*out = b;
	return 0;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	pthread_mutex_destroy(&b->lock);
	arena_fini(&b->arena);
	free(b);
}

static size_t held(const struct batch *b)
{
	return b->segment_count + b->datum_count + b->log_count +
	       b->usage_count;
}

static int store(struct batch *b, struct diag *diag)
{
	struct records records = {
		.segments = b->segments,
		.data = b->data,
		.logs = b->logs,
		.usage = b->usage,
		.segment_count = b->segment_count,
		.datum_count = b->datum_count,
		.log_count = b->log_count,
		.usage_count = b->usage_count,
	};
	int e;

	if (!held(b))
		return 0;
	e = spool_put(b->spool, &records, diag);
	b->stuck = e < 0;
	if (e < 0)
		return e;
	b->segment_count = b->datum_count = b->log_count = b->usage_count = 0;
	b->bytes = 0;
	arena_reset(&b->arena);
	return 0;
}

/* Begins a record: takes the lock. False, and no lock: there is no room left,
 * it is lost. */
static bool begin(struct batch *b, const size_t *count)
{
	pthread_mutex_lock(&b->lock);
	if (*count < BATCH_HELD_COUNT_MAX)
		return true;
	b->stats.lost++;
	pthread_mutex_unlock(&b->lock);
	return false;
}

static struct sv copy(struct batch *b, struct sv text)
{
	struct sv out = arena_copy(&b->arena, text);

	assert(out.ptr); /* bounded by the counts: memory's end is the end */
	b->bytes += text.len;
	return out;
}

static void end(struct batch *b)
{
	if (held(b) == 1)
		b->since = env_mono(b->env);
	b->stats.records++;
	/* While stuck, tries are left to the clock: see batch_close. */
	if (!b->stuck &&
	    (b->bytes >= BATCH_BYTES_MAX || held(b) >= BATCH_COUNT_MAX) &&
	    store(b, NULL) < 0)
		b->since = env_mono(b->env);
	pthread_mutex_unlock(&b->lock);
}

void batch_segment(struct batch *b, struct sv document)
{
	if (!begin(b, &b->segment_count))
		return;
	if (b->stuck && b->bytes > BATCH_SHED_SEGMENTS_BYTES) {
		b->stats.segments_shed++;
		pthread_mutex_unlock(&b->lock);
		return;
	}
	b->segments[b->segment_count].document = copy(b, document);
	b->segment_count++;
	end(b);
}

void batch_log(struct batch *b, struct sv group, struct sv stream,
	       struct wall time, struct sv message)
{
	pthread_mutex_lock(&b->lock);
	if (b->log_count == BATCH_HELD_COUNT_MAX ||
	    (b->stuck && b->bytes > BATCH_SHED_LOGS_BYTES)) {
		b->stats.logs_shed++;
		pthread_mutex_unlock(&b->lock);
		return;
	}
	b->logs[b->log_count] = (struct log_event){
		.group = copy(b, group),
		.stream = copy(b, stream),
		.time_ns = time.ns,
		.message = copy(b, message),
	};
	b->log_count++;
	end(b);
}

static void copy_datum(struct batch *b, struct datum *to,
		       const struct datum *from)
{
	struct dimension *dimensions = arena_array(
		&b->arena, from->dimension_count, sizeof(*dimensions));
	double *values =
		arena_array(&b->arena, from->value_count, sizeof(*values));

	assert(dimensions && values && !from->counts);
	*to = *from;
	to->ns = copy(b, from->ns);
	to->name = copy(b, from->name);
	to->unit = copy(b, from->unit);
	for (size_t i = 0; i < from->dimension_count; i++)
		dimensions[i] = (struct dimension){
			copy(b, from->dimensions[i].name),
			copy(b, from->dimensions[i].value),
		};
	for (size_t i = 0; i < from->value_count; i++)
		values[i] = from->values[i];
	to->dimensions = dimensions;
	to->values = values;
}

void batch_datum(struct batch *b, const struct datum *datum)
{
	if (!begin(b, &b->datum_count))
		return;
	copy_datum(b, &b->data[b->datum_count], datum);
	b->datum_count++;
	end(b);
}

void batch_usage(struct batch *b, const struct usage *usage)
{
	struct usage *to;

	if (!begin(b, &b->usage_count))
		return;
	to = &b->usage[b->usage_count];
	*to = *usage;
	to->id = copy(b, usage->id);
	to->source = copy(b, usage->source);
	to->resource = copy(b, usage->resource);
	to->trace_id = copy(b, usage->trace_id);
	b->usage_count++;
	end(b);
}

int batch_close(struct batch *b, bool now, struct diag *diag)
{
	int e = 0;

	pthread_mutex_lock(&b->lock);
	if (held(b) && (now || env_mono(b->env).ns - b->since.ns >=
				       BATCH_MS_MAX * (uint64_t)NS_PER_MS)) {
		e = store(b, diag);
		if (e < 0)
			b->since = env_mono(b->env);
	}
	pthread_mutex_unlock(&b->lock);
	return e;
}

bool batch_has_room(struct batch *b)
{
	bool stuck;

	pthread_mutex_lock(&b->lock);
	stuck = b->stuck;
	pthread_mutex_unlock(&b->lock);
	return !stuck && spool_has_room(b->spool);
}

struct batch_stats batch_stats(struct batch *b)
{
	struct batch_stats stats;

	pthread_mutex_lock(&b->lock);
	stats = b->stats;
	stats.held = held(b);
	pthread_mutex_unlock(&b->lock);
	return stats;
}
