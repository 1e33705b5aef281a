/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal on a disk that fails: each script runs once for every operation
 * it does, with that operation failing. The oracle is the same everywhere:
 * what was acknowledged is there, nothing is there twice, nothing is there
 * that was not sent, in the order it was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/deflate.h"
#include "core/store/journal_file.h"
#include "tests/sim/disk_sim.h"

enum {
	SCRIPT_FRAMES = 48,
	INDEX_MAX = 4096,
	BODY_MAX = 3000,
};

static const char dir[] = "d";
static const struct journal_options small = {
	.file_bytes = 16 << 10,
	.keep_ns = -1,
	.probe_ns = NS_PER_MS,
};

/* What the sender knows of its frames. */
struct sender {
	pthread_mutex_t lock;
	pthread_cond_t done;
	uint64_t waiting;
	struct ticket {
		struct sender *sender;
		int err;
		uint64_t position, next;
	} tickets[INDEX_MAX];
	bool acked[INDEX_MAX];
	unsigned seen[INDEX_MAX];
};

static struct sender *sender_new(void)
{
	struct sender *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->done, NULL);
	return s;
}

static void sender_free(struct sender *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->done);
	free(s);
}

static size_t body_size(uint64_t index)
{
	return 8 + (index * 7919) % BODY_MAX;
}

static void body_fill(uint8_t *body, uint64_t index)
{
	put_le64(body, index);
	for (size_t i = 8; i < body_size(index); i++)
		body[i] = (uint8_t)(index + i * 31);
}

static void on_done(void *arg, int err, uint64_t position, uint64_t next)
{
	struct ticket *t = arg;
	struct sender *s = t->sender;

	pthread_mutex_lock(&s->lock);
	t->err = err;
	t->position = position;
	t->next = next;
	s->waiting--;
	pthread_cond_broadcast(&s->done);
	pthread_mutex_unlock(&s->lock);
}

static int send_one(struct sender *s, struct journal *j, uint64_t index)
{
	uint8_t body[BODY_MAX + 8];
	uint32_t refused[3] = { 1, 2, (uint32_t)index };
	struct frame f = {
		.protocol = PROTOCOL_NATIVE,
		.decoder = 1,
		.scope = { .account = 1000 + index, .region = "eu-west-1" },
		.received = { (int64_t)index },
		/* Some come in two parts, and are one when they are read. */
		.prefix = { (const char *)body, index % 3 },
		.body = { (const char *)body + index % 3,
			  body_size(index) - index % 3 },
		.refused = refused,
		.refused_count = index % 4,
	};
	struct ticket *t = &s->tickets[index];
	int e;

	body_fill(body, index);
	*t = (struct ticket){ .sender = s, .err = 1 };
	pthread_mutex_lock(&s->lock);
	s->waiting++;
	pthread_mutex_unlock(&s->lock);
	e = journal_append(j, &f, on_done, t);
	if (e < 0) {
		pthread_mutex_lock(&s->lock);
		s->waiting--;
		t->err = e;
		pthread_mutex_unlock(&s->lock);
	}
	return e;
}

static void await(struct sender *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->waiting > 0)
		pthread_cond_wait(&s->done, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* Sends [from, to) in groups of up to three; true: all were acknowledged. */
static bool send_range(struct sender *s, struct journal *j, uint64_t from,
		       uint64_t to)
{
	bool all = true;

	for (uint64_t i = from; i < to;) {
		uint64_t first = i;
		int e = 0;

		for (uint64_t n = 1 + from % 3; n > 0 && i < to && e == 0; n--)
			e = send_one(s, j, i++);
		await(s);
		for (; first < i; first++) {
			s->acked[first] = s->tickets[first].err == 0;
			all = all && s->acked[first];
		}
	}
	return all;
}

/* A sender that does not give up: the same bytes again until it is told 0. */
static void send_stubborn(struct sender *s, struct journal *j, uint64_t from,
			  uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		for (int tries = 0; !s->acked[i]; tries++) {
			assert_in_range(tries, 0, 4000);
			send_one(s, j, i);
			await(s);
			s->acked[i] = s->tickets[i].err == 0;
			if (!s->acked[i])
				usleep(500);
		}
	}
}

static void check_frame(const struct frame *f, uint64_t *index)
{
	uint8_t body[BODY_MAX + 8];

	assert_true(f->body.len >= 8);
	*index = get_le64((const uint8_t *)f->body.ptr);
	assert_in_range(*index, 0, INDEX_MAX - 1);
	body_fill(body, *index);
	assert_int_equal(f->body.len, body_size(*index));
	assert_memory_equal(f->body.ptr, body, f->body.len);
	assert_int_equal(f->protocol, PROTOCOL_NATIVE);
	assert_int_equal(f->decoder, 1);
	assert_int_equal(f->received.ns, *index);
	assert_int_equal(f->scope.account, 1000 + *index);
	assert_string_equal(f->scope.region, "eu-west-1");
	assert_int_equal(f->refused_count, *index % 4);
	if (f->refused_count == 3)
		assert_int_equal(f->refused[2], *index);
}

/* Reads all; counts what is there in s->seen, checks the order. */
static size_t read_all(struct sender *s, struct journal *j, uint64_t position)
{
	struct journal_reader *r;
	struct frame f;
	uint64_t last = 0, behind = 0, count = 0, index;
	bool gap;
	int e;

	memset(s->seen, 0, sizeof(s->seen));
	assert_int_equal(journal_reader_open(&r, j, position), 0);
	while ((e = journal_reader_next(r, &f, &gap)) == 1) {
		check_frame(&f, &index);
		assert_true(count == 0 || index > last);
		assert_true(f.position >= behind && f.next > f.position);
		last = index;
		behind = f.next;
		s->seen[index]++;
		count++;
	}
	assert_int_equal(e, 0);
	journal_reader_close(r);
	return count;
}

static void check_acked(const struct sender *s)
{
	for (size_t i = 0; i < INDEX_MAX; i++) {
		assert_true(s->seen[i] <= 1);
		if (s->acked[i])
			assert_int_equal(s->seen[i], 1);
	}
}

static struct journal *open_ok(const struct env *env,
			       const struct journal_options *options)
{
	struct journal *j = NULL;
	struct diag diag = { 0 };
	int e = journal_open(&j, env, dir, options, &diag);

	if (e < 0)
		print_error("%s\n", diag.text);
	assert_int_equal(e, 0);
	return j;
}

/* --- plain ----------------------------------------------------------------- */

static void test_round(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct sender *s = sender_new();
	struct journal *j = open_ok(&env, &small);
	struct journal_stats stats;

	(void)state;
	assert_true(send_range(s, j, 0, SCRIPT_FRAMES));
	assert_int_equal(read_all(s, j, 0), SCRIPT_FRAMES);
	/* From the middle: what is behind a frame's next. */
	assert_int_equal(read_all(s, j, s->tickets[9].next),
			 SCRIPT_FRAMES - 10);
	do /* counted when the last done has returned */
		journal_stats(j, &stats);
	while (stats.waiting_frames > 0);
	assert_int_equal(stats.frames, SCRIPT_FRAMES);
	assert_int_equal(stats.waiting_frames, 0);
	assert_int_equal(stats.waiting_bytes, 0);
	assert_true(stats.file_count > 3);
	assert_int_equal(stats.durable, journal_durable(j));
	assert_int_equal(stats.durable, s->tickets[SCRIPT_FRAMES - 1].next);
	journal_close(j);
	/* Three starts on: the marks between do not show. */
	for (uint64_t n = SCRIPT_FRAMES; n < SCRIPT_FRAMES + 3; n++) {
		j = open_ok(&env, &small);
		assert_int_equal(read_all(s, j, 0), n);
		assert_int_equal(journal_durable(j), s->tickets[n - 1].next);
		check_acked(s);
		assert_true(send_range(s, j, n, n + 1));
		journal_stats(j, &stats);
		assert_int_equal(stats.torn_bytes + stats.damaged_frames, 0);
		journal_close(j);
	}
	sender_free(s);
	disk_sim_free(disk);
}

static void test_limits(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct journal_options o = small;
	struct sender *s = sender_new();
	struct journal_stats stats;
	struct journal *j;
	struct frame big = {
		.protocol = PROTOCOL_NATIVE,
		.body = { "", JOURNAL_FRAME_MAX + 1 },
	};
	struct ticket barrier = { .sender = s, .err = 1 };
	uint64_t n = 0;

	(void)state;
	o.queue_frames = 10;
	j = open_ok(&env, &o);
	assert_int_equal(journal_append(j, &big, on_done, NULL), ERR_LIMIT);
	disk_sim_hold(disk, true);
	while (send_one(s, j, n) == 0)
		n++;
	assert_int_equal(n, 10);
	assert_int_equal(s->tickets[n].err, ERR_BUSY);
	assert_int_equal(journal_barrier(j, on_done, &barrier), ERR_BUSY);
	journal_stats(j, &stats);
	assert_int_equal(stats.refused_busy, 2);
	assert_int_equal(stats.waiting_frames, 10);
	assert_int_equal(journal_durable(j) & UINT32_MAX, FILE_DATA);
	disk_sim_hold(disk, false);
	await(s);
	journal_close(j);
	o.queue_frames = 0;
	o.queue_bytes = 4000;
	j = open_ok(&env, &o);
	disk_sim_hold(disk, true);
	while (send_one(s, j, ++n) == 0)
		;
	assert_int_equal(s->tickets[n].err, ERR_BUSY);
	/* A barrier with what waits before it. */
	s->waiting++;
	assert_int_equal(journal_barrier(j, on_done, &barrier), 0);
	disk_sim_hold(disk, false);
	await(s);
	assert_int_equal(barrier.err, 0);
	journal_close(j);
	sender_free(s);
	disk_sim_free(disk);
}

/* A frame that is larger than a file gets a file of its own size. */
static void test_large(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct sender *s = sender_new();
	struct journal *j = open_ok(&env, &small);
	char *body = calloc(1, JOURNAL_FRAME_MAX);
	struct frame f = {
		.protocol = PROTOCOL_NATIVE,
		.body = { body, JOURNAL_FRAME_MAX },
	};
	struct journal_reader *r;
	bool gap;

	(void)state;
	assert_non_null(body);
	body[77] = 'x';
	s->tickets[0].sender = s;
	s->waiting = 1;
	assert_int_equal(journal_append(j, &f, on_done, &s->tickets[0]), 0);
	await(s);
	assert_int_equal(s->tickets[0].err, 0);
	assert_int_equal(journal_reader_open(&r, j, 0), 0);
	assert_int_equal(journal_reader_next(r, &f, &gap), 1);
	assert_int_equal(f.body.len, JOURNAL_FRAME_MAX);
	assert_memory_equal(f.body.ptr, body, JOURNAL_FRAME_MAX);
	assert_int_equal(journal_reader_next(r, &f, &gap), 0);
	journal_reader_close(r);
	journal_close(j);
	free(body);
	sender_free(s);
	disk_sim_free(disk);
}

static void test_deletion(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct journal_options o = small;
	struct sender *s = sender_new();
	struct journal *j;
	struct journal_stats stats;
	struct journal_reader *r;
	struct frame f;
	bool gap;

	(void)state;
	o.keep_ns = 3600 * NS_PER_S;
	o.budget_bytes = 10 * o.file_bytes;
	j = open_ok(&env, &o);
	assert_true(send_range(s, j, 0, 30));
	/* Released, but young and within the budget. */
	journal_release(j, s->tickets[20].next);
	usleep(20000);
	assert_int_equal(read_all(s, j, 0), 30);
	/* Over the budget the released ones go, and only they. */
	send_range(s, j, 30, 400);
	assert_true(s->acked[40]);
	assert_false(s->acked[399]);
	assert_int_equal(s->tickets[399].err, ERR_FULL);
	journal_stats(j, &stats);
	assert_true(stats.full && stats.refused_full > 0);
	assert_true(stats.disk_bytes <= o.budget_bytes);
	assert_in_range(journal_backlog_percent(j), 80, 100);
	assert_true(journal_oldest(j) > 1ULL << 33);
	read_all(s, j, 0);
	for (size_t i = 21; i < 400; i++)
		assert_true(s->seen[i] == s->acked[i]);
	/* A reader that was left behind is told so. */
	assert_int_equal(journal_reader_open(&r, j, s->tickets[0].next), 0);
	assert_int_equal(journal_reader_next(r, &f, &gap), 1);
	assert_true(gap);
	assert_int_equal(journal_reader_next(r, &f, &gap), 1);
	assert_false(gap);
	journal_reader_close(r);
	/* And released room is taken again, by itself. */
	journal_release(j, journal_durable(j));
	assert_in_range(journal_backlog_percent(j), 0, 20);
	send_stubborn(s, j, 400, 410);
	journal_close(j);
	sender_free(s);
	disk_sim_free(disk);
}

/* --- crashes --------------------------------------------------------------- */

/* Of what was sent once, in order, nothing is missing before what is there. */
static uint64_t check_prefix(const struct sender *s, uint64_t from, uint64_t to)
{
	uint64_t end = from;

	while (end < to && s->seen[end])
		end++;
	for (uint64_t i = end; i < to; i++)
		assert_int_equal(s->seen[i], 0);
	return end;
}

/* Starts again, after a crash or two while it recovers. Bytes behind the tail
 * that was cut must not come back when frames of the same sizes follow. */
static void check_after_crash(struct disk_sim *disk, struct sender *s,
			      uint64_t at, enum disk_sim_crash mode)
{
	struct env env = disk_sim_env(disk);
	struct journal *j = NULL;
	size_t found;
	uint64_t end;

	for (int n = 0; n < 2; n++) {
		disk_sim_fault(disk, (struct disk_sim_fault){
					     .crash_at = 1 + (at + 5) % 7 });
		if (journal_open(&j, &env, dir, &small, NULL) == 0)
			journal_close(j);
		disk_sim_reboot(disk, mode);
	}
	j = open_ok(&env, &small);
	found = read_all(s, j, 0);
	check_acked(s);
	end = check_prefix(s, 2, SCRIPT_FRAMES);
	if (end < SCRIPT_FRAMES) {
		assert_true(send_range(s, j, end, end + 1));
		found++;
		disk_sim_fault(disk, (struct disk_sim_fault){ .crash_at = 1 });
		journal_close(j);
		disk_sim_reboot(disk, mode);
		j = open_ok(&env, &small);
		assert_int_equal(read_all(s, j, 0), found);
		check_acked(s);
	}
	assert_true(send_range(s, j, 100, 115));
	assert_int_equal(read_all(s, j, 0), found + 15);
	check_acked(s);
	journal_close(j);
	j = open_ok(&env, &small);
	assert_int_equal(read_all(s, j, 0), found + 15);
	check_acked(s);
	journal_close(j);
}

/* Two runs of the script, with a clean end between, and one fault. */
static void crash_once(struct disk_sim_fault fault, uint64_t seed,
		       enum disk_sim_crash mode, bool *hit)
{
	struct disk_sim *disk = disk_sim_new(seed * CRASH_MODES + mode);
	struct env env = disk_sim_env(disk);
	struct sender *s = sender_new();
	struct journal *j = NULL;

	disk_sim_fault(disk, fault);
	if (journal_open(&j, &env, dir, &small, NULL) == 0) {
		/* In groups of three. */
		send_range(s, j, 2, SCRIPT_FRAMES / 2);
		journal_close(j);
		j = NULL;
	}
	*hit = disk_sim_hit(disk);
	if (!*hit && journal_open(&j, &env, dir, &small, NULL) == 0) {
		send_range(s, j, SCRIPT_FRAMES / 2, SCRIPT_FRAMES);
		journal_close(j);
	}
	*hit = disk_sim_hit(disk);
	disk_sim_reboot(disk, mode);
	check_after_crash(disk, s, seed, mode);
	sender_free(s);
	disk_sim_free(disk);
}

static void test_crash(void **state)
{
	(void)state;
	for (int mode = 0; mode < CRASH_MODES; mode++) {
		bool hit = true;

		for (uint64_t at = 1; hit; at++)
			crash_once((struct disk_sim_fault){ .crash_at = at },
				   at, (enum disk_sim_crash)mode, &hit);
	}
}

/* A sync fails and some operations later the power. */
static void test_error_crash(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 600; seed++) {
		uint64_t at = 14 + seed % 40;
		bool hit;

		crash_once((struct disk_sim_fault){ .error_at = at,
						    .crash_at = at + 1 +
								seed / 40 },
			   seed, CRASH_TEAR, &hit);
	}
}

/* --- full and failing disks ------------------------------------------------ */

/* The script of a stubborn sender with one fault: everything arrives, once. */
static void fault_once(struct disk_sim_fault fault, bool *hit,
		       enum disk_sim_crash mode)
{
	struct disk_sim *disk = disk_sim_new(fault.full_at + fault.error_at);
	struct env env = disk_sim_env(disk);
	struct sender *s = sender_new();
	struct journal *j = NULL;

	disk_sim_fault(disk, fault);
	j = open_ok(&env, &small);
	send_stubborn(s, j, 0, SCRIPT_FRAMES);
	*hit = disk_sim_hit(disk);
	assert_int_equal(read_all(s, j, 0), SCRIPT_FRAMES);
	check_acked(s);
	disk_sim_fault(disk, (struct disk_sim_fault){ .crash_at = 1 });
	journal_close(j);
	disk_sim_reboot(disk, mode);
	j = open_ok(&env, &small);
	assert_int_equal(read_all(s, j, 0), SCRIPT_FRAMES);
	check_acked(s);
	journal_close(j);
	sender_free(s);
	disk_sim_free(disk);
}

static void test_full(void **state)
{
	static const uint64_t lengths[] = { 1, 9 };

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		bool hit = true;

		for (uint64_t at = 1; hit || at < 2 * SCRIPT_FRAMES; at++)
			fault_once(
				(struct disk_sim_fault){
					.full_at = at, .full_ops = lengths[n] },
				&hit, (enum disk_sim_crash)(at % CRASH_MODES));
	}
}

static void test_error(void **state)
{
	(void)state;
	for (int mode = 0; mode < CRASH_MODES; mode++) {
		bool hit = true;

		for (uint64_t at = 1; hit; at++)
			fault_once((struct disk_sim_fault){ .error_at = at },
				   &hit, (enum disk_sim_crash)mode);
	}
}

/* Frames in flight when the sync fails are acknowledged, from a new file. */
static void test_sync_error_acks(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct sender *s = sender_new();
	struct journal *j = open_ok(&env, &small);
	struct journal_stats stats;

	(void)state;
	assert_true(send_range(s, j, 0, 2));
	disk_sim_fault(disk, (struct disk_sim_fault){ .error_at = 2 });
	assert_true(send_range(s, j, 2, 4));
	journal_stats(j, &stats);
	assert_int_equal(stats.sync_errors, 1);
	assert_int_equal(stats.file_count, 2);
	assert_int_equal(read_all(s, j, 0), 4);
	journal_close(j);
	sender_free(s);
	disk_sim_free(disk);
}

/* A start on a full disk serves what is there and recovers by itself. */
static void test_open_full(void **state)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct sender *s = sender_new();
	struct journal *j = open_ok(&env, &small);
	struct journal_stats stats;

	(void)state;
	assert_true(send_range(s, j, 0, 5));
	disk_sim_room(disk, 17 << 10);
	send_range(s, j, 5, 30);
	assert_int_equal(s->tickets[29].err, ERR_FULL);
	journal_close(j);
	j = open_ok(&env, &small);
	read_all(s, j, 0);
	check_acked(s);
	send_range(s, j, 30, 50);
	journal_stats(j, &stats);
	assert_true(stats.full);
	disk_sim_room(disk, 0);
	send_stubborn(s, j, 50, 60);
	journal_stats(j, &stats);
	assert_false(stats.full);
	read_all(s, j, 0);
	check_acked(s);
	journal_close(j);
	sender_free(s);
	disk_sim_free(disk);
}

/* --- damage ---------------------------------------------------------------- */

enum { FLIP_FRAMES = 12 };

/* Three files of a journal that ended cleanly. */
static struct disk_sim *three_files(struct sender *s)
{
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct journal_options o = { .file_bytes = 12 << 10 };
	struct journal *j = open_ok(&env, &o);

	assert_true(send_range(s, j, 0, FLIP_FRAMES));
	journal_close(j);
	return disk;
}

/* Each byte of the files changed in turn: only the frame that was hit is
 * lost, and it is reported. */
static void test_flip(void **state)
{
	struct sender *s = sender_new();
	struct disk_sim *disk = three_files(s);
	struct env env = disk_sim_env(disk);

	(void)state;
	for (uint32_t file = 1; file <= 3; file++) {
		char path[JOURNAL_PATH_MAX];
		size_t size;
		uint8_t *before, *bytes;

		file_path(path, dir, file);
		bytes = disk_sim_bytes(disk, path, &size);
		assert_non_null(bytes);
		before = malloc(size);
		assert_non_null(before);
		memcpy(before, bytes, size);
		/* Every byte of headers, every third of the rest. */
		for (size_t at = 0; at < size; at += at % 512 < 90 ? 1 : 7) {
			struct journal_stats stats;
			size_t found;
			struct journal *j;

			bytes = disk_sim_bytes(disk, path, &size);
			memcpy(bytes, before, size);
			bytes[at] ^= (uint8_t)(1 << at % 8);
			j = open_ok(&env, &small);
			found = read_all(s, j, 0);
			journal_stats(j, &stats);
			assert_in_range(found, FLIP_FRAMES - 1, FLIP_FRAMES);
			if (found < FLIP_FRAMES)
				assert_int_equal(stats.damaged_frames, 1);
			else
				assert_in_range(stats.damaged_frames, 0, 1);
			for (size_t i = 0; i < FLIP_FRAMES; i++) {
				uint64_t p = s->tickets[i].position;

				if (position_file(p) != file ||
				    at < position_offset(p) ||
				    at >= position_offset(s->tickets[i].next))
					assert_int_equal(s->seen[i], 1);
			}
			journal_close(j);
		}
		bytes = disk_sim_bytes(disk, path, &size);
		memcpy(bytes, before, size);
		free(before);
	}
	assert_true(disk_sim_count(disk, "d/quarantine/") > 3);
	sender_free(s);
	disk_sim_free(disk);
}

/* Pages zeroed, files cut, garbage behind and between. */
static void test_rubble(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct sender *s = sender_new();
		struct disk_sim *disk = three_files(s);
		struct env env = disk_sim_env(disk);
		struct journal_stats stats;
		struct journal *j;
		char path[JOURNAL_PATH_MAX];
		uint8_t *bytes;
		size_t size, at, found, n;

		disk_sim_fault(disk, (struct disk_sim_fault){ 0 });
		for (uint64_t i = 0; i < seed + 5; i++)
			disk_sim_random(disk);
		file_path(path, dir, 1 + (uint32_t)seed % 3);
		bytes = disk_sim_bytes(disk, path, &size);
		assert_non_null(bytes);
		at = disk_sim_random(disk) % size;
		n = disk_sim_random(disk) % (size - at);
		for (size_t i = at; i < at + n; i++)
			bytes[i] = seed % 9 < 6 ?
					   (uint8_t)disk_sim_random(disk) :
					   0;
		if (seed % 5 == 0) {
			int fd = env.disk->open(disk, path, O_RDWR);

			env.disk->truncate(disk, fd, at);
			env.disk->close(disk, fd);
		}
		j = open_ok(&env, &small);
		found = read_all(s, j, 0);
		journal_stats(j, &stats);
		/* Zeros up to the end of the last file are like none written:
		 * the views' checkpoints know (least_position). */
		if (found < FLIP_FRAMES && seed % 9 != 8)
			assert_true(stats.damaged_frames + stats.torn_bytes >
				    0);
		assert_true(send_range(s, j, 100, 110));
		assert_int_equal(read_all(s, j, 0), found + 10);
		journal_close(j);
		j = open_ok(&env, &small);
		assert_int_equal(read_all(s, j, 0), found + 10);
		journal_close(j);
		sender_free(s);
		disk_sim_free(disk);
	}
}

/* The newest file is gone: new frames must not get positions below a view's. */
static void test_least_position(void **state)
{
	struct sender *s = sender_new();
	struct disk_sim *disk = three_files(s);
	struct env env = disk_sim_env(disk);
	struct journal_options o = { 0 };
	uint64_t position = s->tickets[FLIP_FRAMES - 1].next;
	struct journal_reader *r;
	struct journal *j;
	struct frame f;
	bool gap;

	(void)state;
	disk_sim_fault(disk, (struct disk_sim_fault){ 0 });
	while (disk_sim_count(disk, "d/0") > 1) {
		char path[JOURNAL_PATH_MAX];

		file_path(path, dir, (uint32_t)disk_sim_count(disk, "d/0"));
		assert_int_equal(env.disk->unlink(disk, path), 0);
	}
	o.least_position = position;
	j = open_ok(&env, &o);
	assert_true(send_range(s, j, 100, 103));
	assert_true(s->tickets[100].position >= position);
	assert_int_equal(journal_reader_open(&r, j, position), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(journal_reader_next(r, &f, &gap), 1);
	assert_int_equal(journal_reader_next(r, &f, &gap), 0);
	journal_reader_close(r);
	journal_close(j);
	sender_free(s);
	disk_sim_free(disk);
}

static void test_newer(void **state)
{
	struct sender *s = sender_new();
	struct disk_sim *disk = three_files(s);
	struct env env = disk_sim_env(disk);
	struct journal *j;
	struct diag diag;
	uint8_t *bytes;
	size_t size;
	uint8_t page[FILE_HEADER_BYTES];

	(void)state;
	bytes = disk_sim_bytes(disk, "d/0000000002.journal", &size);
	memcpy(page, bytes, sizeof(page));
	put_le32(page + 4, JOURNAL_FORMAT + 1);
	/* The CRC makes it one that a newer release wrote. */
	put_le32(page + 60, crc32_add(0, page, 60));
	memcpy(bytes, page, sizeof(page));
	assert_int_equal(journal_open(&j, &env, dir, NULL, &diag), ERR_VERSION);
	assert_non_null(strstr(diag.text, "0000000002.journal"));
	sender_free(s);
	disk_sim_free(disk);
}

/* --- threads --------------------------------------------------------------- */

struct many {
	struct sender *s;
	struct journal *j;
	uint64_t from, to;
};

static void *send_many(void *arg)
{
	struct many *m = arg;

	for (uint64_t i = m->from; i < m->to; i++)
		while (send_one(m->s, m->j, i) == ERR_BUSY)
			usleep(100);
	return NULL;
}

static void test_threads(void **state)
{
	enum { THREADS = 4, EACH = 500 };
	struct disk_sim *disk = disk_sim_new(1);
	struct env env = disk_sim_env(disk);
	struct journal_options o = small;
	struct sender *s = sender_new();
	struct many many[THREADS];
	pthread_t threads[THREADS];
	struct journal_reader *r;
	struct journal_stats stats;
	struct journal *j;
	struct frame f;
	size_t count = 0;
	bool gap;

	(void)state;
	o.queue_frames = 100;
	j = open_ok(&env, &o);
	assert_int_equal(journal_reader_open(&r, j, 0), 0);
	for (uint64_t i = 0; i < THREADS; i++) {
		many[i] = (struct many){ s, j, i * EACH, (i + 1) * EACH };
		pthread_create(&threads[i], NULL, send_many, &many[i]);
	}
	/* Reading while it is written. */
	while (count < THREADS * EACH) {
		int e = journal_reader_next(r, &f, &gap);
		uint64_t index;

		assert_true(e >= 0 && !gap);
		if (e == 0) {
			usleep(50);
			continue;
		}
		check_frame(&f, &index);
		assert_int_equal(s->seen[index]++, 0);
		count++;
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	await(s);
	journal_stats(j, &stats);
	assert_true(stats.commits < stats.frames);
	journal_reader_close(r);
	journal_close(j);
	sender_free(s);
	disk_sim_free(disk);
}

static const struct disk_ops *whole;
static _Atomic bool direct_now[256]; /* by descriptor */

static int cannot(void *self, int fd, bool on)
{
	(void)self, (void)fd, (void)on;
	return -EINVAL;
}

/* As a file system that finds out when it is written to. */
static int says_it_can(void *self, int fd, bool on)
{
	(void)self;
	direct_now[fd % 256] = on;
	return 0;
}

static int but_cannot(void *self, int fd, const void *buf, size_t n,
		      uint64_t at)
{
	return direct_now[fd % 256] ? -EINVAL :
				      whole->pwrite(self, fd, buf, n, at);
}

/* Where writes cannot go past the cache they go through it. */
static void test_no_direct(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct disk_sim *disk = disk_sim_new(1);
		struct env env = disk_sim_env(disk);
		struct disk_ops ops = *env.disk;
		struct sender *s = sender_new();
		struct journal *j;

		whole = env.disk;
		ops.direct = kind == 0 ? NULL :
			     kind == 1 ? cannot :
					 says_it_can;
		ops.pwrite = but_cannot;
		for (int i = 0; i < 256; i++)
			direct_now[i] = false;
		env.disk = &ops;
		j = open_ok(&env, &small);
		assert_true(send_range(s, j, 0, SCRIPT_FRAMES));
		journal_close(j);
		j = open_ok(&env, &small);
		assert_int_equal(read_all(s, j, 0), SCRIPT_FRAMES);
		check_acked(s);
		journal_close(j);
		sender_free(s);
		disk_sim_free(disk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_deletion),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_error_crash),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_sync_error_acks),
		cmocka_unit_test(test_open_full),
		cmocka_unit_test(test_flip),
		cmocka_unit_test(test_rubble),
		cmocka_unit_test(test_least_position),
		cmocka_unit_test(test_newer),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_no_direct),
	};
	int null = open("/dev/null", O_WRONLY);

	/* The journal's log of thousands of faults. */
	if (!getenv("VERBOSE") && null >= 0)
		dup2(null, STDERR_FILENO);
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
