/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "collector/door/grpc_internal.h"

/* --- beginning and end ------------------------------------------------------------ */

static bool begin_tls(struct grpc_link *l)
{
	const gnutls_datum_t h2 = { (unsigned char *)"h2", 2 };

	if (gnutls_init(&l->tls,
			GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		return false;
	l->shaking = true;
	gnutls_transport_set_int(l->tls, l->fd);
	if (gnutls_priority_set_direct(l->tls, TLS_PRIORITIES, NULL) < 0 ||
	    gnutls_alpn_set_protocols(l->tls, &h2, 1, GNUTLS_ALPN_MANDATORY) <
		    0)
		return false;
	l->tls_set = tls_begin(l->grpc->tls, l->tls);
	return l->tls_set != NULL;
}

static bool begin_socket(struct grpc_link *l)
{
	struct grpc *g = l->grpc;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = l };

	if (l->fd < 0)
		return true;
	l->handle = connections_add(g->connections, l->fd,
				    (const struct sockaddr *)&l->peer);
	l->interest = EPOLLIN;
	return l->handle && (!g->tls || begin_tls(l)) &&
	       !epoll_ctl(g->epoll, EPOLL_CTL_ADD, l->fd, &event);
}

struct grpc_link *grpc_link_new(struct grpc *g, int fd,
				const struct sockaddr_storage *peer)
{
	struct grpc_link *l = calloc(1, sizeof(*l));

	if (!l) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	l->grpc = g;
	l->fd = fd;
	l->phase = CONNECTION_HEAD;
	l->head_due_ms = l->idle_due_ms = UINT64_MAX;
	l->out.limit = 2 * GRPC_WRITE_BYTES;
	if (peer)
		l->peer = *peer;
	l->next = g->links;
	l->back = &g->links;
	if (l->next)
		l->next->back = &l->next;
	g->links = l;
	if (begin_socket(l) && !grpc_session_new(l))
		return l;
	grpc_link_free(l);
	return NULL;
}

void grpc_link_free(struct grpc_link *l)
{
	/* It closes no streams, nor tells of any. */
	nghttp2_session_del(l->h2);
	for (struct grpc_call *c = l->calls, *next; c; c = next) {
		next = c->next;
		c->link = NULL;
		c->stream = 0;
		if (c->phase != GRPC_HANDLER)
			grpc_call_free(c);
	}
	*l->back = l->next;
	if (l->next)
		l->next->back = l->back;
	if (l->handle)
		connections_remove(l->grpc->connections, l->handle);
	if (l->tls)
		gnutls_deinit(l->tls);
	tls_end(l->tls_set);
	if (l->fd >= 0)
		close(l->fd);
	buf_fini(&l->out);
	free(l);
}

void grpc_link_goaway(struct grpc_link *l, uint32_t code)
{
	l->leaving = true;
	if (code == NGHTTP2_NO_ERROR)
		/* Streams that are open go on; no more will be. */
		nghttp2_submit_goaway(
			l->h2, NGHTTP2_FLAG_NONE,
			nghttp2_session_get_last_proc_stream_id(l->h2),
			NGHTTP2_NO_ERROR, NULL, 0);
	else if (nghttp2_session_terminate_session(l->h2, code))
		l->dead = true;
}

/* --- bytes -------------------------------------------------------------------------- */

/* Counted once, also where it has been told why. */
static void lose(struct grpc_link *l, enum grpc_count why)
{
	if (!l->leaving)
		grpc_count(l->grpc, why);
	l->dead = true;
}

void grpc_link_feed(struct grpc_link *l, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n && !l->dead) {
		size_t slice = n < GRPC_SLICE_BYTES ? n : GRPC_SLICE_BYTES;
		ssize_t took = nghttp2_session_mem_recv(l->h2, at, slice);

		if (took < 0) {
			lose(l, took == NGHTTP2_ERR_FLOODED ?
					GRPC_COUNT_FLOOD :
					GRPC_COUNT_PROTOCOL);
			return;
		}
		/* It does not read what its frames are answered with. */
		if (nghttp2_session_get_outbound_queue_size(l->h2) >
		    GRPC_OUTBOUND_MAX) {
			lose(l, GRPC_COUNT_FLOOD);
			return;
		}
		at += slice;
		n -= slice;
	}
}

void grpc_link_produce(struct grpc_link *l, struct buf *out)
{
	while (out->len < GRPC_WRITE_BYTES && !out->failed) {
		const uint8_t *bytes;
		ssize_t n = nghttp2_session_mem_send(l->h2, &bytes);

		if (n < 0)
			l->dead = true;
		if (n <= 0)
			return;
		buf_add(out, bytes, (size_t)n);
	}
	l->dead |= out->failed;
}

/* As recv and send: -1 with errno EAGAIN where it would wait. */
static ssize_t tls_result(ssize_t n)
{
	if (n >= 0)
		return n;
	errno = n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? EAGAIN : EIO;
	return -1;
}

static ssize_t take_bytes(struct grpc_link *l, void *to, size_t room)
{
	if (l->tls)
		return tls_result(gnutls_record_recv(l->tls, to, room));
	return recv(l->fd, to, room, 0);
}

static ssize_t give_bytes(struct grpc_link *l, const void *from, size_t n)
{
	if (l->tls)
		return tls_result(gnutls_record_send(l->tls, from, n));
	return send(l->fd, from, n, MSG_NOSIGNAL);
}

/* False: it is not done yet, or failed. */
static bool shake(struct grpc_link *l)
{
	gnutls_datum_t protocol;
	int e = gnutls_handshake(l->tls);

	if (e == GNUTLS_E_AGAIN || e == GNUTLS_E_INTERRUPTED)
		return false;
	if (e < 0 && !gnutls_error_is_fatal(e))
		return false; /* a warning */
	/* A client that names no protocol at all is no client of HTTP/2. */
	if (e < 0 || gnutls_alpn_get_selected_protocol(l->tls, &protocol) < 0) {
		grpc_count(l->grpc, GRPC_COUNT_PROTOCOL);
		l->dead = true;
		return false;
	}
	l->shaking = false;
	return true;
}

static bool flushed(const struct grpc_link *l)
{
	return l->out_sent == l->out.len;
}

static void write_out(struct grpc_link *l)
{
	for (;;) {
		ssize_t n;

		if (flushed(l)) {
			buf_reset(&l->out);
			l->out_sent = 0;
			grpc_link_produce(l, &l->out);
			if (!l->out.len)
				break;
		}
		n = give_bytes(l, l->out.ptr + l->out_sent,
			       l->out.len - l->out_sent);
		if (n < 0) {
			l->dead |= errno != EAGAIN && errno != EINTR;
			return;
		}
		l->out_sent += (size_t)n;
	}
	buf_fini(&l->out); /* most have nothing to send most of the time */
}

static void read_in(struct grpc_link *l)
{
	for (int i = 0;
	     i < GRPC_READS_MAX ||
	     (l->tls && !l->dead && gnutls_record_check_pending(l->tls));
	     i++) {
		ssize_t n = take_bytes(l, l->grpc->in, GRPC_READ_BYTES);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		l->dead |= n <= 0;
		if (l->dead)
			return;
		grpc_link_feed(l, l->grpc->in, (size_t)n);
		/* Who does not read our answers is not read. */
		write_out(l);
		if (!flushed(l))
			return;
	}
}

/* --- turns ------------------------------------------------------------------------------ */

static void set_interest(struct grpc_link *l)
{
	uint32_t want = EPOLLIN;
	struct epoll_event event = { .data.ptr = l };

	if (l->shaking)
		want = gnutls_record_get_direction(l->tls) ? EPOLLOUT : EPOLLIN;
	else if (!flushed(l))
		want = EPOLLOUT;
	if (want == l->interest)
		return;
	l->interest = want;
	event.events = want;
	l->dead |= epoll_ctl(l->grpc->epoll, EPOLL_CTL_MOD, l->fd, &event) < 0;
}

static enum connection_phase phase_of(const struct grpc_link *l)
{
	if (l->shaking || !l->spoken)
		return CONNECTION_HEAD;
	if (!flushed(l))
		return CONNECTION_REPLY;
	if (l->with_us)
		return CONNECTION_OURS;
	return l->calls ? CONNECTION_BODY : CONNECTION_IDLE;
}

/* A phase that it was in before goes on, but for one: who has brought a whole
 * call since may take as long for the next. */
static void set_phase(struct grpc_link *l)
{
	struct grpc *g = l->grpc;
	enum connection_phase phase = phase_of(l);

	if (phase == l->phase && phase != CONNECTION_BODY)
		return;
	if (phase == l->phase && !l->progress)
		return;
	l->progress = false;
	l->phase = phase;
	connections_phase(g->connections, l->handle, phase);
	l->idle_due_ms = UINT64_MAX;
	if (phase != CONNECTION_IDLE)
		return;
	l->idle_due_ms = g->now_ms + g->idle_ms;
	grpc_due(g, l->idle_due_ms);
}

void grpc_link_turn(struct grpc_link *l, bool readable)
{
	if (l->fd < 0 || l->dead)
		return;
	if (l->shaking && !shake(l)) {
		if (!l->dead)
			set_interest(l);
		return;
	}
	write_out(l);
	readable |= l->tls && gnutls_record_check_pending(l->tls);
	if (readable && flushed(l) && !l->dead)
		read_in(l);
	if (flushed(l) && !nghttp2_session_want_read(l->h2) &&
	    !nghttp2_session_want_write(l->h2))
		l->dead = true;
	if (l->dead)
		return;
	set_interest(l);
	set_phase(l);
}
