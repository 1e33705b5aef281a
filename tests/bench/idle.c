/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What idle connections cost the active ones. ACTIVE connections ask every
 * PAUSE_MS; the 99th percentile of their answers is taken without and with
 * IDLE others, which have asked once and then keep still, in turns, so that the
 * machine's moods meet both. At the end each idle one must still be there, and
 * is asked to prove it. Fewer where descriptors are fewer, which is said.
 *
 *   idle ADDRESS:PORT IDLE [ROUNDS]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST "GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"

enum {
	ACTIVE = 100,
	PAUSE_MS = 10,
	ROUND_MS = 1000, /* each half of it */
	OTHER_DESCRIPTORS = 32,
	ANSWER_MS_MAX = 20000,
};

struct active {
	int fd;
	uint64_t asked_ns; /* 0: it pauses */
	uint64_t next_ns;
};

struct samples {
	uint64_t *ns;
	size_t count, room;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "idle: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void ask(int fd)
{
	if (send(fd, REQUEST, sizeof(REQUEST) - 1, MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(REQUEST) - 1)
		die("cannot ask");
}

/* The whole answer comes in one piece: it is small. */
static void take(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char text[1024];
	ssize_t n = -1;

	if (poll(&p, 1, ANSWER_MS_MAX) == 1)
		n = recv(fd, text, sizeof(text) - 1, 0);
	if (n < 12 || memcmp(text, "HTTP/1.1 200", 12) != 0)
		die("no answer");
}

static int open_one(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("cannot connect");
	ask(fd);
	take(fd);
	return fd;
}

static void add(struct samples *s, uint64_t ns)
{
	if (s->count == s->room) {
		s->room = s->room ? 2 * s->room : 1 << 16;
		s->ns = realloc(s->ns, s->room * sizeof(*s->ns));
		if (!s->ns)
			die("memory");
	}
	s->ns[s->count++] = ns;
}

static void load(struct active *a, uint64_t length_ns, struct samples *out)
{
	struct pollfd p[ACTIVE];
	uint64_t begin = now_ns(), now = begin;
	unsigned waiting = 0;

	for (int i = 0; i < ACTIVE; i++) {
		a[i].asked_ns = 0;
		a[i].next_ns =
			begin + (uint64_t)i * PAUSE_MS * 1000000 / ACTIVE;
	}
	for (; now - begin < length_ns || waiting; now = now_ns()) {
		for (int i = 0; i < ACTIVE; i++) {
			if (!a[i].asked_ns && a[i].next_ns <= now &&
			    now - begin < length_ns) {
				a[i].asked_ns = now_ns();
				ask(a[i].fd);
				waiting++;
			}
			p[i] = (struct pollfd){ a[i].asked_ns ? a[i].fd : -1,
						POLLIN, 0 };
		}
		if (poll(p, ACTIVE, 1) < 0)
			die("poll");
		for (int i = 0; i < ACTIVE; i++) {
			if (!p[i].revents)
				continue;
			take(a[i].fd);
			now = now_ns();
			add(out, now - a[i].asked_ns);
			a[i].asked_ns = 0;
			a[i].next_ns = now + PAUSE_MS * 1000000;
			waiting--;
		}
	}
}

static int by_value(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

static double percentile_us(struct samples *s, unsigned percent)
{
	size_t at = (s->count - 1) * percent / 100;

	qsort(s->ns, s->count, sizeof(*s->ns), by_value);
	return (double)s->ns[at] / 1000;
}

static size_t fit(size_t want)
{
	struct rlimit limit;
	size_t most;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	most = (size_t)limit.rlim_cur - ACTIVE - OTHER_DESCRIPTORS;
	if (want <= most)
		return want;
	printf("only %zu idle connections: ulimit -n is %zu\n", most,
	       (size_t)limit.rlim_cur);
	return most;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct samples without = { 0 }, with = { 0 };
	struct active active[ACTIVE];
	char *colon = argc > 2 ? strrchr(argv[1], ':') : NULL;
	const uint64_t part_ns = (uint64_t)ROUND_MS * 1000000;
	unsigned long rounds;
	double p99, p99_with;
	size_t count;
	int *idle;

	if (!colon) {
		fprintf(stderr, "usage: idle ADDRESS:PORT IDLE [ROUNDS]\n");
		return 2;
	}
	*colon = '\0';
	to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		die(argv[1]);
	count = fit(strtoul(argv[2], NULL, 10));
	rounds = strtoul(argc > 3 ? argv[3] : "3", NULL, 10);
	idle = calloc(count + 1, sizeof(*idle));
	if (!idle)
		die("memory");
	for (int i = 0; i < ACTIVE; i++)
		active[i].fd = open_one(&to);
	for (unsigned long round = 0; round < rounds; round++) {
		load(active, part_ns, &without);
		for (size_t i = 0; i < count; i++)
			idle[i] = open_one(&to);
		load(active, part_ns, &with);
		for (size_t i = 0; i < count; i++) {
			ask(idle[i]);
			take(idle[i]);
			close(idle[i]);
		}
	}
	p99 = percentile_us(&without, 99);
	p99_with = percentile_us(&with, 99);
	printf("%zu idle, %d active: all answered, %zu requests; p50 %.0f us "
	       "without, %.0f us with; p99 %.0f us without, %.0f us with: "
	       "%.2f times\n",
	       count, ACTIVE, without.count + with.count,
	       percentile_us(&without, 50), percentile_us(&with, 50), p99,
	       p99_with, p99_with / p99);
	free(idle);
	free(without.ns);
	free(with.ns);
	return 0;
}
