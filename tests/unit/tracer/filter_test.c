/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tracer/filter_traces.h"

static bool find_group(void *arg, struct sv name, struct sv arn,
		       struct sv *expression)
{
	(void)arg;
	*expression = sv_eq(name, SV("bad"))   ? SV("fault AND (ok") :
		      sv_eq(name, SV("loop"))  ? SV("group.name = loop") :
		      sv_eq(name, SV("empty")) ? SV("") :
		      sv_eq(arn, SV("arn:x"))  ? SV("fault") :
						 SV("ok");
	return !sv_eq(name, SV("none"));
}

static const struct filter_groups groups = { find_group, NULL };

static int parse(struct filter *f, const char *text, struct arena *arena,
		 struct diag *diag)
{
	return filter_parse(f, sv_from(text), &groups, arena, diag);
}

/* --- what is refused, where, and how it is said --------------------------------- */

static const struct bad {
	const char *text;
	int err;
	size_t at;
	const char *says; /* behind "filter expression, at character N: " */
} bads[] = {
	{ "responsetime", ERR_SYNTAX, 12,
	  "expected =, !=, <, <=, > or >=, found the end" },
	{ "responsetime > fast", ERR_SYNTAX, 15,
	  "expected a number, found fast" },
	{ "responsetime > 0x10", ERR_SYNTAX, 15,
	  "expected a number, found 0x10" },
	{ "duration > inf", ERR_SYNTAX, 11, "expected a number, found inf" },
	{ "duration >", ERR_SYNTAX, 10, "expected a value, found the end" },
	{ "duration CONTAINS 3", ERR_SYNTAX, 9,
	  "expected =, !=, <, <=, > or >=, found CONTAINS" },
	{ "ok > true", ERR_SYNTAX, 3, "expected = or !=, found >" },
	{ "ok = yes", ERR_SYNTAX, 5, "expected true or false, found yes" },
	{ "http.url < \"a\"", ERR_SYNTAX, 9,
	  "expected =, !=, CONTAINS, BEGINSWITH or ENDSWITH, found <" },
	{ "http.url = \"a", ERR_SYNTAX, 11,
	  "the quotation mark is not closed" },
	{ "http.url = \"a\\\"", ERR_SYNTAX, 11,
	  "the quotation mark is not closed" },
	{ "annotation.a > \"x\"", ERR_SYNTAX, 15,
	  "expected a number, found \"x\"" },
	{ "annotation[", ERR_SYNTAX, 11,
	  "expected the name of an annotation, found the end" },
	{ "annotation[a", ERR_SYNTAX, 12, "expected ], found the end" },
	{ "annotation = 1", ERR_SYNTAX, 11, "expected [, found =" },
	{ "annotation.", ERR_SYNTAX, 0,
	  "expected a keyword, found annotation." },
	{ "fualt", ERR_SYNTAX, 0, "expected a keyword, found fualt" },
	{ "ok AND", ERR_SYNTAX, 6, "expected a keyword, found the end" },
	{ "ok OR OR ok", ERR_SYNTAX, 6, "expected a keyword, found OR" },
	{ "!", ERR_SYNTAX, 1, "expected a keyword, found the end" },
	{ "(ok", ERR_SYNTAX, 3, "expected ), found the end" },
	{ "ok)", ERR_SYNTAX, 2, "expected AND, OR or the end, found )" },
	{ "ok }", ERR_SYNTAX, 3, "expected AND, OR or the end, found }" },
	{ "5 < duration", ERR_SYNTAX, 0, "expected a keyword, found 5" },
	{ "service", ERR_SYNTAX, 7, "expected (, found the end" },
	{ "service(\"a\"", ERR_SYNTAX, 11, "expected ), found the end" },
	{ "service(\"a\") {}", ERR_SYNTAX, 14, "expected a keyword, found }" },
	{ "service(id())", ERR_SYNTAX, 11,
	  "expected name, type or account.id, found ))" },
	{ "service(id(nam:\"a\"))", ERR_SYNTAX, 11,
	  "expected name, type or account.id, found nam:\"a\"))" },
	{ "service(id(name \"a\"))", ERR_SYNTAX, 16,
	  "expected :, found \"a\"))" },
	{ "edge(\"a\")", ERR_SYNTAX, 8, "expected ,, found )" },
	{ "edge()", ERR_SYNTAX, 5, "expected a value, found )" },
	{ "service() { service() { ok } }", ERR_SYNTAX, 12,
	  "service, edge, group and rootcause do not stand in braces" },
	{ "service() { coverage > 1 }", ERR_SYNTAX, 12,
	  "coverage stands only in the braces of "
	  "rootcause.responsetime.entity" },
	{ "first", ERR_SYNTAX, 0,
	  "first stands only in the braces of a root cause" },
	{ "rootcause.fault.entity { coverage > 1 }", ERR_SYNTAX, 25,
	  "coverage stands only in the braces of "
	  "rootcause.responsetime.entity" },
	{ "rootcause.fault.service { remote }", ERR_SYNTAX, 26,
	  "remote stands only in the braces of rootcause.*.entity" },
	{ "rootcause.fault.entity { duration > 1 }", ERR_SYNTAX, 25,
	  "duration means nothing in these braces" },
	{ "rootcause.fault.entity { annotation.a }", ERR_SYNTAX, 25,
	  "annotations do not stand in the braces of a root cause" },
	{ "rootcause.fault.entity", ERR_SYNTAX, 22,
	  "expected {, found the end" },
	{ "rootcause.slow.entity { last }", ERR_SYNTAX, 0,
	  "expected rootcause.json, or rootcause. and fault, error or "
	  "responsetime, and service, entity, exception or json, found "
	  "rootcause.slow.entity" },
	{ "rootcause.json = {}", ERR_SYNTAX, 17, "expected #, found {}" },
	{ "rootcause.json = #[{]", ERR_SYNTAX, 18,
	  "what stands behind # is no JSON" },
	{ "rootcause.json > #[]", ERR_SYNTAX, 15, "expected = or !=, found >" },
	{ "group.name > 1", ERR_SYNTAX, 11, "expected = or !=, found >" },
	{ "ok group.name = \"none\"", ERR_NOT_FOUND, 16,
	  "there is no such group" },
	{ "\xc3\xa4", ERR_SYNTAX, 0, "expected a keyword, found \xc3\xa4" },
	{ "user = \"\xc3\xa4\" x", ERR_SYNTAX, 12,
	  "expected a keyword, found x" },
	{ "\x01", ERR_SYNTAX, 0, "expected a keyword, found something else" },
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		const struct bad *b = &bads[i];
		struct arena arena = ARENA_INIT;
		struct diag diag = { 0 };
		char expected[300];
		struct filter f;
		size_t character = b->at + 1;

		for (size_t k = 0; k < b->at; k++)
			character -= ((unsigned char)b->text[k] & 0xc0) == 0x80;
		snprintf(expected, sizeof(expected),
			 "filter expression, at character %zu: %s", character,
			 b->says);
		expected[sizeof(diag.text) - 1] = '\0';
		assert_int_equal(parse(&f, b->text, &arena, &diag), b->err);
		assert_string_equal(diag.text, expected);
		assert_int_equal(f.error_at, b->at);
		assert_int_equal(f.count, 0);
		arena_fini(&arena);
	}
}

static void test_errors_of_groups(void **state)
{
	struct arena arena = ARENA_INIT;
	struct diag diag = { 0 };
	struct filter f;

	(void)state;
	assert_int_equal(parse(&f, "ok group.name=bad", &arena, &diag),
			 ERR_SYNTAX);
	assert_string_equal(diag.text,
			    "filter expression of the group, at character 14: "
			    "expected ), found the end");
	assert_int_equal(f.error_at, 3);
	assert_int_equal(parse(&f, "group.name=loop", &arena, &diag),
			 ERR_LIMIT);
	assert_int_equal(filter_parse(&f, SV("group.arn = \"x\""), NULL, &arena,
				      &diag),
			 ERR_NOT_FOUND);
	arena_fini(&arena);
}

/* --- limits -------------------------------------------------------------------- */

static int parse_repeated(const char *head, const char *piece, size_t n,
			  const char *tail)
{
	struct arena arena = ARENA_INIT;
	struct buf text = BUF_INIT;
	struct filter f;
	int e;

	buf_text(&text, head);
	for (size_t i = 0; i < n; i++)
		buf_text(&text, piece);
	buf_text(&text, tail);
	e = filter_parse(&f, buf_view(&text), NULL, &arena, NULL);
	buf_fini(&text);
	arena_fini(&arena);
	return e;
}

static void test_limits(void **state)
{
	struct arena arena = ARENA_INIT;
	struct filter f;

	(void)state;
	assert_int_equal(parse_repeated("ok", " ", FILTER_TEXT_MAX - 2, ""), 0);
	assert_int_equal(parse_repeated("ok", " ", FILTER_TEXT_MAX - 1, ""),
			 ERR_LIMIT);
	/* with the node that holds them */
	assert_int_equal(parse_repeated("", "ok ", FILTER_NODES_MAX - 1, ""),
			 0);
	assert_int_equal(parse_repeated("", "ok ", FILTER_NODES_MAX, ""),
			 ERR_LIMIT);
	assert_int_equal(parse_repeated("", "! ", FILTER_DEPTH_MAX - 1, "ok"),
			 0);
	assert_int_equal(parse_repeated("", "! ", FILTER_DEPTH_MAX, "ok"),
			 ERR_LIMIT);
	assert_int_equal(parse_repeated("", "!(", FILTER_DEPTH_MAX, "ok"),
			 ERR_LIMIT);
	assert_int_equal(parse_repeated("", "(", 8000, "ok"), ERR_LIMIT);
	assert_int_equal(parse_repeated("rootcause.json = #", "[", 8000, ""),
			 ERR_LIMIT);
	arena.limit = 16;
	assert_int_equal(parse(&f, "ok", &arena, NULL), ERR_NOMEM);
	arena_fini(&arena);
}

/* --- what it means ------------------------------------------------------------- */

#define WHOLE                                                                  \
	"{'id':'00000000000000a1','name':'web','start_time':10,'end_time':12," \
	"'origin':'AWS::EC2::Instance','user':'ann','resource_arn':'arn:r',"   \
	"'http':{'request':{'url':'http://h/a','method':'GET','user_agent':"   \
	"'curl \\\\ "                                                          \
	"\\'q\\'','client_ip':'1.2.3.4'},'response':{'status':200}},"          \
	"'aws':{'ec2':{'availability_zone':'eu-1a','instance_id':'i-1'}},"     \
	"'annotations':{'n':2,'flag':false,'text':'12'},"                      \
	"'subsegments':[{'id':'00000000000000a2','name':'DynamoDB','"          \
	"namespace':"                                                          \
	"'aws','start_time':10,'end_time':11,'aws':{'table_name':'orders',"    \
	"'account_id':'000000000077'},'throttle':true,'http':{'response':{"    \
	"'status':429}},'annotations':{'n':3}}]}"

static const struct filter_trace whole = {
	"whole",
	{ WHOLE, "{'id':'00000000000000a3','parent_id':'00000000000000a1','"
		 "name':'job',"
		 "'user':'bob','start_time':10,'in_progress':true}" },
};

static const struct {
	const char *text;
	bool is;
} meanings[] = {
	/* words and signs */
	{ "", true },
	{ " \t\n", true },
	{ "OK and NOT", false }, /* does not parse */
	{ "OK AND Duration>=2", true },
	{ "ok oR fault", true },
	{ "fault ok or ok", true },
	{ "fault (ok or ok)", false },
	{ "!fault!error", true },
	{ "!(fault or error)", true },
	{ "!!ok", true },
	{ "ok != false", true },
	{ "ok = \"TRUE\"", true },
	{ "duration = 2.0e0", true },
	{ "duration != 2", false },
	{ "duration <= \"2\"", true },
	{ "user = ann", true },
	/* several values */
	{ "user = bob", true },
	{ "user != bob", false }, /* there is a bob */
	{ "user != carl", true },
	{ "annotation.n = 2", true },
	{ "annotation.n = 3", true },
	{ "annotation.n > 2", true },
	{ "annotation.n != 3", false },
	{ "annotation.n != 4", true },
	/* kinds of annotations */
	{ "annotation.flag", false },
	{ "!annotation.flag", true },
	{ "annotation.flag = false", true },
	{ "annotation.flag = \"false\"", true },
	{ "annotation.flag != true", true },
	{ "annotation.flag CONTAINS \"\"", true },
	{ "annotation.text = 12", true },
	{ "annotation.text > 11", false }, /* texts have no order */
	{ "annotation.text BEGINSWITH 1", true },
	{ "annotation.n = \"2\"", true },
	{ "annotation.n = two", false },
	{ "annotation.none = 1", false },
	{ "annotation.none != 1", false },
	{ "annotation.N", false }, /* names have case */
	{ "ANNOTATION.n", true },
	{ "annotation[ n ] = 2", true },
	/* what is asked of the root, and what of any segment */
	{ "error", false },
	{ "throttle", false },
	{ "inferred", true },
	{ "partial", true },
	{ "root", true },
	{ "http.status = 200", true },
	{ "http.method = GET", true },
	{ "http.method = get", false },
	{ "http.useragent = \"curl \\\\ \\\"q\\\"\"", true },
	{ "http.clientip BEGINSWITH \"1.2.\"", true },
	{ "http.url ENDSWITH /a", true },
	{ "availabilityzone = eu-1a", true },
	{ "instance.id = i-1", true },
	{ "resource.arn = \"arn:r\"", true },
	{ "name = web", true },
	{ "name = job", false },
	{ "type = \"AWS::EC2::Instance\"", true },
	{ "message", false },
	/* nodes and edges */
	{ "service()", true },
	{ "service() { throttle error }", true },
	{ "service(web) { throttle }", false },
	{ "service(orders) { throttle and inferred and http.status = 429 }",
	  true },
	{ "service(id(type: \"AWS::DynamoDB::Table\")) { type = "
	  "\"AWS::DynamoDB\" and name = orders }",
	  true },
	{ "service(id(name: orders, account.id: 000000000077))", true },
	{ "service(id(name: web, account.id: \"000000001234\"))", true },
	{ "service(id(name: web, account.id: 1234))", false },
	{ "service(job) { partial and user = bob }", true },
	{ "service(job) { duration >= 0 }", false }, /* it has none yet */
	{ "service(web) { root }", true },
	{ "service(job) { root }", false },
	{ "service(web) { annotation.n = 3 }", true }, /* what it did */
	{ "service(orders) { annotation.n = 2 }", false },
	{ "service(job) { annotation.n }", false },
	{ "service(id(type: client))", true },
	{ "service(id(type: client)) { ok }", false },
	{ "edge(web, orders)", true },
	{ "edge(orders, web)", false },
	{ "edge(web, web)", false }, /* the client is not meant */
	{ "edge(id(type: client), web) { ok }", true },
	{ "edge(web, orders) { annotation.n = 3 and throttle }", true },
	{ "edge(web, orders) { annotation.n = 2 }", false },
	{ "edge(web, orders) { responsetime = 1 }", true },
	{ "!edge(web, job) { ok }", true },
	/* root causes */
	{ "rootcause.error.service { last and name = orders and inferred }",
	  true },
	{ "rootcause.error.service { first and name = web and index = 0 }",
	  true },
	{ "rootcause.error.entity { name = DynamoDB and remote and !last }",
	  true },
	{ "rootcause.fault.service { first }", false },
	{ "rootcause.error.exception { first }", false },
	{ "rootcause.error.json = #[{\"ClientImpacting\":false}]", true },
	{ "rootcause.json = #[{\"ClientImpacting\":false,\"Services\":null}]",
	  true },
	{ "rootcause.fault.json = #[{}]", false },
	{ "rootcause.json != #[{}]", false },
	{ "rootcause.json = #[]", false },
	{ "rootcause.error.json = #[{\"Services\":[{},{\"Names\":[\"orders\"],"
	  "\"AccountId\":77,\"Type\":\"AWS::DynamoDB::Table\",\"Inferred\":"
	  "true}]}]",
	  true },
	{ "rootcause.error.json = #[{\"Services\":[{}]}]", false },
	{ "rootcause.error.json = #[{\"Servces\":[{},{}]}]", false },
	{ "rootcause.responsetime.json = #[{\"Services\":[{\"EntityPath\":[{"
	  "\"Coverage\":1.0},{\"Coverage\":0.5,\"Remote\":true}]},{}]}]",
	  true },
	{ "rootcause.responsetime.json = #[{\"Services\":[{\"EntityPath\":[{"
	  "\"Coverage\":1.0},{\"Coverage\":0.6}]},{}]}]",
	  false },
	/* groups */
	{ "group.name = g", true },
	{ "group.name != g", false },
	{ "!group.arn = \"arn:x\"", true },
	{ "group.name = empty and ok", true },
};

static void test_meanings(void **state)
{
	struct filter_case c;
	unsigned bad = 0;

	(void)state;
	filter_case_make(&c, &whole, 0);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		struct arena arena = ARENA_INIT;
		struct diag diag = { 0 };
		struct filter f;
		bool is = parse(&f, meanings[i].text, &arena, &diag) == 0 &&
			  filter_match(&f, &c.facts);

		if (is != meanings[i].is) {
			print_error("%s: %d %s\n", meanings[i].text, is,
				    diag.text);
			bad++;
		}
		arena_fini(&arena);
	}
	assert_false(c.facts.failed);
	filter_case_free(&c);
	assert_int_equal(bad, 0);
}

/* Whatever a summary tells is what the documents tell. */
static void test_guesses_are_true(void **state)
{
	struct filter_case c;
	const struct sv names[] = { SV("web"), SV("job") };

	(void)state;
	filter_case_make(&c, &whole, 0);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		const struct filter_hint hint = {
			.duration_ns = c.assembly.end_ns - c.assembly.start_ns,
			.status = c.assembly.status,
			.partial = c.assembly.partial,
			.names = names,
			.name_count = 2,
		};
		struct arena arena = ARENA_INIT;
		struct filter f;

		if (!parse(&f, meanings[i].text, &arena, NULL)) {
			enum filter_guess g = filter_guess(&f, &hint);

			assert_true(g == FILTER_MAYBE ||
				    (g == FILTER_YES) ==
					    filter_match(&f, &c.facts));
		}
		arena_fini(&arena);
	}
	filter_case_free(&c);
}

static enum filter_guess guess(const char *text, const struct filter_hint *h)
{
	struct arena arena = ARENA_INIT;
	enum filter_guess g;
	struct filter f;

	assert_int_equal(parse(&f, text, &arena, NULL), 0);
	g = filter_guess(&f, h);
	arena_fini(&arena);
	return g;
}

static void test_guesses_tell(void **state)
{
	const struct sv web = SV("web");
	const struct filter_hint fine = { .duration_ns = 2000000000,
					  .names = &web,
					  .name_count = 1 };
	const struct filter_hint bad = { .status = SEGMENT_STATUS_THROTTLE,
					 .partial = true };

	(void)state;
	assert_int_equal(guess("fault", &fine), FILTER_NO);
	assert_int_equal(guess("!fault", &fine), FILTER_YES);
	assert_int_equal(guess("ok", &fine), FILTER_MAYBE);
	assert_int_equal(guess("ok", &bad), FILTER_NO);
	assert_int_equal(guess("ok = false", &bad), FILTER_YES);
	assert_int_equal(guess("throttle error partial", &bad), FILTER_YES);
	assert_int_equal(guess("duration < 2", &fine), FILTER_NO);
	assert_int_equal(guess("responsetime > 2", &fine), FILTER_NO);
	assert_int_equal(guess("responsetime >= 2", &fine), FILTER_MAYBE);
	assert_int_equal(guess("!(responsetime > 2)", &fine), FILTER_YES);
	assert_int_equal(guess("service(web)", &fine), FILTER_YES);
	assert_int_equal(guess("service(db)", &fine), FILTER_MAYBE);
	assert_int_equal(guess("fault or user", &fine), FILTER_MAYBE);
	assert_int_equal(guess("fault and user", &fine), FILTER_NO);
	assert_int_equal(guess("", &fine), FILTER_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_errors_of_groups),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_meanings),
		cmocka_unit_test(test_guesses_are_true),
		cmocka_unit_test(test_guesses_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
