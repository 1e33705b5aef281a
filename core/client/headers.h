/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers: what a request says about itself, and who signs it. Pure: the same
 * input gives the same lines, so that what the door verifies can be tested
 * without a socket.
 *
 * Signed are Host, X-Amz-Date, X-Amz-Content-Sha256, Content-Type and
 * X-Amz-Security-Token; not the amz-sdk- ones, which change with each try and
 * prove nothing.
 */
#ifndef TALLY_CORE_CLIENT_HEADERS_H
#define TALLY_CORE_CLIENT_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/client/settings.h"

/* In the scope of a signature, for all paths of the native API. */
#define HEADERS_SERVICE "tallyscope"

enum {
	HEADERS_MAX = 12,               /* lines */
	HEADERS_BYTES_MAX = 32 << 10,   /* of all */
	HEADERS_INVOCATION_ID_LEN = 36, /* a UUID */
};

struct headers_input {
	struct sv method;
	struct sv host;         /* as in Host: with a port where one is given */
	struct sv target;       /* path and query, as sent */
	struct sv content_type; /* ptr NULL: none, and no body */
	struct sv accept;       /* ptr NULL: anything */
	struct sv body;
	const char *invocation_id;
	unsigned attempt; /* from 1 */
	unsigned attempts_max;
	int64_t now_s;
	struct sv token; /* bearer; ptr NULL: none, then the keys sign */
};

/* Adds "Name: value" lines, each ended by a NUL, to out. Neither token nor keys
 * of settings: unsigned. ERR_INVALID, ERR_LIMIT, ERR_NOMEM as sigv4_sign. */
int headers_build(struct buf *out, const struct headers_input *in,
		  const struct settings *settings) MUST_USE;

/* A random UUID (RFC 9562, version 4), of 16 random bytes. */
void headers_invocation_id(char out[HEADERS_INVOCATION_ID_LEN + 1],
			   const uint8_t random[16]);

#endif
