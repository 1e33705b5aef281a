/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/door/http.h"
#include "collector/memory.h"

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t want; /* 0: refused */
	} rows[] = {
		{ "134217728", 128 << 20 },
		{ "134217727", 0 },
		{ "256M", 256 << 20 },
		{ "262144K", 256 << 20 },
		{ "2G", (uint64_t)2 << 30 },
		{ "1T", (uint64_t)1 << 40 },
		{ "2T", 0 },
		{ "1025G", 0 },
		{ "18446744073709551615", 0 },
		{ "18014398509481984K", 0 },
		{ "64M", 0 },
		{ "", 0 },
		{ "M", 0 },
		{ "-1G", 0 },
		{ "1.5G", 0 },
		{ "256m", 0 },
		{ "256MB", 0 },
		{ " 256M", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag diag = { 0 };
		uint64_t v = 0;
		int e = memory_parse(sv_from(rows[i].text), &v, &diag);

		assert_int_equal(e == 0, rows[i].want != 0);
		assert_int_equal(v, rows[i].want);
		assert_int_equal(diag.text[0] != 0, e != 0);
	}
}

/* At most what was given, whatever that is, and each part gets something. */
static void parts_add_up(void **state)
{
	static const uint64_t sizes[] = {
		MEMORY_MIN,        MEMORY_MIN + 12345,  (uint64_t)256 << 20,
		(uint64_t)1 << 30, (uint64_t)100 << 30, MEMORY_MAX,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct memory_plan p;
		uint64_t sum;

		memory_plan(&p, sizes[i]);
		sum = sizes[i] / 64 * 5 +
		      (uint64_t)p.connections_max * HTTP_CONNECTION_BYTES +
		      HTTP_THREADS * p.request_bytes + p.load_bytes +
		      p.traces_head_bytes * 8 / 5 + p.logs_head_bytes * 8 / 5 +
		      p.series_max * 768 + p.rows_max * 192 +
		      p.ledger_filter_bytes + 2 * p.ledger_sums_max * 96 +
		      p.ledger_segment_entries * 112;
		assert_true(sum <= sizes[i]);
		assert_true(p.answer_bytes + 2 * p.reply_bytes <=
			    p.request_bytes);
		assert_true(p.load_bytes >= 4 * (size_t)HTTP_BODY_MAX);
		assert_true(p.request_bytes > HTTP_BODY_MAX);
		assert_true(p.connections_max >= 300);
		assert_true(p.series_max >= 1000 && p.rows_max >= 10000);
	}
}

static void the_default_is_a_share_of_what_there_is(void **state)
{
	uint64_t v = memory_default();

	(void)state;
	assert_in_range(v, MEMORY_MIN, MEMORY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(the_default_is_a_share_of_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
