/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the time that a verification takes tell what is secret? Two classes of
 * requests, drawn at random, are timed; Welch's t says how far their means are
 * apart in units of what chance explains (Reparaz, Balasch, Verbauwhede, "Dude,
 * is my code constant time?", 2017; above 4.5 the answer is yes). Slow requests
 * were interrupted, so t is taken of all, of the fastest 90 % and of the
 * fastest half. By hand, on a quiet machine: timing is no test.
 * Usage: constant_time [SAMPLES]
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "core/auth/keys.h"
#include "core/auth/sigv4.h"

enum { SAMPLES = 1000000, KEYS = 100 };

#define NOW 1795341191 /* 2026-11-22T09:53:11Z */

/* Both classes are timed in the same place: where bytes lie costs time, too. */
struct place {
	struct sigv4_header headers[3];
	struct sigv4_request request;
	char authorization[512];
	uint8_t body[SIGV4_HASH_SIZE];
};

struct sample {
	uint64_t ticks;
	bool second; /* of the two classes */
};

static uint64_t ticks_now(void)
{
#ifdef __x86_64__
	unsigned core;

	return __rdtscp(&core);
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
#endif
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* --- requests --------------------------------------------------------------- */

static void place_init(struct place *p)
{
	*p = (struct place){
		.headers = { { SV("Host"), SV("127.0.0.1:4318") },
			     { SV("X-Amz-Date"), SV("20261122T095311Z") },
			     { SV("Authorization"), SV("") } },
	};
	p->request = (struct sigv4_request){ SV("POST"), SV("/"), SV(""),
					     p->headers, 2 };
	sigv4_hash(p->body, SV("{}"));
}

/* Authorization by that key; the digit so far from its end is spoilt. */
static void make(struct buf *out, struct place *p, const char *key_id,
		 size_t from_end)
{
	const struct sigv4_credentials credentials = {
		sv_from(key_id), SV("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
		SV("us-east-1"), SV("logs")
	};
	int e;

	*out = (struct buf)BUF_INIT;
	p->request.header_count = 2;
	e = sigv4_sign(out, &p->request, &credentials, p->body);
	assert(!e && out->len <= sizeof(p->authorization));
	p->request.header_count = 3;
	if (from_end)
		out->ptr[out->len - from_end] ^= 1;
}

static struct keys_table *make_keys(void)
{
	struct buf text = BUF_INIT;
	struct keys_table *keys;
	int e;

	for (int i = 0; i < KEYS; i++)
		buf_format(&text,
			   "[key%d]\naws_access_key_id = AKIDEXAMPLE%02d\n"
			   "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+"
			   "bPxRfiCYEXAMPLEKEY\nrole = read\n"
			   "account = 123456789012\n",
			   i, i);
	e = keys_parse(&keys, buf_view(&text), NULL);
	assert(!e);
	buf_fini(&text);
	return keys;
}

/* From headers to the verdict: ticks. */
static uint64_t time_one(struct place *s, const struct buf *authorization,
			 const struct keys_table *keys,
			 struct sigv4_cache *cache)
{
	struct sigv4_claim c;
	enum sigv4_refusal why;
	uint64_t start;

	memcpy(s->authorization, authorization->ptr, authorization->len);
	s->headers[2].value = sv_make(s->authorization, authorization->len);
	start = ticks_now();
	why = sigv4_parse(&c, &s->request, NULL);
	if (!why) {
		const struct key *key = keys_find(keys, c.key_id);
		struct sigv4_key found = { key->secret, key->known,
					   key_expired(key, NOW) };

		why = sigv4_verify(&c, &s->request, &found, s->body, cache,
				   NULL);
	}
	start = ticks_now() - start;
	assert(why == SIGV4_OK || why == SIGV4_MISMATCH ||
	       why == SIGV4_UNKNOWN_KEY);
	return start;
}

/* --- statistics ------------------------------------------------------------- */

static int by_ticks(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->ticks > y->ticks) - (x->ticks < y->ticks);
}

/* Welch's t of those that took at most so long. */
static double welch(const struct sample *samples, size_t n, uint64_t at_most)
{
	double count[2] = { 0 }, mean[2] = { 0 }, m2[2] = { 0 };

	for (size_t i = 0; i < n && samples[i].ticks <= at_most; i++) {
		int k = samples[i].second;
		double x = (double)samples[i].ticks, delta = x - mean[k];

		count[k]++;
		mean[k] += delta / count[k];
		m2[k] += delta * (x - mean[k]);
	}
	return fabs(mean[0] - mean[1]) /
	       sqrt(m2[0] / (count[0] - 1) / count[0] +
		    m2[1] / (count[1] - 1) / count[1]);
}

static void print_t(const char *what, bool with_cache, struct sample *samples,
		    size_t n)
{
	qsort(samples, n, sizeof(*samples), by_ticks);
	printf("%-33s %-8s |t| all %5.2f  90 %% %5.2f  half %5.2f  median "
	       "%llu\n",
	       what, with_cache ? "cached" : "derived",
	       welch(samples, n, samples[n - 1].ticks),
	       welch(samples, n, samples[n / 10 * 9].ticks),
	       welch(samples, n, samples[n / 2].ticks),
	       (unsigned long long)samples[n / 2].ticks);
	fflush(stdout);
}

/* pair: what the two classes say. */
static void compare(const char *what, struct place *p,
		    const struct buf *const pair[2],
		    const struct keys_table *keys, bool with_cache, size_t n)
{
	struct sample *samples = calloc(n, sizeof(*samples));
	struct sigv4_cache *cache = NULL;
	uint64_t seed = 88172645463325252;
	int e = with_cache ? sigv4_cache_new(&cache, 16) : 0;

	assert(samples && !e);
	for (size_t i = 0; i < n / 10; i++) /* warm up */
		time_one(p, pair[i & 1], keys, cache);
	for (size_t i = 0; i < n; i++) {
		bool second = next_random(&seed) >> 20 & 1;

		samples[i].second = second;
		samples[i].ticks = time_one(p, pair[second], keys, cache);
	}
	print_t(what, with_cache, samples, n);
	free(samples);
	sigv4_cache_free(cache);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : SAMPLES;
	struct buf right, same, first, last, other, unknown, nobody;
	const struct {
		const char *what;
		const struct buf *pair[2];
	} rows[] = {
		{ "the same twice: the noise", { &right, &same } },
		{ "right, wrong in the first digit", { &right, &first } },
		{ "wrong in the first, in the last", { &first, &last } },
		{ "known key, another known key", { &first, &other } },
		{ "unknown key, another unknown key", { &unknown, &nobody } },
		{ "known key, unknown key", { &first, &unknown } },
	};
	struct keys_table *keys = make_keys();
	struct place p;

	if (n < 1000) {
		fprintf(stderr, "usage: constant_time [SAMPLES]\n");
		return 2;
	}
	place_init(&p);
	make(&right, &p, "AKIDEXAMPLE50", 0);
	make(&same, &p, "AKIDEXAMPLE50", 0);
	make(&first, &p, "AKIDEXAMPLE50", SIGV4_SIGNATURE_LEN);
	make(&last, &p, "AKIDEXAMPLE50", 1);
	make(&other, &p, "AKIDEXAMPLE07", SIGV4_SIGNATURE_LEN);
	make(&unknown, &p, "AKIDEXAMPLEXX", SIGV4_SIGNATURE_LEN);
	make(&nobody, &p, "AKIDEXAMPLEYY", SIGV4_SIGNATURE_LEN);
	for (int cached = 0; cached < 2; cached++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			compare(rows[i].what, &p, rows[i].pair, keys, cached,
				n);
	buf_fini(&right);
	buf_fini(&same);
	buf_fini(&first);
	buf_fini(&last);
	buf_fini(&other);
	buf_fini(&unknown);
	buf_fini(&nobody);
	keys_table_free(keys);
	return 0;
}
