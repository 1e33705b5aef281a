/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ingest/xray_udp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/door/address.h"
#include "core/wire/datagram.h"
#include "tracer/segment.h"

struct xray_udp {
	struct ingest *ingest;
	const struct networks *networks;
	int fd;
	int stop_fd;
	_Atomic bool stop;
	char address[ADDRESS_TEXT_MAX];
	pthread_t thread;
	uint32_t kernel_drops; /* SO_RXQ_OVFL, as last seen */
	struct mmsghdr headers[UDP_BATCH];
	struct iovec slices[UDP_BATCH];
	struct sockaddr_storage senders[UDP_BATCH];
	char control[UDP_BATCH][CMSG_SPACE(sizeof(uint32_t))];
	char bytes[UDP_BATCH][DATAGRAM_BYTES_MAX];
};

static int receive(struct xray_udp *u)
{
	for (size_t i = 0; i < UDP_BATCH; i++) {
		u->slices[i] =
			(struct iovec){ u->bytes[i], DATAGRAM_BYTES_MAX };
		u->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &u->senders[i],
			.msg_namelen = sizeof(u->senders[i]),
			.msg_iov = &u->slices[i],
			.msg_iovlen = 1,
			.msg_control = u->control[i],
			.msg_controllen = sizeof(u->control[i]),
		};
	}
	return recvmmsg(u->fd, u->headers, UDP_BATCH, MSG_DONTWAIT, NULL);
}

/* What the kernel dropped before this datagram. */
static void count_kernel_drops(struct xray_udp *u, struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		uint32_t total;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&total, CMSG_DATA(c), sizeof(total));
		stats_add(&u->ingest->stats->shed_kernel,
			  (uint32_t)(total - u->kernel_drops));
		u->kernel_drops = total;
	}
}

/* Adds the datagram's document where it is one. The body has room for all, so
 * what records borrow does not move. */
static void take_datagram(struct xray_udp *u, struct message *m, size_t i)
{
	struct sv datagram = sv_make(u->bytes[i], u->headers[i].msg_len);
	struct sv document = datagram_document(datagram);
	size_t before = m->body.len;
	struct segment_record *record =
		&m->records.segments[m->records.segment_count];
	bool ok = document.ptr &&
		  networks_have(u->networks, (struct sockaddr *)&u->senders[i]);

	stats_add(&u->ingest->stats->xray_udp_datagrams, 1);
	stats_add(&u->ingest->stats->xray_udp_bytes, datagram.len);
	if (ok) {
		xray_udp_add(&m->body, document);
		record->document = sv_make(
			m->body.ptr + m->body.len - document.len, document.len);
		ok = segment_take(record, &m->arena) == SEGMENT_OK;
	}
	if (!ok) {
		m->body.len = before;
		stats_add(&u->ingest->stats->refused_datagram, 1);
		return;
	}
	stats_add(&u->ingest->stats->segments_received, 1);
	m->records.segment_count++;
}

static void shed(struct xray_udp *u, size_t count)
{
	stats_add(&u->ingest->stats->shed_datagrams, count);
}

/* In the journal's thread, or at once: counts what did not become durable. */
static void udp_reply(struct submission *s, int err)
{
	if (err)
		stats_add(&s->ingest->stats->shed_datagrams,
			  s->message->records.segment_count);
}

static bool make_room(struct xray_udp *u, struct message *m, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += u->headers[i].msg_len + sizeof(uint32_t);
	m->body.limit = JOURNAL_FRAME_MAX;
	m->records.segments =
		arena_array(&m->arena, count, sizeof(*m->records.segments));
	return m->records.segments && buf_grow(&m->body, bytes);
}

static void store(struct xray_udp *u, size_t count)
{
	struct ingest *in = u->ingest;
	struct message *m = message_new(in->apply);
	struct submission *s = calloc(1, sizeof(*s));

	if (admission_level(in->admission) >= ADMISSION_NO_TELEMETRY || !m ||
	    !s || !make_room(u, m, count)) {
		shed(u, count);
		message_unref(m);
		free(s);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		count_kernel_drops(u, &u->headers[i].msg_hdr);
		take_datagram(u, m, i);
	}
	m->frame = (struct frame){
		.protocol = PROTOCOL_XRAY_UDP,
		.decoder = 1,
		.scope = in->scope,
		.received = env_wall(in->env),
		.body = buf_view(&m->body),
	};
	if (!m->records.segment_count || !message_account(in->apply, m)) {
		shed(u, m->records.segment_count);
		stats_add(&in->stats->shed_segment_records,
			  m->records.segment_count);
		message_unref(m);
		free(s);
		return;
	}
	*s = (struct submission){ .ingest = in,
				  .message = m,
				  .reply = udp_reply };
	ingest_submit(s);
}

static void *udp_main(void *arg)
{
	struct xray_udp *u = arg;
	struct pollfd fds[2] = { { u->fd, POLLIN, 0 },
				 { u->stop_fd, POLLIN, 0 } };
	unsigned left = UDP_DRAIN_BATCHES;

	pthread_setname_np(pthread_self(), "xray-udp");
	for (;;) {
		int n = receive(u);

		if (n > 0) {
			store(u, (size_t)n);
			/* Senders that do not pause do not keep it here. */
			if (atomic_load(&u->stop) && --left == 0)
				return NULL;
			continue;
		}
		if (fds[1].revents)
			return NULL; /* and the socket is empty */
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
	}
}

int xray_udp_start(struct xray_udp **out, struct ingest *in,
		   const char *address, const struct networks *networks,
		   struct diag *diag)
{
	struct xray_udp *u = calloc(1, sizeof(*u));
	int size = UDP_SOCKET_BYTES;
	int one = 1;

	if (!u)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	u->ingest = in;
	u->networks = networks;
	u->fd = address_listen(address, SOCK_DGRAM,
			       networks->count ? NULL : XRAY_LOOPBACK_ONLY,
			       u->address, diag);
	if (u->fd < 0) {
		int e = u->fd;

		free(u);
		return e;
	}
	setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(u->fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
	u->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (u->stop_fd < 0 || pthread_create(&u->thread, NULL, udp_main, u)) {
		if (u->stop_fd >= 0)
			close(u->stop_fd);
		close(u->fd);
		free(u);
		return diag_set(diag, ERR_NOMEM, "cannot start a thread");
	}
	*out = u;
	return 0;
}

const char *xray_udp_address(const struct xray_udp *u)
{
	return u->address;
}

void xray_udp_stop(struct xray_udp *u)
{
	uint64_t one = 1;

	atomic_store(&u->stop, true);
	if (write(u->stop_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(u->thread, NULL);
	close(u->stop_fd);
	close(u->fd);
	free(u);
}
