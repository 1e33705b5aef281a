/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a search costs: fills a traces view with N traces of a service that
 * calls a table, a hundred a second, sealed as they come, and asks for them by
 * expressions whose answers need ever more. Usage: search N FOLDER. Prints
 * traces looked at per second, of one core, and how many were read for it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/sys/env.h"
#include "tracer/search.h"

enum { A_SECOND = 100, RARE = 10000 };

static const struct scope home = { 123456789012, "us-east-1" };

static void die(const char *what, int e)
{
	fprintf(stderr, "search: %s: %s\n", what, err_text(e));
	exit(1);
}

static double seconds_now(void)
{
	return (double)env_mono(env_posix()).ns / 1e9;
}

static void document(struct buf *b, uint64_t i, int64_t start_ns)
{
	long long s = start_ns / NS_PER_S, ns = start_ns % NS_PER_S;
	bool rare = i % RARE == RARE / 2;

	buf_reset(b);
	buf_format(
		b,
		"{\"trace_id\":\"1-%08llx-%08llx%016llx\",\"id\":\"%016llx\","
		"\"name\":\"shop%llu\",\"origin\":\"AWS::Lambda::Function\","
		"\"start_time\":%lld.%09lld,\"end_time\":%lld.%09lld,"
		"\"user\":\"u%llu\",\"http\":{\"request\":{\"url\":"
		"\"http://shop.example.com/orders/%llu\",\"method\":\"GET\","
		"\"user_agent\":\"curl/7.88.1\",\"client_ip\":\"10.0.0.7\"},"
		"\"response\":{\"status\":%d}},\"annotations\":{\"order\":"
		"%llu,\"tier\":\"%s\"},\"subsegments\":[{\"id\":\"%016llx\","
		"\"name\":\"DynamoDB\",\"namespace\":\"aws\",\"start_time\":"
		"%lld.%09lld,\"end_time\":%lld.%09lld,\"aws\":{\"table_name\":"
		"\"%s\",\"operation\":\"GetItem\",\"request_id\":"
		"\"%016llx%016llx\"}}]}",
		s, (unsigned long long)(i * 2654435761u % 0xffffffff),
		(unsigned long long)i, (unsigned long long)i * 2 + 1,
		(unsigned long long)i % 20, s, ns, s + (rare ? 7 : 0),
		ns + 5000000, (unsigned long long)i % 1000,
		(unsigned long long)i, rare ? 500 : 200, (unsigned long long)i,
		i % 3 ? "free" : "paid", (unsigned long long)i * 2 + 2, s,
		ns + 1000000, s, ns + 3000000, rare ? "archive" : "orders",
		(unsigned long long)i, (unsigned long long)i * 7919);
}

static void fill(struct traces *t, uint64_t count, int64_t from_ns)
{
	struct view *v = traces_view(t);
	struct buf b = BUF_INIT;

	for (uint64_t i = 0; i < count; i++) {
		int64_t ns = from_ns + (int64_t)i * (NS_PER_S / A_SECOND);
		struct segment_record segment;
		struct records records = { .segments = &segment,
					   .segment_count = 1 };
		struct frame frame = { .position = 4096 + i * 64,
				       .next = 4096 + i * 64 + 64,
				       .scope = home,
				       .received = { ns } };
		struct delivery d = { .frame = &frame, .records = &records };
		int e;

		document(&b, i, ns);
		segment = (struct segment_record){ .document = buf_view(&b) };
		e = v->ops->apply(v->self, &d);
		if (e)
			die("apply", e);
	}
	buf_fini(&b);
}

static int found(void *arg, const struct trace *trace, struct facts *facts)
{
	(void)trace;
	(void)facts;
	++*(uint64_t *)arg;
	return 0;
}

static void ask(struct traces *t, const char *text, int64_t from_ns,
		int64_t to_ns)
{
	struct arena arena = ARENA_INIT;
	uint64_t count = 0, processed = 0, reads = 0, pages = 0;
	double began, took, longest = 0;
	struct filter filter;
	struct diag diag = { 0 };
	struct search s = { .scope = &home,
			    .start_ns = from_ns,
			    .end_ns = to_ns,
			    .filter = &filter,
			    .found = found,
			    .arg = &count };
	int e = filter_parse(&filter, sv_from(text), NULL, &arena, &diag);

	if (e)
		die(diag.text, e);
	began = seconds_now();
	do {
		double page = seconds_now();

		e = search_page(t, &s);
		if (e < 0)
			die("search", e);
		processed += s.processed;
		reads += s.reads;
		pages++;
		page = seconds_now() - page;
		longest = page > longest ? page : longest;
	} while (e);
	took = seconds_now() - began;
	printf("search    %-44s %8llu found %8.0f traces/s  %8llu read  %5llu "
	       "pages, longest %.0f ms\n",
	       text, (unsigned long long)count, (double)processed / took,
	       (unsigned long long)reads, (unsigned long long)pages,
	       longest * 1e3);
	arena_fini(&arena);
}

int main(int argc, char **argv)
{
	static const char *const questions[] = {
		"fault",
		"duration > 5",
		"responsetime > 5",
		"service(shop7)",
		"service(archive)",
		"service() { fault }",
		"annotation.order = 123456",
		"http.url ENDSWITH \"/123456\"",
	};
	const struct traces_options options = { .retention_ns = INT64_MAX };
	const int64_t from_ns = INT64_C(1795342000) * NS_PER_S;
	struct diag diag = { 0 };
	struct traces *t;
	uint64_t count;
	double began;
	int e;

	if (argc != 3 || !sv_to_u64(sv_from(argv[1]), &count) || !count) {
		fprintf(stderr, "usage: search N FOLDER\n");
		return 1;
	}
	e = traces_open(&t, env_posix(), argv[2], &options, &diag);
	if (e)
		die(diag.text, e);
	began = seconds_now();
	fill(t, count, from_ns);
	printf("search    %llu traces applied in %.1f s\n",
	       (unsigned long long)count, seconds_now() - began);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		ask(t, questions[i], from_ns,
		    from_ns + (int64_t)count * (NS_PER_S / A_SECOND));
	traces_close(t);
	return 0;
}
