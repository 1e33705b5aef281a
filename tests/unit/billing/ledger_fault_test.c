/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger on a disk that says no: for every operation in turn, and then for
 * good. And its calls from many threads. */
#include "tests/unit/billing/ledger_stream.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* The machine's disk, with one operation that fails, or all from it on. */
struct bad_disk {
	struct disk_ops ops;
	struct env env;
	unsigned done;    /* operations that write */
	unsigned fail_at; /* 0: none */
	bool dead;        /* all from fail_at on fail */
	bool torn;        /* the failing write leaves half of its bytes */
	int error;
};

static bool fails(struct bad_disk *d)
{
	d->done++;
	return d->fail_at &&
	       (d->done == d->fail_at || (d->dead && d->done > d->fail_at));
}

static int bad_pwrite(void *self, int fd, const void *buf, size_t n,
		      uint64_t at)
{
	struct bad_disk *d = self;

	if (!fails(d))
		return env_posix()->disk->pwrite(NULL, fd, buf, n, at);
	if (d->torn && d->done == d->fail_at)
		(void)env_posix()->disk->pwrite(NULL, fd, buf, n / 2, at);
	return -d->error;
}

static int bad_datasync(void *self, int fd)
{
	struct bad_disk *d = self;

	return fails(d) ? -d->error : no_sync(NULL, fd);
}

static int bad_truncate(void *self, int fd, uint64_t size)
{
	return fails(self) ? -((struct bad_disk *)self)->error :
			     env_posix()->disk->truncate(NULL, fd, size);
}

static int bad_rename(void *self, const char *from, const char *to)
{
	return fails(self) ? -((struct bad_disk *)self)->error :
			     env_posix()->disk->rename(NULL, from, to);
}

static int bad_sync_dir(void *self, const char *path)
{
	return fails(self) ? -((struct bad_disk *)self)->error :
			     no_sync_dir(NULL, path);
}

static void bad_disk_init(struct bad_disk *d, int error)
{
	*d = (struct bad_disk){ .ops = *env_posix()->disk, .error = error };
	d->ops.pwrite = bad_pwrite;
	d->ops.datasync = bad_datasync;
	d->ops.truncate = bad_truncate;
	d->ops.rename = bad_rename;
	d->ops.sync_dir = bad_sync_dir;
	d->env = *env_posix();
	d->env.disk = &d->ops;
	d->env.disk_self = d;
}

static int try_checkpoint(struct fixture *f)
{
	struct view *v = ledger_view(f->l);

	return v->ops->checkpoint(v->self);
}

/* The whole stream with a checkpoint every five frames. Errors are tried again
 * up to `tries` times; false: it gave up. */
static bool work(struct fixture *f, unsigned tries)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		unsigned left = tries;

		while (position_of(i) >= ledger_view(f->l)->position &&
		       apply_frame(f, i))
			if (left-- == 0)
				return false;
		if (i % 5 == 4 && try_checkpoint(f) && tries == 0)
			return false;
	}
	return true;
}

static unsigned operations(void)
{
	struct bad_disk disk;
	struct fixture f;
	unsigned done;

	fixture_open(&f);
	ledger_down(&f);
	bad_disk_init(&disk, EIO);
	f.env = &disk.env;
	ledger_up(&f);
	disk.done = 0;
	assert_true(work(&f, 0));
	done = disk.done;
	assert_true(done > 50);
	fixture_close(&f);
	return done;
}

/* A full disk, at each write in turn: what was refused is tried again and
 * nothing is counted twice or lost. */
static void test_full_disk(void **state)
{
	unsigned all = operations();

	(void)state;
	for (unsigned at = 1; at <= all; at++) {
		struct bad_disk disk;
		struct fixture f;

		fixture_open(&f);
		ledger_down(&f);
		bad_disk_init(&disk, ENOSPC);
		f.env = &disk.env;
		ledger_up(&f);
		disk.done = 0;
		disk.fail_at = at;
		/* After a failed sync no segment can be sealed: it gives up. */
		if (work(&f, 2))
			assert_all(&f, FRAMES * PER_FRAME);
		ledger_down(&f);
		disk.fail_at = 0;
		ledger_up(&f);
		replay(&f, FRAMES);
		assert_all(&f, FRAMES * PER_FRAME);
		checkpoint(&f);
		fixture_close(&f);
	}
}

/* The process dies at each operation in turn, half of a write done. */
static void test_die_anywhere(void **state)
{
	unsigned all = operations();

	(void)state;
	for (unsigned at = 1; at <= all; at++) {
		struct bad_disk disk;
		struct fixture f;
		struct usage u;

		fixture_open(&f);
		ledger_down(&f);
		bad_disk_init(&disk, EIO);
		f.env = &disk.env;
		ledger_up(&f);
		disk.done = 0;
		disk.fail_at = at;
		disk.dead = disk.torn = true;
		(void)work(&f, 0);
		ledger_down(&f);
		f.env = NULL;
		ledger_up(&f);
		replay(&f, FRAMES);
		assert_all(&f, FRAMES * PER_FRAME);
		u = usage_of(&f.arena, at % (FRAMES * PER_FRAME));
		assert_int_equal(admit(&f, &u, T0), ADMIT_KNOWN);
		checkpoint(&f);
		ledger_down(&f);
		ledger_up(&f);
		assert_all(&f, FRAMES * PER_FRAME);
		fixture_close(&f);
	}
}

/* A failed sync is never asked again: no checkpoint until a restart. */
static void test_failed_sync(void **state)
{
	struct bad_disk disk;
	struct fixture f;
	uint64_t durable;

	(void)state;
	fixture_open(&f);
	ledger_down(&f);
	bad_disk_init(&disk, EIO);
	f.env = &disk.env;
	ledger_up(&f);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(apply_frame(&f, i), 0);
	durable = ledger_view(f.l)->durable;
	disk.done = 0;
	disk.fail_at = 4; /* names, text and entries are written, then a sync */
	assert_int_equal(try_checkpoint(&f), ERR_IO);
	assert_int_equal(try_checkpoint(&f), ERR_IO);
	assert_int_equal(ledger_view(f.l)->durable, durable);
	assert_all(&f, 3 * PER_FRAME); /* it is read all the same */
	ledger_down(&f);
	ledger_up(&f);
	replay(&f, FRAMES);
	assert_all(&f, FRAMES * PER_FRAME);
	fixture_close(&f);
}

/* --- threads ---------------------------------------------------------------- */

enum { THREADS = 3, IDS = 600 };

struct sender {
	pthread_t thread;
	struct fixture *f;
	struct arena arena;
	atomic_uchar is_new[IDS];
};

/* Everyone sends every id; exactly one of them may be told it is new. */
static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (unsigned i = 0; i < IDS; i++) {
		struct usage u = usage_of(&s->arena, i);
		enum admit a = ADMIT_OLD;

		if (ledger_admit(s->f->l, &scope, &u, (struct wall){ T0 }, &a))
			return NULL;
		s->is_new[i] = a == ADMIT_NEW;
		arena_reset(&s->arena);
	}
	return NULL;
}

static void *ask_all(void *arg)
{
	struct sender *s = arg;

	for (unsigned i = 0; i < IDS / 4; i++) {
		struct usage u = usage_of(&s->arena, i);
		struct ledger_record r;
		struct ledger_totals t;
		struct ledger_stats stats;
		int e = ledger_find(s->f->l, scope.account, u.id, &s->arena,
				    &r);

		s->is_new[i] = e == 0 || e == ERR_NOT_FOUND;
		if (ledger_totals(s->f->l, &scope, 0, T0 + i * STEP + 1,
				  &s->arena, &t))
			s->is_new[i] = 0;
		ledger_stats(s->f->l, &stats);
		arena_reset(&s->arena);
	}
	return NULL;
}

static void test_threads(void **state)
{
	static struct sender senders[THREADS], asker;
	struct fixture f;
	struct ledger_stats stats;

	(void)state;
	fixture_open(&f);
	asker.f = &f;
	for (int i = 0; i < THREADS; i++) {
		senders[i].f = &f;
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
						send_all, &senders[i]),
				 0);
	}
	assert_int_equal(pthread_create(&asker.thread, NULL, ask_all, &asker),
			 0);
	for (unsigned i = 0; i < IDS / PER_FRAME; i++) {
		/* The collector applies what was admitted: wait for it. */
		for (unsigned n = i * PER_FRAME; n < (i + 1) * PER_FRAME; n++)
			while (!senders[0].is_new[n] && !senders[1].is_new[n] &&
			       !senders[2].is_new[n])
				sched_yield();
		assert_int_equal(apply_frame(&f, i), 0);
		if (i % 10 == 0)
			checkpoint(&f);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(senders[i].thread, NULL);
	pthread_join(asker.thread, NULL);
	for (unsigned n = 0; n < IDS; n++) {
		unsigned told = 0;

		for (int i = 0; i < THREADS; i++)
			told += senders[i].is_new[n];
		assert_int_equal(told, 1);
		if (n < IDS / 4)
			assert_true(asker.is_new[n]);
	}
	assert_all(&f, IDS);
	ledger_stats(f.l, &stats);
	assert_int_equal(stats.inflight, 0);
	for (int i = 0; i < THREADS; i++)
		arena_fini(&senders[i].arena);
	arena_fini(&asker.arena);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_die_anywhere),
		cmocka_unit_test(test_failed_sync),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("ledger faults", tests, NULL, NULL);
}
