/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/console.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/report.h"
#include "core/base/arena.h"
#include "core/codec/json.h"
#include "core/codec/json_write.h"

struct console {
	bool json;
	bool quiet;
	bool out_is_terminal;
	bool err_is_terminal;
	pthread_mutex_t lock;
	struct buf line;
};

int console_new(struct console **out, bool json, bool quiet)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	c->json = json;
	c->quiet = quiet;
	c->out_is_terminal = isatty(STDOUT_FILENO) == 1;
	c->err_is_terminal = isatty(STDERR_FILENO) == 1;
	pthread_mutex_init(&c->lock, NULL);
	*out = c;
	return 0;
}

void console_free(struct console *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	buf_fini(&c->line);
	free(c);
}

static void write_all(int fd, struct sv bytes)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody reads any more */
		bytes = sv_make(bytes.ptr + n, bytes.len - (size_t)n);
	}
}

/* C0 but tab and line end, DEL, and C1 (U+0080 to U+009F) become '?'. */
static void make_safe(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->ptr[i];

		if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
			b->ptr[i] = '?';
		else if (c == 0xc2 && i + 1 < b->len &&
			 (unsigned char)b->ptr[i + 1] < 0xa0)
			b->ptr[i] = b->ptr[i + 1] = '?';
	}
}

static void put_line(struct console *c, int fd, bool terminal)
{
	if (terminal)
		make_safe(&c->line);
	if (!c->line.len || c->line.ptr[c->line.len - 1] != '\n')
		buf_char(&c->line, '\n');
	write_all(fd, buf_view(&c->line));
	buf_reset(&c->line);
}

void console_log(struct console *c, bool first, struct sv line)
{
	if (c->quiet && !first)
		return;
	pthread_mutex_lock(&c->lock);
	buf_sv(&c->line, line);
	put_line(c, STDERR_FILENO, c->err_is_terminal);
	pthread_mutex_unlock(&c->lock);
}

static const char *status_name(enum run_status status)
{
	switch (status) {
	case RUN_OK:
		return "ok";
	case RUN_ERROR:
		return "error";
	case RUN_TIMEOUT:
		return "timeout";
	case RUN_OUT_OF_MEMORY:
		return "out_of_memory";
	}
	return "error";
}

static void put_ms(struct json_writer *w, const char *key, uint64_t us)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, us / 1000,
		 us % 1000);
	json_key(w, key);
	json_put_raw(w, sv_from(text));
}

static void put_payload(struct json_writer *w, struct sv payload)
{
	struct arena arena = ARENA_INIT;
	struct json_doc doc;

	json_key(w, "payload");
	if (json_parse(&doc, &arena, payload, NULL) == 0)
		json_put_raw(w, sv_trim(payload));
	else
		json_put_sv(w, payload);
	arena_fini(&arena);
}

void console_json(struct buf *out, const struct run *run, struct sv payload)
{
	struct json_writer w = json_writer(out);

	json_open_object(&w);
	json_key(&w, "requestId");
	json_put_text(&w, run->request_id);
	json_key(&w, "traceId");
	json_put_text(&w, run->trace_id);
	json_key(&w, "statusCode");
	json_put_i64(&w, 200);
	json_key(&w, "functionError");
	if (run->status == RUN_OK)
		json_put_null(&w);
	else
		json_put_text(&w, "Unhandled");
	json_key(&w, "status");
	json_put_text(&w, status_name(run->status));
	put_payload(&w, payload);
	put_ms(&w, "durationMs", run->duration_us);
	json_key(&w, "billedMs");
	json_put_u64(&w, report_billed_ms(run->duration_us, run->init_us));
	put_ms(&w, "initMs", run->init_us);
	json_key(&w, "memoryMb");
	json_put_u64(&w, run->function->memory_mb);
	json_key(&w, "maxMemoryMb");
	json_put_u64(&w, run->max_memory_mb);
	json_close_object(&w);
}

/* A JSON value on several lines is still one value: in --json its line ends
 * become blanks, which JSON allows only between tokens, where they are. */
static void one_line(struct buf *b, size_t from)
{
	for (size_t i = from; i < b->len; i++)
		if (b->ptr[i] == '\n' || b->ptr[i] == '\r')
			b->ptr[i] = ' ';
}

void console_answer(struct console *c, bool first, const struct run *run,
		    struct sv payload)
{
	if (c->quiet && !first)
		return;
	pthread_mutex_lock(&c->lock);
	if (c->json) {
		console_json(&c->line, run, payload);
		one_line(&c->line, 0);
	} else {
		buf_sv(&c->line, payload);
	}
	put_line(c, STDOUT_FILENO, c->out_is_terminal);
	pthread_mutex_unlock(&c->lock);
}
