/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/batch.h"
#include "agent/spools.h"
#include "core/base/arena.h"
#include "core/wire/native.h"

/* The machine's disk, with one operation failing. Those that change something
 * are counted from 1; dead: nothing works any more from fail_at on, as after a
 * kill. */
struct fault {
	const struct env *real;
	int at;
	int fail_at; /* 0: never */
	int error;
	bool dead;
	struct disk_ops ops;
	struct env env;
};

static int fails(void *self)
{
	struct fault *f = self;

	f->at++;
	if (f->at == f->fail_at ||
	    (f->dead && f->fail_at && f->at > f->fail_at))
		return -f->error;
	return 0;
}

#define DISK(self) (((struct fault *)(self))->real->disk)
#define SELF(self) (((struct fault *)(self))->real->disk_self)
#define OR_FAIL(self, call)                    \
	do {                                   \
		int fail_ = fails(self);       \
		return fail_ ? fail_ : (call); \
	} while (0)

static int f_open(void *self, const char *path, int flags)
{
	return DISK(self)->open(SELF(self), path, flags);
}
static int f_close(void *self, int fd)
{
	return DISK(self)->close(SELF(self), fd);
}
static int64_t f_pread(void *self, int fd, void *b, size_t n, uint64_t at)
{
	return DISK(self)->pread(SELF(self), fd, b, n, at);
}
static int f_pwrite(void *self, int fd, const void *b, size_t n, uint64_t at)
{
	int fail = fails(self);

	/* A torn write: half of it is there. */
	if (fail)
		DISK(self)->pwrite(SELF(self), fd, b, n / 2, at);
	return fail ? fail : DISK(self)->pwrite(SELF(self), fd, b, n, at);
}
static int f_datasync(void *self, int fd)
{
	OR_FAIL(self, DISK(self)->datasync(SELF(self), fd));
}
static int64_t f_size(void *self, int fd)
{
	return DISK(self)->size(SELF(self), fd);
}
static int f_rename(void *self, const char *a, const char *b)
{
	OR_FAIL(self, DISK(self)->rename(SELF(self), a, b));
}
static int f_unlink(void *self, const char *path)
{
	OR_FAIL(self, DISK(self)->unlink(SELF(self), path));
}
static int f_mkdir(void *self, const char *path)
{
	return DISK(self)->mkdir(SELF(self), path);
}
static int f_sync_dir(void *self, const char *path)
{
	OR_FAIL(self, DISK(self)->sync_dir(SELF(self), path));
}
static int f_list(void *self, const char *path,
		  void (*each)(void *arg, const char *name), void *arg)
{
	return DISK(self)->list(SELF(self), path, each, arg);
}

static void fault_init(struct fault *f)
{
	*f = (struct fault){
		.real = env_posix(),
		.error = ENOSPC,
		.ops = { .open = f_open,
			 .close = f_close,
			 .pread = f_pread,
			 .pwrite = f_pwrite,
			 .datasync = f_datasync,
			 .size = f_size,
			 .rename = f_rename,
			 .unlink = f_unlink,
			 .mkdir = f_mkdir,
			 .sync_dir = f_sync_dir,
			 .list = f_list },
	};
	f->env = *f->real;
	f->env.disk = &f->ops;
	f->env.disk_self = f;
}

static void make_dir(char *out)
{
	static const char form[] = "/tmp/tally-spool-XXXXXX";

	memcpy(out, form, sizeof(form));
	assert_non_null(mkdtemp(out));
}

static void remove_one(void *arg, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	if (unlink(path) < 0 && (errno == EISDIR || errno == EPERM)) {
		env_posix()->disk->list(NULL, path, remove_one, path);
		rmdir(path);
	}
}

static void remove_dir(char *dir)
{
	env_posix()->disk->list(NULL, dir, remove_one, dir);
	rmdir(dir);
}

static int put(struct spool *s, const char *id)
{
	struct usage usage = { .id = sv_from(id),
			       .source = SV("lambda"),
			       .time_ns = 1795514068767000000,
			       .resource = SV("f"),
			       .memory_mb = 128,
			       .billed_ms = 1 };
	struct records records = { .usage = &usage, .usage_count = 1 };

	return spool_put(s, &records, NULL);
}

/* The id of the oldest batch's usage record, and its sequence number. */
static uint64_t oldest(struct spool *s, char id[64], struct buf *bytes)
{
	struct arena arena = ARENA_INIT;
	struct native_batch batch;
	uint64_t sequence = 0;
	int e = spool_oldest(s, &sequence, bytes);

	id[0] = '\0';
	if (e == ERR_NOT_FOUND)
		return 0;
	assert_int_equal(e, 0);
	assert_int_equal(native_decode(&arena, buf_view(bytes), &batch, NULL),
			 0);
	assert_int_equal(batch.sequence, sequence);
	assert_int_equal(batch.records.usage_count, 1);
	snprintf(id, 64, "%.*s", SV_ARG(batch.records.usage[0].id));
	arena_fini(&arena);
	return sequence;
}

static struct spool *open_spool(const struct env *env, const char *dir)
{
	struct diag diag;
	struct spool *s = NULL;

	if (spool_open(&s, env, dir, 0, &diag) < 0)
		fail_msg("%s", diag.text);
	return s;
}

/* A kill between storing and the answer: the same bytes again, in order. */
static void test_restart_resends_the_same_bytes(void **state)
{
	char dir[64];
	char producer[SPOOL_PRODUCER_SIZE];
	struct buf before = BUF_INIT;
	struct buf after = BUF_INIT;
	struct spool *s;
	char id[64];

	(void)state;
	make_dir(dir);
	s = open_spool(env_posix(), dir);
	assert_int_equal(put(s, "a"), 0);
	assert_int_equal(put(s, "b"), 0);
	assert_int_equal(oldest(s, id, &before), 1);
	assert_string_equal(id, "a");
	snprintf(producer, sizeof(producer), "%s", spool_producer(s));
	spool_close(s);
	s = open_spool(env_posix(), dir);
	assert_string_equal(producer, spool_producer(s));
	assert_int_equal(put(s, "c"), 0);
	assert_int_equal(oldest(s, id, &after), 1);
	assert_true(sv_eq(buf_view(&before), buf_view(&after)));
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(oldest(s, id, &after), i);
		assert_int_equal(id[0], 'a' + (int)i - 1);
		assert_int_equal(spool_done(s, i), 0);
	}
	assert_int_equal(oldest(s, id, &after), 0);
	assert_int_equal(spool_stats(s).files, 0);
	assert_int_equal(spool_stats(s).bytes, 0);
	spool_close(s);
	remove_dir(dir);
	buf_fini(&before);
	buf_fini(&after);
}

/* A number is never given twice, whatever became of its batch. */
static void test_numbers_outlive_batches(void **state)
{
	struct buf bytes = BUF_INIT;
	struct spool *s;
	char dir[64];
	char id[64];

	(void)state;
	make_dir(dir);
	for (uint64_t i = 1; i <= 6; i++) {
		s = open_spool(env_posix(), dir);
		assert_int_equal(put(s, "x"), 0);
		assert_int_equal(oldest(s, id, &bytes), i);
		assert_int_equal(i % 2 ? spool_done(s, i) : spool_refuse(s, i),
				 0);
		spool_close(s);
	}
	remove_dir(dir);
	buf_fini(&bytes);
}

static void test_one_writer(void **state)
{
	struct spool *s;
	struct spool *other = NULL;
	char dir[64];

	(void)state;
	make_dir(dir);
	s = open_spool(env_posix(), dir);
	assert_int_equal(spool_open(&other, env_posix(), dir, 0, NULL),
			 ERR_BUSY);
	spool_close(s);
	s = open_spool(env_posix(), dir);
	spool_close(s);
	remove_dir(dir);
}

static void test_full(void **state)
{
	enum { MAX = SPOOL_MARGIN_BYTES + 400 };
	struct buf bytes = BUF_INIT;
	struct spool *s = NULL;
	uint64_t n = 0;
	char dir[64];
	char id[64];

	(void)state;
	make_dir(dir);
	assert_int_equal(spool_open(&s, env_posix(), dir, MAX, NULL), 0);
	assert_true(spool_has_room(s));
	while (spool_has_room(s)) {
		assert_int_equal(put(s, "a"), 0);
		n++;
	}
	assert_true(n > 1 && n < 10);
	spool_close(s);
	assert_int_equal(spool_open(&s, env_posix(), dir, 400, NULL), 0);
	assert_int_equal(put(s, "over"), ERR_FULL);
	assert_int_equal(spool_stats(s).full, 1);
	while (oldest(s, id, &bytes))
		assert_int_equal(spool_done(s, oldest(s, id, &bytes)), 0);
	assert_int_equal(put(s, "fits"), 0); /* and no number was lost */
	assert_int_equal(oldest(s, id, &bytes), n + 1);
	spool_close(s);
	remove_dir(dir);
	buf_fini(&bytes);
}

static void test_damaged_is_put_aside(void **state)
{
	struct buf bytes = BUF_INIT;
	struct spool *s;
	char path[128];
	char dir[64];
	char id[64];
	FILE *f;

	(void)state;
	make_dir(dir);
	s = open_spool(env_posix(), dir);
	for (int i = 0; i < 4; i++)
		assert_int_equal(put(s, "x"), 0);
	snprintf(path, sizeof(path), "%s/00000000000000000001.batch", dir);
	assert_int_equal(truncate(path, 10), 0);
	snprintf(path, sizeof(path), "%s/00000000000000000002.batch", dir);
	assert_int_equal(truncate(path, 0), 0);
	snprintf(path, sizeof(path), "%s/00000000000000000003.batch", dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 30, SEEK_SET), 0);
	assert_int_equal(fputc('!', f), '!');
	fclose(f);
	assert_int_equal(oldest(s, id, &bytes), 4);
	assert_int_equal(spool_stats(s).damaged, 3);
	assert_int_equal(spool_stats(s).files, 1);
	spool_close(s);
	remove_dir(dir);
	buf_fini(&bytes);
}

/* Two puts and a done, with every operation failing once in turn, or with a
 * kill there. Afterwards: what was said to be stored is there or was done,
 * whole and in order, and a number stands for one batch only. */
static void one_fault(int fail_at, bool dead, int error, bool *reached)
{
	struct buf bytes = BUF_INIT;
	struct fault f;
	struct spool *s = NULL;
	bool stored_a = false, stored_b = false, done_a = false;
	char dir[64];
	char id[64];

	make_dir(dir);
	fault_init(&f);
	f.fail_at = fail_at;
	f.dead = dead;
	f.error = error;
	if (spool_open(&s, &f.env, dir, 0, NULL) == 0) {
		stored_a = put(s, "a") == 0;
		if (stored_a)
			done_a = spool_done(s, 1) == 0;
		stored_b = put(s, "b") == 0;
		spool_close(s);
	}
	*reached = f.at >= fail_at;
	s = open_spool(env_posix(), dir);
	assert_int_equal(put(s, "c"), 0);
	if (oldest(s, id, &bytes) && !strcmp(id, "a")) {
		assert_false(done_a);
		assert_int_equal(spool_done(s, 1), 0);
		oldest(s, id, &bytes);
	} else {
		assert_true(!stored_a || done_a);
	}
	if (!strcmp(id, "b")) {
		assert_int_equal(spool_done(s, stored_a ? 2 : 1), 0);
		oldest(s, id, &bytes);
	} else {
		assert_false(stored_b);
	}
	assert_string_equal(id, "c");
	spool_close(s);
	remove_dir(dir);
	buf_fini(&bytes);
}

static void test_every_fault(void **state)
{
	bool reached = true;
	int at;

	(void)state;
	for (at = 1; reached; at++)
		one_fault(at, false, ENOSPC, &reached);
	assert_true(at > 10);
	reached = true;
	for (at = 1; reached; at++)
		one_fault(at, true, EIO, &reached);
}

static void test_leftovers_of_others_come_first(void **state)
{
	struct spools first, second, third;
	uint64_t bytes;
	char dir[64];

	(void)state;
	make_dir(dir);
	assert_int_equal(spools_open(&first, env_posix(), dir, 0, NULL), 0);
	assert_int_equal(spools_open(&second, env_posix(), dir, 0, NULL), 0);
	assert_string_not_equal(spool_dir(first.own), spool_dir(second.own));
	assert_int_equal(put(second.own, "left"), 0);
	spools_close(&second);
	spools_close(&first);
	assert_int_equal(spools_open(&third, env_posix(), dir, 0, NULL), 0);
	assert_int_equal(third.count, 2);
	assert_ptr_equal(third.list[1], third.own);
	assert_int_equal(spools_files(&third, &bytes), 1);
	assert_true(bytes > 0);
	spools_close(&third);
	remove_dir(dir);
}

static void add_log(struct batch *b)
{
	batch_log(b, SV("g"), SV("s"), (struct wall){ 1 }, SV("message"));
}

/* While the disk is full nothing but logs is shed, and all is stored later. */
static void test_batch_while_the_disk_is_full(void **state)
{
	struct usage usage = { .id = SV("u"), .source = SV("lambda") };
	static char document[60000];
	struct batch *b = NULL;
	struct fault f;
	struct spool *s;
	char dir[64];

	(void)state;
	make_dir(dir);
	fault_init(&f);
	s = open_spool(&f.env, dir);
	assert_int_equal(batch_new(&b, &f.env, s), 0);
	for (int i = 0; i < BATCH_COUNT_MAX; i++)
		add_log(b); /* the last one closes it */
	assert_int_equal(batch_stats(b).held, 0);
	assert_int_equal(spool_stats(s).files, 1);
	add_log(b);
	assert_int_equal(batch_close(b, false, NULL), 0); /* too early */
	assert_int_equal(batch_stats(b).held, 1);
	f.fail_at = 1;
	f.at = 0;
	f.dead = true;
	assert_int_equal(batch_close(b, true, NULL), ERR_FULL);
	assert_false(batch_has_room(b));
	for (int i = 0; i < BATCH_HELD_COUNT_MAX + 10; i++)
		add_log(b);
	for (int i = 0; i < BATCH_HELD_COUNT_MAX + 5; i++)
		batch_usage(b, &usage);
	assert_int_equal(batch_stats(b).logs_shed, 11);
	assert_int_equal(batch_stats(b).lost, 5);
	assert_int_equal(batch_stats(b).held, 2 * BATCH_HELD_COUNT_MAX);
	for (int i = 0; i < 100; i++)
		batch_segment(b, sv_make(document, sizeof(document)));
	assert_true(batch_stats(b).segments_shed > 20);
	assert_true(batch_stats(b).segments_shed < 50);
	f.fail_at = 0;
	assert_int_equal(batch_close(b, true, NULL), 0);
	assert_true(batch_has_room(b));
	assert_int_equal(batch_stats(b).held, 0);
	assert_int_equal(spool_stats(s).files, 2);
	batch_free(b);
	spool_close(s);
	remove_dir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart_resends_the_same_bytes),
		cmocka_unit_test(test_numbers_outlive_batches),
		cmocka_unit_test(test_one_writer),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_damaged_is_put_aside),
		cmocka_unit_test(test_every_fault),
		cmocka_unit_test(test_leftovers_of_others_come_first),
		cmocka_unit_test(test_batch_while_the_disk_is_full),
	};

	return cmocka_run_group_tests_name("agent spool", tests, NULL, NULL);
}
