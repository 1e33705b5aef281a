/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP client for tests: one keep-alive connection, blocking, over a
 * plain socket, so that a test decides about every byte and about what to do
 * when the other side dies. 127.0.0.1 only.
 */
#ifndef TALLY_TESTS_SIM_HTTP_H
#define TALLY_TESTS_SIM_HTTP_H

#include <stdint.h>

#include "core/base/text.h"

enum { HTTP_ANSWER_MAX = 64 << 20 };

struct http {
	uint16_t port;
	int fd; /* -1: not connected */
	struct buf in;
};

#define HTTP_INIT(p)                  \
	{                             \
		.port = (p), .fd = -1 \
	}

void http_close(struct http *h);
void http_fini(struct http *h);
/* The status, or negative: ERR_CLOSED when no whole answer came; whether the
 * request was done is then unknown. type may be NULL, accept too. The answer's
 * body is valid until the next call. */
int http_call(struct http *h, const char *method, const char *path,
	      const char *type, struct sv body, struct sv *answer);

#endif
