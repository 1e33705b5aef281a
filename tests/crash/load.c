/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for a collector that is killed again and again, and the judge of what
 * it remembers. Survives it: a request without an answer is sent again with
 * the same bytes until there is one, or (one in five) given up, so that
 * nobody knows what became of it.
 *
 *   load PORT SEED CONNECTIONS TRUTH
 *
 * Commands on stdin: `stop` finishes what is in flight, then `check` compares
 * with the collector (after any number of restarts) and writes `check ok ...`
 * or lines that begin with `FAIL`. Each batch is in the file TRUTH, synced,
 * before it is first sent. Of the batches 20 % are sent again on purpose, and
 * 5 % use an id again with other content, which must be answered by 409.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <fcntl.h>
#include <jansson.h>

#include "core/sys/env.h"
#include "core/wire/native.h"
#include "tests/sim/http.h"

enum {
	CONNECTIONS_MAX = 64,
	RUNS_MAX = 1 << 20, /* usage records of one connection */
	BATCH_RUNS_MAX = 8,
	REMEMBERED = 64, /* batches that may be sent again */
	FUNCTIONS = 5,
	SAMPLE = 20, /* one in so many that need no proof is looked up */
	TEXT_MAX = 64,
};

enum fate { UNSENT, SENT, ACKED };

/* A usage record of which everything follows from its number but its fate. */
struct run {
	uint8_t fate;
	bool begins; /* its batch has its segment */
	uint8_t function;
	uint16_t memory_mb;
	uint32_t billed_ms;
};

struct load {
	uint16_t port;
	uint64_t seed;
	int truth;
	int64_t base_ns;
	atomic_bool stop;
	pthread_mutex_t lock; /* of the truth file and the output */
	_Atomic uint64_t failures;
};

struct connection {
	struct load *load;
	unsigned number;
	uint64_t random;
	struct http http;
	uint64_t sequence;
	struct run *runs;
	size_t run_count;
	struct buf sent[REMEMBERED]; /* acknowledged batches */
	size_t sent_count;
	uint64_t acked, repeats, conflicts, unknown, refused;
	pthread_t thread;
};

static uint64_t roll(struct connection *c, uint64_t sides)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random % sides;
}

static void fail(struct load *l, const char *format, ...) PRINTF(2, 3);
static void fail(struct load *l, const char *format, ...)
{
	va_list ap;

	pthread_mutex_lock(&l->lock);
	if (l->failures++ < 20) {
		fputs("FAIL ", stdout);
		va_start(ap, format);
		vprintf(format, ap);
		va_end(ap);
		putchar('\n');
		fflush(stdout);
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- batches --------------------------------------------------------------- */

static void id_of(const struct connection *c, size_t n, char out[TEXT_MAX])
{
	snprintf(out, TEXT_MAX, "%" PRIx64 "-%u-%zu", c->load->seed, c->number,
		 n);
}

static void trace_of(const struct connection *c, size_t n, char out[TEXT_MAX])
{
	snprintf(out, TEXT_MAX, "1-%08" PRIx64 "-%08" PRIx64 "%06x%010zx",
		 (uint64_t)(c->load->base_ns / NS_PER_S),
		 c->load->seed & 0xffffffff, c->number, n);
}

struct texts {
	char id[BATCH_RUNS_MAX + 1][TEXT_MAX];
	char trace[BATCH_RUNS_MAX + 1][TEXT_MAX];
	char name[BATCH_RUNS_MAX + 1][TEXT_MAX];
	char document[512];
};

static struct usage usage_of(const struct connection *c, size_t n,
			     struct texts *t, size_t slot)
{
	const struct run *r = &c->runs[n];

	id_of(c, n, t->id[slot]);
	trace_of(c, n, t->trace[slot]);
	snprintf(t->name[slot], TEXT_MAX, "function-%u", r->function);
	return (struct usage){
		.id = sv_from(t->id[slot]),
		.source = SV("lambda"),
		.time_ns = c->load->base_ns + (int64_t)(n % 1000) * NS_PER_MS,
		.resource = sv_from(t->name[slot]),
		.memory_mb = r->memory_mb,
		.max_memory_mb = r->memory_mb / 2,
		.duration_us = (uint64_t)r->billed_ms * 1000 - 10,
		.billed_ms = r->billed_ms,
		.trace_id = sv_from(t->trace[slot]),
	};
}

static size_t new_run(struct connection *c)
{
	struct run *r = &c->runs[c->run_count];

	*r = (struct run){
		.fate = SENT,
		.function = (uint8_t)roll(c, FUNCTIONS),
		.memory_mb = (uint16_t)(128 << roll(c, 4)),
		.billed_ms = (uint32_t)(1 + roll(c, 3000)),
	};
	return c->run_count++;
}

/* The segment of a batch: of the run that comes first in it. */
static struct sv document_of(const struct connection *c, size_t n,
			     struct texts *t)
{
	double start = (double)c->load->base_ns / 1e9;

	snprintf(t->document, sizeof(t->document),
		 "{\"id\":\"%016zx\",\"trace_id\":\"%s\",\"name\":\"%s\","
		 "\"start_time\":%.3f,\"end_time\":%.3f}",
		 n + 1, t->trace[0], t->name[0], start, start + 0.25);
	return sv_from(t->document);
}

/* A batch of new runs from c->run_count on; with `again` also that run's id
 * with other content. */
static void make_batch(struct connection *c, struct buf *out,
		       const size_t *again)
{
	struct usage usage[BATCH_RUNS_MAX + 1];
	struct segment_record segment;
	struct records records = { .usage = usage, .segments = &segment };
	size_t n = 1 + roll(c, BATCH_RUNS_MAX), first = c->run_count;
	char producer[TEXT_MAX];
	struct texts t;

	while (records.usage_count < n) {
		size_t run = new_run(c);

		usage[records.usage_count] =
			usage_of(c, run, &t, records.usage_count);
		records.usage_count++;
	}
	if (again) {
		usage[n] = usage_of(c, *again, &t, n);
		usage[n].billed_ms += 1;
		records.usage_count++;
	}
	c->runs[first].begins = true;
	segment.document = document_of(c, first, &t);
	records.segment_count = 1;
	snprintf(producer, sizeof(producer), "load-%" PRIx64 "-%u",
		 c->load->seed, c->number);
	buf_reset(out);
	if (native_encode(out, sv_from(producer), ++c->sequence, &records) < 0)
		abort();
}

static void write_truth(struct connection *c, size_t first)
{
	struct load *l = c->load;
	struct buf line = BUF_INIT;

	buf_format(&line, "%u %" PRIu64, c->number, c->sequence);
	for (size_t n = first; n < c->run_count; n++)
		buf_format(&line, " %zu:%u:%u:%u", n, c->runs[n].function,
			   c->runs[n].memory_mb, c->runs[n].billed_ms);
	buf_char(&line, '\n');
	pthread_mutex_lock(&l->lock);
	if (write(l->truth, line.ptr, line.len) != (ssize_t)line.len ||
	    fdatasync(l->truth) < 0)
		abort();
	pthread_mutex_unlock(&l->lock);
	buf_fini(&line);
}

/* --- sending --------------------------------------------------------------- */

/* Sends until there is an answer: its status. 0: given up; nobody knows.
 * *tries: how often. */
static int post(struct connection *c, struct sv body, bool may_give_up,
		unsigned *tries)
{
	for (*tries = 1;; ++*tries) {
		struct sv answer;
		int status = http_call(&c->http, "POST", "/api/v1/batches",
				       "application/x-protobuf", body, &answer);

		if (status == 503 || status == 429)
			c->refused++;
		else if (status > 0)
			return status;
		else if (may_give_up && roll(c, 5) == 0)
			return 0;
		usleep(3000);
	}
}

static void remember(struct connection *c, const struct buf *batch)
{
	struct buf *b = &c->sent[c->sent_count++ % REMEMBERED];

	buf_reset(b);
	buf_sv(b, buf_view(batch));
}

static void send_new(struct connection *c, struct buf *batch, bool conflict)
{
	size_t first = c->run_count, again = 0;
	unsigned tries;
	int status;

	if (conflict)
		again = (size_t)roll(c, first);
	conflict = conflict && c->runs[again].fate == ACKED;
	make_batch(c, batch, conflict ? &again : NULL);
	write_truth(c, first);
	status = post(c, buf_view(batch), !conflict, &tries);
	if (status == 0) {
		c->unknown++;
		return;
	}
	/* A batch that was known already says 200 for all of it. */
	if (conflict ? status != 409 && (tries == 1 || status != 200) :
		       status != 200)
		fail(c->load, "connection %u batch %" PRIu64 ": status %d",
		     c->number, c->sequence, status);
	for (size_t n = first; n < c->run_count; n++)
		c->runs[n].fate = ACKED;
	c->acked++;
	c->conflicts += conflict;
	if (!conflict)
		remember(c, batch);
}

static void send_again(struct connection *c)
{
	size_t have = c->sent_count < REMEMBERED ? c->sent_count : REMEMBERED;
	unsigned tries;
	int status;

	status = post(c, buf_view(&c->sent[roll(c, have)]), false, &tries);
	if (status != 200)
		fail(c->load, "connection %u: a repeated batch: status %d",
		     c->number, status);
	c->repeats++;
}

static void *send_on(void *arg)
{
	struct connection *c = arg;
	struct buf batch = BUF_INIT;

	while (!c->load->stop && c->run_count < RUNS_MAX - BATCH_RUNS_MAX) {
		uint64_t dice = roll(c, 100);

		if (dice < 20 && c->sent_count > 0)
			send_again(c);
		else
			send_new(c, &batch, dice < 25 && c->run_count > 0);
		usleep((unsigned)roll(c, 10000));
	}
	buf_fini(&batch);
	return NULL;
}

/* --- judging --------------------------------------------------------------- */

struct sums {
	uint64_t requests, mb_ms;
};

static json_t *get_json(struct load *l, struct http *h, const char *path,
			int *status)
{
	struct sv answer = { 0 };

	*status = http_call(h, "GET", path, NULL, SV(""), &answer);
	if (*status < 0) /* once more: the connection was of a killed one */
		*status = http_call(h, "GET", path, NULL, SV(""), &answer);
	if (*status != 200)
		return NULL;
	json_t *json = json_loadb(answer.ptr, answer.len, 0, NULL);

	if (!json)
		fail(l, "%s: the answer is not JSON", path);
	return json;
}

/* Is the run there, and as it was sent? */
static bool look_up(struct connection *c, struct http *h, size_t n)
{
	const struct run *r = &c->runs[n];
	char id[TEXT_MAX], path[128], name[TEXT_MAX];
	json_t *json;
	int status;

	id_of(c, n, id);
	snprintf(path, sizeof(path), "/api/v1/usage/%s", id);
	json = get_json(c->load, h, path, &status);
	if (!json) {
		if (status != 404)
			fail(c->load, "%s: status %d", path, status);
		return false;
	}
	snprintf(name, sizeof(name), "function-%u", r->function);
	if (json_integer_value(json_object_get(json, "billed_ms")) !=
		    r->billed_ms ||
	    json_integer_value(json_object_get(json, "memory_mb")) !=
		    r->memory_mb ||
	    json_object_get(json, "function") == NULL ||
	    strcmp(json_string_value(json_object_get(json, "function")), name))
		fail(c->load, "%s is not what was sent", path);
	json_decref(json);
	return true;
}

/* A trace is there, with its segment once. */
static void look_up_trace(struct connection *c, struct http *h, size_t n)
{
	char trace[TEXT_MAX], path[128];
	json_t *json;
	int status;

	trace_of(c, n, trace);
	snprintf(path, sizeof(path), "/api/v1/traces/%s", trace);
	json = get_json(c->load, h, path, &status);
	if (!json || json_array_size(json_object_get(json, "segments")) != 1)
		fail(c->load,
		     "trace %s of an acknowledged batch: status %d, "
		     "%zu segments",
		     trace, status,
		     json_array_size(json_object_get(json, "segments")));
	json_decref(json);
}

/* Decimal text times 10^13, exactly; 13 digits hold any MB-ms in GB-s. */
static bool scaled(const char *text, uint64_t *out)
{
	__extension__ unsigned __int128 v = 0;
	int digits = -1;

	for (; *text; text++) {
		if (*text == '.' && digits < 0) {
			digits = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || digits == 13)
			return false;
		v = v * 10 + (unsigned)(*text - '0');
		digits += digits >= 0;
	}
	for (digits = digits < 0 ? 0 : digits; digits < 13; digits++)
		v *= 10;
	/* 1 GB-s is 1,024,000 MB-ms. */
	v /= 9765625;
	*out = (uint64_t)v;
	return true;
}

static void check_statement(struct load *l, struct http *h,
			    const struct sums *expected)
{
	struct tm tm;
	time_t seconds = (time_t)(l->base_ns / NS_PER_S);
	char path[64];
	json_t *json, *list, *row;
	size_t i;
	int status;

	gmtime_r(&seconds, &tm);
	snprintf(path, sizeof(path), "/api/v1/statement?month=%04d-%02d",
		 tm.tm_year + 1900, tm.tm_mon + 1);
	json = get_json(l, h, path, &status);
	list = json_object_get(json, "functions");
	if (!list)
		fail(l, "%s: status %d", path, status);
	json_array_foreach(list, i, row)
	{
		const char *name =
			json_string_value(json_object_get(row, "name"));
		json_t *gb = json_object_get(row, "gb_seconds");
		uint64_t mb_ms = 0, requests = (uint64_t)json_integer_value(
					    json_object_get(row, "requests"));
		unsigned f;

		/* Names it made itself. NOLINTNEXTLINE(cert-err34-c) */
		if (!name || sscanf(name, "function-%u", &f) != 1 ||
		    f >= FUNCTIONS ||
		    !scaled(json_is_string(gb) ? json_string_value(gb) : "?",
			    &mb_ms)) {
			fail(l, "the statement has an odd row: %s",
			     name ? name : "?");
			continue;
		}
		if (requests != expected[f].requests ||
		    mb_ms != expected[f].mb_ms)
			fail(l,
			     "%s: the statement says %" PRIu64
			     " requests and %" PRIu64 " MB-ms, sent were "
			     "%" PRIu64 " and %" PRIu64,
			     name, requests, mb_ms, expected[f].requests,
			     expected[f].mb_ms);
	}
	json_decref(json);
}

struct verdict {
	struct sums expected[FUNCTIONS];
	uint64_t acked, unknown, kept, lost;
};

/* What the statement must say. A record of which nobody knows is looked up,
 * and so are some of those that were acknowledged, or all. */
static void judge(struct connection *c, struct http *h, bool all,
		  struct verdict *v)
{
	for (size_t n = 0; n < c->run_count; n++) {
		const struct run *r = &c->runs[n];
		bool acked = r->fate == ACKED, there = acked;

		if (!acked || all || roll(c, SAMPLE) == 0)
			there = look_up(c, h, n);
		v->acked += acked;
		v->unknown += !acked;
		v->kept += !acked && there;
		v->lost += acked && !there;
		if (!there && !acked)
			continue;
		v->expected[r->function].requests++;
		v->expected[r->function].mb_ms +=
			(uint64_t)r->memory_mb * r->billed_ms;
	}
}

/* Acknowledged is in the ledger, the ledger is in what was sent, sums agree to
 * the unit (so nothing is there twice). */
static void check(struct load *l, struct connection *all, unsigned count)
{
	struct http h = HTTP_INIT(l->port);
	struct verdict v = { 0 }, again = { 0 };

	for (unsigned i = 0; i < count; i++)
		judge(&all[i], &h, false, &v);
	check_statement(l, &h, v.expected);
	if (l->failures > 0) /* how many, then */
		for (unsigned i = 0; i < count; i++)
			judge(&all[i], &h, true, &again);
	if (v.lost + again.lost > 0) {
		l->failures++;
		printf("FAIL %" PRIu64
		       " acknowledged usage records are lost\n",
		       again.lost > v.lost ? again.lost : v.lost);
	}
	http_fini(&h);
	if (l->failures == 0)
		printf("check ok: %" PRIu64 " records acknowledged, %" PRIu64
		       " unknown of which %" PRIu64 " are there\n",
		       v.acked, v.unknown, v.kept);
	else
		printf("check failed: %" PRIu64 " failures\n",
		       (uint64_t)l->failures);
	fflush(stdout);
}

static void check_traces(struct load *l, struct connection *all, unsigned count)
{
	struct http h = HTTP_INIT(l->port);

	for (unsigned i = 0; i < count; i++)
		for (size_t n = 0; n < all[i].run_count; n++)
			if (all[i].runs[n].begins &&
			    all[i].runs[n].fate == ACKED &&
			    roll(&all[i], SAMPLE) == 0)
				look_up_trace(&all[i], &h, n);
	http_fini(&h);
}

static void finish(struct load *l, struct connection *all, unsigned count)
{
	uint64_t batches = 0, repeats = 0, conflicts = 0, unknown = 0;
	uint64_t refused = 0;

	if (l->stop)
		return;
	l->stop = true;
	for (unsigned i = 0; i < count; i++) {
		pthread_join(all[i].thread, NULL);
		batches += all[i].acked;
		repeats += all[i].repeats;
		conflicts += all[i].conflicts;
		unknown += all[i].unknown;
		refused += all[i].refused;
	}
	printf("stopped: %" PRIu64 " batches acknowledged, %" PRIu64
	       " repeated, %" PRIu64 " conflicts, %" PRIu64
	       " without an answer, %" PRIu64 " told to wait\n",
	       batches, repeats, conflicts, unknown, refused);
	fflush(stdout);
}

static int open_load(struct load *l, char **argv, uint64_t *connections)
{
	uint64_t port;

	if (!sv_to_u64(sv_from(argv[1]), &port) || port > UINT16_MAX ||
	    !sv_to_u64(sv_from(argv[2]), &l->seed) ||
	    !sv_to_u64(sv_from(argv[3]), connections) ||
	    *connections > CONNECTIONS_MAX)
		return 2;
	l->port = (uint16_t)port;
	l->truth = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (l->truth < 0) {
		perror(argv[4]);
		return 1;
	}
	/* All in one month. */
	l->base_ns =
		env_wall(env_posix()).ns / NS_PER_S * NS_PER_S - 2 * NS_PER_S;
	pthread_mutex_init(&l->lock, NULL);
	return 0;
}

static void connection_fini(struct connection *c)
{
	http_fini(&c->http);
	for (size_t i = 0; i < REMEMBERED; i++)
		buf_fini(&c->sent[i]);
	free(c->runs);
}

int main(int argc, char **argv)
{
	struct connection *all;
	struct load load = { 0 };
	uint64_t count = 0;
	char line[64];
	int e;

	e = argc == 5 ? open_load(&load, argv, &count) : 2;
	if (e != 0) {
		fputs("usage: load PORT SEED CONNECTIONS TRUTH\n", stderr);
		return e;
	}
	all = calloc(count, sizeof(*all));
	if (!all) {
		fputs("load: out of memory\n", stderr);
		return 1;
	}
	for (unsigned i = 0; i < count; i++) {
		struct connection *c = &all[i];

		*c = (struct connection){
			.load = &load,
			.number = i,
			.random = load.seed * 0x9e3779b97f4a7c15ULL + i + 1,
			.http = HTTP_INIT(load.port),
			.runs = calloc(RUNS_MAX, sizeof(*c->runs)),
		};
		if (!c->runs ||
		    pthread_create(&c->thread, NULL, send_on, c) != 0) {
			fputs("load: no memory or no thread\n", stderr);
			exit(1);
		}
	}
	while (fgets(line, sizeof(line), stdin)) {
		finish(&load, all, (unsigned)count);
		if (!strncmp(line, "check", 5)) {
			check_traces(&load, all, (unsigned)count);
			check(&load, all, (unsigned)count);
		}
	}
	finish(&load, all, (unsigned)count);
	for (unsigned i = 0; i < count; i++)
		connection_fini(&all[i]);
	free(all);
	close(load.truth);
	return load.failures > 0;
}
