/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "billing/calendar.h"
#include "billing/statement.h"
#include "core/codec/json.h"
#include "tests/sim/scratch.h"

#define ACCOUNT 123456789012

struct fixture {
	char dir[64], prices_dir[80];
	struct ledger *l;
	struct pricebook *book;
	const struct price_set *set;
	struct arena arena;
	uint64_t frames;
	struct statement s;
};

static void up(struct fixture *f, const char *prices)
{
	struct diag diag = { 0 };

	*f = (struct fixture){ .frames = 0 };
	scratch_make(f->dir, sizeof(f->dir), "statement-test");
	assert_int_equal(ledger_open(&f->l, env_posix(), f->dir, NULL, &diag),
			 0);
	if (!prices) {
		assert_int_equal(pricebook_open(&f->book, env_posix(),
						"billing/prices", &diag),
				 0);
	} else {
		char path[128];
		FILE *out;

		snprintf(f->prices_dir, sizeof(f->prices_dir), "%s.prices",
			 f->dir);
		assert_int_equal(env_posix()->disk->mkdir(NULL, f->prices_dir),
				 0);
		snprintf(path, sizeof(path), "%s/p.json", f->prices_dir);
		out = fopen(path, "w");
		assert_non_null(out);
		fputs(prices, out);
		fclose(out);
		assert_int_equal(pricebook_open(&f->book, env_posix(),
						f->prices_dir, &diag),
				 0);
	}
	assert_string_equal(diag.text, "");
	f->set = pricebook_acquire(f->book);
}

static void down(struct fixture *f)
{
	pricebook_release(f->book, f->set);
	pricebook_close(f->book);
	ledger_close(f->l);
	arena_fini(&f->arena);
	scratch_remove(f->dir);
	if (f->prices_dir[0])
		scratch_remove(f->prices_dir);
}

/* n equal runs. */
static void run(struct fixture *f, const char *region, const char *function,
		enum architecture arch, int64_t time_ns, uint32_t memory_mb,
		uint64_t billed_ms, unsigned n)
{
	struct view *v = ledger_view(f->l);
	struct frame fr = { .scope.account = ACCOUNT };
	struct usage *u = arena_array(&f->arena, n, sizeof(*u));
	struct records r = { .usage = u, .usage_count = n };
	struct delivery d = { .frame = &fr, .records = &r };

	memcpy(fr.scope.region, region, strlen(region) + 1);
	fr.position = ++f->frames * 10;
	fr.next = fr.position + 10;
	for (unsigned i = 0; i < n; i++) {
		char id[64];

		snprintf(id, sizeof(id), "%llu-%u",
			 (unsigned long long)f->frames, i);
		u[i] = (struct usage){ .id = arena_copy(&f->arena, sv_from(id)),
				       .source = SV("lambda"),
				       .time_ns = time_ns,
				       .resource = sv_from(function),
				       .memory_mb = memory_mb,
				       .max_memory_mb = 70,
				       .duration_us = 12345,
				       .billed_ms = billed_ms,
				       .architecture = arch };
	}
	assert_int_equal(v->ops->apply(v->self, &d), 0);
}

static void make(struct fixture *f, const char *month, int64_t now)
{
	struct month m;

	assert_true(month_parse(&m, sv_from(month)));
	assert_int_equal(statement_make(&f->s, &f->arena, f->l, f->set, ACCOUNT,
					m, (struct wall){ now }),
			 0);
}

static int64_t at(int year, unsigned month, unsigned day)
{
	return calendar_days(year, month, day) * NS_PER_DAY;
}

static void assert_money(struct money m, const char *exact)
{
	struct buf b = BUF_INIT;

	money_put(&b, m);
	assert_string_equal(b.ptr, exact);
	buf_fini(&b);
}

static void assert_shares(const struct fixture *f)
{
	struct money sum = MONEY_ZERO;

	for (size_t i = 0; i < f->s.function_count; i++)
		assert_int_equal(money_add(&sum, sum, f->s.functions[i].cost),
				 0);
	assert_true(sum.units == f->s.list_total.units);
}

static void test_free_tier(void **state)
{
	struct fixture f;

	(void)state;
	up(&f, NULL);
	run(&f, "us-east-1", "a", ARCH_X86_64, at(2026, 11, 1), 128, 100, 300);
	run(&f, "us-east-1", "b", ARCH_ARM64, at(2026, 11, 30), 1024, 1000, 7);
	/* Just outside of the month, on both sides. */
	run(&f, "us-east-1", "a", ARCH_X86_64, at(2026, 11, 1) - 1, 128, 1, 1);
	run(&f, "us-east-1", "a", ARCH_X86_64, at(2026, 12, 1), 128, 1, 1);
	make(&f, "2026-11", at(2026, 12, 1));
	assert_false(f.s.provisional);
	assert_int_equal(f.s.line_count, 4);
	assert_int_equal(f.s.note_count, 0);
	assert_money(f.s.total, "0");
	/* 307 requests; 3.75 GB-s and 7 GB-s. */
	assert_money(f.s.list_total, "0.000217233925");
	assert_int_equal(f.s.function_count, 2);
	assert_true(sv_eq(f.s.functions[0].name, SV("a")));
	assert_money(f.s.functions[0].cost, "0.000122500125");
	assert_money(f.s.functions[1].cost, "0.0000947338");
	assert_shares(&f);
	make(&f, "2026-11", at(2026, 12, 1) - 1);
	assert_true(f.s.provisional);
	make(&f, "2026-10", at(2026, 12, 1));
	assert_int_equal(f.s.line_count, 2);
	make(&f, "2026-09", at(2026, 12, 1));
	assert_int_equal(f.s.line_count, 0);
	assert_money(f.s.total, "0");
	down(&f);
}

/* The allowance of an account is used once, over regions and architectures, in
 * the order of the lines. */
static void test_free_tier_is_shared(void **state)
{
	const uint32_t mb = 10240;
	const uint64_t ms = 900000; /* 9000 GB-s a run */
	struct fixture f;

	(void)state;
	up(&f, NULL);
	run(&f, "us-east-1", "a", ARCH_X86_64, at(2026, 11, 3), mb, ms, 10);
	run(&f, "us-east-1", "a", ARCH_ARM64, at(2026, 11, 3), mb, ms, 20);
	run(&f, "eu-west-1", "a", ARCH_ARM64, at(2026, 11, 3), mb, ms, 30);
	make(&f, "2026-11", at(2026, 12, 1));
	assert_int_equal(f.s.line_count, 6);
	/* eu-west-1 arm64: 270,000 free. us-east-1 x86: 90,000 free; arm64:
	 * 40,000 of 180,000. */
	assert_string_equal(f.s.lines[1].region, "eu-west-1");
	assert_true(f.s.lines[1].rated.free == (int128)270000 * MB_MS_PER_GB_S);
	assert_true(f.s.lines[3].rated.free == (int128)90000 * MB_MS_PER_GB_S);
	assert_true(f.s.lines[5].rated.free == (int128)40000 * MB_MS_PER_GB_S);
	assert_money(f.s.total, "1.866676"); /* 140,000 x 0.0000133334 */
	assert_shares(&f);
	down(&f);
}

#define PRICES(region, periods)                                             \
	"{\"format\":\"tallyscope price book 1\",\"service\":\"lambda\","   \
	"\"region\":\"" region "\",\"currency\":\"USD\",\"version\":\"7\"," \
	"\"periods\":[" periods "]}"
#define PERIOD(when, r, tiers)                                                \
	"{" when ",\"metering\":{\"duration_step_ms\":\"1\","                 \
	"\"init_billed\":true},\"prices\":[{\"usage_type\":"                  \
	"\"Lambda-Request\",\"architecture\":\"x86_64\",\"unit\":"            \
	"\"requests\",\"tiers\":[{\"rate\":\"" r "\"}]},{\"usage_type\":"     \
	"\"Lambda-GB-Second\",\"architecture\":\"x86_64\",\"unit\":\"GB-s\"," \
	"\"tiers\":[" tiers "]}]}"

/* A price that changes within the month: two lines, split at the instant; the
 * tiers go on where the first line left them. */
static void test_change_in_month(void **state)
{
	struct fixture f;

	(void)state;
	up(&f,
	   PRICES("r",
		  PERIOD("\"from\":\"2026-01-01\",\"to\":"
			 "\"2026-11-16\"",
			 "1",
			 "{\"up_to\":\"10\",\"rate\":\"3\"},"
			 "{\"rate\":\"2\"}") "," PERIOD("\"from\":\"2026-11-"
							"16\"",
							"5",
							"{\"up_to\":\"10\","
							"\"rate\":\"30\"},"
							"{\"rate\":\"20\"}")));
	run(&f, "r", "a", ARCH_X86_64, at(2026, 11, 16) - 1, 1024, 1000, 7);
	run(&f, "r", "b", ARCH_X86_64, at(2026, 11, 16), 1024, 1000, 7);
	make(&f, "2026-11", at(2026, 12, 1));
	assert_int_equal(f.s.line_count, 4);
	assert_money(f.s.lines[0].rated.cost, "7");
	assert_money(f.s.lines[1].rated.cost, "21");
	assert_money(f.s.lines[2].rated.cost, "35");
	assert_money(f.s.lines[3].rated.cost, "170"); /* 3 x 30 + 4 x 20 */
	assert_money(f.s.total, "233");
	assert_money(f.s.list_total, "233");
	assert_shares(&f);
	assert_true(sv_eq(f.s.price_book, SV("p.json 7")));
	down(&f);
}

/* Where several functions share tiers, each has its proportion, and not a unit
 * is lost or made. */
static void test_shares_over_tiers(void **state)
{
	struct fixture f;

	(void)state;
	up(&f, PRICES("r", PERIOD("\"from\":\"2026-01-01\"", "0.0000002",
				  "{\"up_to\":\"1\",\"rate\":\"0.0000166667\"},"
				  "{\"rate\":\"0.0000133334\"}")));
	run(&f, "r", "a", ARCH_X86_64, at(2026, 11, 2), 128, 7, 1000);
	run(&f, "r", "b", ARCH_X86_64, at(2026, 11, 3), 192, 11, 999);
	run(&f, "r", "c", ARCH_X86_64, at(2026, 11, 4), 131, 13, 101);
	make(&f, "2026-11", at(2026, 12, 1));
	assert_int_equal(f.s.lines[1].rated.tier_count, 2);
	assert_int_equal(f.s.function_count, 3);
	assert_shares(&f);
	assert_true(f.s.total.units == f.s.list_total.units);
	down(&f);
}

static void test_no_price(void **state)
{
	struct fixture f;
	struct buf b = BUF_INIT;
	struct json_writer w = json_writer(&b);

	(void)state;
	up(&f, NULL);
	run(&f, "us-east-1", "a", ARCH_X86_64, at(2026, 11, 2), 128, 1, 1);
	run(&f, "mars-1", "a", ARCH_X86_64, at(2026, 11, 2), 128, 1, 1);
	make(&f, "2026-11", at(2026, 12, 1));
	assert_int_equal(f.s.line_count, 4);
	assert_false(f.s.lines[0].priced);
	assert_true(f.s.lines[2].priced);
	assert_int_equal(f.s.note_count, 2);
	assert_int_equal(f.s.functions[0].requests, 2);
	assert_shares(&f);
	statement_json(&w, &f.s);
	assert_non_null(strstr(b.ptr, "\"cost\":null,\"shown\":null"));
	buf_fini(&b);
	down(&f);
}

/* The shape of docs/api.md, and that it parses. */
static void test_json(void **state)
{
	static const char *const keys[] = { "month",      "account",
					    "currency",   "price_book",
					    "lines",      "functions",
					    "total",      "total_shown",
					    "list_total", "provisional" };
	static const char *const of_usage[] = {
		"id",        "function",      "time",
		"memory_mb", "max_memory_mb", "duration_ms",
		"billed_ms", "init_ms",       "architecture",
		"status",    "region",        "cost"
	};
	const struct scope scope = { ACCOUNT, "us-east-1" };
	struct ledger_record record;
	struct fixture f;
	struct buf b = BUF_INIT;
	struct json_writer w = json_writer(&b);
	struct json_doc doc;

	(void)state;
	up(&f, NULL);
	run(&f, "us-east-1", "a\"\n", ARCH_X86_64, at(2026, 11, 2), 128, 100,
	    2);
	make(&f, "2026-11", at(2026, 11, 5));
	statement_json(&w, &f.s);
	assert_int_equal(json_parse(&doc, &f.arena, buf_view(&b), NULL), 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(
			json_get(json_root(&doc), sv_from(keys[i])).doc);
	assert_non_null(strstr(b.ptr, "\"month\":\"2026-11\",\"account\":"
				      "\"123456789012\""));
	assert_non_null(strstr(
		b.ptr, "\"quantity\":\"0.025\",\"unit\":\"GB-s\",\"free\":"
		       "\"0.025\",\"billable\":\"0\",\"tiers\":[{\"quantity\":"
		       "\"0\",\"rate\":\"0.0000166667\",\"cost\":\"0\"}],"
		       "\"cost\":\"0\",\"shown\":\"0.00\""));
	assert_non_null(strstr(b.ptr, "\"gb_seconds\":\"0.025\","
				      "\"billed_ms\":200,\"cost\":"
				      "\"0.0000008166675\""));

	buf_reset(&b);
	w = json_writer(&b);
	assert_int_equal(
		ledger_find(f.l, ACCOUNT, SV("1-1"), &f.arena, &record), 0);
	usage_json(&w, &scope, &record.usage, f.set);
	assert_int_equal(json_parse(&doc, &f.arena, buf_view(&b), NULL), 0);
	for (size_t i = 0; i < sizeof(of_usage) / sizeof(of_usage[0]); i++)
		assert_non_null(
			json_get(json_root(&doc), sv_from(of_usage[i])).doc);
	assert_non_null(strstr(b.ptr, "\"duration_ms\":\"12.345\""));
	assert_non_null(strstr(b.ptr, "{\"total\":\"0.00000040833375\","));
	assert_non_null(strstr(
		b.ptr, "{\"usage_type\":\"Lambda-GB-Second\",\"quantity\":"
		       "\"0.0125\",\"unit\":\"GB-s\",\"rate\":"
		       "\"0.0000166667\",\"per\":\"1\",\"cost\":"
		       "\"0.00000020833375\"}"));
	/* 12.345 ms were reported as 100. */
	assert_non_null(strstr(b.ptr, "before the free tier; billed time is as "
				      "reported, the rule gives 13 ms"));
	record.usage.billed_ms = 13;
	buf_reset(&b);
	w = json_writer(&b);
	usage_json(&w, &scope, &record.usage, f.set);
	assert_non_null(strstr(b.ptr, "before the free tier\"}}"));
	buf_fini(&b);
	down(&f);
}

static void test_month(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "2026-11", true },     { "1970-01", true },
		{ "2026-00", false },    { "2026-13", false },
		{ "2026-1", false },     { "26-11", false },
		{ "2026/11", false },    { "1969-12", false },
		{ "2262-01", false },    { "", false },
		{ "2026-11-01", false },
	};
	struct month m;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(month_parse(&m, sv_from(rows[i].text)),
				 rows[i].ok);
	assert_true(month_parse(&m, SV("2028-02")));
	assert_true(month_end_ns(m) - month_start_ns(m) == 29 * NS_PER_DAY);
	assert_true(month_parse(&m, SV("2026-12")));
	assert_true(month_end_ns(m) == at(2027, 1, 1));
	m = month_of((struct wall){ at(2026, 12, 1) - 1 });
	assert_int_equal(m.month, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_tier),
		cmocka_unit_test(test_free_tier_is_shared),
		cmocka_unit_test(test_change_in_month),
		cmocka_unit_test(test_shares_over_tiers),
		cmocka_unit_test(test_no_price),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_month),
	};

	return cmocka_run_group_tests_name("statement", tests, NULL, NULL);
}
