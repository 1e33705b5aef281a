/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shapes and columns cost: `shape [TRACES]` packs made-up spans and
 * segments (tests/bench/spans.h), seals them into chunks, reads them back, and
 * prints microseconds and bytes a record by stage. One thread, no I/O.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/hash.h"
#include "core/wire/otlp.h"
#include "tests/bench/spans.h"
#include "tracer/shape/columns.h"

enum { REQUEST_TRACES = 250, TRACES = 25000, BATCH = 50 };

struct made {
	struct arena arena;
	struct span_record *spans;
	struct json_doc *docs;
	uint8_t (*ids)[TRACE_ID_SIZE];
	size_t count, bytes;
	double bits;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void make_spans(struct made *m, size_t traces)
{
	struct buf request = { .limit = 1 << 30 };
	struct bench bench;
	size_t at = 0, limit = traces * BENCH_TRACE_SPANS;

	m->spans = arena_array(&m->arena, limit, sizeof(*m->spans));
	m->ids = arena_array(&m->arena, limit, sizeof(*m->ids));
	bench_init(&bench, 1, 1795342177403000000);
	for (size_t i = 0; i < traces; i += REQUEST_TRACES) {
		struct records records = { 0 };
		struct otlp_refused refused = { 0 };
		struct sv body;
		int e;

		buf_reset(&request);
		bench_request(&bench, REQUEST_TRACES, &request);
		body = arena_copy(&m->arena, buf_view(&request));
		e = otlp_traces_decode(&m->arena, body, &records, &refused,
				       NULL);
		assert(!e && at + records.span_count <= limit);
		for (size_t k = 0; k < records.span_count; k++, at++) {
			m->spans[at] = records.spans[k];
			memcpy(m->ids[at], m->spans[at].span.ptr + 2, 16);
		}
		m->bytes += body.len;
	}
	m->count = at;
	m->bits = bench.bits;
	buf_fini(&request);
}

static void make_segments(struct made *m, size_t count)
{
	struct buf text = BUF_INIT;
	struct bench bench;

	m->docs = arena_array(&m->arena, count, sizeof(*m->docs));
	m->ids = arena_array(&m->arena, count, sizeof(*m->ids));
	bench_init(&bench, 2, 1795342177403000000);
	for (size_t i = 0; i < count; i++) {
		struct sv id;
		int e;

		buf_reset(&text);
		bench_segment(&bench, &text);
		e = json_parse(&m->docs[i], &m->arena,
			       arena_copy(&m->arena, buf_view(&text)), NULL);
		id = json_string(json_get(json_root(&m->docs[i]),
					  SV("trace_id")),
				 &m->arena);
		assert(!e && trace_id_parse(id, m->ids[i]));
		m->bytes += text.len;
	}
	m->count = count;
	m->bits = bench.bits;
	buf_fini(&text);
}

static void say(const char *what, double us, size_t count, size_t bytes)
{
	printf("          %-24s", what);
	if (us > 0)
		printf(" %8.3f us", us / (double)count);
	if (bytes)
		printf(" %8.1f bytes", (double)bytes / (double)count);
	printf("\n");
}

struct packed {
	struct shapes *s;
	struct buf bytes;
	struct columns_row *rows; /* sorted by trace */
	size_t count;
};

/* Reads what is packed next, as the decoder has just done when it is. */
static uint64_t warm(const struct made *m, size_t i)
{
	const struct json_doc *doc;

	if (m->spans)
		return hash64(m->spans[i].span);
	doc = &m->docs[i];
	return hash64(doc->text) ^
	       hash64(sv_make((const char *)doc->nodes,
			      doc->count * sizeof(*doc->nodes)));
}

static double pack_batch(const struct made *m, struct packed *p, size_t from,
			 size_t to, size_t *ends)
{
	static volatile uint64_t sink;
	double begin;

	for (size_t i = from; i < to; i++)
		sink ^= warm(m, i);
	begin = now_us();
	for (size_t i = from; i < to; i++) {
		bool good = m->spans ? shape_pack_span(p->s, &m->spans[i],
						       m->ids[i], &p->bytes) :
				       shape_pack_json(p->s, &m->docs[i],
						       m->ids[i], &p->bytes);

		assert(good);
		ends[i] = p->bytes.len;
	}
	return now_us() - begin;
}

static void pack(const struct made *m, struct packed *p)
{
	size_t *ends = calloc(m->count + 1, sizeof(*ends));
	struct shapes_stats stats;
	double us = 0;
	int e = shapes_new(&p->s, 0);

	p->rows = calloc(m->count + 1, sizeof(*p->rows));
	p->count = m->count;
	p->bytes = (struct buf){ .limit = 1 << 30 };
	assert(!e && ends && p->rows && buf_grow(&p->bytes, m->bytes));
	memset(p->bytes.ptr, 1, m->bytes); /* the kernel's work, not ours */
	for (size_t i = 0; i < m->count; i += BATCH)
		us += pack_batch(m, p, i,
				 i + BATCH < m->count ? i + BATCH : m->count,
				 ends);
	say("pack", us, m->count, p->bytes.len);
	for (size_t i = 0; i < m->count; i++) {
		size_t from = i ? ends[i - 1] : 0;

		p->rows[i].trace_id = m->ids[i];
		p->rows[i].row = sv_make(p->bytes.ptr + from, ends[i] - from);
		p->rows[i].extra = 0;
	}
	free(ends);
	shapes_stats(p->s, &stats);
	printf("          %zu entries, %zu bytes; %zu records as they came\n",
	       (size_t)stats.entries, stats.bytes, (size_t)stats.verbatim);
}

static void unpack(const struct packed *p)
{
	struct buf out = BUF_INIT;
	enum document_format format;
	double begin = now_us();
	int e;

	for (size_t i = 0; i < p->count; i++) {
		buf_reset(&out);
		e = shape_unpack(p->s, p->rows[i].row, p->rows[i].trace_id,
				 &format, &out);
		assert(!e);
	}
	say("unpack", now_us() - begin, p->count, 0);
	buf_fini(&out);
}

/* By trace, and in a trace as they came, which is by address. */
static int compare(const void *a, const void *b)
{
	const struct columns_row *x = a, *y = b;
	int order = memcmp(x->trace_id, y->trace_id, TRACE_ID_SIZE);

	return order ? order :
		       (x->row.ptr > y->row.ptr) - (x->row.ptr < y->row.ptr);
}

/* Rows from first on that make a chunk: whole traces. */
static size_t chunk_end(const struct packed *p, size_t first)
{
	size_t i = first, bytes = 0;

	for (; i < p->count && bytes < COLUMNS_ROW_BYTES; i++)
		bytes += p->rows[i].row.len;
	while (i < p->count && !memcmp(p->rows[i - 1].trace_id,
				       p->rows[i].trace_id, TRACE_ID_SIZE))
		i++;
	return i;
}

/* What the same chunks take as rows, deflated. */
static size_t deflate_rows(const struct packed *p, size_t first, size_t end,
			   struct deflate *deflate)
{
	struct buf rows = BUF_INIT, out = BUF_INIT;
	size_t bytes;
	int e;

	for (size_t i = first; i < end; i++)
		buf_sv(&rows, p->rows[i].row);
	e = deflate_zlib(deflate, &out, buf_view(&rows));
	assert(!e);
	bytes = out.len;
	buf_fini(&rows);
	buf_fini(&out);
	return bytes;
}

static size_t encode(const struct packed *p, struct buf *chunks, size_t *ends,
		     size_t *firsts)
{
	struct columns_encoder *encoder;
	struct deflate *deflate;
	size_t count = 0, rows = 0;
	double begin;
	int e = columns_encoder_new(&encoder);

	if (!e)
		e = deflate_new(&deflate);
	assert(!e);
	begin = now_us();
	for (size_t first = 0; first < p->count; count++) {
		size_t end = chunk_end(p, first);

		e = columns_encode(encoder, deflate, p->s, p->rows + first,
				   end - first, chunks);
		assert(!e);
		firsts[count] = first;
		ends[count] = chunks->len;
		first = end;
	}
	assert(count);
	say("encode, deflate", now_us() - begin, p->count, chunks->len);
	for (size_t i = 0; i < count; i++)
		rows += deflate_rows(p, firsts[i],
				     i + 1 < count ? firsts[i + 1] : p->count,
				     deflate);
	say("the rows, deflated", 0, p->count, rows);
	printf("          %zu chunks of %zu bytes\n", count,
	       chunks->len / count);
	columns_encoder_free(encoder);
	deflate_free(deflate);
	return count;
}

static struct sv chunk_at(const struct buf *chunks, const size_t *ends,
			  size_t i)
{
	size_t from = i ? ends[i - 1] : 0;

	return sv_make(chunks->ptr + from, ends[i] - from);
}

static void decode(const struct packed *p, const struct buf *chunks,
		   const size_t *ends, size_t count)
{
	struct arena arena = ARENA_INIT;
	size_t at = 0;
	double begin = now_us(), checking = 0;

	for (size_t i = 0; i < count; i++) {
		struct columns_row *rows = NULL;
		struct columns *c;
		size_t n = 0;
		int e;

		arena_reset(&arena);
		e = columns_open(&c, &arena, p->s, chunk_at(chunks, ends, i));
		if (!e) {
			n = columns_rows(c);
			e = columns_read(c, 0, n, &arena, &rows);
		}
		assert(!e);
		checking -= now_us();
		for (size_t k = 0; k < n; k++, at++)
			assert(sv_eq(rows[k].row, p->rows[at].row) &&
			       !memcmp(rows[k].trace_id, p->rows[at].trace_id,
				       TRACE_ID_SIZE));
		checking += now_us();
	}
	assert(at == p->count);
	say("inflate, decode", now_us() - begin - checking, p->count, 0);
	arena_fini(&arena);
}

/* One trace of each chunk, from the chunk's bytes to documents. */
static void look_up(const struct packed *p, const struct buf *chunks,
		    const size_t *ends, const size_t *firsts, size_t count)
{
	struct arena arena = ARENA_INIT;
	struct buf out = BUF_INIT;
	double opening = 0, reading = 0, unpacking = 0;

	for (size_t i = 0; i < count; i++) {
		size_t last = i + 1 < count ? firsts[i + 1] : p->count;
		size_t first, n,
			k = firsts[i] + (i * 7919) % (last - firsts[i]);
		enum document_format format;
		struct columns_row *rows;
		struct columns *c;
		int e;

		arena_reset(&arena);
		buf_reset(&out);
		opening -= now_us();
		e = columns_open(&c, &arena, p->s, chunk_at(chunks, ends, i));
		opening += now_us();
		assert(!e);
		reading -= now_us();
		if (!columns_find(c, p->rows[k].trace_id, &first, &n))
			abort();
		e = columns_read(c, first, n, &arena, &rows);
		reading += now_us();
		assert(!e);
		unpacking -= now_us();
		for (k = 0; k < n && !e; k++)
			e = shape_unpack(p->s, rows[k].row, rows[k].trace_id,
					 &format, &out);
		unpacking += now_us();
		assert(!e);
	}
	printf("          one trace: open %.1f us, read %.1f us, unpack "
	       "%.1f us\n",
	       opening / (double)count, reading / (double)count,
	       unpacking / (double)count);
	arena_fini(&arena);
	buf_fini(&out);
}

static void measure(const char *name, const struct made *m)
{
	size_t *ends = calloc(m->count + 1, sizeof(*ends));
	size_t *firsts = calloc(m->count + 1, sizeof(*firsts));
	struct buf chunks = { .limit = 1 << 30 };
	struct packed p;
	size_t count;

	assert(ends && firsts);
	printf("%-9s %zu records of %.0f bytes; entropy %.1f bytes\n", name,
	       m->count, (double)m->bytes / (double)m->count,
	       m->bits / 8 / (double)m->count);
	pack(m, &p);
	unpack(&p);
	qsort(p.rows, p.count, sizeof(*p.rows), compare);
	count = encode(&p, &chunks, ends, firsts);
	decode(&p, &chunks, ends, count);
	look_up(&p, &chunks, ends, firsts, count);
	shapes_free(p.s);
	buf_fini(&p.bytes);
	buf_fini(&chunks);
	free(p.rows);
	free(ends);
	free(firsts);
}

int main(int argc, char **argv)
{
	size_t traces = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : TRACES;
	struct made spans = { .arena = ARENA_INIT };
	struct made segments = { .arena = ARENA_INIT };

	make_spans(&spans, traces);
	measure("spans", &spans);
	make_segments(&segments, traces);
	measure("segments", &segments);
	arena_fini(&spans.arena);
	arena_fini(&segments.arena);
	return 0;
}
