/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a collector, from the inside out. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "collector/confine.h"
#include "collector/notify.h"
#include "collector/parts.h"
#include "core/base/log.h"

#define KEYLESS                                                         \
	"there are no access keys: anyone could write; make some with " \
	"`tally keys create`, or listen on 127.0.0.1"

#define OTLP_METHOD(package, service)                            \
	"/opentelemetry.proto.collector." package ".v1." service \
	"Service/Export"

enum {
	PORT_TRIES = 50,
	DAEMON_CONNECTIONS_MAX = 1024,
	DAEMON_CONNECTIONS_PART = 8, /* of those of the HTTP port, at most */
};

/* Forked first, so that it holds nothing of the collector. */
static int start_errand(struct collector *c, struct diag *diag)
{
	struct errand_options options = {
		.confine = c->config->confine,
		.restarted = &c->stats.errand_restarted,
		.lost = &c->stats.errand_lost,
		.bad = &c->stats.errand_bad,
		.late = &c->stats.errand_late,
	};
	int e = 0;

	if (c->config->user[0]) {
		e = user_find(&c->user, c->config->user, diag);
		options.user = &c->user;
	}
	return e ? e : errand_start(&c->errand, &options, diag);
}

static int lock_folder(struct collector *c, struct diag *diag)
{
	const char *dir = c->config->data;
	char path[CONFIG_TEXT_MAX + 16];
	bool is_new = access(dir, F_OK) < 0;
	int e = c->env->disk->mkdir(c->env->disk_self, dir);

	if (e)
		return diag_set(diag, env_err(e),
				"cannot make %s: %s; name a "
				"folder below one that is there",
				dir, strerror(-e));
	snprintf(path, sizeof(path), "%s/lock", dir);
	c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (c->lock_fd < 0)
		return diag_set(diag, ERR_IO, "cannot write in %s: %s", dir,
				strerror(errno));
	/* What root just made belongs to whom it becomes. */
	if (c->user.name[0] && geteuid() == 0 &&
	    (fchown(c->lock_fd, c->user.uid, c->user.gid) < 0 ||
	     (is_new && chown(dir, c->user.uid, c->user.gid) < 0)))
		return diag_set(diag, ERR_IO, "cannot give %s to user '%s': %s",
				dir, c->user.name, strerror(errno));
	if (flock(c->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return diag_set(diag, ERR_BUSY,
				"another collector uses %s; "
				"stop it, or name another folder with --data",
				dir);
	return 0;
}

static void sub_path(struct collector *c, const char *name,
		     char path[CONFIG_TEXT_MAX + 16])
{
	snprintf(path, CONFIG_TEXT_MAX + 16, "%s/%s", c->config->data, name);
}

/* Price books: as configured, installed, or beside the build. */
static void find_prices(struct collector *c)
{
	static const char *const beside[] = { "../../billing/prices",
					      "../../../billing/prices",
					      "../share/tallyscope/prices" };
	char *path = c->prices;
	ssize_t n;

	if (c->config->prices[0]) {
		snprintf(path, sizeof(c->prices), "%s", c->config->prices);
		return;
	}
	n = readlink("/proc/self/exe", path, 512);
	/* Its folder, with the slash. */
	while (n > 0 && path[n - 1] != '/')
		n--;
	for (size_t i = 0; n > 0 && i < sizeof(beside) / sizeof(beside[0]);
	     i++) {
		snprintf(path + n, sizeof(c->prices) - (size_t)n, "%s",
			 beside[i]);
		if (access(path, R_OK) == 0)
			return;
	}
	snprintf(path, sizeof(c->prices), "%s", TALLY_DATADIR "/prices");
}

static bool is_low_port(const char *address)
{
	const char *colon = strrchr(address, ':');
	uint64_t port;

	return colon && sv_to_u64(sv_from(colon + 1), &port) && port > 0 &&
	       port < 1024;
}

/* From here on it is another user, and sees few files. Every file that SIGHUP
 * reads again is named here. */
static int confine(struct collector *c, struct diag *diag)
{
	const struct config *config = c->config;
	const struct confine_options options = {
		.mode = config->confine,
		.user = c->user.name[0] ? &c->user : NULL,
		.low_ports = is_low_port(config->http) ||
			     is_low_port(config->xray) ||
			     is_low_port(config->grpc),
		.data = config->data,
		.read = { config->path, config->keys, config->jwks, c->prices,
			  config->tls_cert, config->tls_key,
			  config->tls_client_ca },
		.read_count = 7,
	};
	int e = confine_begin(&options, diag);

	if (!e && access(config->data, R_OK | W_OK | X_OK) < 0)
		e = diag_set(diag, ERR_IO,
			     "the data folder cannot be written by user "
			     "'%s': chown -R %s %s",
			     c->user.name, c->user.name, config->data);
	return e;
}

static int open_admission(struct collector *c, struct diag *diag)
{
	struct admission_options options = { .env = c->env,
					     .stats = &c->stats };

	memory_plan(&c->memory, c->config->memory_max_bytes ?
					c->config->memory_max_bytes :
					memory_default());
	options.budget_bytes = c->memory.load_bytes;
	if (admission_new(&c->admission, &options) || rates_new(&c->rates))
		return diag_set(diag, ERR_NOMEM, "out of memory");
	c->api.admission = c->admission;
	c->api.memory = &c->memory;
	return 0;
}

/* What is remembered in memory alone. Of an earlier run clients may still hold
 * quotas. */
static int open_memories(struct collector *c, struct diag *diag)
{
	int64_t quiet_until_ns = 0;

	if (!catalogue_is_new(c->api.catalogue))
		quiet_until_ns =
			env_wall(c->env).ns + RESERVOIR_TTL_S * NS_PER_S;
	return reservoirs_new(&c->api.reservoirs, quiet_until_ns) ||
			       retrievals_new(&c->api.retrievals) ?
		       diag_set(diag, ERR_NOMEM, "out of memory") :
		       0;
}

static int open_views(struct collector *c, struct diag *diag)
{
	const struct series_options series = {
		.window_ns = c->config->series_window_s * NS_PER_S,
		.series_max = c->memory.series_max,
		.rows_max = c->memory.rows_max,
	};
	const struct alarms_options alarms = {
		.scope = c->config->scope,
		.definitions = c->config->alarms,
		.count = c->config->alarm_count,
	};
	char path[CONFIG_TEXT_MAX + 16];
	const struct ledger_options ledger = {
		.filter_bytes_max = c->memory.ledger_filter_bytes,
		.sums_max = c->memory.ledger_sums_max,
		.segment_entries = c->memory.ledger_segment_entries,
		.inflight_max = c->memory.ledger_inflight_max,
	};
	const struct traces_options traces = {
		.head_bytes = c->memory.traces_head_bytes,
		.keep = c->config->keep,
		.retention_ns =
			c->config->trace_days_default * (86400 * NS_PER_S),
		.days = c->config->trace_days,
		.day_count = c->config->trace_day_count,
	};
	const struct logs_options logs = {
		.head_bytes = c->memory.logs_head_bytes,
		.answer_bytes = c->memory.answer_bytes,
	};
	struct api *a = &c->api;
	int e;

	sub_path(c, "producers", path);
	e = producers_open(&c->producers, c->env, path, diag);
	if (!e) {
		sub_path(c, "invocations", path);
		e = invocations_open(&c->invocations, c->env, path, diag);
	}
	if (!e) {
		sub_path(c, "ledger", path);
		e = ledger_open(&a->ledger, c->env, path, &ledger, diag);
	}
	if (!e) {
		sub_path(c, "traces", path);
		e = traces_open(&a->traces, c->env, path, &traces, diag);
	}
	if (!e) {
		sub_path(c, "series", path);
		e = series_open(&a->series, c->env, path, &series, diag);
	}
	if (!e) {
		sub_path(c, "logs", path);
		e = logs_open(&a->logs, c->env, path, &logs, diag);
	}
	if (!e) {
		sub_path(c, "alarms", path);
		e = alarms_open(&a->alarms, c->env, path, &alarms, diag);
	}
	if (!e) {
		sub_path(c, "catalogue", path);
		e = catalogue_open(&a->catalogue, c->env, path, diag);
	}
	if (!e)
		e = open_memories(c, diag);
	return e;
}

/* Whether SIGTERM or SIGINT came while it starts. A SIGHUP is late: what it
 * would have read again has just been read. */
static bool told_to_stop(void *arg)
{
	struct collector *c = arg;
	struct pollfd p = { c->signal_fd, POLLIN, 0 };
	struct signalfd_siginfo info;

	return poll(&p, 1, 0) == 1 &&
	       read(c->signal_fd, &info, sizeof(info)) ==
		       (ssize_t)sizeof(info) &&
	       info.ssi_signo != SIGHUP;
}

static unsigned journal_gauge(void *journal)
{
	return journal_backlog_percent(journal);
}

static int open_pipeline(struct collector *c, struct diag *diag)
{
	struct api *a = &c->api;
	struct view *views[] = {
		producers_view(c->producers),     ledger_view(a->ledger),
		invocations_view(c->invocations), traces_view(a->traces),
		series_view(a->series),           logs_view(a->logs),
		alarms_view(a->alarms),           catalogue_view(a->catalogue),
	};
	size_t view_count = sizeof(views) / sizeof(views[0]);
	struct journal_options journal = {
		/* Bound by what is admitted: its copies are counted there. */
		.queue_bytes = c->memory.load_bytes,
	};
	char path[CONFIG_TEXT_MAX + 16];
	struct apply_options options = {
		.env = c->env,
		.stats = &c->stats,
		.decode = ingest_decode_frame,
		.told_to_stop = told_to_stop,
		.live_bytes_max = c->memory.load_bytes,
		.request_bytes = c->memory.request_bytes,
		.used = admission_used(c->admission),
		.arg = c,
	};
	int e;

	sub_path(c, "journal", path);
	for (size_t i = 0; i < view_count; i++)
		if (views[i]->position > journal.least_position)
			journal.least_position = views[i]->position;
	e = journal_open(&a->journal, c->env, path, &journal, diag);
	if (e)
		return e;
	admission_watch(c->admission, journal_gauge, a->journal);
	options.journal = a->journal;
	e = apply_new(&a->apply, &options);
	if (e)
		return diag_set(diag, e, "out of memory");
	for (size_t i = 0; i < view_count; i++)
		apply_add(a->apply, views[i]);
	a->ingest = (struct ingest){
		.env = c->env,
		.journal = a->journal,
		.apply = a->apply,
		.stats = &c->stats,
		.ledger = a->ledger,
		.admission = c->admission,
		.producers = c->producers,
		.invocations = c->invocations,
		.scope = c->config->scope,
		.segment_bytes_max = (size_t)c->config->segment_bytes_max,
	};
	ingest_init(&a->ingest);
	return apply_start(a->apply, diag);
}

static int open_door(struct collector *c, struct diag *diag)
{
	const struct auth_options auth = {
		.keys_path = c->config->keys,
		.jwks_path = c->config->jwks,
		.issuer = c->config->issuer,
		.audience = c->config->audience,
		.scope = c->config->scope,
	};
	char path[CONFIG_TEXT_MAX + 16];
	int e = auth_open(&c->auth, c->env, &auth, diag);

	sub_path(c, "audit", path);
	if (!e)
		e = audit_open(&c->audit, c->env, path, diag);
	if (e)
		return e;
	work_init(&c->work, HTTP_THREADS);
	c->has_work = true;
	if (pace_new(&c->api.pace, c->env, &c->stats) ||
	    readers_start(&c->readers, api_serve, &c->api))
		return diag_set(diag, ERR_NOMEM, "out of memory");
	c->api.audit = c->audit;
	c->api.auth = c->auth;
	c->door = (struct door){
		.env = c->env,
		.stats = &c->stats,
		.auth = c->auth,
		.admission = c->admission,
		.rates = c->rates,
		.readers = c->readers,
		.work = &c->work,
		.audit = c->audit,
		.scope = c->config->scope,
		.serve = api_serve,
		.arg = &c->api,
	};
	c->daemon_door = c->door;
	c->daemon_door.daemon = &c->config->xray_networks;
	return 0;
}

static void count_ends(struct collector *c, struct connections_options *o)
{
	struct stats *s = &c->stats;

	o->ended[CONNECTION_END_HEAD] = &s->closed_head;
	o->ended[CONNECTION_END_BODY] = &s->closed_body;
	o->ended[CONNECTION_END_IDLE] = &s->closed_idle;
	o->ended[CONNECTION_END_READER] = &s->closed_reader;
	o->ended[CONNECTION_END_CROWDED] = &s->closed_crowded;
	o->ended[CONNECTION_END_CLIENT_CAP] = &s->closed_client_cap;
}

/* What is common to both listeners. */
static void set_common(struct collector *c, struct http_options *o)
{
	struct stats *s = &c->stats;

	o->used = admission_used(c->admission);
	o->bodies_max = c->memory.load_bytes;
	o->replies_max = c->memory.load_bytes;
	o->reply_max = c->memory.reply_bytes;
	o->request_bytes = c->memory.request_bytes;
	o->shed_bodies = &s->shed_bodies;
	o->shed_replies = &s->shed_replies;
	o->too_large = &s->refused_too_large;
	count_ends(c, &o->connections);
}

static uint32_t daemon_connections_max(const struct collector *c)
{
	uint32_t part = c->memory.connections_max / DAEMON_CONNECTIONS_PART;

	return part < DAEMON_CONNECTIONS_MAX ? part : DAEMON_CONNECTIONS_MAX;
}

/* UDP, and TCP on the same port: also where a free one is asked for, which may
 * be free for one of them only, so another is tried. */
static int open_daemon(struct collector *c, struct diag *diag)
{
	bool any = sv_ends(sv_from(c->config->xray), SV(":0"));
	struct http_options daemon = {
		.head = door_head,
		.handler = door_request,
		.answered = door_answered,
		.refuse = door_refuse,
		.done = door_done,
		.loopback_only = c->config->xray_networks.count ?
					 NULL :
					 XRAY_LOOPBACK_ONLY,
		.arg = &c->daemon_door,
		.threads = 1,
		.connections.max = daemon_connections_max(c),
	};

	set_common(c, &daemon);
	for (int tries = any ? PORT_TRIES : 1;; tries--) {
		int e = xray_udp_start(&c->udp, &c->api.ingest, c->config->xray,
				       &c->config->xray_networks, diag);

		if (e)
			return e;
		daemon.address = xray_udp_address(c->udp);
		e = http_start(&c->daemon, &daemon, diag);
		if (!e || tries == 1)
			return e;
		xray_udp_stop(c->udp);
		c->udp = NULL;
	}
}

/* OTLP's three, as the operations that HTTP has them by. */
static int open_grpc(struct collector *c, struct diag *diag)
{
	static const struct grpc_route routes[] = {
		{ OTLP_METHOD("trace", "Trace"), "/v1/traces" },
		{ OTLP_METHOD("metrics", "Metrics"), "/v1/metrics" },
		{ OTLP_METHOD("logs", "Logs"), "/v1/logs" },
	};
	struct stats *s = &c->stats;
	struct grpc_options options = {
		.address = c->config->grpc,
		.connections.max = c->memory.grpc_connections_max,
		.tls_cert = c->config->tls_cert,
		.tls_key = c->config->tls_key,
		.tls_client_ca = c->config->tls_client_ca,
		.loopback_only = auth_required(c->auth) ? NULL : KEYLESS,
		.head = door_head,
		.handler = door_request,
		.answered = door_answered,
		.done = door_done,
		.arg = &c->door,
		.used = admission_used(c->admission),
		.bodies_max = c->memory.load_bytes,
		.request_bytes = c->memory.request_bytes,
		.shed_bodies = &s->shed_bodies,
		.too_large = &s->refused_too_large,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.counts = {
			[GRPC_COUNT_FLOOD] = &s->grpc_flood,
			[GRPC_COUNT_RESETS] = &s->grpc_resets,
			[GRPC_COUNT_PROTOCOL] = &s->grpc_protocol,
			[GRPC_COUNT_STREAMS] = &s->grpc_streams,
			[GRPC_COUNT_HEADERS] = &s->grpc_headers,
			[GRPC_COUNT_MESSAGE] = &s->grpc_message,
			[GRPC_COUNT_DEADLINE] = &s->grpc_deadline,
			[GRPC_COUNT_READER] = &s->grpc_reader,
		},
	};
	int e;

	if (!strcmp(c->config->grpc, "off"))
		return 0;
	count_ends(c, &options.connections);
	e = grpc_start(&c->grpc, &options, diag);
	c->api.grpc = c->grpc;
	return e;
}

static int open_listeners(struct collector *c, struct diag *diag)
{
	struct http_options http = {
		.address = c->config->http,
		.connections.max = c->memory.connections_max,
		.tls_cert = c->config->tls_cert,
		.tls_key = c->config->tls_key,
		.tls_client_ca = c->config->tls_client_ca,
		.loopback_only = auth_required(c->auth) ? NULL : KEYLESS,
		.head = door_head,
		.handler = door_request,
		.answered = door_answered,
		.refuse = door_refuse,
		.done = door_done,
		.arg = &c->door,
	};
	int e;

	/* First, since HTTP's status tells of its connections. */
	e = open_grpc(c, diag);
	if (e)
		return e;
	set_common(c, &http);
	e = http_start(&c->http, &http, diag);
	if (!e && !auth_required(c->auth))
		log_warn("door",
			 "there are no access keys: whoever reaches %s "
			 "is admin; see `tally keys --help`",
			 http_address(c->http));
	return e ? e : open_daemon(c, diag);
}

static int open_watch(struct collector *c, struct diag *diag)
{
	const struct watch_parts parts = {
		.env = c->env,
		.ingest = &c->api.ingest,
		.catalogue = c->api.catalogue,
		.traces = c->api.traces,
		.series = c->api.series,
	};

	return watch_start(&c->watch, &parts, diag);
}

/* Signals and the timer come as descriptors; threads inherit the mask. */
static int open_events(struct collector *c, struct diag *diag)
{
	const struct itimerspec every = {
		.it_interval = { .tv_sec = COLLECTOR_ALARMS_S },
		.it_value = { .tv_sec = 1 },
	};
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	c->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (c->signal_fd < 0 || c->timer_fd < 0 ||
	    timerfd_settime(c->timer_fd, 0, &every, NULL) < 0)
		return diag_set(diag, ERR_IO, "cannot set up signals: %s",
				strerror(errno));
	return 0;
}

int collector_open(struct collector **out, const struct env *env,
		   struct config *config, struct diag *diag)
{
	struct collector *c = calloc(1, sizeof(*c));
	struct webhook_options webhook = { 0 };
	int e;

	if (!c)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	webhook.sent = &c->stats.webhooks_sent;
	webhook.failed = &c->stats.webhooks_failed;
	c->env = env;
	c->config = config;
	c->lock_fd = c->signal_fd = c->timer_fd = -1;
	c->api.env = env;
	c->api.stats = &c->stats;
	c->api.data = config->data;
	c->api.started = env_mono(env);
	pthread_mutex_init(&c->api.reservoirs_lock, NULL);
	c->notify_fd = -1;
	find_prices(c);
	e = start_errand(c, diag);
	connections_raise_descriptors();
	if (!e)
		e = open_events(c, diag);
	if (!e)
		e = lock_folder(c, diag);
	c->notify_fd = notify_open();
	/* It looks at the machine's memory, which is out of reach then. */
	if (!e)
		e = open_admission(c, diag);
	if (!e)
		e = confine(c, diag);
	if (!e)
		e = pricebook_open(&c->api.prices, c->env, c->prices, diag);
	if (!e)
		e = open_views(c, diag);
	if (!e)
		e = open_pipeline(c, diag);
	if (!e)
		e = errand_listen(c->errand, diag);
	if (!e)
		e = webhook_open(&c->webhook, c->errand, &webhook);
	if (!e)
		e = open_door(c, diag);
	if (!e)
		e = open_listeners(c, diag);
	if (!e)
		e = open_watch(c, diag);
	if (!e)
		e = confine_seal(config->confine, diag);
	if (e) {
		collector_close(c);
		return e;
	}
	*out = c;
	return 0;
}
