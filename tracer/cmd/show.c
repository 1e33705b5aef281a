/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace ID: head, waterfall with its critical path and the clocks that
 * were mended, log lines, cost. */
#include <math.h>

#include "tracer/cmd/cmd.h"
#include "tracer/skew.h"
#include "tracer/waterfall.h"

enum {
	KIND_WIDTH_MAX = 24,
	TIME_WIDTH = 8,
	SELF_WIDTH = 8,
	MARK_WIDTH = 2, /* of the critical path */
	STATUS_WIDTH = 8,
	NAME_WIDTH_MIN = 16,
	NAME_WIDTH_MAX = 32, /* for which other columns make room */
	BAR_WIDTH_MIN = 10,
};

/* What a row is drawn from. */
struct picture {
	struct cmd *c;
	struct assembly trace;
	struct waterfall w;
	struct critical_span *critical; /* by span */
	int64_t *shift_ns;
	struct json usage;
	struct sv said, priced; /* by the row before */
};

/* Columns of a row: name, kind, time, self time, mark, status, bar, with a
 * space between. A narrow terminal loses self time, then the kind, the bar. */
struct layout {
	int name, kind, self, bar;
};

static struct layout make_layout(const struct cmd *c, const struct waterfall *w)
{
	int rest = c->program.term.width - TIME_WIDTH - 1 - MARK_WIDTH -
		   STATUS_WIDTH - 1;
	struct layout l = { .name = NAME_WIDTH_MIN };
	int spare;

	for (size_t i = 0; i < w->count; i++) {
		int name = 3 * (int)w->rows[i].depth +
			   term_safe_width(w->rows[i].span->segment.name);
		int kind = term_safe_width(w->rows[i].kind);

		l.name = name > l.name ? name : l.name;
		l.kind = kind > l.kind ? kind : l.kind;
	}
	if (l.kind > KIND_WIDTH_MAX)
		l.kind = KIND_WIDTH_MAX;
	/* Names are worth more. */
	spare = rest - (l.name < NAME_WIDTH_MAX ? l.name : NAME_WIDTH_MAX) -
		BAR_WIDTH_MIN - 2;
	if (spare < l.kind)
		l.kind = 0;
	if (l.kind)
		rest -= l.kind + 1;
	if (spare - l.kind > SELF_WIDTH)
		l.self = SELF_WIDTH;
	rest -= l.self ? l.self + 1 : 0;
	if (l.name > rest / 2)
		l.name = rest / 2 > NAME_WIDTH_MIN ? rest / 2 : NAME_WIDTH_MIN;
	l.bar = rest - l.name - 1;
	if (l.bar < BAR_WIDTH_MIN)
		l.bar = 0;
	return l;
}

/* text, safe, in exactly width columns. */
static void put_cell(struct buf *out, struct sv text, int width)
{
	int used = width > 0 ? term_safe_cut(out, text, width) : 0;

	for (; used < width; used++)
		buf_char(out, ' ');
}

static void put_right(struct buf *out, struct sv text, int width)
{
	for (int used = term_safe_width(text); used < width; used++)
		buf_char(out, ' ');
	term_safe(out, text);
}

static void put_name(struct cmd *c, const struct waterfall_row *row, int width)
{
	struct buf *out = &c->program.out;
	unsigned depth = row->depth;

	/* So deep that no room for a name is left: its own depth is lost. */
	while (depth && 3 * (int)depth > width - 6)
		depth--;
	if (depth == row->depth)
		cmd_branch(c, out, depth, row->last);
	else
		for (unsigned i = 0; i < depth; i++)
			buf_text(out, ".. ");
	put_cell(out, row->span->segment.name, width - 3 * (int)depth);
}

static void put_time(struct buf *out, int64_t ns, int width)
{
	struct buf time = BUF_INIT;

	term_seconds(&time, (double)ns / 1e9);
	put_right(out, buf_view(&time), width);
	buf_fini(&time);
}

static void put_head(struct cmd *c, const struct layout *l)
{
	struct buf *out = &c->program.out;

	buf_text(out, term_style(&c->program.term, TERM_DIM));
	put_cell(out, SV("SPAN"), l->name + (l->kind ? l->kind + 1 : 0) + 1);
	put_right(out, SV("TIME"), TIME_WIDTH);
	if (l->self)
		put_right(out, SV("SELF"), SELF_WIDTH + 1);
	put_cell(out, SV(""), 1 + MARK_WIDTH);
	buf_text(out, "STATUS");
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	buf_char(out, '\n');
}

static void put_row(const struct picture *p, const struct waterfall_row *row,
		    const struct layout *l)
{
	struct cmd *c = p->c;
	struct buf *out = &c->program.out;
	const struct critical_span *critical =
		&p->critical[row->span - p->trace.spans];
	struct sv status = sv_from(segment_status_text(row->status));

	put_name(c, row, l->name);
	buf_char(out, ' ');
	if (l->kind) {
		put_cell(out, row->kind, l->kind);
		buf_char(out, ' ');
	}
	if (row->in_progress)
		put_right(out, SV("open"), TIME_WIDTH);
	else
		put_time(out, row->duration_ns, TIME_WIDTH);
	if (l->self)
		put_time(out, critical->self_ns, SELF_WIDTH + 1);
	buf_char(out, ' ');
	if (critical->on)
		term_styled(&c->program.term, out, TERM_BOLD, cmd_path_mark(c));
	put_cell(out, SV(""), MARK_WIDTH - critical->on);
	buf_text(out, term_style(&c->program.term, cmd_status_style(status)));
	if (!l->bar) {
		buf_sv(out, status);
	} else {
		struct waterfall_bar bar =
			waterfall_bar(&p->w, row, (unsigned)l->bar);

		put_cell(out, status, STATUS_WIDTH);
		buf_char(out, ' ');
		term_bar(out, bar.from / 8.0, bar.to / 8.0, l->bar,
			 c->program.term.utf8);
	}
	while (out->len && out->ptr[out->len - 1] == ' ')
		out->len--;
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	buf_char(out, '\n');
}

/* Begins a line below a row. Returns how far it is indented. */
static int put_indent(struct cmd *c, const struct waterfall_row *row)
{
	int indent = 3 * (int)row->depth + 2;

	if (indent > c->program.term.width / 2)
		indent = c->program.term.width / 2;
	buf_format(&c->program.out, "%*s", indent, "");
	return indent;
}

/* A segment that is shown elsewhere than its host's clock says. */
static void put_shift(const struct picture *p, const struct waterfall_row *row)
{
	struct cmd *c = p->c;
	struct buf *out = &c->program.out;
	uint32_t i = (uint32_t)(row->span - p->trace.spans);
	int64_t shift_ns = p->shift_ns[i];

	if (!shift_ns || row->span->owner != i)
		return;
	(void)put_indent(c, row);
	buf_text(out, term_style(&c->program.term, TERM_YELLOW));
	buf_text(out, "its clock is ");
	term_seconds(out, fabs((double)shift_ns) / 1e9);
	buf_text(out, shift_ns > 0 ? " behind" : " ahead");
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	buf_text(out, ": moved into its caller's time\n");
}

/* Why a span failed, below it, once: callers repeat what the callee said. */
static void put_cause(struct picture *p, const struct waterfall_row *row)
{
	struct cmd *c = p->c;
	struct buf *out = &c->program.out;
	const struct segment *s = &row->span->segment;
	struct buf line = BUF_INIT;
	int indent;

	if (!s->error_type.len && !s->error_message.len)
		return;
	if (sv_eq(s->error_message, p->said))
		return;
	p->said = s->error_message;
	buf_sv(&line, s->error_type);
	if (s->error_type.len && s->error_message.len)
		buf_text(&line, ": ");
	buf_sv(&line, s->error_message);
	indent = put_indent(c, row);
	buf_text(out, term_style(&c->program.term, TERM_RED));
	(void)term_safe_cut(out, buf_view(&line),
			    c->program.term.width - indent);
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	buf_char(out, '\n');
	buf_fini(&line);
}

/* What the run of a span cost, below it: of the first span with its request
 * id, since Lambda's two segments speak of one run. */
static void put_cost(struct picture *p, const struct waterfall_row *row)
{
	struct cmd *c = p->c;
	struct buf *out = &c->program.out;
	struct sv id = row->span->segment.request_id;
	struct json it;

	if (!id.len || sv_eq(id, p->priced))
		return;
	for (it = json_first(p->usage); it.doc; it = json_next(p->usage, it)) {
		struct json cost = json_get(it, SV("cost"));

		if (!sv_eq(cmd_text(c, it, SV("id")), id))
			continue;
		p->priced = id;
		(void)put_indent(c, row);
		buf_text(out, term_style(&c->program.term, TERM_DIM));
		buf_text(out, "cost ");
		term_safe(out, cmd_text(c, cost, SV("total")));
		buf_char(out, ' ');
		term_safe(out, cmd_text(c, cost, SV("currency")));
		buf_text(out, term_style(&c->program.term, TERM_PLAIN));
		buf_char(out, '\n');
		return;
	}
}

/* From documents to what is drawn. */
static int make_picture(struct picture *p, struct json segments)
{
	struct arena *arena = &p->c->arena;
	struct document *documents = NULL;
	size_t count = 0;
	struct json it;
	int e;

	for (it = json_first(segments); it.doc; it = json_next(segments, it))
		count++;
	documents = arena_array(arena, count, sizeof(*documents));
	if (!documents)
		return ERR_NOMEM;
	count = 0;
	for (it = json_first(segments); it.doc; it = json_next(segments, it))
		documents[count++].bytes =
			json_raw(json_get(it, SV("document")));
	e = assemble(documents, count, arena, &p->trace);
	if (e)
		return e;
	p->shift_ns = arena_array(arena, p->trace.count, sizeof(int64_t));
	if (!p->shift_ns)
		return ERR_NOMEM;
	skew_correct(&p->trace, p->shift_ns);
	e = critical_make(&p->trace, arena, &p->critical);
	return e ? e : waterfall_make(&p->trace, arena, &p->w);
}

static int show_waterfall(struct cmd *c, struct json segments,
			  struct json usage)
{
	struct picture p = {
		.c = c, .usage = usage, .said = SV(""), .priced = SV("")
	};
	struct layout l;
	int e = make_picture(&p, segments);

	if (e)
		return e;
	l = make_layout(c, &p.w);
	buf_char(&c->program.out, '\n');
	put_head(c, &l);
	for (size_t i = 0; i < p.w.count; i++) {
		put_row(&p, &p.w.rows[i], &l);
		put_shift(&p, &p.w.rows[i]);
		put_cause(&p, &p.w.rows[i]);
		put_cost(&p, &p.w.rows[i]);
	}
	if (p.w.cut || p.trace.skipped)
		buf_format(&c->program.out,
			   "%zu more spans are not shown; --json has all\n",
			   p.w.cut + p.trace.skipped);
	cmd_show_path(c, &p.trace, p.critical);
	cmd_show_exceptions(c, &p.trace);
	cmd_show_annotations(c, &p.trace);
	return 0;
}

static void show_head(struct cmd *c, struct json root)
{
	struct buf *out = &c->program.out;
	struct sv status = cmd_text(c, root, SV("status"));
	struct json ids = json_get(root, SV("request_ids"));
	struct json it;

	buf_text(out, term_style(&c->program.term, TERM_BOLD));
	buf_text(out, "Trace ");
	term_safe(out, cmd_text(c, root, SV("id")));
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	buf_text(out, "  ");
	term_time(out, cmd_number(root, SV("start")), true);
	buf_text(out, "  ");
	term_seconds(out, cmd_number(root, SV("duration")));
	buf_text(out, "  ");
	term_styled(&c->program.term, out, cmd_status_style(status), status);
	if (cmd_true(root, SV("partial")))
		buf_text(out, "  partial: more is to come, or was lost");
	buf_char(out, '\n');
	for (it = json_first(ids); it.doc; it = json_next(ids, it)) {
		struct sv id = json_string(it, &c->arena);

		buf_text(out, "request ");
		term_safe(out, id.ptr ? id : SV(""));
		buf_char(out, '\n');
	}
}

/* A request that was metered but not traced. */
static int show_usage_alone(struct cmd *c, const char *id,
			    const struct diag *first)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct json root;
	struct diag diag;
	int e;

	buf_text(&path, "/api/v1/usage/");
	client_escape(&path, sv_from(id));
	e = path.failed ? ERR_LIMIT : cmd_get(c, path.ptr, &root, &diag);
	buf_fini(&path);
	if (e && e != ERR_NOT_FOUND && e != ERR_LIMIT)
		return program_fail(&c->program, first);
	if (e) {
		struct buf safe = BUF_INIT;

		term_safe(&safe, sv_from(id));
		(void)diag_set(&diag, ERR_NOT_FOUND,
			       "nothing is known under %.120s; `tally-trace "
			       "list` shows recent requests, and what has "
			       "just run may still be on its way",
			       safe.ptr);
		buf_fini(&safe);
		return program_fail(&c->program, &diag);
	}
	if (c->program.json)
		return 0;
	cmd_title(c, "Request without a trace");
	cmd_show_usage(c, root);
	return 0;
}

int cmd_show(struct cmd *c, const char *id)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct json root = { 0 };
	struct diag diag;
	int e;

	buf_text(&path, "/api/v1/traces/");
	client_escape(&path, sv_from(id));
	e = path.failed ? diag_set(&diag, ERR_LIMIT, "the id is too long") :
			  cmd_get(c, path.ptr, &root, &diag);
	buf_fini(&path);
	if (e == ERR_NOT_FOUND)
		return show_usage_alone(c, id, &diag);
	if (e)
		return program_fail(&c->program, &diag);
	if (c->program.json)
		return 0;
	show_head(c, root);
	e = show_waterfall(c, json_get(root, SV("segments")),
			   json_get(root, SV("usage")));
	if (e) {
		(void)diag_set(&diag, e, "the trace cannot be shown: %s",
			       err_text(e));
		return program_fail(&c->program, &diag);
	}
	cmd_show_logs(c, json_get(root, SV("logs")));
	cmd_show_usage(c, json_get(root, SV("usage")));
	return 0;
}
