/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "billing/calendar.h"
#include "billing/pricebook.h"
#include "billing/rate.h"

static const char good[] =
	"{ \"format\": \"tallyscope price book 1\",\n"
	"  \"service\": \"lambda\",\n"
	"  \"region\": \"us-east-1\",\n"
	"  \"currency\": \"USD\",\n"
	"  \"version\": \"1\",\n"
	"  \"periods\": [\n"
	"    { \"from\": \"2025-08-01\",\n"
	"      \"metering\": { \"duration_step_ms\": \"1\", \"init_billed\": "
	"true },\n"
	"      \"prices\": [\n"
	"        { \"usage_type\": \"Lambda-GB-Second\",\n"
	"          \"architecture\": \"arm64\", \"unit\": \"GB-s\",\n"
	"          \"tiers\": [ { \"up_to\": \"10\", \"rate\": \"0.5\" },\n"
	"            { \"rate\": \"0.25\" } ] } ] } ] }\n";

/* good with the first `from` replaced by `to`. */
static struct sv replaced(char *out, size_t size, const char *from,
			  const char *to)
{
	const char *at = strstr(good, from);
	int n;

	assert_non_null(at);
	n = snprintf(out, size, "%.*s%s%s", (int)(at - good), good, to,
		     at + strlen(from));
	assert_true(n > 0 && (size_t)n < size);
	return sv_make(out, (size_t)n);
}

static void test_parse(void **state)
{
	static const struct {
		const char *from, *to;
		int err, line;
		const char *says;
	} rows[] = {
		{ "\"0.5\"", "0.5", ERR_INVALID, 12, "decimal string" },
		{ "\"0.5\"", "\"0.5e1\"", ERR_SYNTAX, 12, "rate" },
		{ "\"0.5\"", "\"-0.5\"", ERR_INVALID, 12, "rate" },
		{ "\"0.5\"", "\"0.0000000000001\"", ERR_LIMIT, 12, "rate" },
		{ "\"0.5\"", "\"9999999999\"", ERR_OVERFLOW, 12, "rate" },
		{ "\"10\"", "10", ERR_INVALID, 12, "decimal string" },
		{ "\"10\"", "\"-10\"", ERR_INVALID, 12, "quantity" },
		{ "\"10\"", "\"0\"", ERR_INVALID, 12, "grow" },
		{ "\"10\"", "\"0.0001\"", ERR_LIMIT, 12, "quantity" },
		{ "\"rate\": \"0.25\"", "\"up_to\": \"9\", \"rate\": \"1\"",
		  ERR_INVALID, 13, "grow" },
		{ "\"up_to\": \"10\", ", "", ERR_INVALID, 13,
		  "without \"up_to\"" },
		{ "price book 1", "price book 2", ERR_INVALID, 1, "format" },
		{ "\"lambda\"", "\"ec2\"", ERR_INVALID, 2, "service" },
		{ "USD", "EUR", ERR_INVALID, 4, "currency" },
		{ "\"1\",\n  \"per", "1,\n  \"per", ERR_INVALID, 5, "version" },
		{ "us-east-1", "", ERR_LIMIT, 3, "region" },
		{ "us-east-1", "a-region-name-that-is-long", ERR_LIMIT, 3,
		  "region" },
		{ "2025-08-01", "2025-8-1", ERR_INVALID, 7, "day" },
		{ "2025-08-01", "2025-02-29", ERR_INVALID, 7, "day" },
		{ "\"2025-08-01\",", "\"2025-08-01\", \"to\": \"2025-08-01\",",
		  ERR_INVALID, 7, "after" },
		{ "\"from\"", "\"since\"", ERR_INVALID, 7, "unknown key" },
		{ "\"from\": \"2025-08-01\",", "", ERR_INVALID, 7, "missing" },
		{ "\"version\": \"1\",",
		  "\"version\": \"1\", \"region\": \"b\",", ERR_INVALID, 5,
		  "twice" },
		{ "duration_step_ms\": \"1\"", "duration_step_ms\": \"100\"",
		  ERR_INVALID, 8, "must be \"1\"" },
		{ "true", "\"yes\"", ERR_INVALID, 8, "true or false" },
		{ "Lambda-GB-Second", "Lambda-Second", ERR_INVALID, 10,
		  "unknown usage" },
		{ "arm64", "armv7", ERR_INVALID, 10, "architecture" },
		{ "\"GB-s\"", "\"GB-h\"", ERR_INVALID, 11, "unit" },
		{ "[ { \"up_to\": \"10\", \"rate\": \"0.5\" },\n"
		  "            { \"rate\": \"0.25\" } ]",
		  "[]", ERR_INVALID, 12, "no tiers" },
		{ "] } ] }\n", "] } ]\n", ERR_SYNTAX, -1, "" },
		{ "us-east-1", "*", ERR_INVALID, 8, "unknown key" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[2048];
		struct diag diag = { 0 };
		struct price_file f;
		int e = price_file_parse(&f,
					 replaced(text, sizeof(text),
						  rows[i].from, rows[i].to),
					 &diag);

		if (e != rows[i].err || !strstr(diag.text, rows[i].says))
			print_message("# row %zu: %d, line %d, %s\n", i, e,
				      diag.line, diag.text);
		assert_int_equal(e, rows[i].err);
		assert_non_null(strstr(diag.text, rows[i].says));
		if (rows[i].line >= 0)
			assert_int_equal(diag.line, rows[i].line);
	}
}

static void test_good(void **state)
{
	struct price_file f;
	const struct price_period *p;

	(void)state;
	assert_int_equal(price_file_parse(&f, sv_from(good), NULL), 0);
	assert_int_equal(f.period_count, 1);
	p = &f.periods[0];
	assert_int_equal(p->price[USAGE_GB_S][ARCH_ARM64].tier_count, 2);
	assert_true(p->price[USAGE_GB_S][ARCH_ARM64].tiers[0].up_to ==
		    10 * MB_MS_PER_GB_S);
	assert_true(p->price[USAGE_GB_S][ARCH_ARM64].tiers[0].rate.pico ==
		    500000000000);
	assert_int_equal(p->price[USAGE_GB_S][ARCH_X86_64].tier_count, 0);
	assert_int_equal(p->price[USAGE_REQUEST][ARCH_ARM64].tier_count, 0);
	assert_true(p->from_ns == calendar_days(2025, 8, 1) * NS_PER_DAY);
	assert_true(p->to_ns == INT64_MAX);
	free((void *)(uintptr_t)f.periods);
}

static void test_limits(void **state)
{
	struct buf b = BUF_INIT;
	struct diag diag;
	struct price_file f;

	(void)state;
	/* A file that is too large. */
	for (int i = 0; i <= PRICEBOOK_BYTES_MAX; i++)
		buf_char(&b, ' ');
	assert_int_equal(price_file_parse(&f, buf_view(&b), &diag), ERR_LIMIT);
	/* More tiers than PRICEBOOK_TIERS_MAX. */
	buf_reset(&b);
	buf_add(&b, good, (size_t)(strstr(good, "{ \"up_to\"") - good));
	for (int i = 1; i <= PRICEBOOK_TIERS_MAX + 1; i++)
		buf_format(&b, "%s{\"up_to\":\"%d\",\"rate\":\"1\"}",
			   i > 1 ? "," : "", i);
	buf_text(&b, "] } ] } ] }");
	assert_int_equal(price_file_parse(&f, buf_view(&b), &diag), ERR_LIMIT);
	assert_non_null(strstr(diag.text, "tiers"));
	/* More periods than PRICEBOOK_PERIODS_MAX. */
	buf_reset(&b);
	buf_text(&b, "{\"format\":\"tallyscope price book 1\",\"service\":"
		     "\"lambda\",\"region\":\"r\",\"currency\":\"USD\","
		     "\"version\":\"1\",\"periods\":[");
	for (int i = 0; i <= PRICEBOOK_PERIODS_MAX; i++)
		buf_format(&b,
			   "%s{\"from\":\"%d-01-01\",\"to\":\"%d-01-01\","
			   "\"metering\":{\"duration_step_ms\":\"1\","
			   "\"init_billed\":true},\"prices\":[]}",
			   i ? "," : "", 2000 + i, 2001 + i);
	buf_text(&b, "]}");
	assert_int_equal(price_file_parse(&f, buf_view(&b), &diag), ERR_LIMIT);
	assert_non_null(strstr(diag.text, "periods"));
	buf_fini(&b);
}

/* --- a folder --------------------------------------------------------------- */

struct folder {
	char dir[64];
	struct pricebook *p;
};

static void put_file(struct folder *f, const char *name, const char *text)
{
	char path[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	if (!text) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* The first rate in force for arm64 duration, in pico-dollars; 0: none. */
static int64_t rate_now(struct folder *f)
{
	const struct price_set *set = pricebook_acquire(f->p);
	const struct price_period *p = price_set_find(
		set, "us-east-1", calendar_days(2026, 1, 1) * NS_PER_DAY, NULL);
	int64_t pico = p ? p->price[USAGE_GB_S][ARCH_ARM64].tiers[0].rate.pico :
			   0;

	pricebook_release(f->p, set);
	return pico;
}

static void test_refresh(void **state)
{
	struct folder f = { .p = NULL };
	struct diag diag = { 0 };
	const struct price_set *held;
	char text[2048];

	(void)state;
	snprintf(f.dir, sizeof(f.dir), "/tmp/prices-test-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	put_file(&f, "a.json", good);
	put_file(&f, "ignored.txt", "not JSON");
	assert_int_equal(pricebook_open(&f.p, env_posix(), f.dir, &diag), 0);
	assert_true(rate_now(&f) == 500000000000);
	held = pricebook_acquire(f.p);

	/* Changed, same size: seen at once; who holds the old set keeps it. */
	replaced(text, sizeof(text), "\"0.5\"", "\"0.7\"");
	put_file(&f, "a.json", text);
	assert_int_equal(pricebook_refresh(f.p, &diag), 0);
	assert_true(rate_now(&f) == 700000000000);
	assert_true(held->files[0]
			    .periods[0]
			    .price[USAGE_GB_S][ARCH_ARM64]
			    .tiers[0]
			    .rate.pico == 500000000000);
	pricebook_release(f.p, held);

	/* Bad: named with its line, again and again; the last good stays. */
	replaced(text, sizeof(text), "\"0.5\"", "0.9");
	put_file(&f, "a.json", text);
	for (int i = 0; i < 2; i++) {
		diag = (struct diag){ 0 };
		assert_int_equal(pricebook_refresh(f.p, &diag), ERR_INVALID);
		assert_non_null(strstr(diag.text, "a.json:12: "));
		assert_int_equal(diag.line, 12);
		assert_true(rate_now(&f) == 700000000000);
	}

	/* A second file for the same time is refused by name. */
	put_file(&f, "a.json", good);
	put_file(&f, "b.json", good);
	assert_int_equal(pricebook_refresh(f.p, &diag), ERR_EXISTS);
	assert_non_null(strstr(diag.text, "b.json"));
	assert_true(rate_now(&f) == 500000000000);
	put_file(&f, "b.json", NULL);
	assert_int_equal(pricebook_refresh(f.p, &diag), 0);

	/* Gone: no price, and none is made up. */
	put_file(&f, "a.json", NULL);
	assert_int_equal(pricebook_refresh(f.p, &diag), 0);
	assert_true(rate_now(&f) == 0);

	/* More files than PRICEBOOK_FILES_MAX. */
	for (int i = 0; i <= PRICEBOOK_FILES_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%03d.json", i);
		put_file(&f, name, good);
	}
	assert_int_equal(pricebook_refresh(f.p, &diag), ERR_LIMIT);
	for (int i = 0; i <= PRICEBOOK_FILES_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%03d.json", i);
		put_file(&f, name, NULL);
	}
	put_file(&f, "ignored.txt", NULL);
	pricebook_close(f.p);
	assert_int_equal(rmdir(f.dir), 0);
	assert_int_equal(pricebook_open(&f.p, env_posix(), f.dir, &diag),
			 ERR_NOT_FOUND);
}

/* The books that are shipped: all good, and what the facts say. */
static void test_shipped(void **state)
{
	static const struct {
		const char *region;
		enum usage_type type;
		enum architecture arch;
		size_t tier, tiers;
		const char *rate;
	} rows[] = {
		{ "us-east-1", USAGE_REQUEST, ARCH_X86_64, 0, 1, "0.0000002" },
		{ "us-east-1", USAGE_REQUEST, ARCH_ARM64, 0, 1, "0.0000002" },
		{ "us-east-1", USAGE_GB_S, ARCH_X86_64, 0, 3, "0.0000166667" },
		{ "us-east-1", USAGE_GB_S, ARCH_X86_64, 1, 3, "0.000015" },
		{ "us-east-1", USAGE_GB_S, ARCH_X86_64, 2, 3, "0.0000133334" },
		{ "us-east-1", USAGE_GB_S, ARCH_ARM64, 0, 3, "0.0000133334" },
		{ "us-east-1", USAGE_GB_S, ARCH_ARM64, 1, 3, "0.0000120001" },
		{ "us-east-1", USAGE_GB_S, ARCH_ARM64, 2, 3, "0.0000106667" },
		{ "ap-south-1", USAGE_GB_S, ARCH_X86_64, 0, 1, "0.0000166667" },
		{ "eu-west-1", USAGE_GB_S, ARCH_ARM64, 0, 1, "0.0000133334" },
		{ "eu-west-1", USAGE_REQUEST, ARCH_ARM64, 0, 1, "0.0000002" },
	};
	const int64_t now = calendar_days(2026, 11, 22) * NS_PER_DAY;
	const int64_t init = calendar_days(2025, 8, 1) * NS_PER_DAY;
	const struct price_set *set;
	const struct price_period *p;
	struct diag diag = { 0 };
	struct pricebook *book;

	(void)state;
	assert_int_equal(
		pricebook_open(&book, env_posix(), "billing/prices", &diag), 0);
	assert_string_equal(diag.text, "");
	set = pricebook_acquire(book);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct price *price;
		struct rate want;

		p = price_set_find(set, rows[i].region, now, NULL);
		assert_non_null(p);
		price = &p->price[rows[i].type][rows[i].arch];
		assert_int_equal(price->tier_count, rows[i].tiers);
		assert_int_equal(rate_parse(&want, sv_from(rows[i].rate), 1),
				 0);
		assert_true(price->tiers[rows[i].tier].rate.pico == want.pico);
	}
	assert_true(price_set_find(set, "us-east-1", init, NULL)->init_billed);
	assert_false(
		price_set_find(set, "us-east-1", init - 1, NULL)->init_billed);
	assert_true(price_set_next_change(set, "us-east-1", init - 5) == init);
	assert_true(price_set_next_change(set, "us-east-1", init) == INT64_MAX);
	assert_null(price_set_find(set, "us-east-1", 0, NULL));
	assert_null(price_set_find(set, "eu-north-1", now, NULL));
	p = price_set_find(set, "*", now, NULL);
	assert_true(p->allowance.present);
	assert_true(p->allowance.quantity[USAGE_REQUEST] == 1000000);
	assert_true(p->allowance.quantity[USAGE_GB_S] ==
		    (int128)400000 * MB_MS_PER_GB_S);
	assert_int_equal(p->allowance.position, TIERS_PAID_ONLY);
	pricebook_release(book, set);
	pricebook_close(book);
}

static void test_calendar(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t days;
	} rows[] = {
		{ "1970-01-01", true, 0 },     { "2000-02-29", true, 11016 },
		{ "2026-11-22", true, 20779 }, { "2100-03-01", true, 47541 },
		{ "2100-02-29", false, 0 },    { "2025-04-31", false, 0 },
		{ "2025-00-10", false, 0 },    { "2025-13-10", false, 0 },
		{ "2025-01-00", false, 0 },    { "1969-12-31", false, 0 },
		{ "2025-01-01 ", false, 0 },   { "25-01-01", false, 0 },
		{ "2025/01/01", false, 0 },    { "", false, 0 },
		{ "2025-01-01-01", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct date d;
		struct date back;

		assert_int_equal(calendar_parse(&d, sv_from(rows[i].text)),
				 rows[i].ok);
		if (!rows[i].ok)
			continue;
		assert_true(calendar_days(d.year, d.month, d.day) ==
			    rows[i].days);
		back = calendar_date(rows[i].days);
		assert_int_equal(back.year, d.year);
		assert_int_equal(back.month, d.month);
		assert_int_equal(back.day, d.day);
	}
	for (int64_t n = 0; n < 100000; n++) {
		struct date d = calendar_date(n);

		assert_true(calendar_days(d.year, d.month, d.day) == n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),   cmocka_unit_test(test_good),
		cmocka_unit_test(test_limits),  cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_shipped), cmocka_unit_test(test_calendar),
	};

	return cmocka_run_group_tests_name("pricebook", tests, NULL, NULL);
}
