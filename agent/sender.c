/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sender.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/auth/secret.h"
#include "core/base/log.h"
#include "core/client/client.h"
#include "core/client/retry.h"
#include "core/codec/json.h"

struct sender {
	const struct env *env;
	struct spool *spools[SENDER_SPOOLS_MAX];
	unsigned spool_count;
	struct batch *batch;
	struct client *client;
	struct buf body;
	struct client_reply reply; /* to the last post; empty without one */
	pthread_t thread;
	int stop_fd; /* ends a pause */
	atomic_bool stopping;
	pthread_mutex_t lock; /* of stats */
	struct sender_stats stats;
};

enum verdict { TAKEN, CONFLICT, NEVER, AGAIN };

static void set_trouble(struct sender *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->stats.trouble, sizeof(s->stats.trouble), "%s", text);
	pthread_mutex_unlock(&s->lock);
}

/* For a message: what the collector said, or otherwise. */
static const char *said(const struct sender *s, const char *otherwise)
{
	return s->reply.body.len ? s->reply.body.ptr : otherwise;
}

/* How many records the answer names: the batch was stored without them. */
static uint64_t refused_records(const struct sender *s)
{
	struct arena arena = ARENA_INIT;
	struct json_doc doc;
	uint64_t n = 0;

	if (json_parse(&doc, &arena, buf_view(&s->reply.body), NULL) == 0) {
		struct json list = json_get(json_root(&doc), SV("refused"));

		if (json_is(list, JSON_ARRAY))
			for (struct json it = json_first(list); it.doc;
			     it = json_next(list, it))
				n++;
	}
	arena_fini(&arena);
	return n;
}

static void count_refused(struct sender *s)
{
	uint64_t n = refused_records(s);

	if (!n)
		return;
	log_warn("sender", "the collector refused %llu records: %.200s",
		 (unsigned long long)n, said(s, ""));
	pthread_mutex_lock(&s->lock);
	s->stats.records_refused += n;
	pthread_mutex_unlock(&s->lock);
}

static enum verdict judge(struct sender *s)
{
	struct diag diag;
	char text[sizeof(s->stats.trouble)];

	switch (s->reply.status) {
	case 200:
		return TAKEN;
	case 409:
		/* One that names no record means the batch: its sequence is
		 * known with other bytes or too old, nothing was stored. */
		return refused_records(s) ? CONFLICT : NEVER;
	case 400:
	case 413:
	case 415:
	case 422:
		return NEVER;
	default:
		if (!client_check(s->client, &s->reply, &diag))
			diag_set(&diag, ERR_IO, "is it a tally-collector?");
		snprintf(text, sizeof(text), "status %ld: %.230s",
			 s->reply.status, diag.text);
		set_trouble(s, text);
		return AGAIN;
	}
}

static enum verdict post(struct sender *s)
{
	const struct client_call call = {
		.method = "POST",
		.path = "/api/v1/batches",
		.content_type = "application/x-protobuf",
		.accept = "application/json",
		.body = buf_view(&s->body),
	};
	struct diag diag;

	client_reply_fini(&s->reply);
	if (client_exchange(s->client, &call, &s->reply, &diag)) {
		set_trouble(s, diag.text);
		return AGAIN;
	}
	return judge(s);
}

static void pause_ms(struct sender *s, uint64_t ms)
{
	struct pollfd fd = { .fd = s->stop_fd, .events = POLLIN };

	if (poll(&fd, 1, (int)ms) < 0)
		assert(errno == EINTR);
}

static void settle(struct sender *s, struct spool *spool, uint64_t sequence,
		   enum verdict verdict)
{
	int e = verdict == NEVER ? spool_refuse(spool, sequence) :
				   spool_done(spool, sequence);

	if (verdict == NEVER)
		log_warn("sender",
			 "the collector refuses batch %llu for good, it is "
			 "kept in %s/refused: %.200s",
			 (unsigned long long)sequence, spool_dir(spool),
			 said(s, ""));
	if (verdict == CONFLICT)
		log_warn("sender", "batch %llu: %.300s",
			 (unsigned long long)sequence, said(s, "conflict"));
	else
		count_refused(s);
	if (e < 0) { /* sent again later; the collector knows it then */
		log_warn("sender", "the spool %s: %s", spool_dir(spool),
			 err_text(e));
		pause_ms(s, SENDER_PAUSE_MS_MAX);
	}
	pthread_mutex_lock(&s->lock);
	s->stats.trouble[0] = '\0';
	s->stats.sent++;
	s->stats.conflicts += verdict == CONFLICT;
	s->stats.refused += verdict == NEVER;
	pthread_mutex_unlock(&s->lock);
}

/* The oldest batch of all: of the first spool that has one. */
static struct spool *next_batch(struct sender *s, uint64_t *sequence)
{
	for (unsigned i = 0; i < s->spool_count; i++) {
		int e = spool_oldest(s->spools[i], sequence, &s->body);

		if (e == 0)
			return s->spools[i];
		if (e != ERR_NOT_FOUND) {
			set_trouble(s, "the spool cannot be read");
			pause_ms(s, SENDER_PAUSE_MS_MAX);
		}
	}
	return NULL;
}

static void *run(void *arg)
{
	struct sender *s = arg;
	unsigned failures = 0; /* of this batch, one after the other */

	while (!atomic_load(&s->stopping)) {
		uint64_t random = 0;
		struct spool *spool;
		uint64_t sequence;
		enum verdict verdict;
		struct diag diag;

		if (batch_close(s->batch, false, &diag) < 0)
			set_trouble(s, diag.text);
		spool = next_batch(s, &sequence);
		if (!spool) {
			pause_ms(s, BATCH_MS_MAX / 4);
			continue;
		}
		verdict = post(s);
		if (verdict != AGAIN) {
			settle(s, spool, sequence, verdict);
			failures = 0;
			continue;
		}
		pthread_mutex_lock(&s->lock);
		s->stats.retries++;
		pthread_mutex_unlock(&s->lock);
		failures += failures < UINT_MAX;
		if (secret_random(&random, sizeof(random)))
			random = 0; /* all agents at once, then */
		pause_ms(s, retry_pause_ms(failures, s->reply.retry_after_ms,
					   random));
	}
	return NULL;
}

static void free_sender(struct sender *s)
{
	client_close(s->client);
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	buf_fini(&s->body);
	client_reply_fini(&s->reply);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static int open_client(struct sender *s, const struct settings *settings,
		       struct diag *diag)
{
	/* One try: the spool asks again for ever, at its own pace. */
	const struct client_options options = {
		.connect_timeout_ms = SENDER_CONNECT_MS,
		.timeout_ms = SENDER_ANSWER_MS,
		.answer_max_bytes = SENDER_ANSWER_BYTES_MAX,
		.attempts_max = 1,
		.cancel = &s->stopping,
		.env = s->env,
	};

	return client_open(&s->client, settings, &options, diag);
}

int sender_start(struct sender **out, const struct env *env,
		 const struct settings *settings, struct spool *const *spools,
		 unsigned spool_count, struct batch *batch, struct diag *diag)
{
	struct sender *s = calloc(1, sizeof(*s));
	int e;

	assert(spool_count && spool_count <= SENDER_SPOOLS_MAX);
	if (!s)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	s->env = env;
	s->batch = batch;
	s->spool_count = spool_count;
	for (unsigned i = 0; i < spool_count; i++)
		s->spools[i] = spools[i];
	pthread_mutex_init(&s->lock, NULL);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e = s->stop_fd < 0 ? diag_set(diag, ERR_IO, "the sender cannot start") :
			     open_client(s, settings, diag);
	if (e == 0 && pthread_create(&s->thread, NULL, run, s))
		e = diag_set(diag, ERR_IO, "the sender cannot start");
	if (e < 0) {
		free_sender(s);
		return e;
	}
	*out = s;
	return 0;
}

static uint64_t files_left(struct sender *s)
{
	uint64_t files = 0;

	for (unsigned i = 0; i < s->spool_count; i++)
		files += spool_stats(s->spools[i]).files;
	return files;
}

int sender_drain(struct sender *s, int timeout_ms, int stop_fd)
{
	struct pollfd fd = { .fd = stop_fd, .events = POLLIN };
	struct instant begin = env_mono(s->env);

	while (files_left(s)) {
		if (env_mono(s->env).ns - begin.ns >
		    (uint64_t)timeout_ms * (uint64_t)NS_PER_MS)
			return ERR_TIMEOUT;
		if (poll(&fd, 1, 10) > 0)
			return ERR_CLOSED;
	}
	return 0;
}

void sender_stop(struct sender *s)
{
	uint64_t one = 1;

	if (!s)
		return;
	atomic_store(&s->stopping, true);
	if (write(s->stop_fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
	pthread_join(s->thread, NULL);
	free_sender(s);
}

struct sender_stats sender_stats(struct sender *s)
{
	struct sender_stats stats;

	pthread_mutex_lock(&s->lock);
	stats = s->stats;
	pthread_mutex_unlock(&s->lock);
	return stats;
}
