/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty, not_full;
	size_t capacity, first, length;
	struct queue_stats stats; /* length and capacity are set when asked */
	bool closed;
	void *items[];
};

int queue_new(struct queue **out, size_t capacity)
{
	pthread_condattr_t attr;
	struct queue *q;

	assert(capacity > 0 && capacity <= QUEUE_CAPACITY_MAX);
	q = calloc(1, sizeof(*q) + capacity * sizeof(q->items[0]));
	if (!q)
		return ERR_NOMEM;
	q->capacity = capacity;
	/* None of these allocates in glibc. The clock must not jump. */
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->not_empty, &attr);
	pthread_cond_init(&q->not_full, &attr);
	pthread_condattr_destroy(&attr);
	*out = q;
	return 0;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->not_empty);
	pthread_cond_destroy(&q->not_full);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static struct timespec deadline_after(int timeout_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

/* Under the lock: false when the time is up. */
static bool wait_on(struct queue *q, pthread_cond_t *cond, int timeout_ms,
		    const struct timespec *deadline)
{
	if (timeout_ms == 0)
		return false;
	if (timeout_ms < 0)
		return pthread_cond_wait(cond, &q->lock) == 0;
	return pthread_cond_timedwait(cond, &q->lock, deadline) == 0;
}

static void put(struct queue *q, void *item)
{
	size_t last = q->first + q->length++;

	q->items[last < q->capacity ? last : last - q->capacity] = item;
	q->stats.pushed++;
	if (q->length > q->stats.high_water)
		q->stats.high_water = q->length;
	pthread_cond_signal(&q->not_empty);
}

static void *take(struct queue *q)
{
	void *item = q->items[q->first];

	if (++q->first == q->capacity)
		q->first = 0;
	q->length--;
	q->stats.popped++;
	pthread_cond_signal(&q->not_full);
	return item;
}

int queue_push(struct queue *q, void *item)
{
	int err = 0;

	assert(item);
	pthread_mutex_lock(&q->lock);
	if (q->closed) {
		err = ERR_CLOSED;
	} else if (q->length == q->capacity) {
		q->stats.refused++;
		err = ERR_BUSY;
	} else {
		put(q, item);
	}
	pthread_mutex_unlock(&q->lock);
	return err;
}

int queue_push_wait(struct queue *q, void *item, int timeout_ms)
{
	struct timespec deadline = { 0 };
	bool in_time = true;
	int err = 0;

	assert(item);
	if (timeout_ms > 0)
		deadline = deadline_after(timeout_ms);
	pthread_mutex_lock(&q->lock);
	while (!q->closed && q->length == q->capacity && in_time)
		in_time = wait_on(q, &q->not_full, timeout_ms, &deadline);
	if (q->closed)
		err = ERR_CLOSED;
	else if (q->length == q->capacity)
		err = ERR_TIMEOUT;
	else
		put(q, item);
	pthread_mutex_unlock(&q->lock);
	return err;
}

int queue_pop_many(struct queue *q, void **items, size_t max, size_t *n,
		   int timeout_ms)
{
	struct timespec deadline = { 0 };
	bool in_time = true;
	int err = 0;

	assert(max > 0);
	*n = 0;
	if (timeout_ms > 0)
		deadline = deadline_after(timeout_ms);
	pthread_mutex_lock(&q->lock);
	while (!q->closed && q->length == 0 && in_time)
		in_time = wait_on(q, &q->not_empty, timeout_ms, &deadline);
	if (q->length == 0)
		err = q->closed ? ERR_CLOSED : ERR_TIMEOUT;
	while (q->length && *n < max)
		items[(*n)++] = take(q);
	pthread_mutex_unlock(&q->lock);
	return err;
}

int queue_pop(struct queue *q, void **item, int timeout_ms)
{
	size_t n;

	return queue_pop_many(q, item, 1, &n, timeout_ms);
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->not_empty);
	pthread_cond_broadcast(&q->not_full);
	pthread_mutex_unlock(&q->lock);
}

void queue_stats(struct queue *q, struct queue_stats *out)
{
	pthread_mutex_lock(&q->lock);
	*out = q->stats;
	out->length = q->length;
	out->capacity = q->capacity;
	pthread_mutex_unlock(&q->lock);
}
