/* SPDX-License-Identifier: Apache-2.0 */
/* How the collector is: for people, for probes, for Prometheus. */
#include "collector/api/api.h"
#include "collector/memory_keep.h"

#include <sys/resource.h>

static void put(struct json_writer *w, const char *key, uint64_t v)
{
	json_key(w, key);
	json_put_u64(w, v);
}

static void put_journal(struct api *a, struct json_writer *w)
{
	struct journal_stats s;

	journal_stats(a->journal, &s);
	json_key(w, "journal");
	json_open_object(w);
	put(w, "frames", s.frames);
	put(w, "bytes", s.bytes);
	put(w, "commits", s.commits);
	put(w, "refused_busy", s.refused_busy);
	put(w, "refused_full", s.refused_full);
	put(w, "damaged_frames", s.damaged_frames);
	put(w, "torn_bytes", s.torn_bytes);
	put(w, "sync_errors", s.sync_errors);
	put(w, "waiting_frames", s.waiting_frames);
	put(w, "waiting_bytes", s.waiting_bytes);
	put(w, "files", s.file_count);
	put(w, "disk_bytes", s.disk_bytes);
	put(w, "durable", s.durable);
	json_key(w, "full");
	json_put_bool(w, s.full);
	json_close_object(w);
}

static void put_views(struct api *a, struct json_writer *w)
{
	struct apply_view_stats views[APPLY_VIEWS_MAX];
	size_t n = apply_stats(a->apply, views, APPLY_VIEWS_MAX);

	json_key(w, "views");
	json_open_array(w);
	for (size_t i = 0; i < n; i++) {
		json_open_object(w);
		json_key(w, "name");
		json_put_text(w, views[i].name);
		put(w, "position", views[i].position);
		put(w, "durable", views[i].durable);
		put(w, "applied", views[i].applied);
		put(w, "queued", views[i].queued);
		put(w, "lag_frames", views[i].lag_frames);
		json_key(w, "lag_s");
		json_put_seconds(w, views[i].lag_ns);
		json_key(w, "behind");
		json_put_bool(w, views[i].behind);
		json_key(w, "error");
		if (views[i].err)
			json_put_text(w, err_text(views[i].err));
		else
			json_put_null(w);
		json_close_object(w);
	}
	json_close_array(w);
}

static void put_stores(struct api *a, struct json_writer *w)
{
	struct traces_stats t;
	struct series_stats s;
	struct logs_stats l;
	struct ledger_stats b;

	traces_stats(a->traces, &t);
	series_stats(a->series, &s);
	logs_stats(a->logs, &l);
	ledger_stats(a->ledger, &b);
	json_key(w, "traces");
	json_open_object(w);
	put(w, "documents", t.documents);
	put(w, "repeats", t.repeats);
	put(w, "shed", t.shed_trace);
	put(w, "dropped_late", t.dropped);
	put(w, "verbatim", t.verbatim);
	put(w, "dictionary_full", t.dictionary_full);
	put(w, "ids_left_out", t.ids_left_out);
	put(w, "head_documents", t.head_documents);
	put(w, "head_bytes", t.head_bytes);
	put(w, "blocks", t.blocks);
	put(w, "block_bytes", t.block_bytes);
	put(w, "damaged_rows", t.damaged_rows);
	json_close_object(w);
	json_key(w, "series");
	json_open_object(w);
	put(w, "series", s.series);
	put(w, "points", s.points);
	put(w, "late", s.late);
	put(w, "refused_series", s.refused_series);
	put(w, "open_rows", s.open_rows);
	put(w, "blocks", s.blocks);
	put(w, "block_bytes", s.block_bytes);
	put(w, "rrd_files", s.rrd_files);
	put(w, "rrd_damaged", s.rrd_damaged);
	json_close_object(w);
	json_key(w, "logs");
	json_open_object(w);
	put(w, "events", l.events);
	put(w, "head_bytes", l.head_bytes);
	put(w, "blocks", l.blocks);
	put(w, "block_bytes", l.block_bytes);
	put(w, "damaged_blocks", l.damaged_blocks);
	json_close_object(w);
	json_key(w, "ledger");
	json_open_object(w);
	put(w, "entries", b.entries);
	put(w, "segments", b.segments);
	put(w, "inflight", b.inflight);
	put(w, "known", b.known);
	put(w, "conflicts", b.conflicts);
	put(w, "damaged_entries", b.damaged_entries);
	put(w, "lost_segments", b.lost_segments);
	json_close_object(w);
}

static void put_control(struct api *a, struct json_writer *w)
{
	struct catalogue_stats c;
	struct reservoirs_stats r;

	catalogue_stats(a->catalogue, &c);
	pthread_mutex_lock(&a->reservoirs_lock);
	reservoirs_stats(a->reservoirs, &r);
	pthread_mutex_unlock(&a->reservoirs_lock);
	json_key(w, "catalogue");
	json_open_object(w);
	put(w, "items", c.items);
	put(w, "bytes", c.bytes);
	put(w, "changes", c.changes);
	put(w, "refused", c.refused);
	put(w, "damaged_items", c.damaged_items);
	put(w, "damaged_changes", c.damaged_changes);
	json_close_object(w);
	json_key(w, "sampling");
	json_open_object(w);
	put(w, "rules_in_use", r.pools);
	put(w, "clients", r.clients);
	put(w, "refused", r.refused);
	json_close_object(w);
}

/* Why it is not well; false: it is. */
static bool is_ill(struct api *a, struct buf *why)
{
	struct apply_view_stats views[APPLY_VIEWS_MAX];
	size_t n = apply_stats(a->apply, views, APPLY_VIEWS_MAX);
	struct journal_stats s;

	journal_stats(a->journal, &s);
	if (s.full) {
		buf_text(why, "the disk is full: nothing is stored");
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		if (!views[i].err)
			continue;
		buf_format(why, "view %s stands still: %s", views[i].name,
			   err_text(views[i].err));
		return true;
	}
	return false;
}

static void put_health(struct api *a, struct json_writer *w)
{
	struct buf why = BUF_INIT;

	json_key(w, "health");
	json_put_sv(w, is_ill(a, &why) ? buf_view(&why) : SV("ok"));
	buf_fini(&why);
}

static void put_memory(struct api *a, struct json_writer *w)
{
	struct admission_stats s;

	admission_stats(a->admission, &s);
	json_key(w, "memory");
	json_open_object(w);
	put(w, "resident_bytes", memory_resident_bytes());
	put(w, "max_bytes", a->memory->max_bytes);
	put(w, "live_bytes", apply_live_bytes(a->apply));
	put(w, "live_bytes_max", apply_live_bytes_max(a->apply));
	put(w, "load_bytes", s.used_bytes);
	put(w, "load_bytes_max", s.budget_bytes);
	json_key(w, "refusing");
	json_put_text(w, admission_level_name(s.level));
	json_close_object(w);
}

static void put_disk(struct api *a, struct json_writer *w)
{
	const struct disk_ops *disk = a->env->disk;
	int64_t bytes = disk->free_bytes(a->env->disk_self, a->data);

	json_key(w, "disk");
	json_open_object(w);
	put(w, "free_bytes", bytes > 0 ? (uint64_t)bytes : 0);
	json_close_object(w);
}

/* Seconds since 1970, or null. */
static void put_epoch(struct json_writer *w, const char *key, int64_t epoch_s)
{
	json_key(w, key);
	if (epoch_s > 0)
		json_put_i64(w, epoch_s);
	else
		json_put_null(w);
}

static void put_door(struct api *a, struct request *r, struct json_writer *w)
{
	struct admission_stats s;

	admission_stats(a->admission, &s);
	json_key(w, "door");
	json_open_object(w);
	put(w, "connections", http_connections(r->http));
	put(w, "connections_max", http_connections_max(r->http));
	if (a->grpc) {
		put(w, "grpc_connections", grpc_connections(a->grpc));
		put(w, "grpc_connections_max", grpc_connections_max(a->grpc));
	}
	put(w, "requests", s.requests);
	put(w, "callers", s.callers);
	json_key(w, "needs_keys");
	json_put_bool(w, auth_required(a->auth));
	put(w, "keys", auth_key_count(a->auth));
	put_epoch(w, "keys_read_at",
		  auth_required(a->auth) ? auth_read_at(a->auth).ns / NS_PER_S :
					   0);
	put_epoch(w, "certificate_ends_at", http_certificate_ends_s(r->http));
	json_close_object(w);
}

static void put_audit(struct api *a, struct json_writer *w)
{
	struct audit_stats s;

	audit_stats(a->audit, &s);
	json_key(w, "audit");
	json_open_object(w);
	put(w, "rows", s.rows);
	put(w, "counted", s.counted);
	put(w, "overflow", s.overflow);
	put(w, "lost", s.lost);
	put(w, "damaged", s.damaged);
	put(w, "errors", s.errors);
	put(w, "disk_bytes", s.disk_bytes);
	json_close_object(w);
}

/* --- counters, by what they are of ------------------------------------------------ */

struct tally {
	struct api *api;
	struct json_writer *w;
	uint64_t values[STATS_COUNT];
};

static void put_traffic(void *arg, size_t i, struct sv label)
{
	struct tally *t = arg;
	double per_s = pace_per_s(t->api->pace, i);

	json_open_object(t->w);
	json_key(t->w, "protocol");
	json_put_sv(t->w, label);
	put(t->w, "total", t->values[i]);
	json_key(t->w, "per_s");
	json_put_double(t->w, (double)(int64_t)(per_s * 100 + 0.5) / 100);
	json_close_object(t->w);
}

static void put_labelled(void *arg, size_t i, struct sv label)
{
	struct tally *t = arg;

	json_key_sv(t->w, label);
	json_put_u64(t->w, t->values[i]);
}

static void put_by_label(struct tally *t, const char *key, const char *metric)
{
	json_key(t->w, key);
	json_open_object(t->w);
	stats_each_of(metric, put_labelled, t);
	json_close_object(t->w);
}

static void put_tallies(struct api *a, struct json_writer *w)
{
	struct tally t = { .api = a, .w = w };

	stats_copy(a->stats, t.values);
	json_key(w, "requests");
	json_open_array(w);
	stats_each_of("tally_requests_total", put_traffic, &t);
	json_close_array(w);
	put_by_label(&t, "refused", "tally_refused_total");
	put_by_label(&t, "shed", "tally_shed_total");
	put_by_label(&t, "shed_requests", "tally_shed_requests_total");
	put_by_label(&t, "shed_records", "tally_shed_records_total");
}

static void put_counter(void *arg, const char *id, uint64_t value)
{
	put(arg, id, value);
}

/* What all accounts have together: for the collector's own. */
static void put_insides(struct api *a, struct request *r, struct json_writer *w)
{
	put_memory(a, w);
	put_journal(a, w);
	put_disk(a, w);
	put_door(a, r, w);
	put_tallies(a, w);
	put_views(a, w);
	put_stores(a, w);
	put_control(a, w);
	put_audit(a, w);
	json_key(w, "counters");
	json_open_object(w);
	stats_each(a->stats, put_counter, w);
	json_close_object(w);
}

void api_status(struct api *a, struct request *r)
{
	struct json_writer w = json_writer(&r->reply);
	char account[16];

	snprintf(account, sizeof(account), "%012llu",
		 (unsigned long long)r->caller.scope.account);
	json_open_object(&w);
	json_key(&w, "version");
	json_put_text(&w, TALLY_VERSION);
	json_key(&w, "account");
	json_put_text(&w, account);
	json_key(&w, "region");
	json_put_text(&w, r->caller.scope.region);
	put(&w, "uptime_s",
	    (env_mono(a->env).ns - a->started.ns) / (uint64_t)NS_PER_S);
	put_health(a, &w);
	if (r->caller.owner)
		put_insides(a, r, &w);
	json_close_object(&w);
	r->content_type = "application/json";
}

void api_health(struct api *a, struct request *r)
{
	r->content_type = "text/plain";
	if (is_ill(a, &r->reply)) {
		r->status = 503;
		buf_char(&r->reply, '\n');
		return;
	}
	buf_text(&r->reply, "ok\n");
}

static void gauge(struct buf *out, const char *name, const char *help,
		  uint64_t v)
{
	buf_format(out, "# HELP %s %s\n# TYPE %s gauge\n%s ", name, help, name,
		   name);
	buf_u64(out, v);
	buf_char(out, '\n');
}

void api_prometheus(struct api *a, struct request *r)
{
	struct apply_view_stats views[APPLY_VIEWS_MAX];
	size_t n = apply_stats(a->apply, views, APPLY_VIEWS_MAX);
	struct audit_stats audit;
	struct journal_stats s;

	journal_stats(a->journal, &s);
	stats_prometheus(a->stats, &r->reply);
	gauge(&r->reply, "tally_journal_bytes", "Bytes of the journal's files",
	      s.disk_bytes);
	gauge(&r->reply, "tally_journal_waiting_frames",
	      "Frames that wait for their fdatasync", s.waiting_frames);
	gauge(&r->reply, "tally_journal_full",
	      "1 while the disk is full and writes are refused", s.full);
	gauge(&r->reply, "tally_resident_bytes", "Resident memory",
	      memory_resident_bytes());
	buf_text(&r->reply,
		 "# HELP tally_view_queued Frames queued for a view\n"
		 "# TYPE tally_view_queued gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_format(&r->reply, "tally_view_queued{view=\"%s\"} %llu\n",
			   views[i].name, (unsigned long long)views[i].queued);
	buf_text(&r->reply,
		 "# HELP tally_view_lag_seconds How long the oldest frame that "
		 "a view has not applied has waited\n"
		 "# TYPE tally_view_lag_seconds gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_format(&r->reply,
			   "tally_view_lag_seconds{view=\"%s\"} %.3f\n",
			   views[i].name,
			   (double)views[i].lag_ns / (double)NS_PER_S);
	audit_stats(a->audit, &audit);
	gauge(&r->reply, "tally_audit_bytes", "Bytes of the audit log",
	      audit.disk_bytes);
	gauge(&r->reply, "tally_audit_lost",
	      "Rows of the audit log for which there was no room", audit.lost);
	gauge(&r->reply, "tally_connections", "Open connections of HTTP",
	      http_connections(r->http));
	gauge(&r->reply, "tally_grpc_connections", "Open connections of gRPC",
	      a->grpc ? grpc_connections(a->grpc) : 0);
	r->content_type = "text/plain; version=0.0.4";
}
