/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as users write them: "127.0.0.1:4318", "[::1]:4318"; port 0 means
 * any free one. A listener that carries no credentials is for loopback, or for
 * networks that somebody has named (DESIGN decision 10).
 */
#ifndef TALLY_COLLECTOR_DOOR_ADDRESS_H
#define TALLY_COLLECTOR_DOOR_ADDRESS_H

#include "core/base/err.h"

enum { ADDRESS_TEXT_MAX = 64 };

/* Binds (and for SOCK_STREAM listens on) `address`. loopback_only: NULL, or why
 * another address is refused and what to do. Returns the descriptor and writes
 * the bound address with its real port to `bound`; < 0 with diag. */
int address_listen(const char *address, int type, const char *loopback_only,
		   char bound[ADDRESS_TEXT_MAX], struct diag *diag) MUST_USE;

#endif
