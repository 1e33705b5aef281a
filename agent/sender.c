/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sender.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/codec/json.h"

struct sender {
	const struct env *env;
	struct spool *spools[SENDER_SPOOLS_MAX];
	unsigned spool_count;
	struct batch *batch;
	char url[SENDER_URL_MAX];
	CURL *curl;
	struct curl_slist *headers;
	struct buf body;
	struct buf answer;
	char curl_error[CURL_ERROR_SIZE];
	pthread_t thread;
	int stop_fd; /* ends a pause */
	atomic_bool stopping;
	pthread_mutex_t lock; /* of stats */
	struct sender_stats stats;
};

enum verdict { TAKEN, CONFLICT, NEVER, AGAIN };

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct sender *s = arg;

	buf_add(&s->answer, data, size * n);
	return size * n; /* what is over the limit is thrown away */
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	struct sender *s = arg;

	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(&s->stopping);
}

static void set_trouble(struct sender *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->stats.trouble, sizeof(s->stats.trouble), "%s", text);
	pthread_mutex_unlock(&s->lock);
}

/* How many records the answer names: the batch was stored without them. */
static uint64_t refused_records(const struct sender *s)
{
	struct arena arena = ARENA_INIT;
	struct json_doc doc;
	uint64_t n = 0;

	if (!s->answer.failed &&
	    json_parse(&doc, &arena, buf_view(&s->answer), NULL) == 0) {
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
		 (unsigned long long)n, s->answer.ptr);
	pthread_mutex_lock(&s->lock);
	s->stats.records_refused += n;
	pthread_mutex_unlock(&s->lock);
}

static enum verdict judge(struct sender *s, long status)
{
	char text[160];

	switch (status) {
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
		snprintf(text, sizeof(text), "it answered %ld: %.100s", status,
			 s->answer.len ? s->answer.ptr : "");
		set_trouble(s, text);
		return AGAIN;
	}
}

static enum verdict post(struct sender *s, uint64_t *retry_after_ms)
{
	curl_off_t seconds = 0;
	long status = 0;
	CURLcode code;

	buf_reset(&s->answer);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, s->body.ptr);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)s->body.len);
	code = curl_easy_perform(s->curl);
	if (code != CURLE_OK) {
		set_trouble(s, s->curl_error[0] ? s->curl_error :
						  curl_easy_strerror(code));
		return AGAIN;
	}
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > SENDER_RETRY_AFTER_S_MAX)
		seconds = SENDER_RETRY_AFTER_S_MAX;
	*retry_after_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
	return judge(s, status);
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
			 s->answer.len ? s->answer.ptr : "");
	if (verdict == CONFLICT)
		log_warn("sender", "batch %llu: %.300s",
			 (unsigned long long)sequence,
			 s->answer.len ? s->answer.ptr : "conflict");
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
	uint64_t pause = SENDER_PAUSE_MS_MIN;

	while (!atomic_load(&s->stopping)) {
		uint64_t retry_after = 0;
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
		verdict = post(s, &retry_after);
		if (verdict != AGAIN) {
			settle(s, spool, sequence, verdict);
			pause = SENDER_PAUSE_MS_MIN;
			continue;
		}
		pthread_mutex_lock(&s->lock);
		s->stats.retries++;
		pthread_mutex_unlock(&s->lock);
		pause_ms(s, retry_after > pause ? retry_after : pause);
		pause = pause * 2 < SENDER_PAUSE_MS_MAX ? pause * 2 :
							  SENDER_PAUSE_MS_MAX;
	}
	return NULL;
}

static int set_up_curl(struct sender *s, const char *url)
{
	struct curl_slist *more;
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	if (snprintf(s->url, sizeof(s->url), "%.*s/api/v1/batches", (int)n,
		     url) >= SENDER_URL_MAX)
		return ERR_LIMIT;
	s->curl = curl_easy_init();
	if (!s->curl)
		return ERR_NOMEM;
	s->headers =
		curl_slist_append(NULL, "Content-Type: application/x-protobuf");
	more = curl_slist_append(s->headers, "Accept: application/json");
	/* No round trip to ask whether a body may follow. */
	if (more)
		more = curl_slist_append(s->headers, "Expect:");
	if (!s->headers || !more)
		return ERR_NOMEM;
	curl_easy_setopt(s->curl, CURLOPT_URL, s->url);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers);
	curl_easy_setopt(s->curl, CURLOPT_USERAGENT,
			 "tally-agent/" TALLY_VERSION);
	curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(s->curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)SENDER_CONNECT_MS);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, (long)SENDER_ANSWER_MS);
	curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->curl_error);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, s);
	return 0;
}

static void free_sender(struct sender *s)
{
	curl_slist_free_all(s->headers);
	if (s->curl)
		curl_easy_cleanup(s->curl);
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	buf_fini(&s->body);
	buf_fini(&s->answer);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int sender_start(struct sender **out, const struct env *env, const char *url,
		 struct spool *const *spools, unsigned spool_count,
		 struct batch *batch, struct diag *diag)
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
	s->answer.limit = SENDER_ANSWER_BYTES_MAX;
	pthread_mutex_init(&s->lock, NULL);
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e = s->stop_fd < 0 ? ERR_IO : set_up_curl(s, url);
	if (e == 0 && pthread_create(&s->thread, NULL, run, s))
		e = ERR_IO;
	if (e < 0) {
		free_sender(s);
		return diag_set(diag, e, "the sender cannot start: %s",
				err_text(e));
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
