/* SPDX-License-Identifier: Apache-2.0 */
/* Questions on their way through threads of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <semaphore.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/door/readers.h"
#include "tests/unit/collector/talk.h"

enum { MORE = 6, ALL = READERS_THREADS + READERS_QUEUE + MORE };

struct fixture {
	struct readers *readers;
	struct http *http;
	sem_t go;
	_Atomic int nice;
};

static void answer_late(void *arg, struct request *r)
{
	struct fixture *f = arg;

	atomic_store(&f->nice, getpriority(PRIO_PROCESS, (id_t)gettid()));
	sem_wait(&f->go);
	r->status = 200;
	buf_text(&r->reply, "late");
}

static void ask_them(void *arg, struct request *r)
{
	struct fixture *f = arg;

	if (readers_take(f->readers, r))
		r->status = 503;
}

/* Of "HTTP/1.1 200 OK". */
static size_t status_of(int fd)
{
	char text[1024];

	assert_true(talk_read(fd, text, sizeof(text)) > 12);
	return (size_t)strtoul(text + 9, NULL, 10);
}

static void over_the_queue_they_are_busy(void **state)
{
	static struct pollfd all[ALL];
	size_t first = 0;
	struct fixture f = { .nice = 0 };
	int status[600] = { 0 };
	const struct http_options options = { .address = "127.0.0.1:0",
					      .handler = ask_them,
					      .arg = &f };
	struct diag diag = { 0 };

	(void)state;
	sem_init(&f.go, 0, 0);
	assert_int_equal(readers_start(&f.readers, answer_late, &f), 0);
	assert_int_equal(http_start(&f.http, &options, &diag), 0);
	for (size_t i = 0; i < ALL; i++) {
		all[i] = (struct pollfd){ talk_connect(http_address(f.http)),
					  POLLIN, 0 };
		talk_send(all[i].fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	/* Who finds it full is told at once, while nobody has been answered. */
	assert_true(poll(all, ALL, PATIENCE_MS) > 0);
	while (!all[first].revents)
		first++;
	assert_int_equal(status_of(all[first].fd), 503);
	for (size_t i = 0; i < ALL; i++)
		sem_post(&f.go);
	for (size_t i = 0; i < ALL; i++) {
		if (i != first)
			status[status_of(all[i].fd)]++;
		close(all[i].fd);
	}
	assert_int_equal(status[200] + status[503], ALL - 1);
	assert_true(status[200] >= READERS_QUEUE);
	assert_int_equal(f.nice, READERS_NICE);
	http_stop(f.http);
	readers_stop(f.readers);
	sem_destroy(&f.go);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_the_queue_they_are_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
