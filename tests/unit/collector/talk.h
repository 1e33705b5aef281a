/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets to a listener under test: connect, send, read what comes. After
 * cmocka's headers. */
#ifndef TALLY_TESTS_TALK_H
#define TALLY_TESTS_TALK_H

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 }; /* a loaded machine is slow */

static inline int talk_connect(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* False: the other side has gone. */
static inline bool talk_try(int fd, const void *bytes, size_t n)
{
	return send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static inline void talk_send(int fd, const char *text)
{
	assert_true(talk_try(fd, text, strlen(text)));
}

static inline void talk_send_zeros(int fd, size_t n)
{
	static const char zeros[64 << 10];

	while (n) {
		size_t most = n < sizeof(zeros) ? n : sizeof(zeros);
		ssize_t put = send(fd, zeros, most, MSG_NOSIGNAL);

		assert_true(put > 0);
		n -= (size_t)put;
	}
}

/* What comes next, as text. Returns its length; 0: closed, in whichever way;
 * fails after PATIENCE_MS of silence. */
static inline size_t talk_read(int fd, char *text, size_t size)
{
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n;

	if (poll(&p, 1, PATIENCE_MS) != 1)
		fail_msg("neither an answer nor an end");
	n = recv(fd, text, size - 1, 0);
	n = n < 0 ? 0 : n;
	text[n] = '\0';
	return (size_t)n;
}

/* The next answer says so. */
static inline void talk_expect(int fd, const char *status, const char *what)
{
	char text[1024];

	if (!talk_read(fd, text, sizeof(text)))
		fail_msg("closed, and no %s, %s", status, what);
	if (!strstr(text, status) || !strstr(text, what))
		fail_msg("no %s, %s in: %s", status, what, text);
}

static inline void talk_expect_end(int fd)
{
	char text[4096];

	while (talk_read(fd, text, sizeof(text)))
		continue;
}

/* Whether it is closed by now. */
static inline bool talk_ended(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char c;

	return poll(&p, 1, 0) == 1 && recv(fd, &c, 1, MSG_PEEK) <= 0;
}

static inline uint64_t talk_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#endif
