/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/collector.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "collector/memory_keep.h"
#include "collector/notify.h"
#include "collector/parts.h"
#include "core/base/log.h"

enum { REPLY_GRACE_MS = 100 }; /* for replies under way when it stops */

/* --- running ------------------------------------------------------------------------ */

static void on_timer(struct collector *c)
{
	pace_tick(c->api.pace);
	collector_judge_alarms(c);
}

/* Keys, and with a file the alarms in it; each stays as it was where the new
 * is no good. */
static void reload(struct collector *c, const char *path)
{
	struct config fresh;
	struct diag diag = { 0 };
	int e = auth_reload(c->auth, &diag);

	audit_event(c->audit, "ReloadKeys", err_text(e));
	if (e)
		log_error("auth", "%s; the keys in force stay", diag.text);
	else if (auth_required(c->auth))
		log_info("auth", "keys were read again: %zu access keys",
			 auth_key_count(c->auth));
	diag = (struct diag){ 0 };
	e = http_reload_tls(c->http, &diag);
	if (e)
		log_error("tls", "%s; the certificate in force stays",
			  diag.text);
	else if (c->grpc && grpc_reload_tls(c->grpc, &diag))
		log_error("tls", "grpc: %s; the certificate in force stays",
			  diag.text);
	else if (c->config->tls_cert[0])
		log_info("tls", "%s was read again", c->config->tls_cert);
	if (!path) {
		log_info("config", "SIGHUP: there is no configuration file");
		return;
	}
	diag = (struct diag){ 0 };
	config_init(&fresh);
	e = config_read(&fresh, c->env, path, &diag);
	if (!e)
		e = alarms_define(c->api.alarms, fresh.alarms,
				  fresh.alarm_count, &diag);
	audit_event(c->audit, "ReloadConfig", err_text(e));
	if (e)
		log_error("config", "%s; what was in force stays", diag.text);
	else
		log_info("config", "%s was read again: %zu alarms", path,
			 fresh.alarm_count);
	config_fini(&fresh);
}

int collector_run(struct collector *c, const char *config_path)
{
	struct pollfd fds[2] = { { c->signal_fd, POLLIN, 0 },
				 { c->timer_fd, POLLIN, 0 } };
	struct memory_keep keep;

	printf("http %s\nxray %s\n", http_address(c->http),
	       xray_udp_address(c->udp));
	if (c->grpc)
		printf("grpc %s\n", grpc_address(c->grpc));
	printf("ready\n");
	fflush(stdout);
	notify_send(c->notify_fd, "READY=1");
	log_info("collector", "ready: http %s, xray %s, grpc %s, data %s",
		 http_address(c->http), xray_udp_address(c->udp),
		 c->grpc ? grpc_address(c->grpc) : "off", c->config->data);
	memory_keep_init(&keep, c->memory.max_bytes);
	for (;;) {
		struct signalfd_siginfo info;
		uint64_t ticks;

		int n = poll(fds, 2, MEMORY_KEEP_MS);

		if (n < 0 && errno != EINTR)
			return ERR_IO;
		if (n <= 0) { /* or revents are those of the last time */
			memory_keep(&keep);
			continue;
		}
		if ((fds[1].revents & POLLIN) &&
		    read(c->timer_fd, &ticks, sizeof(ticks)) > 0)
			on_timer(c);
		if (!(fds[0].revents & POLLIN) ||
		    read(c->signal_fd, &info, sizeof(info)) !=
			    (ssize_t)sizeof(info))
			continue;
		if (info.ssi_signo != SIGHUP)
			break;
		reload(c, config_path);
	}
	notify_send(c->notify_fd, "STOPPING=1");
	log_info("collector", "stopping");
	return 0;
}

/* --- closing, from the outside in ------------------------------------------------------ */

static void on_barrier(void *arg, int err, uint64_t position, uint64_t next)
{
	(void)err;
	(void)position;
	(void)next;
	sem_post(arg);
}

/* All that was appended has been answered. */
static void wait_for_journal(struct journal *j)
{
	sem_t done;
	int e;

	sem_init(&done, 0, 0);
	while ((e = journal_barrier(j, on_barrier, &done)) == ERR_BUSY)
		usleep(REPLY_GRACE_MS * 1000); /* its queue is full */
	while (!e && sem_wait(&done) < 0 && errno == EINTR)
		continue;
	sem_destroy(&done);
}

void collector_close(struct collector *c)
{
	struct api *a = &c->api;

	watch_stop(c->watch);
	if (c->udp)
		xray_udp_stop(c->udp);
	if (c->http)
		http_quiesce(c->http);
	if (c->daemon)
		http_quiesce(c->daemon);
	if (c->grpc)
		grpc_quiesce(c->grpc);
	if (a->journal && a->apply) {
		struct timespec grace = { 0, REPLY_GRACE_MS * 1000000L };

		/* What is past the door is committed and answered, then what
		 * nobody waits for: datagrams, changes of alarms. */
		if (c->http)
			http_settle(c->http);
		if (c->daemon)
			http_settle(c->daemon);
		if (c->grpc)
			grpc_settle(c->grpc);
		wait_for_journal(a->journal);
		nanosleep(&grace, NULL);
	}
	if (c->http)
		http_stop(c->http);
	if (c->daemon)
		http_stop(c->daemon);
	if (c->grpc)
		grpc_stop(c->grpc);
	readers_stop(c->readers);
	if (c->has_work)
		work_fini(&c->work);
	if (a->apply)
		apply_stop(a->apply);
	if (a->journal)
		journal_close(a->journal);
	if (c->webhook)
		webhook_close(c->webhook);
	errand_close(c->errand);
	if (a->ingest.journal)
		ingest_fini(&a->ingest);
	catalogue_close(a->catalogue);
	reservoirs_free(a->reservoirs);
	retrievals_free(a->retrievals);
	pthread_mutex_destroy(&a->reservoirs_lock);
	if (a->alarms)
		alarms_close(a->alarms);
	if (a->logs)
		logs_close(a->logs);
	if (a->series)
		series_close(a->series);
	if (a->traces)
		traces_close(a->traces);
	if (a->ledger)
		ledger_close(a->ledger);
	if (c->producers)
		producers_close(c->producers);
	if (c->invocations)
		invocations_close(c->invocations);
	auth_close(c->auth);
	admission_free(c->admission);
	rates_free(c->rates);
	audit_close(c->audit);
	pace_free(a->pace);
	if (a->prices)
		pricebook_close(a->prices);
	if (c->notify_fd >= 0)
		close(c->notify_fd);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	if (c->signal_fd >= 0)
		close(c->signal_fd);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	free(c);
}
