/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for the X-Ray daemon inside a sandbox: a UDP port that takes the
 * segments of the handler's own X-Ray SDK, and the same port on TCP that
 * answers its unsigned sampling calls with one rule: everything. The platform
 * decided about this request already (Sampled=1 in the trace header).
 *
 *   datagram:  {"format":"json","version":1} LF document
 *
 * A document goes on as it came. What is not such a datagram is counted.
 */
#ifndef TALLY_AGENT_XRAY_UDP_H
#define TALLY_AGENT_XRAY_UDP_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"

enum {
	XRAY_DATAGRAM_MAX = 65536,   /* the largest UDP can carry is less */
	XRAY_SOCKET_BYTES = 4 << 20, /* receive buffer asked for */
	XRAY_BIND_TRIES = 32,
	XRAY_BODY_MAX = 64 << 10, /* of a sampling call */
};

struct xray_udp;

struct xray_udp_stats {
	uint64_t received; /* datagrams */
	uint64_t refused;  /* no header, not JSON, over 64 KB */
};

int xray_udp_open(struct xray_udp **out, struct diag *diag) MUST_USE;
void xray_udp_close(struct xray_udp *x);
uint16_t xray_udp_port(const struct xray_udp *x);
int xray_udp_fd(const struct xray_udp *x);
/* Reads what is there; calls each(arg, document) for every good one; the
 * document is valid during the call. Returns how many datagrams there were. */
unsigned xray_udp_drain(struct xray_udp *x,
			void (*each)(void *arg, struct sv document), void *arg);
struct xray_udp_stats xray_udp_stats(const struct xray_udp *x);

/* The document of a datagram; ptr NULL: it is none. */
struct sv xray_udp_document(struct sv datagram, struct arena *arena);

#endif
