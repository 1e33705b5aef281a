/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of formats 1 and 2, which have a row for each document, are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/block.h"
#include "tests/unit/tracer/view.h"
#include "tracer/rows.h"

static const char begun[] =
	"{\"trace_id\":\"1-6b02bf61-000000000000000000000001\",\"id\":"
	"\"00000000000000a1\",\"name\":\"svc\",\"start_time\":1795342001,"
	"\"in_progress\":true}";
static const char ended[] =
	"{\"trace_id\":\"1-6b02bf61-000000000000000000000001\",\"id\":"
	"\"00000000000000a1\",\"name\":\"svc\",\"start_time\":1795342001,"
	"\"end_time\":1795342002,\"aws\":{\"request_id\":\"old-1\"}}";

static void put(struct block_writer *w, const struct row_key *key,
		struct buf *value)
{
	assert_int_equal(
		block_writer_add(w, row_key_view(key), buf_view(value)), 0);
	buf_reset(value);
}

static void put_text(struct buf *out, const char *text)
{
	uint8_t len[4];

	put_le32(len, (uint32_t)strlen(text));
	buf_add(out, len, 4);
	buf_text(out, text);
}

/* As it was before format 3. */
static void put_long_summary(struct buf *out, const uint8_t id[TRACE_ID_SIZE])
{
	uint8_t times[16];

	buf_char(out, 0);
	buf_add(out, id, TRACE_ID_SIZE);
	put_le64(times, (uint64_t)VIEW_T0 + NS_PER_S);
	put_le64(times + 8, (uint64_t)VIEW_T0 + 2 * NS_PER_S);
	buf_add(out, times, 16);
	put_text(out, "svc");
	buf_char(out, 1);
	put_text(out, "old-1");
	buf_char(out, 1);
	put_text(out, "svc");
}

static void write_old_block(struct view_fixture *f, uint32_t format)
{
	struct block_options options = { .kind = BLOCK_KIND_TRACES,
					 .format = format,
					 .filter_prefix = ROW_PREFIX,
					 .time_min_ns = VIEW_T0,
					 .time_max_ns = VIEW_T0 };
	const struct document documents[] = {
		{ .bytes = { begun, sizeof(begun) - 1 } },
		{ .bytes = { ended, sizeof(ended) - 1 } },
	};
	uint8_t id[TRACE_ID_SIZE] = { 0x6b, 0x02, 0xbf, 0x61, [15] = 1 };
	uint8_t segment[SEGMENT_ID_SIZE] = { [7] = 0xa1 };
	struct buf value = BUF_INIT;
	struct block_writer *w;
	struct trace_key trace;
	struct row_key key;
	char path[128];

	snprintf(path, sizeof(path), "%s/0000000000000007.traces", f->dir);
	trace_key_make(&trace, &view_home, id);
	assert_int_equal(block_writer_open(&w, env_posix(), path, &options), 0);
	row_key_position(&key);
	row_put_position(&value, f->position, f->position);
	put(w, &key, &value);
	row_key_request(&key, &trace, SV("old-1"));
	row_put_request(&value, id, VIEW_T0, SV("old-1"));
	put(w, &key, &value);
	row_key_start(&key, &trace, VIEW_T0 + NS_PER_S);
	put_long_summary(&value, id);
	put(w, &key, &value);
	for (unsigned i = 0; i < 2; i++) {
		row_key_document(&key, &trace, segment, i + 1);
		row_put_document(&value, !i, VIEW_T0, &documents[i]);
		put(w, &key, &value);
	}
	assert_int_equal(block_writer_finish(w), 0);
	buf_fini(&value);
}

static void check(struct view_fixture *f, size_t documents)
{
	uint8_t id[TRACE_ID_SIZE] = { 0x6b, 0x02, 0xbf, 0x61, [15] = 1 };
	uint8_t found[TRACE_ID_SIZE];
	struct arena arena = ARENA_INIT;
	struct trace_list list;
	struct trace trace;

	assert_int_equal(traces_get(f->t, &view_home, id, &arena, &trace), 0);
	assert_int_equal(trace.document_count, documents);
	assert_true(sv_eq(trace.documents[0].document.bytes, sv_from(ended)));
	assert_int_equal(traces_find(f->t, &view_home, SV("old-1"), found), 0);
	assert_memory_equal(found, id, TRACE_ID_SIZE);
	assert_int_equal(traces_find(f->t, &view_home,
				     SV("6b02bf61000000000000000000000001"),
				     found),
			 0);
	assert_int_equal(traces_recent(f->t, &view_home, 0, INT64_MAX, SV(""),
				       0, &arena, &list),
			 0);
	assert_int_equal(list.count, 1);
	assert_true(sv_eq(list.rows[0].root, SV("svc")));
	assert_int_equal(list.rows[0].request_id_count, 1);
	arena_fini(&arena);
}

static void test_formats(void **state)
{
	struct view_fixture *f = *state;

	for (uint32_t format = 1; format <= 2; format++) {
		traces_close(f->t);
		view_files(f, view_remove);
		write_old_block(f, format);
		view_open(f); /* there is no checkpoint: blocks are taken */
		check(f, 1);
		/* more of the trace comes, and is sealed as blocks are now */
		view_segment(f, 1, 0xa2, 1,
			     ",\"parent_id\":\"00000000000000a1\"");
		check(f, 2);
		assert_int_equal(traces_seal(f->t), 0);
		check(f, 2);
		traces_close(f->t);
		view_open(f);
		check(f, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { VIEW_TEST(test_formats) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
