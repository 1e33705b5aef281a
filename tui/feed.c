/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/feed.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/client/answer.h"

struct feed {
	const struct env *env;
	struct client *client; /* the thread's alone */
	atomic_bool stop;
	int interval_ms;
	int fd; /* an eventfd: the mailbox has something */
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	struct question question;
	bool asked; /* a new question, not looked at yet */
	bool hurry;
	struct delivery mail;
};

void delivery_fini(struct delivery *d)
{
	model_functions_free(d->functions);
	model_alarms_free(d->alarms);
	model_traces_free(d->traces);
	waterfall_free(d->trace);
	map_free(d->map);
	*d = (struct delivery){ 0 };
}

static double wall_s(const struct env *env)
{
	return (double)env_wall(env).ns / (double)NS_PER_S;
}

static int no_memory(struct diag *diag)
{
	return diag_set(diag, ERR_NOMEM, "the answer is too large to be shown");
}

static int get_functions(struct client *c, struct delivery *d,
			 struct diag *diag)
{
	json_t *root;
	int err = answer_get(c, "/api/v1/functions", &root, diag);

	if (!err && !(d->functions = model_functions_new(root)))
		err = no_memory(diag);
	json_decref(root);
	return err;
}

static int get_alarms(struct client *c, struct delivery *d, struct diag *diag)
{
	json_t *root;
	int err = answer_get(c, "/api/v1/alarms", &root, diag);

	if (!err && !(d->alarms = model_alarms_new(root)))
		err = no_memory(diag);
	json_decref(root);
	return err;
}

static int get_traces(struct client *c, const char *function,
		      struct delivery *d, struct diag *diag)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	json_t *root = NULL;
	int err;

	buf_text(&path, "/api/v1/traces");
	client_query(&path, "function", function);
	client_query(&path, "limit", "100");
	err = answer_get(c, path.ptr, &root, diag);
	if (!err && !(d->traces = model_traces_new(root, sv_from(function))))
		err = no_memory(diag);
	json_decref(root);
	buf_fini(&path);
	return err;
}

static int get_trace(struct client *c, const char *id, struct delivery *d,
		     struct diag *diag)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	json_t *root = NULL;
	int err;

	buf_text(&path, "/api/v1/traces/");
	client_escape(&path, sv_from(id));
	err = answer_get(c, path.ptr, &root, diag);
	if (!err && !(d->trace = waterfall_new(root, sv_from(id))))
		err = no_memory(diag);
	json_decref(root);
	buf_fini(&path);
	return err;
}

static int get_map(struct client *c, struct delivery *d, struct diag *diag)
{
	json_t *root;
	int err = answer_get(c, "/api/v1/map", &root, diag);

	if (!err && !(d->map = map_new(root)))
		err = no_memory(diag);
	json_decref(root);
	return err;
}

/* What the screen waits for. */
static int get_question(struct client *c, const struct question *q,
			struct delivery *d, struct diag *diag)
{
	int err = 0;

	if (q->trace[0])
		err = get_trace(c, q->trace, d, diag);
	if (!err && q->function[0])
		err = get_traces(c, q->function, d, diag);
	if (!err && q->map)
		err = get_map(c, d, diag);
	return err;
}

static int get_overview(struct client *c, struct delivery *d, struct diag *diag)
{
	int err = get_functions(c, d, diag);

	return err ? err : get_alarms(c, d, diag);
}

int feed_once(struct client *client, const struct env *env,
	      const struct question *question, struct delivery *out,
	      struct diag *diag)
{
	int err;

	*out = (struct delivery){ 0 };
	err = get_overview(client, out, diag);
	if (!err)
		err = get_question(client, question, out, diag);
	if (!err)
		out->link.heard = wall_s(env);
	return err;
}

/* A refusal is an answer: the collector is there. */
static bool is_refusal(int err)
{
	return err == ERR_NOT_FOUND || err == ERR_INVALID || err == ERR_LIMIT ||
	       err == ERR_NOMEM;
}

static void note_link(struct link_state *link, int err, const char *text,
		      double now)
{
	if (!err || is_refusal(err)) {
		link->lost = false;
		link->heard = now;
		return;
	}
	if (!link->lost)
		link->lost_since = now;
	link->lost = true;
	snprintf(link->text, sizeof(link->text), "%s", text);
}

#define MOVE(to, from, release)        \
	do {                           \
		if (from) {            \
			release(to);   \
			(to) = (from); \
			(from) = NULL; \
		}                      \
	} while (0)

/* Into the mailbox, under the lock, and tells the screen. */
static void deliver(struct feed *f, struct delivery *d)
{
	const uint64_t one = 1;

	MOVE(f->mail.functions, d->functions, model_functions_free);
	MOVE(f->mail.alarms, d->alarms, model_alarms_free);
	MOVE(f->mail.traces, d->traces, model_traces_free);
	MOVE(f->mail.trace, d->trace, waterfall_free);
	MOVE(f->mail.map, d->map, map_free);
	/* A full counter means that it is readable already. */
	if (write(f->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
}

static void add_ms(struct timespec *t, int ms)
{
	t->tv_sec += ms / 1000;
	t->tv_nsec += (long)(ms % 1000) * NS_PER_MS;
	if (t->tv_nsec >= NS_PER_S) {
		t->tv_sec++;
		t->tv_nsec -= NS_PER_S;
	}
}

static bool is_due(const struct timespec *due)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > due->tv_sec ||
	       (now.tv_sec == due->tv_sec && now.tv_nsec >= due->tv_nsec);
}

/* One question to the collector, without the lock, and its delivery. */
static void turn(struct feed *f, const struct question *q, bool overview)
{
	struct delivery d = { 0 };
	struct diag diag = { .text = "" };
	int err;

	if (overview)
		err = get_overview(f->client, &d, &diag);
	else
		err = get_question(f->client, q, &d, &diag);
	pthread_mutex_lock(&f->lock);
	if (!atomic_load(&f->stop))
		note_link(&f->mail.link, err, diag.text, wall_s(f->env));
	if (!overview)
		snprintf(f->mail.link.refused, sizeof(f->mail.link.refused),
			 "%s", is_refusal(err) ? diag.text : "");
	deliver(f, &d);
	pthread_mutex_unlock(&f->lock);
	delivery_fini(&d);
}

static void *run(void *arg)
{
	struct feed *f = arg;
	struct timespec due = { 0 };

	while (!atomic_load(&f->stop)) {
		struct question q;
		bool overview;

		pthread_mutex_lock(&f->lock);
		while (!f->asked && !f->hurry && !is_due(&due) &&
		       !atomic_load(&f->stop))
			pthread_cond_timedwait(&f->wake, &f->lock, &due);
		q = f->question;
		overview = f->hurry || is_due(&due);
		f->asked = f->hurry = false;
		pthread_mutex_unlock(&f->lock);
		if (atomic_load(&f->stop))
			break;
		/* The question first: somebody has just pressed a key. */
		if (q.function[0] || q.trace[0] || q.map)
			turn(f, &q, false);
		if (overview && !atomic_load(&f->stop)) {
			turn(f, &q, true);
			clock_gettime(CLOCK_MONOTONIC, &due);
			add_ms(&due, f->interval_ms);
		}
	}
	return NULL;
}

static int start_thread(struct feed *f)
{
	sigset_t all, before;
	int err;

	/* Signals, SIGWINCH above all, are for the screen's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&f->thread, NULL, run, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

int feed_open(struct feed **out, const struct env *env,
	      const struct settings *settings, int interval_ms,
	      struct diag *diag)
{
	struct feed *f = calloc(1, sizeof(*f));
	/* It asks again at its next turn anyway. */
	struct client_options options = { .timeout_ms = FEED_TIMEOUT_MS,
					  .attempts_max = 1 };
	pthread_condattr_t attr;
	int err;

	*out = NULL;
	if (!f)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	f->env = env;
	f->interval_ms = interval_ms;
	atomic_init(&f->stop, false);
	options.cancel = &f->stop;
	f->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = f->fd < 0 ?
		      diag_set(diag, ERR_IO, "eventfd: %s", strerror(errno)) :
		      client_open(&f->client, settings, &options, diag);
	if (err) {
		if (f->fd >= 0)
			close(f->fd);
		free(f);
		return err;
	}
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	err = start_thread(f);
	if (err) {
		client_close(f->client);
		close(f->fd);
		free(f);
		return diag_set(diag, ERR_IO, "cannot start a thread: %s",
				strerror(err));
	}
	*out = f;
	return 0;
}

void feed_close(struct feed *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	atomic_store(&f->stop, true);
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	client_close(f->client);
	delivery_fini(&f->mail);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	close(f->fd);
	free(f);
}

int feed_fd(const struct feed *f)
{
	return f->fd;
}

void feed_ask(struct feed *f, const struct question *question)
{
	pthread_mutex_lock(&f->lock);
	if (strcmp(f->question.function, question->function) ||
	    strcmp(f->question.trace, question->trace) ||
	    f->question.map != question->map) {
		f->question = *question;
		f->asked = true;
		pthread_cond_signal(&f->wake);
	}
	pthread_mutex_unlock(&f->lock);
}

void feed_hurry(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->hurry = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

void feed_take(struct feed *f, struct delivery *out)
{
	uint64_t count;

	pthread_mutex_lock(&f->lock);
	while (read(f->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	*out = f->mail;
	f->mail = (struct delivery){ .link = out->link };
	pthread_mutex_unlock(&f->lock);
}
