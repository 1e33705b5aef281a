/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ctl/ctl.h"

enum { LIMIT_MAX = 10000 };

struct options {
	struct program program;
	const char *verb;
	const char *name;
	int64_t limit;
};

static const struct argp_option option_list[] = {
	{ "limit", 'n', "N", 0, "At most N changes (100)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case 'n':
		o->limit = program_number(state, "--limit", arg, 1, LIMIT_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0 &&
		    (!strcmp(arg, "list") || !strcmp(arg, "history")))
			o->verb = arg;
		else if (state->arg_num == 1 && !strcmp(o->verb, "history"))
			o->name = arg;
		else
			argp_error(state, "it is list, or history with at "
					  "most one NAME");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.args_doc = "[list]\nhistory [NAME]",
	.doc = "Lists alarms with their state, or the changes of state.",
	.children = program_children,
};

static enum term_style style_of(struct sv state)
{
	if (sv_eq(state, SV("ALARM")))
		return TERM_RED;
	return sv_eq(state, SV("OK")) ? TERM_GREEN : TERM_YELLOW;
}

/* "AWS/Lambda Errors Sum(60s) >= 1, 2 of 3" */
static void condition(struct buf *out, const json_t *alarm)
{
	static const struct {
		const char *name;
		const char *sign;
	} signs[] = {
		{ "GreaterThanOrEqualToThreshold", ">=" },
		{ "GreaterThanThreshold", ">" },
		{ "LessThanThreshold", "<" },
		{ "LessThanOrEqualToThreshold", "<=" },
	};
	const char *comparison = answer_string(alarm, "comparison");
	int64_t needed = answer_integer(alarm, "datapoints");
	int64_t of = answer_integer(alarm, "evaluation_periods");

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (!strcmp(comparison, signs[i].name))
			comparison = signs[i].sign;
	buf_format(out, "%s %s %s(%llds) %s %g",
		   answer_string(alarm, "namespace"),
		   answer_string(alarm, "metric"),
		   answer_string(alarm, "statistic"),
		   (long long)answer_integer(alarm, "period"), comparison,
		   answer_number(alarm, "threshold"));
	if (of > 1)
		buf_format(out, ", %lld of %lld",
			   (long long)(needed ? needed : of), (long long)of);
}

static void cell_time(struct term_table *table, double epoch, bool ms)
{
	struct buf text = BUF_INIT;

	term_time(&text, epoch, ms);
	term_cell(table, TERM_DIM, buf_view(&text));
	buf_fini(&text);
}

static bool print_list(struct program *p, const json_t *root)
{
	static const struct term_column columns[] = {
		{ .title = "NAME", .shrink = true },
		{ .title = "STATE" },
		{ .title = "SINCE" },
		{ .title = "CONDITION", .shrink = true },
		{ .title = "REASON", .shrink = true },
	};
	struct term_table *table =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *alarm;
	struct buf text = BUF_INIT;
	size_t i;
	bool ok;

	if (!table)
		return false;
	json_array_foreach(answer_array(root, "alarms"), i, alarm)
	{
		struct sv state = answer_text(alarm, "state");

		term_cell(table, TERM_PLAIN, answer_text(alarm, "name"));
		term_cell(table, style_of(state), state);
		cell_time(table, answer_number(alarm, "since"), false);
		buf_reset(&text);
		condition(&text, alarm);
		term_cell(table, TERM_PLAIN, buf_view(&text));
		term_cell(table, TERM_PLAIN, answer_text(alarm, "reason"));
	}
	buf_fini(&text);
	ok = term_table_print(&p->term, table, &p->out);
	term_table_free(table);
	return ok;
}

static bool print_history(struct program *p, const json_t *root)
{
	static const struct term_column columns[] = {
		{ .title = "TIME" },
		{ .title = "NAME", .shrink = true },
		{ .title = "FROM" },
		{ .title = "TO" },
		{ .title = "REASON", .shrink = true },
	};
	struct term_table *table =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *change;
	size_t i;
	bool ok;

	if (!table)
		return false;
	json_array_foreach(answer_array(root, "changes"), i, change)
	{
		struct sv from = answer_text(change, "from");
		struct sv to = answer_text(change, "to");

		cell_time(table, answer_number(change, "time"), false);
		term_cell(table, TERM_PLAIN, answer_text(change, "name"));
		term_cell(table, style_of(from), from);
		term_cell(table, style_of(to), to);
		term_cell(table, TERM_PLAIN, answer_text(change, "reason"));
	}
	ok = term_table_print(&p->term, table, &p->out);
	term_table_free(table);
	return ok;
}

int ctl_alarm(int argc, char **argv)
{
	struct options o = { .verb = "list", .limit = 100 };
	struct buf path = { .limit = CLIENT_URL_MAX };
	json_t *root;
	bool history, ok;

	if (!program_open(&o.program, &argp, argc, argv, &o))
		return PROGRAM_FAILED;
	history = !strcmp(o.verb, "history");
	buf_text(&path, "/api/v1/alarms");
	if (history) {
		buf_text(&path, "/history");
		client_query(&path, "name", o.name);
		client_query_number(&path, "limit", o.limit);
	}
	ok = answer_ask(&o.program, path.ptr, &root);
	if (ok && root &&
	    !json_array_size(
		    answer_array(root, history ? "changes" : "alarms")))
		buf_text(&o.program.out,
			 !history ? "no alarm is defined\n" :
			 o.name   ? "no change of an alarm of this name is "
				    "known; `tally alarm` shows all\n" :
				    "no alarm has changed\n");
	else if (ok && root)
		ok = history ? print_history(&o.program, root) :
			       print_list(&o.program, root);
	json_decref(root);
	buf_fini(&path);
	return program_close(&o.program, ok ? PROGRAM_OK : PROGRAM_FAILED);
}
