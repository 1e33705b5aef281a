/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/traces_json.h"

#include "tracer/critical.h"
#include "tracer/skew.h"

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void put_trace_id(struct json_writer *w, const uint8_t id[TRACE_ID_SIZE])
{
	char text[TRACE_ID_TEXT + 1];

	trace_id_text(id, text);
	json_put_text(w, text);
}

static void put_segment_id(struct json_writer *w,
			   const uint8_t id[SEGMENT_ID_SIZE])
{
	char text[SEGMENT_ID_TEXT + 1];

	segment_id_text(id, text);
	json_put_text(w, text);
}

static void put_texts(struct json_writer *w, const struct sv *texts,
		      size_t count)
{
	json_open_array(w);
	for (size_t i = 0; i < count; i++)
		json_put_sv(w, texts[i]);
	json_close_array(w);
}

/* What a trace and its line in a list have in common. */
static void put_head(struct json_writer *w, const struct trace_summary *s)
{
	json_key(w, "id");
	put_trace_id(w, s->id);
	json_key(w, "start");
	json_put_seconds(w, s->start_ns);
	json_key(w, "duration");
	json_put_double(w, seconds((uint64_t)(s->end_ns - s->start_ns)));
	json_key(w, "root");
	json_put_sv(w, s->root);
	json_key(w, "status");
	json_put_text(w, segment_status_text(s->status));
	json_key(w, "partial");
	json_put_bool(w, s->partial);
	json_key(w, "request_ids");
	put_texts(w, s->request_ids, s->request_id_count);
}

void traces_json_trace(struct json_writer *w, const struct trace *t)
{
	put_head(w, &t->summary);
	json_key(w, "segments");
	json_open_array(w);
	for (size_t i = 0; i < t->document_count; i++) {
		json_open_object(w);
		json_key(w, "id");
		put_segment_id(w, t->documents[i].segment_id);
		json_key(w, "document");
		document_put_xray(w, &t->documents[i].document);
		json_close_object(w);
	}
	json_close_array(w);
}

void traces_json_otlp(struct json_writer *w, const struct trace *t)
{
	json_open_object(w);
	json_key(w, "resourceSpans");
	json_open_array(w);
	for (size_t i = 0; i < t->document_count; i++)
		document_put_otlp(w, &t->documents[i].document);
	json_close_array(w);
	json_close_object(w);
}

void traces_json_row(struct json_writer *w, const struct trace_summary *s)
{
	json_open_object(w);
	put_head(w, s);
	json_key(w, "names");
	put_texts(w, s->names, s->name_count);
	json_close_object(w);
}

int traces_json_spans(struct json_writer *w, struct assembly *trace,
		      struct arena *arena)
{
	int64_t *shift_ns = arena_array(arena, trace->count, sizeof(*shift_ns));
	struct critical_span *critical;

	if (!shift_ns)
		return ERR_NOMEM;
	skew_correct(trace, shift_ns);
	if (critical_make(trace, arena, &critical))
		return ERR_NOMEM;
	json_key(w, "spans");
	json_open_array(w);
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct segment *s = &trace->spans[i].segment;

		json_open_object(w);
		json_key(w, "id");
		put_segment_id(w, s->id);
		json_key(w, "name");
		json_put_sv(w, s->name);
		json_key(w, "self");
		json_put_double(w, (double)critical[i].self_ns / 1e9);
		json_key(w, "critical");
		json_put_double(w, (double)critical[i].path_ns / 1e9);
		json_key(w, "on_critical_path");
		json_put_bool(w, critical[i].on);
		json_key(w, "clock_shift");
		json_put_double(w, (double)shift_ns[i] / 1e9);
		json_close_object(w);
	}
	json_close_array(w);
	return 0;
}

void traces_json_list(struct json_writer *w, const struct trace_list *list)
{
	json_open_object(w);
	json_key(w, "traces");
	json_open_array(w);
	for (size_t i = 0; i < list->count; i++)
		traces_json_row(w, &list->rows[i]);
	json_close_array(w);
	json_key(w, "truncated");
	json_put_bool(w, list->truncated);
	json_close_object(w);
}

/* Exact, and a map has thousands: as a double each took a microsecond. */
static void put_seconds(struct json_writer *w, uint64_t ns)
{
	char text[32];
	size_t n = (size_t)snprintf(text, sizeof(text), "%llu.%09u",
				    (unsigned long long)(ns / NS_PER_S),
				    (unsigned)(ns % NS_PER_S));

	while (text[n - 1] == '0')
		n--;
	json_put_raw(w, sv_make(text, text[n - 1] == '.' ? n - 1 : n));
}

static void put_counts(struct json_writer *w, const struct graph_stats *s)
{
	json_key(w, "ok");
	json_put_u64(w, s->ok);
	json_key(w, "error");
	json_put_u64(w, s->error);
	json_key(w, "throttle");
	json_put_u64(w, s->throttle);
	json_key(w, "fault");
	json_put_u64(w, s->fault);
	json_key(w, "total");
	json_put_u64(w, graph_total(s));
	json_key(w, "total_time");
	put_seconds(w, s->total_time_ns);
	json_key(w, "p50");
	put_seconds(w, graph_quantile(s, 0.5));
	json_key(w, "p99");
	put_seconds(w, graph_quantile(s, 0.99));
}

static void put_node(struct json_writer *w, uint32_t id,
		     const struct graph_node *n)
{
	json_open_object(w);
	json_key(w, "id");
	json_put_u64(w, id);
	json_key(w, "name");
	json_put_sv(w, n->name);
	json_key(w, "type");
	json_put_sv(w, n->type);
	json_key(w, "root");
	json_put_bool(w, n->root);
	json_key(w, "inferred");
	json_put_bool(w, n->inferred);
	put_counts(w, &n->stats);
	json_close_object(w);
}

void traces_json_map(struct json_writer *w, const struct graph *g,
		     int64_t start_ns, int64_t end_ns)
{
	json_open_object(w);
	json_key(w, "start");
	json_put_seconds(w, start_ns);
	json_key(w, "end");
	json_put_seconds(w, end_ns);
	json_key(w, "nodes");
	json_open_array(w);
	for (uint32_t i = 0; i < g->node_count; i++)
		if (g->nodes[i].there)
			put_node(w, i, &g->nodes[i]);
	json_close_array(w);
	json_key(w, "edges");
	json_open_array(w);
	for (uint32_t i = 0; i < g->edge_count; i++) {
		if (!g->edges[i].stats.seen)
			continue;
		json_open_object(w);
		json_key(w, "from");
		json_put_u64(w, g->edges[i].from);
		json_key(w, "to");
		json_put_u64(w, g->edges[i].to);
		json_key(w, "link");
		json_put_bool(w, g->edges[i].link);
		put_counts(w, &g->edges[i].stats);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
}

/* X-Ray's JSON as the text of a JSON string. */
static void put_document_text(struct json_writer *w, const struct document *d)
{
	struct buf text = BUF_INIT;
	struct json_writer inner = json_writer(&text);

	if (d->format == DOCUMENT_XRAY) {
		json_put_sv(w, d->bytes);
		return;
	}
	document_put_xray(&inner, d);
	w->out->failed |= text.failed;
	json_put_sv(w, buf_view(&text));
	buf_fini(&text);
}

void traces_json_batch_trace(struct json_writer *w, const struct trace *t)
{
	json_open_object(w);
	json_key(w, "Id");
	put_trace_id(w, t->summary.id);
	json_key(w, "Duration");
	json_put_double(w, seconds((uint64_t)(t->summary.end_ns -
					      t->summary.start_ns)));
	json_key(w, "LimitExceeded");
	json_put_bool(w, t->limit_exceeded);
	json_key(w, "Segments");
	json_open_array(w);
	for (size_t i = 0; i < t->document_count; i++) {
		json_open_object(w);
		json_key(w, "Id");
		put_segment_id(w, t->documents[i].segment_id);
		json_key(w, "Document");
		put_document_text(w, &t->documents[i].document);
		json_close_object(w);
	}
	json_close_array(w);
	json_close_object(w);
}
