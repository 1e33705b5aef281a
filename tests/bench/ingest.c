/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ingest benchmark: loads a collector that runs already and prints what a
 * record costs it. Usage: ingest HTTP XRAY PID MODE SECONDS, where MODE is
 * native, udp or segments. The figure is the collector's own CPU time
 * (/proc/PID/stat: all threads, user and system), not the wall's, and the
 * clock stops only when every view has applied what was acknowledged. Bodies
 * are made before the clock starts; each is sent once (ids are new each time).
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/text.h"
#include "core/codec/json_write.h"
#include "core/sys/env.h"
#include "core/wire/native.h"

enum {
	CONNECTIONS = 16,
	INVOCATIONS = 50, /* of a native batch */
	DOCUMENTS = 50,   /* of a PutTraceSegments */
	ANSWER_MAX = 1 << 20,
};

struct target {
	struct sockaddr_in http, xray;
	int pid;
	double seconds;
	int64_t now_ns;
};

struct worker {
	const struct target *target;
	pthread_t thread;
	int id;
	bool native;
	uint64_t requests, records, bytes, failed;
};

static void die(const char *what)
{
	fprintf(stderr, "ingest: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds_now(void)
{
	return (double)env_mono(env_posix()).ns / 1e9;
}

/* --- a client that can do just this --------------------------------------------- */

static int dial(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static bool send_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

/* Reads one answer; its status, and its body where wanted. */
static int answer(int fd, char *buf, size_t cap, struct sv *body)
{
	size_t len = 0;

	for (;;) {
		char *end, *field;
		size_t head, size;
		ssize_t got;

		if (len + 1 >= cap)
			return -1;
		got = recv(fd, buf + len, cap - len - 1, 0);
		if (got <= 0)
			return -1;
		len += (size_t)got;
		buf[len] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (!end)
			continue;
		head = (size_t)(end - buf) + 4;
		field = strcasestr(buf, "content-length:");
		size = field ? strtoul(field + 15, NULL, 10) : 0;
		if (len < head + size)
			continue;
		if (body)
			*body = sv_make(buf + head, size);
		return (int)strtol(buf + 9, NULL, 10);
	}
}

static int post(int fd, const char *path, const char *type, struct sv body)
{
	char buf[8192];
	int n = snprintf(
		buf, sizeof(buf),
		"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n"
		"Content-Length: %zu\r\n\r\n",
		path, type, body.len);

	if (!send_all(fd, buf, (size_t)n) || !send_all(fd, body.ptr, body.len))
		return -1;
	return answer(fd, buf, sizeof(buf), NULL);
}

/* --- what is sent ------------------------------------------------------------------ */

static uint64_t random_state(int id, uint64_t n)
{
	uint64_t x = (uint64_t)id << 40 | (n + 1);

	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* An X-Ray document of about 1.2 KB, as an HTTP service's SDK sends. */
static struct sv document(struct arena *a, int64_t now_ns, uint64_t salt)
{
	struct buf b = { 0 };
	struct sv copy;

	buf_format(
		&b,
		"{\"trace_id\":\"1-%08llx-%08llx%016llx\",\"id\":\"%016llx\","
		"\"start_time\":%lld.187,\"end_time\":%lld.219,"
		"\"name\":\"orders\",\"origin\":\"AWS::Lambda::Function\","
		"\"service\":{\"runtime\":\"node\",\"runtime_version\":"
		"\"v20.20.2\",\"version\":\"unknown\",\"name\":\"unknown\"},"
		"\"http\":{\"request\":{\"url\":\"http://127.0.0.1/orders/17\","
		"\"method\":\"GET\",\"user_agent\":\"curl/8.1\",\"client_ip\":"
		"\"203.0.113.9\"},\"response\":{\"status\":200,"
		"\"content_length\":1234}},\"aws\":{\"xray\":{\"sdk\":"
		"\"X-Ray for Node.js\",\"sdk_version\":\"3.12.0\",\"package\":"
		"\"aws-xray-sdk-core\"}},\"annotations\":{\"user\":\"ali\","
		"\"n\":%llu,\"ok\":true},\"metadata\":{\"default\":{\"obj\":"
		"{\"a\":[1,2,{\"b\":\"\xc3\xa9\"}]}}},\"subsegments\":["
		"{\"id\":\"%016llx\",\"name\":\"DynamoDB\",\"start_time\":"
		"%lld.190,\"end_time\":%lld.201,\"namespace\":\"aws\",\"aws\":"
		"{\"operation\":\"GetItem\",\"region\":\"us-east-1\","
		"\"table_name\":\"orders\",\"retries\":0},\"http\":{"
		"\"response\":{\"status\":200,\"content_length\":812}}},"
		"{\"id\":\"%016llx\",\"name\":\"render\",\"start_time\":"
		"%lld.202,\"end_time\":%lld.215}]}",
		(unsigned long long)(now_ns / NS_PER_S) & 0xffffffffU,
		(unsigned long long)salt & 0xffffffffU,
		(unsigned long long)(salt * 0x9e3779b97f4a7c15ULL),
		(unsigned long long)salt, (long long)(now_ns / NS_PER_S),
		(long long)(now_ns / NS_PER_S), (unsigned long long)salt % 97,
		(unsigned long long)salt ^ 1, (long long)(now_ns / NS_PER_S),
		(long long)(now_ns / NS_PER_S), (unsigned long long)salt ^ 2,
		(long long)(now_ns / NS_PER_S), (long long)(now_ns / NS_PER_S));
	copy = arena_copy(a, buf_view(&b));
	buf_fini(&b);
	return copy;
}

static struct sv format(struct arena *a, const char *pattern, uint64_t n)
{
	struct buf b = { 0 };
	struct sv copy;

	buf_text(&b, pattern);
	buf_format(&b, "%016llx", (unsigned long long)n);
	copy = arena_copy(a, buf_view(&b));
	buf_fini(&b);
	return copy;
}

/* One batch: what an agent sends for INVOCATIONS runs. */
static size_t native_body(struct buf *out, const struct worker *w, uint64_t n)
{
	static const char *const metrics[] = { "Invocations", "Errors",
					       "Throttles", "Duration",
					       "ConcurrentExecutions" };
	struct arena a = { 0 };
	struct records r = {
		.segments = arena_array(&a, INVOCATIONS, sizeof(*r.segments)),
		.data = arena_array(&a, 5 * INVOCATIONS, sizeof(*r.data)),
		.logs = arena_array(&a, 4 * INVOCATIONS, sizeof(*r.logs)),
		.usage = arena_array(&a, INVOCATIONS, sizeof(*r.usage)),
	};
	struct dimension *d = arena_new(&a, struct dimension);
	int64_t now = w->target->now_ns;
	char producer[32];
	size_t count;

	d->name = SV("FunctionName");
	d->value = n % 2 ? SV("orders") : SV("hello");
	for (uint64_t i = 0; i < INVOCATIONS; i++) {
		uint64_t salt = random_state(w->id, n * INVOCATIONS + i);

		r.segments[r.segment_count++].document =
			document(&a, now, salt);
		for (size_t k = 0; k < 5; k++) {
			double *value = arena_new(&a, double);

			*value = k == 3 ? (double)(salt % 1000) / 7 : k == 0;
			r.data[r.datum_count++] = (struct datum){
				.ns = SV("AWS/Lambda"),
				.name = sv_from(metrics[k]),
				.dimensions = d,
				.dimension_count = 1,
				.time_ns = now,
				.unit = SV("Count"),
				.resolution_s = 60,
				.values = value,
				.value_count = 1,
			};
		}
		for (size_t k = 0; k < 4; k++)
			r.logs[r.log_count++] = (struct log_event){
				.group = SV("/aws/lambda/orders"),
				.stream = SV("2026/11/24/[$LATEST]0011223344"),
				.time_ns = now,
				.message = format(
					&a,
					k == 2 ? "REPORT RequestId: "
						 "x\tDuration: 3.2 ms"
						 "\tBilled Duration: 4 "
						 "ms\tMemory Size: "
						 "128 MB\tMax Memory Used: 51 "
						 "MB\t" :
						 "INFO order was priced ",
					salt),
			};
		r.usage[r.usage_count++] = (struct usage){
			.id = format(&a, "bench-", salt),
			.source = SV("lambda"),
			.time_ns = now,
			.resource = d->value,
			.memory_mb = 128,
			.max_memory_mb = 51,
			.duration_us = 3200,
			.billed_ms = 4,
		};
	}
	count = r.segment_count + r.datum_count + r.log_count + r.usage_count;
	snprintf(producer, sizeof(producer), "bench-%d-%lld", w->id,
		 (long long)(now / NS_PER_S));
	if (native_encode(out, sv_from(producer), n + 1, &r))
		die("native_encode");
	arena_fini(&a);
	return count;
}

static size_t segments_body(struct buf *out, const struct worker *w, uint64_t n)
{
	struct json_writer j = json_writer(out);
	struct arena a = { 0 };

	json_open_object(&j);
	json_key(&j, "TraceSegmentDocuments");
	json_open_array(&j);
	for (uint64_t i = 0; i < DOCUMENTS; i++)
		json_put_sv(&j, document(&a, w->target->now_ns,
					 random_state(w->id + 100,
						      n * DOCUMENTS + i)));
	json_close_array(&j);
	json_close_object(&j);
	arena_fini(&a);
	return DOCUMENTS;
}

/* Every body is made anew between two sends: the sender's time is not the
 * collector's, and the figure is the collector's CPU time. */
static void *http_worker(void *arg)
{
	struct worker *w = arg;
	double end = seconds_now() + w->target->seconds;
	int fd = dial(&w->target->http);
	struct buf body = { 0 };

	for (uint64_t n = 0; seconds_now() < end; n++) {
		size_t records;
		int status;

		buf_reset(&body);
		records = w->native ? native_body(&body, w, n) :
				      segments_body(&body, w, n);
		status = post(fd,
			      w->native ? "/api/v1/batches" : "/TraceSegments",
			      w->native ? "application/x-protobuf" :
					  "application/json",
			      buf_view(&body));
		if (status != 200) {
			w->failed++;
			if (status < 0)
				break;
			continue;
		}
		w->requests++;
		w->records += records;
		w->bytes += body.len;
	}
	close(fd);
	buf_fini(&body);
	return NULL;
}

static void udp_load(const struct target *t, struct worker *w)
{
	static const char head[] = "{\"format\":\"json\",\"version\":1}\n";
	double end = seconds_now() + t->seconds;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct arena a = { 0 };
	struct buf b = { 0 };

	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&t->xray, sizeof(t->xray)) < 0)
		die("udp");
	for (uint64_t n = 0; seconds_now() < end; n++) {
		arena_reset(&a);
		buf_reset(&b);
		buf_text(&b, head);
		buf_sv(&b, document(&a, t->now_ns, random_state(77, n)));
		if (send(fd, b.ptr, b.len, 0) < 0)
			continue;
		w->records++;
		w->bytes += b.len;
	}
	close(fd);
	arena_fini(&a);
	buf_fini(&b);
}

/* --- what it cost -------------------------------------------------------------------- */

static double cpu_seconds(int pid)
{
	char path[64], text[1024];
	unsigned long long user = 0, kernel = 0;
	const char *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f || !fgets(text, sizeof(text), f))
		die(path);
	fclose(f);
	p = strrchr(text, ')');
	/* The kernel's own numbers. NOLINTNEXTLINE(cert-err34-c) */
	if (!p || sscanf(p + 2,
			 "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			 "%llu %llu",
			 &user, &kernel) != 2)
		die("stat");
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t counter(const char *status, const char *name)
{
	char key[64];
	const char *p;

	snprintf(key, sizeof(key), "\"%s\":", name);
	p = strstr(status, key);
	return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

/* The status, once every view has applied all that is durable. */
static void settled(const struct target *t, char *out, size_t cap)
{
	static const char ask[] =
		"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"
		"\r\n";
	double limit = seconds_now() + 120;

	while (seconds_now() < limit) {
		int fd = dial(&t->http);
		struct sv body = { "", 0 };
		bool all = true;
		uint64_t durable;

		if (!send_all(fd, ask, sizeof(ask) - 1) ||
		    answer(fd, out, cap, &body) != 200)
			die("status");
		close(fd);
		memmove(out, body.ptr, body.len);
		out[body.len] = '\0';
		durable = counter(out, "durable");
		for (const char *p = strstr(out, "\"views\""); p && all;) {
			p = strstr(p + 1, "\"position\":");
			if (p)
				all = strtoull(p + 11, NULL, 10) >= durable;
		}
		if (all)
			return;
		usleep(5000);
	}
	die("views did not catch up");
}

static void parse_address(const char *text, struct sockaddr_in *out)
{
	const char *colon = strrchr(text, ':');
	char host[32] = "";

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		die(text);
	memcpy(host, text, (size_t)(colon - text));
	out->sin_family = AF_INET;
	out->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, host, &out->sin_addr) != 1)
		die(text);
}

int main(int argc, char **argv)
{
	static char status[ANSWER_MAX];
	struct target t = { .now_ns = env_wall(env_posix()).ns };
	struct worker workers[CONNECTIONS] = { 0 };
	struct worker sum = { .target = &t };
	double cpu, wall, frames;
	uint64_t stored, journal;
	bool udp;

	if (argc != 6) {
		fprintf(stderr, "usage: ingest HTTP XRAY PID MODE SECONDS\n");
		return 2;
	}
	parse_address(argv[1], &t.http);
	parse_address(argv[2], &t.xray);
	t.pid = (int)strtol(argv[3], NULL, 10);
	udp = !strcmp(argv[4], "udp");
	t.seconds = strtod(argv[5], NULL);

	settled(&t, status, sizeof(status));
	stored = counter(status, "segments_stored");
	journal = counter(status, "bytes");
	frames = (double)counter(status, "commits");
	cpu = cpu_seconds(t.pid);
	wall = seconds_now();
	if (udp)
		udp_load(&t, &sum);
	for (int i = 0; !udp && i < CONNECTIONS; i++) {
		workers[i] = (struct worker){
			.target = &t,
			.id = i,
			.native = !strcmp(argv[4], "native"),
		};
		if (pthread_create(&workers[i].thread, NULL, http_worker,
				   &workers[i]))
			die("thread");
	}
	for (int i = 0; !udp && i < CONNECTIONS; i++) {
		pthread_join(workers[i].thread, NULL);
		sum.requests += workers[i].requests;
		sum.records += workers[i].records;
		sum.bytes += workers[i].bytes;
		sum.failed += workers[i].failed;
	}
	if (udp)
		usleep(200000);
	settled(&t, status, sizeof(status));
	cpu = cpu_seconds(t.pid) - cpu;
	wall = seconds_now() - wall;
	if (udp) { /* what was not stored cost less, and is not counted */
		uint64_t sent = sum.records;

		sum.records = counter(status, "segments_stored") - stored;
		sum.failed = sent - sum.records;
	}
	if (!sum.records || cpu <= 0) {
		fprintf(stderr, "ingest: nothing was stored\n");
		return 1;
	}
	printf("%-9s %9.0f records/s per core  %6.2f us CPU/record  %5.0f B "
	       "journal/record  durable=%s  until all views applied  "
	       "(%llu records, %llu not stored, %.1f CPU s, %.1f s, %.0f "
	       "commits)\n",
	       argv[4], (double)sum.records / cpu,
	       cpu * 1e6 / (double)sum.records,
	       (double)(counter(status, "bytes") - journal) /
		       (double)sum.records,
	       udp ? "yes (not acknowledged)" : "yes",
	       (unsigned long long)sum.records, (unsigned long long)sum.failed,
	       cpu, wall, (double)counter(status, "commits") - frames);
	return 0;
}
