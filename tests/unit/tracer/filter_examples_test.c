/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every expression that the public documentation gives as an example ("Using
 * filter expressions", "Configuring groups", "Tagging", the API reference),
 * asked of a set of traces made for them: which it selects, and of the others
 * one near miss.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tracer/filter_traces.h"

#define CALL(id, name, kind, times, more)                       \
	"{'id':" ID(id) ",'name':'" name "','namespace':'" kind \
			"'," times more "}"
#define SUBS(list) ",'subsegments':[" list "]"
#define ROOT(name, times, more) \
	"{'id':" ID("01") ",'name':'" name "'," times more "}"
#define CHILD(id, parent, name, times, more)                        \
	"{'id':" ID(id) ",'parent_id':" ID(parent) ",'name':'" name \
						   "'," times more "}"
#define SHORT AT("10", "10.5")
#define THROWS(list) ",'fault':true,'cause':{'exceptions':[" list "]}"
#define THROWN(type, message) "{'type':'" type "','message':'" message "'}"
#define URL(text) ",'http':{'request':{'url':'" text "'}}"
#define ORIGIN(text) ",'origin':'" text "'"
#define HOP(id, parent, name) CHILD(id, parent, name, SHORT, ",'fault':true")

static const struct filter_trace traces[] = {
	/* status, response time, duration */
	{ "plain", { ROOT("web", SHORT, STATUS(200)) } },
	{ "redirected", { ROOT("web", SHORT, STATUS(302)) } },
	{ "missing", { ROOT("web", SHORT, STATUS(404)) } },
	{ "slow6", { ROOT("web", AT("10", "16"), STATUS(200)) } },
	{ "slow9", { ROOT("web", AT("10", "19"), STATUS(200)) } },
	{ "trailing", /* the answer left at once, work went on */
	  { ROOT("web", AT("10", "11"), STATUS(200)),
	    CHILD("02", "01", "mailer", AT("11", "17"), "") } },
	{ "running",
	  { ROOT("web", SHORT, STATUS(200)),
	    CHILD("02", "01", "mailer", "'start_time':10",
		  ",'in_progress':true") } },
	/* faults */
	{ "deserialize",
	  { ROOT("web", SHORT,
		 ",'fault':true" SUBS(CALL("02", "deserialize", "x", SHORT,
					   THROWS(THROWN("E", "m"))))) } },
	{ "deserialize-outer",
	  { ROOT("web", SHORT,
		 SUBS(CALL("02", "deserialize", "x", SHORT,
			   ",'fault':true" SUBS(CALL("03", "read", "x", SHORT,
						     ",'fault':true"))))) } },
	{ "table-fault",
	  { ROOT("web", SHORT,
		 SUBS(CALL("02", "DynamoDB", "aws", SHORT,
			   ",'fault':true,'aws':{'table_name':'traces'}"))) } },
	{ "queue-fault",
	  { ROOT("web", SHORT,
		 SUBS(CALL("02", "SQS", "aws", SHORT,
			   ",'fault':true,'aws':{'queue_url':"
			   "'http://x/1/traces'}"))) } },
	{ "plane-root", { ROOT("data-plane", SHORT, ",'fault':true") } },
	{ "plane-below",
	  { ROOT("web", SHORT, STATUS(200)), HOP("02", "01", "data-plane") } },
	{ "chain7",
	  { ROOT("s0", SHORT, ",'fault':true"), HOP("02", "01", "s1"),
	    HOP("03", "02", "s2"), HOP("04", "03", "s3"), HOP("05", "04", "s4"),
	    HOP("06", "05", "s5"), HOP("07", "06", "s6") } },
	{ "chain6",
	  { ROOT("s0", SHORT, ",'fault':true"), HOP("02", "01", "s1"),
	    HOP("03", "02", "s2"), HOP("04", "03", "s3"), HOP("05", "04", "s4"),
	    HOP("06", "05", "s5") } },
	{ "auth-fault",
	  { ROOT("web", SHORT, STATUS(500)), HOP("02", "01", "Auth") } },
	{ "auth-fine",
	  { ROOT("web", SHORT, STATUS(500)),
	    CHILD("02", "01", "Auth", SHORT, STATUS(200)) } },
	{ "denied",
	  { ROOT("web", SHORT,
		 THROWS(THROWN("A", "first") "," THROWN(
			 "B", "Access Denied for account_id: 1234567890"))) } },
	{ "denied-first",
	  { ROOT("web", SHORT,
		 THROWS(THROWN("B", "Access Denied for account_id: "
				    "1234567890") "," THROWN("A", "last"))) } },
	/* where the time went */
	{ "far",
	  { ROOT("web", AT("10", "11"),
		 SUBS(CALL("02", "traces", "remote", AT("10", "10.75"),
			   ""))) } },
	{ "far-little",
	  { ROOT("web", AT("10", "11"),
		 SUBS(CALL("02", "traces", "remote", AT("10", "10.625"),
			   ""))) } },
	{ "near",
	  { ROOT("web", AT("10", "11"),
		 SUBS(CALL("02", "traces", "x", AT("10", "10.75"), ""))) } },
	{ "table-slow",
	  { ROOT("web", AT("10", "11"),
		 SUBS(CALL("02", "DynamoDB", "aws", AT("10", "10.875"),
			   ""))) } },
	{ "table-then",
	  { ROOT("web", AT("10", "11"),
		 SUBS(CALL("02", "DynamoDB", "aws", AT("10", "10.25"),
			   ""))) } },
	{ "weather",
	  { ROOT("GetWeatherData", AT("10", "11"),
		 SUBS(CALL("02", "get_temperature", "remote", AT("10", "10.75"),
			   ""))),
	    CHILD("03", "02", "GetTemperature", AT("10", "10.625"), "") } },
	{ "weather-deeper",
	  { ROOT("GetWeatherData", AT("10", "11"),
		 SUBS(CALL("02", "get_temperature", "remote", AT("10", "10.75"),
			   ""))),
	    CHILD("03", "02", "GetTemperature", AT("10", "10.625"),
		  SUBS(CALL("04", "read", "x", AT("10", "10.5"), ""))) } },
	/* what was asked for, and by whom */
	{ "game",
	  { ROOT("web", SHORT, URL("http://h/api/game/7") ",'user':'bob'") } },
	{ "games", { ROOT("web", SHORT, URL("http://h/api/games")) } },
	{ "v2-elsewhere",
	  { ROOT("front", SHORT, URL("http://api.example.com/v2/a")) } },
	{ "v2-there",
	  { ROOT("front", SHORT,
		 URL("http://api.example.com/v2/a") SUBS(CALL(
			 "02", "api.example.com", "remote", SHORT, ""))) } },
	{ "url-slow", { ROOT("front", AT("10", "13"), URL("http://h/v1/x")) } },
	{ "alice-slow",
	  { ROOT("front", AT("10", "14"), ""),
	    CHILD("02", "01", "login", SHORT, ",'user':'alice'") } },
	{ "alice-fast", { ROOT("front", SHORT, ",'user':'alice'") } },
	/* nodes and edges */
	{ "api-fault", { ROOT("api.example.com", SHORT, STATUS(502)) } },
	{ "api-slow",
	  { ROOT("api.example.com", AT("10", "12.75"),
		 ",'annotations':{'account':12345}") } },
	{ "backend-error",
	  { ROOT("api.example.com", SHORT,
		 SUBS(CALL("02", "backend.example.com", "remote", SHORT,
			   STATUS(403)))) } },
	{ "backend-fault",
	  { ROOT("api.example.com", SHORT,
		 SUBS(CALL("02", "backend.example.com", "remote", SHORT,
			   STATUS(503)))) } },
	{ "backend-back",
	  { ROOT("backend.example.com", SHORT,
		 SUBS(CALL("02", "api.example.com", "remote", SHORT,
			   STATUS(403)))) } },
	{ "example-fault",
	  { ROOT("web", SHORT, ""),
	    CHILD("02", "01", "example.com", SHORT, STATUS(500)) } },
	{ "example-error",
	  { ROOT("web", SHORT, ""),
	    CHILD("02", "01", "example.com", SHORT, STATUS(400)) } },
	{ "example-fine",
	  { ROOT("web", SHORT, ",'fault':true"),
	    CHILD("02", "01", "example.com", SHORT, STATUS(200)) } },
	{ "mydomain-error", { ROOT("mydomain.com", SHORT, STATUS(400)) } },
	{ "function-error",
	  { ROOT("function-name", SHORT, ORIGIN("AWS::Lambda") STATUS(200)),
	    CHILD("02", "01", "function-name", SHORT,
		  ORIGIN("AWS::Lambda::Function") ",'error':true") } },
	{ "random-error",
	  { ROOT("random-name", SHORT, ORIGIN("AWS::Lambda") STATUS(200)),
	    CHILD("02", "01", "random-name", SHORT,
		  ORIGIN("AWS::Lambda::Function") ",'error':true") } },
	{ "random-refused",
	  { ROOT("random-name", SHORT, ORIGIN("AWS::Lambda") STATUS(429)) } },
	{ "typed",
	  { ROOT("service-one", SHORT, ORIGIN("service::type") ",'error':true"),
	    CHILD("02", "01", "service-two", SHORT,
		  ORIGIN("service::type") ",'aws':{'account_id':"
					  "'account-id'}") } },
	{ "typed-other",
	  { ROOT("service-one", SHORT, ORIGIN("other::type") ",'error':true"),
	    CHILD("02", "01", "service-two", SHORT,
		  ORIGIN("service::type")) } },
	/* annotations */
	{ "gameid",
	  { ROOT("web", SHORT,
		 SUBS(CALL("02", "save", "x", SHORT,
			   ",'annotations':{'gameid':"
			   "'817DL6VO','a.b':true}"))) } },
	{ "gameid-meta",
	  { ROOT("web", SHORT,
		 ",'metadata':{'gameid':'817DL6VO'}"
		 ",'annotations':{'a.b':false}") } },
	{ "age29", { ROOT("web", SHORT, ",'annotations':{'age':29}") } },
	{ "age30", { ROOT("web", SHORT, ",'annotations':{'age':30}") } },
	{ "age-text", { ROOT("web", SHORT, ",'annotations':{'age':'old'}") } },
};

enum { TRACES = sizeof(traces) / sizeof(traces[0]) };

#define WEATHER                                                           \
	"rootcause.json = #[{ \"Services\": [ { \"Name\": "               \
	"\"GetWeatherData\", \"EntityPath\": [{ \"Name\": "               \
	"\"GetWeatherData\" }, { \"Name\": \"get_temperature\" } ] }, { " \
	"\"Name\": \"GetTemperature\", \"EntityPath\": [ { \"Name\": "    \
	"\"GetTemperature\" } ] } ] }]"

static const struct example {
	const char *text;
	const char *selects; /* all of them; "!" in front: all but these */
	const char *misses;  /* one that is near */
} examples[] = {
	{ "responsetime > 5", "slow6 slow9", "trailing" },
	{ "duration >= 5 AND duration <= 8", "slow6 trailing", "slow9" },
	{ "ok",
	  "!redirected missing deserialize plane-root chain7 chain6 "
	  "auth-fault auth-fine denied denied-first api-fault "
	  "example-fine mydomain-error function-error random-error "
	  "random-refused typed typed-other",
	  "redirected" },
	{ "!ok",
	  "redirected missing deserialize plane-root chain7 chain6 "
	  "auth-fault auth-fine denied denied-first api-fault "
	  "example-fine mydomain-error function-error random-error "
	  "random-refused typed typed-other",
	  "plain" },
	{ "ok = false",
	  "redirected missing deserialize plane-root chain7 chain6 "
	  "auth-fault auth-fine denied denied-first api-fault "
	  "example-fine mydomain-error function-error random-error "
	  "random-refused typed typed-other",
	  "plain" },
	{ "rootcause.fault.entity { last and name = \"deserialize\" }",
	  "deserialize", "deserialize-outer" },
	{ "rootcause.responsetime.entity { remote and coverage > 0.7 and name "
	  "= \"traces\" }",
	  "far", "far-little" },
	{ "rootcause.fault.service { inferred and name = traces and type = "
	  "\"AWS::DynamoDB\" }",
	  "table-fault", "queue-fault" },
	{ "service(\"data-plane\") {root = true and fault = true}",
	  "plane-root", "plane-below" },
	{ "http.status != 200",
	  "redirected missing auth-fault auth-fine api-fault "
	  "mydomain-error random-refused",
	  "function-error" },
	{ "ok !partial duration <3",
	  "plain deserialize-outer table-fault queue-fault plane-below far "
	  "far-little near table-slow table-then weather weather-deeper game "
	  "games v2-elsewhere v2-there alice-fast api-slow backend-error "
	  "backend-fault backend-back example-fault example-error gameid "
	  "gameid-meta age29 age30 age-text",
	  "running" },
	{ "rootcause.fault.service { index > 5 }", "chain7", "chain6" },
	{ "rootcause.responsetime.entity { last and coverage > 0.8 }",
	  "!far far-little near weather weather-deeper", "weather" },
	{ "http.url CONTAINS \"/api/game/\"", "game", "games" },
	{ "user CONTAINS \"\"", "game alice-slow alice-fast", "games" },
	{ "rootcause.fault.service { name = \"Auth\" }", "auth-fault",
	  "auth-fine" },
	{ "rootcause.responsetime.service { last and type = "
	  "\"AWS::DynamoDB\" }",
	  "table-fault table-slow", "table-then" },
	{ "rootcause.fault.exception { last and message = \"Access Denied for "
	  "account_id: 1234567890\" ",
	  "denied", "denied-first" },
	{ "service(\"api.example.com\") { fault }", "api-fault",
	  "backend-fault" },
	{ "service() { fault }",
	  "deserialize table-fault queue-fault plane-root plane-below chain7 "
	  "chain6 auth-fault auth-fine denied denied-first api-fault "
	  "backend-fault example-fault example-fine",
	  "backend-error" },
	{ "edge(\"api.example.com\", \"backend.example.com\") { error }",
	  "backend-error", "backend-back" },
	{ "http.url BEGINSWITH \"http://api.example.com/\" AND http.url "
	  "CONTAINS \"/v2/\" AND !service(\"api.example.com\")",
	  "v2-elsewhere", "v2-there" },
	{ "http.url AND responseTime > 2", "url-slow", "v2-there" },
	{ "annotation.gameid = \"817DL6VO\"", "gameid", "gameid-meta" },
	{ "annotation.age", "age29 age30 age-text", "gameid" },
	{ "!annotation.age", "!age29 age30 age-text", "age29" },
	{ "annotation.age > 29", "age30", "age29" },
	{ "group.name = \"high_response_time\" AND user = \"alice\"",
	  "alice-slow", "alice-fast" },
	{ WEATHER, "weather", "weather-deeper" },
	{ "service(id(name: \"service-one\", type:\"service::type\")) { error "
	  "}",
	  "typed", "typed-other" },
	{ "edge(id(name: \"service-one\", type:\"service::type\"), id(name: "
	  "\"service-two\", type:\"service::type\")) { ok }",
	  "typed", "typed-other" },
	{ "service(id(name: \"service-two\", type:\"service::type\", "
	  "account.id:\"account-id\"))",
	  "typed", "typed-other" },
	{ "service(\"function-name\") { error }", "function-error",
	  "random-error" },
	{ "service(id(name: \"random-name\", type: "
	  "\"AWS::Lambda::Function\")) { error }",
	  "random-error", "random-refused" },
	{ "service(id(type: \"AWS::Lambda::Function\")) { error }",
	  "function-error random-error", "random-refused" },
	{ "service(id(account.id: \"account-id\"))", "typed", "typed-other" },
	/* groups, tags, the API reference, and the guide's earlier form */
	{ "service(\"example.com\") {fault}", "example-fault",
	  "example-error" },
	{ "service(\"example.com\") {fault OR error}",
	  "example-fault example-error", "example-fine" },
	{ "responsetime > 2", "slow6 slow9 url-slow alice-slow api-slow",
	  "trailing" },
	{ "service(\"mydomain.com\") {fault OR error}", "mydomain-error",
	  "example-error" },
	{ "service(\"api.example.com\")",
	  "v2-there api-fault api-slow backend-error backend-fault "
	  "backend-back",
	  "v2-elsewhere" },
	{ "annotation.account = \"12345\"", "api-slow", "age30" },
	{ "service(\"api.example.com\") { fault = true OR responsetime > 2.5 } "
	  "AND annotation.account = \"12345\"",
	  "api-slow", "api-fault" },
	{ "edge(\"api.example.com\", \"backend.example.com\") { fault = true }",
	  "backend-fault", "backend-error" },
	{ "error",
	  "missing mydomain-error function-error random-error "
	  "random-refused typed typed-other",
	  "example-error" },
	/* the form for names with dots in them */
	{ "annotation[gameid] = \"817DL6VO\"", "gameid", "gameid-meta" },
	{ "annotation[\"a.b\"]", "gameid", "gameid-meta" },
	{ "!annotation[a.b]", "!gameid", "gameid" },
};

static bool find_group(void *arg, struct sv name, struct sv arn,
		       struct sv *expression)
{
	(void)arg;
	if (!sv_eq(name, SV("high_response_time")) || arn.len)
		return false;
	*expression = SV("responseTime > 3");
	return true;
}

static bool is_listed(const char *list, const char *name)
{
	struct sv rest = sv_from(list);

	while (rest.len)
		if (sv_eq(sv_cut(&rest, ' '), sv_from(name)))
			return true;
	return false;
}

static void test_examples(void **state)
{
	static const struct filter_groups groups = { find_group, NULL };
	struct filter_case *cases = calloc(TRACES, sizeof(*cases));
	unsigned bad = 0;

	(void)state;
	assert_non_null(cases);
	for (unsigned i = 0; i < TRACES; i++)
		filter_case_make(&cases[i], &traces[i], i);
	for (size_t k = 0; k < sizeof(examples) / sizeof(examples[0]); k++) {
		const struct example *x = &examples[k];
		bool all_but = x->selects[0] == '!', missed = false;
		struct arena arena = ARENA_INIT;
		struct diag diag = { 0 };
		struct filter f;

		if (filter_parse(&f, sv_from(x->text), &groups, &arena,
				 &diag)) {
			print_error("%s: %s\n", x->text, diag.text);
			bad++;
			continue;
		}
		for (unsigned i = 0; i < TRACES; i++) {
			bool is = filter_match(&f, &cases[i].facts);
			bool listed =
				is_listed(x->selects + all_but, traces[i].name);

			missed = missed ||
				 (!is && !strcmp(x->misses, traces[i].name));
			if (is != (listed != all_but)) {
				print_error("%s: %s is %s\n", x->text,
					    traces[i].name,
					    is ? "selected" : "not selected");
				bad++;
			}
			assert_false(cases[i].facts.failed);
		}
		if (!missed) {
			print_error("%s: no near miss\n", x->text);
			bad++;
		}
		arena_fini(&arena);
	}
	for (unsigned i = 0; i < TRACES; i++)
		filter_case_free(&cases[i]);
	free(cases);
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
