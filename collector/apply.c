/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/apply.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/queue.h"

enum {
	TICK_MS = 1000,
	START_POLL_MS = 2,
	RETRY_MS = 200,            /* after a view said ERR_FULL and the like */
	CHECKPOINT_FRAMES = 20000, /* or after so many */
};

struct runner {
	struct apply *apply;
	struct view *view;
	pthread_t thread;
	bool started;
	struct queue *queue;  /* of messages; closed to stop */
	pthread_mutex_t lock; /* over the fields below */
	bool behind;          /* messages were not queued: read the journal */
	bool caught_up;       /* for the first time */
	bool has_passed;      /* the last frame that the view skips: it */
	struct frame passed;  /* comes behind all that is on the queue */
	_Atomic uint64_t applied;
	/* Of the frames that came since the start, for lag: how many, how many
	 * of those are applied, where they begin, and when the oldest that is
	 * not applied came, at the latest. */
	_Atomic uint64_t pushed, pushed_applied, pushed_from;
	_Atomic int64_t oldest_ns;
	_Atomic uint64_t position, durable; /* copies, for others to read */
	_Atomic int err;
	/* The runner's own: */
	uint64_t since_checkpoint;
	struct instant last_checkpoint, last_tick;
};

struct apply {
	struct apply_options options;
	struct runner *runners[APPLY_VIEWS_MAX];
	size_t count;
	_Atomic size_t live_bytes; /* of messages */
	_Atomic size_t *used;      /* the same, with what others count */
	pthread_mutex_t large;     /* one large frame is read at a time */
	pthread_mutex_t spare_lock;
	struct message *spare; /* empty ones, with their arenas' memory */
	size_t spare_count;
	_Atomic bool stopping;
};

static struct message *take_spare(struct apply *a)
{
	struct message *m;

	pthread_mutex_lock(&a->spare_lock);
	m = a->spare;
	if (m) {
		a->spare = m->next;
		a->spare_count--;
		m->next = NULL;
	}
	pthread_mutex_unlock(&a->spare_lock);
	return m;
}

/* False: there are enough. */
static bool keep_spare(struct apply *a, struct message *m)
{
	bool kept = false;
	struct arena arena;

	arena_reset(&m->arena); /* keeps its largest part */
	if (arena_held(&m->arena) > APPLY_SPARE_BYTES)
		return false;
	arena = m->arena;
	*m = (struct message){ .arena = { .chunk = arena.chunk } };
	pthread_mutex_lock(&a->spare_lock);
	if (a->spare_count < APPLY_SPARE_MESSAGES) {
		m->next = a->spare;
		a->spare = m;
		a->spare_count++;
		kept = true;
	}
	pthread_mutex_unlock(&a->spare_lock);
	return kept;
}

struct message *message_new(struct apply *a)
{
	struct message *m = take_spare(a);

	if (!m)
		m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->apply = a;
	m->arena.limit = a->options.request_bytes;
	return m;
}

bool message_account(struct apply *a, struct message *m)
{
	size_t size = sizeof(*m) + m->body.cap + m->body.len +
		      arena_held(&m->arena) +
		      m->records.usage_count * APPLY_USAGE_BYTES;
	size_t before = atomic_fetch_add(a->used, size);

	if (a->used != &a->live_bytes)
		atomic_fetch_add(&a->live_bytes, size);
	m->size_bytes = size;
	return before + size <= a->options.live_bytes_max;
}

void message_unref(struct message *m)
{
	struct apply *a;

	if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
		return;
	a = m->apply;
	atomic_fetch_sub(a->used, m->size_bytes);
	if (a->used != &a->live_bytes)
		atomic_fetch_sub(&a->live_bytes, m->size_bytes);
	buf_fini(&m->body);
	if (keep_spare(a, m))
		return;
	arena_fini(&m->arena);
	free(m);
}

int apply_new(struct apply **out, const struct apply_options *options)
{
	struct apply *a = calloc(1, sizeof(*a));

	if (!a)
		return ERR_NOMEM;
	a->options = *options;
	if (!a->options.live_bytes_max)
		a->options.live_bytes_max = APPLY_LIVE_BYTES;
	a->used = options->used ? options->used : &a->live_bytes;
	pthread_mutex_init(&a->large, NULL);
	pthread_mutex_init(&a->spare_lock, NULL);
	*out = a;
	return 0;
}

void apply_add(struct apply *a, struct view *v)
{
	struct runner *r = calloc(1, sizeof(*r));

	assert(r && a->count < APPLY_VIEWS_MAX);
	if (queue_new(&r->queue, APPLY_QUEUE_MESSAGES))
		abort(); /* at start, before anything was promised */
	r->apply = a;
	r->view = v;
	r->behind = true; /* what the journal holds comes first */
	atomic_init(&r->pushed_from, UINT64_MAX);
	atomic_init(&r->position, v->position);
	atomic_init(&r->durable, v->durable);
	pthread_mutex_init(&r->lock, NULL);
	a->runners[a->count++] = r;
}

/* The journal may drop what every view has durable. */
static void release_journal(struct apply *a)
{
	uint64_t slowest = UINT64_MAX;

	for (size_t i = 0; i < a->count; i++) {
		uint64_t durable = atomic_load(&a->runners[i]->durable);

		if (durable < slowest)
			slowest = durable;
	}
	if (a->count && slowest)
		journal_release(a->options.journal, slowest);
}

static void runner_checkpoint(struct runner *r)
{
	struct view *v = r->view;
	int e = v->ops->checkpoint(v->self);

	r->last_checkpoint = env_mono(r->apply->options.env);
	r->since_checkpoint = 0;
	if (e) {
		log_error("apply",
			  "view %s: checkpoint failed: %s; it is "
			  "tried again, and the journal keeps what is needed",
			  v->ops->name, err_text(e));
		return;
	}
	atomic_store(&r->durable, v->durable);
	release_journal(r->apply);
}

static bool skips(const struct runner *r, const struct frame *frame)
{
	return r->view->ops->skips & UINT32_C(1) << frame->protocol;
}

/* As skips, for one that is decoded: who takes no records takes ids only. */
static bool has_nothing(const struct runner *r, const struct message *m)
{
	return skips(r, &m->frame) || (r->view->ops->no_records &&
				       !m->invocation.len && !m->producer.len);
}

/* Applies it, trying again while the view says so. False: stopping. */
static bool runner_deliver(struct runner *r, const struct delivery *d,
			   bool counted)
{
	const struct frame *frame = d->frame;
	struct view *v = r->view;
	int e;

	if (frame->position < v->position)
		return true; /* read from the journal already */
	while ((e = v->ops->apply(v->self, d)) < 0) {
		if (atomic_exchange(&r->err, e) != e)
			log_error("apply",
				  "view %s stands still: %s; it goes "
				  "on by itself",
				  v->ops->name, err_text(e));
		if (atomic_load(&r->apply->stopping))
			return false;
		usleep(RETRY_MS * 1000);
	}
	atomic_store(&r->err, 0);
	v->position = frame->next;
	atomic_store(&r->position, v->position);
	atomic_fetch_add(&r->applied, 1);
	if (counted && frame->position >= atomic_load(&r->pushed_from)) {
		atomic_store(&r->oldest_ns, frame->received.ns);
		atomic_fetch_add(&r->pushed_applied, 1);
	}
	r->since_checkpoint++;
	return true;
}

static bool runner_apply(struct runner *r, const struct message *m)
{
	const struct delivery d = {
		.frame = &m->frame,
		.records = &m->records,
		.producer = m->producer,
		.sequence = m->sequence,
		.invocation = m->invocation,
		.body_hash = m->body_hash,
	};

	return runner_deliver(r, &d, !has_nothing(r, m));
}

/* All that such a view takes of it. */
static struct frame passed_frame(const struct frame *frame)
{
	struct frame f = *frame;

	f.body = f.prefix = SV("");
	f.refused = NULL;
	f.refused_count = 0;
	return f;
}

static bool runner_pass(struct runner *r, const struct frame *frame)
{
	const struct frame f = passed_frame(frame);
	const struct records none = { 0 };
	const struct delivery d = { .frame = &f, .records = &none };

	return runner_deliver(r, &d, false);
}

static void runner_housekeeping(struct runner *r)
{
	const struct env *env = r->apply->options.env;
	struct view *v = r->view;
	uint64_t now = env_mono(env).ns;

	if (v->ops->tick && now - r->last_tick.ns >= NS_PER_S) {
		int e = v->ops->tick(v->self, env_wall(env));

		r->last_tick.ns = now;
		if (e)
			log_warn("apply", "view %s: %s", v->ops->name,
				 err_text(e));
	}
	if (r->since_checkpoint >= CHECKPOINT_FRAMES ||
	    now - r->last_checkpoint.ns >=
		    (uint64_t)APPLY_CHECKPOINT_S * NS_PER_S)
		runner_checkpoint(r);
}

/* Decodes and applies a frame that was read. Large ones one at a time: views
 * that are behind together would else hold one each. */
static int apply_read(struct runner *r, const struct frame *frame)
{
	bool large = frame->body.len > APPLY_LARGE_BYTES;
	struct message *m;
	int e;

	if (skips(r, frame))
		return runner_pass(r, frame) ? 0 : ERR_CLOSED;
	m = message_new(r->apply);
	if (!m)
		return ERR_NOMEM;
	m->arena.limit = 0; /* it was accepted, maybe with more memory */
	m->no_records = r->view->ops->no_records;
	if (large)
		pthread_mutex_lock(&r->apply->large);
	e = r->apply->options.decode(m, frame);
	if (e == ERR_CORRUPT) {
		log_error("apply",
			  "frame %llu cannot be decoded and "
			  "is passed over",
			  (unsigned long long)frame->position);
		e = 0;
	} else if (!e && !runner_apply(r, m)) {
		e = ERR_CLOSED;
	}
	message_unref(m);
	if (large)
		pthread_mutex_unlock(&r->apply->large);
	return e;
}

/* Reads the journal from the view's position to its durable end. */
static int read_on(struct runner *r, struct journal_reader *reader)
{
	struct frame frame;
	bool gap = false;
	int e;

	while ((e = journal_reader_next(reader, &frame, &gap)) > 0) {
		if (gap)
			log_error("apply",
				  "view %s: the journal no longer has "
				  "what it needs; records are missing from it",
				  r->view->ops->name);
		gap = false;
		e = apply_read(r, &frame);
		if (e)
			return e;
		runner_housekeeping(r);
		if (atomic_load(&r->apply->stopping))
			return ERR_CLOSED;
	}
	return e;
}

static void drain(struct runner *r)
{
	void *m;

	while (!queue_pop(r->queue, &m, 0))
		message_unref(m);
}

static void set_behind(struct runner *r, bool behind)
{
	pthread_mutex_lock(&r->lock);
	r->behind = behind;
	r->has_passed &= !behind; /* the journal has it */
	pthread_mutex_unlock(&r->lock);
}

static void runner_catch_up(struct runner *r)
{
	struct journal_reader *reader;
	int e = journal_reader_open(&reader, r->apply->options.journal,
				    r->view->position);

	if (!e) {
		e = read_on(r, reader);
		if (!e) {
			/* From here on messages are queued again; what was
			 * made durable before that is read once more, and
			 * what is both read and queued is told apart by its
			 * position. */
			uint64_t end;

			set_behind(r, false);
			end = journal_durable(r->apply->options.journal);
			e = read_on(r, reader);
			/* Also past what is no frame: a file's header. */
			if (!e && r->view->position < end) {
				r->view->position = end;
				atomic_store(&r->position, end);
			}
		}
		journal_reader_close(reader);
	}
	if (e) {
		/* What was queued meanwhile lies behind a hole: the journal
		 * has it all. */
		set_behind(r, true);
		drain(r);
	} else if (!r->caught_up) {
		pthread_mutex_lock(&r->lock);
		r->caught_up = true;
		pthread_mutex_unlock(&r->lock);
	}
	if (e && e != ERR_CLOSED) {
		if (atomic_exchange(&r->err, e) != e)
			log_error("apply",
				  "view %s cannot read the journal: "
				  "%s",
				  r->view->ops->name, err_text(e));
		usleep(RETRY_MS * 1000);
	}
}

static bool is_behind(struct runner *r)
{
	bool behind;

	pthread_mutex_lock(&r->lock);
	behind = r->behind;
	pthread_mutex_unlock(&r->lock);
	return behind;
}

/* What was skipped since, where all that came before it is applied. */
static bool runner_catch_passed(struct runner *r)
{
	struct queue_stats stats;
	struct frame frame;
	bool due;

	pthread_mutex_lock(&r->lock);
	queue_stats(r->queue, &stats);
	due = r->has_passed && !r->behind && !stats.length;
	frame = r->passed;
	r->has_passed &= !due;
	pthread_mutex_unlock(&r->lock);
	return !due || runner_pass(r, &frame);
}

/* The next message. One that had to be waited for is not taken up at once:
 * what follows it within APPLY_GATHER_US needs no waking, and a view is woken
 * for every commit of the journal otherwise. */
static int next_message(struct runner *r, void **item, bool behind)
{
	int e = queue_pop(r->queue, item, 0);

	if (e != ERR_TIMEOUT || behind)
		return e;
	e = queue_pop(r->queue, item, TICK_MS);
	if (!e)
		usleep(APPLY_GATHER_US);
	return e;
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	bool more = true;

	pthread_setname_np(pthread_self(), r->view->ops->name);
	r->last_checkpoint = env_mono(r->apply->options.env);
	while (more) {
		/* It falls behind only while its queue is full, so a wait on
		 * an empty one misses nothing. */
		bool behind = is_behind(r);
		void *item;
		int e = next_message(r, &item, behind);

		if (!e) {
			/* What is queued behind a frame that could not be
			 * applied is not either: the next start goes on at
			 * that frame. */
			more = runner_apply(r, item);
			message_unref(item);
		} else if (e == ERR_CLOSED) {
			more = false; /* the queue is drained */
		} else if (behind) {
			runner_catch_up(r);
		} else {
			more = runner_catch_passed(r);
		}
		runner_housekeeping(r);
	}
	if (!atomic_load(&r->err))
		runner_catch_passed(r);
	runner_checkpoint(r);
	return NULL;
}

static bool is_ready(struct runner *r)
{
	bool caught_up;

	pthread_mutex_lock(&r->lock);
	caught_up = r->caught_up;
	pthread_mutex_unlock(&r->lock);
	return caught_up || (!r->view->admits && atomic_load(&r->err));
}

/* False: told to stop. */
static bool wait_until_ready(struct runner *r)
{
	const struct apply_options *o = &r->apply->options;

	while (!is_ready(r)) {
		if (o->told_to_stop && o->told_to_stop(o->arg))
			return false;
		usleep(START_POLL_MS * 1000);
	}
	return true;
}

int apply_start(struct apply *a, struct diag *diag)
{
	for (size_t i = 0; i < a->count; i++) {
		struct runner *r = a->runners[i];

		if (pthread_create(&r->thread, NULL, runner_main, r))
			return diag_set(diag, ERR_NOMEM,
					"cannot start a thread for view %s",
					r->view->ops->name);
		r->started = true;
	}
	for (size_t i = 0; i < a->count; i++)
		if (!wait_until_ready(a->runners[i]))
			return diag_set(diag, ERR_CLOSED,
					"told to stop while view %s was "
					"brought up to date",
					a->runners[i]->view->ops->name);
	return 0;
}

/* Under r's lock: whether m is on its queue now. */
static bool enqueue(struct runner *r, struct message *m, bool tight)
{
	struct queue_stats stats;

	if (tight) {
		queue_stats(r->queue, &stats);
		if (stats.length)
			return false;
	}
	atomic_fetch_add(&m->refs, 1);
	if (!queue_push(r->queue, m))
		return true;
	atomic_fetch_sub(&m->refs, 1);
	return false;
}

/* Before the message can be applied. */
static void note_pushed(struct runner *r, const struct message *m)
{
	if (atomic_load(&r->pushed) == 0)
		atomic_store(&r->pushed_from, m->frame.position);
	if (atomic_load(&r->pushed) == atomic_load(&r->pushed_applied))
		atomic_store(&r->oldest_ns, m->frame.received.ns);
	atomic_fetch_add(&r->pushed, 1);
}

void apply_push(struct apply *a, struct message *m)
{
	bool tight = atomic_load(a->used) > a->options.live_bytes_max / 2;

	for (size_t i = 0; i < a->count; i++) {
		struct runner *r = a->runners[i];

		pthread_mutex_lock(&r->lock);
		/* One that is behind reads this one from the journal. */
		if (has_nothing(r, m)) {
			r->has_passed = !r->behind;
			r->passed = passed_frame(&m->frame);
		} else {
			note_pushed(r, m);
			if (!r->behind && !enqueue(r, m, tight)) {
				r->behind = true;
				r->has_passed = false;
				stats_add(&a->options.stats->view_overflows, 1);
			}
		}
		pthread_mutex_unlock(&r->lock);
	}
}

void apply_stop(struct apply *a)
{
	atomic_store(&a->stopping, true);
	for (size_t i = 0; i < a->count; i++)
		queue_close(a->runners[i]->queue);
	for (size_t i = 0; i < a->count; i++)
		if (a->runners[i]->started)
			pthread_join(a->runners[i]->thread, NULL);
	/* Only now: a runner's last checkpoint looks at all of them. */
	for (size_t i = 0; i < a->count; i++) {
		struct runner *r = a->runners[i];

		drain(r);
		queue_free(r->queue);
		pthread_mutex_destroy(&r->lock);
		free(r);
	}
	while (a->spare) {
		struct message *m = take_spare(a);

		arena_fini(&m->arena);
		free(m);
	}
	pthread_mutex_destroy(&a->large);
	pthread_mutex_destroy(&a->spare_lock);
	free(a);
}

static void put_lag(const struct apply *a, struct runner *r,
		    struct apply_view_stats *out)
{
	uint64_t applied = atomic_load(&r->pushed_applied);
	uint64_t pushed = atomic_load(&r->pushed);
	int64_t lag_ns =
		env_wall(a->options.env).ns - atomic_load(&r->oldest_ns);

	if (pushed <= applied)
		return;
	out->lag_frames = pushed - applied;
	out->lag_ns = lag_ns > 0 ? lag_ns : 0;
}

/* Up to where it has applied all that has something for it. */
static uint64_t position_of(struct runner *r)
{
	uint64_t position;

	pthread_mutex_lock(&r->lock);
	position = atomic_load(&r->position);
	if (r->has_passed && r->passed.next > position &&
	    atomic_load(&r->pushed) == atomic_load(&r->pushed_applied))
		position = r->passed.next;
	pthread_mutex_unlock(&r->lock);
	return position;
}

size_t apply_stats(struct apply *a, struct apply_view_stats *out, size_t max)
{
	size_t n = a->count < max ? a->count : max;

	for (size_t i = 0; i < n; i++) {
		struct runner *r = a->runners[i];
		struct queue_stats queue;

		queue_stats(r->queue, &queue);
		out[i] = (struct apply_view_stats){
			.name = r->view->ops->name,
			.position = position_of(r),
			.durable = atomic_load(&r->durable),
			.applied = atomic_load(&r->applied),
			.queued = queue.length,
			.behind = is_behind(r),
			.err = atomic_load(&r->err),
		};
		put_lag(a, r, &out[i]);
	}
	return n;
}

size_t apply_live_bytes(const struct apply *a)
{
	return atomic_load(&a->live_bytes);
}

size_t apply_live_bytes_max(const struct apply *a)
{
	return a->options.live_bytes_max;
}
