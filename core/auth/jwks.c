/* SPDX-License-Identifier: Apache-2.0 */
#include "core/auth/jwks.h"

#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>

enum {
	SCRATCH = 1024, /* bytes of a decoded member: n of 4096 bits is 512 */
	NODES_MAX = 16 * JWKS_FILE_MAX,
};

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool base64url_decode(uint8_t *out, size_t cap, size_t *len, struct sv text)
{
	uint32_t bits = 0;
	int have = 0;

	*len = 0;
	for (size_t i = 0; i < text.len; i++) {
		int d = digit(text.ptr[i]);

		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (*len == cap)
			return false;
		out[(*len)++] = (uint8_t)(bits >> have);
	}
	return have < 6 && (bits & ((1U << have) - 1)) == 0;
}

bool json_members_once(struct json object, struct arena *arena)
{
	struct sv names[JWT_MEMBERS_MAX];
	size_t n = 0;

	for (struct json it = json_first(object); it.doc;
	     it = json_next(object, it)) {
		struct sv name = json_string(it, arena);

		if (n == JWT_MEMBERS_MAX || !name.ptr)
			return false;
		for (size_t i = 0; i < n; i++)
			if (sv_eq(names[i], name))
				return false;
		names[n++] = name;
	}
	return true;
}

/* --- one key ---------------------------------------------------------------------- */

/* A member's base64url into out; 0 bytes: not there or malformed. */
static size_t member_bytes(struct json key, const char *name, uint8_t *out,
			   size_t cap)
{
	struct json v = json_get(key, sv_from(name));
	struct sv raw;
	size_t len;

	if (!json_is(v, JSON_STRING))
		return 0;
	raw = json_raw(v); /* with quotes; an escape is no base64url */
	return base64url_decode(out, cap, &len,
				sv_make(raw.ptr + 1, raw.len - 2)) ?
		       len :
		       0;
}

static int read_hmac(struct jwks *k, struct jwk *key, struct json v,
		     struct diag *diag)
{
	uint8_t *at = (uint8_t *)k->area.ptr + k->area_used;
	size_t cap = k->area.size - k->area_used;
	size_t len = member_bytes(v, "k", at,
				  cap < JWKS_HMAC_MAX ? cap : JWKS_HMAC_MAX);

	if (len < JWKS_HMAC_MIN)
		return diag_set(diag, ERR_INVALID,
				"k must be base64url of %d to %d bytes",
				JWKS_HMAC_MIN, JWKS_HMAC_MAX);
	key->secret = sv_make((const char *)at, len);
	k->area_used += len;
	return 0;
}

static int read_rsa(struct jwk *key, struct json v, struct diag *diag)
{
	uint8_t n[SCRATCH], e[8];
	size_t n_len = member_bytes(v, "n", n, sizeof(n));
	size_t e_len = member_bytes(v, "e", e, sizeof(e));
	size_t bits;

	rsa_public_key_init(&key->rsa);
	nettle_mpz_set_str_256_u(key->rsa.n, n_len, n);
	nettle_mpz_set_str_256_u(key->rsa.e, e_len, e);
	bits = mpz_sizeinbase(key->rsa.n, 2);
	if (bits < JWKS_RSA_BITS_MIN || bits > JWKS_RSA_BITS_MAX ||
	    !mpz_odd_p(key->rsa.n) || !mpz_odd_p(key->rsa.e) ||
	    mpz_cmp_ui(key->rsa.e, 3) < 0 || e_len > 4 ||
	    !rsa_public_key_prepare(&key->rsa)) {
		rsa_public_key_clear(&key->rsa);
		return diag_set(diag, ERR_INVALID,
				"n must have %d to %d bits and e be 3 or an "
				"odd number above",
				JWKS_RSA_BITS_MIN, JWKS_RSA_BITS_MAX);
	}
	return 0;
}

static int read_ec(struct jwk *key, struct json v, struct diag *diag)
{
	uint8_t x[32], y[32];
	mpz_t mx, my;
	bool ok = member_bytes(v, "x", x, sizeof(x)) == sizeof(x) &&
		  member_bytes(v, "y", y, sizeof(y)) == sizeof(y);

	ecc_point_init(&key->point, nettle_get_secp_256r1());
	if (ok) {
		nettle_mpz_init_set_str_256_u(mx, sizeof(x), x);
		nettle_mpz_init_set_str_256_u(my, sizeof(y), y);
		ok = ecc_point_set(&key->point, mx, my); /* on the curve? */
		mpz_clear(mx);
		mpz_clear(my);
	}
	if (ok)
		return 0;
	ecc_point_clear(&key->point);
	return diag_set(diag, ERR_INVALID,
			"x and y must be 32 bytes each, of a point of P-256");
}

/* What a key of this kty and alg is for; false: not for us. */
static bool its_algorithm(struct json v, enum jwt_algorithm *out)
{
	static const struct {
		const char *kty, *alg;
	} rows[] = {
		[JWT_HS256] = { "oct", "HS256" },
		[JWT_RS256] = { "RSA", "RS256" },
		[JWT_ES256] = { "EC", "ES256" },
	};
	struct json alg = json_get(v, SV("alg")), use = json_get(v, SV("use"));

	if (use.doc && !json_string_is(use, SV("sig")))
		return false;
	for (int i = JWT_HS256; i <= JWT_ES256; i++) {
		if (!json_string_is(json_get(v, SV("kty")),
				    sv_from(rows[i].kty)) ||
		    (alg.doc && !json_string_is(alg, sv_from(rows[i].alg))))
			continue;
		*out = (enum jwt_algorithm)i;
		return i != JWT_ES256 ||
		       json_string_is(json_get(v, SV("crv")), SV("P-256"));
	}
	return false;
}

static int read_kid(struct jwks *k, struct jwk *key, struct json v,
		    struct diag *diag)
{
	struct json kid = json_get(v, SV("kid"));

	if (!kid.doc)
		return 0;
	key->kid = json_string(kid, &k->arena);
	if (!key->kid.ptr || key->kid.len == 0 || key->kid.len > JWKS_KID_MAX)
		return diag_set(diag, ERR_INVALID,
				"kid must be a text of 1 to %d bytes",
				JWKS_KID_MAX);
	for (size_t i = 0; i < k->count; i++)
		if (k->keys[i].kid.ptr && sv_eq(k->keys[i].kid, key->kid))
			return diag_set(diag, ERR_EXISTS,
					"the same kid is there twice");
	return 0;
}

static int read_key(struct jwks *k, struct json v, struct diag *diag)
{
	struct jwk key = { 0 };
	int e;

	if (!json_is(v, JSON_OBJECT) || !json_members_once(v, &k->arena))
		return diag_set(diag, ERR_INVALID,
				"a key must be an object with one of each");
	if (!its_algorithm(v, &key.algorithm))
		return 0;
	if (k->count == JWKS_KEYS_MAX)
		return diag_set(diag, ERR_LIMIT, "more than %d keys",
				JWKS_KEYS_MAX);
	if (json_get(v, SV("d")).doc)
		return diag_set(diag, ERR_INVALID,
				"this is a private key; keep it where tokens "
				"are made");
	e = read_kid(k, &key, v, diag);
	if (e)
		return e;
	e = key.algorithm == JWT_HS256 ? read_hmac(k, &key, v, diag) :
	    key.algorithm == JWT_RS256 ? read_rsa(&key, v, diag) :
					 read_ec(&key, v, diag);
	if (!e)
		k->keys[k->count++] = key;
	return e;
}

/* --- the set ------------------------------------------------------------------------ */

static int read_set(struct jwks *k, struct sv text, struct diag *diag)
{
	struct json_doc doc;
	struct json keys;
	int n = 0;
	int e = json_parse(&doc, &k->arena, text, diag);

	if (e)
		return e;
	keys = json_get(json_root(&doc), SV("keys"));
	if (!json_is(keys, JSON_ARRAY))
		return diag_set(diag, ERR_INVALID,
				"a JWKS is {\"keys\": [...]}");
	for (struct json it = json_first(keys); it.doc && !e;
	     it = json_next(keys, it)) {
		struct diag why = { 0 };

		n++;
		e = read_key(k, it, &why);
		if (e)
			diag_set(diag, e, "key %d: %s", n, why.text);
	}
	if (!e && k->count == 0)
		e = diag_set(diag, ERR_INVALID,
			     "no key for HS256, RS256 or ES256 is in it");
	return e;
}

int jwks_parse(struct jwks **out, struct sv text, struct diag *diag)
{
	struct jwks *k;
	int e;

	if (text.len > JWKS_FILE_MAX)
		return diag_set(diag, ERR_LIMIT, "more than %d bytes of keys",
				JWKS_FILE_MAX);
	k = calloc(1, sizeof(*k));
	if (!k)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	k->arena.limit = NODES_MAX;
	/* Decoded secrets take less room than the text they come from. */
	e = secret_area_init(&k->area, 2 * text.len + 1);
	if (e) {
		free(k);
		return diag_set(diag, e, "no memory for keys");
	}
	if (text.len)
		memcpy(k->area.ptr, text.ptr, text.len);
	k->area_used = text.len;
	e = read_set(k, sv_make(k->area.ptr, text.len), diag);
	if (e) {
		jwks_free(k);
		return e;
	}
	*out = k;
	return 0;
}

void jwks_free(struct jwks *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->count; i++) {
		if (k->keys[i].algorithm == JWT_RS256)
			rsa_public_key_clear(&k->keys[i].rsa);
		if (k->keys[i].algorithm == JWT_ES256)
			ecc_point_clear(&k->keys[i].point);
	}
	arena_fini(&k->arena);
	secret_area_fini(&k->area);
	free(k);
}

size_t jwks_count(const struct jwks *k)
{
	return k->count;
}

bool jwks_has_secret(const struct jwks *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i].algorithm == JWT_HS256)
			return true;
	return false;
}
