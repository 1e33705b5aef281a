/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bearer tokens: JSON Web Tokens (RFC 7519) signed with HS256, RS256 or ES256
 * (RFC 7518), keys from a JWKS (RFC 7517), read by the rules of RFC 8725.
 *
 * The key decides on the algorithm, never the token: "alg" of the header must
 * be the one that the key is for, so a token that is HMACed with the bytes of
 * an RSA public key, and "none", are refused whatever they say. Nothing of the
 * payload is read before the signature holds. Members that are there twice,
 * "crit", unknown "typ", base64url with padding or stray bits: refused.
 *
 * HS256 and the parsing allocate in the caller's arena only; RSA and ECDSA are
 * hogweed's, whose numbers (GMP) are on the heap while it computes.
 */
#ifndef TALLY_CORE_AUTH_JWT_H
#define TALLY_CORE_AUTH_JWT_H

#include "core/codec/json.h"

enum {
	JWT_TOKEN_MAX = 8 << 10,  /* bytes of a token */
	JWT_HEADER_MAX = 2 << 10, /* of its header, encoded */
	JWT_MEMBERS_MAX = 64,     /* of header and of payload */
	JWT_AUDIENCES_MAX = 32,
	JWT_SKEW_S_MAX = 300,
	JWKS_FILE_MAX = 256 << 10,
	JWKS_KEYS_MAX = 64,
	JWKS_KID_MAX = 256,
	JWKS_HMAC_MIN = 32, /* bytes; RFC 7518 3.2 */
	JWKS_HMAC_MAX = 512,
	JWKS_RSA_BITS_MIN = 2048, /* RFC 7518 3.3 */
	JWKS_RSA_BITS_MAX = 4096, /* a verification takes 0.1 ms */
};

enum jwt_algorithm { JWT_HS256, JWT_RS256, JWT_ES256 };

/* Why not, in order of precedence. All are 401 for the client. */
#define JWT_REFUSALS(X)                                                 \
	X(TOO_LONG, "the token is over a limit")                        \
	X(MALFORMED, "the token is not header.payload.signature")       \
	X(HEADER, "the header of the token is not understood")          \
	X(ALGORITHM, "the token's algorithm is not that of its key")    \
	X(UNKNOWN_KEY, "the collector has no key for this token")       \
	X(SIGNATURE, "the token's signature does not hold")             \
	X(PAYLOAD,                                                      \
	  "the token's claims are not a JSON object with one of each")  \
	X(ISSUER, "the token's issuer is not the one that is expected") \
	X(AUDIENCE, "the token's audience is not this collector")       \
	X(NO_EXPIRY, "the token does not say when it expires")          \
	X(EXPIRED, "the token is expired")                              \
	X(EARLY, "the token is not valid yet")                          \
	X(MEMORY, "out of memory")

enum jwt_refusal {
	JWT_OK = 0,
#define X(name, text) JWT_##name,
	JWT_REFUSALS(X)
#undef X
		JWT_REFUSAL_COUNT,
};

struct jwks;

/* Keys of other types, algorithms and uses are left out (RFC 7517 5); one of
 * ours that is malformed, weak or private is an error that names its place.
 * ERR_SYNTAX, ERR_INVALID, ERR_LIMIT, ERR_EXISTS (a kid twice), ERR_NOMEM. */
int jwks_parse(struct jwks **out, struct sv text, struct diag *diag) MUST_USE;
/* Whether one of its keys must be kept secret (HS256). */
bool jwks_has_secret(const struct jwks *keys);
void jwks_free(struct jwks *k);
size_t jwks_count(const struct jwks *k);

struct jwt_policy {
	struct sv issuer;   /* must be "iss"; not empty (assert) */
	struct sv audience; /* must be in "aud"; not empty (assert) */
	int64_t skew_s;     /* 0 to JWT_SKEW_S_MAX */
};

struct jwt_claims {
	struct json payload; /* an object; valid as long as the arena */
	struct json_doc doc;
	struct sv subject; /* "sub"; ptr NULL: none */
	int64_t expires_ns;
	enum jwt_algorithm algorithm;
};

/* token is what follows "Bearer ". Any thread. claims must not be copied. */
enum jwt_refusal jwt_verify(const struct jwks *keys,
			    const struct jwt_policy *policy, struct sv token,
			    int64_t now_s, struct arena *arena,
			    struct jwt_claims *claims) MUST_USE;
const char *jwt_message(enum jwt_refusal why);
/* "UNKNOWN_KEY", for counters and logs. */
const char *jwt_refusal_name(enum jwt_refusal why);

#endif
