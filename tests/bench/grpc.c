/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP by gRPC: loads a collector that runs already with exports of 2,000 spans
 * of 10 attributes and prints what a span costs it. Usage:
 * grpc GRPC HTTP PID SECONDS. As tests/bench/ingest.c: the collector's own CPU
 * time, until every view has applied what was acknowledged. A body is made
 * once; ids are new in each export.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

#include "core/base/text.h"
#include "core/codec/protobuf.h"
#include "core/sys/env.h"

enum {
	SPANS = 2000, /* of an export */
	SPANS_OF_TRACE = 10,
	ATTRIBUTES = 10,
	STREAMS = 8, /* exports under way */
	STATUS_MAX = 1 << 20,
};

struct export
{
	struct buf message; /* with its prefix */
	size_t sent;
};

struct load {
	int fd;
	nghttp2_session *h2;
	size_t offsets[SPANS]; /* of trace ids; span ids follow */
	struct export exports[STREAMS];
	uint64_t salt, done, failed, bytes;
	bool over;
};

static void die(const char *what)
{
	fprintf(stderr, "grpc: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double seconds_now(void)
{
	return (double)env_mono(env_posix()).ns / 1e9;
}

static int dial(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	if (!colon)
		die(address);
	to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* --- what is sent ------------------------------------------------------------------ */

static void put_attribute(struct buf *out, uint32_t number, const char *key,
			  const char *value)
{
	size_t pair = protobuf_open(out, number);
	size_t any;

	protobuf_put_bytes(out, 1, sv_from(key));
	any = protobuf_open(out, 2);
	protobuf_put_bytes(out, 1, sv_from(value));
	protobuf_close(out, any);
	protobuf_close(out, pair);
}

static void put_span(struct buf *out, uint64_t i, int64_t now_ns)
{
	static const char *const keys[ATTRIBUTES] = {
		"http.request.method",
		"url.full",
		"server.address",
		"server.port",
		"http.route",
		"user.id",
		"order.id",
		"db.system",
		"thread.name",
		"http.response.status_code",
	};
	static const char zeros[16];
	size_t span = protobuf_open(out, 2);

	protobuf_put_bytes(out, 1, sv_make(zeros, 16));
	protobuf_put_bytes(out, 2, sv_make(zeros, 8));
	protobuf_put_bytes(
		out, 5, i % 2 ? SV("GET /orders/{id}") : SV("SELECT orders"));
	protobuf_put_u64(out, 6, 2);
	protobuf_put_fixed64(out, 7, (uint64_t)now_ns);
	protobuf_put_fixed64(out, 8, (uint64_t)now_ns + 1000000 * (i % 97 + 1));
	for (size_t k = 0; k < ATTRIBUTES; k++) {
		char value[32];

		snprintf(value, sizeof(value), "value-%llu",
			 (unsigned long long)(i * (k + 1)) % 1000);
		put_attribute(out, 9, keys[k], value);
	}
	protobuf_close(out, span);
}

/* Where the ids of each span lie, of which only the first of its bytes are put
 * down where it began: the lengths before it take more when it is closed. */
static void find_ids(struct load *l, const struct buf *message)
{
	static const char mark[] = "\x0a\x10\0\0\0\0\0\0\0\0";
	size_t found = 0;

	for (size_t i = 0; i + 30 < message->len && found < SPANS; i++) {
		if (memcmp(message->ptr + i, mark, sizeof(mark) - 1))
			continue;
		l->offsets[found++] = i + 2;
		i += 28;
	}
	if (found != SPANS)
		die("the spans' ids");
}

static void make_message(struct load *l, struct buf *out)
{
	int64_t now_ns = env_wall(env_posix()).ns;
	size_t spans, scope, resource;

	buf_add(out, "\0\0\0\0\0", 5);
	spans = protobuf_open(out, 1);
	resource = protobuf_open(out, 1);
	put_attribute(out, 1, "service.name", "orders");
	protobuf_close(out, resource);
	scope = protobuf_open(out, 2);
	for (uint64_t i = 0; i < SPANS; i++)
		put_span(out, i, now_ns);
	protobuf_close(out, scope);
	protobuf_close(out, spans);
	for (size_t i = 0; i < 4; i++)
		out->ptr[1 + i] = (char)((out->len - 5) >> (24 - 8 * i));
	find_ids(l, out);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static void new_ids(struct load *l, struct export *e)
{
	for (size_t i = 0; i < SPANS; i++) {
		uint8_t *at = (uint8_t *)e->message.ptr + l->offsets[i];
		uint64_t trace = l->salt + i / SPANS_OF_TRACE;

		put_be64(at, mix(trace));
		put_be64(at + 8, mix(~trace));
		put_be64(at + 18, mix(l->salt * SPANS + i));
	}
	l->salt += SPANS;
}

/* --- a client ---------------------------------------------------------------------------- */

static ssize_t give(nghttp2_session *h2, int32_t stream, uint8_t *to,
		    size_t room, uint32_t *flags, nghttp2_data_source *source,
		    void *arg)
{
	struct export *e = source->ptr;
	size_t n = e->message.len - e->sent;

	(void)h2;
	(void)stream;
	(void)arg;
	if (n > room)
		n = room;
	memcpy(to, e->message.ptr + e->sent, n);
	e->sent += n;
	if (e->sent == e->message.len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

#define NV(n, v)                                                              \
	(nghttp2_nv)                                                          \
	{                                                                     \
		(uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, sizeof(v) - 1, \
			NGHTTP2_NV_FLAG_NONE                                  \
	}

static void start(struct load *l, struct export *e)
{
	const nghttp2_nv nv[] = {
		NV(":method", "POST"),
		NV(":scheme", "http"),
		NV(":path", "/opentelemetry.proto.collector.trace.v1."
			    "TraceService/Export"),
		NV(":authority", "localhost"),
		NV("content-type", "application/grpc"),
		NV("te", "trailers"),
	};
	const nghttp2_data_provider data = { .source.ptr = e,
					     .read_callback = give };

	new_ids(l, e);
	e->sent = 0;
	if (nghttp2_submit_request(l->h2, NULL, nv, sizeof(nv) / sizeof(nv[0]),
				   &data, e) < 0)
		die("request");
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *arg)
{
	struct load *l = arg;

	(void)h2;
	(void)frame;
	(void)flags;
	if (!sv_eq(sv_make((const char *)name, name_len), SV("grpc-status")))
		return 0;
	if (sv_eq(sv_make((const char *)value, value_len), SV("0")))
		l->done++;
	else
		l->failed++;
	return 0;
}

static int on_close(nghttp2_session *h2, int32_t stream, uint32_t code,
		    void *arg)
{
	struct export *e = nghttp2_session_get_stream_user_data(h2, stream);
	struct load *l = arg;

	(void)code;
	l->bytes += e->message.len;
	e->sent = SIZE_MAX;
	if (!l->over)
		start(l, e);
	return 0;
}

static ssize_t to_socket(nghttp2_session *h2, const uint8_t *bytes, size_t n,
			 int flags, void *arg)
{
	const struct load *l = arg;
	ssize_t put = send(l->fd, bytes, n, MSG_NOSIGNAL);

	(void)h2;
	(void)flags;
	return put > 0 ? put : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t from_socket(nghttp2_session *h2, uint8_t *to, size_t room,
			   int flags, void *arg)
{
	const struct load *l = arg;
	ssize_t got = recv(l->fd, to, room, MSG_DONTWAIT);

	(void)h2;
	(void)flags;
	if (got < 0 && errno == EAGAIN)
		return NGHTTP2_ERR_WOULDBLOCK;
	return got > 0 ? got : NGHTTP2_ERR_EOF;
}

static bool under_way(const struct load *l)
{
	for (size_t i = 0; i < STREAMS; i++)
		if (l->exports[i].sent != SIZE_MAX)
			return true;
	return false;
}

static void run(struct load *l, double seconds)
{
	nghttp2_session_callbacks *cb;
	double end = seconds_now() + seconds;

	if (nghttp2_session_callbacks_new(&cb))
		die("nghttp2");
	nghttp2_session_callbacks_set_send_callback(cb, to_socket);
	nghttp2_session_callbacks_set_recv_callback(cb, from_socket);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
	if (nghttp2_session_client_new(&l->h2, cb, l) ||
	    nghttp2_submit_settings(l->h2, 0, NULL, 0))
		die("nghttp2");
	for (size_t i = 0; i < STREAMS; i++) {
		make_message(l, &l->exports[i].message);
		start(l, &l->exports[i]);
	}
	while (under_way(l)) {
		char byte;

		l->over = seconds_now() >= end;
		if (nghttp2_session_send(l->h2))
			die("send");
		if (under_way(l) && recv(l->fd, &byte, 1, MSG_PEEK) <= 0)
			die("it has gone");
		if (nghttp2_session_recv(l->h2))
			die("receive");
	}
	nghttp2_session_del(l->h2);
	nghttp2_session_callbacks_del(cb);
}

/* --- what it cost -------------------------------------------------------------------------- */

static double cpu_seconds(const char *pid)
{
	char path[64], text[1024];
	unsigned long long user = 0, kernel = 0;
	const char *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
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

/* True: every view has applied all that is durable. */
static bool settled(const char *http, char *text)
{
	static const char ask[] =
		"GET /api/v1/status HTTP/1.1\r\n"
		"Host: localhost\r\nConnection: close\r\n\r\n";
	int fd = dial(http);
	size_t len = 0;
	ssize_t got;
	uint64_t durable;
	const char *p;

	if (send(fd, ask, sizeof(ask) - 1, 0) < 0)
		die("status");
	while (len < STATUS_MAX &&
	       (got = recv(fd, text + len, STATUS_MAX - len, 0)) > 0)
		len += (size_t)got;
	close(fd);
	text[len] = '\0';
	p = strstr(text, "\"durable\":");
	if (!p)
		die("status");
	durable = strtoull(p + 10, NULL, 10);
	for (p = strstr(text, "\"views\""); p;) {
		p = strstr(p + 1, "\"position\":");
		if (p && strtoull(p + 11, NULL, 10) < durable)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static char text[STATUS_MAX + 1];
	static struct load l;
	double cpu, wall, limit;
	uint64_t spans;

	if (argc != 5) {
		fprintf(stderr, "usage: grpc GRPC HTTP PID SECONDS\n");
		return 2;
	}
	l.fd = dial(argv[1]);
	l.salt = (uint64_t)env_wall(env_posix()).ns;
	cpu = cpu_seconds(argv[3]);
	wall = seconds_now();
	run(&l, strtod(argv[4], NULL));
	limit = seconds_now() + 120;
	while (!settled(argv[2], text)) {
		if (seconds_now() > limit)
			die("views did not catch up");
		usleep(5000);
	}
	cpu = cpu_seconds(argv[3]) - cpu;
	wall = seconds_now() - wall;
	spans = l.done * SPANS;
	if (!spans || cpu <= 0) {
		fprintf(stderr, "grpc: nothing was stored\n");
		return 1;
	}
	printf("%-9s %9.0f spans/s per core  %6.2f us CPU/span  %5.0f B "
	       "body/span  durable=yes  until all views applied  (%llu spans, "
	       "%llu exports refused, %.1f CPU s, %.1f s)\n",
	       "otlp-grpc", (double)spans / cpu, cpu * 1e6 / (double)spans,
	       (double)l.bytes / (double)((l.done + l.failed) * SPANS),
	       (unsigned long long)spans, (unsigned long long)l.failed, cpu,
	       wall);
	close(l.fd);
	for (size_t i = 0; i < STREAMS; i++)
		buf_fini(&l.exports[i].message);
	return 0;
}
