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

#include "core/wire/otlp.h"
#include "tests/bench/spans.h"
#include "tracer/shape/columns.h"

enum { REQUEST_TRACES = 250, TRACES = 25000 };

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
	printf("          %-28s %8.3f us %10.1f bytes\n", what,
	       us / (double)count, (double)bytes / (double)count);
}

static void measure(const char *name, const struct made *m)
{
	struct columns_row *rows = malloc(m->count * sizeof(*rows));
	struct buf packed = { .limit = 1 << 30 }, out = BUF_INIT;
	size_t *ends = malloc(m->count * sizeof(*ends));
	struct shapes_stats stats;
	struct shapes *s;
	double begin;
	int e = shapes_new(&s, 0);

	assert(rows && ends && !e);
	printf("%-9s %zu records of %.0f bytes; entropy %.1f bytes\n", name,
	       m->count, (double)m->bytes / (double)m->count,
	       m->bits / 8 / (double)m->count);
	begin = now_us();
	for (size_t i = 0; i < m->count; i++) {
		bool good = m->spans ? shape_pack_span(s, &m->spans[i],
						       m->ids[i], &packed) :
				       shape_pack_json(s, &m->docs[i],
						       m->ids[i], &packed);

		assert(good);
		ends[i] = packed.len;
	}
	say("pack", now_us() - begin, m->count, packed.len);
	shapes_stats(s, &stats);
	say("dictionary", 0, m->count, stats.bytes);
	begin = now_us();
	for (size_t i = 0; i < m->count; i++) {
		size_t from = i ? ends[i - 1] : 0;
		enum document_format format;

		buf_reset(&out);
		e = shape_unpack(s, sv_make(packed.ptr + from, ends[i] - from),
				 m->ids[i], &format, &out);
		assert(!e);
	}
	say("unpack", now_us() - begin, m->count, 0);
	printf("          %zu entries, %zu as they came\n",
	       (size_t)stats.entries, (size_t)stats.verbatim);
	shapes_free(s);
	buf_fini(&packed);
	buf_fini(&out);
	free(rows);
	free(ends);
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
