/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the door costs: requests with a JSON body of BODY_BYTES by keep-alive
 * connections, and the collector's own CPU time for each (/proc/PID/stat, all
 * threads), until every view has applied what was taken.
 *
 *   signed ADDRESS:PORT PID KEYS MODE SECONDS
 *
 * MODE: signed, PutTraceSegments with Signature Version 4 by the first key of
 * the file KEYS; asked, GetSamplingTargets likewise, which is parsed and
 * answered and stores nothing: the door alone; segments, the first with
 * DOCUMENTS of 1 KB a call, as an SDK sends them; forged, the first with a wrong
 * signature; refused, without any. KEYS is as
 * `tally keys create` writes it. Requests that are not answered as the mode
 * expects are counted and make the program fail.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "core/auth/sigv4.h"
#include "core/base/text.h"
#include "core/codec/json_write.h"
#include "core/sys/env.h"
#include "tests/bench/spans.h"

enum {
	CONNECTIONS = 64,
	BODY_BYTES = 5000,
	DOCUMENTS = 50, /* of a call in the mode segments */
	TEXT_MAX = 128,
	ANSWER_MAX = 1 << 20,
};

enum mode { SIGNED, ASKED, SEGMENTS, FORGED, REFUSED };

struct target {
	struct sockaddr_in to;
	char host[TEXT_MAX];
	char id[TEXT_MAX], secret[TEXT_MAX];
	enum mode mode;
	double seconds;
};

struct worker {
	const struct target *target;
	pthread_t thread;
	unsigned id;
	uint64_t answered, wrong;
};

static void die(const char *what)
{
	fprintf(stderr, "signed: %s\n", what);
	exit(1);
}

static double seconds_now(void)
{
	return (double)env_mono(env_posix()).ns / 1e9;
}

/* --- requests ---------------------------------------------------------------------- */

static int dial(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static bool send_all(int fd, struct sv s)
{
	while (s.len) {
		ssize_t n = send(fd, s.ptr, s.len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		s.ptr += n;
		s.len -= (size_t)n;
	}
	return true;
}

/* The status of one answer, -1 where there is none; the body where wanted. */
static int answer(int fd, char *buf, size_t cap, struct sv *body)
{
	size_t len = 0;

	while (len + 1 < cap) {
		ssize_t got = recv(fd, buf + len, cap - len - 1, 0);
		const char *end, *field;
		size_t size;

		if (got <= 0)
			return -1;
		len += (size_t)got;
		buf[len] = '\0';
		end = strstr(buf, "\r\n\r\n");
		if (!end)
			continue;
		field = strcasestr(buf, "content-length:");
		size = field ? strtoul(field + 15, NULL, 10) : 0;
		if (len < (size_t)(end + 4 - buf) + size)
			continue;
		if (body)
			*body = sv_make(end + 4, size);
		return (int)strtol(buf + 9, NULL, 10);
	}
	return -1;
}

static const char *path_of(const struct target *t)
{
	return t->mode == ASKED ? "/SamplingTargets" : "/TraceSegments";
}

/* Fields until the body is about BODY_BYTES long; quote: as they are quoted. */
static void put_fields(struct buf *out, const char *quote)
{
	for (int i = 0; out->len < BODY_BYTES - 80; i++)
		buf_format(out, "%s%sfield_%d%s:%sa value of some length%s",
			   i ? "," : "", quote, i, quote, quote, quote);
}

/* The statistics of one rule, among members that are not looked at. */
static void question_body(struct buf *out)
{
	buf_reset(out);
	buf_text(out, "{\"SamplingStatisticsDocuments\":[{\"RuleName\":"
		      "\"Default\",\"ClientID\":\"0123456789abcdef01234567\","
		      "\"Timestamp\":1795338000,\"RequestCount\":100,"
		      "\"SampledCount\":10,\"BorrowCount\":0}],\"More\":{");
	put_fields(out, "\"");
	buf_text(out, "}}");
}

/* One document with an annotation that makes it BODY_BYTES long. */
static void json_body(struct buf *out, unsigned id, uint64_t n)
{
	int64_t now_s = env_wall(env_posix()).ns / NS_PER_S;
	uint64_t salt = ((uint64_t)id << 40 | (n + 1)) * 0x9e3779b97f4a7c15ULL;

	buf_reset(out);
	buf_format(out,
		   "{\"TraceSegmentDocuments\":[\"{\\\"trace_id\\\":"
		   "\\\"1-%08" PRIx64 "-%08x%016" PRIx64 "\\\",\\\"id\\\":"
		   "\\\"%016" PRIx64 "\\\",\\\"name\\\":\\\"orders\\\","
		   "\\\"start_time\\\":%" PRId64 ".1,\\\"end_time\\\":"
		   "%" PRId64 ".2,\\\"metadata\\\":{\\\"default\\\":{",
		   (uint64_t)now_s, id, salt, salt, now_s, now_s);
	put_fields(out, "\\\"");
	buf_text(out, "}}}\"]}");
}

/* What an agent's or an SDK's sender gathers. */
static void documents_body(struct buf *out, struct bench *b)
{
	struct json_writer w;
	struct buf document = BUF_INIT;

	buf_reset(out);
	w = json_writer(out);
	json_open_object(&w);
	json_key(&w, "TraceSegmentDocuments");
	json_open_array(&w);
	for (int i = 0; i < DOCUMENTS; i++) {
		buf_reset(&document);
		bench_segment(b, &document);
		json_put_sv(&w, buf_view(&document));
	}
	json_close_array(&w);
	json_close_object(&w);
	buf_fini(&document);
}

static void sign(const struct target *t, struct buf *out, struct sv body)
{
	char date[SIGV4_DATE_LEN + 1];
	uint8_t hash[SIGV4_HASH_SIZE];
	const struct sigv4_credentials credentials = {
		.key_id = sv_from(t->id),
		.secret = sv_from(t->secret),
		.region = SV("us-east-1"),
		.service = SV("xray"),
	};
	const struct sigv4_header headers[] = {
		{ SV("host"), sv_from(t->host) },
		{ SV("content-type"), SV("application/json") },
		{ SV("x-amz-date"), sv_make(date, SIGV4_DATE_LEN) },
	};
	const struct sigv4_request request = {
		.method = SV("POST"),
		.path = sv_from(path_of(t)),
		.headers = headers,
		.header_count = sizeof(headers) / sizeof(headers[0]),
	};

	sigv4_date(date, env_wall(env_posix()).ns / NS_PER_S);
	sigv4_hash(hash, body);
	if (t->mode == FORGED)
		hash[0] ^= 1;
	buf_format(out, "X-Amz-Date: %s\r\nAuthorization: ", date);
	if (sigv4_sign(out, &request, &credentials, hash))
		die("sigv4_sign");
	buf_text(out, "\r\n");
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	const struct target *t = w->target;
	double end = seconds_now() + t->seconds;
	struct buf body = { 0 }, head = { 0 };
	int fd = dial(&t->to);
	char text[4096];
	struct bench bench;

	bench_init(&bench, w->id + 1, env_wall(env_posix()).ns);
	for (uint64_t n = 0; seconds_now() < end; n++) {
		int status;

		if (t->mode == ASKED)
			question_body(&body);
		else if (t->mode == SEGMENTS)
			documents_body(&body, &bench);
		else
			json_body(&body, w->id, n);
		buf_reset(&head);
		buf_format(&head,
			   "POST %s HTTP/1.1\r\nHost: %s\r\n"
			   "Content-Type: application/json\r\n"
			   "Content-Length: %zu\r\n"
			   "User-Agent: aws-sdk-js/3.1162 ua/2.1 os/linux\r\n"
			   "amz-sdk-request: attempt=1; max=3\r\n",
			   path_of(t), t->host, body.len);
		if (t->mode == SEGMENTS)
			buf_format(&head,
				   "amz-sdk-invocation-id: %08x-0000-4000-8000-"
				   "%012" PRIx64 "\r\n",
				   w->id, n);
		if (t->mode != REFUSED)
			sign(t, &head, buf_view(&body));
		buf_text(&head, "\r\n");
		buf_sv(&head, buf_view(&body));
		if (!send_all(fd, buf_view(&head)))
			die("send");
		status = answer(fd, text, sizeof(text), NULL);
		w->answered++;
		w->wrong += status != (t->mode <= SEGMENTS ? 200 : 403);
		if (status < 0)
			die("no answer");
	}
	close(fd);
	buf_fini(&body);
	buf_fini(&head);
	return NULL;
}

/* --- what it costs -------------------------------------------------------------------- */

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

/* Waits until the collector does nothing any more: all views have applied all.
 * Its status needs a key that may read, which a writer's is not. */
static void wait_until_idle(int pid)
{
	double last = cpu_seconds(pid), now;
	int still = 0;

	while (still < 10) {
		usleep(100000);
		now = cpu_seconds(pid);
		still = now - last < 0.005 ? still + 1 : 0;
		last = now;
	}
}

static void read_key(struct target *t, const char *path)
{
	char line[512];
	FILE *f = fopen(path, "r");

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		struct sv value = sv_from(line);
		struct sv name = sv_trim(sv_cut(&value, '='));
		char *out = sv_eq(name, SV("aws_access_key_id")) ? t->id :
			    sv_eq(name, SV("aws_secret_access_key")) ?
								   t->secret :
								   NULL;

		if (out && !out[0])
			snprintf(out, TEXT_MAX, "%.*s", SV_ARG(sv_trim(value)));
	}
	fclose(f);
	if (!t->id[0] || !t->secret[0])
		die("no key in the file");
}

static enum mode mode_of(const char *text)
{
	static const char *const names[] = { "signed", "asked", "segments",
					     "forged", "refused" };

	for (int i = 0; i < 5; i++)
		if (!strcmp(text, names[i]))
			return (enum mode)i;
	die("MODE is signed, asked, segments, forged or refused");
	return SIGNED;
}

int main(int argc, char **argv)
{
	struct target t = { 0 };
	struct worker workers[CONNECTIONS] = { 0 };
	const char *colon = argc == 6 ? strrchr(argv[1], ':') : NULL;
	uint64_t answered = 0, wrong = 0;
	double cpu, wall;
	int pid;

	if (!colon) {
		fprintf(stderr, "usage: signed ADDRESS:PORT PID KEYS MODE "
				"SECONDS\n");
		return 2;
	}
	snprintf(t.host, sizeof(t.host), "%s", argv[1]);
	t.to.sin_family = AF_INET;
	t.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t.to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	pid = (int)strtol(argv[2], NULL, 10);
	read_key(&t, argv[3]);
	t.mode = mode_of(argv[4]);
	t.seconds = strtod(argv[5], NULL);
	wait_until_idle(pid);
	cpu = cpu_seconds(pid);
	wall = seconds_now();
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		workers[i] = (struct worker){ .target = &t, .id = i };
		if (pthread_create(&workers[i].thread, NULL, worker_main,
				   &workers[i]))
			die("no thread");
	}
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		pthread_join(workers[i].thread, NULL);
		answered += workers[i].answered;
		wrong += workers[i].wrong;
	}
	wall = seconds_now() - wall;
	wait_until_idle(pid);
	cpu = cpu_seconds(pid) - cpu;
	if (t.mode == SEGMENTS)
		printf("segments, signed: %.0f records/s per core  %.2f us "
		       "CPU/record\n",
		       (double)answered * DOCUMENTS / cpu,
		       cpu * 1e6 / (double)(answered * DOCUMENTS));
	else
		printf("%-9s %9.0f requests/s  %6.2f us CPU/request  %d B JSON "
		       "body  "
		       "until all views applied  (%" PRIu64
		       " requests, %" PRIu64 " answered otherwise)\n",
		       argv[4], (double)answered / wall,
		       cpu * 1e6 / (double)answered, BODY_BYTES, answered,
		       wrong);
	return wrong ? 1 : 0;
}
