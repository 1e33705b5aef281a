/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten times what a collector can take, and what becomes of it. First FEW
 * connections send telemetry as fast as they are answered: what is stored then,
 * over the time until every view has applied it, is its capacity (the journal
 * alone takes more for a while). Then ten times as many do, and others ask questions, while a
 * steady stream of batches with usage records (and telemetry and debug lines
 * beside them) goes on all the time. Whoever is refused comes again after
 * PAUSE_MS. At the end the load stops, and the time is taken until nothing is
 * refused any more; the numbers are read when every view has applied all.
 *
 *   overload ADDRESS:PORT PID SECONDS
 *
 * Prints names and numbers, a line each; the test decides (tests/cli/
 * overload.t), `make overload` takes longer. Bodies are made once and then
 * written over with new ids, so that the sender costs little beside what it
 * measures.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/codec/json_write.h"
#include "core/sys/env.h"
#include "core/wire/native.h"
#include "tests/sim/http.h"

enum {
	FEW = 8,
	MANY = 10 * FEW,
	STEADY = 2,  /* connections with usage */
	READERS = 8, /* that ask, in the overload */
	DOCUMENTS = 1000,
	RUNS = 20,      /* usage records of a batch */
	STEADY_MS = 20, /* between two batches of one connection */
	PAUSE_MS = 20,
	ID_DIGITS = 16,
	MARKS_MAX = 2048,
	SETTLE_S = 300,
};

#define MARK "@@@@@@@@@@@@@@@@" /* ID_DIGITS: an id comes here */

/* A body that is sent again and again with other ids. */
struct body {
	struct buf bytes;
	size_t marks[MARKS_MAX];
	size_t count;
	size_t sequence; /* offset of 4 varint bytes; 0: none */
};

struct shared {
	uint16_t port;
	_Atomic bool stop;
	_Atomic uint64_t next_id;
	_Atomic uint64_t usage_sent, usage_acked;
	_Atomic uint64_t refused, failed, answered;
};

struct worker {
	pthread_t thread;
	struct shared *shared;
	unsigned id;
	void (*run)(struct worker *w);
	_Atomic bool *stop;
};

static void die(const char *what)
{
	fprintf(stderr, "overload: %s\n", what);
	exit(1);
}

static double seconds_now(void)
{
	return (double)env_mono(env_posix()).ns / 1e9;
}

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* --- bodies --------------------------------------------------------------------------- */

static void document(struct buf *out, bool escaped)
{
	const char *q = escaped ? "\\\"" : "\"";
	long long now = (long long)(env_wall(env_posix()).ns / NS_PER_S);

	buf_format(out,
		   "{%strace_id%s:%s1-%08llx-deadbeef" MARK "%s,%sid%s:%s" MARK
		   "%s,%sname%s:%sorders%s,%sstart_time%s:%lld.1,"
		   "%send_time%s:%lld.2,%sannotations%s:{%suser%s:%sali%s},"
		   "%shttp%s:{%srequest%s:{%smethod%s:%sGET%s,%surl%s:"
		   "%shttp://127.0.0.1/orders/17?colour=blue&size=9%s}}}",
		   q, q, q, (unsigned long long)now, q, q, q, q, q, q, q, q, q,
		   q, q, now, q, q, now, q, q, q, q, q, q, q, q, q, q, q, q, q,
		   q, q, q, q, q);
}

static void find_marks(struct body *b)
{
	const char *p = b->bytes.ptr;
	const char *end = p + b->bytes.len;

	if (b->bytes.failed)
		die("no memory");
	while ((p = memmem(p, (size_t)(end - p), MARK, ID_DIGITS))) {
		if (b->count == MARKS_MAX)
			die("too many marks");
		b->marks[b->count++] = (size_t)(p - b->bytes.ptr);
		p += ID_DIGITS;
	}
}

static void segments_body(struct body *b)
{
	buf_text(&b->bytes, "{\"TraceSegmentDocuments\":[");
	for (int i = 0; i < DOCUMENTS; i++) {
		buf_text(&b->bytes, i ? ",\"" : "\"");
		document(&b->bytes, true);
		buf_char(&b->bytes, '"');
	}
	buf_text(&b->bytes, "]}");
	find_marks(b);
}

static void steady_body(struct body *b, unsigned id)
{
	static const uint8_t first[] = { 0x80, 0x80, 0x80, 0x01 };
	struct segment_record segments[RUNS];
	struct log_event logs[4 * RUNS];
	struct usage usage[RUNS];
	struct records r = { .segments = segments,
			     .segment_count = RUNS,
			     .logs = logs,
			     .log_count = 4 * RUNS,
			     .usage = usage,
			     .usage_count = RUNS };
	struct buf text = { 0 };
	char producer[32];
	const char *at;

	document(&text, false);
	snprintf(producer, sizeof(producer), "overload-%u-%lld", id,
		 (long long)env_wall(env_posix()).ns);
	for (size_t i = 0; i < RUNS; i++) {
		segments[i] =
			(struct segment_record){ .document = buf_view(&text) };
		for (size_t k = 0; k < 4; k++)
			logs[4 * i + k] = (struct log_event){
				.group = SV("/aws/lambda/orders"),
				.stream = SV("1"),
				.time_ns = env_wall(env_posix()).ns,
				.message = k ? SV("INFO an order was priced") :
					       SV("DEBUG cache miss"),
			};
		usage[i] = (struct usage){
			.id = SV("u-" MARK),
			.source = SV("lambda"),
			.time_ns = env_wall(env_posix()).ns,
			.resource = SV("orders"),
			.memory_mb = 128,
			.max_memory_mb = 51,
			.duration_us = 3200,
			.billed_ms = 4,
		};
	}
	/* 1 << 21 is four bytes, and so is all that follows. */
	if (native_encode(&b->bytes, sv_from(producer), 1 << 21, &r))
		die("native_encode");
	at = memmem(b->bytes.ptr, b->bytes.len, first, sizeof(first));
	if (!at)
		die("no sequence");
	b->sequence = (size_t)(at - b->bytes.ptr);
	find_marks(b);
	buf_fini(&text);
}

static uint64_t mixed(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static void renew(struct body *b, struct shared *s, uint64_t n)
{
	uint64_t id = atomic_fetch_add(&s->next_id, b->count);

	for (size_t i = 0; i < b->count; i++) {
		uint8_t bytes[8];

		put_be64(bytes, mixed(++id));
		hex_from(b->bytes.ptr + b->marks[i], bytes, sizeof(bytes));
	}
	for (int i = 0; b->sequence && i < 4; i++)
		b->bytes.ptr[b->sequence + (size_t)i] =
			(char)((((1 << 21) + n) >> 7 * i & 0x7f) |
			       (i < 3 ? 0x80 : 0));
}

/* --- workers --------------------------------------------------------------------------- */

/* Whether it was taken; refused ones are counted, and waited for. */
static bool call(struct worker *w, struct http *h, const char *method,
		 const char *path, struct sv body, unsigned pause)
{
	struct sv answer;
	int status =
		http_call(h, method, path, "application/json", body, &answer);

	atomic_fetch_add(&w->shared->answered, 1);
	if (status == 200)
		return true;
	if (status == 503 || status == 429)
		atomic_fetch_add(&w->shared->refused, 1);
	else
		atomic_fetch_add(&w->shared->failed, 1);
	pause_ms(pause);
	return false;
}

static void send_segments(struct worker *w)
{
	struct http h = HTTP_INIT(w->shared->port);
	struct body *b = calloc(1, sizeof(*b));

	segments_body(b);
	while (!atomic_load(w->stop)) {
		renew(b, w->shared, 0);
		call(w, &h, "POST", "/TraceSegments", buf_view(&b->bytes),
		     PAUSE_MS);
	}
	http_fini(&h);
	buf_fini(&b->bytes);
	free(b);
}

/* Each batch until it is taken, as an agent does. */
static void send_usage(struct worker *w)
{
	struct http h = HTTP_INIT(w->shared->port);
	struct body *b = calloc(1, sizeof(*b));

	steady_body(b, w->id);
	for (uint64_t n = 0; !atomic_load(w->stop); n++) {
		renew(b, w->shared, n);
		atomic_fetch_add(&w->shared->usage_sent, RUNS);
		while (!call(w, &h, "POST", "/api/v1/batches",
			     buf_view(&b->bytes), PAUSE_MS))
			continue; /* until the end, too: what was sent counts */
		atomic_fetch_add(&w->shared->usage_acked, RUNS);
		pause_ms(STEADY_MS);
	}
	http_fini(&h);
	buf_fini(&b->bytes);
	free(b);
}

static void ask(struct worker *w)
{
	struct http h = HTTP_INIT(w->shared->port);

	while (!atomic_load(w->stop)) {
		call(w, &h, "GET", "/api/v1/traces?limit=20",
		     (struct sv){ "", 0 }, PAUSE_MS);
		pause_ms(5);
	}
	http_fini(&h);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	w->run(w);
	return NULL;
}

static void start(struct worker *w, struct shared *s, _Atomic bool *stop,
		  unsigned id, void (*run)(struct worker *w))
{
	*w = (struct worker){ .shared = s, .id = id, .run = run, .stop = stop };
	if (pthread_create(&w->thread, NULL, worker_main, w))
		die("no thread");
}

/* --- the collector's own numbers -------------------------------------------------------- */

/* Sum of a metric's samples whose line begins so. */
static uint64_t metric(struct sv text, const char *begin)
{
	const char *p = text.ptr;
	uint64_t sum = 0;
	size_t n = strlen(begin);

	while (p && *p) {
		const char *eol = strchr(p, '\n');

		if (!strncmp(p, begin, n)) {
			const char *space =
				memrchr(p, ' ', (size_t)((eol ? eol : p) - p));

			sum += space ? strtoull(space + 1, NULL, 10) : 0;
		}
		p = eol ? eol + 1 : NULL;
	}
	return sum;
}

/* Health is never shed, and with it the numbers. */
static struct sv metrics(struct http *h)
{
	struct sv answer = { "", 0 };

	if (http_call(h, "GET", "/metrics", NULL, (struct sv){ "", 0 },
		      &answer) != 200)
		die("/metrics was refused");
	return answer;
}

static uint64_t documents_stored(struct http *h)
{
	return metric(metrics(h),
		      "tally_records_stored_total{kind=\"segment\"}");
}

static unsigned long peak_kib(int pid)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (!f)
		die("the collector is gone");
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmHWM:", 6))
			kib = strtoul(line + 6, NULL, 10);
	fclose(f);
	return kib;
}

/* Nothing is refused, and, where asked, all that is stored is applied. */
static bool settled(struct http *h, bool applied)
{
	struct sv answer;

	return http_call(h, "GET", "/api/v1/status", NULL, (struct sv){ "", 0 },
			 &answer) == 200 &&
	       strstr(answer.ptr, "\"refusing\":\"none\"") &&
	       (!applied || (!strstr(answer.ptr, "\"behind\":true") &&
			     !metric(metrics(h), "tally_view_queued")));
}

static void report(struct http *h, struct shared *s, int pid)
{
	struct sv m = metrics(h);
	uint64_t received = metric(m, "tally_records_received_total");
	uint64_t stored = metric(m, "tally_records_stored_total");
	uint64_t shed = metric(m, "tally_shed_records_total");
	uint64_t bad = metric(m, "tally_refused_total{reason=\"record\"}");
	uint64_t known = metric(m, "tally_duplicate_records_total");

	printf("received %" PRIu64 "\nstored %" PRIu64 "\nshed %" PRIu64
	       "\nbad %" PRIu64 "\nknown %" PRIu64 "\nlost %" PRId64 "\n",
	       received, stored, shed, bad, known,
	       (int64_t)(received - stored - shed - bad - known));
	printf("shed_read %" PRIu64 "\nshed_telemetry %" PRIu64
	       "\nshed_usage %" PRIu64 "\nshed_control %" PRIu64 "\n",
	       metric(m, "tally_shed_requests_total{class=\"read\"}"),
	       metric(m, "tally_shed_requests_total{class=\"telemetry\"}"),
	       metric(m, "tally_shed_requests_total{class=\"usage\"}"),
	       metric(m, "tally_shed_requests_total{class=\"control\"}"));
	printf("shed_disk_full %" PRIu64 "\nshed_busy %" PRIu64
	       "\nshed_memory %" PRIu64 "\n",
	       metric(m, "tally_shed_total{reason=\"disk-full\"}"),
	       metric(m, "tally_shed_total{reason=\"busy\"}"),
	       metric(m, "tally_shed_total{reason=\"memory\"}"));
	printf("shed_debug_records %" PRIu64 "\nshed_usage_records %" PRIu64
	       "\nusage_sent %" PRIu64 "\nusage_acked %" PRIu64
	       "\nusage_stored %" PRIu64 "\n",
	       metric(m, "tally_shed_records_total{kind=\"debug-log\"}"),
	       metric(m, "tally_shed_records_total{kind=\"usage\"}"),
	       atomic_load(&s->usage_sent), atomic_load(&s->usage_acked),
	       metric(m, "tally_records_stored_total{kind=\"usage\"}"));
	printf("answered %" PRIu64 "\nrefused %" PRIu64 "\nfailed %" PRIu64
	       "\npeak_kib %lu\n",
	       atomic_load(&s->answered), atomic_load(&s->refused),
	       atomic_load(&s->failed), peak_kib(pid));
}

/* --- the run ------------------------------------------------------------------------------ */

static void wait_settled(struct http *h, bool applied)
{
	double began = seconds_now();

	while (!settled(h, applied)) {
		if (seconds_now() > began + SETTLE_S)
			die("what is stored is not applied");
		pause_ms(20);
	}
}

/* So many send segments, others ask: documents stored a second, until all are
 * applied; *recovery_ms is how long anything was refused after the load. */
static double load(struct shared *s, struct http *h, unsigned senders,
		   unsigned readers, double seconds, double *recovery_ms)
{
	static struct worker workers[MANY + READERS];
	_Atomic bool stop = false;
	uint64_t before = documents_stored(h);
	double began = seconds_now(), ended;

	for (unsigned i = 0; i < senders + readers; i++)
		start(&workers[i], s, &stop, i,
		      i < senders ? send_segments : ask);
	usleep((useconds_t)(seconds * 1e6));
	/* The collector closes what was silent for a minute. */
	http_fini(h);
	*h = (struct http)HTTP_INIT(s->port);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < senders + readers; i++)
		pthread_join(workers[i].thread, NULL);
	ended = seconds_now();
	wait_settled(h, false);
	*recovery_ms = (seconds_now() - ended) * 1000;
	wait_settled(h, true);
	return (double)(documents_stored(h) - before) / (seconds_now() - began);
}

int main(int argc, char **argv)
{
	static struct shared s;
	struct worker steady[STEADY];
	const char *colon = argc == 4 ? strrchr(argv[1], ':') : NULL;
	struct http h;
	double seconds, few, many, recovery_ms;
	int pid;

	if (!colon) {
		fprintf(stderr, "usage: overload ADDRESS:PORT PID SECONDS\n");
		return 2;
	}
	s.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	pid = (int)strtol(argv[2], NULL, 10);
	seconds = strtod(argv[3], NULL);
	h = (struct http)HTTP_INIT(s.port);
	for (unsigned i = 0; i < STEADY; i++)
		start(&steady[i], &s, &s.stop, i, send_usage);
	few = load(&s, &h, FEW, 0, seconds / 3, &recovery_ms);
	many = load(&s, &h, MANY, READERS, seconds, &recovery_ms);
	printf("recovery_ms %.0f\n", recovery_ms);
	atomic_store(&s.stop, true);
	for (unsigned i = 0; i < STEADY; i++)
		pthread_join(steady[i].thread, NULL);
	wait_settled(&h, true);
	printf("capacity %.0f\ngoodput %.0f\ngoodput_percent %.0f\n", few, many,
	       many / few * 100);
	report(&h, &s, pid);
	http_fini(&h);
	return 0;
}
