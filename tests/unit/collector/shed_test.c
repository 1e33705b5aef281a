/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/ingest/shed.h"

static void lines_of_level_debug(void **state)
{
	static const struct {
		const char *line;
		bool want;
	} rows[] = {
		{ "2026-11-24T10:00:00.000Z\t9f2c\tDEBUG\tcache miss", true },
		{ "2026-11-24T10:00:00.000Z\t9f2c\tTRACE\tenter", true },
		{ "2026-11-24T10:00:00.000Z\t9f2c\tINFO\tDEBUG is off", false },
		{ "2026-11-24T10:00:00.000Z\t9f2c\tERROR\tx", false },
		{ "[DEBUG]\t2026-11-24T10:00:00Z\t9f2c\ttext", true },
		{ "DEBUG:root:text", true },
		{ "DEBUG", true },
		{ "[ DEBUG ] x", true },
		{ "DEBUGGER attached", false },
		{ "debug in small letters is a word", false },
		{ "one two three DEBUG", false },
		{ "REPORT RequestId: 9f2c\tDuration: 3.2 ms", false },
		{ "{\"level\":\"DEBUG\",\"msg\":\"x\"}", true },
		{ "{\"msg\":\"x\", \"level\" : \"debug\"}", true },
		{ "{\"Level\":\"trace\"}", true },
		{ "{\"level\":\"info\",\"msg\":\"level\\\": debug\"}", false },
		{ "{\"level\":\"debugging\"}", false },
		{ "{\"loglevel\":\"debug\"}", false },
		{ "{\"level\":\"debug", false }, /* cut off */
		{ "{\"level\":", false },
		{ "{", false },
		{ "", false },
		{ "   ", false },
		{ "[[[[", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (shed_is_debug(sv_from(rows[i].line)) != rows[i].want)
			fail_msg("%s", rows[i].line);
}

static struct segment_record segments[2];
static struct datum data[2];
static struct log_event logs[4];
static struct usage usage[2];

/* Two of each, two of the four log lines of level debug; the second datum and
 * the first debug line were refused before. */
static struct native_batch batch_of(struct native_refusal refusals[2],
				    size_t usage_count)
{
	logs[0].message = SV("DEBUG a");
	logs[1].message = SV("INFO b");
	logs[2].message = SV("DEBUG c");
	logs[3].message = SV("INFO d");
	refusals[0] = (struct native_refusal){ .kind = RECORD_DATUM,
					       .index = 1,
					       .code = SV("Bad") };
	refusals[1] = (struct native_refusal){ .kind = RECORD_LOG,
					       .index = 0,
					       .code = SV("Bad") };
	return (struct native_batch){
		.records = { .segments = segments,
			     .segment_count = 2,
			     .data = data,
			     .datum_count = 2,
			     .logs = logs,
			     .log_count = 4,
			     .usage = usage,
			     .usage_count = usage_count },
		.refusals = refusals,
		.refusal_count = 2,
	};
}

static void levels_shed_in_order(void **state)
{
	static const struct {
		enum admission_level level;
		size_t usage;
		int err;
		size_t refusals; /* of then */
		uint32_t counts[SHED_KINDS];
	} rows[] = {
		{ ADMISSION_ALL, 2, 0, 2, { 0 } },
		{ ADMISSION_NO_READ, 2, 0, 3, { [SHED_DEBUG] = 1 } },
		{ ADMISSION_NO_READ, 0, 0, 3, { [SHED_DEBUG] = 1 } },
		{ ADMISSION_NO_TELEMETRY, 2, 0, 8, { 2, 1, 1, 2, 0 } },
		{ ADMISSION_NO_USAGE, 2, 0, 8, { 2, 1, 1, 2, 0 } },
		{ ADMISSION_NO_CONTROL, 1, 0, 8, { 2, 1, 1, 2, 0 } },
		{ ADMISSION_NO_TELEMETRY, 0, ERR_BUSY, 2, { 2, 1, 1, 2, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct native_refusal refusals[2];
		struct native_batch b = batch_of(refusals, rows[i].usage);
		struct arena arena = ARENA_INIT;
		struct shed shed;
		uint32_t before = 0;

		assert_int_equal(shed_records(&arena, &b, rows[i].level, &shed),
				 rows[i].err);
		assert_int_equal(b.refusal_count, rows[i].refusals);
		assert_memory_equal(shed.counts, rows[i].counts,
				    sizeof(shed.counts));
		for (size_t k = 0; k < b.refusal_count; k++) {
			uint32_t key = native_key(b.refusals[k].kind,
						  b.refusals[k].index);

			assert_true(k == 0 || key > before);
			assert_true(b.refusals[k].kind != RECORD_USAGE);
			assert_int_equal(shed_refused(&b.refusals[k]),
					 !sv_eq(b.refusals[k].code, SV("Bad")));
			before = key;
		}
		arena_fini(&arena);
	}
}

/* A batch that is given up counts all of it but what was bad. */
static void what_is_given_up_is_counted(void **state)
{
	static const uint32_t want[SHED_KINDS] = { 2, 1, 1, 2, 2 };
	struct native_refusal refusals[2];
	struct native_batch b = batch_of(refusals, 2);
	struct arena arena = ARENA_INIT;
	struct stats stats = { 0 };
	struct shed shed;

	(void)state;
	shed_all(&b.records, b.refusals, b.refusal_count, &shed);
	assert_memory_equal(shed.counts, want, sizeof(want));
	assert_int_equal(
		shed_records(&arena, &b, ADMISSION_NO_TELEMETRY, &shed), 0);
	shed_all(&b.records, b.refusals, b.refusal_count, &shed);
	assert_memory_equal(shed.counts, want, sizeof(want));
	shed_count(&stats, &shed);
	shed_count(&stats, &shed);
	assert_int_equal(stats_get(&stats.shed_usage_records), 4);
	assert_int_equal(stats_get(&stats.shed_debug_records), 2);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_level_debug),
		cmocka_unit_test(levels_shed_in_order),
		cmocka_unit_test(what_is_given_up_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
