/* SPDX-License-Identifier: Apache-2.0 */
/* A byte that rots in a block hides what is in its chunk, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>

#include "tests/unit/tracer/view.h"

enum { TRACES = 600 };

/* About 600 bytes of text that does not shrink, so that chunks are many. */
static void fill(struct view_fixture *f)
{
	uint64_t x = 88172645463325252u;

	for (unsigned n = 1; n <= TRACES; n++) {
		struct buf b = BUF_INIT;

		buf_text(&b, ",\"metadata\":{\"x\":\"");
		while (b.len < 600) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			buf_char(&b, (char)('A' + x % 57));
			if (b.ptr[b.len - 1] == '\\')
				b.ptr[b.len - 1] = '_';
		}
		buf_text(&b, "\"}");
		view_segment(f, n, n, (int)(n % 60), b.ptr);
		buf_fini(&b);
	}
}

static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void flip_first_chunk(const char *path)
{
	if (strstr(path, ".traces"))
		flip(path, 5000);
}

static size_t readable(struct view_fixture *f)
{
	struct arena arena = ARENA_INIT;
	size_t count = 0;

	for (unsigned n = 1; n <= TRACES; n++) {
		uint8_t id[TRACE_ID_SIZE] = { 0x6b,
					      0x02,
					      0xbf,
					      0x61,
					      [14] = (uint8_t)(n >> 8),
					      [15] = (uint8_t)n };
		struct trace trace;
		int e = traces_get(f->t, &view_home, id, &arena, &trace);

		assert_true(e == 0 || e == ERR_NOT_FOUND);
		count += e == 0;
		arena_reset(&arena);
	}
	arena_fini(&arena);
	return count;
}

static size_t found_by_segment(struct view_fixture *f)
{
	size_t count = 0;

	for (unsigned n = 1; n <= TRACES; n++) {
		uint8_t id[TRACE_ID_SIZE];
		char text[17];

		snprintf(text, sizeof(text), "%016x", n);
		count += traces_find(f->t, &view_home, sv_from(text), id) == 0;
	}
	return count;
}

static size_t listed(struct view_fixture *f)
{
	struct arena arena = ARENA_INIT;
	struct trace_list list;
	size_t count;

	assert_int_equal(traces_recent(f->t, &view_home, 0, INT64_MAX, SV(""),
				       0, &arena, &list),
			 0);
	count = list.count;
	arena_fini(&arena);
	return count;
}

static void test_chunk(void **state)
{
	struct view_fixture *f = *state;
	struct traces_stats s;
	size_t left;

	fill(f);
	assert_int_equal(traces_seal(f->t), 0);
	assert_int_equal(readable(f), TRACES);
	assert_int_equal(found_by_segment(f), TRACES);
	view_files(f, flip_first_chunk);
	left = readable(f);
	assert_in_range(left, TRACES / 2, TRACES - 20);
	traces_stats(f->t, &s);
	assert_int_equal(s.damaged_rows, TRACES - left);
	assert_int_equal(found_by_segment(f), left);
	assert_int_equal(listed(f), TRACES);
	/* the same after a restart; what comes now is not hidden */
	traces_close(f->t);
	view_open(f);
	assert_int_equal(readable(f), left);
	view_segment(f, 1, 1000, 1, "");
	assert_int_equal(readable(f), left + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { VIEW_TEST(test_chunk) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
