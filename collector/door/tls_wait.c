/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/tls_wait.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64 };

struct tls_wait {
	int epoll_fd;
	int wake_fd; /* its event's pointer is NULL */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* over the list, and what waiters say of it */
	struct tls_waiter list;
	bool stopping;
};

static void link_in(struct tls_wait *w, struct tls_waiter *waiter)
{
	waiter->next = w->list.next;
	waiter->prev = &w->list;
	waiter->next->prev = waiter;
	w->list.next = waiter;
	waiter->waiting = true;
}

static void resume(struct tls_waiter *waiter)
{
	waiter->next->prev = waiter->prev;
	waiter->prev->next = waiter->next;
	waiter->waiting = false;
	MHD_resume_connection(waiter->connection);
}

/* By MHD's thread, inside of its reading. */
static void suspend(struct tls_waiter *waiter)
{
	struct tls_wait *w = waiter->wait;
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
		.data.ptr = waiter,
	};

	pthread_mutex_lock(&w->lock);
	if (!w->stopping &&
	    !epoll_ctl(w->epoll_fd,
		       waiter->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		       waiter->fd, &event)) {
		waiter->known = true;
		MHD_suspend_connection(waiter->connection);
		link_in(w, waiter);
	}
	pthread_mutex_unlock(&w->lock);
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *bytes, size_t size)
{
	struct tls_waiter *waiter = arg;
	ssize_t n = recv(waiter->fd, bytes, size, 0);
	int e = errno;

	if (n < 0 && (e == EAGAIN || e == EWOULDBLOCK) && !waiter->done)
		suspend(waiter);
	errno = e;
	return n;
}

static void *wait_main(void *arg)
{
	struct tls_wait *w = arg;
	bool stop = false;

	while (!stop) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(w->epoll_fd, events, EVENTS, -1);

		pthread_mutex_lock(&w->lock);
		for (int i = 0; i < n; i++) {
			struct tls_waiter *waiter = events[i].data.ptr;

			if (waiter && waiter->waiting)
				resume(waiter);
		}
		stop = w->stopping;
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

int tls_wait_new(struct tls_wait **out)
{
	struct tls_wait *w = calloc(1, sizeof(*w));
	struct epoll_event event = { .events = EPOLLIN };

	if (!w)
		return ERR_NOMEM;
	pthread_mutex_init(&w->lock, NULL);
	w->list.next = w->list.prev = &w->list;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll_fd >= 0 && w->wake_fd >= 0 &&
	    !epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &event))
		w->started = !pthread_create(&w->thread, NULL, wait_main, w);
	if (!w->started) {
		tls_wait_free(w);
		return ERR_IO;
	}
	*out = w;
	return 0;
}

void tls_wait_stop(struct tls_wait *w)
{
	const uint64_t one = 1;

	if (!w || !w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_mutex_unlock(&w->lock);
	if (write(w->wake_fd, &one, sizeof(one)) < 0)
		abort(); /* a counter of one, and nobody else writes */
	pthread_join(w->thread, NULL);
	w->started = false;
	/* Not before: what is resumed may be freed at once, and the thread may
	 * have had an event of it in its hands. */
	pthread_mutex_lock(&w->lock);
	while (w->list.next != &w->list)
		resume(w->list.next);
	pthread_mutex_unlock(&w->lock);
}

void tls_wait_free(struct tls_wait *w)
{
	if (!w)
		return;
	tls_wait_stop(w);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void tls_wait_begin(struct tls_wait *w, struct tls_waiter *waiter,
		    struct MHD_Connection *connection, int fd, void *session)
{
	*waiter = (struct tls_waiter){ .wait = w,
				       .connection = connection,
				       .fd = fd };
	gnutls_transport_set_ptr2(session, waiter,
				  (gnutls_transport_ptr_t)(intptr_t)fd);
	gnutls_transport_set_pull_function(session, pull);
}

void tls_wait_end(struct tls_waiter *waiter)
{
	/* It does not wait, so that no event of it can be under way. */
	if (waiter->known)
		epoll_ctl(waiter->wait->epoll_fd, EPOLL_CTL_DEL, waiter->fd,
			  NULL);
}
