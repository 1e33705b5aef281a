/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/errand/errand.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/errand/process.h"
#include "core/base/log.h"

/* An errand under way; id 0: a free place. */
struct flight {
	uint64_t id;
	int64_t deadline_ms; /* monotonic */
	errand_done_fn *done;
	void *arg;
};

struct errand {
	struct errand_options options;
	pid_t pid;
	int fd;
	pthread_t reader;
	bool listening;
	atomic_bool closing;
	pthread_mutex_t lock;
	/* Under the lock. */
	struct flight flights[ERRAND_FLIGHT_MAX];
	uint64_t last_id;
	bool gone;
	struct buf out; /* a request being written */
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

/* --- asking ------------------------------------------------------------------- */

static struct flight *find(struct errand *e, uint64_t id)
{
	for (size_t i = 0; i < ERRAND_FLIGHT_MAX; i++)
		if (e->flights[i].id == id)
			return &e->flights[i];
	return NULL;
}

/* With the lock held. */
static int send_request(struct errand *e, const struct errand_request *r)
{
	buf_reset(&e->out);
	errand_request_write(r, &e->out);
	if (e->out.failed)
		return ERR_NOMEM;
	if (send(e->fd, e->out.ptr, e->out.len, MSG_DONTWAIT | MSG_NOSIGNAL) >=
	    0)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED : ERR_BUSY;
}

int errand_ask(struct errand *e, const struct errand_request *request,
	       errand_done_fn *done, void *arg)
{
	struct errand_request r = *request;
	struct flight *f;
	int err;

	if (r.target.len > ERRAND_TARGET_MAX || r.body.len > ERRAND_BODY_MAX ||
	    r.timeout_ms < 1 || r.timeout_ms > ERRAND_TIMEOUT_MS_MAX)
		return ERR_LIMIT;
	pthread_mutex_lock(&e->lock);
	f = find(e, 0);
	if (e->gone) {
		err = ERR_CLOSED;
	} else if (!f) {
		err = ERR_BUSY;
	} else {
		r.id = ++e->last_id;
		err = send_request(e, &r);
	}
	if (!err)
		*f = (struct flight){ r.id,
				      now_ms() + r.timeout_ms + ERRAND_GRACE_MS,
				      done, arg };
	pthread_mutex_unlock(&e->lock);
	return err;
}

/* --- the reader ----------------------------------------------------------------- */

/* Ends one flight. False: no such one, its time was over. */
static bool land(struct errand *e, const struct errand_answer *answer)
{
	struct flight landed = { 0 };
	struct flight *f;

	pthread_mutex_lock(&e->lock);
	f = answer->id ? find(e, answer->id) : NULL;
	if (f) {
		landed = *f;
		f->id = 0;
	}
	pthread_mutex_unlock(&e->lock);
	if (f)
		landed.done(landed.arg, answer);
	return f != NULL;
}

/* Ends all flights whose time is over at `now`. Returns how many. */
static size_t land_all(struct errand *e, int64_t now, enum errand_result result,
		       struct sv text)
{
	uint64_t over[ERRAND_FLIGHT_MAX];
	size_t n = 0;

	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < ERRAND_FLIGHT_MAX; i++)
		if (e->flights[i].id && e->flights[i].deadline_ms <= now)
			over[n++] = e->flights[i].id;
	pthread_mutex_unlock(&e->lock);
	for (size_t i = 0; i < n; i++)
		(void)land(e,
			   &(struct errand_answer){ over[i], result, 0, text });
	return n;
}

static void on_message(struct errand *e, struct sv message)
{
	struct errand_answer answer;
	bool restarted;
	int err = errand_answer_parse(message, &answer, &restarted);

	if (err) {
		count(e->options.bad);
		log_error("errand", "a message of the errand process: %s",
			  err_text(err));
	} else if (restarted) {
		count(e->options.restarted);
		log_error("errand", "the errand process crashed and was "
				    "started again");
		land_all(e, INT64_MAX, ERRAND_LOST,
			 SV("the errand process crashed"));
	} else {
		(void)land(e, &answer);
	}
}

static void on_end(struct errand *e)
{
	pthread_mutex_lock(&e->lock);
	e->gone = true;
	pthread_mutex_unlock(&e->lock);
	if (!atomic_load(&e->closing)) {
		count(e->options.lost);
		log_error("errand", "the errand process is gone: no webhook "
				    "will be sent until a restart");
	}
	land_all(e, INT64_MAX, ERRAND_LOST, SV("the errand process is gone"));
}

/* What is there. False: the end. */
static bool read_message(struct errand *e, char *bytes, size_t size)
{
	ssize_t n = recv(e->fd, bytes, size, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false; /* no message is empty */
	/* One that was cut does not parse: its size is too large. */
	on_message(e, sv_make(bytes, (size_t)n > size ? 0 : (size_t)n));
	return true;
}

static void *reader_main(void *arg)
{
	char bytes[ERRAND_HEAD_SIZE + ERRAND_TEXT_MAX];
	struct errand *e = arg;
	struct pollfd p = { e->fd, POLLIN, 0 };

	for (;;) {
		int n = poll(&p, 1, ERRAND_TICK_MS);

		if (n > 0 && !read_message(e, bytes, sizeof(bytes)))
			break;
		for (size_t late = land_all(e, now_ms(), ERRAND_LATE,
					    SV("no answer in its time"));
		     late > 0; late--)
			count(e->options.late);
	}
	on_end(e);
	return NULL;
}

/* --- life ------------------------------------------------------------------------- */

int errand_start(struct errand **out, const struct errand_options *options,
		 struct diag *diag)
{
	struct errand *e = calloc(1, sizeof(*e));
	pid_t own = getpid();
	int pair[2];

	if (!e)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(e);
		return diag_set(diag, ERR_IO, "cannot make a socket: %s",
				strerror(errno));
	}
	e->options = *options;
	e->out.limit = ERRAND_MESSAGE_MAX;
	e->pid = fork();
	if (e->pid == 0)
		errand_supervise(pair[1], options, own);
	close(pair[1]);
	e->fd = pair[0];
	pthread_mutex_init(&e->lock, NULL);
	if (e->pid < 0) {
		int err = diag_set(diag, ERR_IO, "cannot fork: %s",
				   strerror(errno));

		errand_close(e);
		return err;
	}
	*out = e;
	return 0;
}

int errand_listen(struct errand *e, struct diag *diag)
{
	assert(!e->listening);
	if (pthread_create(&e->reader, NULL, reader_main, e))
		return diag_set(diag, ERR_NOMEM, "cannot start a thread");
	e->listening = true;
	return 0;
}

static void wait_for_end(pid_t pid)
{
	const struct timespec step = { 0, 5 * 1000000 };

	for (int64_t until = now_ms() + ERRAND_CLOSE_MS; now_ms() < until;) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&step, NULL);
	}
	log_warn("errand", "the errand process does not end; it is killed when "
			   "this one has ended");
}

void errand_close(struct errand *e)
{
	if (!e)
		return;
	atomic_store(&e->closing, true);
	/* The other end reads its end, and so does the reader here. */
	shutdown(e->fd, SHUT_RDWR);
	if (e->listening)
		pthread_join(e->reader, NULL);
	if (e->pid > 0)
		wait_for_end(e->pid);
	close(e->fd);
	buf_fini(&e->out);
	pthread_mutex_destroy(&e->lock);
	free(e);
}
