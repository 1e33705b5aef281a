/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "collector/ctl/ctl.h"
#include "core/client/when.h"
#include "core/codec/csv_write.h"
#include "core/codec/json_write.h"
#include "core/codec/time_text.h"

enum {
	DIMENSIONS_MAX = 30, /* CloudWatch's limit */
	PERIOD_MAX_S = 86400,
	SINCE_DEFAULT_S = 10800,
	CHART_ROWS = 6,
	CHART_MARGIN = 10, /* columns for the scale */
	POINTS_MAX = 100000,
};

enum { KEY_SINCE = 0x3000, KEY_UNTIL, KEY_STAT, KEY_GRAPH, KEY_CSV };

struct options {
	struct program program;
	const char *verb;
	const char *namespace;
	const char *name;
	const char *dimensions[DIMENSIONS_MAX];
	size_t dimension_count;
	const char *stat;
	int64_t period_s;
	double since;
	double until;
	bool graph;
	bool csv;
};

static const struct argp_option option_list[] = {
	{ "period", 'p', "SECONDS", 0, "One step, a multiple of 60 (60)", 0 },
	{ "since", KEY_SINCE, "TIME", 0, "From here on (3h): " WHEN_HELP, 0 },
	{ "until", KEY_UNTIL, "TIME", 0, "Up to here (now)", 0 },
	{ "stat", KEY_STAT, "NAME", 0, "One statistic more, as p99 or tm95",
	  0 },
	{ "graph", KEY_GRAPH, NULL, 0, "A chart in place of the table", 0 },
	{ "csv", KEY_CSV, NULL, 0, "Print CSV", 0 },
	{ 0 },
};

static void take_argument(struct options *o, char *arg,
			  struct argp_state *state)
{
	bool data = o->verb && !strcmp(o->verb, "data");

	switch (state->arg_num) {
	case 0:
		if (strcmp(arg, "list") && strcmp(arg, "data"))
			argp_error(state, "it is list or data");
		o->verb = arg;
		break;
	case 1:
		o->namespace = arg;
		break;
	case 2:
		o->name = arg;
		break;
	default:
		if (!data || !strchr(arg, '='))
			argp_error(state, "a dimension is NAME=VALUE");
		if (o->dimension_count == DIMENSIONS_MAX)
			argp_error(state, "more than %d dimensions",
				   DIMENSIONS_MAX);
		o->dimensions[o->dimension_count++] = arg;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case 'p':
		o->period_s = program_number(state, "--period", arg, 60,
					     PERIOD_MAX_S);
		if (o->period_s % 60)
			argp_error(state, "--period is a multiple of 60");
		return 0;
	case KEY_SINCE:
		o->since = program_when(state, &o->program, "--since", arg);
		return 0;
	case KEY_UNTIL:
		o->until = program_when(state, &o->program, "--until", arg);
		return 0;
	case KEY_STAT:
		o->stat = arg;
		return 0;
	case KEY_GRAPH:
		o->graph = true;
		return 0;
	case KEY_CSV:
		o->csv = true;
		return 0;
	case ARGP_KEY_ARG:
		take_argument(o, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (o->csv + o->graph + o->program.json > 1)
			argp_error(state, "--csv, --graph and --json exclude "
					  "each other");
		if (!o->verb)
			argp_usage(state);
		else if (!strcmp(o->verb, "data") && !o->name)
			argp_error(state,
				   "data is of a NAMESPACE and a NAME; `tally "
				   "metrics list` shows them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.args_doc = "list [NAMESPACE [NAME]]\n"
		    "data NAMESPACE NAME [DIMENSION=VALUE...]",
	.doc = "Lists metrics, or prints the values of one: the steps that "
	       "have data.",
	.children = program_children,
};

static void put_dimensions(struct buf *out, json_t *dimensions)
{
	size_t start = out->len;
	const char *name;
	json_t *value;

	json_object_foreach(dimensions, name, value)
	{
		if (out->len > start)
			buf_char(out, ' ');
		buf_format(out, "%s=", name);
		buf_sv(out, answer_text(dimensions, name));
	}
}

static bool print_list(struct program *p, const json_t *root)
{
	static const struct term_column columns[] = {
		{ .title = "NAMESPACE", .shrink = true },
		{ .title = "NAME", .shrink = true },
		{ .title = "DIMENSIONS", .shrink = true },
		{ .title = "RRD" },
	};
	struct term_table *table =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	struct buf text = BUF_INIT;
	const json_t *metric;
	size_t i;
	bool ok;

	if (!table)
		return false;
	json_array_foreach(answer_array(root, "metrics"), i, metric)
	{
		json_t *rrd = answer_object(metric, "rrd");

		term_cell(table, TERM_PLAIN, answer_text(metric, "namespace"));
		term_cell(table, TERM_PLAIN, answer_text(metric, "name"));
		buf_reset(&text);
		put_dimensions(&text, answer_object(metric, "dimensions"));
		term_cell(table, TERM_PLAIN, buf_view(&text));
		term_cell(table, TERM_DIM, answer_text(rrd, "file"));
	}
	buf_fini(&text);
	ok = term_table_print(&p->term, table, &p->out);
	term_table_free(table);
	return ok;
}

static bool csv_list(struct program *p, const json_t *root)
{
	struct csv_writer w = csv_writer(&p->out);
	struct buf text = BUF_INIT;
	const json_t *metric;
	size_t i;

	csv_put_text(&w, "namespace");
	csv_put_text(&w, "name");
	csv_put_text(&w, "dimensions");
	csv_end_row(&w);
	json_array_foreach(answer_array(root, "metrics"), i, metric)
	{
		buf_reset(&text);
		put_dimensions(&text, answer_object(metric, "dimensions"));
		csv_put_sv(&w, answer_text(metric, "namespace"));
		csv_put_sv(&w, answer_text(metric, "name"));
		csv_put_sv(&w, buf_view(&text));
		csv_end_row(&w);
	}
	buf_fini(&text);
	return true;
}

/* Of a point; stat is there only where it was asked for. */
static const char *const keys[] = {
	"sum", "count", "min", "max", "avg", "stat"
};

static void cell_number(struct term_table *table, const json_t *point,
			const char *key)
{
	if (json_is_number(json_object_get(point, key)))
		term_cellf(table, TERM_PLAIN, "%.6g",
			   answer_number(point, key));
	else
		term_cell(table, TERM_PLAIN, SV("-"));
}

static bool print_points(struct options *o, const json_t *points)
{
	const struct term_column columns[] = {
		{ .title = "TIME" },
		{ .title = "SUM", .align = TERM_RIGHT },
		{ .title = "COUNT", .align = TERM_RIGHT },
		{ .title = "MIN", .align = TERM_RIGHT },
		{ .title = "MAX", .align = TERM_RIGHT },
		{ .title = "AVG", .align = TERM_RIGHT },
		{ .title = o->stat ? o->stat : "", .align = TERM_RIGHT },
	};
	size_t count = o->stat ? 7 : 6;
	struct term_table *table = term_table_new(columns, count);
	struct buf text = BUF_INIT;
	const json_t *point;
	size_t i;
	bool ok;

	if (!table)
		return false;
	json_array_foreach(points, i, point)
	{
		buf_reset(&text);
		term_time(&text, answer_number(point, "time"), false);
		term_cell(table, TERM_DIM, buf_view(&text));
		for (size_t k = 0; k + 1 < count; k++)
			cell_number(table, point, keys[k]);
	}
	buf_fini(&text);
	ok = term_table_print(&o->program.term, table, &o->program.out);
	term_table_free(table);
	return ok;
}

/* Numbers whole, not as they fit a column; times in UTC. */
static void csv_point(struct csv_writer *w, const json_t *point, size_t count,
		      struct buf *text)
{
	int64_t ns;

	buf_reset(text);
	if (time_from_double(answer_number(point, "time"), &ns))
		time_put_iso(text, ns);
	csv_put_sv(w, buf_view(text));
	for (size_t k = 0; k < count; k++) {
		struct json_writer number = json_writer(text);

		buf_reset(text);
		if (json_is_number(json_object_get(point, keys[k])))
			json_put_double(&number, answer_number(point, keys[k]));
		csv_put_number(w, buf_view(text));
	}
	csv_end_row(w);
}

static bool csv_points(struct options *o, const json_t *points)
{
	struct csv_writer w = csv_writer(&o->program.out);
	size_t count = o->stat ? 6 : 5;
	struct buf text = BUF_INIT;

	csv_put_text(&w, "time");
	for (size_t k = 0; k < count; k++)
		csv_put_text(&w, k < 5 ? keys[k] : o->stat);
	csv_end_row(&w);
	for (size_t i = 0; i < json_array_size(points); i++)
		csv_point(&w, json_array_get(points, i), count, &text);
	buf_fini(&text);
	return true;
}

/* One sample a step from the first to the last point; NAN where there is no
 * data, so that a gap looks like one. */
static double *fill(const struct options *o, const json_t *points,
		    size_t *count)
{
	size_t n = json_array_size(points);
	double first = answer_number(json_array_get(points, 0), "time");
	double last = n ? answer_number(json_array_get(points, n - 1), "time") :
			  0;
	double steps = (last - first) / (double)o->period_s + 1;
	double *samples;

	*count = 0;
	if (!n || !(steps >= 1 && steps <= POINTS_MAX))
		return NULL;
	samples = calloc((size_t)steps, sizeof(*samples));
	if (!samples)
		return NULL;
	*count = (size_t)steps;
	for (size_t i = 0; i < *count; i++)
		samples[i] = NAN;
	for (size_t i = 0; i < n; i++) {
		const json_t *point = json_array_get(points, i);
		double at = (answer_number(point, "time") - first) /
			    (double)o->period_s;

		if (at >= 0 && at < (double)*count)
			samples[(size_t)at] =
				answer_number(point, o->stat ? "stat" : "avg");
	}
	return samples;
}

static bool print_graph(struct options *o, const json_t *points)
{
	size_t count;
	double *samples = fill(o, points, &count);
	double min = INFINITY, max = -INFINITY;
	struct buf chart = BUF_INIT;
	struct sv rest, line;
	int row = 0;

	if (!samples) {
		buf_text(&o->program.out, "too many steps for a chart; give a "
					  "longer --period\n");
		return true;
	}
	for (size_t i = 0; i < count; i++)
		if (isfinite(samples[i])) {
			min = fmin(min, samples[i]);
			max = fmax(max, samples[i]);
		}
	term_braille(&chart, samples, count,
		     o->program.term.width - CHART_MARGIN, CHART_ROWS, min,
		     max);
	rest = buf_view(&chart);
	while (line = sv_cut(&rest, '\n'), line.len) {
		if (row == 0 || row == CHART_ROWS - 1)
			buf_format(&o->program.out, "%8.4g ", row ? min : max);
		else
			buf_text(&o->program.out, "         ");
		buf_sv(&o->program.out, line);
		buf_char(&o->program.out, '\n');
		row++;
	}
	free(samples);
	buf_fini(&chart);
	return true;
}

static void data_path(const struct options *o, struct buf *path)
{
	buf_text(path, "/api/v1/metrics/data");
	client_query(path, "namespace", o->namespace);
	client_query(path, "name", o->name);
	for (size_t i = 0; i < o->dimension_count; i++) {
		struct sv value = sv_from(o->dimensions[i]);
		struct sv name = sv_cut(&value, '=');

		buf_text(path, "&dim.");
		client_escape(path, name);
		buf_char(path, '=');
		client_escape(path, value);
	}
	client_query_number(path, "period", o->period_s);
	client_query(path, "stat", o->stat);
	when_query(path, "start",
		   o->since > 0 ? o->since : o->program.now - SINCE_DEFAULT_S);
	when_query(path, "end", o->until > 0 ? o->until : o->program.now);
}

/* True: there is nothing to print, and what to try is said. */
static bool put_none(struct options *o, const json_t *root, bool list)
{
	if (json_array_size(answer_array(root, list ? "metrics" : "points")))
		return false;
	buf_text(&o->program.out,
		 list ? "no such metric is stored\n" :
			"no data of this metric with exactly these dimensions "
			"in this time;\n`tally metrics list` shows what there "
			"is, --since earlier data\n");
	return true;
}

static bool run(struct options *o, struct buf *path)
{
	bool list = !strcmp(o->verb, "list");
	json_t *root;
	bool ok;

	if (list) {
		buf_text(path, "/api/v1/metrics/list");
		client_query(path, "namespace", o->namespace);
		client_query(path, "name", o->name);
	} else {
		data_path(o, path);
	}
	if (path->failed) {
		struct diag diag;

		diag_set(&diag, ERR_LIMIT, "the query is too long");
		program_fail(&o->program, &diag);
		return false;
	}
	if (!answer_ask(&o->program, path->ptr, &root))
		return false;
	if (!root) /* JSON was wanted, and is out */
		return true;
	if (answer_bool(root, "truncated"))
		fprintf(stderr,
			"%s: there are more: give NAMESPACE, or also NAME\n",
			o->program.name);
	if (!o->csv && put_none(o, root, list))
		ok = true;
	else if (list)
		ok = (o->csv ? csv_list : print_list)(&o->program, root);
	else if (o->csv)
		ok = csv_points(o, answer_array(root, "points"));
	else if (o->graph)
		ok = print_graph(o, answer_array(root, "points"));
	else
		ok = print_points(o, answer_array(root, "points"));
	json_decref(root);
	return ok;
}

int ctl_metrics(int argc, char **argv)
{
	struct options o = { .period_s = 60 };
	struct buf path = { .limit = CLIENT_URL_MAX };
	bool ok;

	if (!program_open(&o.program, &argp, argc, argv, &o))
		return PROGRAM_FAILED;
	ok = run(&o, &path);
	buf_fini(&path);
	return program_close(&o.program, ok ? PROGRAM_OK : PROGRAM_FAILED);
}
