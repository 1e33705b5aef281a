/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: how long one may take, and how many there may be. What the
 * library under us has is a limit for silence, which one byte a second evades;
 * these are for the whole of a phase:
 *
 *   head    from the connection's beginning (TLS's handshake is in it), or from
 *           a request line, to the end of the head
 *   body    from there to the end of the body, whatever Content-Length says
 *   reply   from the answer's first byte to its last
 *   idle    from there to the next request line
 *   ours    no limit: it waits for us (the journal; a long poll)
 *
 * A connection's phase and since when is one word in a flat array, written
 * without a lock by the thread that serves it: five stores a request. One
 * thread sleeps until the earliest deadline there can be, walks the array
 * (16,384 words: 20 us) and shuts down what is late; the thread that serves it
 * then finds the end of its stream, and closes. Sockets leave the table before
 * they are closed, so that none is shut down that is another's by then.
 *
 * The library misses the end of a stream that comes together with the last
 * bytes. So the thread looks for itself, twice a second, at connections that
 * owe us a head or a body, or are idle of late: one whose client has gone would
 * hold its place, and what its head announced, until its deadline.
 *
 * When connections_max are there, a newcomer takes the place of the one that
 * has waited for its client for longest: idle ones first, then those that are
 * slow with a head, a body, an answer. Those that wait for us stay; where all
 * do, the newcomer is closed.
 */
#ifndef TALLY_COLLECTOR_DOOR_CONNECTIONS_H
#define TALLY_COLLECTOR_DOOR_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum {
	HTTP_CONNECTIONS_MAX = 16384,
	HTTP_CLIENT_CONNECTIONS_MAX = 1024, /* of one address */
	HTTP_HEAD_S = 10,
	HTTP_BODY_S = 30,
	HTTP_IDLE_S = 60,
	HTTP_READER_S = 60,
	/* Connections that are being closed, beside those that live. */
	CONNECTIONS_CLOSING_MAX = 256,
	/* Descriptors for everything else: files, views, the journal, and the
	 * connections of the X-Ray daemon's port. */
	CONNECTIONS_OTHER_DESCRIPTORS = 2048,
};

enum connection_phase {
	CONNECTION_OURS,
	CONNECTION_HEAD,
	CONNECTION_BODY,
	CONNECTION_IDLE,
	CONNECTION_REPLY,
	CONNECTION_DOOMED, /* shut down, and soon to be closed */
	CONNECTION_PHASES,
};

enum connection_end {
	CONNECTION_END_HEAD,
	CONNECTION_END_BODY,
	CONNECTION_END_IDLE,
	CONNECTION_END_READER,
	CONNECTION_END_CROWDED,    /* for a newcomer, or as one */
	CONNECTION_END_CLIENT_CAP, /* its address has too many */
	CONNECTION_ENDS,
};

/* 0 means the default above. */
struct connections_options {
	unsigned head_ms, body_ms, idle_ms, reader_ms;
	uint32_t max;        /* fewer, where descriptors are */
	uint32_t client_max; /* loopback is exempt: a proxy may stand there */
	bool cap_loopback;   /* it is not */
	/* Count what was closed; each may be NULL. */
	_Atomic uint64_t *ended[CONNECTION_ENDS];
};

struct connections;
struct sockaddr;

/* Lets this process have as many descriptors as it is allowed. */
void connections_raise_descriptors(void);

/* Starts the thread. ERR_NOMEM. */
int connections_new(struct connections **out,
		    const struct connections_options *options) MUST_USE;
/* All have been removed. */
void connections_free(struct connections *c);
uint32_t connections_max(const struct connections *c);
/* How many live; those that are being closed do not. */
uint32_t connections_count(struct connections *c);

/* A newcomer, in CONNECTION_HEAD: a handle of the table. 0: it may not stay,
 * and is shut down. */
uint32_t connections_add(struct connections *c, int fd,
			 const struct sockaddr *peer) MUST_USE;
/* Before fd is closed. */
void connections_remove(struct connections *c, uint32_t handle);
/* From now on it is in this phase. By the thread that serves it only; nothing
 * for handle 0. */
void connections_phase(struct connections *c, uint32_t handle,
		       enum connection_phase phase);

#endif
