/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/xray_udp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/codec/json.h"
#include "core/wire/datagram.h"
#include "core/wire/records.h"

/* The forms that the X-Ray SDKs for JavaScript and Python and OpenTelemetry's
 * sampler were seen to accept; times as epoch numbers. */
#define RULES                                                                 \
	"{\"SamplingRuleRecords\":[{\"SamplingRule\":{\"RuleName\":"          \
	"\"Default\",\"RuleARN\":\"arn:aws:xray:us-east-1:000000000000:"      \
	"sampling-rule/Default\",\"ResourceARN\":\"*\",\"Priority\":10000,"   \
	"\"FixedRate\":1.0,\"ReservoirSize\":1,\"ServiceName\":\"*\","        \
	"\"ServiceType\":\"*\",\"Host\":\"*\",\"HTTPMethod\":\"*\","          \
	"\"URLPath\":\"*\",\"Version\":1,\"Attributes\":{}},\"CreatedAt\":0," \
	"\"ModifiedAt\":0}]}"
#define TARGETS                                                           \
	"{\"SamplingTargetDocuments\":[{\"RuleName\":\"Default\","        \
	"\"FixedRate\":1.0,\"Interval\":10}],\"LastRuleModification\":0," \
	"\"UnprocessedStatistics\":[]}"

struct xray_udp {
	int fd;
	uint16_t port;
	struct MHD_Daemon *daemon;
	struct arena arena;
	struct xray_udp_stats stats;
	char datagram[XRAY_DATAGRAM_MAX];
};

struct sv xray_udp_document(struct sv datagram, struct arena *arena)
{
	struct sv document = datagram_document(datagram);
	struct json_doc doc;

	if (!document.ptr || document.len > SEGMENT_BYTES_MAX ||
	    json_parse(&doc, arena, document, NULL) < 0 ||
	    !json_is(json_root(&doc), JSON_OBJECT))
		return (struct sv){ 0 };
	return document;
}

unsigned xray_udp_drain(struct xray_udp *x,
			void (*each)(void *arg, struct sv document), void *arg)
{
	unsigned count = 0;

	for (;;) {
		ssize_t n = recv(x->fd, x->datagram, sizeof(x->datagram),
				 MSG_DONTWAIT);
		struct sv document;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return count;
		count++;
		x->stats.received++;
		document = xray_udp_document(sv_make(x->datagram, (size_t)n),
					     &x->arena);
		if (document.ptr)
			each(arg, document);
		else
			x->stats.refused++;
		arena_reset(&x->arena);
	}
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *size, void **state)
{
	static const char missing[] = "{\"message\":\"no such call\"}";
	const char *body = missing;
	unsigned status = MHD_HTTP_NOT_FOUND;
	struct MHD_Response *r;
	enum MHD_Result result;

	(void)arg;
	(void)version;
	(void)data;
	if (!*state) {
		*state = (void *)(uintptr_t)missing; /* seen once */
		return MHD_YES;
	}
	if (*size) { /* statistics: one rule takes all, nothing to count */
		*size = 0;
		return MHD_YES;
	}
	if (!strcmp(method, "POST") && !strcmp(url, "/GetSamplingRules")) {
		body = RULES;
		status = MHD_HTTP_OK;
	} else if (!strcmp(method, "POST") &&
		   !strcmp(url, "/SamplingTargets")) {
		body = TARGETS;
		status = MHD_HTTP_OK;
	}
	r = MHD_create_response_from_buffer(
		strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", "application/json");
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

/* The same free port for both protocols: the kernel picks one for UDP, and
 * where TCP has it taken already, another is tried. */
static int bind_both(int *udp, int *tcp, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	*udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*udp >= 0 && *tcp >= 0 &&
	    !bind(*udp, (struct sockaddr *)&at, size) &&
	    !getsockname(*udp, (struct sockaddr *)&at, &size) &&
	    !bind(*tcp, (struct sockaddr *)&at, size) && !listen(*tcp, 16)) {
		*port = ntohs(at.sin_port);
		return 0;
	}
	if (*udp >= 0)
		close(*udp);
	if (*tcp >= 0)
		close(*tcp);
	return ERR_IO;
}

int xray_udp_open(struct xray_udp **out, struct diag *diag)
{
	struct xray_udp *x = calloc(1, sizeof(*x));
	int size = XRAY_SOCKET_BYTES;
	int e = ERR_IO;
	int tcp = -1;

	if (!x)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	for (int i = 0; i < XRAY_BIND_TRIES && e < 0; i++)
		e = bind_both(&x->fd, &tcp, &x->port);
	if (e == 0)
		x->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0,
					     NULL, NULL, on_request, x,
					     MHD_OPTION_LISTEN_SOCKET, tcp,
					     MHD_OPTION_CONNECTION_LIMIT, 32U,
					     MHD_OPTION_END);
	if (!x->daemon) {
		if (e == 0) {
			close(tcp);
			close(x->fd);
		}
		free(x);
		return diag_set(diag, ERR_IO,
				"the X-Ray listener cannot bind a port on "
				"127.0.0.1: %s",
				strerror(errno));
	}
	/* Root may go over the system's limit; others get what it allows. */
	if (setsockopt(x->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) <
		    0 &&
	    setsockopt(x->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		assert(errno != EBADF);
	*out = x;
	return 0;
}

void xray_udp_close(struct xray_udp *x)
{
	if (!x)
		return;
	MHD_stop_daemon(x->daemon);
	close(x->fd);
	arena_fini(&x->arena);
	free(x);
}

uint16_t xray_udp_port(const struct xray_udp *x)
{
	return x->port;
}

int xray_udp_fd(const struct xray_udp *x)
{
	return x->fd;
}

struct xray_udp_stats xray_udp_stats(const struct xray_udp *x)
{
	return x->stats;
}
