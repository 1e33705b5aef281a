/* SPDX-License-Identifier: Apache-2.0 */
/* Any id finds its trace: which members are ids, and the index of a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/protobuf.h"
#include "tests/unit/tracer/view.h"
#include "tracer/id_index.h"
#include "tracer/ids.h"

static void test_keys(void **state)
{
	static const struct {
		const char *path, *key;
		bool is;
	} rows[] = {
		{ "aws", "request_id", true },
		{ "aws", "RequestId", true },
		{ "api_gateway", "extended_request_id", true },
		{ "", "aws.request_id", true },
		{ "", "messaging.message.id", true },
		{ "", "messaging.message_id", true },
		{ "", "faas.invocation_id", true },
		{ "", "faas.execution", true },
		{ "", "x-amzn-requestid", true },
		{ "step_functions", "execution_arn", true },
		{ "", "aws.kinesis.eventID", true },
		{ "aws", "id_2", true },
		{ "aws", "request", false },
		{ "aws", "request_ids", false },
		{ "aws", "table_name", false },
		{ "", "user.id", false },
		{ "http", "execution", false },
		{ "", "id", false },
		{ "", "", false },
		{ "", "d", false },
		{ "other", "id_2", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ids_is_key(sv_from(rows[i].path), sv_from(rows[i].key)) !=
		    rows[i].is)
			fail_msg("%s %s", rows[i].path, rows[i].key);
}

static void finds(struct view_fixture *f, const char *id, unsigned n)
{
	uint8_t found[TRACE_ID_SIZE];
	int e = traces_find(f->t, &view_home, sv_from(id), found);

	if (e != (n ? 0 : ERR_NOT_FOUND) || (n && found[15] != n))
		fail_msg("%s: %s, trace %u", id, err_text(e), found[15]);
}

static void send_span(struct view_fixture *f, unsigned n, struct sv key,
		      struct sv value)
{
	struct span_source source = { .resource = SV("") };
	struct span_record span = { .source = &source };
	struct records records = { .spans = &span, .span_count = 1 };
	struct frame frame = { .position = f->position,
			       .next = f->position + 64,
			       .scope = view_home,
			       .received = { f->now_ns } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v = traces_view(f->t);
	uint8_t id[TRACE_ID_SIZE] = { 7, [15] = (uint8_t)n };
	struct buf b = BUF_INIT;
	size_t attribute, any;

	protobuf_put_bytes(&b, 1, sv_make((char *)id, TRACE_ID_SIZE));
	id[0] = 0xab;
	protobuf_put_bytes(&b, 2, sv_make((char *)id, SEGMENT_ID_SIZE));
	protobuf_put_bytes(&b, 5, SV("work"));
	protobuf_put_fixed64(&b, 7, (uint64_t)VIEW_T0);
	protobuf_put_fixed64(&b, 8, (uint64_t)VIEW_T0 + 1);
	attribute = protobuf_open(&b, 9);
	protobuf_put_bytes(&b, 1, key);
	any = protobuf_open(&b, 2);
	protobuf_put_bytes(&b, 1, value);
	protobuf_close(&b, any);
	protobuf_close(&b, attribute);
	span.span = buf_view(&b);
	assert_int_equal(v->ops->apply(v->self, &d), 0);
	f->position += 64;
	buf_fini(&b);
}

/* One trace for each kind of id that facts about AWS know. */
static const struct {
	const char *more, *id;
} kinds[] = {
	{ ",\"aws\":{\"request_id\":\"6c2d04e1-90c7-4e3f-a7a3-30e3e7b3c2a1\"}",
	  "6c2d04e1-90c7-4e3f-a7a3-30e3e7b3c2a1" },
	{ ",\"aws\":{\"api_gateway\":{\"request_id\":\"gw-1\"}}", "gw-1" },
	{ ",\"aws\":{\"api_gateway\":{\"extendedRequestId\":\"EXT=\"}}",
	  "EXT=" },
	{ ",\"aws\":{\"sqs\":{\"message_id\":\"m-1\"}}", "m-1" },
	{ ",\"annotations\":{\"MessageId\":\"sns-1\"}", "sns-1" },
	{ ",\"aws\":{\"kinesis\":{\"eventID\":\"shardId-000:49\"}}",
	  "shardId-000:49" },
	{ ",\"annotations\":{\"cloudfront_request_id\":\"cf==\"}", "cf==" },
	{ ",\"aws\":{\"execution_arn\":\"arn:aws:states:us-east-1:1:"
	  "execution:m:e\"}",
	  "arn:aws:states:us-east-1:1:execution:m:e" },
	{ ",\"aws\":{\"cloudtrail\":{\"requestID\":\"ct-\\u0031\"}}", "ct-1" },
	{ ",\"subsegments\":[{\"id\":\"00000000000000aa\",\"name\":\"x\","
	  "\"start_time\":1,\"aws\":{\"request_id\":\"inner\"}}]",
	  "inner" },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void check_kinds(struct view_fixture *f)
{
	for (unsigned i = 0; i < KINDS; i++)
		finds(f, kinds[i].id, i + 1);
	finds(f, "00000000000000aa", KINDS); /* a nested one's */
	finds(f, "00000000000000AA", KINDS);
	finds(f, "0000000000000103", 3);  /* a segment's */
	finds(f, "ab00000000000000", 99); /* a span's */
	finds(f, "span-message", 99);
	finds(f, "00000000000000ab", 0);
	finds(f, "gw-2", 0);
	finds(f, "", 0);
}

static void test_kinds(void **state)
{
	struct view_fixture *f = *state;

	for (unsigned i = 0; i < KINDS; i++)
		view_segment(f, i + 1, 0x101 + i, (int)i, kinds[i].more);
	send_span(f, 99, SV("messaging.message.id"), SV("span-message"));
	check_kinds(f);
	assert_int_equal(traces_seal(f->t), 0);
	check_kinds(f);
	view_restart(f);
	check_kinds(f);
}

/* Seen in several traces: the latest, from the head and from a block. */
static void test_latest(void **state)
{
	struct view_fixture *f = *state;
	const char *more = ",\"aws\":{\"request_id\":\"again\"}";

	view_segment(f, 1, 1, 10, more);
	view_segment(f, 2, 2, 20, more);
	finds(f, "again", 2);
	assert_int_equal(traces_seal(f->t), 0);
	finds(f, "again", 2);
	view_segment(f, 3, 3, 5, more);
	finds(f, "again", 3);
	assert_int_equal(traces_seal(f->t), 0);
	finds(f, "again", 3);
}

static void test_index(void **state)
{
	enum { COUNT = 20000, CHUNKS = 300 };
	struct id_entry *list = calloc(COUNT + 600, sizeof(*list));
	struct buf page = BUF_INIT;
	uint64_t x = 88172645463325252u;
	size_t count, wrong = 0;
	unsigned bits;

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < COUNT; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		list[i] = (struct id_entry){ (uint32_t)(x >> 20),
					     (uint32_t)(x % CHUNKS) };
	}
	for (size_t i = 0; i < 600; i++) /* one id in every chunk, twice */
		list[COUNT + i] =
			(struct id_entry){ 0xffffffff, (uint32_t)(i / 2) };
	count = id_index_sort(list, COUNT + 600);
	assert_in_range(count, COUNT, COUNT + 300);
	bits = id_index_page_bits(count);
	assert_int_equal(bits, 3);
	for (uint32_t n = 0; n < 8; n++) {
		uint64_t left_out;

		buf_reset(&page);
		left_out = id_index_put(&page, list, count, bits, n, CHUNKS);
		assert_in_range(left_out, n == 7 ? 45 : 0, n == 7 ? 70 : 0);
		for (size_t i = 0; i < count; i++) {
			uint32_t chunks[256];
			size_t found, k = 0;

			if (list[i].hash >> 29 != n ||
			    list[i].hash == 0xffffffff)
				continue;
			assert_int_equal(id_index_find(buf_view(&page),
						       list[i].hash, chunks,
						       256, &found),
					 0);
			while (k < found && chunks[k] != list[i].chunk)
				k++;
			assert_true(k < found || n == 7);
			wrong += found - 1;
		}
	}
	/* the bits behind a bucket's tell most apart */
	assert_in_range(wrong, 0, COUNT);
	assert_true(page.len < 2500 * 2 + 1024);
	/* what is cut or not one is refused */
	for (size_t n = 0; n < page.len; n += 7) {
		uint32_t chunks[4];
		size_t found;

		assert_int_equal(id_index_find(sv_make(page.ptr, n), 0xffffff,
					       chunks, 4, &found),
				 ERR_CORRUPT);
	}
	buf_fini(&page);
	free(list);
}

/* Ten thousand documents of one trace, each sent three times. */
static void test_many_documents(void **state)
{
	struct view_fixture *f = *state;
	struct arena arena = ARENA_INIT;
	uint8_t id[TRACE_ID_SIZE];
	struct traces_stats s;
	struct trace trace;
	struct buf b = BUF_INIT;

	assert_true(
		trace_id_parse(SV("1-6b02bf61-000000000000000000000005"), id));
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 1; i <= TRACES_TRACE_DOCUMENTS_MAX; i++) {
			struct segment_record record = { 0 };
			struct records records = { .segments = &record,
						   .segment_count = 1 };
			struct frame frame = { .position = f->position,
					       .next = f->position + 64,
					       .scope = view_home,
					       .received = { f->now_ns } };
			struct delivery d = { .frame = &frame,
					      .records = &records };
			struct view *v = traces_view(f->t);

			buf_reset(&b);
			buf_format(&b,
				   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":"
				   "\"%016x\",\"type\":\"subsegment\","
				   "\"parent_id\":\"00000000000000ff\",\"name\""
				   ":\"n\",\"start_time\":1,%s}",
				   5, 1000 + i,
				   round ? "\"end_time\":2" :
					   "\"in_progress\":true");
			record.document = buf_view(&b);
			f->position += 64;
			assert_int_equal(v->ops->apply(v->self, &d), 0);
		}
	traces_stats(f->t, &s);
	assert_int_equal(s.head_documents, TRACES_TRACE_DOCUMENTS_MAX);
	assert_int_equal(s.replaced, TRACES_TRACE_DOCUMENTS_MAX);
	assert_int_equal(s.repeats, TRACES_TRACE_DOCUMENTS_MAX);
	for (int sealed = 0; sealed < 2; sealed++) {
		assert_int_equal(
			traces_get(f->t, &view_home, id, &arena, &trace), 0);
		assert_int_equal(trace.document_count,
				 TRACES_TRACE_DOCUMENTS_MAX);
		assert_false(trace.documents[77].in_progress);
		arena_reset(&arena);
		assert_int_equal(traces_seal(f->t), 0);
	}
	arena_fini(&arena);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),    cmocka_unit_test(test_index),
		VIEW_TEST(test_kinds),          VIEW_TEST(test_latest),
		VIEW_TEST(test_many_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
