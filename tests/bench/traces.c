/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the traces view costs: `traces [SPANS [SEGMENTS [DIR]]]` applies made-up
 * spans and segments (tests/bench/spans.h) as the journal would, seals them,
 * opens the view anew, and asks. Apply and seal are one thread's processor
 * time; questions are wall time; memory is this process's. Decoding is not
 * counted: it is the door's (tests/bench/ingest.c).
 */
#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/wire/otlp.h"
#include "tests/bench/spans.h"
#include "tests/sim/scratch.h"
#include "tracer/traces.h"

enum {
	SPANS = 1000000,
	SEGMENTS = 200000,
	REQUEST_TRACES = 250,
	REQUEST_SEGMENTS = 50,
	SAMPLES = 2000,
};

static const struct scope scope = { 123456789012, "eu-west-1" };

struct sample {
	uint8_t trace_id[TRACE_ID_SIZE];
	uint8_t span_id[SEGMENT_ID_SIZE];
	char request_id[64];
};

struct bed {
	struct traces *t;
	const char *dir;
	struct bench bench;
	uint64_t position;
	double apply_us;
	struct sample *samples;
	size_t sample_count;
	uint64_t step, count; /* a sample is taken every step records */
};

static double us_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static size_t rss_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0, resident = 0;

	assert(f);
	/* The kernel's own numbers. NOLINTNEXTLINE(cert-err34-c) */
	if (fscanf(f, "%lu %lu", &pages, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * 4;
}

static void open_view(struct bed *b)
{
	struct diag diag = { 0 };
	int e = traces_open(&b->t, env_posix(), b->dir, NULL, &diag);

	if (e) {
		fprintf(stderr, "%s\n", diag.text);
		exit(1);
	}
}

static void apply(struct bed *b, const struct records *records)
{
	struct frame frame = { .position = b->position,
			       .next = b->position + 64,
			       .scope = scope,
			       .received = { b->bench.now_ns } };
	struct delivery d = { .frame = &frame, .records = records };
	struct view *v = traces_view(b->t);
	double begin = us_of(CLOCK_THREAD_CPUTIME_ID);
	int e = v->ops->apply(v->self, &d);

	assert(!e);
	b->apply_us += us_of(CLOCK_THREAD_CPUTIME_ID) - begin;
	b->position += 64;
}

static struct sample *next_sample(struct bed *b)
{
	if (b->count++ % b->step || b->sample_count == SAMPLES)
		return NULL;
	return &b->samples[b->sample_count++];
}

/* A span of the generator begins with its two ids. */
static void sample_span(struct bed *b, struct sv span)
{
	struct sample *s = next_sample(b);

	if (!s)
		return;
	memcpy(s->trace_id, span.ptr + 2, TRACE_ID_SIZE);
	memcpy(s->span_id, span.ptr + 2 + TRACE_ID_SIZE + 2, SEGMENT_ID_SIZE);
}

static void feed_spans(struct bed *b, size_t spans)
{
	struct arena arena = ARENA_INIT;
	struct buf body = BUF_INIT;

	for (size_t i = 0; i < spans;) {
		struct records records = { 0 };
		struct otlp_refused refused = { 0 };
		int e;

		buf_reset(&body);
		arena_reset(&arena);
		bench_request(&b->bench, REQUEST_TRACES, &body);
		e = otlp_traces_decode(&arena, buf_view(&body), &records,
				       &refused, NULL);
		assert(!e);
		for (size_t k = 0; k < records.span_count; k++)
			sample_span(b, records.spans[k].span);
		apply(b, &records);
		i += records.span_count;
	}
	arena_fini(&arena);
	buf_fini(&body);
}

static void feed_segments(struct bed *b, size_t segments)
{
	struct arena arena = ARENA_INIT;
	struct segment_record list[REQUEST_SEGMENTS];
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < segments; i += REQUEST_SEGMENTS) {
		struct records records = { .segments = list,
					   .segment_count = REQUEST_SEGMENTS };

		arena_reset(&arena);
		for (size_t k = 0; k < REQUEST_SEGMENTS; k++) {
			struct sample *s;

			buf_reset(&text);
			bench_segment(&b->bench, &text);
			list[k] = (struct segment_record){
				.document = arena_copy(&arena, buf_view(&text))
			};
			if (segment_take(&list[k], &arena) != SEGMENT_OK)
				abort();
			s = next_sample(b);
			if (!s)
				continue;
			memcpy(s->trace_id, list[k].read[0].trace_id,
			       TRACE_ID_SIZE);
			memcpy(s->span_id, list[k].read[0].id, SEGMENT_ID_SIZE);
			snprintf(s->request_id, sizeof(s->request_id), "%.*s",
				 SV_ARG(list[k].read[0].request_id));
		}
		apply(b, &records);
	}
	arena_fini(&arena);
	buf_fini(&text);
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static void say(const char *what, double *us, size_t count)
{
	if (!count)
		return;
	qsort(us, count, sizeof(*us), by_value);
	printf("  %-24s p50 %8.3f ms   p99 %8.3f ms   (%zu)\n", what,
	       us[count / 2] / 1e3, us[count * 99 / 100] / 1e3, count);
}

static void ask_traces(struct bed *b)
{
	double us[SAMPLES];
	struct arena arena = ARENA_INIT;

	for (size_t i = 0; i < b->sample_count; i++) {
		struct trace trace;
		double begin = us_of(CLOCK_MONOTONIC);
		int e = traces_get(b->t, &scope, b->samples[i].trace_id, &arena,
				   &trace);

		us[i] = us_of(CLOCK_MONOTONIC) - begin;
		assert(!e && trace.document_count > 0);
		arena_reset(&arena);
	}
	say("trace by id", us, b->sample_count);
	arena_fini(&arena);
}

static void ask_ids(struct bed *b, bool requests)
{
	double us[SAMPLES];
	size_t count = 0;

	for (size_t i = 0; i < b->sample_count && count < 300; i++) {
		uint8_t found[TRACE_ID_SIZE];
		char text[SEGMENT_ID_TEXT + 1];
		struct sv id;
		double begin;
		int e;

		segment_id_text(b->samples[i].span_id, text);
		id = sv_from(requests ? b->samples[i].request_id : text);
		if (!id.len)
			continue;
		begin = us_of(CLOCK_MONOTONIC);
		e = traces_find(b->t, &scope, id, found);
		us[count++] = us_of(CLOCK_MONOTONIC) - begin;
		assert(!e &&
		       !memcmp(found, b->samples[i].trace_id, TRACE_ID_SIZE));
	}
	say(requests ? "trace by request id" : "trace by span id", us, count);
}

static void ask_list(struct bed *b)
{
	struct arena arena = ARENA_INIT;
	struct trace_list list;
	double us[20];

	for (size_t i = 0; i < 20; i++) {
		double begin = us_of(CLOCK_MONOTONIC);
		int e = traces_recent(b->t, &scope, 0, INT64_MAX, SV(""), 100,
				      &arena, &list);

		us[i] = us_of(CLOCK_MONOTONIC) - begin;
		assert(!e && list.count == 100);
		arena_reset(&arena);
	}
	say("100 newest traces", us, 20);
	arena_fini(&arena);
}

static int visit_nothing(void *arg, const struct trace *trace,
			 struct arena *arena)
{
	(void)arg;
	(void)trace;
	(void)arena;
	return 0;
}

static void ask_scan(struct bed *b)
{
	struct traces_scan s = { .scope = &scope,
				 .end_ns = INT64_MAX,
				 .visit = visit_nothing,
				 .by = TRACES_BY_EVENT,
				 .traces_max = 2000 };
	double us = us_of(CLOCK_MONOTONIC);
	int e = traces_scan(b->t, &s);

	us = us_of(CLOCK_MONOTONIC) - us;
	assert(e >= 0);
	printf("  search reads             %8.3f us a trace\n",
	       us / (double)s.processed);
}

static void measure(const char *name, size_t count,
		    void (*feed)(struct bed *, size_t), const char *dir)
{
	struct bed b = { .dir = dir, .position = (UINT64_C(1) << 32) + 4096 };
	struct traces_stats stats;
	double seal_us;
	int e;

	b.samples = calloc(SAMPLES, sizeof(*b.samples));
	assert(b.samples);
	b.step = count / SAMPLES + 1;
	bench_init(&b.bench, 1, 1795342177403000000);
	open_view(&b);
	feed(&b, count);
	seal_us = us_of(CLOCK_THREAD_CPUTIME_ID);
	e = traces_seal(b.t);
	assert(!e);
	seal_us = us_of(CLOCK_THREAD_CPUTIME_ID) - seal_us;
	traces_stats(b.t, &stats);
	printf("%s: %zu, %.3f us each to apply and seal (the last seal %.0f "
	       "ms); %.1f bytes each on disk (entropy %.1f), in %llu blocks\n",
	       name, count, (b.apply_us + seal_us) / (double)count,
	       seal_us / 1e3,
	       (double)stats.block_bytes / (double)count,
	       b.bench.bits / 8 / (double)count,
	       (unsigned long long)stats.blocks);
	traces_close(b.t);
	malloc_trim(0);
	open_view(&b);
	ask_traces(&b);
	ask_ids(&b, false);
	ask_ids(&b, true);
	ask_list(&b);
	printf("  resident                 %8zu KB\n", rss_kb());
	ask_scan(&b);
	traces_close(b.t);
	free(b.samples);
}

int main(int argc, char **argv)
{
	size_t spans = argc > 1 ? strtoul(argv[1], NULL, 10) : SPANS;
	size_t segments = argc > 2 ? strtoul(argv[2], NULL, 10) : SEGMENTS;
	char dir[2][512], root[] = "/var/tmp/tally-bench-XXXXXX";

	if (argc <= 3 && !mkdtemp(root))
		return 1;
	snprintf(dir[0], sizeof(dir[0]), "%s", argc > 3 ? argv[3] : root);
	snprintf(dir[1], sizeof(dir[1]), "%.500s/x-ray", dir[0]);
	if (argc > 3)
		(void)!mkdir(dir[0], 0700);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (spans)
		measure("spans", spans, feed_spans, dir[0]);
	if (segments)
		measure("segments", segments, feed_segments, dir[1]);
	if (argc <= 3)
		scratch_remove(root);
	return 0;
}
