/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens, with keys that are made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/hmac.h>
#include <nettle/rsa.h>

#include "core/auth/jwt.h"

#define NOW 1795341191 /* 2026-11-22T09:53:11Z */
#define SECRET "0123456789abcdef0123456789abcdef"
#define ISS "\"iss\":\"https://id.example\""
#define AUD "\"aud\":\"tally\""
#define EXP "\"exp\":1795341200"
#define GOOD "{" ISS "," AUD "," EXP ",\"sub\":\"ali\"}"

enum { RSA_BITS = 2048, NO_SIGNATURE = -1 };

static const struct jwt_policy policy = { SV_INIT("https://id.example"),
					  SV_INIT("tally"), 60 };

/* --- keys and tokens -------------------------------------------------------------- */

struct maker {
	uint64_t random;
	struct rsa_public_key rsa_public;
	struct rsa_private_key rsa;
	struct ecc_point point;
	struct ecc_scalar scalar;
	struct buf jwks;
	struct jwks *keys;
};

/* Not random at all, so that each run makes the same keys. */
static void weak_random(void *arg, size_t n, uint8_t *out)
{
	uint64_t *x = arg;

	while (n--) {
		*x = *x * 6364136223846793005U + 1442695040888963407U;
		*out++ = (uint8_t)(*x >> 56);
	}
}

static void base64url(struct buf *b, const void *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				     "opqrstuvwxyz0123456789-_";
	const uint8_t *p = bytes;
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6; have -= 6)
			buf_char(b, digits[bits >> (have - 6) & 63]);
	}
	if (have)
		buf_char(b, digits[bits << (6 - have) & 63]);
}

static void number(struct buf *b, const mpz_t v, size_t n)
{
	uint8_t bytes[512];

	nettle_mpz_get_str_256(n, bytes, v);
	base64url(b, bytes, n);
}

static void make_jwks(struct maker *m)
{
	mpz_t x, y;

	mpz_init(x);
	mpz_init(y);
	ecc_point_get(&m->point, x, y);
	buf_text(&m->jwks,
		 "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"");
	base64url(&m->jwks, SECRET, 32);
	buf_text(&m->jwks, "\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\"},"
			   "{\"kty\":\"RSA\",\"alg\":\"RS512\",\"kid\":\"r5\"},"
			   "{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"re\"},"
			   "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"use\":\"sig\","
			   "\"kid\":\"r\",\"e\":\"AQAB\",\"n\":\"");
	number(&m->jwks, m->rsa_public.n, RSA_BITS / 8);
	buf_text(&m->jwks, "\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":"
			   "\"e\",\"x\":\"");
	number(&m->jwks, x, 32);
	buf_text(&m->jwks, "\",\"y\":\"");
	number(&m->jwks, y, 32);
	buf_text(&m->jwks, "\"}]}");
	mpz_clear(x);
	mpz_clear(y);
}

static int setup(void **state)
{
	struct maker *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->random = 1;
	rsa_public_key_init(&m->rsa_public);
	rsa_private_key_init(&m->rsa);
	mpz_set_ui(m->rsa_public.e, 65537);
	assert_true(rsa_generate_keypair(&m->rsa_public, &m->rsa, &m->random,
					 weak_random, NULL, NULL, RSA_BITS, 0));
	ecc_point_init(&m->point, nettle_get_secp_256r1());
	ecc_scalar_init(&m->scalar, nettle_get_secp_256r1());
	ecdsa_generate_keypair(&m->point, &m->scalar, &m->random, weak_random);
	make_jwks(m);
	assert_int_equal(jwks_parse(&m->keys, buf_view(&m->jwks), NULL), 0);
	assert_int_equal(jwks_count(m->keys), 3);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct maker *m = *state;

	jwks_free(m->keys);
	rsa_public_key_clear(&m->rsa_public);
	rsa_private_key_clear(&m->rsa);
	ecc_point_clear(&m->point);
	ecc_scalar_clear(&m->scalar);
	buf_fini(&m->jwks);
	free(m);
	return 0;
}

static void hmac_text(struct buf *b, struct sv secret)
{
	struct hmac_sha256_ctx ctx;
	uint8_t mac[32];

	hmac_sha256_set_key(&ctx, secret.len, (const uint8_t *)secret.ptr);
	hmac_sha256_update(&ctx, b->len, (const uint8_t *)b->ptr);
	hmac_sha256_digest(&ctx, sizeof(mac), mac);
	buf_char(b, '.');
	base64url(b, mac, sizeof(mac));
}

static void sign_rsa(struct maker *m, struct buf *b)
{
	struct sha256_ctx ctx;
	mpz_t s;

	mpz_init(s);
	sha256_init(&ctx);
	sha256_update(&ctx, b->len, (const uint8_t *)b->ptr);
	assert_true(rsa_sha256_sign(&m->rsa, &ctx, s));
	buf_char(b, '.');
	number(b, s, RSA_BITS / 8);
	mpz_clear(s);
}

static void sign_ec(struct maker *m, struct buf *b)
{
	struct sha256_ctx ctx;
	struct dsa_signature s;
	uint8_t digest[32];

	sha256_init(&ctx);
	sha256_update(&ctx, b->len, (const uint8_t *)b->ptr);
	sha256_digest(&ctx, sizeof(digest), digest);
	dsa_signature_init(&s);
	ecdsa_sign(&m->scalar, &m->random, weak_random, sizeof(digest), digest,
		   &s);
	buf_char(b, '.');
	/* r and s side by side, 32 bytes each. */
	mpz_mul_2exp(s.r, s.r, 256);
	mpz_add(s.r, s.r, s.s);
	number(b, s.r, 64);
	dsa_signature_clear(&s);
}

static void make_token(struct maker *m, struct buf *b, const char *header,
		       const char *payload, int how)
{
	base64url(b, header, strlen(header));
	buf_char(b, '.');
	base64url(b, payload, strlen(payload));
	if (how == JWT_HS256)
		hmac_text(b, SV(SECRET));
	else if (how == JWT_RS256)
		sign_rsa(m, b);
	else if (how == JWT_ES256)
		sign_ec(m, b);
	else
		buf_char(b, '.');
}

static enum jwt_refusal judge(struct maker *m, struct sv token, int64_t now)
{
	struct arena a = { .limit = 1 << 20 };
	struct jwt_claims c;
	enum jwt_refusal why = jwt_verify(m->keys, &policy, token, now, &a, &c);

	if (why == JWT_OK && c.subject.ptr)
		assert_true(sv_eq(c.subject, SV("ali")));
	arena_fini(&a);
	return why;
}

#define H_HMAC "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"h\"}"
#define H_RSA "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"r\"}"
#define H_EC "{\"typ\":\"jwt\",\"alg\":\"ES256\",\"kid\":\"e\"}"

static const char *const headers[] = { H_HMAC, H_RSA, H_EC };

/* --- tests ---------------------------------------------------------------------------- */

static void test_rows(void **state)
{
	static const struct {
		enum jwt_refusal why;
		const char *header, *payload;
		int how;
	} rows[] = {
		{ JWT_OK, H_HMAC, GOOD, JWT_HS256 },
		{ JWT_OK, H_RSA, GOOD, JWT_RS256 },
		{ JWT_OK, H_EC, GOOD, JWT_ES256 },
		{ JWT_OK, "{\"alg\":\"HS256\"}", GOOD, JWT_HS256 },
		{ JWT_OK, "{\"alg\":\"RS256\"}", GOOD, JWT_RS256 },
		{ JWT_OK, "{\"alg\":\"ES256\"}", GOOD, JWT_ES256 },
		{ JWT_OK, H_HMAC, "{" ISS ",\"aud\":[\"x\",\"tally\"]," EXP "}",
		  JWT_HS256 },
		{ JWT_OK, H_HMAC, "{" ISS "," AUD ",\"exp\":1795341131.5}",
		  JWT_HS256 },
		{ JWT_OK, H_HMAC,
		  "{" ISS "," AUD "," EXP ",\"nbf\":1795341251}", JWT_HS256 },
		/* The algorithm is the key's. */
		{ JWT_ALGORITHM, "{\"alg\":\"none\"}", GOOD, NO_SIGNATURE },
		{ JWT_ALGORITHM, "{\"alg\":\"None\",\"kid\":\"h\"}", GOOD,
		  NO_SIGNATURE },
		{ JWT_ALGORITHM, "{\"alg\":\"HS512\"}", GOOD, JWT_HS256 },
		{ JWT_ALGORITHM, "{\"alg\":\"hs256\"}", GOOD, JWT_HS256 },
		{ JWT_ALGORITHM, "{\"alg\":\"HS256\",\"kid\":\"r\"}", GOOD,
		  JWT_HS256 },
		{ JWT_ALGORITHM, "{\"alg\":\"HS256\",\"kid\":\"e\"}", GOOD,
		  JWT_HS256 },
		{ JWT_ALGORITHM, "{\"alg\":\"RS256\",\"kid\":\"h\"}", GOOD,
		  JWT_RS256 },
		{ JWT_ALGORITHM, "{\"alg\":\"ES256\",\"kid\":\"r\"}", GOOD,
		  JWT_ES256 },
		{ JWT_UNKNOWN_KEY, "{\"alg\":\"HS256\",\"kid\":\"x\"}", GOOD,
		  JWT_HS256 },
		{ JWT_UNKNOWN_KEY, "{\"alg\":\"RS256\",\"kid\":\"re\"}", GOOD,
		  JWT_RS256 },
		/* Signed by another. */
		{ JWT_SIGNATURE, H_HMAC, GOOD, JWT_RS256 },
		{ JWT_SIGNATURE, H_RSA, GOOD, JWT_HS256 },
		{ JWT_SIGNATURE, H_EC, GOOD, JWT_RS256 },
		{ JWT_SIGNATURE, H_HMAC, GOOD, NO_SIGNATURE },
		{ JWT_SIGNATURE, H_RSA, GOOD, NO_SIGNATURE },
		{ JWT_SIGNATURE, H_EC, GOOD, NO_SIGNATURE },
		{ JWT_SIGNATURE, H_HMAC, "{", JWT_ES256 },
		/* The header. */
		{ JWT_HEADER, "{}", GOOD, JWT_HS256 },
		{ JWT_HEADER, "[]", GOOD, JWT_HS256 },
		{ JWT_HEADER, "{\"alg\":\"HS256\"", GOOD, JWT_HS256 },
		{ JWT_HEADER, "{\"alg\":1}", GOOD, JWT_HS256 },
		{ JWT_HEADER, "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", GOOD,
		  JWT_HS256 },
		{ JWT_HEADER, "{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", GOOD,
		  JWT_HS256 },
		{ JWT_HEADER, "{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}", GOOD,
		  JWT_HS256 },
		{ JWT_HEADER, "{\"alg\":\"HS256\",\"kid\":7}", GOOD,
		  JWT_HS256 },
		/* The claims. */
		{ JWT_PAYLOAD, H_HMAC, "[]", JWT_HS256 },
		{ JWT_PAYLOAD, H_HMAC, "{", JWT_HS256 },
		{ JWT_PAYLOAD, H_HMAC, "{" EXP "," EXP "}", JWT_HS256 },
		{ JWT_PAYLOAD, H_HMAC, "{" ISS "," AUD "," EXP ",\"sub\":1}",
		  JWT_HS256 },
		{ JWT_ISSUER, H_HMAC, "{" AUD "," EXP "}", JWT_HS256 },
		{ JWT_ISSUER, H_HMAC,
		  "{\"iss\":\"https://id.example/\"," AUD "," EXP "}",
		  JWT_HS256 },
		{ JWT_ISSUER, H_HMAC,
		  "{\"iss\":[\"https://id.example\"]," AUD "," EXP "}",
		  JWT_HS256 },
		{ JWT_AUDIENCE, H_HMAC, "{" ISS "," EXP "}", JWT_HS256 },
		{ JWT_AUDIENCE, H_HMAC, "{" ISS ",\"aud\":\"tally2\"," EXP "}",
		  JWT_HS256 },
		{ JWT_AUDIENCE, H_HMAC,
		  "{" ISS ",\"aud\":[[\"tally\"]]," EXP "}", JWT_HS256 },
		{ JWT_AUDIENCE, H_HMAC, "{" ISS ",\"aud\":[]," EXP "}",
		  JWT_HS256 },
		{ JWT_NO_EXPIRY, H_HMAC, "{" ISS "," AUD "}", JWT_HS256 },
		{ JWT_NO_EXPIRY, H_HMAC,
		  "{" ISS "," AUD ",\"exp\":\"1795341200\"}", JWT_HS256 },
		{ JWT_NO_EXPIRY, H_HMAC, "{" ISS "," AUD ",\"exp\":1e300}",
		  JWT_HS256 },
		{ JWT_EXPIRED, H_HMAC, "{" ISS "," AUD ",\"exp\":1795341131}",
		  JWT_HS256 },
		{ JWT_EXPIRED, H_HMAC, "{" ISS "," AUD ",\"exp\":-9000000000}",
		  JWT_HS256 },
		{ JWT_EARLY, H_HMAC,
		  "{" ISS "," AUD "," EXP ",\"nbf\":1795341252}", JWT_HS256 },
		{ JWT_EARLY, H_HMAC, "{" ISS "," AUD "," EXP ",\"nbf\":null}",
		  JWT_HS256 },
	};
	struct maker *m = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_INIT;
		enum jwt_refusal why;

		make_token(m, &b, rows[i].header, rows[i].payload, rows[i].how);
		why = judge(m, buf_view(&b), NOW);
		if (why != rows[i].why)
			fail_msg("row %zu: %s", i, jwt_refusal_name(why));
		buf_fini(&b);
	}
}

/* The classic: the public key, in every form one might take it, as the secret
 * of an HMAC. */
static void test_public_key_as_secret(void **state)
{
	static const char *const tries[] = {
		"{\"alg\":\"HS256\",\"kid\":\"r\"}", "{\"alg\":\"HS256\"}",
		"{\"alg\":\"RS256\",\"kid\":\"r\"}"
	};
	struct maker *m = *state;
	uint8_t n[RSA_BITS / 8];
	struct buf text = BUF_INIT;

	nettle_mpz_get_str_256(sizeof(n), n, m->rsa_public.n);
	number(&text, m->rsa_public.n, sizeof(n));
	for (size_t i = 0; i < 3; i++)
		for (int form = 0; form < 3; form++) {
			struct buf b = BUF_INIT;

			make_token(m, &b, tries[i], GOOD, NO_SIGNATURE);
			b.len--; /* hmac_text puts the dot */
			hmac_text(&b, form == 0 ?
					      sv_make((char *)n, sizeof(n)) :
				      form == 1 ? buf_view(&text) :
						  buf_view(&m->jwks));
			assert_int_not_equal(judge(m, buf_view(&b), NOW),
					     JWT_OK);
			buf_fini(&b);
		}
	buf_fini(&text);
}

/* Each byte of a token, changed, three ways; and each prefix. */
static void test_mutations(void **state)
{
	struct maker *m = *state;

	for (int how = JWT_HS256; how <= JWT_ES256; how++) {
		struct buf b = BUF_INIT;
		int step = how == JWT_HS256 ? 1 : 7; /* these are slow */

		make_token(m, &b, headers[how], GOOD, how);
		assert_int_equal(judge(m, buf_view(&b), NOW), JWT_OK);
		for (size_t i = 0; i < b.len; i += (size_t)step) {
			static const char others[] = { 'A', 'x', '.', '=' };
			char was = b.ptr[i];

			for (size_t k = 0; k < sizeof(others); k++) {
				b.ptr[i] = others[k];
				if (was != others[k])
					assert_int_not_equal(
						judge(m, buf_view(&b), NOW),
						JWT_OK);
			}
			b.ptr[i] = was;
			assert_int_not_equal(judge(m, sv_make(b.ptr, i), NOW),
					     JWT_OK);
		}
		/* A stray bit behind the last byte, and padding. */
		buf_char(&b, '=');
		assert_int_equal(judge(m, buf_view(&b), NOW), JWT_MALFORMED);
		buf_fini(&b);
	}
}

static void test_limits(void **state)
{
	static char text[JWT_TOKEN_MAX + 2];
	struct maker *m = *state;
	struct arena a = { .limit = 64 };
	struct buf b = BUF_INIT, payload = BUF_INIT;
	struct jwt_claims c;

	memset(text, 'A', sizeof(text));
	text[JWT_HEADER_MAX + 1] = '.';
	text[JWT_HEADER_MAX + 3] = '.';
	assert_int_equal(judge(m, sv_make(text, JWT_HEADER_MAX + 8), NOW),
			 JWT_TOO_LONG);
	assert_int_equal(judge(m, sv_make(text, JWT_TOKEN_MAX + 1), NOW),
			 JWT_TOO_LONG);
	assert_int_equal(judge(m, sv_make(text + 1, 2), NOW), JWT_MALFORMED);
	assert_int_equal(judge(m, SV(""), NOW), JWT_MALFORMED);
	assert_int_equal(judge(m, SV(".."), NOW), JWT_MALFORMED);
	for (int extra = 0; extra < 2; extra++) {
		buf_reset(&b);
		buf_reset(&payload);
		buf_text(&payload, "{" ISS "," AUD "," EXP);
		for (int i = 3; i < JWT_MEMBERS_MAX + extra; i++)
			buf_format(&payload, ",\"m%d\":%d", i, i);
		buf_char(&payload, '}');
		make_token(m, &b, headers[0], payload.ptr, JWT_HS256);
		assert_int_equal(judge(m, buf_view(&b), NOW),
				 extra ? JWT_PAYLOAD : JWT_OK);
	}
	for (int extra = 0; extra < 2; extra++) {
		buf_reset(&b);
		buf_reset(&payload);
		buf_text(&payload, "{" ISS "," EXP ",\"aud\":[");
		for (int i = 1; i < JWT_AUDIENCES_MAX + extra; i++)
			buf_text(&payload, "\"x\",");
		buf_text(&payload, "\"tally\"]}");
		make_token(m, &b, headers[0], payload.ptr, JWT_HS256);
		assert_int_equal(judge(m, buf_view(&b), NOW),
				 extra ? JWT_AUDIENCE : JWT_OK);
	}
	assert_int_equal(jwt_verify(m->keys, &policy, buf_view(&b), NOW, &a,
				    &c),
			 JWT_MEMORY);
	arena_fini(&a);
	buf_fini(&payload);
	buf_fini(&b);
	for (int why = JWT_OK + 1; why < JWT_REFUSAL_COUNT; why++)
		assert_true(*jwt_message((enum jwt_refusal)why));
}

/* --- key sets ---------------------------------------------------------------------------- */

#define OCT                                     \
	"{\"kty\":\"oct\",\"kid\":\"a\",\"k\":" \
	"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"
#define Z43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void test_jwks(void **state)
{
	static const struct {
		int e;
		const char *text;
	} rows[] = {
		{ 0, "{\"keys\":[" OCT "]}" },
		{ 0, "{\"more\":1,\"keys\":[{\"kty\":\"OKP\"}," OCT "]}" },
		{ ERR_SYNTAX, "" },
		{ ERR_SYNTAX, "{\"keys\":[" OCT },
		{ ERR_INVALID, "[]" },
		{ ERR_INVALID, "{\"keys\":{}}" },
		{ ERR_INVALID, "{\"keys\":[]}" },
		{ ERR_INVALID, "{\"keys\":[1]}" },
		{ ERR_INVALID, "{\"keys\":[{\"kty\":\"OKP\"}]}" },
		{ ERR_EXISTS, "{\"keys\":[" OCT "," OCT "]}" },
		{ ERR_INVALID, "{\"keys\":[{\"kty\":\"oct\"}]}" },
		{ ERR_INVALID,
		  "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}" },
		{ ERR_INVALID, /* padding */
		  "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" Z43 "=\"}]}" },
		{ ERR_INVALID, /* stray bits */
		  "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" Z43
		  "AAAAAAAAAAB\"}]}" },
		{ ERR_INVALID, "{\"keys\":[{\"kty\":\"oct\",\"kty\":\"oct\","
			       "\"k\":\"" Z43 "\"}]}" },
		{ ERR_INVALID, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"\","
			       "\"k\":\"" Z43 "\"}]}" },
		{ ERR_INVALID, /* 1 is no exponent */
		  "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"" Z43
		  "\",\"e\":\"AQ\"}]}" },
		{ ERR_INVALID, /* few bits */
		  "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"_____w\",\"e\":"
		  "\"AQAB\"}]}" },
		{ ERR_INVALID, /* not on the curve */
		  "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Z43
		  "\",\"y\":\"" Z43 "\"}]}" },
		{ ERR_INVALID, /* short */
		  "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\","
		  "\"y\":\"AA\"}]}" },
		{ ERR_INVALID, /* another curve is not ours */
		  "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" Z43
		  "\",\"y\":\"" Z43 "\"}]}" },
		{ ERR_INVALID, /* private */
		  "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"" Z43
		  "\",\"x\":\"" Z43 "\",\"y\":\"" Z43 "\"}]}" },
	};
	struct buf b = BUF_INIT;
	struct jwks *k;
	struct diag d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int e = jwks_parse(&k, sv_from(rows[i].text), &d);

		if (e != rows[i].e)
			fail_msg("row %zu: %d", i, e);
		if (!e)
			jwks_free(k);
		else
			assert_true(d.text[0]);
	}
	for (int extra = 0; extra < 2; extra++) {
		buf_reset(&b);
		buf_text(&b, "{\"keys\":[");
		for (int i = 0; i < JWKS_KEYS_MAX + extra; i++)
			buf_text(&b, i ? ",{\"kty\":\"oct\",\"k\":\"" Z43
					 "\"}" :
					 "{\"kty\":\"oct\",\"k\":\"" Z43 "\"}");
		buf_text(&b, "]}");
		assert_int_equal(jwks_parse(&k, buf_view(&b), &d),
				 extra ? ERR_LIMIT : 0);
		if (!extra) {
			assert_int_equal(jwks_count(k), JWKS_KEYS_MAX);
			jwks_free(k);
		}
	}
	while (b.len <= JWKS_FILE_MAX)
		buf_char(&b, ' ');
	assert_int_equal(jwks_parse(&k, buf_view(&b), &d), ERR_LIMIT);
	buf_fini(&b);
}

/* Two keys of one algorithm and no kid: nobody is guessed. */
static void test_ambiguous(void **state)
{
	struct maker *m = *state;
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct jwt_claims c;
	struct jwks *k;

	assert_int_equal(
		jwks_parse(&k,
			   SV("{\"keys\":[{\"kty\":\"oct\",\"k\":\"" Z43 "\"},"
			      "{\"kty\":\"oct\",\"k\":\"" Z43 "\"}]}"),
			   NULL),
		0);
	make_token(m, &b, "{\"alg\":\"HS256\"}", GOOD, JWT_HS256);
	assert_int_equal(jwt_verify(k, &policy, buf_view(&b), NOW, &a, &c),
			 JWT_UNKNOWN_KEY);
	jwks_free(k);
	buf_fini(&b);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_public_key_as_secret),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_jwks),
		cmocka_unit_test(test_ambiguous),
	};

	return cmocka_run_group_tests_name("jwt", tests, setup, teardown);
}
