/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/grpc.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "collector/door/grpc_internal.h"
#include "core/base/log.h"

enum {
	EVENTS = 64,      /* taken at once */
	ACCEPTS_MAX = 64, /* before others have their turn */
	DEAF_MS = 100,
	FAREWELL_MS = 1000, /* at the end, for answers that are on their way */
	IDLE_MARGIN_MS = 5000,
};

void grpc_tick(struct grpc *g)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	g->now_ms = (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void grpc_busy_begin(struct grpc *g)
{
	pthread_mutex_lock(&g->lock);
	g->busy++;
	pthread_mutex_unlock(&g->lock);
}

void grpc_busy_end(struct grpc *g)
{
	pthread_mutex_lock(&g->lock);
	if (--g->busy == 0)
		pthread_cond_broadcast(&g->idle);
	pthread_mutex_unlock(&g->lock);
}

/* --- deadlines ---------------------------------------------------------------------- */

static void sweep_link(struct grpc_link *l)
{
	struct grpc *g = l->grpc;

	for (struct grpc_call *c = l->calls, *next; c; c = next) {
		next = c->next; /* what is late is not freed here */
		if (g->now_ms >= c->due_ms)
			grpc_call_late(c);
		grpc_due(g, c->due_ms);
	}
	if (g->now_ms >= l->head_due_ms) {
		l->head_due_ms = UINT64_MAX;
		grpc_count(g, GRPC_COUNT_DEADLINE);
		grpc_link_goaway(l, NGHTTP2_ENHANCE_YOUR_CALM);
	}
	if (g->now_ms >= l->idle_due_ms) {
		l->idle_due_ms = UINT64_MAX;
		l->leaving = true;
		nghttp2_session_terminate_session(l->h2, NGHTTP2_NO_ERROR);
	}
	grpc_due(g, l->head_due_ms);
	grpc_due(g, l->idle_due_ms);
}

void grpc_sweep(struct grpc *g)
{
	if (g->now_ms < g->due_ms)
		return;
	g->due_ms = UINT64_MAX;
	for (struct grpc_link *l = g->links; l; l = l->next) {
		sweep_link(l);
		grpc_link_turn(l, false);
	}
}

/* --- replies ---------------------------------------------------------------------------- */

void grpc_take_sent(struct grpc *g)
{
	struct grpc_call *c, *next;
	uint64_t told;

	pthread_mutex_lock(&g->lock);
	if (g->event >= 0 && g->sent && read(g->event, &told, sizeof(told)) < 0)
		assert(errno == EAGAIN);
	c = g->sent;
	g->sent = NULL;
	pthread_mutex_unlock(&g->lock);
	for (; c; c = next) {
		struct grpc_link *l = c->link;

		next = c->next_sent;
		grpc_call_sent(c); /* it may be gone now */
		if (l)
			grpc_link_turn(l, false);
		grpc_busy_end(g);
	}
}

/* --- the thread ---------------------------------------------------------------------------- */

static void listen_again(struct grpc *g, bool yes)
{
	struct epoll_event event = { .events = yes ? EPOLLIN : 0,
				     .data.ptr = &g->listener };

	g->deaf = !yes;
	g->listen_ms = yes ? UINT64_MAX : g->now_ms + DEAF_MS;
	grpc_due(g, g->listen_ms);
	if (epoll_ctl(g->epoll, EPOLL_CTL_MOD, g->listener, &event) < 0)
		log_error("grpc", "epoll: %s", strerror(errno));
}

static void take_clients(struct grpc *g)
{
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage peer = { 0 };
		socklen_t len = sizeof(peer);
		int one = 1;
		int fd = accept4(g->listener, (struct sockaddr *)&peer, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				listen_again(g, false);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (grpc_link_new(g, fd, &peer))
			grpc_link_turn(g->links, false);
	}
}

static void bury(struct grpc *g)
{
	for (struct grpc_link *l = g->links, *next; l; l = next) {
		next = l->next;
		if (l->dead)
			grpc_link_free(l);
	}
}

/* Tells all connections to go elsewhere. */
static void tell(struct grpc *g)
{
	g->told = true;
	for (struct grpc_link *l = g->links; l; l = l->next) {
		if (!l->shaking && !l->leaving)
			grpc_link_goaway(l, NGHTTP2_NO_ERROR);
		grpc_link_turn(l, false);
	}
}

static int wait_ms(const struct grpc *g)
{
	uint64_t rest;

	if (g->due_ms == UINT64_MAX)
		return -1;
	rest = g->due_ms > g->now_ms ? g->due_ms - g->now_ms : 0;
	return rest < 60000 ? (int)rest + 1 : 60000;
}

static void turn(struct grpc *g, int patience_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(g->epoll, events, EVENTS, patience_ms);

	grpc_tick(g);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &g->listener)
			take_clients(g);
		else if (events[i].data.ptr != &g->event)
			grpc_link_turn(events[i].data.ptr,
				       events[i].events & ~(uint32_t)EPOLLOUT);
	}
	grpc_take_sent(g);
	if (g->deaf && g->now_ms >= g->listen_ms)
		listen_again(g, true);
	grpc_sweep(g);
	if (!g->told && atomic_load(&g->quiesced))
		tell(g);
	bury(g);
}

/* Answers that are on their way. */
static bool has_more_to_say(const struct grpc *g)
{
	for (const struct grpc_link *l = g->links; l; l = l->next)
		if (l->calls || l->out_sent < l->out.len)
			return true;
	return false;
}

static void *grpc_main(void *arg)
{
	struct grpc *g = arg;
	uint64_t until_ms;

	pthread_setname_np(pthread_self(), "grpc");
	while (!atomic_load(&g->stopping))
		turn(g, wait_ms(g));
	grpc_tick(g);
	until_ms = g->now_ms + FAREWELL_MS;
	while (has_more_to_say(g) && g->now_ms < until_ms)
		turn(g, 20);
	while (g->links)
		grpc_link_free(g->links);
	return NULL;
}

/* --- start, stop ------------------------------------------------------------------------------ */

static unsigned or_default(unsigned value_ms, unsigned default_s)
{
	return value_ms ? value_ms : default_s * 1000;
}

int grpc_init(struct grpc *g, const struct grpc_options *options,
	      struct diag *diag)
{
	struct connections_options *o = &g->options.connections;

	g->options = *options;
	g->listener = g->epoll = g->event = -1;
	g->due_ms = g->listen_ms = UINT64_MAX;
	g->head_ms = or_default(o->head_ms, HTTP_HEAD_S);
	g->body_ms = or_default(o->body_ms, HTTP_BODY_S);
	g->idle_ms = or_default(o->idle_ms, GRPC_IDLE_S);
	g->reader_ms = or_default(o->reader_ms, HTTP_READER_S);
	/* We come first, and say goodbye. */
	o->idle_ms = g->idle_ms + IDLE_MARGIN_MS;
	if (!o->max)
		o->max = GRPC_CONNECTIONS_MAX;
	if (!g->options.bodies_max)
		g->options.bodies_max = HTTP_BODIES_MAX;
	g->used = options->used ? options->used : &g->own_used;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->idle, NULL);
	g->in = malloc(GRPC_READ_BYTES);
	grpc_tick(g);
	if (!g->in || grpc_session_global(g))
		return diag_set(diag, ERR_NOMEM, "out of memory");
	if (request_ids_init(&g->ids))
		return diag_set(diag, ERR_IO, "there is nothing random");
	return 0;
}

void grpc_fini(struct grpc *g)
{
	assert(!g->links);
	nghttp2_session_callbacks_del(g->callbacks);
	nghttp2_option_del(g->h2_options);
	connections_free(g->connections);
	tls_close(g->tls);
	if (g->listener >= 0)
		close(g->listener);
	if (g->event >= 0)
		close(g->event);
	if (g->epoll >= 0)
		close(g->epoll);
	pthread_cond_destroy(&g->idle);
	pthread_mutex_destroy(&g->lock);
	free(g->in);
}

static int open_sockets(struct grpc *g, struct diag *diag)
{
	const struct grpc_options *o = &g->options;
	struct epoll_event event = { .events = EPOLLIN };
	int e = connections_new(&g->connections, &o->connections);

	if (e)
		return diag_set(diag, e, "no memory for %u connections",
				o->connections.max);
	if (o->tls_cert && o->tls_cert[0])
		e = tls_open(&g->tls, o->tls_cert, o->tls_key, o->tls_client_ca,
			     diag);
	if (e)
		return e;
	g->listener = address_listen(o->address, SOCK_STREAM, o->loopback_only,
				     g->address, diag);
	if (g->listener < 0)
		return g->listener;
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	g->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.ptr = &g->listener;
	e = epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->listener, &event);
	event.data.ptr = &g->event;
	if (!e)
		e = epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->event, &event);
	if (!e)
		e = pthread_create(&g->thread, NULL, grpc_main, g);
	if (e)
		return diag_set(diag, ERR_IO, "cannot start gRPC on %s",
				g->address);
	g->started = true;
	return 0;
}

int grpc_start(struct grpc **out, const struct grpc_options *options,
	       struct diag *diag)
{
	struct grpc *g = calloc(1, sizeof(*g));
	int e;

	if (!g)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	e = grpc_init(g, options, diag);
	if (!e)
		e = open_sockets(g, diag);
	if (e) {
		grpc_fini(g);
		free(g);
		return e;
	}
	*out = g;
	return 0;
}

const char *grpc_address(const struct grpc *g)
{
	return g->address;
}

int grpc_reload_tls(struct grpc *g, struct diag *diag)
{
	return g->tls ? tls_reload(g->tls, diag) : 0;
}

uint32_t grpc_connections_max(const struct grpc *g)
{
	return connections_max(g->connections);
}

uint32_t grpc_connections(const struct grpc *g)
{
	return connections_count(g->connections);
}

static void wake(struct grpc *g)
{
	const uint64_t one = 1;

	if (write(g->event, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
}

void grpc_quiesce(struct grpc *g)
{
	atomic_store(&g->quiesced, true);
	wake(g);
}

void grpc_settle(struct grpc *g)
{
	pthread_mutex_lock(&g->lock);
	while (g->busy)
		pthread_cond_wait(&g->idle, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

void grpc_stop(struct grpc *g)
{
	grpc_quiesce(g);
	grpc_settle(g);
	atomic_store(&g->stopping, true);
	wake(g);
	pthread_join(g->thread, NULL);
	grpc_fini(g);
	free(g);
}
