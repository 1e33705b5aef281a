/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/protobuf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One field and the end, in as many bytes as there are. */
static void test_fields(void **state)
{
	/* protobuf.dev, "Encoding": 08 96 01 is field 1 with 150, and so on. */
	static const struct {
		struct sv message;
		struct protobuf_field want;
	} rows[] = {
		{ SV_INIT("\x08\x96\x01"), { 1, PROTOBUF_VARINT, 150, { 0 } } },
		{ SV_INIT("\x12\x07testing"),
		  { 2, PROTOBUF_BYTES, 0, SV_INIT("testing") } },
		{ SV_INIT("\x12\x00"), { 2, PROTOBUF_BYTES, 0, SV_INIT("") } },
		{ SV_INIT("\x21\x01\0\0\0\0\0\0\x80"),
		  { 4, PROTOBUF_FIXED64, 0x8000000000000001, { 0 } } },
		{ SV_INIT("\x2d\x01\0\0\x80"),
		  { 5, PROTOBUF_FIXED32, 0x80000001, { 0 } } },
		/* -1, and the same with bits that are too many */
		{ SV_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		  { 1, PROTOBUF_VARINT, UINT64_MAX, { 0 } } },
		{ SV_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
		  { 1, PROTOBUF_VARINT, UINT64_MAX, { 0 } } },
		/* more bytes than it takes */
		{ SV_INIT("\x88\x80\x00\x81\x00"),
		  { 1, PROTOBUF_VARINT, 1, { 0 } } },
		{ SV_INIT("\xf8\xff\xff\xff\x0f\x00"),
		  { PROTOBUF_NUMBER_MAX, PROTOBUF_VARINT, 0, { 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct protobuf r = protobuf_reader(rows[i].message);
		struct protobuf_field f = { 0 };

		assert_int_equal(protobuf_next(&r, &f), 1);
		assert_int_equal(f.number, rows[i].want.number);
		assert_int_equal(f.type, rows[i].want.type);
		assert_true(f.value == rows[i].want.value);
		assert_true(sv_eq(f.bytes, rows[i].want.bytes));
		assert_int_equal(protobuf_next(&r, &f), 0);
	}
}

static void test_refused(void **state)
{
	static const struct sv rows[] = {
		SV_INIT("\x08"),      /* a tag alone */
		SV_INIT("\x08\x80"),  /* half a varint */
		SV_INIT("\x80"),      /* half a tag */
		SV_INIT("\x00\x00"),  /* field 0 */
		SV_INIT("\x12\x02x"), /* cut off */
		SV_INIT("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
		SV_INIT("\x21\0\0\0\0\0\0\0"), /* seven of eight */
		SV_INIT("\x2d\0\0\0"),         /* three of four */
		SV_INIT("\x0b\x0c"),           /* a group */
		SV_INIT("\x0c"),               /* its end */
		SV_INIT("\x0e\x00"),           /* types 6 and 7 are none */
		SV_INIT("\x0f\x00"),
		SV_INIT("\xf8\xff\xff\xff\x1f\x00"), /* field 2^29 */
		SV_INIT("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct protobuf r = protobuf_reader(rows[i]);
		struct protobuf_field f = { 0 };

		if (protobuf_next(&r, &f) != ERR_SYNTAX)
			fail_msg("row %zu was taken", i);
	}
}

static void test_empty(void **state)
{
	struct protobuf r = protobuf_reader((struct sv){ NULL, 0 });
	struct protobuf_field f = { 0 };

	(void)state;
	assert_int_equal(protobuf_next(&r, &f), 0);
}

static void test_numbers(void **state)
{
	(void)state;
	assert_true(protobuf_zigzag(0) == 0);
	assert_true(protobuf_zigzag(1) == -1);
	assert_true(protobuf_zigzag(2) == 1);
	assert_true(protobuf_zigzag(UINT64_MAX) == INT64_MIN);
	assert_true(protobuf_double(protobuf_bits(-1.5)) == -1.5);
	for (unsigned bit = 0; bit < 64; bit++)
		for (int less = 0; less < 2; less++) {
			uint64_t v = (1ULL << bit) - (unsigned)less, back = 0;
			uint8_t bytes[PROTOBUF_VARINT_MAX];
			size_t n = protobuf_varint_write(bytes, v);
			struct protobuf r = { bytes, bytes + n };

			assert_int_equal(n, protobuf_varint_size(v));
			assert_true(protobuf_varint(&r, &back));
			assert_true(back == v && r.at == r.end);
		}
}

/* What is written reads back, through lengths of one, two and three bytes. */
static void test_nested(void **state)
{
	static const size_t sizes[] = { 0, 1, 120, 127, 128, 16383, 16384 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct buf b = BUF_INIT, filler = BUF_INIT;
		struct protobuf_field f = { 0 };
		struct protobuf r;
		size_t outer, inner;

		for (size_t k = 0; k < sizes[i]; k++)
			buf_char(&filler, (char)k);
		protobuf_put_u64(&b, 1, 7);
		outer = protobuf_open(&b, 2);
		protobuf_put_fixed64(&b, 3, 8);
		inner = protobuf_open(&b, 20);
		protobuf_put_bytes(&b, 1, buf_view(&filler));
		protobuf_close(&b, inner);
		protobuf_close(&b, outer);
		protobuf_put_fixed32(&b, 4, 9);
		assert_false(b.failed);

		r = protobuf_reader(buf_view(&b));
		assert_int_equal(protobuf_next(&r, &f), 1);
		assert_true(f.number == 1 && f.value == 7);
		assert_int_equal(protobuf_next(&r, &f), 1);
		assert_true(f.number == 2 && f.type == PROTOBUF_BYTES);
		{
			struct protobuf in = protobuf_reader(f.bytes);
			struct protobuf deep;

			assert_int_equal(protobuf_next(&in, &f), 1);
			assert_true(f.number == 3 && f.value == 8);
			assert_int_equal(protobuf_next(&in, &f), 1);
			assert_true(f.number == 20);
			deep = protobuf_reader(f.bytes);
			assert_int_equal(protobuf_next(&in, &f), 0);
			assert_int_equal(protobuf_next(&deep, &f), 1);
			assert_true(sv_eq(f.bytes, buf_view(&filler)));
			assert_int_equal(protobuf_next(&deep, &f), 0);
		}
		assert_int_equal(protobuf_next(&r, &f), 1);
		assert_true(f.number == 4 && f.value == 9);
		assert_int_equal(protobuf_next(&r, &f), 0);
		buf_fini(&filler);
		buf_fini(&b);
	}
}

static void test_limit(void **state)
{
	struct buf b = { .limit = 131 };
	size_t mark = protobuf_open(&b, 1);

	(void)state;
	for (int i = 0; i < 128; i++)
		buf_char(&b, 'x');
	assert_false(b.failed);
	protobuf_close(&b, mark); /* the second byte of its length */
	assert_false(b.failed);
	protobuf_put_u64(&b, 1, 1);
	assert_true(b.failed);
	buf_fini(&b);
	b.limit = 130;
	mark = protobuf_open(&b, 1);
	for (int i = 0; i < 128; i++)
		buf_char(&b, 'x');
	assert_false(b.failed);
	protobuf_close(&b, mark);
	assert_true(b.failed);
	protobuf_close(&b, mark); /* and is no harm */
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_empty),  cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nested), cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests_name("protobuf", tests, NULL, NULL);
}
