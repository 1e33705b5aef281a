/* SPDX-License-Identifier: Apache-2.0 */
/* The worker: all errands under way in one loop, none waits for another. */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/errand/process.h"
#include "core/base/log.h"

enum {
	POLL_MS = 1000,
	ANSWER_BODY_MAX = 64 << 10, /* of the receiver; thrown away */
};

struct job {
	CURL *easy; /* NULL: a free place */
	struct curl_slist *headers;
	uint64_t id;
	size_t seen; /* bytes of the receiver's answer */
};

struct worker {
	int fd;
	CURLM *multi;
	struct job jobs[ERRAND_FLIGHT_MAX];
	struct buf out;
	char in[ERRAND_MESSAGE_MAX];
};

/* Blocks when nobody reads there: then there is nothing better to do. */
static void send_answer(struct worker *w, const struct errand_answer *a)
{
	struct errand_answer cut = *a;

	if (cut.text.len > ERRAND_TEXT_MAX)
		cut.text.len = ERRAND_TEXT_MAX;
	buf_reset(&w->out);
	errand_answer_write(&cut, &w->out);
	if (w->out.failed ||
	    send(w->fd, w->out.ptr, w->out.len, MSG_NOSIGNAL) < 0)
		_exit(0); /* the collector has gone */
}

/* --- one webhook ---------------------------------------------------------------- */

static size_t swallow(char *bytes, size_t size, size_t n, void *arg)
{
	struct job *j = arg;

	(void)bytes;
	j->seen += size * n;
	return j->seen > ANSWER_BODY_MAX ? 0 : size * n;
}

static bool prepare(struct job *j, const struct errand_request *r)
{
	char url[ERRAND_TARGET_MAX + 1];
	CURL *c = curl_easy_init();

	j->easy = c;
	j->id = r->id;
	j->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (!c || !j->headers)
		return false;
	memcpy(url, r->target.ptr, r->target.len);
	url[r->target.len] = '\0';
	curl_easy_setopt(c, CURLOPT_PRIVATE, j);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)r->body.len);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, j->headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "tallyscope");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* A name server that is silent holds up its own errand only: without
	 * this all wait for the thread that asks it. */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, j);
	return curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS,
				r->body.len ? r->body.ptr : "") == CURLE_OK;
}

static void job_fini(struct job *j)
{
	curl_easy_cleanup(j->easy);
	curl_slist_free_all(j->headers);
	*j = (struct job){ .easy = NULL };
}

static void begin(struct worker *w, const struct errand_request *r)
{
	struct job *j = w->jobs;
	struct job *end = j + ERRAND_FLIGHT_MAX;
	const char *why = "too many errands are under way";

	while (j < end && j->easy)
		j++;
	if (j < end) {
		if (prepare(j, r) &&
		    curl_multi_add_handle(w->multi, j->easy) == CURLM_OK)
			return;
		job_fini(j);
		why = "out of memory";
	}
	send_answer(w, &(struct errand_answer){ .id = r->id,
						.result = ERRAND_REFUSED,
						.text = sv_from(why) });
}

static void finish(struct worker *w, CURL *easy, CURLcode code)
{
	struct job *j = NULL;
	long status = 0;
	bool ok;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&j);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(w->multi, easy);
	/* An answer that is too long was an answer. */
	ok = status >= 200 && status < 300;
	send_answer(w,
		    &(struct errand_answer){
			    .id = j->id,
			    .result = ok ? ERRAND_DONE : ERRAND_FAILED,
			    .status = (uint32_t)status,
			    .text = sv_from(code == CURLE_OK ?
						    "answered" :
						    curl_easy_strerror(code)),
		    });
	job_fini(j);
}

/* --- the loop ------------------------------------------------------------------- */

/* All requests that are there. Ends the process at the socket's end. */
static void take_requests(struct worker *w)
{
	for (;;) {
		ssize_t n = recv(w->fd, w->in, sizeof(w->in),
				 MSG_DONTWAIT | MSG_TRUNC);
		struct errand_request r;
		int e;

		if (n == 0)
			_exit(0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			_exit(1);
		e = (size_t)n > sizeof(w->in) ?
			    ERR_LIMIT :
			    errand_request_parse(sv_make(w->in, (size_t)n), &r);
		if (e)
			log_error("errand", "a message of the collector: %s",
				  err_text(e));
		else
			begin(w, &r);
	}
}

noreturn void errand_work(int fd)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		_exit(1);
	w->fd = fd;
	w->out.limit = ERRAND_MESSAGE_MAX;
	w->multi = curl_multi_init();
	if (!w->multi)
		_exit(1);
	for (;;) {
		struct curl_waitfd wait = { fd, CURL_WAIT_POLLIN, 0 };
		int running, left;
		CURLMsg *m;

		if (curl_multi_poll(w->multi, &wait, 1, POLL_MS, NULL) !=
		    CURLM_OK)
			_exit(1);
		take_requests(w);
		if (curl_multi_perform(w->multi, &running) != CURLM_OK)
			_exit(1);
		while ((m = curl_multi_info_read(w->multi, &left)))
			if (m->msg == CURLMSG_DONE)
				finish(w, m->easy_handle, m->data.result);
	}
}
