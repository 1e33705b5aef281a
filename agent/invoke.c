/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/invoke.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/console.h"
#include "agent/emit.h"
#include "agent/outcome.h"
#include "agent/report.h"
#include "agent/sandbox.h"

struct shared {
	const struct env *env;
	const struct invoke_options *options;
	struct console *console;
	char arn[ARN_MAX];
	char group[sizeof("/aws/lambda/") + FUNCTION_NAME_MAX];
	atomic_uint_fast64_t next; /* number of the next invocation */
	atomic_uint running;
	atomic_bool stop;
	pthread_mutex_t lock; /* of totals and diag */
	struct invoke_totals *totals;
	struct diag *diag;
};

struct worker {
	struct shared *shared;
	pthread_t thread;
	struct sandbox *sandbox; /* NULL: the next start is cold */
	char stream[LOG_STREAM_MAX];
	bool first; /* works on the first invocation of all */
};

static void log_event(struct worker *w, struct wall time, struct sv message)
{
	struct shared *sh = w->shared;

	batch_log(sh->options->batch, sv_from(sh->group), sv_from(w->stream),
		  time, message);
	console_log(sh->console, w->first, message);
}

static void on_line(void *arg, struct wall time, struct sv message)
{
	log_event(arg, time, message);
}

static void on_segment(void *arg, struct sv document)
{
	struct worker *w = arg;

	batch_segment(w->shared->options->batch, document);
}

static void log_format(struct worker *w, const char *format, ...) PRINTF(2, 3);
static void log_format(struct worker *w, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	log_event(w, env_wall(w->shared->env), sv_from(text));
}

static void log_buf(struct worker *w, struct buf *line)
{
	log_event(w, env_wall(w->shared->env), buf_view(line));
	buf_fini(line);
}

static struct instant after_ms(struct instant t, uint64_t ms)
{
	return (struct instant){ t.ns + ms * (uint64_t)NS_PER_MS };
}

static uint64_t us_between(struct instant from, struct instant to)
{
	return to.ns > from.ns ? (to.ns - from.ns) / 1000 : 0;
}

static void break_off(struct worker *w, const struct diag *why)
{
	struct shared *sh = w->shared;

	pthread_mutex_lock(&sh->lock);
	if (!sh->totals->broken)
		*sh->diag = *why;
	sh->totals->broken = true;
	pthread_mutex_unlock(&sh->lock);
	atomic_store(&sh->stop, true);
}

static int open_sandbox(struct worker *w, struct diag *diag)
{
	const struct sandbox_sinks sinks = { .line = on_line,
					     .segment = on_segment,
					     .arg = w };

	return sandbox_open(&w->sandbox, w->shared->env,
			    w->shared->options->function, w->stream,
			    w->shared->options->stop_fd, &sinks, diag);
}

static void close_sandbox(struct worker *w)
{
	sandbox_close(w->sandbox);
	w->sandbox = NULL;
}

/* Opens a sandbox and waits until its runtime is ready. Where it does not get
 * ready: o says why, INIT_REPORT is logged, and the sandbox is closed. */
static int init(struct worker *w, struct run *run, struct instant deadline,
		const char *phase, struct outcome *o)
{
	struct buf line = BUF_INIT;
	struct instant begin;
	struct diag diag;
	int e = open_sandbox(w, &diag);

	if (e < 0) {
		break_off(w, &diag);
		return e;
	}
	begin = sandbox_started(w->sandbox);
	o->end = sandbox_wait_ready(w->sandbox, deadline);
	if (o->end == SANDBOX_DONE) {
		run->init_us = us_between(begin, sandbox_asked(w->sandbox));
		return 0;
	}
	if (o->end == SANDBOX_FAILED)
		sandbox_take(w->sandbox, &o->result);
	outcome_judge(o, w->sandbox, run);
	report_init_line(&line, us_between(begin, env_mono(w->shared->env)),
			 phase, run->status, run->error_type);
	log_buf(w, &line);
	run->max_memory_mb = sandbox_max_memory_mb(w->sandbox);
	close_sandbox(w);
	return 0;
}

/* The init of a cold start, before the invocation begins; ten seconds. */
static int cold_start(struct worker *w, struct run *run)
{
	struct shared *sh = w->shared;
	struct outcome o = { 0 };
	int e;

	report_stream(w->stream, sizeof(w->stream), env_wall(sh->env));
	log_format(w, "INIT_START Runtime Version: %s",
		   sh->options->function->runtime_text);
	run->cold = true;
	run->init_start = env_wall(sh->env);
	e = init(w, run, after_ms(env_mono(sh->env), INIT_MS_MAX), "init", &o);
	outcome_fini(&o);
	return e;
}

static void fill_invocation(struct shared *sh, const struct run *run,
			    struct sv event, struct invocation *inv)
{
	*inv = (struct invocation){
		.deadline_ms = run->start.ns / NS_PER_MS +
			       (int64_t)sh->options->function->timeout_s * 1000,
		.event = event,
	};
	memcpy(inv->request_id, run->request_id, sizeof(inv->request_id));
	snprintf(inv->trace_header, sizeof(inv->trace_header),
		 "Root=%s;Parent=%s;Sampled=1", run->trace_id,
		 run->function_id);
	memcpy(inv->arn, sh->arn, sizeof(inv->arn));
}

/* The invocation itself. Where the init failed before, it is tried again
 * here, on the invocation's time. */
static int perform(struct worker *w, struct run *run, struct sv event,
		   struct outcome *o)
{
	struct shared *sh = w->shared;
	uint64_t limit_ms = sh->options->function->timeout_s * 1000ULL;
	struct instant begin;
	struct instant deadline;
	struct instant end;
	struct invocation inv;

	/* First the line, which may have to wait for the disk: what is billed
	 * begins behind it. */
	log_format(w, "START RequestId: %s Version: $LATEST", run->request_id);
	begin = env_mono(sh->env);
	deadline = after_ms(begin, limit_ms);
	run->start = env_wall(sh->env);
	if (!w->sandbox) {
		int e = init(w, run, deadline, "invoke", o);

		if (e < 0)
			return e;
		run->init_us = 0; /* it is in the duration */
	}
	if (w->sandbox) {
		fill_invocation(sh, run, event, &inv);
		o->end = sandbox_run(w->sandbox, &inv, deadline, &o->result);
		outcome_judge(o, w->sandbox, run);
		run->max_memory_mb = sandbox_max_memory_mb(w->sandbox);
		if (o->result.kind != API_NONE)
			run->response_us = us_between(begin, o->result.at);
	}
	end = env_mono(sh->env);
	if (o->end == SANDBOX_DONE)
		end = sandbox_asked(w->sandbox);
	run->duration_us = us_between(begin, end);
	if (o->end == SANDBOX_TIMEOUT || run->duration_us > limit_ms * 1000)
		run->duration_us = limit_ms * 1000;
	if (run->response_us > run->duration_us)
		run->response_us = run->duration_us;
	if (run->max_memory_mb > run->function->memory_mb)
		run->max_memory_mb = run->function->memory_mb;
	return 0;
}

static void log_end(struct worker *w, const struct run *run,
		    const struct outcome *o)
{
	struct report r = {
		.request_id = run->request_id,
		.duration_us = run->duration_us,
		.init_us = run->init_us,
		.memory_mb = run->function->memory_mb,
		.max_memory_mb = run->max_memory_mb,
		.trace_id = run->trace_id,
		.segment_id = run->function_id,
		.status = run->status,
		.error_type = o->report_type,
	};
	struct buf line = BUF_INIT;

	if (o->line.len)
		log_event(w, env_wall(w->shared->env), buf_view(&o->line));
	log_format(w, "END RequestId: %s", run->request_id);
	report_line(&line, &r);
	log_buf(w, &line);
}

static void count(struct worker *w, const struct run *run)
{
	struct shared *sh = w->shared;
	struct invoke_totals *t = sh->totals;

	pthread_mutex_lock(&sh->lock);
	t->runs++;
	t->ok += run->status == RUN_OK;
	t->errors += run->status == RUN_ERROR;
	t->timeouts += run->status == RUN_TIMEOUT;
	t->out_of_memory += run->status == RUN_OUT_OF_MEMORY;
	t->cold += run->cold;
	t->billed_ms += report_billed_ms(run->duration_us, run->init_us);
	t->duration_us += run->duration_us;
	if (run->duration_us > t->duration_us_max)
		t->duration_us_max = run->duration_us;
	pthread_mutex_unlock(&sh->lock);
}

static int invoke_one(struct worker *w, uint64_t number)
{
	struct shared *sh = w->shared;
	const struct events *events = sh->options->events;
	struct run run = { .function = sh->options->function, .arn = sh->arn };
	struct outcome o = { 0 };
	int e = 0;

	w->first = number == 0;
	run.arrived = env_wall(sh->env);
	id_request(run.request_id);
	id_trace(run.trace_id, run.arrived);
	id_hex(run.service_id, 8);
	id_hex(run.function_id, 8);
	run.concurrent = atomic_fetch_add(&sh->running, 1) + 1;
	if (!w->sandbox)
		e = cold_start(w, &run);
	if (e == 0)
		e = perform(w, &run, events->list[number % events->count], &o);
	if (e == 0) {
		if (o.end != SANDBOX_DONE && w->sandbox)
			close_sandbox(w);
		log_end(w, &run, &o);
		emit_run(sh->options->batch, &run);
		console_answer(sh->console, w->first, &run,
			       outcome_payload(&o));
		count(w, &run);
	}
	atomic_fetch_sub(&sh->running, 1);
	outcome_fini(&o);
	return e;
}

static bool should_stop(struct shared *sh)
{
	struct pollfd fd = { .fd = sh->options->stop_fd, .events = POLLIN };

	if (poll(&fd, 1, 0) > 0) {
		pthread_mutex_lock(&sh->lock);
		sh->totals->stopped = true;
		pthread_mutex_unlock(&sh->lock);
		return true;
	}
	if (atomic_load(&sh->stop))
		return true;
	if (batch_has_room(sh->options->batch))
		return false;
	pthread_mutex_lock(&sh->lock);
	sh->totals->spool_full = true;
	pthread_mutex_unlock(&sh->lock);
	atomic_store(&sh->stop, true);
	return true;
}

/* The thread that opens a sandbox stays until it is closed: the process would
 * die with the thread. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct shared *sh = w->shared;

	while (!should_stop(sh)) {
		uint64_t number = atomic_fetch_add(&sh->next, 1);

		if (number >= sh->options->count || invoke_one(w, number) < 0)
			break;
	}
	close_sandbox(w);
	return NULL;
}

int invoke_all(const struct env *env, const struct invoke_options *options,
	       struct invoke_totals *totals, struct diag *diag)
{
	const struct function *f = options->function;
	struct shared sh = {
		.env = env, .options = options, .totals = totals, .diag = diag
	};
	struct worker *workers;
	unsigned started = 0;
	unsigned n = options->concurrency;
	int e;

	*totals = (struct invoke_totals){ 0 };
	assert(n >= 1 && n <= CONCURRENCY_MAX && options->events->count);
	if (n > options->count)
		n = (unsigned)options->count;
	snprintf(sh.arn, sizeof(sh.arn),
		 "arn:aws:lambda:%s:%012" PRIu64 ":function:%s",
		 f->scope.region, f->scope.account, f->name);
	snprintf(sh.group, sizeof(sh.group), "/aws/lambda/%s", f->name);
	workers = calloc(n, sizeof(*workers));
	e = workers ? console_new(&sh.console, options->json, options->quiet) :
		      ERR_NOMEM;
	if (e < 0) {
		free(workers);
		return diag_set(diag, e, "out of memory");
	}
	pthread_mutex_init(&sh.lock, NULL);
	for (; started < n; started++) {
		workers[started].shared = &sh;
		if (pthread_create(&workers[started].thread, NULL, work,
				   &workers[started])) {
			e = diag_set(diag, ERR_NOMEM, "cannot start a thread");
			atomic_store(&sh.stop, true);
			break;
		}
	}
	for (unsigned i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_mutex_destroy(&sh.lock);
	console_free(sh.console);
	free(workers);
	return totals->broken ? diag->err : e;
}
