/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature Version 4: recorded requests of real clients, requests signed by
 * botocore 1.43, one-byte mutations of everything that is signed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <pthread.h>

#include "core/auth/sigv4.h"
#include "core/base/hash.h"
#include "tests/unit/core/signing.h"

#define FIXTURES "tests/fixtures/sigv4/"

enum { MUTATIONS = 200 };

static const struct sigv4_policy unsigned_ok = { true };

/* --- recordings ------------------------------------------------------------------- */

static void each_recording(void (*visit)(struct recording *r, const char *name))
{
	static struct recording r;
	DIR *dir = opendir(FIXTURES);
	struct dirent *entry;
	int files = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), FIXTURES "%s", entry->d_name);
		recording_read(&r, path);
		visit(&r, entry->d_name);
		files++;
	}
	closedir(dir);
	assert_true(files >= 40);
}

static int64_t claimed_time(const struct recording *r)
{
	struct sigv4_claim c;

	assert_int_equal(sigv4_parse(&c, &r->request, &unsigned_ok), SIGV4_OK);
	return c.time_s;
}

static void verify_one(struct recording *r, const char *name)
{
	const int64_t now = claimed_time(r);
	struct sigv4_key key = { SV(RECORDED_SECRET), true, false };
	struct sigv4_claim c;
	uint8_t hash[SIGV4_HASH_SIZE];

	if (recording_verify(r, NULL, now, NULL))
		fail_msg("%s is refused", name);
	assert_int_equal(recording_verify(r, NULL, now + SIGV4_SKEW_S, NULL),
			 SIGV4_OK);
	assert_int_equal(recording_verify(r, NULL, now + SIGV4_SKEW_S + 1,
					  NULL),
			 SIGV4_EXPIRED);
	assert_int_equal(recording_verify(r, NULL, now - SIGV4_SKEW_S, NULL),
			 SIGV4_OK);
	assert_int_equal(recording_verify(r, NULL, now - SIGV4_SKEW_S - 1,
					  NULL),
			 SIGV4_EARLY);
	/* Another key, secret, region, service. */
	assert_int_equal(sigv4_parse(&c, &r->request, NULL), SIGV4_OK);
	sigv4_hash(hash, r->body);
	key.secret = SV("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ");
	assert_int_equal(sigv4_verify(&c, &r->request, &key, hash, NULL, NULL),
			 SIGV4_MISMATCH);
	key.known = false;
	assert_int_equal(sigv4_verify(&c, &r->request, &key, hash, NULL, NULL),
			 SIGV4_UNKNOWN_KEY);
	key = (struct sigv4_key){ SV(RECORDED_SECRET), true, true };
	assert_int_equal(sigv4_verify(&c, &r->request, &key, hash, NULL, NULL),
			 SIGV4_EXPIRED_KEY);
	assert_int_equal(sigv4_check_scope(&c, SV("us-east-1"), c.service),
			 SIGV4_OK);
	assert_int_equal(sigv4_check_scope(&c, SV("eu-west-1"), c.service),
			 SIGV4_REGION);
	assert_int_equal(sigv4_check_scope(&c, c.region, SV("s3")),
			 SIGV4_SERVICE);
}

static void test_recordings(void **state)
{
	(void)state;
	each_recording(verify_one);
}

/* --- mutations ---------------------------------------------------------------------- */

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*state >> 33);
}

/* Where a byte may be changed: all that the signature vouches for. */
static size_t signed_places(const struct recording *r, struct sv *out)
{
	struct sigv4_claim c;
	size_t n = 0;

	assert_int_equal(sigv4_parse(&c, &r->request, &unsigned_ok), SIGV4_OK);
	out[n++] = r->request.method;
	out[n++] = r->request.path;
	out[n++] = r->request.query;
	out[n++] = r->body;
	for (size_t i = 0; i < r->request.header_count; i++) {
		const struct sigv4_header *h = &r->request.headers[i];
		struct sv names = c.signed_headers;

		while (names.len) {
			struct sv name = sv_cut(&names, ';');

			if (name.len != h->name.len ||
			    strncasecmp(name.ptr, h->name.ptr, name.len))
				continue;
			out[n++] = h->name;
			out[n++] = h->value;
		}
		if (h->name.len == 13 &&
		    !strncasecmp(h->name.ptr, "authorization", 13))
			out[n++] = h->value;
	}
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The list of what is equal: one blank for another (in values and between the
 * parts of Authorization), case of a header's name, case of an escape's digit
 * in a query. */
static bool equal_by_rule(const struct recording *r, size_t at, char was)
{
	char is = r->bytes[at];
	const char *p = r->bytes + at;
	struct sv query = r->request.query;

	if (is_blank(was) && is_blank(is))
		return true;
	if ((was ^ is) != 0x20 || !((is | 0x20) >= 'a' && (is | 0x20) <= 'z'))
		return false;
	for (size_t i = 0; i < r->request.header_count; i++) {
		struct sv name = r->request.headers[i].name;

		if (p >= name.ptr && p < name.ptr + name.len)
			return true;
	}
	return query.len && p > query.ptr && p < query.ptr + query.len &&
	       (p[-1] == '%' || p[-2] == '%');
}

static void mutate_one(struct recording *r, const char *name)
{
	struct sv places[2 * SIGV4_HEADERS_MAX + 8];
	size_t count = signed_places(r, places), refused = 0;
	int64_t now = claimed_time(r);
	uint64_t seed = hash64(sv_from(name));

	while (refused < MUTATIONS) {
		struct sv place = places[next_random(&seed) % count];
		size_t at;
		char was;
		enum sigv4_refusal why;

		if (place.len == 0)
			continue;
		at = (size_t)(place.ptr - r->bytes) +
		     next_random(&seed) % place.len;
		was = r->bytes[at];
		r->bytes[at] = (char)next_random(&seed);
		if (r->bytes[at] == was)
			continue;
		why = recording_verify(r, &unsigned_ok, now, NULL);
		if (why)
			refused++;
		else if (!equal_by_rule(r, at, was))
			fail_msg("%s: byte %zu from %d to %d is accepted", name,
				 at, was, r->bytes[at]);
		r->bytes[at] = was;
	}
	assert_int_equal(recording_verify(r, NULL, now, NULL), SIGV4_OK);
}

static void test_mutations(void **state)
{
	(void)state;
	each_recording(mutate_one);
}

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
		cmocka_unit_test(test_recordings),
		cmocka_unit_test(test_mutations),
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
