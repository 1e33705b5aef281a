/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/connections.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "collector/door/clients.h"
#include "collector/door/network.h"

enum {
	PHASE_BITS = 3,
	PHASE_MASK = (1 << PHASE_BITS) - 1,
	/* The walks are at least so far apart. */
	REST_MS_MIN = 4,
	REST_MS_MAX = 100,
	REST_PART = 64,  /* of the shortest limit */
	LOOK_MS = 500,   /* between two looks for clients that have gone */
	LOOKS_MS = 5000, /* for so long at idle ones */
};

struct slot {
	int fd;
	uint32_t client; /* in clients; CLIENT_NONE: exempt */
	uint32_t next;   /* of those that are free */
	bool doomed;
	uint64_t gone; /* its state when its client was seen to have gone */
};

struct connections {
	struct connections_options options;
	uint64_t limit_ms[CONNECTION_PHASES]; /* UINT64_MAX: none */
	uint64_t shortest_ms;
	uint32_t slot_count;      /* with slot 0, which is nobody's */
	_Atomic uint64_t *states; /* of slots: since when, phase */
	pthread_mutex_t lock;     /* over all below */
	pthread_cond_t wake;
	struct slot *slots;
	struct clients *clients;
	uint32_t free;
	uint32_t used; /* with the doomed */
	uint32_t doomed;
	bool stop;
	pthread_t thread;
	bool started;
};

/* The kernel's tick is exact enough, and costs a quarter. */
static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t state_make(enum connection_phase phase, uint64_t since_ms)
{
	return since_ms << PHASE_BITS | (uint64_t)phase;
}

static enum connection_phase phase_of(uint64_t state)
{
	return (enum connection_phase)(state & PHASE_MASK);
}

void connections_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static uint32_t fit_descriptors(uint32_t most)
{
	const uint32_t other =
		CONNECTIONS_OTHER_DESCRIPTORS + CONNECTIONS_CLOSING_MAX;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= (rlim_t)most + other)
		return most;
	/* At least half, however few there are. */
	if (limit.rlim_cur < 2 * other)
		return (uint32_t)limit.rlim_cur / 2;
	return (uint32_t)limit.rlim_cur - other;
}

/* --- closing ------------------------------------------------------------------ */

/* Counted first: who sees its connection end sees that too. CONNECTION_ENDS:
 * its client has ended it. */
static void end(struct connections *c, int fd, enum connection_end why)
{
	if (why != CONNECTION_ENDS && c->options.ended[why])
		atomic_fetch_add(c->options.ended[why], 1);
	shutdown(fd, SHUT_RDWR);
}

/* False: it is about to be closed already, or is served at this moment. */
static bool doom(struct connections *c, uint32_t i, uint64_t state,
		 enum connection_end why)
{
	struct slot *slot = &c->slots[i];

	if (slot->doomed ||
	    !atomic_compare_exchange_strong_explicit(
		    &c->states[i], &state, state_make(CONNECTION_DOOMED, 0),
		    memory_order_relaxed, memory_order_relaxed))
		return false;
	slot->doomed = true;
	c->doomed++;
	end(c, slot->fd, why);
	return true;
}

static enum connection_end end_of(enum connection_phase phase)
{
	switch (phase) {
	case CONNECTION_BODY:
		return CONNECTION_END_BODY;
	case CONNECTION_IDLE:
		return CONNECTION_END_IDLE;
	case CONNECTION_REPLY:
		return CONNECTION_END_READER;
	default:
		return CONNECTION_END_HEAD;
	}
}

/* Nothing more will come, and all that came has been read; seen twice, since
 * the thread that serves it may have read the last of it just now. */
static bool has_gone(struct slot *slot, uint64_t state)
{
	char byte;
	ssize_t n = recv(slot->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	if (slot->gone == state)
		return true;
	slot->gone = state;
	return false;
}

/* An idle one got its last bytes before it was idle, so an end that came with
 * them is there from the first; the others may get theirs at any time. */
static bool may_have_gone(enum connection_phase phase, uint64_t age_ms)
{
	if (age_ms < LOOK_MS)
		return false;
	return phase == CONNECTION_HEAD || phase == CONNECTION_BODY ||
	       (phase == CONNECTION_IDLE && age_ms < LOOKS_MS);
}

/* Closes what is late. Returns for how long there is nothing to do. */
static uint64_t walk(struct connections *c)
{
	uint64_t now = now_ms();
	uint64_t rest = c->shortest_ms < LOOK_MS ? c->shortest_ms : LOOK_MS;

	for (uint32_t i = 1; i < c->slot_count; i++) {
		uint64_t state = atomic_load_explicit(&c->states[i],
						      memory_order_relaxed);
		enum connection_phase phase = phase_of(state);
		uint64_t limit = c->limit_ms[phase];
		uint64_t since = state >> PHASE_BITS;
		uint64_t age = now > since ? now - since : 0;

		if (limit == UINT64_MAX)
			continue;
		if (age >= limit)
			doom(c, i, state, end_of(phase));
		else if (limit - age < rest)
			rest = limit - age;
		if (may_have_gone(phase, age) && has_gone(&c->slots[i], state))
			doom(c, i, state, CONNECTION_ENDS);
	}
	return rest;
}

/* The one that has waited longest in the first of these phases in which there
 * is one. */
static bool make_place(struct connections *c)
{
	static const enum connection_phase order[] = { CONNECTION_IDLE,
						       CONNECTION_HEAD,
						       CONNECTION_BODY,
						       CONNECTION_REPLY };
	uint64_t oldest[CONNECTION_PHASES];
	uint32_t which[CONNECTION_PHASES] = { 0 };

	for (uint32_t i = 1; i < c->slot_count; i++) {
		uint64_t state = atomic_load_explicit(&c->states[i],
						      memory_order_relaxed);
		enum connection_phase phase = phase_of(state);

		if (!which[phase] || state < oldest[phase]) {
			oldest[phase] = state;
			which[phase] = i;
		}
	}
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		enum connection_phase phase = order[k];

		if (which[phase] && doom(c, which[phase], oldest[phase],
					 CONNECTION_END_CROWDED))
			return true;
	}
	return false;
}

static void *connections_main(void *arg)
{
	struct connections *c = arg;
	uint64_t rest_min = c->shortest_ms / REST_PART;

	if (rest_min < REST_MS_MIN)
		rest_min = REST_MS_MIN;
	if (rest_min > REST_MS_MAX)
		rest_min = REST_MS_MAX;
	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		struct timespec until;
		uint64_t rest;

		if (c->used == c->doomed) {
			pthread_cond_wait(&c->wake, &c->lock);
			continue;
		}
		rest = walk(c);
		if (rest < rest_min)
			rest = rest_min;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += (time_t)(rest / 1000);
		until.tv_nsec += (long)(rest % 1000) * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		while (!c->stop &&
		       !pthread_cond_timedwait(&c->wake, &c->lock, &until))
			continue;
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* --- the table ---------------------------------------------------------------- */

static void set_limits(struct connections *c)
{
	struct connections_options *o = &c->options;

	if (!o->head_ms)
		o->head_ms = HTTP_HEAD_S * 1000;
	if (!o->body_ms)
		o->body_ms = HTTP_BODY_S * 1000;
	if (!o->idle_ms)
		o->idle_ms = HTTP_IDLE_S * 1000;
	if (!o->reader_ms)
		o->reader_ms = HTTP_READER_S * 1000;
	if (!o->max)
		o->max = HTTP_CONNECTIONS_MAX;
	if (!o->client_max)
		o->client_max = HTTP_CLIENT_CONNECTIONS_MAX;
	o->max = fit_descriptors(o->max);
	c->limit_ms[CONNECTION_OURS] = UINT64_MAX;
	c->limit_ms[CONNECTION_DOOMED] = UINT64_MAX;
	c->limit_ms[CONNECTION_HEAD] = o->head_ms;
	c->limit_ms[CONNECTION_BODY] = o->body_ms;
	c->limit_ms[CONNECTION_IDLE] = o->idle_ms;
	c->limit_ms[CONNECTION_REPLY] = o->reader_ms;
	c->shortest_ms = UINT64_MAX;
	for (size_t i = 0; i < CONNECTION_PHASES; i++)
		if (c->limit_ms[i] < c->shortest_ms)
			c->shortest_ms = c->limit_ms[i];
}

int connections_new(struct connections **out,
		    const struct connections_options *options)
{
	struct connections *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;

	if (!c)
		return ERR_NOMEM;
	c->options = *options;
	set_limits(c);
	c->slot_count = c->options.max + CONNECTIONS_CLOSING_MAX + 1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->wake, &attr);
	pthread_condattr_destroy(&attr);
	c->states = calloc(c->slot_count, sizeof(*c->states));
	c->slots = calloc(c->slot_count, sizeof(*c->slots));
	c->clients = clients_new(c->slot_count);
	if (c->states && c->slots && c->clients)
		c->started =
			!pthread_create(&c->thread, NULL, connections_main, c);
	if (!c->started) {
		connections_free(c);
		return ERR_NOMEM;
	}
	pthread_mutex_lock(&c->lock);
	for (uint32_t i = c->slot_count - 1; i > 0; i--) {
		c->slots[i].next = c->free;
		c->free = i;
	}
	pthread_mutex_unlock(&c->lock);
	*out = c;
	return 0;
}

void connections_free(struct connections *c)
{
	if (!c)
		return;
	assert(c->used == 0);
	if (c->started) {
		pthread_mutex_lock(&c->lock);
		c->stop = true;
		pthread_cond_signal(&c->wake);
		pthread_mutex_unlock(&c->lock);
		pthread_join(c->thread, NULL);
	}
	clients_free(c->clients);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free((void *)c->states);
	free(c->slots);
	free(c);
}

uint32_t connections_max(const struct connections *c)
{
	return c->options.max;
}

uint32_t connections_count(struct connections *c)
{
	uint32_t n;

	pthread_mutex_lock(&c->lock);
	n = c->used - c->doomed;
	pthread_mutex_unlock(&c->lock);
	return n;
}

/* CONNECTION_ENDS: there is a place for it. */
static enum connection_end
may_stay(struct connections *c, const struct sockaddr *peer, uint32_t *client)
{
	bool exempt = !c->options.cap_loopback && address_is_loopback(peer);

	*client = CLIENT_NONE;
	if (!c->free)
		return CONNECTION_END_CROWDED;
	if (!exempt) {
		*client = clients_take(c->clients, peer, c->options.client_max);
		if (*client == CLIENT_NONE)
			return CONNECTION_END_CLIENT_CAP;
	}
	if (c->used - c->doomed < c->options.max || make_place(c) ||
	    make_place(c))
		return CONNECTION_ENDS;
	if (*client != CLIENT_NONE)
		clients_drop(c->clients, *client);
	return CONNECTION_END_CROWDED;
}

uint32_t connections_add(struct connections *c, int fd,
			 const struct sockaddr *peer)
{
	enum connection_end why;
	uint32_t client;
	uint32_t i = 0;

	pthread_mutex_lock(&c->lock);
	why = may_stay(c, peer, &client);
	if (why == CONNECTION_ENDS) {
		i = c->free;
		c->free = c->slots[i].next;
		c->slots[i] = (struct slot){ .fd = fd, .client = client };
		atomic_store_explicit(&c->states[i],
				      state_make(CONNECTION_HEAD, now_ms()),
				      memory_order_relaxed);
		if (c->used++ == c->doomed)
			pthread_cond_signal(&c->wake);
	}
	pthread_mutex_unlock(&c->lock);
	if (!i)
		end(c, fd, why);
	return i;
}

void connections_remove(struct connections *c, uint32_t handle)
{
	struct slot *slot = &c->slots[handle];

	if (!handle)
		return;
	pthread_mutex_lock(&c->lock);
	if (slot->client != CLIENT_NONE)
		clients_drop(c->clients, slot->client);
	if (slot->doomed)
		c->doomed--;
	c->used--;
	*slot = (struct slot){ .fd = -1, .next = c->free };
	c->free = handle;
	atomic_store_explicit(&c->states[handle],
			      state_make(CONNECTION_OURS, 0),
			      memory_order_relaxed);
	pthread_mutex_unlock(&c->lock);
}

void connections_phase(struct connections *c, uint32_t handle,
		       enum connection_phase phase)
{
	uint64_t state;

	if (!handle)
		return;
	state = atomic_load_explicit(&c->states[handle], memory_order_relaxed);
	if (phase_of(state) == CONNECTION_DOOMED)
		return;
	/* Where this fails it was doomed just now, and stays so. */
	atomic_compare_exchange_strong_explicit(&c->states[handle], &state,
						state_make(phase, now_ms()),
						memory_order_relaxed,
						memory_order_relaxed);
}
