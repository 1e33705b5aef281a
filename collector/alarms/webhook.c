/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/alarms/webhook.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/log.h"

enum {
	WEBHOOK_URL_MAX = 2048,
	WEBHOOK_BACKOFF_MS = 1000,
	WEBHOOK_CLOSE_MS = 5000, /* for all that waits, at the end */
};

struct post {
	struct post *next;
	char *url, *body;
	uint32_t tries;
	int64_t due_ms; /* monotonic */
};

struct webhook {
	struct webhook_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct post *posts; /* in order of arrival */
	bool stop;
	int64_t stop_ms; /* then what still waits is given up */
	struct webhook_stats stats;
	CURL *curl; /* the thread's */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void post_free(struct post *p)
{
	if (p) {
		free(p->url);
		free(p->body);
		free(p);
	}
}

/* --- one post ----------------------------------------------------------------- */

static size_t swallow(char *bytes, size_t size, size_t count, void *arg)
{
	size_t *seen = arg;

	(void)bytes;
	*seen += size * count;
	return *seen > WEBHOOK_ANSWER_MAX ? 0 : size * count;
}

static int64_t timeout_ms(struct webhook *w)
{
	int64_t all = w->options.timeout_ms, left = all;

	pthread_mutex_lock(&w->lock);
	if (w->stop)
		left = w->stop_ms - now_ms();
	pthread_mutex_unlock(&w->lock);
	return left < all ? left : all;
}

static bool send_post(struct webhook *w, const struct post *p, const char **why,
		      long *status)
{
	struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/json");
	size_t seen = 0;
	int64_t time_ms = timeout_ms(w);
	CURLcode code;

	*status = 0;
	if (time_ms <= 0) {
		curl_slist_free_all(headers);
		*why = "the collector ends";
		return false;
	}
	curl_easy_reset(w->curl);
	curl_easy_setopt(w->curl, CURLOPT_URL, p->url);
	curl_easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, p->body);
	curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(w->curl, CURLOPT_USERAGENT, "tallyscope");
	curl_easy_setopt(w->curl, CURLOPT_TIMEOUT_MS, (long)time_ms);
	curl_easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(w->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, &seen);
	code = curl_easy_perform(w->curl);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(headers);
	*why = code == CURLE_OK ? "answered" : curl_easy_strerror(code);
	/* An answer that is too long was an answer. */
	return *status >= 200 && *status < 300;
}

/* --- the thread --------------------------------------------------------------- */

/* The first that is due (any, when stopping), taken off the list. With the
 * lock held; *wait_ms is until the next one, negative: none. */
static struct post *take_due(struct webhook *w, int64_t *wait_ms)
{
	int64_t now = now_ms();

	*wait_ms = -1;
	for (struct post **at = &w->posts; *at; at = &(*at)->next) {
		struct post *p = *at;

		if (w->stop || p->due_ms <= now) {
			*at = p->next;
			p->next = NULL;
			return p;
		}
		if (*wait_ms < 0 || p->due_ms - now < *wait_ms)
			*wait_ms = p->due_ms - now;
	}
	return NULL;
}

static void put_back(struct webhook *w, struct post *p)
{
	struct post **at = &w->posts;

	while (*at)
		at = &(*at)->next;
	*at = p;
}

/* With the lock held. */
static void settle(struct webhook *w, struct post *p, bool ok, const char *why,
		   long status)
{
	p->tries++;
	if (!ok && !w->stop && p->tries < w->options.tries) {
		w->stats.retried++;
		p->due_ms = now_ms() +
			    ((int64_t)w->options.backoff_ms << (p->tries - 1));
		put_back(w, p);
		return;
	}
	w->stats.waiting--;
	if (ok) {
		w->stats.posted++;
	} else {
		w->stats.given_up++;
		log_error("webhook", "given up after %u tries: %s, status %ld",
			  p->tries, why, status);
	}
	post_free(p);
}

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
	for (;;) {
		int64_t wait_ms;
		struct post *p = take_due(w, &wait_ms);
		const char *why;
		long status;
		bool ok;

		if (!p && w->stop)
			break;
		if (!p) {
			wait_for_work(w, wait_ms);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		ok = send_post(w, p, &why, &status);
		pthread_mutex_lock(&w->lock);
		settle(w, p, ok, why, status);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* --- life --------------------------------------------------------------------- */

static void webhook_free(struct webhook *w)
{
	while (w->posts) {
		struct post *p = w->posts;

		w->posts = p->next;
		post_free(p);
	}
	if (w->curl)
		curl_easy_cleanup(w->curl);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->work);
	free(w);
}

int webhook_open(struct webhook **out, const struct webhook_options *options)
{
	struct webhook *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return ERR_NOMEM;
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
	curl_global_init(CURL_GLOBAL_DEFAULT);
	w->curl = curl_easy_init();
	if (!w->curl || pthread_create(&w->thread, NULL, webhook_main, w)) {
		webhook_free(w);
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
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	webhook_free(w);
}

int webhook_post(struct webhook *w, struct sv url, struct sv body)
{
	struct post *p;
	int e = 0;

	if (url.len > WEBHOOK_URL_MAX || body.len > WEBHOOK_BODY_MAX)
		return ERR_LIMIT;
	p = calloc(1, sizeof(*p));
	if (!p)
		return ERR_NOMEM;
	p->url = strndup(url.ptr, url.len);
	p->body = strndup(body.ptr, body.len);
	if (!p->url || !p->body) {
		post_free(p);
		return ERR_NOMEM;
	}
	pthread_mutex_lock(&w->lock);
	if (w->stop)
		e = ERR_CLOSED;
	else if (w->stats.waiting >= w->options.queue_max)
		e = ERR_BUSY;
	if (e) {
		w->stats.refused++;
	} else {
		w->stats.waiting++;
		put_back(w, p);
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	if (e)
		post_free(p);
	return e;
}

void webhook_stats(struct webhook *w, struct webhook_stats *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->stats;
	pthread_mutex_unlock(&w->lock);
}
