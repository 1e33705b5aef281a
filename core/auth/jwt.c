/* SPDX-License-Identifier: Apache-2.0 */
#include "core/auth/jwt.h"

#include <assert.h>
#include <nettle/bignum.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <strings.h>

#include "core/auth/jwks.h"
#include "core/sys/env.h"

enum { SIGNATURE_MAX = JWKS_RSA_BITS_MAX / 8, ES256_SIZE = 64 };

struct parts {
	struct sv header, payload;
	struct sv signed_text; /* header.payload */
	uint8_t signature[SIGNATURE_MAX];
	size_t signature_len;
};

static enum jwt_refusal cut(struct parts *p, struct sv token)
{
	struct sv rest = token;
	struct sv signature;

	if (token.len > JWT_TOKEN_MAX)
		return JWT_TOO_LONG;
	p->header = sv_cut(&rest, '.');
	p->payload = sv_cut(&rest, '.');
	signature = rest;
	if (!signature.ptr || p->header.len == 0 || p->payload.len == 0)
		return JWT_MALFORMED;
	if (p->header.len > JWT_HEADER_MAX)
		return JWT_TOO_LONG;
	p->signed_text = sv_make(token.ptr, p->header.len + 1 + p->payload.len);
	/* "none" has no signature; its header says so first. */
	return base64url_decode(p->signature, sizeof(p->signature),
				&p->signature_len, signature) ?
		       JWT_OK :
		       JWT_MALFORMED;
}

/* The object that a part is. other: what it is where it is none. */
static enum jwt_refusal read_object(struct json_doc *doc, struct sv part,
				    struct arena *arena, enum jwt_refusal other)
{
	uint8_t *text = arena_alloc(arena, part.len);
	size_t len;
	int e;

	if (!text)
		return JWT_MEMORY;
	if (!base64url_decode(text, part.len, &len, part))
		return JWT_MALFORMED;
	e = json_parse(doc, arena, sv_make((const char *)text, len), NULL);
	if (e == ERR_NOMEM)
		return JWT_MEMORY;
	if (e || !json_is(json_root(doc), JSON_OBJECT) ||
	    !json_members_once(json_root(doc), arena))
		return other;
	return JWT_OK;
}

/* --- header ------------------------------------------------------------------------ */

static bool typ_ok(struct json typ, struct arena *arena)
{
	struct sv s;

	if (!typ.doc)
		return true;
	s = json_string(typ, arena);
	return (s.len == 3 && !strncasecmp(s.ptr, "JWT", 3)) ||
	       (s.len == 6 && !strncasecmp(s.ptr, "at+jwt", 6));
}

/* Which key, and that alg is what this key is for. Without a kid it is the one
 * key of that algorithm, if there is one only. */
static enum jwt_refusal find_key(const struct jwks *keys, struct json header,
				 struct arena *arena, const struct jwk **out)
{
	static const struct sv names[] = {
		[JWT_HS256] = SV_INIT("HS256"),
		[JWT_RS256] = SV_INIT("RS256"),
		[JWT_ES256] = SV_INIT("ES256"),
	};
	struct json alg = json_get(header, SV("alg"));
	struct json kid = json_get(header, SV("kid"));
	struct sv id = json_string(kid, arena);
	const struct jwk *found = NULL;

	if (!json_is(alg, JSON_STRING) || json_get(header, SV("crit")).doc ||
	    !typ_ok(json_get(header, SV("typ")), arena) || (kid.doc && !id.ptr))
		return JWT_HEADER;
	if (!json_string_is(alg, names[JWT_HS256]) &&
	    !json_string_is(alg, names[JWT_RS256]) &&
	    !json_string_is(alg, names[JWT_ES256]))
		return JWT_ALGORITHM;
	for (size_t i = 0; i < keys->count; i++) {
		const struct jwk *k = &keys->keys[i];
		bool same = json_string_is(alg, names[k->algorithm]);

		if (kid.doc && k->kid.ptr && sv_eq(k->kid, id)) {
			*out = k;
			return same ? JWT_OK : JWT_ALGORITHM;
		}
		if (kid.doc || !same)
			continue;
		if (found)
			return JWT_UNKNOWN_KEY;
		found = k;
	}
	*out = found;
	return found ? JWT_OK : JWT_UNKNOWN_KEY;
}

/* --- signature ------------------------------------------------------------------------ */

static bool hmac_holds(const struct jwk *k, const struct parts *p)
{
	uint8_t want[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx ctx;
	bool same;

	if (p->signature_len != sizeof(want))
		return false;
	hmac_sha256_set_key(&ctx, k->secret.len,
			    (const uint8_t *)k->secret.ptr);
	hmac_sha256_update(&ctx, p->signed_text.len,
			   (const uint8_t *)p->signed_text.ptr);
	hmac_sha256_digest(&ctx, sizeof(want), want);
	same = memeql_sec(want, p->signature, sizeof(want));
	explicit_bzero(&ctx, sizeof(ctx));
	explicit_bzero(want, sizeof(want));
	return same;
}

static bool rsa_holds(const struct jwk *k, const struct parts *p)
{
	struct sha256_ctx ctx;
	mpz_t s;
	bool holds;

	if (p->signature_len != k->rsa.size)
		return false;
	sha256_init(&ctx);
	sha256_update(&ctx, p->signed_text.len,
		      (const uint8_t *)p->signed_text.ptr);
	nettle_mpz_init_set_str_256_u(s, p->signature_len, p->signature);
	holds = rsa_sha256_verify(&k->rsa, &ctx, s);
	mpz_clear(s);
	return holds;
}

static bool ecdsa_holds(const struct jwk *k, const struct parts *p)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct dsa_signature s;
	struct sha256_ctx ctx;
	bool holds;

	if (p->signature_len != ES256_SIZE)
		return false;
	sha256_init(&ctx);
	sha256_update(&ctx, p->signed_text.len,
		      (const uint8_t *)p->signed_text.ptr);
	sha256_digest(&ctx, sizeof(digest), digest);
	dsa_signature_init(&s);
	nettle_mpz_set_str_256_u(s.r, ES256_SIZE / 2, p->signature);
	nettle_mpz_set_str_256_u(s.s, ES256_SIZE / 2,
				 p->signature + ES256_SIZE / 2);
	holds = ecdsa_verify(&k->point, sizeof(digest), digest, &s);
	dsa_signature_clear(&s);
	return holds;
}

static bool signature_holds(const struct jwk *k, const struct parts *p)
{
	switch (k->algorithm) {
	case JWT_HS256:
		return hmac_holds(k, p);
	case JWT_RS256:
		return rsa_holds(k, p);
	case JWT_ES256:
		return ecdsa_holds(k, p);
	}
	return false;
}

/* --- claims ----------------------------------------------------------------------------- */

static bool for_us(struct json aud, struct sv audience)
{
	int n = 0;

	if (!json_is(aud, JSON_ARRAY))
		return json_string_is(aud, audience);
	for (struct json it = json_first(aud); it.doc && n < JWT_AUDIENCES_MAX;
	     it = json_next(aud, it), n++)
		if (json_string_is(it, audience))
			return true;
	return false;
}

static enum jwt_refusal check_claims(const struct jwt_policy *policy,
				     struct json payload, int64_t now_s,
				     struct arena *arena,
				     struct jwt_claims *claims)
{
	struct json sub = json_get(payload, SV("sub"));
	struct json nbf = json_get(payload, SV("nbf"));
	const int64_t now = now_s * NS_PER_S, skew = policy->skew_s * NS_PER_S;
	int64_t from;

	if (!json_string_is(json_get(payload, SV("iss")), policy->issuer))
		return JWT_ISSUER;
	if (!for_us(json_get(payload, SV("aud")), policy->audience))
		return JWT_AUDIENCE;
	if (!json_to_ns(json_get(payload, SV("exp")), &claims->expires_ns))
		return JWT_NO_EXPIRY;
	/* RFC 7519 4.1.4: on or after exp it must not be taken. Differences of
	 * the past do not overflow: now and skew are of our making. */
	if (claims->expires_ns <= now - skew)
		return JWT_EXPIRED;
	if (nbf.doc && (!json_to_ns(nbf, &from) || from > now + skew))
		return JWT_EARLY;
	if (sub.doc) {
		claims->subject = json_string(sub, arena);
		if (!claims->subject.ptr)
			return JWT_PAYLOAD;
	}
	return JWT_OK;
}

enum jwt_refusal jwt_verify(const struct jwks *keys,
			    const struct jwt_policy *policy, struct sv token,
			    int64_t now_s, struct arena *arena,
			    struct jwt_claims *claims)
{
	struct parts p;
	struct json_doc header;
	const struct jwk *key = NULL;
	enum jwt_refusal why;

	assert(policy->issuer.len && policy->audience.len);
	assert(policy->skew_s >= 0 && policy->skew_s <= JWT_SKEW_S_MAX);
	assert(now_s >= 0 && now_s < INT64_MAX / NS_PER_S - JWT_SKEW_S_MAX);
	*claims = (struct jwt_claims){ .subject = { NULL, 0 } };
	why = cut(&p, token);
	if (!why)
		why = read_object(&header, p.header, arena, JWT_HEADER);
	if (!why)
		why = find_key(keys, json_root(&header), arena, &key);
	if (why)
		return why;
	if (!signature_holds(key, &p))
		return JWT_SIGNATURE;
	claims->algorithm = key->algorithm;
	why = read_object(&claims->doc, p.payload, arena, JWT_PAYLOAD);
	if (why)
		return why;
	claims->payload = json_root(&claims->doc);
	return check_claims(policy, claims->payload, now_s, arena, claims);
}

/* --- answers ------------------------------------------------------------------------------ */

static const struct {
	const char *name, *text;
} refusals[] = { [JWT_OK] = { "OK", "" },
#define X(name, text) [JWT_##name] = { #name, text },
		 JWT_REFUSALS(X)
#undef X
};

const char *jwt_message(enum jwt_refusal why)
{
	assert(why >= JWT_OK && why < JWT_REFUSAL_COUNT);
	return refusals[why].text;
}

const char *jwt_refusal_name(enum jwt_refusal why)
{
	assert(why >= JWT_OK && why < JWT_REFUSAL_COUNT);
	return refusals[why].name;
}
