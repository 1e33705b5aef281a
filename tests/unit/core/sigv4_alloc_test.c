/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To verify a request allocates nothing: malloc and its kin are this program's
 * own and count, those that the libraries call too. Under a sanitizer or
 * valgrind they are its own, and there is nothing to count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/auth/keys.h"
#include "core/auth/sigv4.h"
#include "tests/unit/core/recording.h"
#include "tests/unit/core/signing.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifndef SANITIZED

/* glibc exports its own under these names, for this. */
void *real_malloc(size_t size) __asm__("__libc_malloc");
void *real_calloc(size_t count, size_t size) __asm__("__libc_calloc");
void *real_realloc(void *old, size_t size) __asm__("__libc_realloc");
void *real_memalign(size_t align, size_t size) __asm__("__libc_memalign");

static size_t allocations;

void *malloc(size_t size)
{
	allocations++;
	return real_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return real_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return real_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	allocations++;
	return real_memalign(align, size);
}

/* From headers to the verdict, as the door does it. */
static size_t count_one(const struct recording *r,
			const struct keys_table *keys,
			struct sigv4_cache *cache, enum sigv4_refusal want)
{
	struct sigv4_claim c;
	uint8_t hash[SIGV4_HASH_SIZE];
	size_t before = allocations;
	enum sigv4_refusal why = sigv4_parse(&c, &r->request, NULL);
	const struct key *key;
	struct sigv4_key found;

	if (!why)
		why = sigv4_check_time(&c, c.time_s);
	if (!why) {
		key = keys_find(keys, c.key_id);
		found = (struct sigv4_key){ key->secret, key->known,
					    key_expired(key, c.time_s) };
		sigv4_hash(hash, r->body);
		why = sigv4_verify(&c, &r->request, &found, hash, cache, NULL);
	}
	before = allocations - before;
	assert_int_equal(why, want);
	return before;
}

static void test_the_counter_counts(void **state)
{
	void *(*volatile fresh)(size_t) = malloc;
	size_t before = allocations;
	char *text = NULL;

	(void)state;
	if (getenv("UNDER_VALGRIND"))
		return;
	free(fresh(1));
	assert_int_equal(allocations, before + 1);
	assert_int_equal(asprintf(&text, "%d", 1), 1); /* the library's calls */
	assert_true(allocations >= before + 2);
	free(text);
}

static const char *const recordings[] = {
	"logs-boto3-PutLogEvents-large.http",
	"cloudwatch-jsv3cbor-PutMetricData.http",
	"cloudwatch-awscli2-2.9.19-PutMetricData-gzip.http",
	"lambda-jsv3-Invoke-arn.http",
};

static void test_recordings(void **state)
{
	static struct recording r;
	struct keys_table *keys, *none;
	struct sigv4_cache *cache;

	(void)state;
	assert_int_equal(sigv4_cache_new(&cache, 4), 0);
	assert_int_equal(
		keys_parse(&keys,
			   SV("[one]\naws_access_key_id = " RECORDED_KEY
			      "\naws_secret_access_key = " RECORDED_SECRET
			      "\nrole = read\naccount = 123456789012\n"),
			   NULL),
		0);
	assert_int_equal(keys_parse(&none, SV(""), NULL), 0);
	for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]);
	     i++) {
		char path[300];

		snprintf(path, sizeof(path), "tests/fixtures/sigv4/%s",
			 recordings[i]);
		recording_read(&r, path);
		/* With a cache that does not know it yet, that does, without;
		 * and where it is refused. */
		assert_int_equal(count_one(&r, keys, cache, SIGV4_OK), 0);
		assert_int_equal(count_one(&r, keys, cache, SIGV4_OK), 0);
		assert_int_equal(count_one(&r, keys, NULL, SIGV4_OK), 0);
		assert_int_equal(count_one(&r, none, NULL, SIGV4_UNKNOWN_KEY),
				 0);
	}
	keys_table_free(keys);
	keys_table_free(none);
	sigv4_cache_free(cache);
}

/* By query, with as many parameters as there may be: they are sorted. */
static void test_query(void **state)
{
	const struct sigv4_key key = { SV(RECORDED_SECRET), true, false };
	struct sigv4_claim c;
	struct buf query = BUF_INIT;
	enum sigv4_refusal why;
	struct made m;
	size_t before;

	(void)state;
	make(&m, &signed_rows[0], true);
	for (int i = 0; i < SIGV4_PARAMS_MAX - 6; i++)
		buf_format(&query, "p%d=%%20&", (i * 37) % 128);
	buf_sv(&query, m.request.query);
	m.request.query = buf_view(&query);
	before = allocations;
	why = sigv4_parse(&c, &m.request, NULL);
	assert_int_equal(why, SIGV4_OK);
	assert_int_equal(c.param_count, SIGV4_PARAMS_MAX);
	why = sigv4_verify(&c, &m.request, &key, m.hash, NULL, NULL);
	assert_int_equal(allocations, before);
	assert_int_equal(why, SIGV4_MISMATCH); /* they were not signed */
	buf_fini(&query);
	buf_fini(&m.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_counter_counts),
		cmocka_unit_test(test_recordings),
		cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests_name("sigv4_alloc", tests, NULL, NULL);
}

#else

int main(void)
{
	puts("1..0 # SKIP the sanitizer's own malloc");
	return 0;
}

#endif
