/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service map of an hour with 1,000 nodes and 5,000 edges, in this process:
 * what a question costs when nothing changed, when a trace came since the last
 * one, when a minute passed, and when nothing is ready (cold); the JSON of
 * GET /api/v1/map apart.
 *
 *   map [CALLS]     a million calls in the hour, if not said otherwise
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tracer/graph_window.h"
#include "tracer/traces_json.h"

#define MINUTE INT64_C(60000000000)
#define NOW INT64_C(30000000)

enum { NODES = 1000, EDGES = 5000, ROUNDS = 400 };

struct names {
	char text[NODES][32];
};

static uint64_t next(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 33;
}

static double now_us(void)
{
	struct timespec t;

	/* Of this thread: what others run meanwhile does not count. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Call n of an edge, and its callee's own: about log-normal, 1 ms to 1 s. */
static void count_call(struct graph_window *w, struct names *names,
		       uint64_t edge, int64_t minute, uint64_t *seed, int sign)
{
	uint64_t from = edge % NODES,
		 to = (edge * 7 + edge / NODES + 1) % NODES;
	uint64_t r = next(seed);
	struct graph_call call = {
		.time_ns = minute * MINUTE + (int64_t)(r % 59999999999),
		.duration_ns =
			(1000000 + r % 1000000)
			<< (next(seed) % 3 + next(seed) % 4 + next(seed) % 4),
		.to_name = sv_from(names->text[to]),
		.to_type = SV("AWS::Lambda::Function"),
		.status = r % 50 ? SEGMENT_STATUS_OK : SEGMENT_STATUS_FAULT,
		.counted = true,
	};

	graph_window_count(w, &call, sign);
	call.from_name = sv_from(names->text[from]);
	call.from_type = SV("AWS::Lambda::Function");
	graph_window_count(w, &call, sign);
}

static int by_size(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static void report(const char *what, double *us, size_t count)
{
	qsort(us, count, sizeof(*us), by_size);
	printf("map %-28s p50 %8.1f us   p99 %8.1f us\n", what, us[count / 2],
	       us[count * 99 / 100]);
}

/* changes: calls that come before each question. */
static void ask(struct graph_window *w, struct names *names, const char *what,
		unsigned changes, bool moves, uint64_t *seed, int64_t *now)
{
	size_t rounds = moves ? 40 : ROUNDS;
	double us[ROUNDS];

	for (size_t i = 0; i < rounds; i++) {
		struct graph g;
		double start;

		for (unsigned n = 0; n < changes; n++)
			count_call(w, names, next(seed) % EDGES, *now, seed, 1);
		if (moves)
			++*now;
		start = now_us();
		graph_window_advance(w, *now);
		if (graph_window_map(w, *now - 60, *now + 1, &g))
			exit(1);
		us[i] = now_us() - start;
		if (g.node_count != NODES || g.edge_count != EDGES) {
			fprintf(stderr, "%u nodes, %u edges\n", g.node_count,
				g.edge_count);
			exit(1);
		}
		graph_fini(&g);
	}
	report(what, us, rounds);
}

static void encode(struct graph_window *w, int64_t now)
{
	double us[40];
	size_t bytes = 0;

	for (size_t i = 0; i < 40; i++) {
		struct buf out = BUF_INIT;
		struct json_writer json = json_writer(&out);
		double start = now_us();
		struct graph g;

		if (graph_window_map(w, now - 60, now + 1, &g))
			exit(1);
		traces_json_map(&json, &g, (now - 60) * MINUTE, now * MINUTE);
		graph_fini(&g);
		us[i] = now_us() - start;
		bytes = out.len;
		buf_fini(&out);
	}
	report("as JSON", us, 40);
	printf("map JSON is %zu bytes\n", bytes);
}

int main(int argc, char **argv)
{
	uint64_t calls = 1000000, seed = 1;
	struct names *names = calloc(1, sizeof(*names));
	struct graph_window *w = graph_window_new(0, NOW);
	int64_t now = NOW;
	struct graph g;
	double start;

	if (!names || !w ||
	    (argc > 1 && !sv_to_u64(sv_from(argv[1]), &calls))) {
		free(names);
		graph_window_free(w);
		return 2;
	}
	for (unsigned i = 0; i < NODES; i++)
		snprintf(names->text[i], sizeof(names->text[i]),
			 "service-number-%u", i);
	start = now_us();
	for (uint64_t i = 0; i < calls; i++)
		count_call(w, names, i % EDGES,
			   NOW - 60 + (int64_t)(i * 61 / calls), &seed, 1);
	printf("map %llu calls of %d nodes, %d edges in 61 minutes: %.0f ns a "
	       "count, %.1f MB\n",
	       (unsigned long long)calls, NODES, EDGES,
	       (now_us() - start) * 1e3 / 2 / (double)calls,
	       (double)graph_window_bytes(w) / 1e6);
	start = now_us();
	if (graph_window_broken(w) ||
	    graph_window_map(w, now - 60, now + 1, &g))
		return 1;
	printf("map cold, from its minutes       %8.1f us\n", now_us() - start);
	graph_fini(&g);
	ask(w, names, "nothing changed", 0, false, &seed, &now);
	ask(w, names, "a call since the last", 1, false, &seed, &now);
	ask(w, names, "50 calls since the last", 50, false, &seed, &now);
	ask(w, names, "a minute passed", 50, true, &seed, &now);
	encode(w, now);
	graph_window_free(w);
	free(names);
	return 0;
}
