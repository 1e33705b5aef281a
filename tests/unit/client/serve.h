/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server of a test: one thread, one answer a request, written by a
 * function of the test. It closes the connection after each answer.
 */
#ifndef TALLY_TESTS_UNIT_CLIENT_SERVE_H
#define TALLY_TESTS_UNIT_CLIENT_SERVE_H

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/text.h"

struct server;
/* Writes a whole HTTP answer to out; request is head and body. */
typedef void serve_fn(struct server *s, const char *request, struct buf *out);

struct server {
	serve_fn *answer;
	int fd;
	unsigned port;
	char url[64];
	pthread_t thread;
	int requests; /* of the server's thread; read it after serve_stop */
};

static inline void serve_json(struct buf *out, const char *status,
			      const char *body)
{
	buf_format(out,
		   "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
		   "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		   status, strlen(body), body);
}

/* The request is there, with as much body as it announces. */
static inline bool serve_is_whole(const struct buf *request)
{
	static const char length[] = "\r\nContent-Length: ";
	const char *end = request->ptr ? strstr(request->ptr, "\r\n\r\n") :
					 NULL;
	const char *field = end ? strstr(request->ptr, length) : NULL;
	size_t body = 0;

	if (field && field < end)
		body = strtoul(field + sizeof(length) - 1, NULL, 10);
	return end && request->len - (size_t)(end + 4 - request->ptr) >= body;
}

static inline void serve_one(struct server *s, int fd)
{
	struct timeval limit = { .tv_sec = 5 };
	struct buf request = BUF_INIT, out = BUF_INIT;
	char bytes[4096];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (!serve_is_whole(&request)) {
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n <= 0)
			break;
		buf_add(&request, bytes, (size_t)n);
	}
	if (request.len) {
		s->requests++;
		s->answer(s, request.ptr, &out);
		for (size_t at = 0; at < out.len; at += (size_t)n) {
			n = send(fd, out.ptr + at, out.len - at, MSG_NOSIGNAL);
			if (n <= 0)
				break;
		}
	}
	buf_fini(&request);
	buf_fini(&out);
}

static inline void *serve_run(void *arg)
{
	struct server *s = arg;

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		serve_one(s, fd);
		close(fd);
	}
}

/* port 0: any. */
static inline void serve_start(struct server *s, serve_fn *answer,
			       unsigned port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(at);
	int yes = 1;

	*s = (struct server){ .answer = answer };
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(s->fd, 16) ||
	    getsockname(s->fd, (struct sockaddr *)&at, &size))
		abort();
	s->port = ntohs(at.sin_port);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", s->port);
	if (pthread_create(&s->thread, NULL, serve_run, s))
		abort();
}

static inline void serve_stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

#endif
