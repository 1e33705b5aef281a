/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/xml_write.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_escape(void **state)
{
	static const struct {
		struct sv from;
		const char *to;
	} rows[] = {
		{ SV_INIT(""), "" },
		{ SV_INIT("plain"), "plain" },
		{ SV_INIT("<a b='c' d=\"e\">&amp;</a>"),
		  "&lt;a b=&#39;c&#39; "
		  "d=&quot;e&quot;&gt;&amp;amp;&lt;/a&gt;" },
		{ SV_INIT("]]>"), "]]&gt;" },
		{ SV_INIT("a\tb\nc\rd"), "a&#9;b&#10;c&#13;d" },
		{ SV_INIT("\0\x01\x1f\x7f"),
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\x7f" },
		{ SV_INIT("\xc3\xbc\xf0\x9f\x98\x80"),
		  "\xc3\xbc\xf0\x9f\x98\x80" },
		{ SV_INIT("a\xff"
			  "b\xc3"),
		  "a\xef\xbf\xbd"
		  "b\xef\xbf\xbd" },
		{ SV_INIT("\xed\xa0\x80"),
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ SV_INIT("\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf!"),
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd!" },
		{ SV_INIT("<\xff"), "&lt;\xef\xbf\xbd" },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_reset(&b);
		buf_text(&b, "");
		xml_escape(&b, rows[i].from);
		assert_string_equal(buf_view(&b).ptr, rows[i].to);
	}
	xml_escape(&b, (struct sv){ NULL, 0 });
	buf_fini(&b);
}

/* Every byte and every pair: nothing that XML reads as markup, and no byte
 * that it cannot say, comes through. */
static void test_every_pair(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 65536; i++) {
		char two[2] = { (char)(i >> 8), (char)i };

		buf_reset(&b);
		xml_escape(&b, sv_make(two, 2));
		assert_true(sv_is_utf8(buf_view(&b)));
		for (size_t k = 0; k < b.len; k++)
			assert_true((unsigned char)b.ptr[k] >= 0x20 &&
				    !strchr("<>\"'", b.ptr[k]));
	}
	buf_fini(&b);
}

static void test_response(void **state)
{
	static const char xmlns[] = "http://example.com/a?b&c";
	struct buf b = BUF_INIT;
	struct xml_writer w = xml_writer(&b);

	(void)state;
	xml_open_response(&w, "ListThings", xmlns, true);
	xml_open(&w, "Things");
	xml_open(&w, "member");
	xml_put_i64(&w, INT64_MIN);
	xml_close(&w);
	xml_open(&w, "member");
	xml_put_double(&w, 2.5);
	xml_close(&w);
	xml_close(&w);
	xml_open(&w, "At");
	xml_put_iso(&w, 1795338001250000000);
	xml_close(&w);
	xml_open(&w, "Ok");
	xml_put_bool(&w, true);
	xml_close(&w);
	xml_element(&w, "Odd", SV("<&>"));
	xml_close_response(&w, SV("id-1"));
	assert_string_equal(
		b.ptr,
		"<ListThingsResponse xmlns=\"http://example.com/a?b&amp;c\">"
		"<ListThingsResult><Things>"
		"<member>-9223372036854775808</member><member>2.5</member>"
		"</Things><At>2026-11-22T09:00:01.250Z</At><Ok>true</Ok>"
		"<Odd>&lt;&amp;&gt;</Odd></ListThingsResult>"
		"<ResponseMetadata><RequestId>id-1</RequestId>"
		"</ResponseMetadata></ListThingsResponse>");
	buf_reset(&b);
	w = xml_writer(&b);
	xml_open_response(&w, "PutThing", "u", false);
	xml_close_response(&w, SV("2"));
	assert_string_equal(b.ptr,
			    "<PutThingResponse xmlns=\"u\"><ResponseMetadata>"
			    "<RequestId>2</RequestId></ResponseMetadata>"
			    "</PutThingResponse>");
	buf_fini(&b);
}

static void test_doubles(void **state)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = {
		{ 0, "0" },           { 0.1, "0.1" },
		{ NAN, "NaN" },       { INFINITY, "Infinity" },
		{ -1e300, "-1e300" }, { -INFINITY, "-Infinity" },
	};
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct xml_writer w = xml_writer(&b);

		buf_reset(&b);
		xml_put_double(&w, rows[i].v);
		assert_string_equal(b.ptr, rows[i].text);
	}
	buf_fini(&b);
}

static void test_error(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	xml_error(&b, "u", true, SV("InvalidParameterValue"), SV("a < b\nc"),
		  SV("id"));
	assert_string_equal(
		b.ptr, "<ErrorResponse xmlns=\"u\"><Error><Type>Sender</Type>"
		       "<Code>InvalidParameterValue</Code>"
		       "<Message>a &lt; b&#10;c</Message></Error>"
		       "<RequestId>id</RequestId></ErrorResponse>");
	buf_reset(&b);
	xml_error(&b, "u", false, SV("InternalServiceError"), SV(""), SV("id"));
	assert_non_null(strstr(b.ptr, "<Type>Receiver</Type>"));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_every_pair),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests_name("xml_write", tests, NULL, NULL);
}
