/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/http.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "collector/door/http_internal.h"
#include "core/base/log.h"

void busy_begin(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->busy++;
	pthread_mutex_unlock(&h->lock);
}

void busy_end(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	if (--h->busy == 0)
		pthread_cond_broadcast(&h->idle);
	pthread_mutex_unlock(&h->lock);
}

/* --- connections -------------------------------------------------------------- */

static bool link_tls(struct http *h, struct link *link,
		     struct MHD_Connection *c, int fd)
{
	void *session =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION)
			->tls_session;

	link->tls = tls_begin(h->tls, session);
	if (link->tls)
		tls_wait_begin(h->tls_wait, &link->waiter, c, fd, session);
	return link->tls != NULL;
}

/* MHD has a descriptor, an address and, with TLS, a session; nothing has been
 * read yet. */
static void link_begin(struct http *h, struct MHD_Connection *c, void **context)
{
	struct link *link = calloc(1, sizeof(*link));
	int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
			 ->connect_fd;

	*context = NULL;
	if (!link) {
		shutdown(fd, SHUT_RDWR);
		return;
	}
	link->peer =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;
	link->handle = connections_add(h->connections, fd, link->peer);
	if (link->handle && h->tls && !link_tls(h, link, c, fd))
		shutdown(fd, SHUT_RDWR);
	if (!link->handle) {
		free(link);
		return;
	}
	*context = link;
}

/* The descriptor is still open: the table has it until here. */
static void on_connection(void *arg, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http *h = arg;
	struct link *link = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		link_begin(h, c, context);
		return;
	}
	if (!link)
		return;
	connections_remove(h->connections, link->handle);
	tls_wait_end(&link->waiter);
	tls_end(link->tls);
	free(link);
	*context = NULL;
}

/* Any client can make it complain: so many lines a second. */
static void on_log(void *arg, const char *format, va_list ap)
{
	struct http *h = arg;
	struct timespec now;
	char text[512];

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (atomic_exchange(&h->log_second, now.tv_sec) != now.tv_sec)
		atomic_store(&h->log_lines, 0);
	if (atomic_fetch_add(&h->log_lines, 1) >= HTTP_LOG_LINES_MAX)
		return;
	vsnprintf(text, sizeof(text), format, ap);
	text[strcspn(text, "\n")] = '\0';
	log_line(LOG_WARN, "http", "%s", text);
}

/* --- start, stop -------------------------------------------------------------- */

static void http_free(struct http *h)
{
	connections_free(h->connections);
	tls_wait_free(h->tls_wait);
	tls_close(h->tls);
	pthread_cond_destroy(&h->idle);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static int open_parts(struct http *h, struct diag *diag)
{
	const struct http_options *o = &h->options;
	int e = connections_new(&h->connections, &o->connections);

	if (!e && request_ids_init(&h->ids))
		return diag_set(diag, ERR_IO, "there is nothing random");
	if (e)
		return diag_set(diag, e, "no memory for %u connections",
				o->connections.max);
	if (o->tls_cert && o->tls_cert[0]) {
		e = tls_open(&h->tls, o->tls_cert, o->tls_key, o->tls_client_ca,
			     diag);
		if (!e && tls_wait_new(&h->tls_wait))
			e = diag_set(diag, ERR_IO, "cannot start TLS");
		return e;
	}
	if ((o->tls_key && o->tls_key[0]) ||
	    (o->tls_client_ca && o->tls_client_ca[0]))
		return diag_set(diag, ERR_INVALID,
				"TLS needs a certificate: --tls-cert");
	return 0;
}

static void start_daemon(struct http *h, int fd)
{
	unsigned threads = h->options.threads ? h->options.threads :
						HTTP_THREADS;
	/* The table's limit comes first, wherever the kernel puts them. */
	unsigned most =
		connections_max(h->connections) + CONNECTIONS_CLOSING_MAX + 1;
	const struct MHD_OptionItem in_clear[] = { { MHD_OPTION_END, 0,
						     NULL } };
	struct MHD_OptionItem with_tls[] = {
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES },
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
		  (void *)(intptr_t)tls_no_certificate },
		{ MHD_OPTION_END, 0, NULL },
	};

	/* Without a time-out: connections.h has better ones. */
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_ERROR_LOG |
			(h->tls ? MHD_USE_TLS : MHD_USE_TURBO),
		0, NULL, NULL, on_access, h, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
		on_done, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, h,
		MHD_OPTION_CONNECTION_LIMIT, most * threads,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_MAX,
		MHD_OPTION_ARRAY, h->tls ? with_tls : in_clear,
		/* The list ends here where there is no pool: one of 0 is
		 * warned of at each start. */
		threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
		threads, MHD_OPTION_END);
}

static void set_defaults(struct http *h)
{
	struct http_options *o = &h->options;

	if (!o->bodies_max)
		o->bodies_max = HTTP_BODIES_MAX;
	if (!o->replies_max)
		o->replies_max = HTTP_REPLIES_MAX;
	if (!o->reply_max)
		o->reply_max = HTTP_REPLY_MAX;
	h->bodies_bytes = o->used ? o->used : &h->own_bodies_bytes;
	h->replies_bytes = o->used ? o->used : &h->own_replies_bytes;
}

int http_start(struct http **out, const struct http_options *options,
	       struct diag *diag)
{
	struct http *h = calloc(1, sizeof(*h));
	int fd, e;

	if (!h)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	h->options = *options;
	set_defaults(h);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->idle, NULL);
	e = open_parts(h, diag);
	fd = e ? e :
		 address_listen(options->address, SOCK_STREAM,
				options->loopback_only, h->address, diag);
	if (fd < 0) {
		http_free(h);
		return fd;
	}
	start_daemon(h, fd);
	if (!h->daemon) {
		close(fd);
		http_free(h);
		return diag_set(diag, ERR_IO, "cannot start HTTP on %s",
				options->address);
	}
	*out = h;
	return 0;
}

const char *http_address(const struct http *h)
{
	return h->address;
}

int http_reload_tls(struct http *h, struct diag *diag)
{
	return h->tls ? tls_reload(h->tls, diag) : 0;
}

int64_t http_certificate_ends_s(const struct http *h)
{
	return h->tls ? tls_expires_s(h->tls) : 0;
}

uint32_t http_connections_max(const struct http *h)
{
	return connections_max(h->connections);
}

uint32_t http_connections(const struct http *h)
{
	return connections_count(h->connections);
}

void http_quiesce(struct http *h)
{
	atomic_store(&h->quiesced, true);
}

void http_settle(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	while (h->busy)
		pthread_cond_wait(&h->idle, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

void http_stop(struct http *h)
{
	http_quiesce(h);
	http_settle(h);
	tls_wait_stop(h->tls_wait);
	MHD_stop_daemon(h->daemon);
	http_free(h);
}

static void defer(struct request *r)
{
	struct exchange *x = exchange_of(r);

	assert(x->handled && !x->deferred);
	x->deferred = true;
	MHD_suspend_connection(x->connection);
}

static void send_reply(struct request *r)
{
	struct exchange *x = exchange_of(r);
	struct http *h = r->http;

	assert(x->deferred);
	MHD_resume_connection(x->connection); /* x may be gone now */
	busy_end(h);
}

const struct carrier http_carrier = {
	.header = http_header,
	.headers_each = http_headers_each,
	.query = http_query,
	.query_each = http_query_each,
	.defer = defer,
	.send = send_reply,
};
