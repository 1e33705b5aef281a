/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All 276 signed requests that were recorded of real clients (SDKs and command
 * lines; JSON, CBOR, Query, REST; gzip): each is accepted, each is refused with
 * the code that its client understands when key, secret, region or service is
 * another, and 200 one-byte mutations of each are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>

#include "core/auth/keys.h"
#include "core/base/hash.h"
#include "tests/unit/core/sigv4_mutate.h"

#define FIXTURES "tests/fixtures/sigv4/"

enum { RECORDINGS = 276 };

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
	assert_int_equal(files, RECORDINGS);
}

static int64_t claimed_time(const struct recording *r)
{
	struct sigv4_claim c;

	assert_int_equal(sigv4_parse(&c, &r->request, NULL), SIGV4_OK);
	return c.time_s;
}

/* --- accepted ------------------------------------------------------------- */

static void verify_one(struct recording *r, const char *name)
{
	static const struct {
		int64_t late_s;
		enum sigv4_refusal why;
	} rows[] = {
		{ 0, SIGV4_OK },
		{ SIGV4_SKEW_S, SIGV4_OK },
		{ SIGV4_SKEW_S + 1, SIGV4_EXPIRED },
		{ -SIGV4_SKEW_S, SIGV4_OK },
		{ -SIGV4_SKEW_S - 1, SIGV4_EARLY },
	};
	const int64_t now = claimed_time(r);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (recording_verify(r, NULL, now + rows[i].late_s, NULL) !=
		    rows[i].why)
			fail_msg("%s, %lld s late", name,
				 (long long)rows[i].late_s);
}

static void test_recordings(void **state)
{
	(void)state;
	each_recording(verify_one);
}

/* --- refused, by code ------------------------------------------------------ */

/* What botocore and the JS SDK make of it (they retry or mend their clock by
 * the code): written out here, not taken from the table under test. */
static const struct expected {
	const char *key_code;
	int key_status;
	const char *code; /* of a wrong secret, region or service */
	int status;
} expected[] = {
	[SIGV4_QUERY] = { "InvalidClientTokenId", 403, "SignatureDoesNotMatch",
			  403 },
	[SIGV4_JSON] = { "UnrecognizedClientException", 400,
			 "InvalidSignatureException", 400 },
	[SIGV4_REST_JSON] = { "UnrecognizedClientException", 403,
			      "InvalidSignatureException", 403 },
};

static enum sigv4_dialect dialect_of(const struct recording *r,
				     const struct sigv4_claim *c)
{
	if (sv_eq(c->service, SV("lambda")) || sv_eq(c->service, SV("xray")))
		return SIGV4_REST_JSON;
	return sv_starts(r->body, SV("Action=")) || /* or gzip of it */
			       memmem(r->bytes, r->len, "x-www-form-urlenc",
				      17) ?
		       SIGV4_QUERY :
		       SIGV4_JSON;
}

#define KEYS_OF(id, secret, region)                                          \
	"[one]\naws_access_key_id = " id "\naws_secret_access_key = " secret \
	"\nrole = ingest\naccount = 123456789012\nregions = " region "\n"

/* The file of keys at the door, and the service that it is the door of. */
static const struct wrong {
	const char *what, *keys, *service; /* NULL: the right one */
	bool key;
	enum sigv4_refusal why;
} wrongs[] = {
	{ "nothing", KEYS_OF(RECORDED_KEY, RECORDED_SECRET, "us-east-1"), NULL,
	  false, SIGV4_OK },
	{ "key", KEYS_OF("AKIDEXAMPLF", RECORDED_SECRET, "us-east-1"), NULL,
	  true, SIGV4_UNKNOWN_KEY },
	{ "secret",
	  KEYS_OF(RECORDED_KEY, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEZ",
		  "us-east-1"),
	  NULL, false, SIGV4_MISMATCH },
	{ "region", KEYS_OF(RECORDED_KEY, RECORDED_SECRET, "eu-west-1"), NULL,
	  false, SIGV4_REGION },
	{ "service", KEYS_OF(RECORDED_KEY, RECORDED_SECRET, "*"), "s3", false,
	  SIGV4_SERVICE },
};

static enum sigv4_refusal judge_by_keys(const struct recording *r,
					const struct sigv4_claim *c,
					const struct keys_table *keys,
					const char *service)
{
	const struct key *key = keys_find(keys, c->key_id);
	struct sigv4_key found = { key->secret, key->known,
				   key_expired(key, c->time_s) };
	struct sv region = key_in_region(key, c->region) ? c->region :
							   SV("elsewhere");
	uint8_t hash[SIGV4_HASH_SIZE];
	enum sigv4_refusal why;

	why = sigv4_check_scope(c, region,
				service ? sv_from(service) : c->service);
	if (why)
		return why;
	sigv4_hash(hash, r->body);
	return sigv4_verify(c, &r->request, &found, hash, NULL, NULL);
}

static void check_code(const char *name, const struct wrong *w,
		       enum sigv4_refusal why, enum sigv4_dialect dialect)
{
	const struct expected *e = &expected[dialect];
	struct sigv4_error error;

	if (why != w->why)
		fail_msg("%s, wrong %s: %s", name, w->what,
			 sigv4_refusal_name(why));
	if (why == SIGV4_OK)
		return;
	error = sigv4_error(why, dialect);
	assert_string_equal(error.code, w->key ? e->key_code : e->code);
	assert_int_equal(error.status, w->key ? e->key_status : e->status);
}

/* A client that only says another scope, and signs as before. */
static void claim_other_scope(const struct recording *r, const char *was,
			      const char *is)
{
	static char text[RECORDING_MAX];
	struct recording *copy = calloc(1, sizeof(*copy));
	char *at;

	assert_non_null(copy);
	assert_int_equal(strlen(was), strlen(is));
	memcpy(text, r->bytes, r->len);
	at = memmem(text, r->len, was, strlen(was));
	assert_non_null(at);
	memcpy(at, is, strlen(is));
	assert_true(recording_copy(copy, text, r->len));
	assert_int_equal(recording_verify(copy, NULL, 0, NULL), SIGV4_MISMATCH);
	free(copy);
}

static struct keys_table *tables[sizeof(wrongs) / sizeof(wrongs[0])];
static size_t dialects[3];

static void refuse_one(struct recording *r, const char *name)
{
	enum sigv4_dialect dialect;
	struct sigv4_claim c;
	char was[64], is[64];

	assert_int_equal(sigv4_parse(&c, &r->request, NULL), SIGV4_OK);
	dialect = dialect_of(r, &c);
	dialects[dialect]++;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		check_code(name, &wrongs[i],
			   judge_by_keys(r, &c, tables[i], wrongs[i].service),
			   dialect);
	claim_other_scope(r, "/us-east-1/", "/us-west-1/");
	snprintf(was, sizeof(was), "/%.*s/aws4", SV_ARG(c.service));
	snprintf(is, sizeof(is), "%s", was);
	is[1] = 'q';
	claim_other_scope(r, was, is);
}

static void test_refusals(void **state)
{
	const size_t count = sizeof(wrongs) / sizeof(wrongs[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(keys_parse(&tables[i], sv_from(wrongs[i].keys),
					    NULL),
				 0);
	each_recording(refuse_one);
	for (size_t i = 0; i < count; i++)
		keys_table_free(tables[i]);
	for (size_t i = 0; i < 3; i++)
		assert_true(dialects[i] > 20); /* each is there */
}

/* --- mutations ------------------------------------------------------------- */

static struct mutation_tally tally;

static void mutate_one(struct recording *r, const char *name)
{
	struct sigv4_claim c;
	struct pieces p;

	assert_int_equal(sigv4_parse(&c, &r->request, NULL), SIGV4_OK);
	pieces_of(&p, r);
	p.signed_names = c.signed_headers;
	p.normal_path = true;
	p.token_later = false;
	mutate(&p, c.time_s, hash64(sv_from(name)), name, &tally);
}

static void test_mutations(void **state)
{
	(void)state;
	each_recording(mutate_one);
	print_tally(&tally);
	assert_int_equal(tally.refused, RECORDINGS * MUTATIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recordings),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests_name("sigv4_recordings", tests, NULL,
					   NULL);
}
