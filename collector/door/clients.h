/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients: how many connections each address has, so that one address cannot
 * have them all. A version 6 address counts by its first 64 bits, since who has
 * one has all that share them. A hash table of fixed size; not thread safe.
 */
#ifndef TALLY_COLLECTOR_DOOR_CLIENTS_H
#define TALLY_COLLECTOR_DOOR_CLIENTS_H

#include <stdint.h>

#include <sys/socket.h>

#include "core/base/err.h"

enum { CLIENT_NONE = 0 };

struct clients;

/* For so many connections at once. NULL: no memory. */
struct clients *clients_new(uint32_t connections_max);
void clients_free(struct clients *c);
/* One more connection of the address: a handle for clients_drop; CLIENT_NONE:
 * it has `most` of them. */
uint32_t clients_take(struct clients *c, const struct sockaddr *address,
		      uint32_t most) MUST_USE;
void clients_drop(struct clients *c, uint32_t handle);

#endif
