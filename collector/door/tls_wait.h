/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS, waiting: libmicrohttpd 0.9.75 asks a handshake that wants more bytes
 * again and again, without a pause (it does not note that reading said EAGAIN;
 * only for records it does): one client that sends three bytes of its hello
 * and then keeps still costs half a core. So a connection that has nothing to
 * read before its first request is suspended, and one thread waits for bytes
 * of all that are, by epoll, and resumes them. The deadline of a head goes on:
 * a connection that is shut down has something to read.
 */
#ifndef TALLY_COLLECTOR_DOOR_TLS_WAIT_H
#define TALLY_COLLECTOR_DOOR_TLS_WAIT_H

#include <stdbool.h>

#include "core/base/err.h"

struct MHD_Connection;
struct tls_wait;

/* One connection's; 0 at first, then embedded where it does not move. */
struct tls_waiter {
	struct tls_wait *wait;
	struct MHD_Connection *connection;
	int fd;
	bool done;    /* the first request has come: MHD waits well enough */
	bool known;   /* to epoll */
	bool waiting; /* it is in the list, and suspended */
	struct tls_waiter *next, *prev;
};

/* Starts the thread. ERR_NOMEM, ERR_IO. */
int tls_wait_new(struct tls_wait **out) MUST_USE;
/* Resumes all that wait, and no more are suspended from now on: before MHD is
 * stopped. */
void tls_wait_stop(struct tls_wait *w);
void tls_wait_free(struct tls_wait *w);

/* The session, whose handshake has not begun, reads through the waiter. */
void tls_wait_begin(struct tls_wait *w, struct tls_waiter *waiter,
		    struct MHD_Connection *connection, int fd, void *session);
/* Before fd is closed. */
void tls_wait_end(struct tls_waiter *waiter);

#endif
