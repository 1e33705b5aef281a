/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/form.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int parse(struct form_doc *doc, struct arena *a, struct sv text)
{
	struct diag diag = { 0 };
	int err = form_parse(doc, a, text, &diag);

	assert_int_equal(diag.err, err);
	assert_int_equal(diag.text[0] != '\0', err != 0);
	return err;
}

/* a=1 as a:1, and a.b=1&a.c=2 as a{b:1 c:2}. */
static void dump(struct buf *out, struct form v)
{
	bool first = true;

	buf_sv(out, form_name(v));
	if (form_value(v).ptr) {
		buf_char(out, ':');
		buf_sv(out, form_value(v));
		return;
	}
	buf_char(out, '{');
	for (struct form it = form_first(v); it.doc; it = form_next(v, it)) {
		if (!first)
			buf_char(out, ' ');
		dump(out, it);
		first = false;
	}
	buf_char(out, '}');
}

static void test_taken(void **state)
{
	static const struct {
		struct sv text;
		const char *tree;
	} rows[] = {
		{ SV_INIT(""), "{}" },
		{ SV_INIT("&&"), "{}" },
		{ SV_INIT("a"), "{a:}" },
		{ SV_INIT("a="), "{a:}" },
		{ SV_INIT("a=1&b=2&"), "{a:1 b:2}" },
		{ SV_INIT("b=2&&a=1"), "{a:1 b:2}" },
		{ SV_INIT("a=b=c"), "{a:b=c}" },
		{ SV_INIT("a=x+y%20z%2b%2B"), "{a:x y z++}" },
		{ SV_INIT("a%2Eb=1"), "{a{b:1}}" },
		{ SV_INIT("%61=%26%3D"), "{a:&=}" },
		{ SV_INIT("a=%c3%BC\xc3\xbc"), "{a:\xc3\xbc\xc3\xbc}" },
		{ SV_INIT("a.b=1&a.c=2&d=3"), "{a{b:1 c:2} d:3}" },
		{ SV_INIT("a.c=2&d=3&a.b=1"), "{a{b:1 c:2} d:3}" },
		{ SV_INIT("ab=1&a.b=2"), "{a{b:2} ab:1}" },
		{ SV_INIT("M.member.1.N=x&M.member.1.V=1&M.member.2.N=y"),
		  "{M{member{1{N:x V:1} 2{N:y}}}}" },
		{ SV_INIT("v.member.10=j&v.member.9=i&v.member.1=a&"
			  "v.member.2=b&v.member.3=c&v.member.4=d&"
			  "v.member.5=e&v.member.6=f&v.member.7=g&"
			  "v.member.8=h"),
		  "{v{member{1:a 2:b 3:c 4:d 5:e 6:f 7:g 8:h 9:i 10:j}}}" },
		{ SV_INIT("T.entry.1.key=k&T.entry.1.value=v&T.entry.2.key=l"
			  "&T.entry.2.value="),
		  "{T{entry{1{key:k value:v} 2{key:l value:}}}}" },
		{ SV_INIT("x.7=a&x.b=c&x.3=d"), "{x{3:d 7:a b:c}}" },
		{ SV_INIT("member=1&entry=2"), "{entry:2 member:1}" },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct form_doc doc;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (parse(&doc, &a, rows[i].text))
			fail_msg("refused: %s", rows[i].text.ptr);
		buf_reset(&b);
		dump(&b, form_root(&doc));
		assert_string_equal(b.ptr, rows[i].tree);
	}
	buf_fini(&b);
	arena_fini(&a);
}

static void test_refused(void **state)
{
	static const struct {
		struct sv text;
		int err;
	} rows[] = {
		{ SV_INIT("="), ERR_SYNTAX },
		{ SV_INIT("=1"), ERR_SYNTAX },
		{ SV_INIT("."), ERR_SYNTAX },
		{ SV_INIT(".a=1"), ERR_SYNTAX },
		{ SV_INIT("a.=1"), ERR_SYNTAX },
		{ SV_INIT("a..b=1"), ERR_SYNTAX },
		{ SV_INIT("a=%"), ERR_SYNTAX },
		{ SV_INIT("a=%2"), ERR_SYNTAX },
		{ SV_INIT("a=%2&b=1"), ERR_SYNTAX },
		{ SV_INIT("a=%zz"), ERR_SYNTAX },
		{ SV_INIT("a=%2g"), ERR_SYNTAX },
		{ SV_INIT("a=%%20"), ERR_SYNTAX },
		{ SV_INIT("a=%+1"), ERR_SYNTAX },
		{ SV_INIT("a=1 2"), ERR_SYNTAX },
		{ SV_INIT("a=1\n"), ERR_SYNTAX },
		{ SV_INIT("a\0=1"), ERR_SYNTAX },
		{ SV_INIT("a=\x7f"), ERR_SYNTAX },
		{ SV_INIT("a=%ff"), ERR_SYNTAX },
		{ SV_INIT("a=%c3"), ERR_SYNTAX },
		{ SV_INIT("a=%c0%80"), ERR_SYNTAX },
		{ SV_INIT("a=\xff"), ERR_SYNTAX },
		{ SV_INIT("%ff=1"), ERR_SYNTAX },
		{ SV_INIT("a=1&a=1"), ERR_INVALID },
		{ SV_INIT("a=1&b=2&a=3"), ERR_INVALID },
		{ SV_INIT("a=1&a.b=2"), ERR_INVALID },
		{ SV_INIT("a.b=2&a=1"), ERR_INVALID },
		{ SV_INIT("a.b.c=1&a=2&a.b=3"), ERR_INVALID },
		{ SV_INIT("v.member.0=a"), ERR_INVALID },
		{ SV_INIT("v.member.2=a"), ERR_INVALID },
		{ SV_INIT("v.member.1=a&v.member.3=b"), ERR_INVALID },
		{ SV_INIT("v.member.1=a&v.member.01=b"), ERR_INVALID },
		{ SV_INIT("v.member.1=a&v.member.+2=b"), ERR_INVALID },
		{ SV_INIT("v.member.-1=a"), ERR_INVALID },
		{ SV_INIT("v.member.x=a"), ERR_INVALID },
		{ SV_INIT("v.member.4294967297=a"), ERR_INVALID },
		{ SV_INIT("v.member.18446744073709551617=a"), ERR_INVALID },
		{ SV_INIT("v.member.99999999999999999999999999=a"),
		  ERR_INVALID },
		{ SV_INIT("v.entry.2.key=a"), ERR_INVALID },
	};
	struct arena a = ARENA_INIT;
	struct form_doc doc;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (parse(&doc, &a, rows[i].text) != rows[i].err)
			fail_msg("taken, or another error: %s",
				 rows[i].text.ptr);
	arena_fini(&a);
}

/* Bytes which must be encoded are refused as they are, and read encoded. */
static void test_every_byte(void **state)
{
	struct arena a = ARENA_INIT;
	struct form_doc doc;
	char text[8];

	(void)state;
	for (int c = 0; c < 128; c++) {
		bool plain = c > ' ' && c < 0x7f && c != '%';
		struct sv v;

		text[0] = 'a';
		text[1] = '=';
		text[2] = (char)c;
		assert_int_equal(parse(&doc, &a, sv_make(text, 3)) == 0, plain);
		snprintf(text, sizeof(text), "a=%%%02x", (unsigned)c);
		assert_int_equal(parse(&doc, &a, sv_from(text)), 0);
		v = form_value(form_get(form_root(&doc), SV("a")));
		assert_true(v.len == 1 && v.ptr[0] == (char)c);
		arena_reset(&a);
	}
	arena_fini(&a);
}

/* "p.member.1=&p.member.2=& ..." */
static void add_list(struct buf *b, const char *prefix, unsigned n)
{
	for (unsigned i = 1; i <= n; i++)
		buf_format(b, "%s.member.%u=&", prefix, i);
}

static void test_limits(void **state)
{
	struct arena a = ARENA_INIT, small = { .limit = 64 };
	struct buf b = BUF_INIT;
	struct form_doc doc;

	(void)state;
	for (int depth = FORM_DEPTH_MAX; depth < FORM_DEPTH_MAX + 2; depth++) {
		buf_reset(&b);
		for (int i = 1; i < depth; i++)
			buf_text(&b, "a.");
		buf_text(&b, "a=1");
		assert_int_equal(parse(&doc, &a, buf_view(&b)),
				 depth == FORM_DEPTH_MAX ? 0 : ERR_LIMIT);
	}
	buf_reset(&b);
	for (int i = 0; i < FORM_PAIRS_MAX; i++)
		buf_format(&b, "%s%x", i ? "&" : "", (unsigned)i);
	assert_int_equal(parse(&doc, &a, buf_view(&b)), 0);
	assert_int_equal(doc.count, FORM_PAIRS_MAX + 1);
	buf_char(&b, '&');
	assert_int_equal(parse(&doc, &a, buf_view(&b)), ERR_LIMIT);
	buf_reset(&b);
	add_list(&b, "v", FORM_INDEX_MAX);
	assert_int_equal(parse(&doc, &a, buf_view(&b)), 0);
	buf_format(&b, "v.member.%d=", FORM_INDEX_MAX + 1);
	assert_int_equal(parse(&doc, &a, buf_view(&b)), ERR_LIMIT);
	/* Each pair is as deep as allowed: nodes are many more than pairs. */
	buf_reset(&b);
	for (int i = 0; i < FORM_NODES_MAX / FORM_DEPTH_MAX + 1; i++) {
		buf_format(&b, "%x", (unsigned)i);
		for (int k = 1; k < FORM_DEPTH_MAX; k++)
			buf_text(&b, ".a");
		buf_char(&b, '&');
	}
	assert_int_equal(parse(&doc, &a, buf_view(&b)), ERR_LIMIT);
	assert_int_equal(parse(&doc, &small, SV("a=1&b=2&c=3")), ERR_NOMEM);
	assert_int_equal(parse(&doc, &a, sv_make("", FORM_BYTES_MAX + 1ul)),
			 ERR_LIMIT);
	buf_fini(&b);
	arena_fini(&small);
	arena_fini(&a);
}

static void test_get(void **state)
{
	struct arena a = ARENA_INIT;
	struct form none = { 0 };
	struct form_doc doc;
	struct form v;
	int64_t n;
	double d;
	bool flag;

	(void)state;
	assert_int_equal(
		parse(&doc, &a, SV("D.member.1.N=x&D.member.2.N=y&E=&F=1")), 0);
	v = form_root(&doc);
	assert_true(sv_eq(form_value(form_at(v, SV("D.member.2.N"))), SV("y")));
	assert_int_equal(form_count(form_at(v, SV("D.member"))), 2);
	assert_null(form_at(v, SV("D.member.3.N")).doc);
	assert_null(form_at(v, SV("F.x")).doc);
	assert_null(form_value(form_get(v, SV("D"))).ptr);
	assert_non_null(form_value(form_get(v, SV("E"))).ptr);
	assert_null(form_first(form_get(v, SV("E"))).doc);
	assert_null(form_first(none).doc);
	assert_null(form_next(v, none).doc);
	assert_null(form_get(none, SV("D")).doc);
	assert_null(form_name(none).ptr);
	assert_int_equal(form_count(none), 0);
	assert_false(form_to_i64(none, &n) || form_to_double(none, &d) ||
		     form_to_bool(none, &flag) || form_to_ns(none, &n));
	arena_fini(&a);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		double d;
	} rows[] = {
		{ "42", true, 42 },
		{ "-0.5", true, -0.5 },
		{ "1e%2B16", true, 1e16 },
		{ "1E-07", true, 1e-7 },
		{ "007", true, 7 },
		{ "Infinity", true, INFINITY },
		{ "-Infinity", true, -INFINITY },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ ".5", false, 0 },
		{ "5.", false, 0 },
		{ "%2B5", false, 0 },
		{ "1e", false, 0 },
		{ "0x10", false, 0 },
		{ "1,5", false, 0 },
		{ "inf", false, 0 },
		{ "nan", false, 0 },
		{ "1e999", false, 0 },
		{ "1+", false, 0 },
	};
	struct arena a = ARENA_INIT;
	struct form_doc doc;
	char text[40];
	int64_t n = 0;
	double d = 0;
	bool flag;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "a=%s", rows[i].text);
		assert_int_equal(parse(&doc, &a, sv_from(text)), 0);
		if (form_to_double(form_at(form_root(&doc), SV("a")), &d) !=
			    rows[i].ok ||
		    (rows[i].ok && d != rows[i].d))
			fail_msg("%s: %g", rows[i].text, d);
	}
	assert_int_equal(parse(&doc, &a,
			       SV("n=NaN&i=-9223372036854775808&t=true&f=false"
				  "&T=True&w=2026-11-22T09%3A00%3A00Z&s=1.5"
				  "&j=1.0")),
			 0);
	assert_true(form_to_double(form_at(form_root(&doc), SV("n")), &d));
	assert_true(isnan(d));
	assert_true(form_to_i64(form_at(form_root(&doc), SV("i")), &n));
	assert_int_equal(n, INT64_MIN);
	assert_false(form_to_i64(form_at(form_root(&doc), SV("j")), &n));
	assert_true(form_to_bool(form_at(form_root(&doc), SV("t")), &flag));
	assert_true(flag);
	assert_true(form_to_bool(form_at(form_root(&doc), SV("f")), &flag));
	assert_false(flag);
	assert_false(form_to_bool(form_at(form_root(&doc), SV("T")), &flag));
	assert_true(form_to_ns(form_at(form_root(&doc), SV("w")), &n));
	assert_int_equal(n, 1795338000000000000);
	assert_true(form_to_ns(form_at(form_root(&doc), SV("s")), &n));
	assert_int_equal(n, 1500000000);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
