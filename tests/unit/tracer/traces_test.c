/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/protobuf.h"
#include "core/store/retention.h"
#include "tracer/traces_json.h"

#define DAY_NS (24 * 3600 * NS_PER_S)
#define T0 (1795342000 * NS_PER_S) /* start of a minute: 1795342000 % 60 = 40 */

static const struct scope home = { 123456789012, "us-east-1" };
static const struct scope other = { 123456789012, "eu-west-1" };

struct fixture {
	char dir[64];
	struct traces *t;
	struct traces_options options;
	uint64_t position;
	int64_t now_ns;
	/* Every delivery, to be given again after a restart. */
	struct sent {
		uint64_t position;
		int64_t now_ns;
		struct scope scope;
		char *document;
	} * sent;
	size_t sent_count;
};

static void each_entry(struct fixture *f, void (*fn)(const char *path))
{
	DIR *dir = opendir(f->dir);
	struct dirent *entry;
	char path[512];

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
		fn(path);
	}
	closedir(dir);
}

static void remove_file(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void open_view(struct fixture *f)
{
	struct diag diag = { 0 };

	assert_int_equal(
		traces_open(&f->t, env_posix(), f->dir, &f->options, &diag), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/tally-traces-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->position = (UINT64_C(1) << 32) + 4096;
	f->now_ns = T0;
	open_view(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	traces_close(f->t);
	each_entry(f, remove_file);
	rmdir(f->dir);
	for (size_t i = 0; i < f->sent_count; i++)
		free(f->sent[i].document);
	free(f->sent);
	free(f);
	return 0;
}

static void deliver(struct fixture *f, const struct sent *s)
{
	struct segment_record segment = { .document = sv_from(s->document) };
	struct records records = { .segments = &segment, .segment_count = 1 };
	struct frame frame = { .position = s->position,
			       .next = s->position + 64,
			       .scope = s->scope,
			       .received = { s->now_ns } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v = traces_view(f->t);

	if (frame.position < v->position)
		return;
	assert_int_equal(v->ops->apply(v->self, &d), 0);
	assert_int_equal(v->position, frame.next);
}

static void send_to(struct fixture *f, const struct scope *scope,
		    const char *document)
{
	struct sent *s;

	f->sent = realloc(f->sent, (f->sent_count + 1) * sizeof(*f->sent));
	assert_non_null(f->sent);
	s = &f->sent[f->sent_count++];
	*s = (struct sent){ f->position, f->now_ns, *scope, strdup(document) };
	f->position += 64;
	deliver(f, s);
}

static void send_document(struct fixture *f, const char *document)
{
	send_to(f, &home, document);
}

/* A segment of trace number n, its id i, starting s seconds after T0. */
static void send_segment(struct fixture *f, unsigned n, unsigned i, int s,
			 const char *more)
{
	struct buf b = BUF_INIT;

	buf_format(&b,
		   "{\"trace_id\":\"1-6b02bf61-%024x\",\"id\":\"%016x\","
		   "\"name\":\"svc%u\",\"start_time\":%lld.25,"
		   "\"end_time\":%lld.5%s}",
		   n, i, i, (long long)(T0 / NS_PER_S + s),
		   (long long)(T0 / NS_PER_S + s), more);
	send_document(f, b.ptr);
	buf_fini(&b);
}

static void trace_number(unsigned n, uint8_t id[TRACE_ID_SIZE])
{
	char text[64];

	snprintf(text, sizeof(text), "1-6b02bf61-%024x", n);
	assert_true(trace_id_parse(sv_from(text), id));
}

/* The answers, as the API gives them, of all that there is to ask. */
static char *answers(struct fixture *f, unsigned traces)
{
	struct buf out = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct trace_list list;
	struct graph graph;

	for (unsigned n = 1; n <= traces; n++) {
		struct json_writer w = json_writer(&out);
		uint8_t id[TRACE_ID_SIZE];
		struct trace trace;

		trace_number(n, id);
		assert_int_equal(traces_get(f->t, &home, id, &arena, &trace),
				 0);
		json_open_object(&w);
		traces_json_trace(&w, &trace);
		json_close_object(&w);
		buf_char(&out, '\n');
		w = json_writer(&out);
		traces_json_batch_trace(&w, &trace);
	}
	assert_int_equal(traces_recent(f->t, &home, 0, INT64_MAX, SV(""), 0,
				       &arena, &list),
			 0);
	traces_json_list(&(struct json_writer){ .out = &out }, &list);
	assert_int_equal(traces_map(f->t, &home, T0 - 3600 * NS_PER_S,
				    T0 + 3600 * NS_PER_S, &graph),
			 0);
	assert_int_equal(graph.dropped, 0);
	buf_format(&out, "%u nodes %u edges\n", graph.node_count,
		   graph.edge_count);
	for (uint32_t i = 0; i < graph.node_count; i++) {
		const struct graph_node *n = &graph.nodes[i];

		/* Sums, whatever the order of nodes. */
		if (sv_eq(n->name, SV("svc1")) && sv_eq(n->type, SV("")))
			buf_format(&out, "svc1 %llu %llu %llu\n",
				   (unsigned long long)graph_total(&n->stats),
				   (unsigned long long)n->stats.total_time_ns,
				   (unsigned long long)graph_quantile(&n->stats,
								      0.99));
	}
	graph_fini(&graph);
	arena_fini(&arena);
	return buf_detach(&out);
}

static void fill(struct fixture *f, unsigned traces)
{
	for (unsigned n = 1; n <= traces; n++) {
		send_segment(f, n, 1, (int)n,
			     ",\"aws\":{\"request_id\":\"req-1\"}");
		send_segment(f, n, 2, (int)n,
			     ",\"type\":\"subsegment\",\"parent_id\":"
			     "\"0000000000000001\",\"namespace\":\"aws\"");
	}
}

static void restart(struct fixture *f)
{
	traces_close(f->t);
	open_view(f);
	for (size_t i = 0; i < f->sent_count; i++)
		deliver(f, &f->sent[i]);
}

static struct traces_stats stats(struct fixture *f)
{
	struct traces_stats s;

	traces_stats(f->t, &s);
	return s;
}

static void test_same_answers(void **state)
{
	struct fixture *f = *state;
	char *head, *restarted, *sealed, *mixed;

	fill(f, 20);
	head = answers(f, 20);
	assert_non_null(strstr(head, "svc1 20 5000000000"));
	restart(f); /* no checkpoint yet: the journal has it all */
	restarted = answers(f, 20);
	assert_string_equal(head, restarted);
	assert_int_equal(stats(f).blocks, 0);

	assert_int_equal(traces_seal(f->t), 0);
	assert_int_equal(stats(f).head_documents, 0);
	assert_int_equal(stats(f).blocks, 1);
	sealed = answers(f, 20);
	assert_string_equal(head, sealed);
	assert_int_equal(traces_view(f->t)->durable, f->position);
	free(sealed);
	restart(f); /* the block has it all, and nothing is applied again */
	sealed = answers(f, 20);
	assert_string_equal(head, sealed);
	assert_int_equal(stats(f).head_documents, 0);
	free(head);

	f->now_ns += NS_PER_S;
	send_segment(f, 21, 1, 0, "");
	send_segment(f, 22, 1, 30, "");
	head = answers(f, 22);
	restart(f);
	mixed = answers(f, 22);
	assert_string_equal(head, mixed);
	assert_int_equal(stats(f).head_documents, 2);
	free(head);
	free(restarted);
	free(sealed);
	free(mixed);
}

static void test_find(void **state)
{
	struct fixture *f = *state;
	uint8_t id[TRACE_ID_SIZE], want[TRACE_ID_SIZE];

	for (int sealed = 0; sealed < 2; sealed++) {
		unsigned n = sealed ? 8 : 7;

		send_segment(f, n, 1, 0,
			     sealed ? ",\"aws\":{\"request_id\":\"r8\"},"
				      "\"subsegments\":[{\"id\":"
				      "\"00000000000000aa\",\"name\":\"x\","
				      "\"start_time\":1,\"aws\":"
				      "{\"request_id\":\"inner\"}}]" :
				      ",\"aws\":{\"request_id\":\"inner\"}");
		if (sealed)
			assert_int_equal(traces_seal(f->t), 0);
		trace_number(n, want);
		assert_int_equal(traces_find(f->t, &home,
					     sealed ? SV("r8") : SV("inner"),
					     id),
				 0);
		assert_memory_equal(id, want, TRACE_ID_SIZE);
		/* seen in both: the later one */
		assert_int_equal(traces_find(f->t, &home, SV("inner"), id), 0);
		assert_memory_equal(id, want, TRACE_ID_SIZE);
		/* in W3C's form */
		assert_int_equal(
			traces_find(
				f->t, &home,
				sealed ?
					SV("6b02bf61000000000000000000000008") :
					SV("6b02bf61000000000000000000000007"),
				id),
			0);
		assert_int_equal(traces_find(f->t, &other, SV("inner"), id),
				 ERR_NOT_FOUND);
		assert_int_equal(traces_find(f->t, &home, SV("nobody"), id),
				 ERR_NOT_FOUND);
		assert_int_equal(
			traces_find(f->t, &home,
				    SV("1-6b02bf61-0000000000000000000000ff"),
				    id),
			ERR_NOT_FOUND);
	}
	assert_int_equal(traces_find(f->t, &home, SV(""), id), ERR_NOT_FOUND);
}

static size_t documents_of(struct fixture *f, unsigned n, bool *in_progress)
{
	struct arena arena = ARENA_INIT;
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;
	size_t count;

	trace_number(n, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	*in_progress = trace.documents[0].in_progress;
	count = trace.document_count;
	arena_fini(&arena);
	return count;
}

static void test_repeats_and_progress(void **state)
{
	static const char begun[] =
		"{\"trace_id\":\"1-6b02bf61-000000000000000000000001\","
		"\"id\":\"0000000000000001\",\"name\":\"a\",\"start_time\":1,"
		"\"in_progress\":true}";
	static const char ended[] =
		"{\"trace_id\":\"1-6b02bf61-000000000000000000000001\","
		"\"id\":\"0000000000000001\",\"name\":\"a\",\"start_time\":1,"
		"\"end_time\":2}";
	struct fixture *f = *state;
	bool in_progress;

	send_document(f, begun);
	assert_int_equal(documents_of(f, 1, &in_progress), 1);
	assert_true(in_progress);
	assert_int_equal(traces_seal(f->t), 0);
	/* across a seal the reader puts them together */
	send_document(f, ended);
	assert_int_equal(documents_of(f, 1, &in_progress), 1);
	assert_false(in_progress);
	send_document(f, ended);
	assert_int_equal(stats(f).repeats, 1);
	/* late, but older */
	send_document(f, begun);
	assert_int_equal(stats(f).repeats, 2);
	assert_int_equal(stats(f).head_documents, 1);
	assert_int_equal(traces_seal(f->t), 0);
	assert_int_equal(documents_of(f, 1, &in_progress), 1);
	assert_false(in_progress);
}

static void test_recent(void **state)
{
	struct fixture *f = *state;
	struct arena arena = ARENA_INIT;
	struct trace_list list;

	for (unsigned n = 1; n <= 30; n++) {
		send_segment(f, n, n % 3 + 1, (int)n, "");
		if (n % 7 == 0)
			assert_int_equal(traces_seal(f->t), 0);
	}
	/* one that a seal cut in two */
	send_segment(f, 5, 99, 5,
		     ",\"parent_id\":\"0000000000000003\",\"fault\":true");
	assert_int_equal(traces_recent(f->t, &home, T0, T0 + 60 * NS_PER_S,
				       SV(""), 10, &arena, &list),
			 0);
	assert_int_equal(list.count, 10);
	assert_true(list.truncated);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(list.rows[i].id[TRACE_ID_SIZE - 1], 30 - i);
	assert_int_equal(traces_recent(f->t, &home, T0 + 5 * NS_PER_S,
				       T0 + 10 * NS_PER_S, SV(""), 0, &arena,
				       &list),
			 0);
	assert_int_equal(list.count, 5);
	assert_false(list.truncated);
	assert_int_equal(list.rows[4].name_count, 2); /* both halves */
	assert_int_equal(traces_recent(f->t, &home, 0, INT64_MAX, SV("svc2"), 0,
				       &arena, &list),
			 0);
	assert_int_equal(list.count, 10);
	assert_int_equal(traces_recent(f->t, &home, 0, INT64_MAX, SV("svc99"),
				       0, &arena, &list),
			 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(traces_recent(f->t, &other, 0, INT64_MAX, SV(""), 0,
				       &arena, &list),
			 0);
	assert_int_equal(list.count, 0);
	arena_fini(&arena);
}

/* An hour after the head began what is quiet is sealed, what is under way
 * stays, also through a restart, and is whole on the map. */
static void test_seal_by_age(void **state)
{
	struct fixture *f = *state;
	char *before, *after;

	fill(f, 3);
	f->now_ns += TRACES_SEAL_AGE_NS - 10 * NS_PER_S;
	send_segment(f, 4, 1, 4, "");
	assert_int_equal(stats(f).seals, 0);
	before = answers(f, 4);
	f->now_ns += 10 * NS_PER_S;
	send_to(f, &other,
		"{\"trace_id\":\"1-6b02bf61-000000000000000000000001\","
		"\"id\":\"0000000000000001\",\"name\":\"a\",\"start_time\":1,"
		"\"end_time\":2}");
	assert_int_equal(stats(f).seals, 1);
	assert_int_equal(stats(f).head_traces, 2);
	after = answers(f, 4);
	assert_string_equal(before, after);
	free(after);
	traces_close(f->t);
	open_view(f); /* trace 4 comes from the checkpoint */
	assert_int_equal(stats(f).head_traces, 1);
	after = answers(f, 4);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* A clock that was a year ahead and is set right stops nothing. */
static void test_clock_set_back(void **state)
{
	struct fixture *f = *state;
	struct view *v = traces_view(f->t);

	f->now_ns += 365 * DAY_NS;
	send_segment(f, 1, 1, 1, "");
	f->now_ns -= 365 * DAY_NS;
	send_segment(f, 2, 1, 2, "");
	f->now_ns += TRACES_SEAL_AGE_NS;
	assert_int_equal(v->ops->tick(v->self, (struct wall){ f->now_ns }), 0);
	assert_int_equal(stats(f).seals, 1);
	assert_int_equal(stats(f).head_traces, 0);
	assert_int_equal(stats(f).blocks_deleted, 0);
}

static void test_seal_by_size(void **state)
{
	struct fixture *f = *state;
	struct buf pad = BUF_INIT;
	uint64_t x = 88172645463325252u;

	traces_close(f->t);
	f->options.head_bytes = 100000;
	open_view(f);
	for (unsigned n = 1; n <= 100; n++) {
		buf_reset(&pad);
		buf_text(&pad, ",\"metadata\":\"");
		while (pad.len < 4000) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			buf_format(&pad, "%016llx", (unsigned long long)x);
		}
		buf_char(&pad, '"');
		send_segment(f, n, 1, (int)n, pad.ptr);
	}
	assert_true(stats(f).seals >= 3);
	assert_true(stats(f).head_bytes < 115000);
	assert_true(stats(f).block_rows >= 3 * 4);
	restart(f);
	free(answers(f, 100)); /* each of them is found */
	buf_fini(&pad);
}

/* What repeats takes little of the head and all of a checkpoint's image. */
static void test_seal_by_text(void **state)
{
	struct fixture *f = *state;
	struct buf more = BUF_INIT;

	buf_text(&more, ",\"metadata\":{\"default\":{");
	for (int i = 0; i < 4 * 3500; i++) {
		if (i % 3500 == 0)
			buf_format(&more, "%s\"%d\":\"", i ? "\"," : "",
				   i / 3500);
		buf_char(&more, (char)('a' + i % 26));
	}
	buf_text(&more, "\"}}");
	traces_close(f->t);
	f->options.head_bytes = 1 << 20;
	open_view(f);
	for (unsigned i = 0; i < 1500; i++) {
		send_segment(f, i, 1, (int)i, more.ptr);
		assert_true(stats(f).head_bytes < f->options.head_bytes);
		assert_in_range(stats(f).head_documents, 0,
				TRACES_HEAD_TEXT * f->options.head_bytes /
						more.len +
					1);
	}
	assert_in_range(stats(f).seals, 2, 4);
	buf_fini(&more);
}

static void test_trace_limits(void **state)
{
	struct fixture *f = *state;
	struct arena arena = ARENA_INIT;
	struct buf pad = BUF_INIT;
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;
	unsigned n;

	buf_text(&pad, ",\"metadata\":\"");
	while (pad.len < 60000)
		buf_char(&pad, 'x');
	buf_char(&pad, '"');
	for (n = 1; stats(f).shed_trace == 0; n++) {
		assert_true(n < 100);
		send_segment(f, 1, n, 1, pad.ptr);
	}
	trace_number(1, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	assert_int_equal(trace.document_count, n - 2);
	assert_true(trace.limit_exceeded);
	for (n = 1; n <= TRACES_TRACE_DOCUMENTS_MAX + 1; n++)
		send_segment(f, 2, n, 1, "");
	assert_int_equal(stats(f).shed_trace, 2);
	trace_number(2, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	assert_int_equal(trace.document_count, TRACES_TRACE_DOCUMENTS_MAX);
	buf_fini(&pad);
	arena_fini(&arena);
}

static void tick(struct fixture *f, int64_t now_ns)
{
	struct view *v = traces_view(f->t);

	assert_int_equal(v->ops->tick(v->self, (struct wall){ now_ns }), 0);
}

/* So many ticks, a second apart. */
static void ticks(struct fixture *f, int64_t from_ns, int count)
{
	for (int i = 0; i < count; i++)
		tick(f, from_ns + i * NS_PER_S);
}

static void test_retention(void **state)
{
	struct fixture *f = *state;
	struct arena arena = ARENA_INIT;
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;

	send_segment(f, 1, 1, 1, "");
	assert_int_equal(traces_seal(f->t), 0);
	ticks(f, T0, RETENTION_DOUBT_S + 1);
	f->now_ns += DAY_NS;
	send_segment(f, 2, 1, 2, "");
	assert_int_equal(traces_seal(f->t), 0);
	tick(f, f->now_ns);
	send_segment(f, 3, 1, 3, "");
	assert_int_equal(stats(f).blocks, 2);
	for (int day = 2; day <= 30; day++)
		tick(f, T0 + day * DAY_NS);
	assert_int_equal(stats(f).blocks_deleted, 0);
	tick(f, T0 + 30 * DAY_NS + NS_PER_S * 90);
	assert_int_equal(stats(f).blocks_deleted, 1);
	trace_number(1, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace),
			 ERR_NOT_FOUND);
	for (int again = 0; again < 2; again++) {
		trace_number(2, id);
		assert_int_equal(traces_get(f->t, &home, id, &arena, &trace),
				 0);
		trace_number(3, id);
		assert_int_equal(traces_get(f->t, &home, id, &arena, &trace),
				 0);
		restart(f);
	}
	arena_fini(&arena);
}

/* A clock that is a year ahead deletes nothing until it has been for ten
 * minutes; not after a start either. */
static void test_clock_ahead(void **state)
{
	const int64_t year_ns = 365 * DAY_NS;
	struct fixture *f = *state;
	char *before, *after;

	fill(f, 5);
	assert_int_equal(traces_seal(f->t), 0);
	before = answers(f, 5);
	ticks(f, f->now_ns, RETENTION_DOUBT_S + 1);
	for (int again = 0; again < 2; again++) {
		f->now_ns += year_ns; /* of a frame as well */
		send_document(f, "{}");
		tick(f, f->now_ns);
		after = answers(f, 5);
		assert_string_equal(before, after);
		free(after);
		f->now_ns -= year_ns;
		tick(f, f->now_ns);
		assert_int_equal(stats(f).blocks_deleted, 0);
		restart(f);
	}
	ticks(f, f->now_ns + year_ns, RETENTION_DOUBT_S);
	assert_int_equal(stats(f).blocks_deleted, 0);
	after = answers(f, 5);
	assert_string_equal(before, after);
	ticks(f, f->now_ns + year_ns + RETENTION_DOUBT_S * NS_PER_S, 1);
	assert_int_equal(stats(f).blocks_deleted, 1);
	assert_int_equal(stats(f).blocks, 0);
	free(before);
	free(after);
}

static void remove_checkpoint(const char *path)
{
	if (strstr(path, "/checkpoint"))
		assert_int_equal(unlink(path), 0);
}

/* Blocks are primary: without a checkpoint they are taken as they are. */
static void test_lost_checkpoint(void **state)
{
	struct fixture *f = *state;
	char *before, *after;

	fill(f, 5);
	assert_int_equal(traces_seal(f->t), 0);
	before = answers(f, 5);
	traces_close(f->t);
	each_entry(f, remove_checkpoint);
	open_view(f);
	after = answers(f, 5);
	assert_string_equal(before, after);
	assert_int_equal(traces_view(f->t)->position, f->position);
	free(before);
	free(after);
}

/* --- a disk that is full ----------------------------------------------------- */

struct full_disk {
	const struct env *real;
	bool full;
};

static int full_pwrite(void *self, int fd, const void *buf, size_t n,
		       uint64_t at)
{
	const struct full_disk *d = self;

	if (d->full)
		return -ENOSPC;
	return d->real->disk->pwrite(d->real->disk_self, fd, buf, n, at);
}

/* Over its size and not sealable, the view stands still; then it goes on by
 * itself, and nothing was lost or counted twice. */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct full_disk self = { .real = env_posix() };
	struct disk_ops disk = *self.real->disk;
	struct env env = { .clock = self.real->clock,
			   .disk = &disk,
			   .disk_self = &self };
	struct segment_record segment = { 0 };
	struct records records = { .segments = &segment, .segment_count = 1 };
	struct frame frame = { .scope = home, .received = { T0 } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct arena arena = ARENA_INIT;
	struct view *v;
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;
	int tries = 0;
	char *text;

	disk.pwrite = full_pwrite; /* the rest takes no self */
	traces_close(f->t);
	f->options.head_bytes = 1;
	assert_int_equal(traces_open(&f->t, &env, f->dir, &f->options, NULL),
			 0);
	v = traces_view(f->t);
	send_segment(f, 1, 1, 1, "");
	self.full = true;
	text = strdup("{\"trace_id\":\"1-6b02bf61-000000000000000000000002\","
		      "\"id\":\"0000000000000001\",\"name\":\"a\","
		      "\"start_time\":1,\"end_time\":2}");
	segment.document = sv_from(text);
	frame.position = f->position;
	frame.next = f->position + 64;
	assert_int_equal(v->ops->apply(v->self, &d), ERR_FULL);
	assert_int_equal(stats(f).seal_errors, 1);
	assert_int_equal(v->position, f->position);
	trace_number(1, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	self.full = false;
	while (v->ops->apply(v->self, &d) != 0)
		assert_true(++tries < 100);
	assert_int_equal(stats(f).blocks, 1);
	assert_int_equal(stats(f).head_documents, 1);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	trace_number(2, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	free(text);
	arena_fini(&arena);
	traces_close(f->t); /* its environment ends here */
	open_view(f);
}

struct lost_sync {
	bool armed, renamed;
};

static int note_rename(void *self, const char *from, const char *to)
{
	struct lost_sync *d = self;

	d->renamed = d->armed && sv_ends(sv_from(to), SV("/checkpoint"));
	return env_posix()->disk->rename(NULL, from, to);
}

static int fail_sync_dir(void *self, const char *path)
{
	struct lost_sync *d = self;

	if (d->renamed) {
		d->renamed = d->armed = false;
		return -EIO;
	}
	return env_posix()->disk->sync_dir(NULL, path);
}

/* A checkpoint of which it is not known whether it is there: what it names has
 * to stay, or a start that reads it would miss what is behind its position. */
static void test_checkpoint_in_doubt(void **state)
{
	struct fixture *f = *state;
	struct lost_sync self = { .armed = true };
	struct disk_ops disk = *env_posix()->disk;
	struct env env = { .clock = env_posix()->clock,
			   .disk = &disk,
			   .disk_self = &self };
	struct arena arena = ARENA_INIT;
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;

	disk.rename = note_rename;
	disk.sync_dir = fail_sync_dir;
	traces_close(f->t);
	assert_int_equal(traces_open(&f->t, &env, f->dir, &f->options, NULL),
			 0);
	send_segment(f, 1, 1, 1, "");
	assert_int_not_equal(traces_seal(f->t), 0);
	traces_close(f->t); /* as when it is killed now */
	open_view(f);
	for (size_t i = 0; i < f->sent_count; i++)
		deliver(f, &f->sent[i]);
	trace_number(1, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	assert_int_equal(stats(f).blocks, 1);
	arena_fini(&arena);
}

/* --- readers beside the applying thread --------------------------------------- */

struct reader {
	struct traces *t;
	_Atomic bool stop;
	size_t found;
};

static void *read_on(void *arg)
{
	struct reader *r = arg;

	while (!r->stop) {
		struct arena arena = ARENA_INIT;
		struct trace_list list;
		struct graph graph;
		struct trace trace;
		uint8_t id[TRACE_ID_SIZE];

		if (traces_recent(r->t, &home, 0, INT64_MAX, SV(""), 20, &arena,
				  &list))
			abort();
		for (size_t i = 0; i < list.count; i++)
			r->found += traces_get(r->t, &home, list.rows[i].id,
					       &arena, &trace) == 0;
		if (traces_map(r->t, &home, 0, INT64_MAX, &graph))
			abort();
		graph_fini(&graph);
		(void)!traces_find(r->t, &home, SV("req-1"), id);
		arena_fini(&arena);
	}
	return NULL;
}

static void test_readers(void **state)
{
	struct fixture *f = *state;
	struct reader readers[2];
	pthread_t threads[2];

	for (int i = 0; i < 2; i++) {
		readers[i] = (struct reader){ .t = f->t };
		assert_int_equal(pthread_create(&threads[i], NULL, read_on,
						&readers[i]),
				 0);
	}
	for (unsigned n = 1; n <= 400; n++) {
		send_segment(f, n, 1, (int)(n % 50),
			     ",\"aws\":{\"request_id\":\"req-1\"}");
		send_segment(f, n, 2, (int)(n % 50), "");
		if (n % 80 == 0)
			assert_int_equal(traces_seal(f->t), 0);
	}
	for (int i = 0; i < 2; i++) {
		readers[i].stop = true;
		pthread_join(threads[i], NULL);
	}
	free(answers(f, 400));
}

/* --- spans of OpenTelemetry's --------------------------------------------------- */

/* resource { service.name: "shop" } */
static const char resource_bytes[] = "\n\x16\n\fservice.name\x12\x06\n\x04shop";

static void send_span(struct fixture *f, unsigned n, unsigned i,
		      unsigned parent)
{
	struct span_source source = { .scope = SV_INIT("\n\x02io") };
	struct span_record span = { .source = &source };
	struct records records = { .spans = &span, .span_count = 1 };
	struct frame frame = { .position = f->position,
			       .next = f->position + 64,
			       .scope = home,
			       .received = { f->now_ns } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v = traces_view(f->t);
	struct buf b = BUF_INIT;
	uint8_t id[TRACE_ID_SIZE];
	uint8_t span_id[SEGMENT_ID_SIZE] = { 0 };

	source.resource = sv_make(resource_bytes, sizeof(resource_bytes) - 1);
	trace_number(n, id);
	protobuf_put_bytes(&b, 1, sv_make((char *)id, TRACE_ID_SIZE));
	span_id[7] = (uint8_t)i;
	protobuf_put_bytes(&b, 2, sv_make((char *)span_id, SEGMENT_ID_SIZE));
	span_id[7] = (uint8_t)parent;
	if (parent)
		protobuf_put_bytes(&b, 4,
				   sv_make((char *)span_id, SEGMENT_ID_SIZE));
	protobuf_put_bytes(&b, 5, SV("work"));
	protobuf_put_u64(&b, 6, parent ? 3 : 2);
	protobuf_put_fixed64(&b, 7, (uint64_t)T0);
	protobuf_put_fixed64(&b, 8, (uint64_t)(T0 + NS_PER_S));
	span.span = buf_view(&b);
	assert_int_equal(v->ops->apply(v->self, &d), 0);
	f->position += 64;
	buf_fini(&b);
}

/* Spans and segments are equals: in one trace, in one map, from head and
 * blocks and after a restart, and a span comes back as it was sent. */
static void test_spans(void **state)
{
	struct fixture *f = *state;
	struct arena arena = ARENA_INIT;
	uint8_t id[TRACE_ID_SIZE];
	struct trace trace;
	char *head, *sealed;

	send_span(f, 1, 1, 0);
	send_span(f, 1, 2, 1);
	send_span(f, 1, 2, 1); /* the same bytes */
	assert_int_equal(stats(f).repeats, 1);
	trace_number(1, id);
	assert_int_equal(traces_get(f->t, &home, id, &arena, &trace), 0);
	assert_int_equal(trace.document_count, 2);
	assert_true(sv_eq(trace.summary.root, SV("shop")));
	assert_int_equal(trace.documents[0].document.format, DOCUMENT_OTLP);
	assert_memory_equal(trace.documents[0].document.bytes.ptr + 2,
			    resource_bytes, sizeof(resource_bytes) - 1);
	send_segment(f, 1, 3, 0, ",\"parent_id\":\"0000000000000002\"");
	head = answers(f, 1);
	assert_non_null(strstr(head, "\"name\":\"work\""));
	assert_non_null(strstr(head, "3 nodes 2 edges"));
	f->now_ns += TRACES_SEAL_AGE_NS - 10 * NS_PER_S;
	send_span(f, 2, 1, 0);
	f->now_ns += 10 * NS_PER_S;
	send_span(f, 2, 2, 1); /* seals the first trace; the second stays */
	assert_int_equal(stats(f).blocks, 1);
	assert_int_equal(stats(f).head_documents, 2);
	traces_close(f->t);
	open_view(f); /* and comes back from the checkpoint's image */
	assert_int_equal(stats(f).head_documents, 1);
	free(head);
	head = answers(f, 2);
	assert_int_equal(traces_seal(f->t), 0);
	sealed = answers(f, 2);
	assert_string_equal(head, sealed);
	free(head);
	free(sealed);
	arena_fini(&arena);
}

int main(void)
{
#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		VIEW_TEST(test_same_answers),
		VIEW_TEST(test_find),
		VIEW_TEST(test_spans),
		VIEW_TEST(test_repeats_and_progress),
		VIEW_TEST(test_recent),
		VIEW_TEST(test_seal_by_age),
		VIEW_TEST(test_clock_set_back),
		VIEW_TEST(test_seal_by_size),
		VIEW_TEST(test_seal_by_text),
		VIEW_TEST(test_trace_limits),
		VIEW_TEST(test_retention),
		VIEW_TEST(test_clock_ahead),
		VIEW_TEST(test_lost_checkpoint),
		VIEW_TEST(test_full_disk),
		VIEW_TEST(test_checkpoint_in_doubt),
		VIEW_TEST(test_readers),
	};

	return cmocka_run_group_tests_name("traces", tests, NULL, NULL);
}
