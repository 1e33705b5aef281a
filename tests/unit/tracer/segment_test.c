/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "tracer/segment.h"

#define ID "\"id\":\"0123456789abcdef\""
#define TRACE "\"trace_id\":\"1-6b02bf61-002839e93afd589cb52ba4b1\""
#define NAME "\"name\":\"svc\""
#define START "\"start_time\":1795342177.403"
#define END "\"end_time\":1795342177.503"
#define ALL ID "," TRACE "," NAME "," START "," END

static void test_refusals(void **state)
{
	static const struct {
		const char *document;
		enum segment_refusal refusal;
		const char *code;
	} rows[] = {
		{ "{" ALL "}", SEGMENT_OK, "" },
		{ "", SEGMENT_NOT_JSON, "ParseError" },
		{ "[]", SEGMENT_NOT_JSON, "ParseError" },
		{ "{" ALL "} x", SEGMENT_NOT_JSON, "ParseError" },
		{ "{}", SEGMENT_NO_ID, "MissingId" },
		{ "{\"id\":null}", SEGMENT_NO_ID, "MissingId" },
		{ "{\"id\":7}", SEGMENT_BAD_ID, "InvalidId" },
		{ "{\"id\":\"0123456789abcde\"}", SEGMENT_BAD_ID, "InvalidId" },
		{ "{" ID "}", SEGMENT_NO_TRACE_ID, "MissingTraceId" },
		{ "{" ID
		  ",\"trace_id\":\"1-6b02bf61-002839e93afd589cb52ba4b\"}",
		  SEGMENT_BAD_TRACE_ID, "InvalidTraceId" },
		{ "{" ID
		  ",\"trace_id\":\"2-6b02bf61-002839e93afd589cb52ba4b1\"}",
		  SEGMENT_BAD_TRACE_ID, "InvalidTraceId" },
		{ "{" ID "," TRACE "}", SEGMENT_NO_NAME, "MissingName" },
		{ "{" ID "," TRACE ",\"name\":\"\"}", SEGMENT_NO_NAME,
		  "MissingName" },
		{ "{" ID "," TRACE ",\"name\":\"a<b\"}", SEGMENT_BAD_NAME,
		  "InvalidName" },
		{ "{" ID "," TRACE "," NAME "}", SEGMENT_NO_START_TIME,
		  "MissingStartTime" },
		{ "{" ID "," TRACE "," NAME ",\"start_time\":\"1\"}",
		  SEGMENT_BAD_START_TIME, "InvalidStartTime" },
		{ "{" ID "," TRACE "," NAME ",\"start_time\":-1}",
		  SEGMENT_BAD_START_TIME, "InvalidStartTime" },
		{ "{" ID "," TRACE "," NAME ",\"start_time\":1e300}",
		  SEGMENT_BAD_START_TIME, "InvalidStartTime" },
		{ "{" ID "," TRACE "," NAME "," START ",\"end_time\":true}",
		  SEGMENT_BAD_END_TIME, "InvalidEndTime" },
		{ "{" ID "," TRACE "," NAME "," START "}", SEGMENT_NO_END_TIME,
		  "MissingEndTime" },
		{ "{" ID "," TRACE "," NAME "," START ",\"in_progress\":true}",
		  SEGMENT_OK, "" },
		{ "{" ID "," TRACE "," NAME "," START ",\"in_progress\":false}",
		  SEGMENT_NO_END_TIME, "MissingEndTime" },
		{ "{" ALL ",\"type\":\"segment\"}", SEGMENT_BAD_TYPE,
		  "InvalidType" },
		{ "{" ALL ",\"type\":\"subsegment\"}", SEGMENT_NO_PARENT_ID,
		  "MissingParentId" },
		{ "{" ALL ",\"parent_id\":\"x\"}", SEGMENT_BAD_PARENT_ID,
		  "InvalidParentId" },
		{ "{" ALL ",\"subsegments\":[{" ID "," NAME "," START "}]}",
		  SEGMENT_OK, "" },
		{ "{" ALL ",\"subsegments\":[{" NAME "," START "}]}",
		  SEGMENT_BAD_SUBSEGMENT, "InvalidSubsegment" },
		{ "{" ALL ",\"subsegments\":[7]}", SEGMENT_BAD_SUBSEGMENT,
		  "InvalidSubsegment" },
		/* of a repeated key the first counts; a key may be escaped */
		{ "{" ALL ",\"id\":7,\"name\":\"\"}", SEGMENT_OK, "" },
		{ "{\"\\u0069d\":\"0123456789abcdef\"," TRACE "," NAME "," START
		  "," END "}",
		  SEGMENT_OK, "" },
		/* kept, and read as absent */
		{ "{" ALL ",\"namespace\":7,\"cause\":200,\"http\":[1],"
		  "\"aws\":{\"request_id\":null},\"annotations\":[]}",
		  SEGMENT_OK, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = ARENA_INIT;
		struct segment s;
		enum segment_refusal refusal =
			segment_check(sv_from(rows[i].document), &arena, &s);

		if (refusal != rows[i].refusal)
			print_error("row %zu: %s\n", i, rows[i].document);
		assert_int_equal(refusal, rows[i].refusal);
		assert_string_equal(segment_refusal_code(refusal),
				    rows[i].code);
		arena_fini(&arena);
	}
}

static enum segment_refusal check_name(const char *name, bool subsegment)
{
	struct arena arena = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct segment s;
	enum segment_refusal refusal;

	buf_format(&b, "{" ID "," TRACE "," START "," END ",\"name\":\"%s\"%s}",
		   name,
		   subsegment ? ",\"type\":\"subsegment\",\"parent_id\":"
				"\"00000000000000ff\"" :
				"");
	refusal = segment_check(buf_view(&b), &arena, &s);
	buf_fini(&b);
	arena_fini(&arena);
	return refusal;
}

static void test_limits(void **state)
{
	char name[2 * (SEGMENT_NAME_MAX + 1) + 1] = "";
	struct arena arena = ARENA_INIT;
	struct arena small = { .limit = 256 };
	struct buf b = BUF_INIT;
	struct segment s;

	(void)state;
	/* 200 characters of two bytes are a name, 201 are not. */
	for (int i = 0; i < SEGMENT_NAME_MAX; i++)
		memcpy(name + 2 * i, "\xc3\xa9", 3);
	assert_int_equal(check_name(name, false), SEGMENT_OK);
	memcpy(name + 2 * SEGMENT_NAME_MAX, "\xc3\xa9", 3);
	assert_int_equal(check_name(name, false), SEGMENT_BAD_NAME);
	assert_int_equal(check_name("a<b", false), SEGMENT_BAD_NAME);
	assert_int_equal(check_name("a<b", true), SEGMENT_OK);
	/* A document of exactly the limit, and one byte more. */
	buf_text(&b, "{" ALL "}");
	while (b.len < SEGMENT_BYTES_MOST)
		buf_char(&b, ' ');
	assert_int_equal(segment_check(buf_view(&b), &arena, &s), SEGMENT_OK);
	buf_char(&b, ' ');
	assert_int_equal(segment_check(buf_view(&b), &arena, &s),
			 SEGMENT_TOO_LARGE);
	assert_int_equal(segment_check(SV("{" ALL ",\"a\":[1,2,3,4,5,6,7,8,9,"
					  "10,11,12,13,14,15,16,17,18,19]}"),
				       &small, &s),
			 SEGMENT_NO_MEMORY);
	buf_fini(&b);
	arena_fini(&small);
	arena_fini(&arena);
}

static void test_status(void **state)
{
	static const struct {
		const char *members;
		enum segment_status status;
	} rows[] = {
		{ "", SEGMENT_STATUS_OK },
		{ ",\"error\":true", SEGMENT_STATUS_ERROR },
		{ ",\"throttle\":true,\"error\":true",
		  SEGMENT_STATUS_THROTTLE },
		{ ",\"fault\":true,\"error\":true", SEGMENT_STATUS_FAULT },
		{ ",\"fault\":false", SEGMENT_STATUS_OK },
		/* facts: JS marks 404 as error and fault, 429 as all three */
		{ ",\"fault\":true,\"error\":true,"
		  "\"http\":{\"response\":{\"status\":404}}",
		  SEGMENT_STATUS_ERROR },
		{ ",\"fault\":true,\"error\":true,\"throttle\":true,"
		  "\"http\":{\"response\":{\"status\":429}}",
		  SEGMENT_STATUS_THROTTLE },
		{ ",\"http\":{\"response\":{\"status\":503}}",
		  SEGMENT_STATUS_FAULT },
		{ ",\"fault\":true,\"http\":{\"response\":{\"status\":200}}",
		  SEGMENT_STATUS_FAULT },
		{ ",\"http\":{\"response\":{\"status\":\"x\"}}",
		  SEGMENT_STATUS_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = ARENA_INIT;
		struct buf b = BUF_INIT;
		struct segment s;

		buf_format(&b, "{" ALL "%s}", rows[i].members);
		assert_int_equal(segment_check(buf_view(&b), &arena, &s),
				 SEGMENT_OK);
		assert_int_equal(s.status, rows[i].status);
		buf_fini(&b);
		arena_fini(&arena);
	}
}

static void test_ids(void **state)
{
	uint8_t a[TRACE_ID_SIZE], b[TRACE_ID_SIZE];
	char text[TRACE_ID_TEXT + 1];

	(void)state;
	assert_true(
		trace_id_parse(SV("1-6b02bf61-002839e93afd589cb52ba4b1"), a));
	assert_true(trace_id_parse(SV("6B02BF61002839e93afd589cb52ba4b1"), b));
	assert_memory_equal(a, b, TRACE_ID_SIZE);
	trace_id_text(a, text);
	assert_string_equal(text, "1-6b02bf61-002839e93afd589cb52ba4b1");
	assert_false(
		trace_id_parse(SV("1-6b02bf61+002839e93afd589cb52ba4b1"), a));
	assert_false(trace_id_parse(SV(""), a));
}

static void test_members(void **state)
{
	struct arena arena = ARENA_INIT;
	struct segment s;

	(void)state;
	assert_int_equal(
		segment_check(
			SV("{" ALL ",\"parent_id\":\"00000000000000ff\","
			   "\"namespace\":\"aws\",\"origin\":\"AWS::Lambda\","
			   "\"aws\":{\"request_id\":\"r\\u0031\","
			   "\"operation\":\"GetItem\",\"table_name\":\"t\"},"
			   "\"http\":{\"request\":{\"traced\":true}},"
			   "\"cause\":{\"exceptions\":[{\"type\":\"E\","
			   "\"message\":\"m\"}]}}"),
			&arena, &s),
		SEGMENT_OK);
	assert_int_equal(s.start_ns, 1795342177403000000);
	assert_int_equal(s.end_ns, 1795342177503000000);
	assert_true(s.has_parent && s.traced && !s.subsegment);
	assert_int_equal(s.parent_id[7], 0xff);
	assert_true(sv_eq(s.request_id, SV("r1")));
	assert_true(sv_eq(s.operation, SV("GetItem")));
	assert_true(sv_eq(s.resource, SV("t")));
	assert_true(sv_eq(s.resource_key, SV("table_name")));
	assert_true(sv_eq(s.error_type, SV("E")));
	assert_true(sv_eq(s.error_message, SV("m")));
	assert_true(sv_eq(s.origin, SV("AWS::Lambda")));
	arena_fini(&arena);
}

static int count_spans(void *arg, const struct segment *segment,
		       const struct segment *parent, unsigned depth)
{
	assert_int_equal(parent == NULL, depth == 0);
	assert_true(segment->end_ns >= segment->start_ns);
	++*(size_t *)arg;
	return 0;
}

/* Every datagram that SDKs were seen to send is taken. */
static void test_datagrams(void **state)
{
	static const char folder[] = "tests/fixtures/udp";
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t files = 0, spans = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct arena arena = ARENA_INIT;
		static char bytes[SEGMENT_BYTES_MAX + 64];
		char path[512];
		struct segment s;
		struct sv rest;
		FILE *f;

		if (!sv_ends(sv_from(entry->d_name), SV(".bin")))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		f = fopen(path, "rb");
		assert_non_null(f);
		rest = sv_make(bytes, fread(bytes, 1, sizeof(bytes), f));
		fclose(f);
		(void)sv_cut(&rest, '\n');
		if (segment_check(rest, &arena, &s) != SEGMENT_OK)
			fail_msg("%s", path);
		assert_int_equal(segment_walk(&s, &arena, count_spans, &spans),
				 0);
		files++;
		arena_fini(&arena);
	}
	closedir(dir);
	assert_true(files >= 60);
	assert_true(spans > 200);
}

struct visit {
	const struct segment_record *record;
	uint32_t at;
};

static int compare_next(void *arg, const struct segment *segment,
			const struct segment *parent, unsigned depth)
{
	struct visit *v = arg;
	const struct segment *taken = &v->record->read[v->at];

	assert_true(v->at++ < v->record->read_count);
	assert_memory_equal(taken->id, segment->id, SEGMENT_ID_SIZE);
	assert_memory_equal(taken->parent_id, segment->parent_id,
			    SEGMENT_ID_SIZE);
	assert_true(sv_eq(taken->name, segment->name));
	assert_int_equal(taken->start_ns, segment->start_ns);
	assert_int_equal(taken->depth, depth);
	if (parent)
		assert_memory_equal(v->record->read[taken->container].id,
				    parent->id, SEGMENT_ID_SIZE);
	return 0;
}

/* What is taken once is what a walk visits, in the same order. */
static void test_taken(void **state)
{
#define SUB(id, more) \
	"{\"id\":\"000000000000000" id "\",\"name\":\"s" id "\"," START more "}"
	struct segment_record r = {
		.document = SV("{" ALL ",\"subsegments\":[" SUB(
			"1",
			",\"subsegments\":[" SUB("2", "") "," SUB(
				"3",
				",\"subsegments\":[" SUB(
					"4",
					"") "]") "]") "," SUB("5",
							      "") "," SUB("6",
									  "") "]}"),
	};
	struct arena arena = ARENA_INIT;
	struct visit v = { .record = &r };

	(void)state;
	assert_int_equal(segment_take(&r, &arena), SEGMENT_OK);
	assert_int_equal(r.read_count, 7);
	assert_int_equal(segment_walk(r.read, &arena, compare_next, &v), 0);
	assert_int_equal(v.at, 7);
	r.document.len--;
	r.parsed = NULL;
	assert_int_equal(segment_take(&r, &arena), SEGMENT_NOT_JSON);
	assert_null(r.read);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_taken),
	};

	return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
