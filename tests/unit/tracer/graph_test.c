/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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
	call.duration_ns = UINT64_MAX;
	graph_count(&g, &call);
	assert_int_equal(s->total_time_ns, UINT64_MAX);
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
	struct buf b = BUF_INIT;

	(void)state;
	add_trace(&g, both, 2);
	for (uint32_t i = 0; i < graph_entries(&g); i++) {
		buf_reset(&b);
		graph_encode(&g, i, &b);
		assert_int_equal(graph_decode(&back, buf_view(&b)), 0);
		for (size_t cut = 0; cut < b.len; cut++)
			assert_int_equal(graph_decode(&back,
						      sv_make(b.ptr, cut)),
					 ERR_CORRUPT);
	}
	check_same(&g, &back);
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
		cmocka_unit_test(test_stored_form),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
