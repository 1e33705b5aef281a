/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/readers.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/queue.h"

struct readers {
	struct queue *queue;
	http_handler_fn *serve;
	void *arg;
	pthread_t threads[READERS_THREADS];
	size_t count;
	sem_t ready; /* once by each thread */
};

static void *reader_main(void *arg)
{
	struct readers *q = arg;
	void *r;

	pthread_setname_np(pthread_self(), "reader");
	/* Of this thread alone, as Linux has it (setpriority(2)). */
	if (setpriority(PRIO_PROCESS, (id_t)gettid(), READERS_NICE) < 0)
		log_warn("door", "questions go as fast as writers do");
	sem_post(&q->ready);
	while (!queue_pop(q->queue, &r, -1)) {
		q->serve(q->arg, r);
		request_send(r);
	}
	return NULL;
}

int readers_start(struct readers **out, http_handler_fn *serve, void *arg)
{
	struct readers *q = calloc(1, sizeof(*q));

	if (!q)
		return ERR_NOMEM;
	q->serve = serve;
	q->arg = arg;
	sem_init(&q->ready, 0, 0);
	if (queue_new(&q->queue, READERS_QUEUE)) {
		readers_stop(q);
		return ERR_NOMEM;
	}
	while (q->count < READERS_THREADS) {
		if (pthread_create(&q->threads[q->count], NULL, reader_main,
				   q)) {
			readers_stop(q);
			return ERR_NOMEM;
		}
		q->count++;
	}
	/* Afterwards the process gives up the calls that they began with. */
	for (size_t i = 0; i < q->count; i++)
		while (sem_wait(&q->ready) < 0)
			continue;
	*out = q;
	return 0;
}

void readers_stop(struct readers *q)
{
	if (!q)
		return;
	if (q->queue)
		queue_close(q->queue);
	for (size_t i = 0; i < q->count; i++)
		pthread_join(q->threads[i], NULL);
	if (q->queue)
		queue_free(q->queue);
	sem_destroy(&q->ready);
	free(q);
}

int readers_take(struct readers *q, struct request *r)
{
	struct queue_stats stats;

	/* Looked at first: what is deferred cannot be taken back. */
	queue_stats(q->queue, &stats);
	if (stats.length >= stats.capacity)
		return ERR_BUSY;
	request_defer(r);
	while (queue_push_wait(q->queue, r, -1) == ERR_TIMEOUT)
		continue;
	return 0;
}
