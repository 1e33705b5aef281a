/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/filter_select.h"

#define OWN 123456789012

static const struct graph_node_key web = { SV_INIT("web"), SV_INIT("client"),
					   0 };
static const struct graph_node_key api = { SV_INIT("api"),
					   SV_INIT("AWS::Lambda"), 0 };
static const struct graph_node_key db = { SV_INIT("games"),
					  SV_INIT("AWS::DynamoDB::Table"), 7 };

/* Of nodes and edges web, api, games, web->api, api->games. */
static void test_selects(void **state)
{
	static const struct {
		const char *text, *want;
		bool one;
	} rows[] = {
		{ "service(\"api\")", ".x...", true },
		{ "service()", "xxx..", false },
		{ "!service(\"api\")", "x.x..", false },
		{ "service(\"api\") OR service(\"games\")", ".xx..", false },
		{ "service(\"api\") service(\"games\")", ".....", false },
		{ "id(name: \"api\")", ".x...", true },
		{ "ID(name: \"api\", type: \"AWS::Lambda\")", ".x...", true },
		{ "id(name: \"api\", type: \"AWS::Other\")", ".....", true },
		{ "id(type: \"client\")", "x....", false },
		{ "id(name: \"games\", account.id: \"000000000007\")", "..x..",
		  true },
		{ "id(name: \"games\", account.id: \"123456789012\")", ".....",
		  true },
		{ "id(account.id: \"123456789012\")", ".x...", false },
		{ "edge(\"api\", \"games\")", "....x", false },
		{ "edge(id(type: \"client\"), \"api\")", "...x.", false },
		{ "edge(\"games\", \"api\")", ".....", false },
		{ "service(\"api\") OR edge(\"api\", \"games\")", ".x..x",
		  false },
	};
	struct arena arena = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct filter_selector s;
		char got[6] = ".....";

		assert_int_equal(filter_selector_parse(&s,
						       sv_from(rows[i].text),
						       &arena, NULL),
				 0);
		if (filter_selects_node(&s, &web, OWN))
			got[0] = 'x';
		if (filter_selects_node(&s, &api, OWN))
			got[1] = 'x';
		if (filter_selects_node(&s, &db, OWN))
			got[2] = 'x';
		if (filter_selects_edge(&s, &web, &api, OWN))
			got[3] = 'x';
		if (filter_selects_edge(&s, &api, &db, OWN))
			got[4] = 'x';
		assert_string_equal(got, rows[i].want);
		assert_int_equal(s.one, rows[i].one);
	}
	arena_fini(&arena);
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"fault",
		"annotation.x",
		"service(\"a\") { fault }",
		"service(\"a\") AND duration > 1",
		"edge(\"a\", \"b\") { ok }",
		"service(",
		"id(",
		"id",
		"group.name = \"x\"",
	};
	struct arena arena = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct filter_selector s;
		struct diag diag = { 0 };

		assert_true(filter_selector_parse(&s, sv_from(rows[i]), &arena,
						  &diag) < 0);
		assert_true(diag.text[0] != '\0');
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selects),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
