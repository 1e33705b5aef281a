/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/apply.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"

enum {
	RETRY_MS = 200,            /* after a view said ERR_FULL and the like */
	CHECKPOINT_FRAMES = 20000, /* or after so many */
};

struct runner {
	struct apply *apply;
	struct view *view;
	pthread_t thread;
	pthread_mutex_t lock; /* over the fields down to `started` */
	pthread_cond_t wake;
	struct message *queue[APPLY_QUEUE_MESSAGES]; /* a ring */
	size_t head, count;
	bool behind; /* messages were not queued: read the journal */
	bool stop;
	bool caught_up; /* for the first time */
	bool started;
	_Atomic uint64_t applied;
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
	_Atomic size_t live_bytes;
};

struct message *message_new(struct apply *a)
{
	struct message *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	atomic_init(&m->refs, 1);
	m->live_bytes = &a->live_bytes;
	return m;
}

bool message_account(struct apply *a, struct message *m)
{
	size_t size = sizeof(*m) + m->body.cap + m->arena.used;
	size_t before = atomic_fetch_add(&a->live_bytes, size);

	m->size_bytes = size;
	return before + size <= APPLY_LIVE_BYTES;
}

void message_unref(struct message *m)
{
	if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
		return;
	atomic_fetch_sub(m->live_bytes, m->size_bytes);
	arena_fini(&m->arena);
	buf_fini(&m->body);
	free(m);
}

int apply_new(struct apply **out, const struct apply_options *options)
{
	struct apply *a = calloc(1, sizeof(*a));

	if (!a)
		return ERR_NOMEM;
	a->options = *options;
	*out = a;
	return 0;
}

void apply_add(struct apply *a, struct view *v)
{
	struct runner *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	assert(r && a->count < APPLY_VIEWS_MAX);
	r->apply = a;
	r->view = v;
	r->behind = true; /* what the journal holds comes first */
	atomic_init(&r->position, v->position);
	atomic_init(&r->durable, v->durable);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
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

static bool runner_stopping(struct runner *r)
{
	bool stop;

	pthread_mutex_lock(&r->lock);
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return stop;
}

/* Applies m, trying again while the view says so. False: stopping. */
static bool runner_apply(struct runner *r, const struct message *m)
{
	struct view *v = r->view;
	const struct delivery d = {
		.frame = &m->frame,
		.records = &m->records,
		.producer = m->producer,
		.sequence = m->sequence,
		.body_hash = m->body_hash,
	};
	int e;

	if (m->frame.position < v->position)
		return true; /* read from the journal already */
	while ((e = v->ops->apply(v->self, &d)) < 0) {
		if (atomic_exchange(&r->err, e) != e)
			log_error("apply",
				  "view %s stands still: %s; it goes "
				  "on by itself",
				  v->ops->name, err_text(e));
		if (runner_stopping(r))
			return false;
		usleep(RETRY_MS * 1000);
	}
	atomic_store(&r->err, 0);
	v->position = m->frame.next;
	atomic_store(&r->position, v->position);
	atomic_fetch_add(&r->applied, 1);
	r->since_checkpoint++;
	return true;
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

/* Reads the journal from the view's position to its durable end. */
static int read_on(struct runner *r, struct journal_reader *reader)
{
	struct frame frame;
	bool gap = false;
	int e;

	while ((e = journal_reader_next(reader, &frame, &gap)) > 0) {
		struct message *m;
		bool more;

		if (gap)
			log_error("apply",
				  "view %s: the journal no longer has "
				  "what it needs; records are missing from it",
				  r->view->ops->name);
		gap = false;
		m = message_new(r->apply);
		if (!m)
			return ERR_NOMEM;
		e = r->apply->options.decode(m, &frame);
		if (e == ERR_CORRUPT) {
			log_error("apply",
				  "frame %llu cannot be decoded and "
				  "is passed over",
				  (unsigned long long)frame.position);
			message_unref(m);
			continue;
		}
		more = e == 0 && runner_apply(r, m);
		message_unref(m);
		if (!more)
			return e ? e : ERR_CLOSED;
		runner_housekeeping(r);
	}
	return e;
}

/* The oldest message of the queue, or NULL. Under the lock. */
static struct message *queue_take(struct runner *r)
{
	struct message *m;

	if (!r->count)
		return NULL;
	m = r->queue[r->head];
	r->head = (r->head + 1) % APPLY_QUEUE_MESSAGES;
	r->count--;
	return m;
}

static void runner_catch_up(struct runner *r)
{
	struct journal_reader *reader;
	struct message *m;
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

			pthread_mutex_lock(&r->lock);
			r->behind = false;
			pthread_mutex_unlock(&r->lock);
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
	pthread_mutex_lock(&r->lock);
	if (e) {
		/* What was queued meanwhile lies behind a hole: the journal
		 * has it all. */
		r->behind = true;
		while ((m = queue_take(r)))
			message_unref(m);
	} else if (!r->caught_up) {
		r->caught_up = true;
		pthread_cond_broadcast(&r->wake);
	}
	pthread_mutex_unlock(&r->lock);
	if (e && e != ERR_CLOSED) {
		if (atomic_exchange(&r->err, e) != e)
			log_error("apply",
				  "view %s cannot read the journal: "
				  "%s",
				  r->view->ops->name, err_text(e));
		usleep(RETRY_MS * 1000);
	}
}

/* The next message, or NULL after a second, when behind or when stopping. */
static struct message *runner_pop(struct runner *r, bool *behind, bool *stop)
{
	struct message *m;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&r->lock);
	while (!r->count && !r->behind && !r->stop)
		if (pthread_cond_timedwait(&r->wake, &r->lock, &until) ==
		    ETIMEDOUT)
			break;
	m = queue_take(r);
	*behind = r->behind && !m;
	*stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return m;
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	r->last_checkpoint = env_mono(r->apply->options.env);
	for (;;) {
		bool behind, stop;
		struct message *m = runner_pop(r, &behind, &stop);

		if (m) {
			bool more = runner_apply(r, m);

			message_unref(m);
			/* What is queued behind a frame that could not be
			 * applied is not either: the next start goes on at
			 * that frame. */
			if (!more)
				break;
		} else if (stop) {
			break; /* the queue is drained */
		} else if (behind) {
			runner_catch_up(r);
		}
		runner_housekeeping(r);
	}
	runner_checkpoint(r);
	return NULL;
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
		pthread_setname_np(r->thread, r->view->ops->name);
	}
	for (size_t i = 0; i < a->count; i++) {
		struct runner *r = a->runners[i];

		pthread_mutex_lock(&r->lock);
		while (!r->caught_up)
			pthread_cond_wait(&r->wake, &r->lock);
		pthread_mutex_unlock(&r->lock);
	}
	return 0;
}

void apply_push(struct apply *a, struct message *m)
{
	bool tight = atomic_load(&a->live_bytes) > APPLY_LIVE_BYTES / 2;

	for (size_t i = 0; i < a->count; i++) {
		struct runner *r = a->runners[i];

		pthread_mutex_lock(&r->lock);
		if (r->behind) {
			/* it reads this one from the journal */
		} else if (r->count == APPLY_QUEUE_MESSAGES ||
			   (tight && r->count)) {
			r->behind = true;
			stats_add(&a->options.stats->view_overflows, 1);
		} else {
			atomic_fetch_add(&m->refs, 1);
			r->queue[(r->head + r->count) % APPLY_QUEUE_MESSAGES] =
				m;
			r->count++;
		}
		pthread_cond_signal(&r->wake);
		pthread_mutex_unlock(&r->lock);
	}
}

void apply_stop(struct apply *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct runner *r = a->runners[i];

		pthread_mutex_lock(&r->lock);
		r->stop = true;
		pthread_cond_broadcast(&r->wake);
		pthread_mutex_unlock(&r->lock);
	}
	for (size_t i = 0; i < a->count; i++) {
		if (a->runners[i]->started)
			pthread_join(a->runners[i]->thread, NULL);
	}
	/* Only now: a runner's last checkpoint looks at all of them. */
	for (size_t i = 0; i < a->count; i++) {
		struct runner *r = a->runners[i];
		struct message *m;

		while ((m = queue_take(r)))
			message_unref(m);
		pthread_cond_destroy(&r->wake);
		pthread_mutex_destroy(&r->lock);
		free(r);
	}
	free(a);
}

size_t apply_stats(struct apply *a, struct apply_view_stats *out, size_t max)
{
	size_t n = a->count < max ? a->count : max;

	for (size_t i = 0; i < n; i++) {
		struct runner *r = a->runners[i];

		pthread_mutex_lock(&r->lock);
		out[i] = (struct apply_view_stats){
			.name = r->view->ops->name,
			.position = atomic_load(&r->position),
			.durable = atomic_load(&r->durable),
			.applied = atomic_load(&r->applied),
			.queued = r->count,
			.behind = r->behind,
			.err = atomic_load(&r->err),
		};
		pthread_mutex_unlock(&r->lock);
	}
	return n;
}

size_t apply_live_bytes(const struct apply *a)
{
	return atomic_load(&a->live_bytes);
}
