/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4: requests signed by botocore 1.43, what is equal and what
 * is not, the cache of derived keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "core/auth/sigv4.h"
#include "tests/unit/core/sigv4_mutate.h"
#include "tests/unit/core/signing.h"

static const struct sigv4_policy unsigned_ok = { true };

/* --- signing ---------------------------------------------------------------------- */

static void test_signed_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIGNED_ROWS; i++) {
		const struct signed_row *row = &signed_rows[i];
		struct made m;

		make(&m, row, false);
		assert_string_equal(m.text.ptr + m.text.len - 64, row->header);
		assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_OK);
		m.hash[31] ^= 1;
		assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_MISMATCH);
		buf_fini(&m.text);

		make(&m, row, true);
		if (row->presigned)
			assert_string_equal(m.text.ptr + m.text.len - 64,
					    row->presigned);
		assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_OK);
		assert_int_equal(judge(&m, NOW + 3600, NULL, NULL), SIGV4_OK);
		assert_int_equal(judge(&m, NOW + 3601, NULL, NULL),
				 SIGV4_EXPIRED);
		assert_int_equal(judge(&m, NOW - 900, NULL, NULL), SIGV4_OK);
		assert_int_equal(judge(&m, NOW - 901, NULL, NULL), SIGV4_EARLY);
		buf_fini(&m.text);
	}
}

/* Each byte of a pre-signed query, changed: refused but for the escapes' case
 * and the order of what has no order. */
static void test_presigned_mutations(void **state)
{
	struct made m;
	uint64_t seed = 1;

	(void)state;
	make(&m, &signed_rows[5], true);
	for (size_t i = 0; i < m.text.len; i++)
		for (int k = 0; k < 8; k++) {
			char was = m.text.ptr[i];
			char is = (char)next_random(&seed);
			bool digit = i > 1 && (m.text.ptr[i - 1] == '%' ||
					       m.text.ptr[i - 2] == '%');

			if (is == was || (digit && (is ^ was) == 0x20))
				continue;
			m.text.ptr[i] = is;
			if (judge(&m, NOW, NULL, NULL) == SIGV4_OK)
				fail_msg("byte %zu from %d to %d", i, was, is);
			m.text.ptr[i] = was;
		}
	buf_fini(&m.text);
}

static void test_signer_refuses(void **state)
{
	const struct sigv4_request r = { .method = SV("GET"),
					 .path = SV("/"),
					 .headers = plain_headers,
					 .header_count = 3 };
	struct sigv4_request full = r;
	struct sigv4_credentials bad = credentials;
	struct sigv4_header many[SIGV4_SIGNED_MAX + 1];
	char names[SIGV4_SIGNED_MAX + 1][8];
	uint8_t hash[SIGV4_HASH_SIZE];
	struct buf b = BUF_INIT;

	(void)state;
	sigv4_hash(hash, SV(""));
	full.header_count = 4;
	assert_int_equal(sigv4_sign(&b, &r, &credentials, hash), ERR_INVALID);
	full.headers++; /* no Host */
	full.header_count--;
	assert_int_equal(sigv4_sign(&b, &full, &credentials, hash),
			 ERR_INVALID);
	full.headers--;
	full.header_count++;
	bad.region = SV("us/east");
	assert_int_equal(sigv4_sign(&b, &full, &bad, hash), ERR_INVALID);
	for (int64_t s = 0; s < 2; s++)
		assert_int_equal(
			sigv4_presign(&b, &r, &credentials, "20261122T095311Z",
				      s * (SIGV4_EXPIRES_MAX_S + 1), hash),
			ERR_INVALID);
	assert_int_equal(sigv4_presign(&b, &r, &credentials, "2026", 60, hash),
			 ERR_INVALID);
	memcpy(many, plain_headers, sizeof(plain_headers));
	many[1].name = SV("x;y"); /* would be two in SignedHeaders */
	full.headers = many;
	assert_int_equal(sigv4_sign(&b, &full, &credentials, hash),
			 ERR_INVALID);
	many[1].name = SV("x");
	for (size_t i = 4; i < SIGV4_SIGNED_MAX + 1; i++) {
		snprintf(names[i], sizeof(names[i]), "h%zu", i);
		many[i].name = sv_from(names[i]);
		many[i].value = SV("v");
	}
	full.headers = many;
	full.header_count = SIGV4_SIGNED_MAX + 1; /* one is not signed */
	assert_int_equal(sigv4_sign(&b, &full, &credentials, hash), 0);
	many[2].name = SV("also");
	assert_int_equal(sigv4_sign(&b, &full, &credentials, hash), ERR_LIMIT);
	buf_fini(&b);
}

/* --- what is equal, and what is not ----------------------------------------------------- */

static void test_equivalences(void **state)
{
	static const struct {
		const char *path, *query;
		enum sigv4_refusal why;
	} rows[] = {
		{ "/x", "flag=&k=%2F%20z&empty", SIGV4_OK },
		{ "/x", "flag&&empty=&k=%2f+z&", SIGV4_OK },
		{ "/x", "fl%61g&empty=&k=%2F%20z", SIGV4_OK },
		{ "/x", "flag&empty=&k=/%20z", SIGV4_OK },
		{ "//x", "flag&empty=&k=%2F%20z", SIGV4_OK },
		{ "/./y/../x", "flag&empty=&k=%2F%20z", SIGV4_OK },
		{ "/x/", "flag&empty=&k=%2F%20z", SIGV4_MISMATCH },
		{ "/%78", "flag&empty=&k=%2F%20z", SIGV4_MISMATCH },
		{ "/X", "flag&empty=&k=%2F%20z", SIGV4_MISMATCH },
		{ "/x", "Flag&empty=&k=%2F%20z", SIGV4_MISMATCH },
		{ "/x", "flag&empty=&k=%2F%2Bz", SIGV4_MISMATCH },
		{ "/x", "flag&empty=&k=%2F%20z&flag", SIGV4_MISMATCH },
		{ "/x", "flag&empty=&k=%2F%20z&=", SIGV4_MISMATCH },
		{ "/x", "flag&empty=&k=%2F%20z&X-Amz-Signature=x",
		  SIGV4_MISMATCH },
	};
	struct made m;

	(void)state;
	make(&m, &signed_rows[5], false);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m.request.path = sv_from(rows[i].path);
		m.request.query = sv_from(rows[i].query);
		if (judge(&m, NOW, NULL, NULL) != rows[i].why)
			fail_msg("row %zu", i);
	}
	m.request.path = SV("/x");
	m.request.query = SV("flag&empty=&k=%2F%20z");
	m.headers[1].name = SV("x-CUSTOM");
	m.headers[1].value = SV("a\r\n\t b");
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_OK);
	m.headers[1].value = SV("ab");
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_MISMATCH);
	m.headers[1].name = SV("x-other"); /* a signed header went away */
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_MISMATCH);
	buf_fini(&m.text);
}

/* The caller learns which form of the path was signed. */
static void test_path_forms(void **state)
{
	const struct sigv4_key key = { SV(RECORDED_SECRET), true, false };
	struct sigv4_claim c;
	enum sigv4_path form;
	struct made m;

	(void)state;
	make(&m, &signed_rows[1], false); /* /a/./b/../c, signed as /a/c */
	assert_int_equal(sigv4_parse(&c, &m.request, NULL), SIGV4_OK);
	assert_int_equal(sigv4_verify(&c, &m.request, &key, m.hash, NULL,
				      &form),
			 SIGV4_OK);
	assert_int_equal(form, SIGV4_PATH_NORMAL);
	m.request.path = SV("/a/c");
	assert_int_equal(sigv4_verify(&c, &m.request, &key, m.hash, NULL,
				      &form),
			 SIGV4_OK);
	assert_int_equal(form, SIGV4_PATH_AS_SENT);
	buf_fini(&m.text);
}

static void test_unsigned_body(void **state)
{
	const struct sigv4_key key = { SV(RECORDED_SECRET), true, false };
	struct buf b = BUF_INIT;
	struct sigv4_claim c;
	struct made m;

	(void)state;
	make(&m, &signed_rows[6], false);
	m.headers[4] = (struct sigv4_header){ SV("x-amz-content-sha256"),
					      SV("UNSIGNED-PAYLOAD") };
	assert_int_equal(sigv4_sign(&b, &m.request, &credentials, m.hash), 0);
	m.headers[5] =
		(struct sigv4_header){ SV("Authorization"), buf_view(&b) };
	m.request.header_count = 6;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_UNSIGNED_BODY);
	/* Our signer signs a hash; so this one does not match. */
	assert_int_equal(judge(&m, NOW, &unsigned_ok, NULL), SIGV4_MISMATCH);
	assert_int_equal(sigv4_parse(&c, &m.request, &unsigned_ok), SIGV4_OK);
	assert_true(c.unsigned_body);
	assert_int_equal(sigv4_verify(&c, &m.request, &key, NULL, NULL, NULL),
			 SIGV4_MISMATCH);
	/* A hash of something else than what came. */
	m.headers[4].value = SV("0123456789abcdef0123456789abcdef"
				"0123456789abcdef0123456789abcdef");
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_BODY);
	buf_fini(&b);
	buf_fini(&m.text);
}

/* --- the cache ----------------------------------------------------------------------------- */

static void test_cache(void **state)
{
	const struct sigv4_key other = { SV("another secret"), true, false };
	struct sigv4_cache *cache;
	struct sigv4_cache_stats s;
	struct sigv4_claim c;
	struct made m;

	(void)state;
	assert_int_equal(sigv4_cache_new(&cache, 5), 0);
	make(&m, &signed_rows[0], false);
	for (int i = 0; i < 3; i++)
		assert_int_equal(judge(&m, NOW, NULL, cache), SIGV4_OK);
	sigv4_cache_stats(cache, &s);
	assert_int_equal(s.misses, 1);
	assert_int_equal(s.hits, 2);
	/* A secret that was replaced finds nothing of the old one. */
	assert_int_equal(sigv4_parse(&c, &m.request, NULL), SIGV4_OK);
	assert_int_equal(sigv4_verify(&c, &m.request, &other, m.hash, cache,
				      NULL),
			 SIGV4_MISMATCH);
	sigv4_cache_stats(cache, &s);
	assert_int_equal(s.misses, 2);
	buf_fini(&m.text);
	/* Bounded: the ninth of eight places must push one out. */
	for (int i = 0; i < 64; i++) {
		char region[16];
		struct sigv4_credentials far = credentials;
		struct buf b = BUF_INIT;

		snprintf(region, sizeof(region), "r-%d", i);
		far.region = sv_from(region);
		make(&m, &signed_rows[0], false);
		m.request.header_count = 4;
		assert_int_equal(sigv4_sign(&b, &m.request, &far, m.hash), 0);
		m.headers[4].value = buf_view(&b);
		m.request.header_count = 5;
		assert_int_equal(judge(&m, NOW, NULL, cache), SIGV4_OK);
		assert_int_equal(judge(&m, NOW, NULL, cache), SIGV4_OK);
		buf_fini(&b);
		buf_fini(&m.text);
	}
	sigv4_cache_stats(cache, &s);
	assert_int_equal(s.hits, 2 + 64);
	assert_true(s.evictions >= 64 + 2 - 8);
	sigv4_cache_free(cache);
}

static void *verify_many(void *arg)
{
	static const size_t rows[] = { 0, 3, 6, 8 };
	struct sigv4_cache *cache = arg;

	for (size_t i = 0; i < 200; i++) {
		struct made m;

		make(&m, &signed_rows[rows[i % 4]], i & 1);
		if (judge(&m, NOW, NULL, cache) != SIGV4_OK)
			return "refused";
		buf_fini(&m.text);
	}
	return NULL;
}

static void test_cache_threads(void **state)
{
	struct sigv4_cache *cache;
	pthread_t threads[3];

	(void)state;
	assert_int_equal(sigv4_cache_new(&cache, 1), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_many,
						cache),
				 0);
	for (int i = 0; i < 3; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	sigv4_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_rows),
		cmocka_unit_test(test_presigned_mutations),
		cmocka_unit_test(test_signer_refuses),
		cmocka_unit_test(test_equivalences),
		cmocka_unit_test(test_path_forms),
		cmocka_unit_test(test_unsigned_body),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_cache_threads),
	};

	return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
