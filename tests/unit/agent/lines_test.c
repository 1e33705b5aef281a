/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lines.h"
#include "agent/xray_udp.h"

struct seen {
	struct buf text; /* messages, each followed by '|' */
	unsigned count;
	uint64_t time_us; /* of the last */
	size_t longest;
};

static void on_line(void *arg, uint64_t time_us, struct sv message)
{
	struct seen *s = arg;

	if (s->text.len < 1 << 20) {
		buf_sv(&s->text, message);
		buf_char(&s->text, '|');
	}
	s->count++;
	s->time_us = time_us;
	if (message.len > s->longest)
		s->longest = message.len;
}

static void test_lines_in_any_portions(void **state)
{
	static const char text[] = "one\n\ntwo\r\nthree";

	(void)state;
	for (size_t cut = 1; cut < sizeof(text); cut++) {
		struct lines l = { 0 };
		struct seen s = { 0 };

		for (size_t at = 0; at < sizeof(text) - 1; at += cut) {
			size_t n = sizeof(text) - 1 - at;

			lines_add(&l, sv_make(text + at, n < cut ? n : cut),
				  on_line, &s);
		}
		lines_flush(&l, on_line, &s);
		assert_string_equal(s.text.ptr, "one||two|three|");
		buf_fini(&s.text);
		lines_fini(&l);
	}
}

static void test_line_over_its_limit(void **state)
{
	struct lines l = { 0 };
	struct seen s = { 0 };
	char part[1000];

	(void)state;
	memset(part, 'x', sizeof(part));
	for (int i = 0; i < 300; i++)
		lines_add(&l, sv_make(part, sizeof(part)), on_line, &s);
	lines_flush(&l, on_line, &s);
	assert_int_equal(s.count, 2);
	assert_int_equal(l.cut, 1);
	assert_int_equal(s.longest, LOG_EVENT_BYTES_MAX);
	buf_fini(&s.text);
	lines_fini(&l);
}

static struct sv load(const char *name, char *out, size_t size)
{
	char path[128];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "tests/fixtures/runtime-api/%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(out, 1, size, f);
	fclose(f);
	return sv_make(out, n);
}

/* What aws-lambda-ric 3.3.0 wrote, in portions of every size. */
static void test_recorded_frames(void **state)
{
	char bytes[16384];
	struct sv all = load("node-multi-logfd.bin", bytes, sizeof(bytes));

	(void)state;
	for (size_t cut = 1; cut <= all.len; cut += 1 + cut / 7) {
		struct frames f = { 0 };
		struct seen s = { 0 };

		for (size_t at = 0; at < all.len; at += cut) {
			size_t n = all.len - at < cut ? all.len - at : cut;

			frames_add(&f, sv_make(all.ptr + at, n), on_line, &s);
		}
		assert_false(f.broken);
		assert_false(f.in_message);
		assert_true(s.count > 15);
		assert_non_null(strstr(s.text.ptr, "an error line\nsecond"));
		assert_true(s.time_us / 1000000 > 1790000000);
		buf_fini(&s.text);
		frames_fini(&f);
	}
}

static void test_broken_frames_become_lines(void **state)
{
	static const char text[] = "this is no frame at all\nand this\n";
	struct frames f = { 0 };
	struct seen s = { 0 };

	(void)state;
	frames_add(&f, SV("short"), on_line, &s);
	assert_int_equal(s.count, 0);
	frames_add(&f, sv_make(text, sizeof(text) - 1), on_line, &s);
	frames_flush(&f, on_line, &s);
	assert_true(f.broken);
	assert_string_equal(s.text.ptr,
			    "shortthis is no frame at all|and this|");
	buf_fini(&s.text);
	frames_fini(&f);
}

static void test_frame_over_its_limit(void **state)
{
	uint8_t head[FRAME_HEADER_BYTES] = { 0xa5, 0x5a, 0, 3 };
	struct frames f = { 0 };
	struct seen s = { 0 };
	static char part[100000];

	(void)state;
	memset(part, 'x', sizeof(part));
	head[5] = 0x06; /* 0x061a80 = 400000 bytes */
	head[6] = 0x1a;
	head[7] = 0x80;
	frames_add(&f, sv_make((char *)head, sizeof(head)), on_line, &s);
	for (int i = 0; i < 4; i++)
		frames_add(&f, sv_make(part, sizeof(part)), on_line, &s);
	assert_int_equal(s.count, 2);
	assert_false(f.in_message);
	head[4] = 0x02; /* over FRAME_BYTES_MAX: no frame */
	frames_add(&f, sv_make((char *)head, sizeof(head)), on_line, &s);
	assert_true(f.broken);
	buf_fini(&s.text);
	frames_fini(&f);
}

static void test_clean(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "a\xff"
		  "b",
		  "a\xef\xbf\xbd"
		  "b" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x98\x80\x80", "\xf0\x9f\x98\x80\xef\xbf\xbd" },
	};
	struct buf scratch = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(sv_eq(text_clean(sv_from(rows[i].text), &scratch),
				  sv_from(rows[i].want)));
	buf_fini(&scratch);
}

static void test_datagrams(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "{\"format\":\"json\",\"version\":1}\n{\"id\":\"1\"}", true },
		{ "{\"format\": \"json\", \"version\": 1}\n{}\n", true },
		{ "{\"format\":\"json\",\"version\":1}", false },
		{ "{\"format\":\"json\",\"version\":1}\n", false },
		{ "{\"format\":\"json\",\"version\":1}\n[]", false },
		{ "{\"format\":\"json\",\"version\":2}\n{}", false },
		{ "{\"format\":\"xml\",\"version\":1}\n{}", false },
		{ "{\"format\":\"json\",\"version\":1}\n{} {}", false },
		{ "{}\n{}", false },
		{ "\n{}", false },
		{ "", false },
	};
	struct arena arena = ARENA_INIT;
	static char big[70000];
	char bytes[4096];
	struct sv seen;
	int n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			xray_udp_document(sv_from(rows[i].text), &arena).ptr !=
				NULL,
			rows[i].good);
	seen = xray_udp_document(
		load("xray-js-lambda.bin", bytes, sizeof(bytes)), &arena);
	assert_true(sv_starts(seen, SV("{\"id\":\"1b041e37049e652c\"")));
	/* A document of exactly 64 KB, and one byte more. */
	n = snprintf(big, sizeof(big), "{\"format\":\"json\",\"version\":1}\n");
	for (size_t size = 65536; size <= 65537; size++) {
		char *document = big + n;

		memset(document, ' ', size);
		document[0] = '{';
		document[size - 1] = '}';
		seen = xray_udp_document(sv_make(big, (size_t)n + size),
					 &arena);
		assert_int_equal(seen.ptr != NULL, size == 65536);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_in_any_portions),
		cmocka_unit_test(test_line_over_its_limit),
		cmocka_unit_test(test_recorded_frames),
		cmocka_unit_test(test_broken_frames_become_lines),
		cmocka_unit_test(test_frame_over_its_limit),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_datagrams),
	};

	return cmocka_run_group_tests_name("agent lines", tests, NULL, NULL);
}
