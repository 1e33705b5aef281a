/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same spans (tests/bench/spans.h) into a running collector, or into a
 * running clickhouse-server, and what that cost it: its own CPU time
 * (/proc/PID/stat, all threads) until all is applied or merged, bytes of a span
 * on disk, memory, and how long a trace takes to be asked for by its id.
 *
 *   peer tally|clickhouse ADDRESS:PORT PID SPANS
 *
 * To the collector go OTLP requests of 2,000 spans in protobuf; to ClickHouse
 * inserts of 10,000 rows in RowBinary, into a MergeTree ordered by trace id.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/codec/protobuf.h"
#include "core/sys/env.h"
#include "tests/bench/rowbinary.h"
#include "tests/bench/spans.h"

enum {
	TRACES = 250, /* of an OTLP request */
	SPANS = TRACES * BENCH_TRACE_SPANS,
	GATHERED = 5, /* requests in an insert */
	SAMPLES = 2000,
	ID = 16,
	ANSWER_MAX = 4 << 20,
};

struct peer {
	bool tally;
	struct sockaddr_in address;
	int fd, pid;
	char *answer;
	uint8_t ids[SAMPLES][ID];
	size_t id_count;
	uint64_t seen, every; /* which of them are asked for */
	uint64_t spans, failed;
};

static void die(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds_now(void)
{
	return (double)env_mono(env_posix()).ns / 1e9;
}

/* --- HTTP --------------------------------------------------------------------- */

static void dial(struct peer *p)
{
	int one = 1;

	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&p->address,
				 sizeof(p->address)) < 0)
		die("connect");
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void send_all(struct peer *p, struct sv s)
{
	while (s.len) {
		ssize_t n = send(p->fd, s.ptr, s.len, MSG_NOSIGNAL);

		if (n <= 0)
			die("send");
		s = sv_make(s.ptr + n, s.len - (size_t)n);
	}
}

/* Whether an answer of len bytes, with its head up to body, is whole. */
static bool is_whole(const char *text, size_t len, size_t body)
{
	const char *field = strcasestr(text, "content-length:");

	if (field && field < text + body)
		return len >= body + strtoul(field + 15, NULL, 10);
	return len >= body + 5 && !memcmp(text + len - 5, "0\r\n\r\n", 5);
}

/* The status; *body is the rest, in chunks as they came. */
static int answer(struct peer *p, const char **body)
{
	size_t len = 0;

	while (len + 1 < ANSWER_MAX) {
		ssize_t got =
			recv(p->fd, p->answer + len, ANSWER_MAX - len - 1, 0);
		const char *end;

		if (got <= 0)
			die("no answer");
		len += (size_t)got;
		p->answer[len] = '\0';
		end = strstr(p->answer, "\r\n\r\n");
		if (end &&
		    is_whole(p->answer, len, (size_t)(end + 4 - p->answer))) {
			*body = end + 4;
			return (int)strtol(p->answer + 9, NULL, 10);
		}
	}
	die("a long answer");
	return -1;
}

static int ask(struct peer *p, const char *method, const char *target,
	       const char *type, struct sv body, const char **out)
{
	struct buf head = BUF_INIT;

	buf_format(&head,
		   "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n"
		   "Connection: keep-alive\r\nContent-Length: %zu\r\n\r\n",
		   method, target, type, body.len);
	send_all(p, buf_view(&head));
	send_all(p, body);
	buf_fini(&head);
	return answer(p, out);
}

/* The first line of what ClickHouse says; chunks have a line of their own. */
static double query(struct peer *p, const char *text)
{
	const char *body;

	if (ask(p, "POST", "/", "text/plain", sv_from(text), &body) != 200) {
		fprintf(stderr, "peer: %s: %.300s\n", text, body);
		exit(1);
	}
	if (strcasestr(p->answer, "chunked"))
		body = strstr(body, "\n") ? strstr(body, "\n") + 1 : body;
	return strtod(body, NULL);
}

static const char table[] =
	"CREATE TABLE spans (trace_id FixedString(16), span_id FixedString(8), "
	"parent_id FixedString(8), service String, name String, kind UInt8, "
	"ts UInt64, duration UInt64, keys Array(String), "
	"attribute_values Array(String)) ENGINE = MergeTree "
	"ORDER BY trace_id";

static void sample(void *arg, struct sv span, struct sv service)
{
	struct protobuf r = protobuf_reader(span);
	struct peer *p = arg;
	struct protobuf_field f;

	(void)service;
	if (p->seen++ % p->every == 0 && p->id_count < SAMPLES &&
	    protobuf_next(&r, &f) == 1 && f.number == 1 && f.bytes.len == ID)
		memcpy(p->ids[p->id_count++], f.bytes.ptr, ID);
}

/* --- load, wait, ask ------------------------------------------------------------ */

static void load(struct peer *p, uint64_t spans)
{
	static const char insert[] =
		"/?query=INSERT%20INTO%20spans%20FORMAT%20RowBinary";
	struct buf request = BUF_INIT, rows = BUF_INIT;
	const char *body;
	struct bench b;

	p->every = spans / SAMPLES + 1;
	bench_init(&b, 7, env_wall(env_posix()).ns);
	while (p->spans < spans) {
		int status;

		buf_reset(&rows);
		for (int i = 0; i < (p->tally ? 1 : GATHERED); i++) {
			buf_reset(&request);
			bench_request(&b, TRACES, &request);
			if (!p->tally)
				rowbinary_put(&rows, buf_view(&request));
			p->spans += SPANS;
			spans_each(buf_view(&request), sample, p);
		}
		status = p->tally ? ask(p, "POST", "/v1/traces",
					"application/x-protobuf",
					buf_view(&request), &body) :
				    ask(p, "POST", insert,
					"application/octet-stream",
					buf_view(&rows), &body);
		p->failed += status != 200;
		if (status != 200 && p->failed == 1)
			fprintf(stderr, "peer: %d %.200s\n", status, body);
	}
	buf_fini(&request);
	buf_fini(&rows);
}

static uint64_t member(const char *text, const char *group, const char *name)
{
	char key[64];
	const char *at = strstr(text, group);

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = at ? strstr(at, key) : NULL;
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Until views have applied, or parts are merged. Returns bytes of a span. */
static double settle(struct peer *p)
{
	for (int i = 0; i < 6000; i++) {
		const char *at;
		uint64_t durable, sealed;
		bool all = true;

		usleep(20000);
		if (!p->tally) {
			if (query(p, "SELECT count() FROM system.merges") > 0 ||
			    i < 50)
				continue;
			return query(p, "SELECT sum(bytes_on_disk) / sum(rows) "
					"FROM system.parts WHERE active AND "
					"table = 'spans'");
		}
		if (ask(p, "GET", "/api/v1/status", "-", SV(""), &at) != 200)
			die("status");
		durable = member(at, "\"journal\"", "durable");
		for (const char *v = strstr(at, "\"views\""); v && all;) {
			v = strstr(v + 1, "\"position\":");
			all = !v || strtoull(v + 11, NULL, 10) >= durable;
		}
		if (!all)
			continue;
		sealed = member(at, "\"traces\":{", "documents") -
			 member(at, "\"traces\":{", "head_documents");
		return sealed ? (double)member(at, "\"traces\":{",
					       "block_bytes") /
					(double)sealed :
				0;
	}
	die("it does not come to rest");
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What a question takes, in ms: by trace id, or the least there is. */
static void times(struct peer *p, bool floor, double *p50, double *p99)
{
	static double ms[SAMPLES];

	for (size_t i = 0; i < p->id_count; i++) {
		const uint8_t *id = p->ids[i * 7919 % p->id_count];
		struct buf text = BUF_INIT;
		const char *body;
		char hex[2 * ID];
		double begin;
		int status;

		hex_from(hex, id, ID);
		if (p->tally)
			buf_format(&text, "{\"TraceIds\":[\"1-%.8s-%.24s\"]}",
				   hex, hex + 8);
		else
			buf_format(&text,
				   "SELECT * FROM spans WHERE trace_id = "
				   "unhex('%.32s') FORMAT RowBinary",
				   hex);
		begin = seconds_now();
		if (floor)
			status = ask(p, "GET", p->tally ? "/healthz" : "/ping",
				     "-", SV(""), &body);
		else
			status = ask(p, "POST", p->tally ? "/Traces" : "/",
				     "application/json", buf_view(&text),
				     &body);
		ms[i] = (seconds_now() - begin) * 1e3;
		if (status != 200 ||
		    (!floor && p->tally && !strstr(body, "\"Document\"")))
			p->failed++;
		buf_fini(&text);
	}
	qsort(ms, p->id_count, sizeof(ms[0]), by_value);
	*p50 = ms[p->id_count / 2];
	*p99 = ms[p->id_count * 99 / 100];
}

static double cpu_seconds(int pid)
{
	unsigned long long user = 0, kernel = 0;
	char path[64], text[1024];
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f || !fgets(text, sizeof(text), f))
		die(path);
	fclose(f);
	at = strrchr(text, ')');
	/* The kernel's own numbers. NOLINTNEXTLINE(cert-err34-c) */
	if (!at || sscanf(at + 2,
			  "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			  "%llu %llu",
			  &user, &kernel) != 2)
		die("stat");
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static unsigned long memory_mib(int pid, const char *field)
{
	unsigned long kib = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)))
			kib = strtoul(line + strlen(field), NULL, 10);
	if (f)
		fclose(f);
	return kib >> 10;
}

int main(int argc, char **argv)
{
	static struct peer p;
	double cpu, bytes, p50, p99, floor50, floor99;
	const char *colon;

	if (argc != 5) {
		fprintf(stderr, "usage: peer tally|clickhouse ADDRESS:PORT PID "
				"SPANS\n");
		return 2;
	}
	p.tally = !strcmp(argv[1], "tally");
	p.pid = (int)strtol(argv[3], NULL, 10);
	colon = strrchr(argv[2], ':');
	p.address.sin_family = AF_INET;
	p.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p.address.sin_port =
		htons((uint16_t)strtoul(colon ? colon + 1 : "0", NULL, 10));
	p.answer = malloc(ANSWER_MAX);
	if (!p.answer)
		die("malloc");
	dial(&p);
	if (!p.tally)
		query(&p, table);
	cpu = cpu_seconds(p.pid);
	load(&p, strtoull(argv[4], NULL, 10));
	bytes = settle(&p);
	cpu = cpu_seconds(p.pid) - cpu;
	times(&p, true, &floor50, &floor99);
	times(&p, false, &p50, &p99);
	printf("%-10s %9.0f spans/s per core  %6.2f us CPU/span  %5.1f B/span "
	       "on disk  trace by id p50 %.3f p99 %.3f ms (of which HTTP %.3f "
	       "%.3f)  %lu MiB resident, %lu at most  (%llu spans, %llu "
	       "failed)\n",
	       argv[1], (double)p.spans / cpu, cpu * 1e6 / (double)p.spans,
	       bytes, p50, p99, floor50, floor99, memory_mib(p.pid, "VmRSS:"),
	       memory_mib(p.pid, "VmHWM:"), (unsigned long long)p.spans,
	       (unsigned long long)p.failed);
	free(p.answer);
	return p.failed != 0;
}
