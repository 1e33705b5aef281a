/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log without HTTP: what is counted, kept, found and given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdatomic.h>
#include <unistd.h>

#include "collector/door/audit.h"
#include "collector/door/audit_files.h"
#include "collector/door/audit_table.h"
#include "core/codec/json.h"
#include "tests/sim/disk_sim.h"

#define DAY_NS (86400 * NS_PER_S)
#define START_NS (1795338000 * NS_PER_S) /* 2026-11-22 */

enum { ACCOUNT_A = 1, ACCOUNT_B = 2 };

/* A clock that a test moves, and a disk in memory. */
struct fixture {
	_Atomic int64_t now_ns;
	struct disk_sim *disk;
	struct env env;
	struct audit *audit;
	struct arena arena;
	struct sv *rows;
	size_t count;
	bool truncated;
};

static struct wall fake_wall(void *self)
{
	struct fixture *f = self;

	return (struct wall){ atomic_load(&f->now_ns) };
}

static struct instant fake_mono(void *self)
{
	struct fixture *f = self;

	return (struct instant){ (uint64_t)atomic_load(&f->now_ns) };
}

static const struct clock_ops fake_clock = { fake_wall, fake_mono };

static void open_it(struct fixture *f)
{
	struct diag diag = { 0 };

	assert_int_equal(audit_open(&f->audit, &f->env, "/audit", &diag), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	atomic_init(&f->now_ns, START_NS);
	f->disk = disk_sim_new(7);
	f->env = disk_sim_env(f->disk);
	f->env.clock = &fake_clock;
	f->env.clock_self = f;
	open_it(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	audit_close(f->audit);
	arena_fini(&f->arena);
	disk_sim_free(f->disk);
	free(f);
	return 0;
}

static void pass(struct fixture *f, int64_t ns)
{
	atomic_fetch_add(&f->now_ns, ns);
}

static void add(struct fixture *f, struct audit_row row)
{
	row.time_ns = atomic_load(&f->now_ns);
	audit_add(f->audit, &row);
}

static struct audit_row refusal(const char *address, const char *reason)
{
	struct audit_row row = { .kind = AUDIT_REFUSAL, .status = 403 };

	audit_copy(row.address, sizeof(row.address), sv_from(address));
	audit_copy(row.outcome, sizeof(row.outcome), sv_from(reason));
	return row;
}

static struct audit_row call(uint64_t account, const char *caller,
			     const char *operation)
{
	struct audit_row row = {
		.kind = AUDIT_CALL,
		.owned = true,
		.scope = { .account = account, .region = "us-east-1" },
		.operation = operation,
		.outcome = "ok",
	};

	audit_copy(row.caller, sizeof(row.caller), sv_from(caller));
	return row;
}

static void ask(struct fixture *f, struct audit_query q)
{
	if (!q.end_ns)
		q.end_ns = INT64_MAX;
	if (!q.limit)
		q.limit = AUDIT_LIMIT_MAX;
	arena_reset(&f->arena);
	assert_int_equal(audit_read(f->audit, &q, &f->arena, &f->rows,
				    &f->count, &f->truncated),
			 0);
}

/* A member of a row that was read, as it stands there. */
static struct sv member(struct fixture *f, size_t i, const char *name)
{
	struct json_doc *doc = arena_new(&f->arena, struct json_doc);
	struct json v;

	assert_int_equal(json_parse(doc, &f->arena, f->rows[i], NULL), 0);
	v = json_get(json_root(doc), sv_from(name));
	return v.doc ? json_raw(v) : SV("");
}

static uint64_t sum_of_counts(struct fixture *f)
{
	uint64_t sum = 0, n;

	for (size_t i = 0; i < f->count; i++) {
		assert_true(sv_to_u64(member(f, i, "count"), &n));
		sum += n;
	}
	return sum;
}

#define assert_sv(got, want)                                   \
	do {                                                   \
		struct sv got_ = (got);                        \
		assert_int_equal(got_.len, strlen(want));      \
		assert_memory_equal(got_.ptr, want, got_.len); \
	} while (0)

static void line_holds(void **state)
{
	struct audit_row row = call(ACCOUNT_A, "x\"\n\xff", "PutMetricAlarm");
	struct buf out = { 0 };
	struct sv line;

	(void)state;
	row.time_ns = START_NS;
	audit_row_write(&row, &out);
	line = sv_make(out.ptr, out.len - 1);
	assert_int_equal(out.ptr[out.len - 1], '\n');
	assert_true(audit_line_check(line));
	for (size_t i = 0; i < line.len; i++) {
		out.ptr[i] ^= 1;
		assert_false(audit_line_check(line));
		out.ptr[i] ^= 1;
	}
	for (size_t n = 0; n < line.len; n++)
		assert_false(audit_line_check(sv_make(line.ptr, n)));
	buf_fini(&out);
}

static void copy_cuts_at_a_character(void **state)
{
	char to[5];

	(void)state;
	audit_copy(to, sizeof(to), SV("abc\xc3\xa4"));
	assert_string_equal(to, "abc");
	audit_copy(to, sizeof(to), SV("abcd"));
	assert_string_equal(to, "abcd");
	audit_copy(to, sizeof(to), (struct sv){ NULL, 0 });
	assert_string_equal(to, "");
}

static void rows_are_found(void **state)
{
	struct fixture *f = *state;

	add(f, call(ACCOUNT_A, "ann", "PutMetricAlarm"));
	pass(f, NS_PER_S);
	add(f, call(ACCOUNT_A, "bob", "DeleteAlarms"));
	pass(f, NS_PER_S);
	add(f, call(ACCOUNT_B, "eve", "DeleteAlarms"));
	pass(f, NS_PER_S);
	add(f, refusal("192.0.2.7", "unknown_key"));
	audit_event(f->audit, "ReloadKeys", "ok");

	ask(f, (struct audit_query){ .account = ACCOUNT_A });
	assert_int_equal(f->count, 2);
	assert_sv(member(f, 0, "caller"), "\"bob\""); /* newest first */
	assert_sv(member(f, 0, "account"), "\"000000000001\"");
	assert_sv(member(f, 0, "crc"), "");
	ask(f, (struct audit_query){ .account = ACCOUNT_A, .unowned = true });
	assert_int_equal(f->count, 4);
	ask(f, (struct audit_query){ .account = ACCOUNT_B });
	assert_int_equal(f->count, 1);
	ask(f,
	    (struct audit_query){ .account = ACCOUNT_A, .caller = SV("ann") });
	assert_int_equal(f->count, 1);
	ask(f, (struct audit_query){ .account = ACCOUNT_A,
				     .operation = SV("DeleteAlarms") });
	assert_int_equal(f->count, 1);
	ask(f, (struct audit_query){ .account = ACCOUNT_A,
				     .start_ns = START_NS + 1 });
	assert_int_equal(f->count, 1);
	ask(f, (struct audit_query){ .account = ACCOUNT_A,
				     .end_ns = START_NS + NS_PER_S });
	assert_int_equal(f->count, 1);
	ask(f, (struct audit_query){ .account = ACCOUNT_A, .limit = 1 });
	assert_int_equal(f->count, 1);
	assert_true(f->truncated);
	assert_sv(member(f, 0, "caller"), "\"bob\"");

	audit_close(f->audit);
	open_it(f);
	ask(f, (struct audit_query){ .account = ACCOUNT_A, .unowned = true });
	assert_int_equal(f->count, 4);
	assert_int_equal(disk_sim_count(f->disk, "/audit/calls-"), 1);
}

static void flood_of_one_is_two_rows(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 1000; i++)
		add(f, refusal("192.0.2.7", "unknown_key"));
	ask(f, (struct audit_query){ .unowned = true });
	assert_int_equal(f->count, 1); /* at once, not a minute later */
	pass(f, AUDIT_MINUTE_S * NS_PER_S);
	add(f, refusal("192.0.2.7", "unknown_key"));
	ask(f, (struct audit_query){ .unowned = true });
	assert_int_equal(f->count, 3);
	assert_int_equal(sum_of_counts(f), 1001);
	assert_sv(member(f, 0, "address"), "\"192.0.2.7\"");
}

static void a_count_says_what_all_have(void **state)
{
	struct fixture *f = *state;
	struct audit_row row = refusal("192.0.2.7", "role");

	row.service = "X-Ray";
	row.operation = "one";
	audit_copy(row.agent, sizeof(row.agent), SV("curl"));
	add(f, row);
	add(f, row);
	row.operation = "two";
	add(f, row);
	audit_close(f->audit);
	open_it(f);
	ask(f, (struct audit_query){ .unowned = true });
	assert_int_equal(f->count, 2);
	for (size_t i = 0; i < 2; i++) {
		bool counts = sv_eq(member(f, i, "count"), SV("2"));

		assert_sv(member(f, i, "operation"), counts ? "" : "\"one\"");
		assert_sv(member(f, i, "service"), "\"X-Ray\"");
		assert_sv(member(f, i, "agent"), "\"curl\"");
	}
}

static void sources_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct audit_row row = refusal("192.0.2.7", "role");

	add(f, row);
	audit_copy(row.address, sizeof(row.address), SV("192.0.2.8"));
	add(f, row);
	audit_copy(row.outcome, sizeof(row.outcome), SV("rate"));
	add(f, row);
	row.owned = true;
	row.scope.account = ACCOUNT_A;
	add(f, row);
	row.scope.account = ACCOUNT_B;
	add(f, row);
	audit_copy(row.caller, sizeof(row.caller), SV("ann"));
	add(f, row);
	ask(f, (struct audit_query){ .account = ACCOUNT_B, .unowned = true });
	assert_int_equal(f->count, 5);
	ask(f, (struct audit_query){ .account = ACCOUNT_A });
	assert_int_equal(f->count, 1);
}

static void flood_of_many_is_bounded(void **state)
{
	enum { MANY = 10 * AUDIT_SOURCES_MAX, TIMES = 2 };
	struct fixture *f = *state;
	struct audit_stats stats;
	char address[32];

	for (int n = 0; n < TIMES; n++)
		for (int i = 0; i < MANY; i++) {
			snprintf(address, sizeof(address), "10.0.%d.%d",
				 i / 256, i % 256);
			add(f, refusal(address, i % 2 ? "missing" : "role"));
		}
	audit_close(f->audit);
	open_it(f);
	ask(f, (struct audit_query){ .unowned = true });
	/* A first and a summary of each, and two by reason. */
	assert_int_equal(f->count, 2 * AUDIT_SOURCES_MAX + 2);
	assert_int_equal(sum_of_counts(f), MANY * TIMES);
	audit_stats(f->audit, &stats);
	assert_int_equal(stats.damaged, 0);
}

static void ignore_row(void *arg, const struct audit_row *row)
{
	uint64_t *sums = arg;

	sums[0] += row->count;
	sums[1] += !strcmp(row->outcome, "other") ? row->count : 0;
}

static void reasons_are_bounded(void **state)
{
	struct audit_table *t;
	uint64_t sums[2] = { 0, 0 };
	char text[16];

	(void)state;
	assert_int_equal(audit_table_new(&t), 0);
	for (int i = 0; i < AUDIT_SOURCES_MAX; i++) {
		struct audit_row row;

		snprintf(text, sizeof(text), "10.0.0.%d", i);
		row = refusal(text, "missing");
		assert_int_equal(audit_table_count(t, &row), AUDIT_FIRST);
	}
	for (int i = 0; i < 2 * AUDIT_REASONS_MAX; i++) {
		struct audit_row row;

		snprintf(text, sizeof(text), "reason%d", i);
		row = refusal("192.0.2.1", text);
		assert_int_equal(audit_table_count(t, &row), AUDIT_OVERFLOW);
	}
	audit_table_empty(t, ignore_row, sums);
	assert_int_equal(sums[0], 2 * AUDIT_REASONS_MAX);
	assert_int_equal(sums[1], AUDIT_REASONS_MAX + 1);
	audit_table_empty(t, ignore_row, sums);
	assert_int_equal(sums[0], 2 * AUDIT_REASONS_MAX);
	audit_table_free(t);
}

static void full_disk_loses_nothing_uncounted(void **state)
{
	enum { CALLS = 4000 };
	struct fixture *f = *state;
	struct audit_stats stats;
	bool lost = false;

	add(f, call(ACCOUNT_A, "ann", "PutMetricAlarm"));
	ask(f, (struct audit_query){ .account = ACCOUNT_A });
	disk_sim_room(f->disk, 1);
	for (int i = 1; i < CALLS; i++)
		add(f, call(ACCOUNT_A, "ann", "PutMetricAlarm"));
	audit_stats(f->audit, &stats);
	assert_true(stats.lost > 0);
	disk_sim_room(f->disk, 0);
	audit_close(f->audit);
	open_it(f);
	ask(f, (struct audit_query){ .account = ACCOUNT_A, .unowned = true });
	/* Where it stands depends on when the writer last tried. */
	for (size_t i = 0; i < f->count; i++)
		lost |= sv_eq(member(f, i, "kind"), SV("\"lost\""));
	assert_true(lost);
	assert_int_equal(sum_of_counts(f), CALLS);
	assert_true(f->count < CALLS);
}

static void damage_is_seen(void **state)
{
	struct fixture *f = *state;
	struct audit_stats stats;
	uint8_t *bytes;
	size_t size;
	int fd;

	add(f, call(ACCOUNT_A, "ann", "PutMetricAlarm"));
	add(f, call(ACCOUNT_A, "bob", "PutMetricAlarm"));
	audit_close(f->audit);
	bytes = disk_sim_bytes(f->disk, "/audit/calls-00000001.jsonl", &size);
	assert_non_null(bytes);
	bytes[sizeof(AUDIT_FORMAT) + 20] ^= 1;
	/* And a line that a crash has torn. */
	fd = f->env.disk->open(f->env.disk_self, "/audit/calls-00000001.jsonl",
			       2);
	assert_true(fd >= 0);
	assert_int_equal(
		f->env.disk->pwrite(f->env.disk_self, fd, "{\"ti", 4, size), 0);
	f->env.disk->close(f->env.disk_self, fd);
	open_it(f);
	add(f, call(ACCOUNT_A, "eve", "PutMetricAlarm"));
	ask(f, (struct audit_query){ .account = ACCOUNT_A });
	assert_int_equal(f->count, 2);
	assert_sv(member(f, 1, "caller"), "\"bob\"");
	audit_stats(f->audit, &stats);
	assert_int_equal(stats.damaged, 2);
}

static void another_version_is_left_alone(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes;
	size_t size, before;

	add(f, call(ACCOUNT_A, "ann", "PutMetricAlarm"));
	audit_close(f->audit);
	bytes = disk_sim_bytes(f->disk, "/audit/calls-00000001.jsonl", &before);
	bytes[sizeof(AUDIT_FORMAT) - 3] = '2';
	open_it(f);
	add(f, call(ACCOUNT_A, "bob", "PutMetricAlarm"));
	ask(f, (struct audit_query){ .account = ACCOUNT_A });
	assert_int_equal(f->count, 1);
	assert_sv(member(f, 0, "caller"), "\"bob\"");
	(void)disk_sim_bytes(f->disk, "/audit/calls-00000001.jsonl", &size);
	assert_int_equal(size, before);
	assert_int_equal(disk_sim_count(f->disk, "/audit/calls-"), 2);
}

static bool count_line(void *arg, struct sv line)
{
	(void)line;
	++*(size_t *)arg;
	return true;
}

static void old_files_go(void **state)
{
	struct fixture *f = *state;
	struct audit_files *files;
	struct buf line = { 0 };
	struct audit_row row = call(ACCOUNT_A, "ann", "PutMetricAlarm");
	int64_t now = START_NS;
	size_t lines = 0;

	audit_row_write(&row, &line);
	assert_int_equal(
		audit_files_open(&files, &f->env, "/audit", "test", NULL), 0);
	for (int i = 0; i < AUDIT_FILES_MAX + 5; i++) {
		assert_int_equal(audit_files_append(files, buf_view(&line),
						    (struct wall){ now }),
				 0);
		now += (AUDIT_FILE_DAYS + 1) * DAY_NS;
	}
	assert_int_equal(disk_sim_count(f->disk, "/audit/test-"),
			 AUDIT_FILES_MAX);
	assert_int_equal(audit_files_read(files, 0, count_line, &lines), 0);
	assert_int_equal(lines, AUDIT_FILES_MAX);
	now -= (AUDIT_FILE_DAYS + 1) * DAY_NS;
	audit_files_expire(files, now); /* 90 days: 12 files, 8 days apart */
	assert_int_equal(disk_sim_count(f->disk, "/audit/test-"),
			 AUDIT_DAYS / (AUDIT_FILE_DAYS + 1) + 1);
	audit_files_expire(files, now + 2 * AUDIT_DAYS * DAY_NS);
	assert_int_equal(disk_sim_count(f->disk, "/audit/test-"), 1);
	audit_files_close(files);
	buf_fini(&line);
}

static void full_files_are_closed(void **state)
{
	struct fixture *f = *state;
	struct audit_files *files;
	struct buf lines = { 0 };
	struct audit_row row = call(ACCOUNT_A, "ann", "PutMetricAlarm");
	size_t per = 0, n = 0;

	while (lines.len < AUDIT_FILE_BYTES / 8) {
		audit_row_write(&row, &lines);
		per++;
	}
	assert_int_equal(
		audit_files_open(&files, &f->env, "/audit", "test", NULL), 0);
	for (int i = 0; i < 16; i++)
		assert_int_equal(audit_files_append(files, buf_view(&lines),
						    (struct wall){ START_NS }),
				 0);
	assert_int_equal(disk_sim_count(f->disk, "/audit/test-"), 3);
	assert_int_equal(audit_files_read(files, 0, count_line, &n), 0);
	assert_int_equal(n, 16 * per);
	audit_files_close(files);
	buf_fini(&lines);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_holds),
		cmocka_unit_test(copy_cuts_at_a_character),
		WITH(rows_are_found),
		WITH(flood_of_one_is_two_rows),
		WITH(a_count_says_what_all_have),
		WITH(sources_are_told_apart),
		WITH(flood_of_many_is_bounded),
		cmocka_unit_test(reasons_are_bounded),
		WITH(full_disk_loses_nothing_uncounted),
		WITH(damage_is_seen),
		WITH(another_version_is_left_alone),
		WITH(old_files_go),
		WITH(full_files_are_closed),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
