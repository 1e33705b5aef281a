/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "tests/bench/spans.h"
#include "tests/sim/documents.h"
#include "tracer/shape/columns_inner.h"

enum { START_NS_S = 1795342177 };

/* Documents packed by one dictionary, as rows of traces in order. */
struct pile {
	struct arena arena;
	struct documents documents;
	struct shapes *s;
	struct buf packed;
	struct columns_row *rows;
	struct columns_encoder *encoder;
};

static void pile_init(struct pile *p)
{
	*p = (struct pile){ .arena = ARENA_INIT };
	assert_int_equal(shapes_new(&p->s, 0), 0);
	assert_int_equal(columns_encoder_new(&p->encoder), 0);
	documents_init(&p->documents, &p->arena);
}

static void pile_fini(struct pile *p)
{
	columns_encoder_free(p->encoder);
	shapes_free(p->s);
	buf_fini(&p->packed);
	arena_fini(&p->arena);
}

static int compare(const void *a, const void *b)
{
	const struct columns_row *x = a, *y = b;
	int order = memcmp(x->trace_id, y->trace_id, TRACE_ID_SIZE);

	return order ? order : (x->extra > y->extra) - (x->extra < y->extra);
}

/* Packs all documents, by their own trace id where they have one; extra is
 * the document's number. */
static void pile_pack(struct pile *p)
{
	size_t count = p->documents.count;
	size_t *ends = arena_array(&p->arena, count, sizeof(*ends));
	struct arena scratch = ARENA_INIT;

	p->rows = arena_array(&p->arena, count, sizeof(*p->rows));
	buf_reset(&p->packed);
	for (size_t i = 0; i < count; i++) {
		const struct document *d = &p->documents.list[i];
		uint8_t *id = arena_array(&p->arena, 1, TRACE_ID_SIZE);
		struct segment segment;

		arena_reset(&scratch);
		if (document_read(d, &scratch, &segment) == SEGMENT_OK)
			memcpy(id, segment.trace_id, TRACE_ID_SIZE);
		assert_true(
			shape_pack_document(p->s, d, id, &scratch, &p->packed));
		p->rows[i].trace_id = id;
		p->rows[i].extra = i;
		ends[i] = p->packed.len;
	}
	for (size_t i = 0; i < count; i++) {
		size_t from = i ? ends[i - 1] : 0;

		p->rows[i].row = sv_make(p->packed.ptr + from, ends[i] - from);
	}
	qsort(p->rows, count, sizeof(*p->rows), compare);
	arena_fini(&scratch);
}

static size_t trace_end(const struct pile *p, size_t first)
{
	size_t end = first + 1;

	while (end < p->documents.count &&
	       !memcmp(p->rows[first].trace_id, p->rows[end].trace_id,
		       TRACE_ID_SIZE))
		end++;
	return end;
}

static void encode(struct pile *p, struct buf *chunk)
{
	assert_int_equal(columns_encode(p->encoder, NULL, p->s, p->rows,
					p->documents.count, chunk),
			 0);
}

static void assert_rows(const struct pile *p, const struct columns_row *rows,
			size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct columns_row *expected = &p->rows[first + i];
		const struct document *d = &p->documents.list[expected->extra];
		struct buf out = BUF_INIT;
		enum document_format format;

		assert_int_equal(rows[i].extra, expected->extra);
		assert_memory_equal(rows[i].trace_id, expected->trace_id,
				    TRACE_ID_SIZE);
		assert_int_equal(rows[i].row.len, expected->row.len);
		assert_memory_equal(rows[i].row.ptr, expected->row.ptr,
				    expected->row.len);
		assert_int_equal(shape_unpack(p->s, rows[i].row,
					      rows[i].trace_id, &format, &out),
				 0);
		assert_int_equal(format, d->format);
		assert_true(sv_eq(buf_view(&out), d->bytes));
		buf_fini(&out);
	}
}

/* All rows at once, each trace alone, and every third one in one go. */
static void assert_chunk(const struct pile *p, struct sv chunk)
{
	size_t count = p->documents.count, traces = 0;
	struct arena arena = ARENA_INIT;
	struct columns_row *rows;
	struct columns *c, *step;

	assert_int_equal(columns_open(&c, &arena, p->s, chunk), 0);
	assert_int_equal(columns_rows(c), count);
	assert_int_equal(columns_read(c, 0, count, &arena, &rows), 0);
	assert_rows(p, rows, 0, count);
	arena_reset(&arena);
	for (size_t i = 0, end; i < count; i = end, traces++) {
		struct arena_mark mark = arena_mark(&arena);
		size_t first, n;

		end = trace_end(p, i);
		if (traces > 50 && traces % 16)
			continue;
		assert_int_equal(columns_open(&c, &arena, p->s, chunk), 0);
		assert_true(columns_find(c, p->rows[i].trace_id, &first, &n));
		assert_int_equal(first, i);
		assert_int_equal(n, end - i);
		assert_int_equal(columns_read(c, first, n, &arena, &rows), 0);
		assert_rows(p, rows, first, n);
		arena_rollback(&arena, mark);
	}
	assert_int_equal(columns_open(&step, &arena, p->s, chunk), 0);
	traces = 0;
	for (size_t i = 0, end; i < count; i = end) {
		end = trace_end(p, i);
		if (traces++ % 3)
			continue;
		assert_int_equal(columns_read(step, i, end - i, &arena, &rows),
				 0);
		assert_rows(p, rows, i, end - i);
	}
	arena_fini(&arena);
}

static void test_fixtures(void **state)
{
	struct buf chunk = BUF_INIT;
	struct pile p;

	(void)state;
	pile_init(&p);
	documents_add_fixtures(&p.documents, &p.arena);
	for (int round = 0; round < 5; round++) {
		pile_pack(&p); /* with more and more of it in shapes */
		buf_reset(&chunk);
		buf_text(&chunk, "before");
		encode(&p, &chunk);
		assert_memory_equal(chunk.ptr, "before", 6);
		assert_chunk(&p, sv_make(chunk.ptr + 6, chunk.len - 6));
	}
	buf_fini(&chunk);
	pile_fini(&p);
}

/* Spans of 400 bytes in 43, segments of 1,100 in 100. */
static void test_sizes(void **state)
{
	struct buf text = BUF_INIT, chunk = BUF_INIT;
	struct bench bench;
	struct pile p;

	(void)state;
	bench_init(&bench, 1, START_NS_S * INT64_C(1000000000));
	for (int segments = 0; segments < 2; segments++) {
		pile_init(&p);
		for (int i = 0; segments && i < 1000; i++) {
			buf_reset(&text);
			bench_segment(&bench, &text);
			documents_add(&p.documents, &p.arena, DOCUMENT_XRAY,
				      buf_view(&text));
		}
		if (!segments) {
			bench_request(&bench, 250, &text);
			documents_add_request(&p.documents, &p.arena,
					      buf_view(&text));
			assert_int_equal(p.documents.count, 2000);
		}
		/* What one chunk looks like once the shapes are known. */
		for (int round = 0; round < 4; round++)
			pile_pack(&p);
		for (size_t i = 0; i < p.documents.count; i++)
			p.rows[i].extra = 0;
		buf_reset(&chunk);
		encode(&p, &chunk);
		assert_true(chunk.len / p.documents.count <
			    (segments ? 100u : 43u));
		pile_pack(&p);
		buf_reset(&chunk);
		encode(&p, &chunk);
		assert_chunk(&p, buf_view(&chunk));
		pile_fini(&p);
	}
	buf_fini(&text);
	buf_fini(&chunk);
}

/* Times before their start, in any order, of any form; ids that repeat,
 * refer to each other in circles, or to nobody. */
static void test_relations(void **state)
{
#define ID "\"id\":\"00f067aa0ba902b7\""
#define OTHER "\"00f067aa0ba902b8\""
	static const char *const texts[] = {
		"{" ID ",\"start_time\":5.25,\"end_time\":6}",
		"{\"end_time\":1,\"start_time\":5.25," ID "}",
		"{\"end_time\":6.5,\"l\":[{\"start_time\":5},{\"end_time\":"
		"7}],\"start_time\":3}",
		"{\"start_time\":5.50,\"end_time\":6.0}",
		"{\"start_time\":0,\"end_time\":0.0}",
		"{\"start_time\":-5,\"end_time\":-6.000000001}",
		"{\"start_time\":1795342177.403,\"end_time\":1795342177.4}",
		"{\"start_time\":1.5,\"start_time\":2.5,\"end_time\":9}",
		"{\"start_time\":0.0000000001,\"end_time\":0.0000000002}",
		"{\"start_time\":99999999999999999,\"end_time\":1e5}",
		"{\"start_time\":9223372036.854775807,\"end_time\":"
		"-9223372036.854775807}",
		"{\"start_time\":\"12.5\",\"end_time\":\"x\"}",
		"{\"start_time\":[1,2],\"end_time\":{\"start_time\":3}}",
		"{" ID ",\"parent_id\":" OTHER "}",
		"{\"parent_id\":\"00f067aa0ba902b7\",\"id\":" OTHER "}",
		"{\"parent_id\":\"00f067aa0ba902b9\",\"id\":" OTHER "}",
		"{" ID ",\"subsegments\":[{\"id\":\"00f067aa0ba902ba\"},"
		"{\"id\":\"00f067aa0ba902bb\",\"parent_id\":" OTHER "}]}",
		"{\"id\":[" OTHER "],\"l\":[" OTHER ",\"00f067aa0ba902bb\"]}",
		"{" ID "," ID "}",
		"{\"span 2\":" OTHER ",\"span 4\":" OTHER "}",
	};
#undef ID
#undef OTHER
	struct buf chunk = BUF_INIT;
	struct pile p;

	(void)state;
	pile_init(&p);
	documents_add_fixtures(&p.documents, &p.arena);
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			documents_add(&p.documents, &p.arena, DOCUMENT_XRAY,
				      sv_from(texts[i]));
	for (int round = 0; round < 5; round++)
		pile_pack(&p);
	encode(&p, &chunk);
	assert_chunk(&p, buf_view(&chunk));
	buf_fini(&chunk);
	pile_fini(&p);
}

/* A trace of 3,000 spans with a parent in any of them. */
static void test_large_trace(void **state)
{
	struct buf text = BUF_INIT, chunk = BUF_INIT;
	struct pile p;

	(void)state;
	pile_init(&p);
	for (unsigned i = 0; i < 3000; i++) {
		buf_reset(&text);
		buf_format(&text, "{\"id\":\"%016x\",\"parent_id\":\"%016x\"}",
			   i * 77777 + 0xa0000000,
			   (i * 31 % 3000) * 77777 + 0xa0000000);
		documents_add(&p.documents, &p.arena, DOCUMENT_XRAY,
			      buf_view(&text));
	}
	for (int round = 0; round < 3; round++)
		pile_pack(&p);
	encode(&p, &chunk);
	assert_true(chunk.len < 3000 * (8 + 5));
	assert_chunk(&p, buf_view(&chunk));
	buf_fini(&text);
	buf_fini(&chunk);
	pile_fini(&p);
}

static void test_refusals(void **state)
{
	static const uint8_t id[TRACE_ID_SIZE];
	struct columns_row row = { id, SV(""), 0 };
	struct buf chunk = { .limit = 10 };
	struct pile p;

	(void)state;
	pile_init(&p);
	assert_int_equal(columns_encode(p.encoder, NULL, p.s, &row, 1, &chunk),
			 ERR_CORRUPT);
	row.row = SV("\x7f"); /* no such shape */
	assert_int_equal(columns_encode(p.encoder, NULL, p.s, &row, 1, &chunk),
			 ERR_CORRUPT);
	row.row = SV("\x01"); /* not a shape */
	assert_int_equal(columns_encode(p.encoder, NULL, p.s, &row, 1, &chunk),
			 ERR_CORRUPT);
	row.row = SV("\0\0\x05text"); /* cut off */
	assert_int_equal(columns_encode(p.encoder, NULL, p.s, &row, 1, &chunk),
			 ERR_CORRUPT);
	row.row = SV("\0\0\x05texts!"); /* and more */
	assert_int_equal(columns_encode(p.encoder, NULL, p.s, &row, 1, &chunk),
			 ERR_CORRUPT);
	row.row = SV("\0\0\x05texts");
	assert_int_equal(columns_encode(p.encoder, NULL, p.s, &row, 1, &chunk),
			 ERR_LIMIT);
	assert_int_equal(chunk.len, 0);
	chunk.limit = 0;
	assert_int_equal(columns_encode(p.encoder, NULL, p.s, &row, 1, &chunk),
			 0);
	buf_fini(&chunk);
	pile_fini(&p);
}

/* Reads all of a chunk that may be anything. */
static void read_foreign(const struct shapes *s, struct sv chunk)
{
	struct arena arena = { .limit = 64 << 20 };
	struct columns_row *rows;
	struct columns *c;
	enum document_format format;
	struct buf out = BUF_INIT;

	if (columns_open(&c, &arena, s, chunk) == 0 &&
	    columns_read(c, 0, columns_rows(c), &arena, &rows) == 0)
		for (size_t i = 0; i < columns_rows(c); i++) {
			buf_reset(&out);
			if (shape_unpack(s, rows[i].row, rows[i].trace_id,
					 &format, &out))
				break;
		}
	buf_fini(&out);
	arena_fini(&arena);
}

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Bytes changed inside the head, where no checksum of zlib's sees them. */
static void test_damage(void **state)
{
	struct buf chunk = BUF_INIT, head = BUF_INIT, damaged = BUF_INIT;
	uint64_t random = 5;
	uint32_t zlib;
	struct pile p;

	(void)state;
	pile_init(&p);
	documents_add_fixtures(&p.documents, &p.arena);
	for (int round = 0; round < 5; round++)
		pile_pack(&p);
	encode(&p, &chunk);
	zlib = get_le32((uint8_t *)chunk.ptr + 4);
	assert_int_equal(
		inflate_zlib(&head, sv_make(chunk.ptr + 8, zlib), 1 << 20), 0);
	for (int i = 0; i < 2000; i++) {
		struct sv tail = { chunk.ptr + 8 + zlib, chunk.len - 8 - zlib };
		size_t at = (size_t)next(&random) % head.len;
		char kept;

		if (i % 4 == 0)
			at %= 64;
		kept = head.ptr[at];
		head.ptr[at] = (char)next(&random);
		if (i % 8 == 1)
			tail.len = (size_t)next(&random) % tail.len;
		buf_reset(&damaged);
		assert_int_equal(columns_frame(NULL, buf_view(&head), tail,
					       &damaged),
				 0);
		read_foreign(p.s, buf_view(&damaged));
		head.ptr[at] = kept;
	}
	for (size_t n = 0; n < chunk.len; n += 1 + n / 64)
		read_foreign(p.s, sv_make(chunk.ptr, n));
	buf_fini(&chunk);
	buf_fini(&head);
	buf_fini(&damaged);
	pile_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixtures),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_large_trace),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
