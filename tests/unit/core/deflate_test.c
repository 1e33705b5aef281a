/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>

#include "core/codec/deflate.h"

static void fill(struct buf *b, size_t n, bool noise)
{
	uint32_t seed = 7;

	buf_reset(b);
	while (b->len < n) {
		seed = seed * 1664525 + 1013904223;
		if (noise)
			buf_char(b, (char)(seed >> 24));
		else
			buf_format(b, "{\"id\":\"%08x\",\"ok\":true}\n",
				   seed & 0xff);
	}
}

/* Any zlib reads what we write; we read it, and what zlib writes. */
static void test_round_trip(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 65536, 300000 };
	struct deflate *d;

	(void)state;
	assert_int_equal(deflate_new(&d), 0);
	for (size_t i = 0; i < 10; i++) {
		struct buf in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;
		uLongf len = 400000;
		char *plain = calloc(1, len);
		char *theirs = calloc(1, len);

		fill(&in, sizes[i / 2], i % 2);
		assert_int_equal(
			deflate_zlib(i % 3 ? d : NULL, &zip, buf_view(&in)), 0);
		assert_int_equal(uncompress((Bytef *)plain, &len,
					    (Bytef *)zip.ptr, zip.len),
				 Z_OK);
		assert_int_equal(len, in.len);
		assert_memory_equal(plain, buf_view(&in).ptr, len);
		memset(plain, 0, len);
		assert_int_equal(inflate_exact(plain, in.len, buf_view(&zip)),
				 0);
		assert_memory_equal(plain, buf_view(&in).ptr, in.len);
		if (in.len)
			assert_int_equal(inflate_exact(plain, in.len - 1,
						       buf_view(&zip)),
					 ERR_CORRUPT);
		assert_int_equal(inflate_exact(plain, in.len + 1,
					       buf_view(&zip)),
				 ERR_CORRUPT);
		assert_int_equal(inflate_zlib(&out, buf_view(&zip), in.len), 0);
		assert_true(sv_eq(buf_view(&out), buf_view(&in)));
		len = 400000;
		assert_int_equal(compress2((Bytef *)theirs, &len,
					   (const Bytef *)buf_view(&in).ptr,
					   in.len, 9),
				 Z_OK);
		assert_int_equal(
			inflate_exact(plain, in.len, sv_make(theirs, len)), 0);
		buf_reset(&zip);
		buf_reset(&out);
		assert_int_equal(deflate_gzip(d, &zip, buf_view(&in)), 0);
		assert_int_equal(inflate_gzip(&out, buf_view(&zip), in.len), 0);
		assert_true(sv_eq(buf_view(&out), buf_view(&in)));
		free(plain);
		free(theirs);
		buf_fini(&in);
		buf_fini(&zip);
		buf_fini(&out);
	}
	deflate_free(d);
}

static void test_members(void **state)
{
	struct buf in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;

	(void)state;
	for (int i = 0; i < GZIP_MEMBERS_MAX; i++)
		assert_int_equal(deflate_gzip(NULL, &zip, SV("ab")), 0);
	assert_int_equal(inflate_gzip(&out, buf_view(&zip), 1 << 20), 0);
	assert_int_equal(out.len, 2 * GZIP_MEMBERS_MAX);
	assert_int_equal(deflate_gzip(NULL, &zip, SV("ab")), 0);
	buf_reset(&out);
	buf_text(&out, "kept");
	assert_int_equal(inflate_gzip(&out, buf_view(&zip), 1 << 20),
			 ERR_LIMIT);
	assert_string_equal(out.ptr, "kept");
	/* A second zlib stream is garbage, not a member. */
	buf_reset(&zip);
	assert_int_equal(deflate_zlib(NULL, &zip, SV("ab")), 0);
	assert_int_equal(deflate_zlib(NULL, &zip, SV("ab")), 0);
	assert_int_equal(inflate_zlib(&out, buf_view(&zip), 1 << 20),
			 ERR_SYNTAX);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
}

/* All of a gzip header's optional parts, as `gzip -N` and others write them. */
static void test_header(void **state)
{
	static char name[] = "a file", comment[] = "none", extra[300];
	gz_header header = { .name = (Bytef *)name,
			     .comment = (Bytef *)comment,
			     .extra = (Bytef *)extra,
			     .extra_len = sizeof(extra),
			     .hcrc = 1 };
	static char zip[1000];
	struct buf out = BUF_INIT;
	z_stream z = { 0 };

	(void)state;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
	assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
	z.next_in = (Bytef *)name;
	z.avail_in = sizeof(name);
	z.next_out = (Bytef *)zip;
	z.avail_out = sizeof(zip);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(inflate_gzip(&out, sv_make(zip, z.total_out), 100), 0);
	assert_true(sv_eq(buf_view(&out), sv_make(name, sizeof(name))));
	deflateEnd(&z);
	buf_fini(&out);
}

/* Every prefix and every changed byte is refused, or (a changed header byte
 * without meaning) gives the same text. */
static void test_damage(void **state)
{
	static char plain[4000];
	struct buf in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;

	(void)state;
	fill(&in, 3000, false);
	assert_int_equal(deflate_gzip(NULL, &zip, buf_view(&in)), 0);
	for (size_t n = 0; n < zip.len; n++) {
		buf_reset(&out);
		assert_int_equal(inflate_gzip(&out, sv_make(zip.ptr, n), 9999),
				 ERR_SYNTAX);
		assert_int_equal(out.len, 0);
	}
	for (size_t n = 0; n < zip.len; n++) {
		int err;

		zip.ptr[n] ^= 0x10;
		err = inflate_gzip(&out, buf_view(&zip), 9999);
		if (!err)
			assert_true(sv_eq(buf_view(&out), buf_view(&in)));
		buf_reset(&out);
		zip.ptr[n] ^= 0x10;
	}
	buf_reset(&zip);
	assert_int_equal(deflate_zlib(NULL, &zip, buf_view(&in)), 0);
	for (size_t n = 0; n < zip.len; n++) {
		assert_int_equal(inflate_exact(plain, in.len,
					       sv_make(zip.ptr, n)),
				 ERR_CORRUPT);
		zip.ptr[n] ^= 0x04;
		assert_int_equal(inflate_exact(plain, in.len, buf_view(&zip)),
				 ERR_CORRUPT);
		zip.ptr[n] ^= 0x04;
	}
	buf_char(&zip, 'x');
	assert_int_equal(inflate_exact(plain, in.len, buf_view(&zip)),
			 ERR_CORRUPT);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
}

static void test_limits(void **state)
{
	struct buf in = BUF_INIT, zip = BUF_INIT, out = BUF_INIT;
	struct buf tight = { .limit = 40 };
	size_t zeros = 1 << 20;

	(void)state;
	memset(buf_grow(&in, zeros), 0, zeros);
	in.len = zeros;
	assert_int_equal(deflate_gzip(NULL, &zip, buf_view(&in)), 0);
	assert_true(zip.len * INFLATE_RATIO_MAX < zeros);
	assert_int_equal(inflate_gzip(&out, buf_view(&zip), 2 << 20),
			 ERR_LIMIT); /* the ratio */
	in.len = INFLATE_RATIO_FREE;
	buf_reset(&zip);
	assert_int_equal(deflate_gzip(NULL, &zip, buf_view(&in)), 0);
	assert_int_equal(inflate_gzip(&out, buf_view(&zip), in.len), 0);
	assert_int_equal(inflate_gzip(&out, buf_view(&zip), in.len - 1),
			 ERR_LIMIT);
	assert_int_equal(out.len, in.len);
	assert_false(out.failed);
	/* The output's own limit: compressed text that fits, and not. */
	assert_int_equal(deflate_zlib(NULL, &tight, SV("short")), 0);
	assert_int_equal(deflate_zlib(NULL, &tight,
				      SV("qwertyuiopasdfghjkl"
					 "zxcvbnm1234567890")),
			 ERR_LIMIT);
	assert_false(tight.failed);
	assert_true(tight.len < 20);
	buf_fini(&in);
	buf_fini(&zip);
	buf_fini(&out);
	buf_fini(&tight);
}

static void test_crc(void **state)
{
	(void)state;
	assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_add(crc32_add(0, "1234", 4), "56789", 5),
			 crc32(0, (const Bytef *)"123456789", 9));
	assert_int_equal(crc32_add(0, "", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_crc),
	};

	return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
