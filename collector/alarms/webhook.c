/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/alarms/webhook.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/log.h"

enum {
	WEBHOOK_BACKOFF_MS = 1000,
	WEBHOOK_BUSY_MS = 50,    /* when the errand process has no room */
	WEBHOOK_CLOSE_MS = 5000, /* for all that waits, at the end */
};

struct post {
	struct post *next;
	struct webhook *webhook;
	struct sv url, body; /* one allocation with the post */
	uint32_t tries;
	int64_t due_ms; /* monotonic */
	char bytes[];
};

struct webhook {
	struct webhook_options options;
	struct errand *errand;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct post *posts; /* that wait, in order of arrival */
	struct post *flying[WEBHOOK_FLIGHT_MAX];
	size_t flying_count;
	int64_t hold_ms; /* nothing is sent before: there was no room */
	bool stop;
	int64_t stop_ms; /* then what still waits is given up */
	struct webhook_stats stats;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void count(_Atomic uint64_t *counter)
{
	if (counter)
		atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* --- what waits; all with the lock held --------------------------------------- */

static bool url_is_flying(const struct webhook *w, struct sv url)
{
	for (size_t i = 0; i < w->flying_count; i++)
		if (sv_eq(w->flying[i]->url, url))
			return true;
	return false;
}

/* The first that is due and whose receiver is free, taken off the list.
 * *wait_ms is until the next one, negative: none by itself. */
static struct post *take_due(struct webhook *w, int64_t *wait_ms)
{
	int64_t now = now_ms();

	*wait_ms = -1;
	if (w->flying_count == WEBHOOK_FLIGHT_MAX)
		return NULL;
	if (now < w->hold_ms) {
		*wait_ms = w->hold_ms - now;
		return NULL;
	}
	for (struct post **at = &w->posts; *at; at = &(*at)->next) {
		struct post *p = *at;

		if (p->due_ms <= now && !url_is_flying(w, p->url)) {
			*at = p->next;
			p->next = NULL;
			return p;
		}
		if (p->due_ms > now &&
		    (*wait_ms < 0 || p->due_ms - now < *wait_ms))
			*wait_ms = p->due_ms - now;
	}
	return NULL;
}

static void put_first(struct webhook *w, struct post *p)
{
	p->next = w->posts;
	w->posts = p;
}

static void put_last(struct webhook *w, struct post *p)
{
	struct post **at = &w->posts;

	while (*at)
		at = &(*at)->next;
	*at = p;
}

static void settle(struct webhook *w, struct post *p, bool ok, uint32_t status,
		   struct sv why)
{
	p->tries++;
	if (!ok && !w->stop && p->tries < w->options.tries) {
		w->stats.retried++;
		p->due_ms = now_ms() +
			    ((int64_t)w->options.backoff_ms << (p->tries - 1));
		put_last(w, p);
		return;
	}
	w->stats.waiting--;
	if (ok) {
		w->stats.posted++;
		count(w->options.sent);
	} else {
		w->stats.given_up++;
		count(w->options.failed);
		log_error("webhook", "given up after %u tries: %.*s, status %u",
			  p->tries, SV_ARG(why), status);
	}
	free(p);
}

/* --- one attempt ----------------------------------------------------------------- */

/* On the errand's reader thread. */
static void on_answer(void *arg, const struct errand_answer *a)
{
	struct post *p = arg;
	struct webhook *w = p->webhook;
	size_t i = 0;

	pthread_mutex_lock(&w->lock);
	while (i < w->flying_count && w->flying[i] != p)
		i++;
	assert(i < w->flying_count);
	w->flying[i] = w->flying[--w->flying_count];
	settle(w, p, a->result == ERRAND_DONE, a->status, a->text);
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

/* With the lock held, as on_answer needs it before it looks for the flight. */
static void send_post(struct webhook *w, struct post *p)
{
	int64_t left = w->options.timeout_ms;
	struct errand_request request = { .kind = ERRAND_WEBHOOK,
					  .target = p->url,
					  .body = p->body };
	int e;

	if (w->stop && w->stop_ms - now_ms() < left)
		left = w->stop_ms - now_ms();
	if (left <= 0) {
		settle(w, p, false, 0, SV("the collector ends"));
		return;
	}
	request.timeout_ms = (uint32_t)left;
	e = errand_ask(w->errand, &request, on_answer, p);
	if (!e) {
		w->flying[w->flying_count++] = p;
	} else if (e == ERR_BUSY) {
		w->hold_ms = now_ms() + WEBHOOK_BUSY_MS;
		put_first(w, p);
	} else {
		settle(w, p, false, 0, sv_from(err_text(e)));
	}
}

/* --- the thread --------------------------------------------------------------- */

static void wait_for_work(struct webhook *w, int64_t wait_ms)
{
	struct timespec until;

	if (wait_ms < 0) {
		pthread_cond_wait(&w->work, &w->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&w->work, &w->lock, &until);
}

static void *webhook_main(void *arg)
{
	struct webhook *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->stop || w->stats.waiting) {
		int64_t wait_ms;
		struct post *p = take_due(w, &wait_ms);

		if (p)
			send_post(w, p);
		else
			wait_for_work(w, wait_ms);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* --- life --------------------------------------------------------------------- */

int webhook_open(struct webhook **out, struct errand *errand,
		 const struct webhook_options *options)
{
	struct webhook *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return ERR_NOMEM;
	w->errand = errand;
	w->options = options ? *options : (struct webhook_options){ 0 };
	if (!w->options.timeout_ms)
		w->options.timeout_ms = WEBHOOK_TIMEOUT_MS;
	if (!w->options.backoff_ms)
		w->options.backoff_ms = WEBHOOK_BACKOFF_MS;
	if (!w->options.tries)
		w->options.tries = WEBHOOK_TRIES;
	if (!w->options.queue_max)
		w->options.queue_max = WEBHOOK_QUEUE_MAX;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&w->thread, NULL, webhook_main, w)) {
		pthread_mutex_destroy(&w->lock);
		pthread_cond_destroy(&w->work);
		free(w);
		return ERR_NOMEM;
	}
	*out = w;
	return 0;
}

void webhook_close(struct webhook *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	w->stop_ms = now_ms() + WEBHOOK_CLOSE_MS;
	for (struct post *p = w->posts; p; p = p->next)
		p->due_ms = 0;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	assert(!w->posts && !w->flying_count);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->work);
	free(w);
}

int webhook_post(struct webhook *w, struct sv url, struct sv body)
{
	struct post *p;
	int e = 0;

	if (url.len > WEBHOOK_URL_MAX || body.len > WEBHOOK_BODY_MAX)
		return ERR_LIMIT;
	p = calloc(1, sizeof(*p) + url.len + body.len + 1);
	if (!p)
		return ERR_NOMEM;
	p->webhook = w;
	memcpy(p->bytes, url.ptr, url.len);
	memcpy(p->bytes + url.len, body.ptr, body.len);
	p->url = sv_make(p->bytes, url.len);
	p->body = sv_make(p->bytes + url.len, body.len);
	pthread_mutex_lock(&w->lock);
	if (w->stop)
		e = ERR_CLOSED;
	else if (w->stats.waiting >= w->options.queue_max)
		e = ERR_BUSY;
	if (e) {
		w->stats.refused++;
		count(w->options.failed);
	} else {
		w->stats.waiting++;
		put_last(w, p);
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	if (e)
		free(p);
	return e;
}

void webhook_stats(struct webhook *w, struct webhook_stats *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->stats;
	pthread_mutex_unlock(&w->lock);
}
