/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks: which addresses may use a listener that carries no keys, such as
 * the X-Ray daemon's. Written as CIDR, "10.1.0.0/16" or "fd00::/8"; an address
 * alone is a network of one. Loopback is always in.
 */
#ifndef TALLY_COLLECTOR_DOOR_NETWORK_H
#define TALLY_COLLECTOR_DOOR_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include "core/base/err.h"
#include "core/base/text.h"

enum { NETWORKS_MAX = 64, NETWORK_TEXT_MAX = 64 };

struct network {
	uint8_t address[16]; /* version 4 as ::ffff:a.b.c.d */
	uint8_t bits;        /* of the 128 */
};

struct networks {
	struct network list[NETWORKS_MAX];
	size_t count;
};

/* ERR_INVALID: it is no network, or has bits set behind its length;
 * ERR_LIMIT: NETWORKS_MAX are there. */
int networks_add(struct networks *n, struct sv text,
		 struct diag *diag) MUST_USE;
bool networks_have(const struct networks *n, const struct sockaddr *a);
/* As 16 bytes, version 4 as ::ffff:a.b.c.d; false: neither version. */
bool address_bytes(const struct sockaddr *a, uint8_t out[16]);
bool address_is_loopback(const struct sockaddr *a);

#endif
