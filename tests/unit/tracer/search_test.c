/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a search are the same from the head, from blocks, from both, and
 * after a restart; pages end where they must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tracer/view.h"
#include "tracer/search.h"
#include "tracer/summary_json.h"

enum { TRACES = 120 };

#define T0_S (VIEW_T0 / NS_PER_S)

/* Each trace differs in what the table below asks for. */
static void send(struct view_fixture *f, unsigned i)
{
	static const char *const calls[] = { "DynamoDB", "SQS", "S3" };
	unsigned status = i % 10 == 0 ? 500 : i % 7 == 0 ? 429 : 200;
	long long start = (long long)T0_S + i;
	struct buf b = BUF_INIT;

	buf_format(&b,
		   "{\"trace_id\":\"1-%08llx-%024x\",\"id\":\"%016x\",\"name\":"
		   "\"web%u\",\"origin\":\"AWS::EC2::Instance\",\"start_time\":"
		   "%lld,\"end_time\":%lld.%03u,\"user\":\"u%u\",\"http\":{"
		   "\"request\":{\"url\":\"http://h/%u\"},\"response\":{"
		   "\"status\":%u}},\"annotations\":{\"n\":%u,\"odd\":%s},"
		   "\"subsegments\":[{\"id\":\"%016x\",\"name\":\"%s\","
		   "\"namespace\":\"aws\",\"start_time\":%lld,\"end_time\":"
		   "%lld.%03u%s}]}",
		   start, i, i * 8 + 1, i % 3, start, start, i + 1, i % 5, i,
		   status, i, i % 2 ? "true" : "false", i * 8 + 2, calls[i % 3],
		   start, start, i / 2 + 1,
		   status == 500 ? ",\"fault\":true,\"cause\":{\"exceptions\":["
				   "{\"type\":\"E\",\"message\":\"m\"}]}" :
				   "");
	view_send(f, b.ptr);
	buf_fini(&b);
	if (i % 4)
		return;
	buf_format(&b,
		   "{\"trace_id\":\"1-%08llx-%024x\",\"id\":\"%016x\","
		   "\"parent_id\":\"%016x\",\"name\":\"worker\","
		   "\"start_time\":%lld,%s%lld}",
		   start, i, i * 8 + 3, i * 8 + 1, start,
		   i % 8 ? "\"in_progress\":true,\"metadata\":" :
			   "\"end_time\":",
		   start + 200);
	view_send(f, b.ptr);
	buf_fini(&b);
}

static const struct {
	const char *text;
	unsigned count;
} questions[] = {
	{ "", 120 },
	{ "fault", 12 },
	{ "!fault AND !throttle", 92 },
	{ "throttle", 16 },
	{ "ok", 92 },
	{ "partial", 15 },
	{ "duration > 100", 15 },
	{ "responsetime <= 0.01", 10 },
	{ "service(web1)", 40 },
	{ "service(worker)", 30 },
	{ "service(id(type: \"AWS::SQS\"))", 40 },
	{ "edge(web0, id(type: \"AWS::DynamoDB\")) { responsetime > 0.03 }",
	  20 },
	{ "edge(web0, worker)", 10 },
	{ "annotation.n < 10 OR annotation.odd", 65 },
	{ "http.url ENDSWITH \"/77\"", 1 },
	{ "user = u3 AND http.status = 200", 21 },
	{ "rootcause.fault.exception { message = m }", 12 },
	{ "rootcause.responsetime.entity { last and coverage > 0.5 }", 60 },
	{ "rootcause.fault.service { last and inferred and name = S3 }", 4 },
};

enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

/* All that was found of one question, as GetTraceSummaries tells it. */
struct answer {
	struct json_writer w;
	struct buf text;
	uint64_t count, processed;
};

static int put(void *arg, const struct trace *trace, struct facts *facts)
{
	struct answer *a = arg;

	summary_json_xray(&a->w, trace, facts, 0);
	a->count++;
	return 0;
}

static void ask(struct view_fixture *f, const char *text, size_t page,
		struct answer *out)
{
	struct arena arena = ARENA_INIT;
	struct filter filter;
	struct search s = { .scope = &view_home,
			    .start_ns = VIEW_T0,
			    .end_ns = VIEW_T0 + 3600 * NS_PER_S,
			    .filter = &filter,
			    .found_max = page,
			    .found = put,
			    .arg = out };
	int e;

	*out = (struct answer){ .count = 0 };
	out->w = json_writer(&out->text);
	assert_int_equal(
		filter_parse(&filter, sv_from(text), NULL, &arena, NULL), 0);
	json_open_array(&out->w);
	do {
		char token[SEARCH_TOKEN_TEXT + 1];

		e = search_page(f->t, &s);
		assert_true(e >= 0 && s.count <= page && s.reads >= s.count);
		out->processed += s.processed;
		/* as a client goes on: by the token alone */
		search_token(&s, 7, token);
		s.cursor = (struct traces_cursor){ .set = false };
		assert_false(search_token_read(&s, 8, sv_from(token)));
		assert_true(search_token_read(&s, 7, sv_from(token)));
	} while (e == 1);
	json_close_array(&out->w);
	arena_fini(&arena);
}

static void ask_all(struct view_fixture *f, size_t page,
		    struct answer out[QUESTIONS])
{
	for (unsigned i = 0; i < QUESTIONS; i++) {
		ask(f, questions[i].text, page, &out[i]);
		if (out[i].count != questions[i].count)
			print_error("%s\n", questions[i].text);
		assert_int_equal(out[i].count, questions[i].count);
		assert_int_equal(out[i].processed, TRACES);
	}
}

static void free_all(struct answer answers[QUESTIONS])
{
	for (unsigned i = 0; i < QUESTIONS; i++)
		buf_fini(&answers[i].text);
}

static void same(struct view_fixture *f, size_t page,
		 struct answer first[QUESTIONS])
{
	struct answer answers[QUESTIONS];

	ask_all(f, page, answers);
	for (unsigned i = 0; i < QUESTIONS; i++)
		assert_true(sv_eq(buf_view(&answers[i].text),
				  buf_view(&first[i].text)));
	free_all(answers);
}

static void test_same_answers_in_all_states(void **state)
{
	struct view_fixture *f = *state;
	struct answer first[QUESTIONS];
	struct traces_stats stats;

	for (unsigned i = 0; i < TRACES; i++)
		send(f, i);
	ask_all(f, 1000, first); /* from the head */
	same(f, 7, first);
	view_restart(f);
	same(f, 1000, first);
	assert_int_equal(traces_seal(f->t), 0);
	traces_stats(f->t, &stats);
	assert_int_equal(stats.head_traces, 0);
	same(f, 1000, first); /* from a block */
	same(f, 7, first);
	view_restart(f);
	same(f, 1000, first);
	free_all(first);
}

static void test_same_answers_of_several_blocks(void **state)
{
	struct view_fixture *f = *state;
	struct answer first[QUESTIONS];
	struct traces_stats stats;

	for (unsigned i = 0; i < TRACES; i++) {
		send(f, i * 7 % TRACES);
		if (i % 50 == 49)
			assert_int_equal(traces_seal(f->t), 0);
	}
	traces_stats(f->t, &stats);
	assert_int_equal(stats.blocks, 2);
	assert_true(stats.head_traces > 0);
	ask_all(f, 1000, first); /* from blocks and head */
	same(f, 7, first);
	view_restart(f);
	same(f, 1000, first);
	free_all(first);
}

static void test_share(void **state)
{
	struct view_fixture *f = *state;
	struct answer a = { .count = 0 };
	struct search s = { .scope = &view_home,
			    .start_ns = VIEW_T0,
			    .end_ns = VIEW_T0 + 3600 * NS_PER_S,
			    .share_ppm = 500000,
			    .found = put,
			    .arg = &a };

	for (unsigned i = 0; i < TRACES; i++)
		send(f, i);
	a.w = json_writer(&a.text);
	json_open_array(&a.w);
	assert_int_equal(search_page(f->t, &s), 0);
	json_close_array(&a.w);
	assert_int_equal(s.processed, TRACES);
	assert_int_equal(s.reads, s.count);
	assert_true(s.count > TRACES / 4 && s.count < TRACES * 3 / 4);
	buf_fini(&a.text);
}

static int refuse(void *arg, const struct trace *trace, struct facts *facts)
{
	(void)trace;
	(void)facts;
	++*(unsigned *)arg;
	return ERR_FULL;
}

/* An error ends a page, and the cursor is before what it was about. */
static void test_errors(void **state)
{
	struct view_fixture *f = *state;
	unsigned count = 0;
	struct search s = { .scope = &view_home,
			    .start_ns = VIEW_T0,
			    .end_ns = VIEW_T0 + 3600 * NS_PER_S,
			    .found = refuse,
			    .arg = &count };

	send(f, 1);
	assert_int_equal(search_page(f->t, &s), ERR_FULL);
	assert_int_equal(search_page(f->t, &s), ERR_FULL);
	assert_int_equal(count, 2);
	assert_false(search_token_read(&s, 1, SV("")));
	assert_false(search_token_read(&s, 1, SV("00")));
}

static int go_on(void *arg, const struct trace *trace, struct facts *facts)
{
	(void)trace;
	(void)facts;
	++*(unsigned *)arg;
	return 0;
}

/* Documents read for one page, and traces found on one. */
static void test_limits(void **state)
{
	struct view_fixture *f = *state;
	struct arena arena = ARENA_INIT;
	unsigned count = 0;
	struct filter none;
	struct search s = { .scope = &view_home,
			    .start_ns = 0,
			    .end_ns = INT64_MAX,
			    .found = go_on,
			    .arg = &count };

	for (unsigned i = 0; i < SEARCH_READS_MAX + 10; i++)
		view_segment(f, i, 1, 0, "");
	assert_int_equal(search_page(f->t, &s), 1);
	assert_int_equal(count, SEARCH_FOUND_MAX);
	s.cursor.set = false;
	assert_int_equal(filter_parse(&none, SV("user"), NULL, &arena, NULL),
			 0);
	s.filter = &none;
	assert_int_equal(search_page(f->t, &s), 1);
	assert_int_equal(s.reads, SEARCH_READS_MAX);
	assert_int_equal(search_page(f->t, &s), 0);
	assert_int_equal(s.reads, 10);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VIEW_TEST(test_same_answers_in_all_states),
		VIEW_TEST(test_same_answers_of_several_blocks),
		VIEW_TEST(test_share),
		VIEW_TEST(test_errors),
		VIEW_TEST(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
