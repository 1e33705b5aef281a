/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

void http_close(struct http *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

void http_fini(struct http *h)
{
	http_close(h);
	buf_fini(&h->in);
}

static int http_connect(struct http *h)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(h->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = { .tv_sec = 10 };
	int one = 1;

	if (h->fd >= 0)
		return 0;
	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (h->fd < 0)
		return ERR_IO;
	setsockopt(h->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(h->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(h->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		http_close(h);
		return ERR_CLOSED;
	}
	return 0;
}

static int send_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t put = send(fd, bytes, n, MSG_NOSIGNAL);

		if (put <= 0)
			return ERR_CLOSED;
		bytes += put;
		n -= (size_t)put;
	}
	return 0;
}

static int receive(struct http *h)
{
	char bytes[16 << 10];
	ssize_t got = recv(h->fd, bytes, sizeof(bytes), 0);

	if (got <= 0)
		return ERR_CLOSED;
	buf_add(&h->in, bytes, (size_t)got);
	return h->in.failed ? ERR_LIMIT : 0;
}

/* Content-Length of the headers, or 0. */
static size_t content_length(const char *headers)
{
	const char *line = headers;

	while ((line = strstr(line, "\r\n"))) {
		line += 2;
		if (!strncasecmp(line, "Content-Length:", 15))
			return strtoul(line + 15, NULL, 10);
	}
	return 0;
}

static int read_answer(struct http *h, struct sv *answer)
{
	const char *end = NULL;
	size_t start, length;
	uint64_t status;

	buf_reset(&h->in);
	h->in.limit = HTTP_ANSWER_MAX;
	while (!end) {
		int e = receive(h);

		if (e < 0)
			return e;
		end = strstr(h->in.ptr, "\r\n\r\n");
	}
	start = (size_t)(end - h->in.ptr) + 4;
	h->in.ptr[start - 2] = '\0';
	length = content_length(h->in.ptr);
	if (h->in.len < 12 || !sv_to_u64(sv_make(h->in.ptr + 9, 3), &status))
		return ERR_SYNTAX;
	while (h->in.len < start + length) {
		int e = receive(h);

		if (e < 0)
			return e;
	}
	*answer = sv_make(h->in.ptr + start, length);
	return (int)status;
}

int http_call(struct http *h, const char *method, const char *path,
	      const char *type, struct sv body, struct sv *answer)
{
	struct buf head = BUF_INIT;
	int e = http_connect(h);

	if (e < 0)
		return e;
	buf_format(&head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method,
		   path);
	if (type)
		buf_format(&head, "Content-Type: %s\r\n", type);
	buf_format(&head, "Content-Length: %zu\r\n\r\n", body.len);
	e = head.failed ? ERR_NOMEM : send_all(h->fd, head.ptr, head.len);
	if (e == 0)
		e = send_all(h->fd, body.ptr, body.len);
	buf_fini(&head);
	if (e == 0)
		e = read_answer(h, answer);
	if (e < 0)
		http_close(h);
	return e;
}
