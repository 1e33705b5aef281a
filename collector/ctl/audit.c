/* SPDX-License-Identifier: Apache-2.0 */
/* tally audit: who changed what, and who was refused, newest first. */
#include "collector/ctl/ctl.h"
#include "core/client/when.h"

enum { LIMIT_MAX = 10000, KEY_SINCE = 0x2000, KEY_UNTIL, KEY_OPERATION };

struct options {
	struct program program;
	const char *caller;
	const char *operation;
	double since, until;
	int64_t limit;
};

static const struct argp_option option_list[] = {
	{ "since", KEY_SINCE, "TIME", 0, "From here (a week ago): " WHEN_HELP,
	  0 },
	{ "until", KEY_UNTIL, "TIME", 0, "To here (now)", 0 },
	{ "caller", 'c', "NAME", 0, "Only of this key, by name or id", 0 },
	{ "operation", KEY_OPERATION, "NAME", 0, "Only of this operation", 0 },
	{ "limit", 'n', "N", 0, "At most N rows (100)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case KEY_SINCE:
		o->since = program_when(state, &o->program, "--since", arg);
		return 0;
	case KEY_UNTIL:
		o->until = program_when(state, &o->program, "--until", arg);
		return 0;
	case 'c':
		o->caller = arg;
		return 0;
	case KEY_OPERATION:
		o->operation = arg;
		return 0;
	case 'n':
		o->limit = program_number(state, "--limit", arg, 1, LIMIT_MAX);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "takes no argument");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.doc = "Prints the collector's audit log, newest first: calls that "
	       "change settings, and refusals.\vNeeds a key with the role "
	       "admin.",
	.children = program_children,
};

/* "X-Ray PutTraceSegments", or what there is of it. */
static void cell_call(struct term_table *table, const json_t *row)
{
	struct sv service = answer_text(row, "service");
	struct sv operation = answer_text(row, "operation");
	struct buf text = BUF_INIT;

	buf_sv(&text, service);
	if (service.len && operation.len)
		buf_char(&text, ' ');
	buf_sv(&text, operation);
	term_cell(table, TERM_PLAIN, buf_view(&text));
	buf_fini(&text);
}

static bool print_rows(struct program *p, const json_t *rows)
{
	static const struct term_column columns[] = {
		{ .title = "TIME" },
		{ .title = "KIND" },
		{ .title = "CALLER", .shrink = true },
		{ .title = "CALL", .shrink = true },
		{ .title = "FROM", .shrink = true },
		{ .title = "OUTCOME", .shrink = true },
		{ .title = "COUNT", .align = TERM_RIGHT },
	};
	struct term_table *table =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *row;
	size_t i;
	bool ok;

	if (!table)
		return false;
	json_array_foreach(rows, i, row)
	{
		bool good = !strcmp(answer_string(row, "outcome"), "ok");

		term_cell(table, TERM_DIM, answer_text(row, "time"));
		term_cell(table, TERM_PLAIN, answer_text(row, "kind"));
		term_cell(table, TERM_PLAIN, answer_text(row, "caller"));
		cell_call(table, row);
		term_cell(table, TERM_PLAIN, answer_text(row, "address"));
		term_cell(table, good ? TERM_GREEN : TERM_YELLOW,
			  answer_text(row, "outcome"));
		term_cellf(table, TERM_PLAIN, "%lld",
			   (long long)answer_integer(row, "count"));
	}
	ok = term_table_print(&p->term, table, &p->out);
	term_table_free(table);
	return ok;
}

int ctl_audit(int argc, char **argv)
{
	struct options o = { .limit = 100 };
	struct buf path = { .limit = CLIENT_URL_MAX };
	json_t *root = NULL;
	bool ok;

	if (!program_open(&o.program, &argp, argc, argv, &o))
		return PROGRAM_FAILED;
	buf_text(&path, "/api/v1/audit");
	client_query(&path, "caller", o.caller);
	client_query(&path, "operation", o.operation);
	if (o.since > 0)
		when_query(&path, "start", o.since);
	if (o.until > 0)
		when_query(&path, "end", o.until);
	client_query_number(&path, "limit", o.limit);
	ok = answer_ask(&o.program, path.ptr ? path.ptr : "", &root);
	if (ok && root && !json_array_size(answer_array(root, "rows")))
		buf_text(&o.program.out, "nothing was audited in this time\n");
	else if (ok && root)
		ok = print_rows(&o.program, answer_array(root, "rows"));
	if (ok && answer_bool(root, "truncated"))
		buf_text(&o.program.out, "there are more (--limit)\n");
	json_decref(root);
	buf_fini(&path);
	return program_close(&o.program, ok ? PROGRAM_OK : PROGRAM_FAILED);
}
