/* SPDX-License-Identifier: Apache-2.0 */
#include "core/auth/sigv4.h"

#include <assert.h>
#include <nettle/memops.h>
#include <stdio.h>

#include "core/auth/sigv4_canonical.h"

/* --- time and scope ------------------------------------------------------------ */

enum sigv4_refusal sigv4_check_time(const struct sigv4_claim *c, int64_t now_s)
{
	int64_t late = c->presigned ? c->expires_s : SIGV4_SKEW_S;

	/* time_s is of the years 1970 to 9999: no sum here overflows. */
	if (now_s > c->time_s + late)
		return SIGV4_EXPIRED;
	if (now_s < c->time_s - SIGV4_SKEW_S)
		return SIGV4_EARLY;
	return SIGV4_OK;
}

enum sigv4_refusal sigv4_check_scope(const struct sigv4_claim *c,
				     struct sv region, struct sv service)
{
	if (region.ptr && !sv_eq(region, c->region))
		return SIGV4_REGION;
	if (service.ptr && !sv_eq(service, c->service))
		return SIGV4_SERVICE;
	return SIGV4_OK;
}

/* --- keys ---------------------------------------------------------------------- */

static void hmac(uint8_t key[SIGV4_HASH_SIZE], struct sv text)
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, SIGV4_HASH_SIZE, key);
	hmac_sha256_update(&ctx, text.len, (const uint8_t *)text.ptr);
	hmac_sha256_digest(&ctx, SIGV4_HASH_SIZE, key);
	explicit_bzero(&ctx, sizeof(ctx));
}

void sigv4_derive(struct hmac_sha256_ctx *out, struct sv secret, struct sv date,
		  struct sv region, struct sv service)
{
	uint8_t start[4 + SIGV4_SECRET_MAX] = "AWS4";
	uint8_t key[SIGV4_HASH_SIZE];

	assert(secret.len <= SIGV4_SECRET_MAX);
	if (secret.len)
		memcpy(start + 4, secret.ptr, secret.len);
	hmac_sha256_set_key(out, 4 + secret.len, start);
	hmac_sha256_update(out, date.len, (const uint8_t *)date.ptr);
	hmac_sha256_digest(out, sizeof(key), key);
	hmac(key, region);
	hmac(key, service);
	hmac(key, SV("aws4_request"));
	hmac_sha256_set_key(out, sizeof(key), key);
	explicit_bzero(start, sizeof(start));
	explicit_bzero(key, sizeof(key));
}

void sigv4_signature(char out[SIGV4_SIGNATURE_LEN], struct hmac_sha256_ctx *ctx,
		     struct sv time, struct sv scope,
		     const uint8_t hash[SIGV4_HASH_SIZE])
{
	const struct sv start = SV("AWS4-HMAC-SHA256\n");
	char hex[2 * SIGV4_HASH_SIZE];
	uint8_t digest[SIGV4_HASH_SIZE];
	const uint8_t newline = '\n';

	hex_from(hex, hash, SIGV4_HASH_SIZE);
	hmac_sha256_update(ctx, start.len, (const uint8_t *)start.ptr);
	hmac_sha256_update(ctx, time.len, (const uint8_t *)time.ptr);
	hmac_sha256_update(ctx, 1, &newline);
	hmac_sha256_update(ctx, scope.len, (const uint8_t *)scope.ptr);
	hmac_sha256_update(ctx, 1, &newline);
	hmac_sha256_update(ctx, sizeof(hex), (const uint8_t *)hex);
	hmac_sha256_digest(ctx, sizeof(digest), digest);
	hex_from(out, digest, sizeof(digest));
}

/* --- the last word --------------------------------------------------------------- */

static bool attempt(const struct canonical_request *canonical,
		    const struct sigv4_claim *c,
		    const struct hmac_sha256_ctx *derived)
{
	struct hmac_sha256_ctx ctx = *derived;
	struct canonical_sink sink;
	uint8_t hash[SIGV4_HASH_SIZE];
	char want[SIGV4_SIGNATURE_LEN];
	bool all, same;

	canonical_start(&sink, NULL);
	all = canonical_write(&sink, canonical);
	canonical_end(&sink, hash);
	sigv4_signature(want, &ctx, sv_make(c->time, SIGV4_DATE_LEN), c->scope,
			hash);
	same = memeql_sec(want, c->signature.ptr, sizeof(want));
	explicit_bzero(&ctx, sizeof(ctx));
	explicit_bzero(want, sizeof(want));
	return same && all;
}

/* Most requests have one canonical form. A path that is not in its normal form
 * may be signed either way (SDKs differ), and a session token may have been
 * added to the query after signing: then up to four are tried. */
static bool any_attempt(const struct sigv4_claim *c,
			const struct sigv4_request *r, struct sv body,
			const struct hmac_sha256_ctx *derived,
			enum sigv4_path *path)
{
	bool s3 = sv_eq(c->service, SV("s3"));
	int paths = !s3 && canonical_path_differs(r->path) ? 2 : 1;
	int tokens = c->presigned && c->token.ptr ? 2 : 1;
	struct canonical_request canonical = {
		.request = r,
		.params = c->params,
		.param_count = c->param_count,
		.signed_headers = c->signed_headers,
		.body = body,
		.presigned = c->presigned,
	};

	for (int token = 0; token < tokens; token++)
		for (int normal = 0; normal < paths; normal++) {
			canonical.path = s3     ? CANONICAL_S3 :
					 normal ? CANONICAL_NORMAL :
						  CANONICAL_RAW;
			canonical.omit_token = token;
			*path = normal ? SIGV4_PATH_NORMAL : SIGV4_PATH_AS_SENT;
			if (attempt(&canonical, c, derived))
				return true;
		}
	return false;
}

enum sigv4_refusal sigv4_verify(const struct sigv4_claim *c,
				const struct sigv4_request *r,
				const struct sigv4_key *key,
				const uint8_t *body, struct sigv4_cache *cache,
				enum sigv4_path *path)
{
	struct hmac_sha256_ctx derived;
	char hex[2 * SIGV4_HASH_SIZE];
	struct sv text = c->body_hash;
	bool right, body_right = true;
	enum sigv4_path form;

	assert(body || c->unsigned_body);
	assert(c->signature.len == SIGV4_SIGNATURE_LEN);
	if (!c->unsigned_body) {
		hex_from(hex, body, SIGV4_HASH_SIZE);
		text = sv_make(hex, sizeof(hex));
		body_right = !c->body_hash.ptr || sv_eq(c->body_hash, text);
	}
	if (cache)
		sigv4_cache_derive(cache, &derived, c, key->secret);
	else
		sigv4_derive(&derived, key->secret, c->date, c->region,
			     c->service);
	right = any_attempt(c, r, text, &derived, &form);
	explicit_bzero(&derived, sizeof(derived));
	if (path)
		*path = form;
	if (!key->known)
		return SIGV4_UNKNOWN_KEY;
	if (!body_right)
		return SIGV4_BODY;
	if (!right)
		return SIGV4_MISMATCH;
	return key->expired ? SIGV4_EXPIRED_KEY : SIGV4_OK;
}

/* --- answers --------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *query, *json;
	int query_status, json_status, rest_status;
	const char *text;
} refusals[] = { [SIGV4_OK] = { "OK", "", "", 200, 200, 200, "" },
#define X(name, query, query_status, json, json_status, rest_status, text) \
	[SIGV4_##name] = { #name,       query,       json, query_status,   \
			   json_status, rest_status, text },
		 SIGV4_REFUSALS(X)
#undef X
};

struct sigv4_error sigv4_error(enum sigv4_refusal why,
			       enum sigv4_dialect dialect)
{
	assert(why > SIGV4_OK && why < SIGV4_REFUSAL_COUNT);
	switch (dialect) {
	case SIGV4_QUERY:
		return (struct sigv4_error){ refusals[why].query,
					     refusals[why].query_status };
	case SIGV4_REST_JSON:
		return (struct sigv4_error){ refusals[why].json,
					     refusals[why].rest_status };
	case SIGV4_JSON:
		break;
	}
	return (struct sigv4_error){ refusals[why].json,
				     refusals[why].json_status };
}

const char *sigv4_message(char out[SIGV4_MESSAGE_MAX], enum sigv4_refusal why,
			  const struct sigv4_claim *c, int64_t now_s)
{
	char now[SIGV4_DATE_LEN + 1], edge[SIGV4_DATE_LEN + 1];

	assert(why >= SIGV4_OK && why < SIGV4_REFUSAL_COUNT);
	if (!c || (why != SIGV4_EXPIRED && why != SIGV4_EARLY)) {
		snprintf(out, SIGV4_MESSAGE_MAX, "%s", refusals[why].text);
		return out;
	}
	/* AWS's wording: clients and people look for it. */
	sigv4_date(now, now_s);
	if (why == SIGV4_EARLY) {
		sigv4_date(edge, now_s + SIGV4_SKEW_S);
		snprintf(out, SIGV4_MESSAGE_MAX,
			 "Signature not yet current: %s is still later than "
			 "%s (%s + 15 min.)",
			 c->time, edge, now);
	} else if (c->presigned) {
		sigv4_date(edge, c->time_s + c->expires_s);
		snprintf(out, SIGV4_MESSAGE_MAX,
			 "Signature expired: %s is now earlier than %s", edge,
			 now);
	} else {
		sigv4_date(edge,
			   now_s > SIGV4_SKEW_S ? now_s - SIGV4_SKEW_S : 0);
		snprintf(out, SIGV4_MESSAGE_MAX,
			 "Signature expired: %s is now earlier than %s (%s - "
			 "15 min.)",
			 c->time, edge, now);
	}
	return out;
}

const char *sigv4_refusal_name(enum sigv4_refusal why)
{
	assert(why >= SIGV4_OK && why < SIGV4_REFUSAL_COUNT);
	return refusals[why].name;
}
