/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a key set; and as a token, also with a signature that holds, so
 * that the claims are reached. No token of foreign bytes is accepted. */
#include <assert.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>

#include "core/auth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "0123456789abcdef0123456789abcdef"

static const struct jwt_policy policy = { SV_INIT("i"), SV_INIT("a"), 60 };

static void try(const struct jwks *keys, struct sv token, bool may_hold)
{
	struct arena a = { .limit = 1 << 20 };
	struct jwt_claims c;

	if (!jwt_verify(keys, &policy, token, 1795341191, &a, &c))
		assert(may_hold && c.expires_ns > 0);
	arena_fini(&a);
}

/* The bytes as the payload of a token that is signed. */
static void try_signed(const struct jwks *keys, const uint8_t *data, size_t n)
{
	static char text[2 * JWT_TOKEN_MAX];
	static const char header[] = "eyJhbGciOiJIUzI1NiJ9."; /* HS256 */
	size_t len = sizeof(header) - 1;
	struct hmac_sha256_ctx ctx;
	uint8_t mac[32];

	memcpy(text, header, len);
	base64_encode_raw(text + len, n, data);
	len += (n * 4 + 2) / 3;
	hmac_sha256_set_key(&ctx, 32, (const uint8_t *)SECRET);
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	hmac_sha256_update(&ctx, len, (const uint8_t *)text);
	hmac_sha256_digest(&ctx, sizeof(mac), mac);
	text[len++] = '.';
	base64_encode_raw(text + len, sizeof(mac), mac);
	for (size_t i = len; i < len + 43; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	try(keys, sv_make(text, len + 43), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv input = sv_make((const char *)data, size);
	struct jwks *keys;

	if (!jwks_parse(&keys, input, NULL))
		jwks_free(keys);
	if (jwks_parse(&keys,
		       SV("{\"keys\":[{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFi"
			  "Y2RlZjAxMjM0NTY3ODlhYmNkZWY\"}]}"),
		       NULL))
		abort();
	try(keys, input, false);
	if (size <= JWT_TOKEN_MAX)
		try_signed(keys, data, size);
	jwks_free(keys);
	return 0;
}
