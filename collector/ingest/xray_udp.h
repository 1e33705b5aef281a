/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The X-Ray daemon's datagrams. One thread takes up to UDP_BATCH at a time
 * with recvmmsg, keeps those that hold a segment document, and hands them to
 * the journal as one frame. The sender was promised nothing (X-Ray SDKs send
 * and forget), but what is lost here is counted: refused datagrams, those shed
 * while the journal was busy or full, and those that the kernel dropped from
 * the socket's buffer (SO_RXQ_OVFL).
 */
#ifndef TALLY_COLLECTOR_INGEST_XRAY_UDP_H
#define TALLY_COLLECTOR_INGEST_XRAY_UDP_H

#include "collector/door/network.h"
#include "collector/ingest/ingest.h"

#define XRAY_LOOPBACK_ONLY                                                \
	"what comes to the X-Ray port carries no key: name the networks " \
	"that may use it in \"xray_networks\", or listen on 127.0.0.1"

enum {
	UDP_BATCH = 64,
	UDP_SOCKET_BYTES = 8 << 20, /* asked for; the kernel may give less */
	UDP_DRAIN_BATCHES =
		256, /* at the end: the buffer, full of small ones */
};

struct xray_udp;

/* Binds and starts the thread. address as for address_listen: loopback, unless
 * networks has some; then datagrams of others are refused and counted.
 * networks must outlive it. */
int xray_udp_start(struct xray_udp **out, struct ingest *in,
		   const char *address, const struct networks *networks,
		   struct diag *diag) MUST_USE;
const char *xray_udp_address(const struct xray_udp *u);
/* Takes what is in the socket's buffer, at most UDP_DRAIN_BATCHES, then ends
 * the thread. */
void xray_udp_stop(struct xray_udp *u);

#endif
