/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4, both ends: the door verifies, our own client signs.
 * (AWS, "Create a signed AWS API request"; facts from 276 recorded requests.)
 *
 * It takes plain views, so that any HTTP layer can use it, and works in three
 * steps, because a server knows things in this order:
 *
 *   sigv4_parse        headers are there: what is claimed, is it well-formed
 *   sigv4_check_time,  before the body is read: is it about now, and for this
 *   sigv4_check_scope  region and service
 *   sigv4_verify       the body is there: is it true
 *
 * Nothing here allocates while it verifies: a claim is the caller's (about
 * 9 KB, a stack will do), and the canonical request is never built, it goes
 * straight into SHA-256. Query parameters are sorted as views.
 *
 * What the canonical form makes equal is equal for us too, and nothing else:
 * the case of header names, white space around and runs of it inside a value,
 * the order of headers of different names, the order of query parameters, `%7e`
 * and `~`, `+` and `%20` in a query, empty parts of a query (`a&&b`), white
 * space between the parts of Authorization, and what is not signed. A path
 * with `.`, `..` or `//` may be signed as it is or in its normal form; which
 * one is in the claim, see sigv4_verify.
 */
#ifndef TALLY_CORE_AUTH_SIGV4_H
#define TALLY_CORE_AUTH_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/text.h"

enum {
	SIGV4_HEADERS_MAX = 128, /* of a request */
	SIGV4_SIGNED_MAX = 64,   /* names in SignedHeaders */
	SIGV4_PARAMS_MAX = 128,  /* of a query */
	SIGV4_QUERY_BYTES_MAX = 8 << 10,
	SIGV4_PATH_BYTES_MAX = 8 << 10,
	SIGV4_SEGMENTS_MAX = 256, /* of a path */
	SIGV4_AUTHORIZATION_MAX = 4 << 10,
	SIGV4_KEY_ID_MAX = 128, /* IAM: AccessKeyId */
	SIGV4_REGION_MAX = 31,
	SIGV4_SERVICE_MAX = 31,
	SIGV4_SECRET_MAX = 128,
	SIGV4_SKEW_S = 15 * 60,
	SIGV4_EXPIRES_MAX_S = 7 * 86400,
	SIGV4_DATE_LEN = 16,      /* 20261122T095311Z */
	SIGV4_SIGNATURE_LEN = 64, /* lower-case hex */
	SIGV4_HASH_SIZE = 32,
	SIGV4_MESSAGE_MAX = 256, /* of sigv4_message, with the NUL */
};

struct sigv4_header {
	struct sv name;
	struct sv value; /* as sent; folded lines may still hold CR LF */
};

struct sigv4_request {
	struct sv method;
	struct sv path;  /* as sent, before the '?' */
	struct sv query; /* as sent, behind it; may be empty */
	const struct sigv4_header *headers;
	size_t header_count;
};

/*
 * Why not, in order of precedence: of several reasons the first is given.
 *   name, code for Query and its status, code for JSON, status of awsJson,
 *   status of rest-json, text
 * Codes are those that clients know: JS mends its clock on SignatureDoesNotMatch
 * and InvalidSignatureException, so a wrong time answers with these.
 */
#define SIGV4_REFUSALS(X)                                                      \
	X(MISSING, "MissingAuthenticationToken", 403,                          \
	  "MissingAuthenticationTokenException", 400, 403,                     \
	  "Request is missing Authentication Token")                           \
	X(LIMIT, "IncompleteSignature", 400, "IncompleteSignatureException",   \
	  400, 403, "Authorization, path, query or headers are over a limit")  \
	X(ALGORITHM, "IncompleteSignature", 400,                               \
	  "IncompleteSignatureException", 400, 403,                            \
	  "Unsupported AWS 'algorithm': AWS4-HMAC-SHA256 is expected")         \
	X(INCOMPLETE, "IncompleteSignature", 400,                              \
	  "IncompleteSignatureException", 400, 403,                            \
	  "Authorization requires each of Credential, SignedHeaders and "      \
	  "Signature once and well-formed")                                    \
	X(DATE, "IncompleteSignature", 400, "IncompleteSignatureException",    \
	  400, 403,                                                            \
	  "Authorization requires one well-formed X-Amz-Date or Date")         \
	X(EXPIRES, "IncompleteSignature", 400, "IncompleteSignatureException", \
	  400, 403, "X-Amz-Expires must be from 1 to 604800 seconds")          \
	X(UNSIGNED_HEADER, "SignatureDoesNotMatch", 403,                       \
	  "InvalidSignatureException", 400, 403,                               \
	  "Host and every X-Amz- header must be a SignedHeader")               \
	X(STREAMING, "NotImplemented", 501, "NotImplementedException", 501,    \
	  501, "Signatures of chunks (STREAMING-...) are not supported")       \
	X(UNSIGNED_BODY, "SignatureDoesNotMatch", 403,                         \
	  "InvalidSignatureException", 400, 403,                               \
	  "X-Amz-Content-Sha256 must be the hash of the body")                 \
	X(SCOPE_DATE, "SignatureDoesNotMatch", 403,                            \
	  "InvalidSignatureException", 400, 403,                               \
	  "Date in Credential scope does not match the date of the request")   \
	X(EXPIRED, "SignatureDoesNotMatch", 403, "InvalidSignatureException",  \
	  400, 403, "Signature expired")                                       \
	X(EARLY, "SignatureDoesNotMatch", 403, "InvalidSignatureException",    \
	  400, 403, "Signature not yet current")                               \
	X(REGION, "SignatureDoesNotMatch", 403, "InvalidSignatureException",   \
	  400, 403, "Credential should be scoped to a valid region.")          \
	X(SERVICE, "SignatureDoesNotMatch", 403, "InvalidSignatureException",  \
	  400, 403, "Credential should be scoped to correct service.")         \
	X(UNKNOWN_KEY, "InvalidClientTokenId", 403,                            \
	  "UnrecognizedClientException", 400, 403,                             \
	  "The security token included in the request is invalid.")            \
	X(BODY, "SignatureDoesNotMatch", 403, "InvalidSignatureException",     \
	  400, 403, "X-Amz-Content-Sha256 does not match what was received")   \
	X(MISMATCH, "SignatureDoesNotMatch", 403, "InvalidSignatureException", \
	  400, 403,                                                            \
	  "The request signature we calculated does not match the signature "  \
	  "you provided. Check your AWS Secret Access Key and signing "        \
	  "method. Consult the service documentation for details.")            \
	X(EXPIRED_KEY, "ExpiredToken", 403, "ExpiredTokenException", 400, 403, \
	  "The security token included in the request is expired")

enum sigv4_refusal {
	SIGV4_OK = 0,
#define X(name, query, query_status, json, json_status, rest_status, text) \
	SIGV4_##name,
	SIGV4_REFUSALS(X)
#undef X
		SIGV4_REFUSAL_COUNT,
};

/* A query parameter as sent, still encoded. */
struct sigv4_param {
	struct sv name;
	struct sv value;
};

struct sigv4_policy {
	/* UNSIGNED-PAYLOAD is taken; the body is not vouched for then. */
	bool unsigned_body_allowed;
};

/*
 * What a request claims. Views point into the request or into text: a claim is
 * valid as long as the request and must not be copied.
 */
struct sigv4_claim {
	struct sv tag; /* KEYID/20261122/us-east-1/logs: key and scope */
	struct sv key_id;
	struct sv scope; /* 20261122/us-east-1/logs/aws4_request */
	struct sv date;  /* 20261122 */
	struct sv region;
	struct sv service;
	struct sv signed_headers; /* lower case, sorted, ';' between */
	struct sv signature;
	struct sv token;     /* X-Amz-Security-Token; ptr NULL: none */
	struct sv body_hash; /* X-Amz-Content-Sha256; ptr NULL: none */
	char time[SIGV4_DATE_LEN + 1];
	int64_t time_s;    /* since 1970 */
	int64_t expires_s; /* pre-signed: for how long; 0 otherwise */
	bool presigned;
	bool unsigned_body; /* sigv4_verify needs no hash */
	struct sigv4_param params[SIGV4_PARAMS_MAX]; /* sorted */
	size_t param_count;
	char text[SIGV4_AUTHORIZATION_MAX];
};

/* Reads headers and query. policy NULL: nothing out of the ordinary. On a
 * refusal what is in the claim must not be used. */
enum sigv4_refusal sigv4_parse(struct sigv4_claim *c,
			       const struct sigv4_request *r,
			       const struct sigv4_policy *policy) MUST_USE;
/* Within SIGV4_SKEW_S of now_s; pre-signed: not before it, not after it
 * expired. */
enum sigv4_refusal sigv4_check_time(const struct sigv4_claim *c,
				    int64_t now_s) MUST_USE;
/* The scope is for this region and service; ptr NULL: any. */
enum sigv4_refusal sigv4_check_scope(const struct sigv4_claim *c,
				     struct sv region,
				     struct sv service) MUST_USE;

/* What the caller found under claim->key_id. An unknown key brings any secret
 * (core/auth/keys.h has one for it) and takes the same path. */
struct sigv4_key {
	struct sv secret;
	bool known;
	bool expired;
};

/* How the path was signed; a caller must dispatch on that form. */
enum sigv4_path {
	SIGV4_PATH_AS_SENT,
	SIGV4_PATH_NORMAL, /* and it differs from what was sent */
};

struct sigv4_cache;

/*
 * The last word. body is the SHA-256 of the body as received, before any
 * decompression (may be NULL where claim->unsigned_body). Give the same request
 * as to sigv4_parse. cache and path may be NULL. Constant time in signature and
 * secret. Allocates nothing.
 */
enum sigv4_refusal sigv4_verify(const struct sigv4_claim *c,
				const struct sigv4_request *r,
				const struct sigv4_key *key,
				const uint8_t *body, struct sigv4_cache *cache,
				enum sigv4_path *path) MUST_USE;

/* --- answers ---------------------------------------------------------------- */

enum sigv4_dialect { SIGV4_QUERY, SIGV4_JSON, SIGV4_REST_JSON };

struct sigv4_error {
	const char *code;
	int status;
};

struct sigv4_error sigv4_error(enum sigv4_refusal why,
			       enum sigv4_dialect dialect);
/* The text for the client, with the times where the time is wrong. claim may
 * be NULL where sigv4_parse refused. Returns out. Names no secret. */
const char *sigv4_message(char out[SIGV4_MESSAGE_MAX], enum sigv4_refusal why,
			  const struct sigv4_claim *c, int64_t now_s);
/* For counters and logs: "missing", "unknown_key" ... */
const char *sigv4_refusal_name(enum sigv4_refusal why);

/* --- derived keys ----------------------------------------------------------- */
/*
 * The signing key of (key id, date, region, service) costs four HMACs and
 * serves a day. A bounded cache of them, four ways to a bucket, the least
 * recently used goes; known and unknown keys alike. A secret that was replaced
 * finds nothing. For any number of threads.
 */
enum { SIGV4_CACHE_MAX = 4096, SIGV4_CACHE_WAYS = 4 };

struct sigv4_cache_stats {
	uint64_t hits, misses, evictions;
	bool locked; /* in memory that is never swapped out */
};

/* entries: rounded up to a power of two, at most SIGV4_CACHE_MAX (assert). */
int sigv4_cache_new(struct sigv4_cache **out, size_t entries) MUST_USE;
void sigv4_cache_free(struct sigv4_cache *cache);
void sigv4_cache_stats(struct sigv4_cache *cache,
		       struct sigv4_cache_stats *out);

/* --- signing ---------------------------------------------------------------- */

struct sigv4_credentials {
	struct sv key_id;
	struct sv secret;
	struct sv region;
	struct sv service;
};

/* 20261122T095311Z for X-Amz-Date. now_s: years 1970 to 9999 (assert). */
void sigv4_date(char out[SIGV4_DATE_LEN + 1], int64_t now_s);
void sigv4_hash(uint8_t out[SIGV4_HASH_SIZE], struct sv body);
/*
 * The value of Authorization, into out. r has all headers to sign, Host and
 * X-Amz-Date among them; Authorization, User-Agent, Expect, Connection,
 * Transfer-Encoding and X-Amzn-Trace-Id are left out, since proxies and
 * libraries change them. ERR_INVALID: no date, no Host, a bad credential or name
 * of a header; ERR_LIMIT; ERR_NOMEM.
 */
int sigv4_sign(struct buf *out, const struct sigv4_request *r,
	       const struct sigv4_credentials *cred,
	       const uint8_t body[SIGV4_HASH_SIZE]) MUST_USE;
/* The whole query of a pre-signed URL, into out. r has no X-Amz-Date; date is
 * as of sigv4_date; expires_s 1 to SIGV4_EXPIRES_MAX_S. */
int sigv4_presign(struct buf *out, const struct sigv4_request *r,
		  const struct sigv4_credentials *cred, const char *date,
		  int64_t expires_s,
		  const uint8_t body[SIGV4_HASH_SIZE]) MUST_USE;

#endif
