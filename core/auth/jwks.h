/* SPDX-License-Identifier: Apache-2.0 */
/* Private to core/auth/jw*.c: keys, and base64url. */
#ifndef TALLY_CORE_AUTH_JWKS_H
#define TALLY_CORE_AUTH_JWKS_H

#include <nettle/ecdsa.h>
#include <nettle/rsa.h>

#include "core/auth/jwt.h"
#include "core/auth/secret.h"

struct jwk {
	enum jwt_algorithm algorithm;
	struct sv kid;             /* ptr NULL: none */
	struct sv secret;          /* JWT_HS256: in the locked area */
	struct rsa_public_key rsa; /* JWT_RS256 */
	struct ecc_point point;    /* JWT_ES256 */
};

struct jwks {
	struct secret_area area; /* the text, then secrets, decoded */
	size_t area_used;
	struct arena arena;
	struct jwk keys[JWKS_KEYS_MAX];
	size_t count;
};

/* RFC 7515 2: no padding, no stray bits. Writes at most cap bytes; false: it
 * is not that, or does not fit. */
bool base64url_decode(uint8_t *out, size_t cap, size_t *len, struct sv text);
/* Each member is there once, at most JWT_MEMBERS_MAX. */
bool json_members_once(struct json object, struct arena *arena);

#endif
