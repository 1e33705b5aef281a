/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/batch.h"
#include "agent/events.h"
#include "agent/invoke.h"
#include "agent/process.h"
#include "agent/sender.h"
#include "agent/spools.h"

struct agent {
	const struct env *env;
	struct agent_options *options;
	struct settings settings;
	struct events events;
	struct spools spools;
	struct batch *batch;
	struct sender *sender;
	int stop_fd;
};

static int fail(const struct diag *diag)
{
	fprintf(stderr, "tally-agent: %s\n", diag->text);
	return diag->err;
}

/* A signal stays pending in the signalfd, so every thread that waits sees it.
 * Orphans of a sandbox become our children, so none is left behind. */
static int prepare_process(struct agent *a, struct diag *diag)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &wanted, NULL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	a->stop_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (a->stop_fd < 0)
		return diag_set(diag, ERR_IO, "signalfd: %s", strerror(errno));
	return 0;
}

/* The function runs where its records go. */
static int take_region(struct scope *scope, const char *region,
		       struct diag *diag)
{
	if (snprintf(scope->region, sizeof(scope->region), "%s", region) >=
	    (int)sizeof(scope->region))
		return diag_set(diag, ERR_LIMIT,
				"the region %s: at most %zu characters", region,
				sizeof(scope->region) - 1);
	return 0;
}

static int open_all(struct agent *a, struct diag *diag)
{
	struct agent_options *o = a->options;
	int e = settings_load(&a->settings, a->env, &o->settings, diag);

	if (e == 0)
		e = take_region(&o->function.scope, a->settings.region, diag);
	if (e == 0)
		e = function_resolve(&o->function, o->code, diag);
	if (e == 0)
		e = o->event_dir ?
			    events_from_dir(&a->events, o->event_dir, diag) :
			    events_from_file(&a->events, o->event, diag);
	if (e == 0)
		e = spools_open(&a->spools, a->env, o->spool, o->spool_bytes,
				diag);
	if (e == 0) {
		e = batch_new(&a->batch, a->env, a->spools.own);
		if (e < 0)
			diag_set(diag, e, "out of memory");
	}
	if (e == 0)
		e = sender_start(&a->sender, a->env, &a->settings,
				 a->spools.list, a->spools.count, a->batch,
				 diag);
	return e;
}

static void close_all(struct agent *a)
{
	sender_stop(a->sender);
	batch_free(a->batch);
	spools_close(&a->spools);
	events_fini(&a->events);
	settings_fini(&a->settings);
	if (a->stop_fd >= 0)
		close(a->stop_fd);
}

static void say_totals(const struct invoke_totals *t, uint64_t ms)
{
	uint64_t mean_us = t->runs ? t->duration_us / t->runs : 0;

	fprintf(stderr,
		"%" PRIu64 " invocations in %" PRIu64 ".%01" PRIu64
		" s: %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64
		" timed out, %" PRIu64 " out of memory; %" PRIu64
		" cold starts; duration mean %" PRIu64 ".%02" PRIu64
		" ms, max %" PRIu64 ".%02" PRIu64 " ms; billed %" PRIu64
		" ms\n",
		t->runs, ms / 1000, ms % 1000 / 100, t->ok, t->errors,
		t->timeouts, t->out_of_memory, t->cold, mean_us / 1000,
		mean_us % 1000 / 10, t->duration_us_max / 1000,
		t->duration_us_max % 1000 / 10, t->billed_ms);
}

/* Stores what is open and waits for the collector; says what stays. A signal
 * that came in before is taken; another one ends the wait. */
static int flush(struct agent *a)
{
	struct signalfd_siginfo info;
	struct sender_stats sent;
	struct batch_stats held;
	struct diag diag;
	uint64_t files;
	uint64_t bytes;
	int status = 0;

	if (batch_close(a->batch, true, &diag) < 0)
		status = fail(&diag);
	while (read(a->stop_fd, &info, sizeof(info)) > 0)
		;
	if (sender_drain(a->sender, (int)a->options->flush_timeout_s * 1000,
			 a->stop_fd) < 0) {
		sent = sender_stats(a->sender);
		files = spools_files(&a->spools, &bytes);
		fprintf(stderr,
			"tally-agent: the collector at %s did not take "
			"everything (%s); %" PRIu64 " batches (%" PRIu64
			" bytes) stay in %s and are sent by the next run\n",
			a->settings.endpoint,
			sent.trouble[0] ? sent.trouble : "no answer yet", files,
			bytes, spool_dir(a->spools.own));
	}
	held = batch_stats(a->batch);
	if (held.logs_shed || held.segments_shed || held.lost || held.held)
		fprintf(stderr,
			"tally-agent: the disk was full: %" PRIu64
			" log lines and %" PRIu64
			" segments were shed, %" PRIu64
			" records could not be stored\n",
			held.logs_shed, held.segments_shed,
			held.held + held.lost);
	return status;
}

static void say_why_stopped(struct agent *a, const struct invoke_totals *t)
{
	if (t->spool_full)
		fprintf(stderr,
			"tally-agent: the spool %s is full (limit %" PRIu64
			" bytes): no more invocations, their usage could not "
			"be kept; start the collector at %s, or give "
			"--spool-bytes\n",
			spool_dir(a->spools.own), a->options->spool_bytes,
			a->settings.endpoint);
	if (t->stopped)
		fprintf(stderr, "tally-agent: stopped by a signal\n");
}

/* What escaped its sandbox (a daemon with a session of its own) came to us. */
static void kill_orphans(void)
{
	struct process_tree own;

	process_tree_init(&own, getpid());
	process_tree_kill_children(&own);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int run(struct agent *a)
{
	const struct agent_options *o = a->options;
	const struct invoke_options invoke = {
		.function = &o->function,
		.events = &a->events,
		.batch = a->batch,
		.count = o->count,
		.concurrency = o->concurrency,
		.stop_fd = a->stop_fd,
		.json = o->json,
		.quiet = o->quiet,
	};
	struct instant begin = env_mono(a->env);
	struct invoke_totals totals;
	struct diag diag = { 0 };
	int e = invoke_all(a->env, &invoke, &totals, &diag);
	int flushed;

	kill_orphans();
	if (e < 0)
		fail(&diag);
	say_why_stopped(a, &totals);
	if (o->count > 1)
		say_totals(&totals,
			   (env_mono(a->env).ns - begin.ns) / NS_PER_MS);
	flushed = flush(a);
	if (e < 0 || flushed < 0 || totals.runs < o->count)
		return 1;
	return o->count == 1 && totals.ok == 0;
}

int agent_run(const struct env *env, struct agent_options *options)
{
	struct agent a = { .env = env, .options = options, .stop_fd = -1 };
	struct diag diag = { 0 };
	int status = 1;
	int e;

	e = prepare_process(&a, &diag);
	if (e == 0)
		e = open_all(&a, &diag);
	if (e < 0)
		fail(&diag);
	else
		status = run(&a);
	close_all(&a);
	return status;
}
