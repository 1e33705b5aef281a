/* SPDX-License-Identifier: Apache-2.0 */
/* How the collector is: for people, for probes, for Prometheus. */
#include "collector/api/api.h"

#include <sys/resource.h>
#include <unistd.h>

static void put(struct json_writer *w, const char *key, uint64_t v)
{
	json_key(w, key);
	json_put_u64(w, v);
}

static uint64_t resident_bytes(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f) {
		/* The kernel's own numbers. NOLINTNEXTLINE(cert-err34-c) */
		if (fscanf(f, "%llu %llu", &size, &resident) != 2)
			resident = 0;
		fclose(f);
	}
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
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

static void put_admission(struct api *a, struct json_writer *w)
{
	struct admission_stats s;

	admission_stats(a->admission, &s);
	put(w, "load_bytes", s.used_bytes);
	put(w, "load_bytes_max", s.budget_bytes);
	json_key(w, "refusing");
	json_put_text(w, admission_level_name(s.level));
	put(w, "requests", s.requests);
	put(w, "callers", s.callers);
}

static void put_counter(void *arg, const char *id, uint64_t value)
{
	put(arg, id, value);
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
	json_key(&w, "memory");
	json_open_object(&w);
	put(&w, "resident_bytes", resident_bytes());
	put(&w, "max_bytes", a->memory->max_bytes);
	put(&w, "live_bytes", apply_live_bytes(a->apply));
	put(&w, "live_bytes_max", apply_live_bytes_max(a->apply));
	put_admission(a, &w);
	json_close_object(&w);
	put_journal(a, &w);
	put_views(a, &w);
	put_stores(a, &w);
	json_key(&w, "counters");
	json_open_object(&w);
	stats_each(a->stats, put_counter, &w);
	json_close_object(&w);
	json_close_object(&w);
	r->content_type = "application/json";
}

void api_health(struct api *a, struct request *r)
{
	struct apply_view_stats views[APPLY_VIEWS_MAX];
	size_t n = apply_stats(a->apply, views, APPLY_VIEWS_MAX);
	struct journal_stats s;

	journal_stats(a->journal, &s);
	r->content_type = "text/plain";
	if (s.full) {
		r->status = 503;
		buf_text(&r->reply, "the disk is full: nothing is stored\n");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!views[i].err)
			continue;
		r->status = 503;
		buf_format(&r->reply, "view %s stands still: %s\n",
			   views[i].name, err_text(views[i].err));
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
	      resident_bytes());
	buf_text(&r->reply,
		 "# HELP tally_view_queued Frames queued for a view\n"
		 "# TYPE tally_view_queued gauge\n");
	for (size_t i = 0; i < n; i++)
		buf_format(&r->reply, "tally_view_queued{view=\"%s\"} %llu\n",
			   views[i].name, (unsigned long long)views[i].queued);
	r->content_type = "text/plain; version=0.0.4";
}
