/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/errand/process.h"
#include "core/base/log.h"

enum { WORKED_WELL_S = 60 };

/* Standard error stays for the log. Descriptors of who started the collector
 * go too: they are none of this process's business. */
static int close_others(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -1;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (fd != STDERR_FILENO + 1) {
		dup2(fd, STDERR_FILENO + 1);
		fd = STDERR_FILENO + 1;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (close_range((unsigned)fd + 1, ~0U, 0) < 0 && null > fd)
		close(null); /* before Linux 5.9 the others stay open */
	return fd;
}

/* Dies with its parent, which may be dead already. */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

/* Those that the terminal and systemd send to all: the collector tells when it
 * is over. */
static void ignore_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static pid_t start_worker(int fd, const struct errand_options *options)
{
	pid_t own = getpid();
	pid_t worker = fork();
	struct diag diag = { 0 };

	if (worker != 0)
		return worker;
	die_with(own);
	if (confine_errand(options->confine, &diag)) {
		log_error("errand", "the worker: %s", diag.text);
		_exit(1);
	}
	errand_work(fd);
}

/* Until it ended. 0: it was told to. */
static int wait_for(pid_t worker)
{
	int status = 0;

	while (waitpid(worker, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* What waits for the dead worker is thrown away and then said to be lost:
 * done by the next one, it would be done twice when who asked asks again. */
static void say_restarted(int fd)
{
	struct buf message = { .limit = ERRAND_HEAD_SIZE + 1 };
	char bytes[1];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	errand_restarted_write(&message);
	if (message.failed ||
	    send(fd, message.ptr, message.len, MSG_NOSIGNAL) < 0)
		_exit(0); /* there is nobody to work for */
	buf_fini(&message);
}

noreturn void errand_supervise(int fd, const struct errand_options *options,
			       pid_t collector)
{
	int64_t wait_ms = ERRAND_RESTART_MS;
	struct diag diag = { 0 };

	prctl(PR_SET_NAME, "tally-errand");
	ignore_signals();
	fd = close_others(fd);
	/* Becoming another user forgets whose death it wants to know of, so
	 * that comes first. */
	if (fd < 0 ||
	    confine_supervisor(options->confine, options->user, &diag)) {
		log_error("errand", "the errand process: %s",
			  fd < 0 ? strerror(errno) : diag.text);
		_exit(1);
	}
	die_with(collector);
	for (;;) {
		time_t began = time(NULL);
		pid_t worker = start_worker(fd, options);
		int status = worker < 0 ? -1 : wait_for(worker);

		if (status == 0)
			_exit(0);
		log_error("errand", "the worker ended with %s %d",
			  WIFSIGNALED(status) ? "signal" : "status",
			  WIFSIGNALED(status) ? WTERMSIG(status) :
						WEXITSTATUS(status));
		if (time(NULL) - began >= WORKED_WELL_S)
			wait_ms = ERRAND_RESTART_MS;
		usleep((useconds_t)wait_ms * 1000);
		wait_ms = wait_ms * 2 < ERRAND_RESTART_MS_MAX ?
				  wait_ms * 2 :
				  ERRAND_RESTART_MS_MAX;
		say_restarted(fd);
	}
}
