/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/billing/ledger_stream.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/codec/deflate.h"

static void test_admit(void **state)
{
	struct fixture f;
	struct usage u;
	struct usage other;
	struct scope elsewhere = scope;
	enum admit a;

	(void)state;
	fixture_open(&f);
	u = usage_of(&f.arena, 0);
	other = u;
	other.billed_ms++;
	assert_int_equal(admit(&f, &u, T0), ADMIT_NEW);
	assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN); /* in flight */
	assert_int_equal(admit(&f, &other, T0), ADMIT_CONFLICT);
	ledger_withdraw(f.l, &scope, &u);
	ledger_withdraw(f.l, &scope, &u); /* harmless */
	assert_int_equal(admit(&f, &other, T0), ADMIT_NEW);
	ledger_withdraw(f.l, &scope, &other);
	assert_int_equal(admit(&f, &u, T0), ADMIT_NEW);
	assert_int_equal(apply_records(&f, 0, 0, 1), 0);
	assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN); /* applied */
	assert_int_equal(admit(&f, &other, T0), ADMIT_CONFLICT);
	/* Another account's id is another id; another region's is not. */
	elsewhere.account = 1;
	assert_int_equal(
		ledger_admit(f.l, &elsewhere, &u, (struct wall){ T0 }, &a), 0);
	assert_int_equal(a, ADMIT_NEW);
	elsewhere = scope;
	memcpy(elsewhere.region, "eu-west-1", 10);
	assert_int_equal(
		ledger_admit(f.l, &elsewhere, &u, (struct wall){ T0 }, &a), 0);
	assert_int_equal(a, ADMIT_CONFLICT);
	other = u;
	other.source = SV("edge");
	assert_int_equal(admit(&f, &other, T0), ADMIT_NEW);
	u.memory_mb = MEMORY_MB_MAX + 1;
	assert_int_equal(ledger_admit(f.l, &scope, &u, (struct wall){ T0 }, &a),
			 ERR_INVALID);
	fixture_close(&f);
}

/* Changing any one field makes it another record. */
static void test_payload(void **state)
{
	struct fixture f;
	struct usage u;
	struct usage v[10];

	(void)state;
	fixture_open(&f);
	u = usage_of(&f.arena, 1);
	for (size_t i = 0; i < 10; i++)
		v[i] = u;
	v[0].time_ns++;
	v[1].resource = SV("function-2");
	v[2].memory_mb++;
	v[3].max_memory_mb++;
	v[4].duration_us++;
	v[5].billed_ms++;
	v[6].init_us++;
	v[7].architecture = ARCH_ARM64;
	v[8].status = RUN_ERROR;
	v[9].trace_id = SV("");
	assert_int_equal(admit(&f, &u, T0), ADMIT_NEW);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(admit(&f, &v[i], T0), ADMIT_CONFLICT);
	assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN);
	fixture_close(&f);
}

static void test_old(void **state)
{
	const int64_t keep = LEDGER_REMEMBER_DAYS * NS_PER_DAY;
	struct fixture f;
	struct usage u;
	struct ledger_stats s;

	(void)state;
	fixture_open(&f);
	u = usage_of(&f.arena, 0);
	assert_int_equal(admit(&f, &u, T0 + keep + 1), ADMIT_OLD);
	assert_int_equal(admit(&f, &u, T0 + keep), ADMIT_NEW);
	replay(&f, FRAMES);
	checkpoint(&f);
	/* As long as it can be admitted it is known, sealed and filters gone */
	ledger_view(f.l)->ops->tick(f.l,
				    (struct wall){ T0 + 400 * NS_PER_DAY });
	assert_int_equal(admit(&f, &u, T0 + keep), ADMIT_KNOWN);
	assert_int_equal(admit(&f, &u, T0 + keep + 1), ADMIT_OLD);
	ledger_stats(f.l, &s);
	assert_int_equal(s.old, 2);
	assert_int_equal(s.filter_bytes, 0);
	assert_true(s.segments > 3);
	fixture_close(&f);
}

static void test_find(void **state)
{
	struct fixture f;
	struct ledger_record r;

	(void)state;
	fixture_open(&f);
	for (int round = 0; round < 2; round++) {
		replay(&f, FRAMES);
		for (unsigned n = 0; n < FRAMES * PER_FRAME; n++) {
			struct usage u = usage_of(&f.arena, n);

			assert_int_equal(ledger_find(f.l, scope.account, u.id,
						     &f.arena, &r),
					 0);
			assert_true(sv_eq(r.usage.id, u.id));
			assert_true(sv_eq(r.usage.resource, u.resource));
			assert_true(sv_eq(r.usage.source, u.source));
			assert_true(sv_eq(r.usage.trace_id, u.trace_id));
			assert_int_equal(r.usage.time_ns, u.time_ns);
			assert_int_equal(r.usage.billed_ms, u.billed_ms);
			assert_int_equal(r.usage.init_us, u.init_us);
			assert_int_equal(r.usage.status, u.status);
			assert_string_equal(r.scope.region, scope.region);
			assert_int_equal(r.frame, position_of(n / PER_FRAME));
		}
		assert_int_equal(ledger_find(f.l, scope.account, SV("none"),
					     &f.arena, &r),
				 ERR_NOT_FOUND);
		assert_int_equal(ledger_find(f.l, 1, SV("odd id 0"), &f.arena,
					     &r),
				 ERR_NOT_FOUND);
		checkpoint(&f);
		ledger_down(&f);
		ledger_up(&f);
	}
	fixture_close(&f);
}

/* Killed behind any frame, with the checkpoint at any frame before. */
static void test_restart_anywhere(void **state)
{
	(void)state;
	for (unsigned kill = 1; kill <= FRAMES; kill += 3) {
		for (unsigned at = 0; at <= kill; at += 3) {
			struct fixture f;

			fixture_open(&f);
			for (unsigned i = 0; i < kill; i++) {
				if (i == at)
					checkpoint(&f);
				assert_int_equal(apply_frame(&f, i), 0);
			}
			ledger_down(&f);
			ledger_up(&f);
			replay(&f, kill);
			assert_all(&f, kill * PER_FRAME);
			replay(&f, FRAMES);
			assert_all(&f, FRAMES * PER_FRAME);
			fixture_close(&f);
		}
	}
}

/* A frame that fails in its middle leaves nothing behind. */
static void test_half_a_frame(void **state)
{
	char text[2000];
	struct fixture f;
	struct frame fr = { .position = position_of(0),
			    .next = position_of(1),
			    .scope = scope };
	struct usage u[2];
	struct records r = { .usage = u, .usage_count = 2 };
	struct delivery d = { .frame = &fr, .records = &r };

	(void)state;
	memset(text, 'x', sizeof(text));
	fixture_open(&f);
	u[0] = usage_of(&f.arena, 0);
	u[1] = usage_of(&f.arena, 1);
	u[1].resource = sv_make(text, sizeof(text));
	assert_int_equal(ledger_view(f.l)->ops->apply(f.l, &d), ERR_LIMIT);
	assert_int_equal(ledger_view(f.l)->position, 0);
	assert_all(&f, 0);
	replay(&f, FRAMES);
	assert_all(&f, FRAMES * PER_FRAME);
	checkpoint(&f);
	ledger_down(&f);
	ledger_up(&f);
	assert_all(&f, FRAMES * PER_FRAME);
	fixture_close(&f);
}

static void test_ranges(void **state)
{
	const int64_t end = T0 + FRAMES * PER_FRAME * STEP;
	struct fixture f;

	(void)state;
	fixture_open(&f);
	for (int round = 0; round < 2; round++) {
		replay(&f, FRAMES);
		for (int64_t a = T0 - STEP; a < end; a += 5 * STEP + 1)
			for (int64_t b = a; b < end + NS_PER_DAY;
			     b += 3 * NS_PER_HOUR + 12345)
				assert_totals(&f, FRAMES * PER_FRAME, a, b);
		assert_totals(&f, FRAMES * PER_FRAME, INT64_MIN, INT64_MAX);
		assert_totals(&f, FRAMES * PER_FRAME, 5, 5);
		assert_totals(&f, FRAMES * PER_FRAME, 5, 4);
		checkpoint(&f);
		ledger_down(&f);
		ledger_up(&f);
	}
	fixture_close(&f);
}

static void test_limits(void **state)
{
	struct fixture f;
	struct ledger_stats s;
	struct usage u;
	enum admit a;

	(void)state;
	fixture_open(&f);
	ledger_down(&f);
	f.options = (struct ledger_options){ .segment_entries = SEGMENT,
					     .inflight_max = 2,
					     .names_max = 4,
					     .sums_max = 2,
					     .filter_bytes_max = 1 };
	ledger_up(&f);
	u = usage_of(&f.arena, 0);
	assert_int_equal(admit(&f, &u, T0), ADMIT_NEW); /* three names */
	u = usage_of(&f.arena, 3); /* counts them again, being in flight */
	assert_int_equal(ledger_admit(f.l, &scope, &u, (struct wall){ T0 }, &a),
			 ERR_LIMIT);
	assert_int_equal(apply_records(&f, 0, 0, 1), 0);
	u = usage_of(&f.arena, 1);
	assert_int_equal(admit(&f, &u, T0), ADMIT_NEW); /* the fourth name */
	u = usage_of(&f.arena, 2);
	assert_int_equal(ledger_admit(f.l, &scope, &u, (struct wall){ T0 }, &a),
			 ERR_LIMIT);
	u = usage_of(&f.arena, 3);
	assert_int_equal(admit(&f, &u, T0), ADMIT_NEW);
	u = usage_of(&f.arena, 6);
	assert_int_equal(ledger_admit(f.l, &scope, &u, (struct wall){ T0 }, &a),
			 ERR_BUSY);
	/* What was accepted is applied, over every limit, and totals hold. */
	for (unsigned i = 1; i < FRAMES * PER_FRAME; i++)
		assert_int_equal(apply_records(&f, i, i, 1), 0);
	assert_all(&f, FRAMES * PER_FRAME);
	u = usage_of(&f.arena, 3);
	assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN); /* without filters */
	ledger_stats(f.l, &s);
	assert_int_equal(s.refused_busy, 1);
	assert_int_equal(s.refused_names, 2);
	assert_true(s.sums_refused > 0);
	assert_true(s.filters_refused > 0);
	assert_int_equal(s.inflight, 0);
	fixture_close(&f);
}

/* --- damage --------------------------------------------------------------- */

static void flip(struct fixture *f, const char *name, long at)
{
	char path[128];
	unsigned char c;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	if (at < 0)
		at += lseek(fd, 0, SEEK_END);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 0x40;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void drop(struct fixture *f, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(unlink(path), 0);
}

static void cut(struct fixture *f, const char *name, long size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(truncate(path, size), 0);
}

/* Applied and checkpointed but for the last frame, and down. */
static void prepare(struct fixture *f)
{
	fixture_open(f);
	replay(f, FRAMES - 1);
	checkpoint(f);
	assert_int_equal(apply_frame(f, FRAMES - 1), 0);
	ledger_down(f);
}

static void assert_whole(struct fixture *f)
{
	struct usage u = usage_of(&f->arena, 2);

	ledger_up(f);
	replay(f, FRAMES);
	assert_all(f, FRAMES * PER_FRAME);
	assert_int_equal(admit(f, &u, T0), ADMIT_KNOWN);
	u.billed_ms++;
	assert_int_equal(admit(f, &u, T0), ADMIT_CONFLICT);
	checkpoint(f);
	ledger_down(f);
	ledger_up(f); /* and nothing of it comes back */
	assert_all(f, FRAMES * PER_FRAME);
}

static void test_damaged_index(void **state)
{
	static const long places[] = { 3,        40,       130,      180,
				       4096 + 5, 8192 - 2, 8192 + 3, -1 };
	struct ledger_stats s;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		prepare(&f);
		flip(&f, "00000001.index", places[i]);
		assert_whole(&f);
		fixture_close(&f);
	}
	prepare(&f);
	drop(&f, "00000002.index");
	cut(&f, "00000003.index", 0);
	cut(&f, "00000004.index", 9000);
	assert_whole(&f);
	fixture_close(&f);
	/* A page that goes bad while we run. */
	prepare(&f);
	ledger_up(&f);
	flip(&f, "00000001.index", 4096 + 5);
	replay(&f, FRAMES);
	for (unsigned n = 0; n < SEGMENT; n++) {
		struct usage u = usage_of(&f.arena, n);

		assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN);
	}
	ledger_stats(f.l, &s);
	assert_int_equal(s.rebuilt_indexes, 1);
	fixture_close(&f);
}

static void test_lost_checkpoint(void **state)
{
	struct fixture f;

	(void)state;
	prepare(&f);
	drop(&f, "checkpoint");
	assert_whole(&f);
	fixture_close(&f);
	prepare(&f);
	flip(&f, "checkpoint", -3);
	assert_whole(&f);
	fixture_close(&f);
	prepare(&f);
	cut(&f, "checkpoint", 0);
	assert_whole(&f);
	fixture_close(&f);
}

/* What the open segment has lost comes again from the journal. */
static void test_damaged_open_segment(void **state)
{
	char name[32];
	struct fixture f;

	(void)state;
	for (unsigned way = 0; way < 6; way++) {
		struct ledger_stats s;

		prepare(&f);
		ledger_up(&f);
		ledger_stats(f.l, &s);
		ledger_down(&f);
		snprintf(name, sizeof(name), "%08u.%s", (unsigned)s.segments,
			 way == 5 ? "text" : "entries");
		if (way == 0)
			flip(&f, name, 128 + 7); /* its first entry */
		else if (way == 1)
			flip(&f, name, -5); /* its last */
		else if (way == 2)
			cut(&f, name, 128 + 128 + 60);
		else if (way == 3)
			flip(&f, name, 2); /* the header */
		else if (way == 4)
			drop(&f, name);
		else
			flip(&f, name, 1);
		assert_whole(&f);
		fixture_close(&f);
	}
}

static void test_lost_segment(void **state)
{
	struct fixture f;
	struct ledger_stats s;
	struct usage u;

	(void)state;
	/* Entries gone, index there: sums and ids hold. */
	prepare(&f);
	drop(&f, "00000002.entries");
	assert_whole(&f);
	ledger_stats(f.l, &s);
	assert_int_equal(s.lost_segments, 1);
	fixture_close(&f);
	/* Both gone: counted, and the rest is served. */
	prepare(&f);
	drop(&f, "00000002.entries");
	drop(&f, "00000002.index");
	ledger_up(&f);
	replay(&f, FRAMES);
	ledger_stats(f.l, &s);
	assert_int_equal(s.lost_segments, 1);
	u = usage_of(&f.arena, 0);
	assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN);
	u = usage_of(&f.arena, FRAMES * PER_FRAME - 1);
	assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN);
	fixture_close(&f);
	/* One damaged entry costs itself. */
	prepare(&f);
	flip(&f, "00000002.entries", 128 + 3 * 128 + 9);
	drop(&f, "00000002.index");
	ledger_up(&f);
	replay(&f, FRAMES);
	ledger_stats(f.l, &s);
	assert_int_equal(s.damaged_entries, 1);
	fixture_close(&f);
}

static void test_damaged_names(void **state)
{
	struct fixture f;
	struct ledger_totals t;

	(void)state;
	prepare(&f);
	flip(&f, "names", 128 + 18); /* the first: the scope */
	ledger_up(&f);
	replay(&f, FRAMES);
	assert_int_equal(ledger_totals(f.l, &scope, 0, INT64_MAX, &f.arena, &t),
			 0);
	fixture_close(&f);
	prepare(&f);
	flip(&f, "names", -1 - 16); /* a function: its numbers stay right */
	ledger_up(&f);
	replay(&f, FRAMES);
	assert_int_equal(ledger_totals(f.l, &scope, 0, INT64_MAX, &f.arena, &t),
			 0);
	assert_true(t.count >= 4);
	fixture_close(&f);
}

/* Written by a newer release: refused by name, nothing touched. */
static void test_version(void **state)
{
	struct diag diag = { 0 };
	struct fixture f;
	char path[128];
	uint8_t h[128];
	int fd;

	(void)state;
	prepare(&f);
	snprintf(path, sizeof(path), "%s/names", f.dir);
	fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, h, sizeof(h), 0), sizeof(h));
	put_le32(h + 8, 2);
	put_le32(h + 124, (uint32_t)crc32_add(0, h, 124));
	assert_int_equal(pwrite(fd, h, sizeof(h), 0), sizeof(h));
	close(fd);
	assert_int_equal(ledger_open(&f.l, env_posix(), f.dir, NULL, &diag),
			 ERR_VERSION);
	assert_true(strlen(diag.text) > 0);
	f.l = NULL;
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admit),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_restart_anywhere),
		cmocka_unit_test(test_half_a_frame),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_lost_checkpoint),
		cmocka_unit_test(test_damaged_open_segment),
		cmocka_unit_test(test_lost_segment),
		cmocka_unit_test(test_damaged_names),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
