/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "tracer/graph.h"
#include "tracer/waterfall.h"

#define T "\"trace_id\":\"1-6b02bf61-002839e93afd589cb52ba4b1\""

static void count(void *arg, const struct graph_call *call)
{
	graph_count(arg, call);
}

static void add_trace(struct graph *g, const char *const *texts, size_t n)
{
	struct arena arena = ARENA_INIT;
	struct document documents[8] = { 0 };
	struct assembly a;

	assert_true(n <= 8);
	for (size_t i = 0; i < n; i++)
		documents[i].bytes = sv_from(texts[i]);
	assert_int_equal(assemble(documents, n, &arena, &a), 0);
	assert_int_equal(a.skipped, 0);
	graph_calls(&a, count, g);
	arena_fini(&arena);
}

static const struct graph_node *node(const struct graph *g, const char *name,
				     const char *type)
{
	for (uint32_t i = 0; i < g->node_count; i++)
		if (sv_eq(g->nodes[i].name, sv_from(name)) &&
		    sv_eq(g->nodes[i].type, sv_from(type)))
			return &g->nodes[i];
	return NULL;
}

static const struct graph_edge *edge(const struct graph *g,
				     const struct graph_node *from,
				     const struct graph_node *to)
{
	for (uint32_t i = 0; from && to && i < g->edge_count; i++)
		if (&g->nodes[g->edges[i].from] == from &&
		    &g->nodes[g->edges[i].to] == to)
			return &g->edges[i];
	return NULL;
}

/* The sample answer of GetServiceGraph in "Getting data from X-Ray": four
 * roots of one service, one of them an error, 0.273 s in all. */
static void test_documented_sample(void **state)
{
	static const char *const roots[] = {
		"{" T ",\"id\":\"0000000000000001\",\"name\":\"scorekeep\","
		"\"start_time\":100,\"end_time\":100.1}",
		"{" T ",\"id\":\"0000000000000002\",\"name\":\"scorekeep\","
		"\"start_time\":101,\"end_time\":101.1}",
		"{" T ",\"id\":\"0000000000000003\",\"name\":\"scorekeep\","
		"\"start_time\":102,\"end_time\":102.07}",
		"{" T ",\"id\":\"0000000000000004\",\"name\":\"scorekeep\","
		"\"start_time\":103,\"end_time\":103.003,\"error\":true,"
		"\"http\":{\"response\":{\"status\":404}}}",
	};
	struct graph g = GRAPH_INIT;
	const struct graph_node *client, *service;
	const struct graph_edge *e;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		add_trace(&g, &roots[i], 1);
	client = node(&g, "scorekeep", "client");
	service = node(&g, "scorekeep", "");
	assert_int_equal(g.node_count, 2);
	assert_non_null(client);
	assert_non_null(service);
	assert_true(service->root && !service->inferred);
	assert_true(!client->root && !client->inferred);
	assert_int_equal(graph_total(&client->stats), 0);
	e = edge(&g, client, service);
	assert_non_null(e);
	assert_int_equal(e->stats.ok, 3);
	assert_int_equal(e->stats.error, 1);
	assert_int_equal(e->stats.throttle + e->stats.fault, 0);
	assert_int_equal(e->stats.total_time_ns, 273000000);
	assert_int_equal(service->stats.total_time_ns, 273000000);
	graph_fini(&g);
}

static const char *const caller =
	"{" T ",\"id\":\"0000000000000001\",\"name\":\"web\","
	"\"start_time\":100,\"end_time\":101,\"subsegments\":["
	"{\"id\":\"0000000000000011\",\"name\":\"DynamoDB\",\"namespace\":"
	"\"aws\",\"start_time\":100.1,\"end_time\":100.2,\"aws\":{"
	"\"table_name\":\"games\"}},"
	"{\"id\":\"0000000000000012\",\"name\":\"api.example.com\","
	"\"namespace\":\"remote\",\"traced\":true,\"start_time\":100.3,"
	"\"end_time\":100.5,\"http\":{\"response\":{\"status\":503}}},"
	"{\"id\":\"0000000000000013\",\"name\":\"local work\","
	"\"start_time\":100.5,\"end_time\":100.6}]}";
static const char *const callee =
	"{" T ",\"id\":\"0000000000000002\",\"name\":\"api\","
	"\"parent_id\":\"0000000000000012\",\"origin\":\"AWS::ECS::Container\","
	"\"start_time\":100.35,\"end_time\":100.45}";

static void test_inferred_and_replaced(void **state)
{
	struct graph g = GRAPH_INIT;
	const struct graph_node *web, *table, *api;
	const char *const both[] = { caller, callee };
	const char *const turned[] = { callee, caller };

	(void)state;
	add_trace(&g, both, 1);
	web = node(&g, "web", "");
	table = node(&g, "games", "AWS::DynamoDB::Table");
	api = node(&g, "api.example.com", "remote");
	assert_int_equal(g.node_count, 4); /* and the client */
	assert_true(table->inferred && api->inferred);
	assert_int_equal(table->stats.ok, 1);
	assert_int_equal(api->stats.fault, 1);
	assert_int_equal(edge(&g, web, api)->stats.total_time_ns, 200000000);
	graph_fini(&g);

	for (int order = 0; order < 2; order++) {
		add_trace(&g, order ? turned : both, 2);
		assert_int_equal(g.node_count, 4);
		assert_null(node(&g, "api.example.com", "remote"));
		web = node(&g, "web", "");
		api = node(&g, "api", "AWS::ECS::Container");
		assert_true(!api->inferred && !api->root);
		/* the node has its own view, the edge the caller's */
		assert_int_equal(api->stats.ok, 1);
		assert_int_equal(api->stats.total_time_ns, 100000000);
		assert_int_equal(edge(&g, web, api)->stats.fault, 1);
		assert_int_equal(edge(&g, web, api)->stats.total_time_ns,
				 200000000);
		graph_fini(&g);
	}
}

/* Lambda's two segments, and a subsegment that came alone, as in Lambda mode
 * all of an SDK's do. */
static void test_lambda(void **state)
{
	static const char *const texts[] = {
		"{" T ",\"id\":\"0000000000000031\",\"type\":\"subsegment\","
		"\"parent_id\":\"0000000000000030\",\"name\":\"sqs\","
		"\"namespace\":\"aws\",\"start_time\":100.1,\"end_time\":100.2,"
		"\"aws\":{\"queue_url\":\"https://sqs.x/123/jobs\"}}",
		"{" T ",\"id\":\"0000000000000030\",\"name\":\"fn\","
		"\"origin\":\"AWS::Lambda::Function\",\"parent_id\":"
		"\"0000000000000020\",\"start_time\":100,\"end_time\":101,"
		"\"fault\":true}",
		"{" T ",\"id\":\"0000000000000020\",\"name\":\"fn\","
		"\"origin\":\"AWS::Lambda\",\"start_time\":99,\"end_time\":102,"
		"\"http\":{\"response\":{\"status\":200}}}",
	};
	struct graph g = GRAPH_INIT;
	struct arena arena = ARENA_INIT;
	struct document documents[3] = { 0 };
	struct assembly a;
	const struct graph_node *service, *function, *queue;

	(void)state;
	add_trace(&g, texts, 3);
	service = node(&g, "fn", "AWS::Lambda");
	function = node(&g, "fn", "AWS::Lambda::Function");
	queue = node(&g, "jobs", "AWS::SQS::Queue");
	assert_int_equal(g.node_count, 4);
	assert_true(service->root && !function->root);
	assert_int_equal(edge(&g, service, function)->stats.fault, 1);
	assert_int_equal(edge(&g, function, queue)->stats.ok, 1);
	assert_int_equal(edge(&g, node(&g, "fn", "client"), service)->stats.ok,
			 1);
	graph_fini(&g);

	for (size_t i = 0; i < 3; i++)
		documents[i].bytes = sv_from(texts[i]);
	assert_int_equal(assemble(documents, 3, &arena, &a), 0);
	assert_false(a.partial);
	assert_int_equal(a.status, SEGMENT_STATUS_FAULT); /* both are one */
	assert_int_equal(a.spans[a.root].document, 2);
	assert_int_equal(assemble(documents, 1, &arena, &a), 0);
	assert_true(a.partial); /* its segment has not come */
	arena_fini(&arena);
}

/* One node for a service, however the SDKs call it and its resource. */
static void test_names_of_services(void **state)
{
	static const struct {
		const char *name, *aws, *node, *type;
	} rows[] = {
		{ "DynamoDB", "{}", "DynamoDB", "AWS::DynamoDB" },
		{ "dynamodb", "{\"table_name\":\"t\"}", "t",
		  "AWS::DynamoDB::Table" },
		{ "logs", "{}", "CloudWatchLogs", "AWS::CloudWatchLogs" },
		{ "Rekognition", "{}", "Rekognition", "AWS::Rekognition" },
		{ "Lambda", "{\"function_name\":\"fn\"}", "fn", "AWS::Lambda" },
		{ "Lambda",
		  "{\"function_name\":\"arn:aws:lambda:us-east-1:1:"
		  "function:fn:live\"}",
		  "fn", "AWS::Lambda" },
		{ "SNS", "{\"topic_arn\":\"arn:aws:sns:us-east-1:1:top\"}",
		  "top", "AWS::SNS::Topic" },
		{ "SQS", "{\"queue_url\":\"x/\"}", "SQS", "AWS::SQS" },
		/* a resource of another service is not this one's */
		{ "S3", "{\"table_name\":\"t\"}", "S3", "AWS::S3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct graph g = GRAPH_INIT;
		struct buf b = BUF_INIT;
		const char *text;

		buf_format(&b,
			   "{" T ",\"id\":\"0000000000000001\",\"type\":"
			   "\"subsegment\",\"parent_id\":"
			   "\"0000000000000002\",\"name\":\"%s\","
			   "\"namespace\":\"aws\",\"start_time\":1,"
			   "\"end_time\":2,\"aws\":%s}",
			   rows[i].name, rows[i].aws);
		text = b.ptr;
		add_trace(&g, &text, 1);
		assert_int_equal(g.node_count, 1);
		assert_non_null(node(&g, rows[i].node, rows[i].type));
		graph_fini(&g);
		buf_fini(&b);
	}
}

static void test_loops_and_repeats(void **state)
{
	static const char *const texts[] = {
		"{" T ",\"id\":\"0000000000000001\",\"type\":\"subsegment\","
		"\"parent_id\":\"0000000000000002\",\"name\":\"a\","
		"\"start_time\":1,\"end_time\":2}",
		"{" T ",\"id\":\"0000000000000002\",\"type\":\"subsegment\","
		"\"parent_id\":\"0000000000000001\",\"name\":\"b\","
		"\"start_time\":1,\"end_time\":2}",
		"{" T ",\"id\":\"0000000000000003\",\"parent_id\":"
		"\"0000000000000003\",\"name\":\"c\",\"start_time\":1,"
		"\"end_time\":2}",
		"{" T ",\"id\":\"0000000000000003\",\"name\":\"c2\","
		"\"start_time\":1,\"in_progress\":true}",
	};
	struct arena arena = ARENA_INIT;
	struct document documents[4] = { 0 };
	struct waterfall w;
	struct assembly a;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		documents[i].bytes = sv_from(texts[i]);
	assert_int_equal(assemble(documents, 4, &arena, &a), 0);
	assert_int_equal(a.count, 3);
	assert_true(sv_eq(a.spans[2].segment.name, SV("c")));
	assert_int_equal(waterfall_make(&a, &arena, &w), 0);
	assert_int_equal(w.count, 3);
	assert_int_equal(w.cut, 0);
	arena_fini(&arena);
}

static void test_waterfall(void **state)
{
	struct document documents[] = { { .bytes = sv_from(callee) },
					{ .bytes = sv_from(caller) } };
	static const struct {
		const char *name;
		unsigned depth, from, to;
	} rows[] = {
		{ "web", 0, 0, 80 },
		{ "DynamoDB", 1, 8, 16 },
		{ "api.example.com", 1, 24, 40 },
		{ "api", 2, 28, 36 },
		{ "local work", 1, 40, 48 },
	};
	struct arena arena = ARENA_INIT;
	struct waterfall w;
	struct assembly a;

	(void)state;
	assert_int_equal(assemble(documents, 2, &arena, &a), 0);
	assert_int_equal(waterfall_make(&a, &arena, &w), 0);
	assert_int_equal(w.duration_ns, 1000000000);
	assert_int_equal(w.count, 5);
	for (size_t i = 0; i < 5; i++) {
		struct waterfall_bar bar = waterfall_bar(&w, &w.rows[i], 10);

		assert_true(sv_eq(w.rows[i].span->segment.name,
				  sv_from(rows[i].name)));
		assert_int_equal(w.rows[i].depth, rows[i].depth);
		assert_int_equal(bar.from, rows[i].from);
		assert_int_equal(bar.to, rows[i].to);
	}
	assert_true(w.rows[4].last & 2);
	assert_false(w.rows[2].last & 2);
	arena_fini(&arena);
}

static void test_quantiles(void **state)
{
	struct graph g = GRAPH_INIT;
	struct graph_call call = { .to_name = SV("n"), .counted = true };
	const struct graph_stats *s;

	(void)state;
	for (uint64_t ms = 1; ms <= 1000; ms++) {
		call.duration_ns = ms * 1000000;
		graph_count(&g, &call);
	}
	s = &g.nodes[0].stats;
	for (int q = 1; q <= 100; q++) {
		double want = q * 10e6;
		double got = (double)graph_quantile(s, q / 100.0);

		assert_true(got > want * 0.968 && got < want * 1.032);
	}
	assert_int_equal(s->total_time_ns, 500500000000);
	assert_int_equal(graph_quantile(s, 1.0), 1000000000);
	/* A clock that was wrong does not drown the others. */
	call.duration_ns = UINT64_MAX;
	graph_count(&g, &call);
	assert_int_equal(s->total_time_ns, 500500000000 + 99000000000000);
	assert_int_equal(graph_quantile(s, 1.0), 99000000000000);
	graph_fini(&g);
}

static void test_steps(void **state)
{
	/* what people write comes back */
	static const uint64_t exact_ns[] = {
		0,         1000,       5000,          3000000,   21000000,
		70000000,  100000000,  250000000,     105000000, 195000000,
		990000000, 2000000000, 98000000000000
	};
	unsigned last = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(exact_ns) / sizeof(exact_ns[0]); i++)
		assert_int_equal(graph_step_ns(graph_step(exact_ns[i])),
				 exact_ns[i]);
	assert_int_equal(graph_step(999), 0);
	assert_int_equal(graph_step(UINT64_MAX), graph_step(99000000000000));
	for (uint64_t ns = 1000; ns < 90000000000000; ns += ns / 61 + 1) {
		double middle = (double)graph_step_ns(graph_step(ns));

		assert_true(middle <= (double)ns * 1.0251 &&
			    middle >= (double)ns * 0.9749);
		assert_true(graph_step(ns) >= last);
		last = graph_step(ns);
	}
	for (unsigned step = 0; step < GRAPH_BUCKETS; step++)
		if (step < GRAPH_BUCKETS - 1)
			assert_int_equal(graph_step(graph_step_ns(step)), step);
}

/* What was added and is taken back leaves no trace, in any order. */
static void test_taken_back(void **state)
{
	struct graph_stats s = { 0 }, copy = { 0 };
	struct graph_count c[40];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		c[i] = (struct graph_count){
			.start_ns = 1000,
			.end_ns = 2000,
			.duration_ns = 1000000 * (i % 7) * (i % 7),
			.work_ns = 3000000 * (i % 5) * i,
			.status = (enum segment_status)(i % 4),
			.counted = i % 6 != 0,
			.untimed = i % 11 == 0,
			.root = i % 2,
			.own = i % 3 == 0,
		};
		assert_int_equal(graph_stats_count(&s, &c[i], 1), 0);
	}
	assert_int_equal(graph_stats_merge(&copy, &s, 1), 0);
	assert_int_equal(graph_stats_merge(&copy, &s, 1), 0);
	assert_int_equal(graph_total(&copy), 2 * graph_total(&s));
	assert_int_equal(graph_stats_merge(&copy, &s, -1), 0);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(graph_stats_count(&s, &c[i * 7 % 40], -1), 0);
		assert_int_equal(graph_stats_count(&copy, &c[39 - i], -1), 0);
	}
	for (int i = 0; i < 2; i++) {
		const struct graph_stats *left = i ? &copy : &s;

		assert_int_equal(left->seen + graph_total(left) + left->roots +
					 left->own + left->total_time_ns,
				 0);
		assert_int_equal(left->times.used + left->trailing.used, 0);
	}
	graph_stats_fini(&s);
	graph_stats_fini(&copy);
}

/* A response that left before all work was done; X-Ray has both. */
static void test_durations(void **state)
{
	static const char *const text =
		"{" T ",\"id\":\"0000000000000001\",\"name\":\"web\","
		"\"start_time\":100,\"end_time\":100.1,\"subsegments\":["
		"{\"id\":\"0000000000000011\",\"name\":\"after\","
		"\"start_time\":100.05,\"end_time\":102}]}";
	struct graph_histogram durations;
	struct graph g = GRAPH_INIT;
	const struct graph_stats *s;

	(void)state;
	add_trace(&g, &text, 1);
	s = &node(&g, "web", "")->stats;
	assert_int_equal(graph_quantile(s, 1), 100000000);
	assert_int_equal(graph_durations(s, &durations), 0);
	assert_int_equal(durations.used, 1);
	assert_int_equal(graph_bucket_count(durations.items[0]), 1);
	assert_int_equal(graph_step_ns(graph_bucket_step(durations.items[0])),
			 2000000000);
	free(durations.items);
	assert_int_equal(s->first_ns, 100000000000);
	assert_int_equal(s->last_ns, 102000000000);
	graph_fini(&g);
}

/* Messages that were received: edges of their own kind, one count each. */
static void test_links(void **state)
{
	static const char *const texts[] = {
		"{" T ",\"id\":\"0000000000000001\",\"name\":\"worker\","
		"\"origin\":\"AWS::Lambda::Function\",\"start_time\":100,"
		"\"end_time\":101,\"links\":["
		"{\"trace_id\":\"1-6b02bf61-000000000000000000000001\","
		"\"id\":\"00000000000000aa\",\"attributes\":{"
		"\"event_source_arn\":\"arn:aws:sqs:eu-west-1:1:jobs\","
		"\"SentTimestamp\":\"98000\"}},"
		"{\"id\":\"00000000000000ab\",\"attributes\":{\"queue_url\":"
		"\"https://sqs.eu-west-1.amazonaws.com/1/jobs\","
		"\"sent_timestamp\":99500}},"
		"{\"id\":\"00000000000000ac\",\"attributes\":{"
		"\"messaging.destination.name\":\"jobs2\"}},"
		"{\"id\":\"0000000000000002\"},"
		"{\"id\":\"00000000000000ad\"}, 7]}",
		"{" T ",\"id\":\"0000000000000002\",\"name\":\"web\","
		"\"parent_id\":\"0000000000000099\",\"start_time\":90,"
		"\"end_time\":91}",
	};
	struct graph g = GRAPH_INIT;
	const struct graph_node *worker, *queue;
	const struct graph_edge *e;

	(void)state;
	add_trace(&g, texts, 2);
	worker = node(&g, "worker", "AWS::Lambda::Function");
	queue = node(&g, "jobs", "AWS::SQS::Queue");
	assert_non_null(queue);
	assert_true(queue->inferred);
	e = edge(&g, queue, worker);
	assert_non_null(e);
	assert_true(e->link);
	assert_int_equal(e->stats.ok, 2);
	assert_int_equal(e->stats.total_time_ns, 2500000000);
	assert_int_equal(e->stats.times.used, 2);
	e = edge(&g, node(&g, "jobs2", "remote"), worker);
	assert_int_equal(e->stats.ok, 1); /* its age is not known */
	assert_int_equal(e->stats.times.used, 0);
	e = edge(&g, node(&g, "web", ""), worker);
	assert_true(e->link);
	assert_false(node(&g, "web", "")->inferred);
	assert_int_equal(g.edge_count, 4); /* with the client's */
	graph_fini(&g);
}

static void test_accounts_and_aliases(void **state)
{
	static const char *const texts[] = {
		"{" T ",\"id\":\"0000000000000001\",\"name\":\"web\",\"aws\":"
		"{\"account_id\":\"000000000007\"},"
		"\"start_time\":100,\"end_time\":101,\"subsegments\":["
		"{\"id\":\"0000000000000011\",\"name\":\"api.example.com\","
		"\"namespace\":\"remote\",\"start_time\":100,\"end_time\":"
		"100.5},{\"id\":\"0000000000000012\",\"name\":\"DynamoDB\","
		"\"namespace\":\"aws\",\"start_time\":100,\"end_time\":100.5,"
		"\"aws\":{\"table_name\":\"games\",\"account_id\":"
		"\"000000000008\"}}]}",
		"{" T ",\"id\":\"0000000000000002\",\"name\":\"api\","
		"\"parent_id\":\"0000000000000011\",\"start_time\":100.1,"
		"\"end_time\":100.2}",
	};
	struct graph g = { .account = 7 };

	(void)state;
	add_trace(&g, texts, 2);
	assert_int_equal(node(&g, "web", "")->account, 0);
	assert_int_equal(node(&g, "games", "AWS::DynamoDB::Table")->account, 8);
	assert_int_equal(g.alias_count, 1);
	assert_true(sv_eq(g.aliases[0].name, SV("api.example.com")));
	assert_ptr_equal(&g.edges[g.aliases[0].edge],
			 edge(&g, node(&g, "web", ""), node(&g, "api", "")));
	graph_fini(&g);
}

static void check_same(const struct graph *a, const struct graph *b)
{
	assert_int_equal(a->node_count, b->node_count);
	assert_int_equal(a->edge_count, b->edge_count);
	for (uint32_t i = 0; i < a->node_count && i < b->node_count; i++) {
		assert_true(sv_eq(a->nodes[i].name, b->nodes[i].name));
		assert_true(sv_eq(a->nodes[i].type, b->nodes[i].type));
		assert_int_equal(a->nodes[i].root, b->nodes[i].root);
		assert_int_equal(a->nodes[i].inferred, b->nodes[i].inferred);
		assert_int_equal(graph_total(&a->nodes[i].stats),
				 graph_total(&b->nodes[i].stats));
		assert_int_equal(graph_quantile(&a->nodes[i].stats, 0.99),
				 graph_quantile(&b->nodes[i].stats, 0.99));
	}
}

static void test_stored_form(void **state)
{
	const char *const both[] = { caller, callee };
	struct graph g = GRAPH_INIT, back = GRAPH_INIT, merged = GRAPH_INIT;
	struct graph_page_cursor at = { 0 };
	struct buf b = BUF_INIT;

	(void)state;
	add_trace(&g, both, 2);
	while (graph_put_page(&g, &at, &b)) {
		assert_false(b.failed);
		assert_int_equal(graph_decode(&back, buf_view(&b)), 0);
		buf_reset(&b);
	}
	check_same(&g, &back);
	assert_int_equal(back.alias_count, 1);
	assert_true(back.aliases && back.nodes);
	if (!back.aliases || !back.nodes)
		return; /* for those who do not know cmocka */
	assert_int_equal(back.aliases[0].stats.seen, 1);
	/* The minute, no more, is known of what was stored. */
	assert_int_equal(back.nodes[0].stats.first_ns, 60000000000);
	assert_int_equal(back.nodes[0].stats.last_ns, 120000000000);
	at = (struct graph_page_cursor){ 0 };
	assert_true(graph_put_page(&g, &at, &b));
	for (size_t cut = 0; cut < b.len; cut++) {
		struct graph part = GRAPH_INIT;
		int e = graph_decode(&part, sv_make(b.ptr, cut));

		/* Where an entry ends, the rest is not missed: a row's checksum
		 * is the block's. */
		assert_true(e == 0 || e == ERR_CORRUPT);
		graph_fini(&part);
	}
	graph_merge(&merged, &g);
	check_same(&g, &merged);
	graph_merge(&merged, &g);
	assert_int_equal(graph_total(&merged.nodes[0].stats),
			 2 * graph_total(&g.nodes[0].stats));
	buf_fini(&b);
	graph_fini(&g);
	graph_fini(&back);
	graph_fini(&merged);
}

/* A graph of several pages, each of which names what it needs. */
static void test_pages(void **state)
{
	struct graph g = GRAPH_INIT, back = GRAPH_INIT;
	struct graph_page_cursor at = { 0 };
	struct buf b = BUF_INIT;
	unsigned pages = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char from[16], to[16];
		struct graph_call call = { .time_ns = 60000000000,
					   .duration_ns = 1000000 * (uint64_t)i,
					   .counted = true };

		snprintf(from, sizeof(from), "node-%d", i % 300);
		snprintf(to, sizeof(to), "node-%d", i * 7 % 301);
		call.to_name = sv_from(to);
		graph_count(&g, &call);
		call.from_name = sv_from(from);
		call.link = i % 5 == 0;
		call.alias = i % 50 ? SV("") : SV("other");
		graph_count(&g, &call);
	}
	while (graph_put_page(&g, &at, &b)) {
		assert_int_equal(graph_decode(&back, buf_view(&b)), 0);
		assert_true(b.len < 2 * GRAPH_PAGE_BYTES);
		buf_reset(&b);
		pages++;
	}
	assert_true(pages > 2);
	assert_int_equal(back.edge_count, g.edge_count);
	assert_int_equal(back.alias_count, g.alias_count);
	assert_true(g.alias_count > 10);
	check_same(&g, &back);
	for (uint32_t i = 0; i < g.edge_count; i++) {
		assert_int_equal(g.edges[i].link, back.edges[i].link);
		assert_int_equal(g.edges[i].stats.total_time_ns,
				 back.edges[i].stats.total_time_ns);
	}
	buf_fini(&b);
	graph_fini(&g);
	graph_fini(&back);
}

/* What a block of the first format has: an edge from "web" to "api", and the
 * node "api". */
static void test_old_form(void **state)
{
	struct graph g = GRAPH_INIT;
	struct buf b = BUF_INIT;

	(void)state;
	for (int edges = 1; edges >= 0; edges--) {
		static const uint64_t numbers[] = {
			3, 1, 0, 0, 273000000, 3000000, 100000000
		};
		uint8_t raw[8];

		buf_reset(&b);
		buf_char(&b, edges ? 1 : 0);
		for (int i = edges ? 0 : 1; i < 2; i++) {
			const char *name = i ? "api" : "web";

			put_le32(raw, 3);
			buf_add(&b, raw, 4);
			buf_text(&b, name);
			put_le32(raw, 0);
			buf_add(&b, raw, 4);
		}
		for (size_t i = 0; i < 7; i++) {
			put_le64(raw, numbers[i]);
			buf_add(&b, raw, 8);
		}
		put_le32(raw, 1);
		buf_add(&b, raw, 4);
		put_le32(raw, 16 * 16 + 8); /* 98.3 to 102.4 ms */
		buf_add(&b, raw, 4);
		put_le32(raw, 4);
		buf_add(&b, raw, 4);
		for (size_t cut = 0; cut < b.len; cut++) {
			struct graph part = GRAPH_INIT;

			assert_int_equal(graph_decode(&part,
						      sv_make(b.ptr, cut)),
					 ERR_CORRUPT);
			graph_fini(&part);
		}
		assert_int_equal(graph_decode(&g, buf_view(&b)), 0);
	}
	assert_int_equal(g.node_count, 2);
	assert_int_equal(g.edge_count, 1);
	assert_false(node(&g, "web", "")->inferred);
	assert_false(node(&g, "api", "")->inferred);
	assert_int_equal(g.edges[0].stats.ok, 3);
	assert_int_equal(g.edges[0].stats.error, 1);
	assert_int_equal(g.edges[0].stats.total_time_ns, 273000000);
	assert_int_equal(graph_bucket_count(g.edges[0].stats.times.items[0]),
			 4);
	assert_int_equal(graph_step_ns(graph_bucket_step(
				 g.edges[0].stats.times.items[0])),
			 100000000);
	buf_fini(&b);
	graph_fini(&g);
}

static void test_limits(void **state)
{
	struct graph g = GRAPH_INIT;
	char name[GRAPH_NAME_MAX + 8];

	(void)state;
	for (int i = 0; i < GRAPH_NODES_MAX + 3; i++) {
		struct graph_call call = { .counted = true };

		snprintf(name, sizeof(name), "n%d", i);
		call.to_name = sv_from(name);
		graph_count(&g, &call);
	}
	assert_int_equal(g.node_count, GRAPH_NODES_MAX);
	assert_int_equal(g.dropped, 3);
	for (int i = 0; i < GRAPH_EDGES_MAX + 5; i++) {
		struct graph_call call = { .counted = true };

		call.to_name = g.nodes[i % GRAPH_NODES_MAX].name;
		call.from_name = g.nodes[i / GRAPH_NODES_MAX].name;
		graph_count(&g, &call);
	}
	assert_int_equal(g.edge_count, GRAPH_EDGES_MAX);
	assert_int_equal(g.dropped, 3 + 5);
	graph_fini(&g);
	memset(name, 'x', sizeof(name));
	graph_count(&g,
		    &(struct graph_call){ .to_name = { name, sizeof(name) } });
	assert_int_equal(g.nodes[0].name.len, GRAPH_NAME_MAX);
	graph_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documented_sample),
		cmocka_unit_test(test_inferred_and_replaced),
		cmocka_unit_test(test_lambda),
		cmocka_unit_test(test_names_of_services),
		cmocka_unit_test(test_loops_and_repeats),
		cmocka_unit_test(test_waterfall),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_accounts_and_aliases),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_old_form),
		cmocka_unit_test(test_stored_form),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
