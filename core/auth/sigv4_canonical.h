/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical request of Signature Version 4, streamed into a hash:
 *
 *   METHOD \n path \n query \n (name:value \n)* \n signed-names \n body-hash
 *
 * Private to core/auth: the verifier and the signer stand on it.
 */
#ifndef TALLY_CORE_AUTH_SIGV4_CANONICAL_H
#define TALLY_CORE_AUTH_SIGV4_CANONICAL_H

#include <nettle/hmac.h>
#include <nettle/sha2.h>

#include "core/auth/sigv4.h"

/* Collects single bytes for the hash; and keeps a copy for tests. */
struct canonical_sink {
	struct sha256_ctx hash;
	struct buf *copy; /* NULL: none */
	size_t used;
	uint8_t block[256];
};

void canonical_start(struct canonical_sink *s, struct buf *copy);
void canonical_bytes(struct canonical_sink *s, struct sv bytes);
void canonical_end(struct canonical_sink *s, uint8_t out[SIGV4_HASH_SIZE]);

enum canonical_path {
	CANONICAL_RAW,    /* each byte encoded again */
	CANONICAL_NORMAL, /* without ., .. and empty parts, then the same */
	CANONICAL_S3,     /* S3 encodes once, and keeps its slashes */
};

/* True if the normal form of path is another than path. */
bool canonical_path_differs(struct sv path);
bool canonical_path_ok(struct sv path, bool s3);

/* Cuts a query into params and sorts them as the canonical query is sorted.
 * False: over a limit, or an escape is malformed. */
bool canonical_params(struct sigv4_param *params, size_t *count,
		      struct sv query);
/* A name as sent (encoded) means this plain name. */
bool canonical_is(struct sv encoded, struct sv plain);
/* Decodes into out, at most cap bytes; false: it does not fit. */
bool canonical_decode(char *out, size_t cap, size_t *len, struct sv encoded);
/* Appends bytes, encoded. */
void canonical_encode(struct buf *out, struct sv plain);

struct canonical_request {
	const struct sigv4_request *request;
	const struct sigv4_param *params; /* sorted */
	size_t param_count;
	struct sv signed_headers;
	struct sv body; /* hex, or UNSIGNED-PAYLOAD */
	enum canonical_path path;
	bool presigned;  /* X-Amz-Signature of the query is left out */
	bool omit_token; /* and X-Amz-Security-Token, added after signing */
};

/* False: a signed header is not in the request. */
bool canonical_write(struct canonical_sink *s,
		     const struct canonical_request *c);

/* May be the name of a header. */
bool canonical_token(struct sv s);
/* The first header of that lower-case name at or behind *from; *from is then
 * behind it. NULL: none. */
const struct sigv4_header *canonical_header(const struct sigv4_request *r,
					    struct sv name, size_t *from);

/* The HMAC ready for string-to-sign; tag is KEYID/date/region/service. */
void sigv4_derive(struct hmac_sha256_ctx *out, struct sv secret, struct sv date,
		  struct sv region, struct sv service);
/* Hex of the signature, no NUL. ctx is spent. */
void sigv4_signature(char out[SIGV4_SIGNATURE_LEN], struct hmac_sha256_ctx *ctx,
		     struct sv time, struct sv scope,
		     const uint8_t hash[SIGV4_HASH_SIZE]);
/* The same as sigv4_derive, from the cache where it is there. */
void sigv4_cache_derive(struct sigv4_cache *cache, struct hmac_sha256_ctx *out,
			const struct sigv4_claim *c, struct sv secret);
/* 20261122T095311Z; false: not a time. */
bool sigv4_time(struct sv text, int64_t *out);
/* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 5.6.7). */
bool sigv4_http_date(struct sv text, int64_t *out);

#endif
