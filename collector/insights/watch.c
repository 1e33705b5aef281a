/* SPDX-License-Identifier: Apache-2.0 */
/* The watch's thread. */
#include "collector/insights/watch.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"

#define MINUTE_NS (60 * NS_PER_S)

struct watch {
	struct watch_parts parts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stopping;
	sem_t ready;
	int64_t next; /* minute since 1970; 0: not known yet */
};

static bool is_stopping(struct watch *w)
{
	bool stopping;

	pthread_mutex_lock(&w->lock);
	stopping = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return stopping;
}

/* Every minute that has settled, but after a pause or a clock's jump those of
 * the last quarter of an hour alone. */
static void catch_up(struct watch *w)
{
	int64_t now_ns = env_wall(w->parts.env).ns;
	int64_t last = (now_ns - WATCH_SETTLE_S * NS_PER_S) / MINUTE_NS - 1;

	if (w->next <= last - WATCH_CATCH_UP || w->next > last + 1)
		w->next = last - WATCH_CATCH_UP + 1;
	for (; w->next <= last && !is_stopping(w); w->next++) {
		int e = watch_minute(&w->parts, w->next * MINUTE_NS);

		if (e)
			log_warn("insights", "a minute is not counted: %s",
				 err_text(e));
	}
}

static void *watch_main(void *arg)
{
	struct watch *w = arg;

	pthread_setname_np(pthread_self(), "insights");
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), WATCH_NICE);
	sem_post(&w->ready);
	while (!is_stopping(w)) {
		struct timespec until;

		catch_up(w);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += WATCH_EVERY_S;
		pthread_mutex_lock(&w->lock);
		while (!w->stopping &&
		       pthread_cond_timedwait(&w->wake, &w->lock, &until) !=
			       ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

int watch_start(struct watch **out, const struct watch_parts *parts,
		struct diag *diag)
{
	struct watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	w->parts = *parts;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	sem_init(&w->ready, 0, 0);
	if (pthread_create(&w->thread, NULL, watch_main, w)) {
		free(w);
		return diag_set(diag, ERR_NOMEM,
				"cannot start the thread for insights");
	}
	/* Afterwards the process gives up the call that it begins with. */
	while (sem_wait(&w->ready) < 0)
		continue;
	*out = w;
	return 0;
}

void watch_stop(struct watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	sem_destroy(&w->ready);
	free(w);
}
