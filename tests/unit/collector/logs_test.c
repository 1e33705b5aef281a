/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/logs/keys.h"
#include "collector/logs/logs.h"
#include "core/store/retention.h"
#include "tests/sim/scratch.h"

#define T0 (1795338000LL * NS_PER_S)
#define DAY (86400LL * NS_PER_S)
#define ID_A "6f1c7d2e-0f7b-4a7e-9d7e-000000000001"
#define ID_B "6f1c7d2e-0f7b-4a7e-9d7e-000000000002"

static const struct scope SCOPE = { 123456789012, "us-east-1" };
static const struct scope OTHER = { 123456789012, "eu-west-1" };

/* One view in a folder of its own, and an arena for its answers. */
struct place {
	char dir[64];
	struct logs *logs;
	struct arena arena;
	uint64_t position;
};

static void place_open(struct place *p, const struct logs_options *options)
{
	struct diag diag = { 0 };

	if (!p->dir[0]) {
		scratch_make(p->dir, sizeof(p->dir), "logs_test");
		p->position = 64;
	}
	assert_int_equal(
		logs_open(&p->logs, env_posix(), p->dir, options, &diag), 0);
}

static void place_close(struct place *p)
{
	logs_close(p->logs);
	scratch_remove(p->dir);
	arena_fini(&p->arena);
	*p = (struct place){ 0 };
}

static void apply_at(struct place *p, const struct scope *scope,
		     int64_t received_ns, struct log_event *events,
		     size_t count)
{
	struct frame frame = {
		.position = p->position,
		.next = p->position + 64,
		.protocol = PROTOCOL_NATIVE,
		.scope = *scope,
		.received = { received_ns },
		.body = SV("body"),
	};
	struct records records = { .logs = events, .log_count = count };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v = logs_view(p->logs);

	assert_int_equal(v->ops->apply(v->self, &d), 0);
	p->position += 64;
	assert_true(v->position == p->position);
}

static void add(struct place *p, const char *group, const char *stream,
		int64_t time_ns, const char *message)
{
	struct log_event e = { sv_from(group), sv_from(stream), time_ns,
			       sv_from(message) };

	apply_at(p, &SCOPE, T0, &e, 1);
}

static void checkpoint(struct place *p)
{
	struct view *v = logs_view(p->logs);

	assert_int_equal(v->ops->checkpoint(v->self), 0);
}

static void tick(struct place *p, int64_t now_ns)
{
	struct view *v = logs_view(p->logs);

	assert_int_equal(v->ops->tick(v->self, (struct wall){ now_ns }), 0);
}

static struct logs_stats stats(const struct place *p)
{
	struct logs_stats s;

	logs_stats(p->logs, &s);
	return s;
}

static size_t ask(struct place *p, const struct logs_query *q,
		  struct log_event **events, bool *truncated)
{
	size_t n = 0;

	assert_int_equal(logs_read(p->logs, &SCOPE, q, &p->arena, events, &n,
				   truncated),
			 0);
	return n;
}

/* All messages of the answer, each followed by a slash; + when it was cut. */
static const char *answer(struct place *p, const struct logs_query *q)
{
	struct log_event *events;
	bool truncated;
	size_t n = ask(p, q, &events, &truncated);
	struct buf b = BUF_INIT;
	struct sv copy;

	for (size_t i = 0; i < n; i++) {
		buf_sv(&b, events[i].message);
		buf_char(&b, '/');
	}
	if (truncated)
		buf_char(&b, '+');
	copy = arena_copy(&p->arena, buf_view(&b));
	buf_fini(&b);
	return copy.ptr;
}

static void test_ids(void **state)
{
	static const struct {
		const char *message;
		int at; /* -1: none */
		enum mark mark;
	} rows[] = {
		{ "START RequestId: " ID_A " Version: $LATEST", 17,
		  MARK_START },
		{ "END RequestId: " ID_A, 15, MARK_END },
		{ "REPORT RequestId: " ID_A "\tDuration: 1 ms", 18, MARK_LINE },
		{ "2026-11-22T09:00:00.123Z\t" ID_A "\tINFO\thi", 25,
		  MARK_LINE },
		{ "[INFO]\t2026-11-22T09:00:00.123Z\t" ID_A "\thi", 32,
		  MARK_LINE },
		{ "2026-11-22T09:00:00.123Z " ID_A " Task timed out", 25,
		  MARK_LINE },
		{ "{\"level\":\"INFO\",\"requestId\":\"" ID_A "\"}", 29,
		  MARK_LINE },
		{ "order " ID_A " is paid", -1, MARK_LINE },
		{ "RequestId: 6f1c7d2e-0f7b-4a7e-9d7e-00000000000", -1,
		  MARK_LINE },
		{ "RequestId: 6f1c7d2e-0f7b-4a7e-9d7e-00000000000g", -1,
		  MARK_LINE },
		{ "RequestId: 6f1c7d2e00f7b-4a7e-9d7e-000000000001", -1,
		  MARK_LINE },
		{ "", -1, MARK_LINE },
	};
	char far[LOGS_ID_WITHIN + 64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv message = sv_from(rows[i].message);

		assert_int_equal(log_line_id_at(message),
				 rows[i].at < 0 ? NO_ID : rows[i].at);
		assert_int_equal(log_line_mark(message), rows[i].mark);
	}
	/* Further in than LOGS_ID_WITHIN it is not looked for. */
	snprintf(far, sizeof(far), "%*sRequestId: %s", LOGS_ID_WITHIN - 47, "",
		 ID_A);
	assert_int_equal(log_line_id_at(sv_from(far)),
			 LOGS_ID_WITHIN - LOGS_ID_MAX);
	snprintf(far, sizeof(far), "%*sRequestId: %s", LOGS_ID_WITHIN - 46, "",
		 ID_A);
	assert_int_equal(log_line_id_at(sv_from(far)), NO_ID);
}

static void test_order_and_limits(void **state)
{
	struct place p = { 0 };
	struct logs_query q = { .group = SV("g") };

	(void)state;
	place_open(&p, NULL);
	add(&p, "g", "s1", T0 + 3, "3");
	add(&p, "g", "s1", T0 + 1, "1");
	add(&p, "g", "s2", T0 + 2, "2");
	add(&p, "h", "s1", T0 + 2, "h");
	add(&p, "g", "s1", T0 + 3, "3b"); /* same time: as they came */
	assert_string_equal(answer(&p, &q), "1/2/3/3b/");
	q.descending = true;
	assert_string_equal(answer(&p, &q), "3b/3/2/1/");
	q.limit = 3;
	assert_string_equal(answer(&p, &q), "3b/3/2/+");
	q.descending = false;
	assert_string_equal(answer(&p, &q), "1/2/3/+");
	q.limit = 4;
	assert_string_equal(answer(&p, &q), "1/2/3/3b/");
	q.start_ns = T0 + 2;
	q.end_ns = T0 + 3;
	assert_string_equal(answer(&p, &q), "2/");
	q = (struct logs_query){ .group = SV("g"), .stream = SV("s1") };
	assert_string_equal(answer(&p, &q), "1/3/3b/");
	q = (struct logs_query){ .contains = SV("b") };
	assert_string_equal(answer(&p, &q), "3b/");
	q = (struct logs_query){ .end_ns = T0 + 3 };
	assert_int_equal(strlen(answer(&p, &q)), 6); /* of both groups */
	q = (struct logs_query){ .group = SV("none") };
	assert_string_equal(answer(&p, &q), "");
	place_close(&p);
}

static void test_bytes_of_an_answer(void **state)
{
	struct logs_options options = { .answer_bytes = 100 };
	struct logs_query q = { .group = SV("g") };
	struct place p = { 0 };
	char message[41];

	(void)state;
	place_open(&p, &options);
	memset(message, 'x', 40);
	message[40] = 0;
	for (int i = 0; i < 10; i++) {
		message[0] = (char)('0' + i);
		add(&p, "g", "s", T0 + i, message);
	}
	assert_int_equal(strlen(answer(&p, &q)), 2 * 41 + 1);
	assert_int_equal(answer(&p, &q)[0], '0');
	q.descending = true;
	assert_int_equal(answer(&p, &q)[0], '9');
	assert_int_equal(stats(&p).truncated, 3);
	/* One line is given, however long. */
	add(&p, "long", "s", T0,
	    "................................................................"
	    "................................................................");
	q = (struct logs_query){ .group = SV("long") };
	assert_int_equal(strlen(answer(&p, &q)), 129);
	place_close(&p);
}

static void test_scopes(void **state)
{
	struct place p = { 0 };
	struct log_event e = { SV("g"), SV("s"), T0, SV("elsewhere") };
	struct logs_query q = { .group = SV("g") };

	(void)state;
	place_open(&p, NULL);
	apply_at(&p, &OTHER, T0, &e, 1);
	assert_string_equal(answer(&p, &q), "");
	q.group = sv_make("", 0);
	assert_string_equal(answer(&p, &q), "");
	tick(&p, T0 + 2 * 3600 * NS_PER_S);
	assert_int_equal(stats(&p).blocks, 1);
	assert_string_equal(answer(&p, &q), "");
	place_close(&p);
}

/* --- head = sealed --------------------------------------------------------- */

static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33) % sides;
}

/* Frame f is the same whenever it is applied. */
static void random_frame(struct place *p, int f)
{
	char group[4][32], stream[3][16], text[8][160];
	struct log_event events[8];
	size_t count;

	seed = (uint64_t)f * 977 + 7;
	count = 1 + dice(8);
	for (size_t i = 0; i < count; i++) {
		int64_t late_ms = (int64_t)dice(40);
		uint32_t g = dice(4), s = dice(3), id = dice(20);
		uint32_t number = dice(1000), word = dice(5);

		snprintf(group[g], 32, "/aws/lambda/f%u", g);
		snprintf(stream[s], 16, "stream-%u", s);
		if (dice(2))
			snprintf(text[i], 160,
				 "Z\t6f1c7d2e-0f7b-4a7e-9d7e-%012u\tINFO\t%u "
				 "word%u",
				 id, number, word);
		else
			snprintf(text[i], 160, "plain %u word%u", number, word);
		events[i] = (struct log_event){ sv_from(group[g]),
						sv_from(stream[s]),
						T0 + (f + late_ms) * NS_PER_MS,
						sv_from(text[i]) };
	}
	apply_at(p, &SCOPE, T0 + f * NS_PER_MS, events, count);
}

static void random_frames(struct place *p, int from, int to)
{
	for (int f = from; f < to; f++)
		random_frame(p, f);
}

static struct logs_query random_query(char *id)
{
	static const struct sv groups[] = { { "", 0 },
					    { "/aws/lambda/f1", 14 },
					    { "/aws/lambda/f3", 14 } };
	struct logs_query q = { .group = groups[dice(3)] };

	if (!dice(3))
		q.stream = SV("stream-1");
	if (!dice(3))
		q.contains = SV("word3");
	if (!dice(3)) {
		snprintf(id, 64, "6f1c7d2e-0f7b-4a7e-9d7e-%012u", dice(20));
		q.request_id = sv_from(id);
	}
	if (dice(2))
		q.start_ns = T0 + (int64_t)dice(300) * NS_PER_MS;
	if (dice(2))
		q.end_ns = T0 + (int64_t)dice(400) * NS_PER_MS;
	q.limit = dice(2) ? 1 + dice(50) : 0;
	q.descending = dice(2);
	return q;
}

static void test_head_equals_sealed(void **state)
{
	struct logs_options small = { .head_bytes = 4 << 10 };
	struct place head = { 0 }, sealed = { 0 };
	size_t lines = 0;

	(void)state;
	place_open(&head, NULL);
	place_open(&sealed, &small);
	random_frames(&head, 0, 300);
	random_frames(&sealed, 0, 300);
	assert_int_equal(stats(&head).blocks, 0);
	assert_true(stats(&sealed).blocks > LOGS_OPEN_MAX + 4);
	for (int i = 0; i < 300; i++) {
		char id[64];
		struct logs_query q = random_query(id);
		const char *a = answer(&head, &q), *b = answer(&sealed, &q);

		assert_string_equal(a, b);
		lines += strlen(a);
		arena_reset(&head.arena);
		arena_reset(&sealed.arena);
	}
	assert_true(lines > 10000);
	place_close(&head);
	place_close(&sealed);
}

/* --- one request ------------------------------------------------------------- */

#define F "/aws/lambda/f"

static void add_runs(struct place *p, bool end)
{
	add(p, F, "s", T0 + 0, "START RequestId: " ID_A " Version: $LATEST");
	add(p, F, "s", T0 + 1, "printed by A");
	add(p, F, "other", T0 + 1, "in another stream");
	add(p, F, "s", T0 + 2, "2026-11-22T09:00:00.123Z\t" ID_A "\tINFO\ta");
	add(p, F, "s", T0 + 2, "same time");
	if (!end)
		return;
	add(p, F, "s", T0 + 3, "END RequestId: " ID_A);
	add(p, F, "s", T0 + 3, "between the two");
	add(p, F, "s", T0 + 3, "REPORT RequestId: " ID_A "\tDuration: 3 ms");
	add(p, F, "s", T0 + 4, "START RequestId: " ID_B " Version: $LATEST");
	add(p, F, "s", T0 + 5, "printed by B");
	add(p, F, "s", T0 + 6, "END RequestId: " ID_B);
}

static void check_runs(struct place *p)
{
	struct logs_query q = { .request_id = SV(ID_A) };
	const char *all = answer(p, &q);

	assert_string_equal(
		all, "START RequestId: " ID_A " Version: $LATEST/printed by A/"
		     "2026-11-22T09:00:00.123Z\t" ID_A "\tINFO\ta/same time/"
		     "END RequestId: " ID_A "/REPORT RequestId: " ID_A
		     "\tDuration: 3 ms/");
	q.group = SV(F);
	assert_string_equal(answer(p, &q), all);
	q.group = SV("/aws/lambda/g");
	assert_string_equal(answer(p, &q), "");
	q = (struct logs_query){ .request_id = SV(ID_B),
				 .limit = 2,
				 .descending = true };
	assert_string_equal(answer(p, &q),
			    "END RequestId: " ID_B "/printed by B/+");
	/* The START lies before the time asked for. */
	q = (struct logs_query){ .request_id = SV(ID_B), .start_ns = T0 + 5 };
	assert_string_equal(answer(p, &q),
			    "printed by B/END RequestId: " ID_B "/");
	q = (struct logs_query){ .request_id = SV("printed") };
	assert_string_equal(answer(p, &q), "");
}

static void test_request(void **state)
{
	struct logs_options one = { .head_bytes = 1 };
	struct place p = { 0 };

	(void)state;
	place_open(&p, NULL);
	add_runs(&p, true);
	check_runs(&p);
	tick(&p, T0 + 3600 * NS_PER_S);
	assert_int_equal(stats(&p).blocks, 1);
	assert_int_equal(stats(&p).head_events, 0);
	check_runs(&p);
	place_close(&p);
	place_open(&p, &one); /* every line in a block of its own */
	add_runs(&p, true);
	assert_int_equal(stats(&p).blocks, 10);
	check_runs(&p);
	place_close(&p);
}

static void test_request_that_runs(void **state)
{
	struct place p = { 0 };
	struct logs_query q = { .request_id = SV(ID_A) };
	const char *first = "START RequestId: " ID_A " Version: $LATEST/"
			    "printed by A/2026-11-22T09:00:00.123Z\t" ID_A
			    "\tINFO\ta/same time/";

	(void)state;
	place_open(&p, NULL);
	add_runs(&p, false);
	assert_string_equal(answer(&p, &q), first);
	/* Killed without an END: the next one's START ends it. */
	add(&p, F, "s", T0 + 9, "START RequestId: " ID_B " Version: $LATEST");
	add(&p, F, "s", T0 + 10, "printed by B");
	tick(&p, T0 + 3600 * NS_PER_S);
	assert_string_equal(answer(&p, &q), first);
	/* Tried again on the same host. */
	add(&p, F, "s", T0 + 20, "START RequestId: " ID_A " Version: $LATEST");
	add(&p, F, "s", T0 + 21, "second try");
	add(&p, F, "s", T0 + 22, "END RequestId: " ID_A);
	assert_non_null(strstr(answer(&p, &q), "second try/"));
	assert_null(strstr(answer(&p, &q), "printed by B"));
	place_close(&p);
}

/* --- restart --------------------------------------------------------------------- */

static void path_in(const struct place *p, const char *name, char *out)
{
	snprintf(out, 128, "%s/%s", p->dir, name);
}

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char bytes[65536];
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/* Every line of truth, whatever the place has been through. */
static void check_same(struct place *p, struct place *truth)
{
	struct logs_query q = { .limit = LOGS_LIMIT_MAX };

	assert_string_equal(answer(p, &q), answer(truth, &q));
	q.request_id = SV("6f1c7d2e-0f7b-4a7e-9d7e-000000000003");
	assert_string_equal(answer(p, &q), answer(truth, &q));
	assert_true(strlen(answer(p, &q)) > 100);
}

enum { FRAMES = 200 };
static const struct logs_options SMALL = { .head_bytes = 20 << 10 };

/* Opens again and applies the frames from where the view wants them. */
static void restart(struct place *p)
{
	logs_close(p->logs);
	place_open(p, &SMALL);
	p->position = logs_view(p->logs)->position;
	if (!p->position)
		p->position = 64;
	random_frames(p, (int)(p->position / 64) - 1, FRAMES);
}

static void fill(struct place *p, struct place *truth)
{
	place_open(truth, NULL);
	random_frames(truth, 0, FRAMES);
	place_open(p, &SMALL);
	random_frames(p, 0, FRAMES);
	assert_true(stats(p).blocks > 3);
}

static void test_restart(void **state)
{
	struct place p = { 0 }, truth = { 0 };

	(void)state;
	fill(&p, &truth);
	checkpoint(&p);
	assert_true(logs_view(p.logs)->durable > 64);
	assert_true(logs_view(p.logs)->durable < p.position);
	for (int i = 0; i < 3; i++) {
		restart(&p);
		check_same(&p, &truth);
	}
	/* All sealed: nothing is wanted again. */
	tick(&p, T0 + 2 * 3600 * NS_PER_S);
	restart(&p);
	assert_int_equal(stats(&p).events, 0);
	check_same(&p, &truth);
	place_close(&p);
	place_close(&truth);
}

static void test_crash_before_the_checkpoint(void **state)
{
	struct place p = { 0 }, truth = { 0 };
	char now[128], old[128], half[128];
	uint64_t blocks;

	(void)state;
	fill(&p, &truth);
	path_in(&p, "checkpoint", now);
	path_in(&p, "old", old);
	copy_file(now, old);
	blocks = stats(&p).blocks;
	tick(&p, T0 + 2 * 3600 * NS_PER_S);
	assert_int_equal(stats(&p).blocks, blocks + 1);
	/* The last seal's checkpoint did not get written, and another seal was
	 * cut off in the middle. */
	copy_file(old, now);
	path_in(&p, "00000000000000ff-00000000000000ff.logs.tmp", half);
	copy_file(old, half);
	restart(&p);
	assert_int_equal(stats(&p).blocks, blocks + 1);
	assert_int_equal(stats(&p).events, 0);
	assert_int_not_equal(access(half, F_OK), 0);
	check_same(&p, &truth);
	/* The checkpoint is damaged: the folder tells. */
	assert_int_equal(truncate(now, 20), 0);
	restart(&p);
	assert_int_equal(stats(&p).blocks, blocks + 1);
	check_same(&p, &truth);
	place_close(&p);
	place_close(&truth);
}

static int first_block(const struct place *p, char *out)
{
	DIR *dir = opendir(p->dir);
	struct dirent *entry;
	int found = -1;

	assert_non_null(dir);
	while (found && (entry = readdir(dir)))
		if (sv_ends(sv_from(entry->d_name), SV(".logs"))) {
			path_in(p, entry->d_name, out);
			found = 0;
		}
	closedir(dir);
	return found;
}

static void test_damage(void **state)
{
	struct place p = { 0 }, truth = { 0 };
	struct logs_query q = { .limit = LOGS_LIMIT_MAX };
	char path[128];
	size_t before;

	(void)state;
	fill(&p, &truth);
	before = strlen(answer(&p, &q));
	assert_int_equal(first_block(&p, path), 0);
	assert_int_equal(truncate(path, 30), 0);
	restart(&p);
	assert_true(strlen(answer(&p, &q)) < before);
	assert_true(strlen(answer(&p, &q)) > before / 2);
	assert_int_equal(stats(&p).damaged_blocks, 1);
	unlink(path);
	restart(&p);
	assert_true(strlen(answer(&p, &q)) > before / 2);
	assert_int_equal(stats(&p).damaged_blocks, 1);
	place_close(&p);
	place_close(&truth);
}

/* --- age, number --------------------------------------------------------------------- */

/* So many ticks, a second apart. */
static void ticks(struct place *p, int64_t from_ns, int count)
{
	for (int i = 0; i < count; i++)
		tick(p, from_ns + i * NS_PER_S);
}

static void test_retention(void **state)
{
	struct place p = { 0 };
	struct logs_query q = { 0 };
	struct log_event e = { SV("g"), SV("s"), T0, SV("old") };

	(void)state;
	place_open(&p, NULL);
	apply_at(&p, &SCOPE, T0, &e, 1);
	ticks(&p, T0, RETENTION_DOUBT_S + 1);
	tick(&p, T0 + 3600 * NS_PER_S);
	e.message = SV("new");
	apply_at(&p, &SCOPE, T0 + DAY, &e, 1);
	tick(&p, T0 + DAY + 3600 * NS_PER_S);
	assert_int_equal(stats(&p).blocks, 2);
	for (int day = 2; day <= LOGS_RETENTION_DAYS; day++)
		tick(&p, T0 + day * DAY);
	checkpoint(&p);
	assert_string_equal(answer(&p, &q), "old/new/");
	tick(&p, T0 + LOGS_RETENTION_DAYS * DAY + 1);
	checkpoint(&p);
	assert_string_equal(answer(&p, &q), "new/");
	assert_int_equal(stats(&p).expired, 1);
	logs_close(p.logs);
	place_open(&p, NULL);
	assert_string_equal(answer(&p, &q), "new/");
	assert_int_equal(stats(&p).damaged_blocks, 0);
	place_close(&p);
}

/* A clock that is a year ahead deletes nothing until it has been for ten
 * minutes; not after a start either. */
static void test_clock_ahead(void **state)
{
	const int64_t ahead = T0 + 365 * DAY;
	struct place p = { 0 };
	struct logs_query q = { 0 };

	(void)state;
	place_open(&p, NULL);
	add(&p, "g", "s", T0, "old");
	ticks(&p, T0, RETENTION_DOUBT_S + 1);
	for (int again = 0; again < 2; again++) {
		tick(&p, ahead);
		checkpoint(&p);
		apply_at(&p, &SCOPE, ahead, NULL, 0); /* of a frame as well */
		checkpoint(&p);
		assert_string_equal(answer(&p, &q), "old/");
		tick(&p, T0 + 3600 * NS_PER_S);
		checkpoint(&p);
		assert_string_equal(answer(&p, &q), "old/");
		logs_close(p.logs);
		place_open(&p, NULL);
	}
	ticks(&p, ahead, RETENTION_DOUBT_S);
	checkpoint(&p);
	assert_string_equal(answer(&p, &q), "old/");
	assert_int_equal(stats(&p).expired, 0);
	ticks(&p, ahead + RETENTION_DOUBT_S * NS_PER_S, 1);
	checkpoint(&p);
	assert_string_equal(answer(&p, &q), "");
	assert_int_equal(stats(&p).expired, 1);
	place_close(&p);
}

static void test_number_of_blocks(void **state)
{
	struct logs_options options = { .head_bytes = 1, .blocks_max = 3 };
	struct place p = { 0 };
	struct logs_query q = { 0 };
	char digit[2] = "0";

	(void)state;
	place_open(&p, &options);
	for (int i = 0; i < 8; i++) {
		digit[0] = (char)('0' + i);
		add(&p, "g", "s", T0 + i, digit);
	}
	assert_int_equal(stats(&p).blocks, 7);
	checkpoint(&p); /* seals the eighth */
	assert_int_equal(stats(&p).blocks, 3);
	assert_int_equal(stats(&p).over_budget, 5);
	assert_string_equal(answer(&p, &q), "5/6/7/");
	place_close(&p);
}

/* The head is sealed by its age in frame time, and by the journal it holds. */
static void test_when_it_seals(void **state)
{
	struct place p = { 0 };
	struct log_event e = { SV("g"), SV("s"), T0, SV("line") };
	int64_t hour = 3600 * NS_PER_S;

	(void)state;
	place_open(&p, NULL);
	apply_at(&p, &SCOPE, T0, &e, 1);
	apply_at(&p, &SCOPE, T0 + hour - 1, &e, 0);
	checkpoint(&p);
	assert_int_equal(stats(&p).sealed, 0);
	assert_int_equal(logs_view(p.logs)->durable, 0);
	apply_at(&p, &SCOPE, T0 + hour, &e, 0);
	checkpoint(&p);
	assert_int_equal(stats(&p).sealed, 1);
	assert_true(logs_view(p.logs)->durable == p.position);
	/* Without lines the position goes on by itself. */
	apply_at(&p, &SCOPE, T0 + hour, &e, 0);
	checkpoint(&p);
	assert_true(logs_view(p.logs)->durable == p.position);
	place_close(&p);
}

/* What the head holds back of the journal is bounded too. */
static void test_lag(void **state)
{
	struct place p = { 0 };
	struct records records = { 0 };
	struct frame frame = { .scope = SCOPE, .received = { T0 } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v;

	(void)state;
	place_open(&p, NULL);
	add(&p, "g", "s", T0, "line");
	v = logs_view(p.logs);
	frame.protocol = PROTOCOL_XRAY_UDP; /* a skipped one counts as well */
	frame.next = p.position + LOGS_LAG_BYTES;
	assert_int_equal(v->ops->apply(v->self, &d), 0);
	assert_int_equal(stats(&p).blocks, 0);
	checkpoint(&p);
	assert_int_equal(stats(&p).blocks, 1);
	place_close(&p);
}

static int no_room(void *self, int fd, const void *buf, size_t n, uint64_t at)
{
	(void)self, (void)fd, (void)buf, (void)n, (void)at;
	return -ENOSPC;
}

/* A full disk: the view says so, keeps what it has, and goes on when there is
 * room again. */
static void test_full_disk(void **state)
{
	const struct logs_options options = { .head_bytes = 1 };
	struct disk_ops disk = *env_posix()->disk;
	struct env env = *env_posix();
	struct place p = { .position = 64 };
	struct logs_query q = { 0 };
	struct log_event e = { SV("g"), SV("s"), T0, SV("first") };
	struct records records = { .logs = &e, .log_count = 1 };
	struct frame frame = { .scope = SCOPE, .received = { T0 } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v;

	(void)state;
	env.disk = &disk;
	scratch_make(p.dir, sizeof(p.dir), "logs_test");
	assert_int_equal(logs_open(&p.logs, &env, p.dir, &options, NULL), 0);
	v = logs_view(p.logs);
	frame.next = 64;
	assert_int_equal(v->ops->apply(v->self, &d), 0);
	disk.pwrite = no_room;
	e.message = SV("second");
	frame.next = 128;
	for (int i = 0; i < 3; i++)
		assert_int_equal(v->ops->apply(v->self, &d), ERR_FULL);
	assert_string_equal(answer(&p, &q), "first/");
	disk.pwrite = env_posix()->disk->pwrite;
	assert_int_equal(v->ops->apply(v->self, &d), 0);
	assert_string_equal(answer(&p, &q), "first/second/");
	assert_int_equal(stats(&p).blocks, 1);
	assert_true(v->durable == 64);
	place_close(&p);
}

static int no_rename(void *self, const char *from, const char *to)
{
	if (sv_ends(sv_from(to), SV("checkpoint")))
		return -ENOSPC;
	return env_posix()->disk->rename(self, from, to);
}

/* A block whose checkpoint could not be written, and then one that has it but
 * an older position, because a block expired: what it holds is not applied
 * again. */
static void test_position_of_blocks(void **state)
{
	static const char *const lines[] = { "one", "two", "three" };
	const struct logs_options options = { .blocks_max = 1 };
	const int64_t later = T0 + LOGS_SEAL_S * NS_PER_S;
	struct disk_ops disk = *env_posix()->disk;
	struct env env = *env_posix();
	struct place p = { .position = 64 };
	struct logs_query q = { 0 };
	struct view *v;

	(void)state;
	env.disk = &disk;
	scratch_make(p.dir, sizeof(p.dir), "logs_test");
	assert_int_equal(logs_open(&p.logs, &env, p.dir, &options, NULL), 0);
	v = logs_view(p.logs);
	add(&p, "g", "s", T0, lines[0]);
	tick(&p, later);
	add(&p, "g", "s", T0 + 1, lines[1]);
	disk.rename = no_rename;
	assert_int_equal(v->ops->tick(v->self, (struct wall){ later }),
			 ERR_FULL);
	disk.rename = env_posix()->disk->rename;
	assert_int_equal(stats(&p).blocks, 2);
	add(&p, "g", "s", T0 + 2, lines[2]);
	checkpoint(&p); /* the first block goes */
	assert_int_equal(stats(&p).blocks, 1);
	logs_close(p.logs);
	assert_int_equal(logs_open(&p.logs, &env, p.dir, &options, NULL), 0);
	p.position = logs_view(p.logs)->position;
	for (uint64_t i = p.position / 64 - 1; i < 3; i++)
		add(&p, "g", "s", T0 + (int64_t)i, lines[i]);
	assert_string_equal(answer(&p, &q), "two/three/");
	place_close(&p);
}

static void test_groups(void **state)
{
	struct place p = { 0 };
	struct logs_group *groups;
	size_t n = 0;
	bool truncated;

	(void)state;
	place_open(&p, NULL);
	add(&p, "b", "s", T0 + 5, "x");
	add(&p, "a", "s", T0 + 7, "x");
	tick(&p, T0 + 3600 * NS_PER_S);
	add(&p, "b", "s", T0 + 9, "x");
	add(&p, "c", "s", T0 + 1, "x");
	assert_int_equal(logs_groups(p.logs, &SCOPE, &p.arena, &groups, &n,
				     &truncated),
			 0);
	assert_false(truncated);
	assert_int_equal(n, 3);
	assert_memory_equal(groups[0].name.ptr, "a", 1);
	assert_memory_equal(groups[2].name.ptr, "c", 1);
	assert_int_equal(groups[1].events, 2);
	assert_true(groups[1].first_ns == T0 + 5);
	assert_true(groups[1].last_ns == T0 + 9);
	assert_int_equal(logs_groups(p.logs, &OTHER, &p.arena, &groups, &n,
				     &truncated),
			 0);
	assert_int_equal(n, 0);
	place_close(&p);
}

/* One more of everything than an answer takes. */
static void test_most_of_an_answer(void **state)
{
	struct place p = { 0 };
	struct logs_query q = { .limit = SIZE_MAX };
	struct logs_group *groups;
	struct log_event *events;
	bool truncated;
	char name[32];
	size_t n;

	(void)state;
	place_open(&p, NULL);
	for (int i = 0; i <= LOGS_LIMIT_MAX; i++) {
		snprintf(name, sizeof(name), "group-%05d", i);
		add(&p, name, "s", T0 + i, "x");
	}
	n = ask(&p, &q, &events, &truncated);
	assert_int_equal(n, LOGS_LIMIT_MAX);
	assert_true(truncated);
	assert_int_equal(events[n - 1].time_ns, T0 + LOGS_LIMIT_MAX - 1);
	assert_int_equal(LOGS_GROUPS_MAX, LOGS_LIMIT_MAX);
	assert_int_equal(logs_groups(p.logs, &SCOPE, &p.arena, &groups, &n,
				     &truncated),
			 0);
	assert_int_equal(n, LOGS_GROUPS_MAX);
	assert_true(truncated);
	/* A request whose lines lie in more streams than it can be tried in. */
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "stream-%d", i);
		add(&p, F, name, T0 + i, "END RequestId: " ID_A);
	}
	q.request_id = SV(ID_A);
	assert_int_equal(ask(&p, &q, &events, &truncated), 16);
	assert_false(truncated);
	add(&p, F, "one more", T0, "END RequestId: " ID_A);
	assert_int_equal(ask(&p, &q, &events, &truncated), 16);
	assert_true(truncated);
	place_close(&p);
}

/* --- readers beside the writer --------------------------------------------------------- */

struct reader {
	struct place *place;
	_Atomic bool stop;
	_Atomic int answers;
};

/* What was there once is there ever after. */
static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct logs_query q = { .group = SV("/aws/lambda/f1"),
				.limit = LOGS_LIMIT_MAX };
	struct arena arena = ARENA_INIT;
	size_t last = 0;

	while (!r->stop) {
		struct log_event *events;
		size_t n = 0;
		bool truncated;

		if (logs_read(r->place->logs, &SCOPE, &q, &arena, &events, &n,
			      &truncated) ||
		    n < last)
			return r;
		last = n;
		r->answers++;
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return NULL;
}

static void test_readers(void **state)
{
	struct place p = { 0 };
	struct reader r = { .place = &p };
	pthread_t thread;
	void *result = NULL;

	(void)state;
	place_open(&p, &SMALL);
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (int f = 0; f < 600; f++) {
		random_frame(&p, f);
		if (f % 50 == 0)
			checkpoint(&p);
	}
	while (r.answers < 3)
		usleep(1000);
	r.stop = true;
	pthread_join(thread, &result);
	assert_null(result);
	place_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_order_and_limits),
		cmocka_unit_test(test_bytes_of_an_answer),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_head_equals_sealed),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_that_runs),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_crash_before_the_checkpoint),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_retention),
		cmocka_unit_test(test_clock_ahead),
		cmocka_unit_test(test_number_of_blocks),
		cmocka_unit_test(test_when_it_seals),
		cmocka_unit_test(test_lag),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_position_of_blocks),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_most_of_an_answer),
		cmocka_unit_test(test_readers),
	};

	return cmocka_run_group_tests_name("logs", tests, NULL, NULL);
}
