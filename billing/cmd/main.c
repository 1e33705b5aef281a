/* SPDX-License-Identifier: Apache-2.0 */
/* tally-bill: the statement of a month, or the cost of one request. */
#include "billing/cmd/bill.h"
#include "billing/statement.h"
#include "core/client/program.h"
#include "core/client/tape.h"

enum { KEY_CSV = 0x3000 };

struct options {
	struct program program;
	bool csv;
	const char *month;
	const char *function;
	const char *request;
	const char *verb;
};

static const struct argp_option option_list[] = {
	{ "month", 'm', "YYYY-MM", 0,
	  "The month of the statement, in UTC (the current one)", 0 },
	{ "function", 'f', "NAME", 0, "Only this function's part", 0 },
	{ "csv", KEY_CSV, NULL, 0, "Print CSV: a row for each usage type", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct month month;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case 'm':
		if (!month_parse(&month, sv_from(arg)))
			argp_error(state, "--month must be YYYY-MM, as "
					  "2026-11");
		o->month = arg;
		return 0;
	case 'f':
		o->function = arg;
		return 0;
	case KEY_CSV:
		o->csv = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0 && !strcmp(arg, "request"))
			o->verb = arg;
		else if (state->arg_num == 1 && *arg)
			o->request = arg;
		else
			argp_error(state, "it is nothing, or request ID");
		return 0;
	case ARGP_KEY_END:
		if (o->csv && o->program.json)
			argp_error(state, "it is --csv or --json");
		if (o->verb && !o->request)
			argp_error(state, "request wants an ID");
		if (o->verb && (o->month || o->function))
			argp_error(state, "--month and --function are for the "
					  "statement, not for a request");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.args_doc = "\nrequest ID",
	.doc = "Prints the statement of a month: requests, GB-seconds, free "
	       "tier, price, cost of each function; or what one request cost "
	       "and why.\vAmounts are exact; only what stands under USD and "
	       "LIST PRICE is rounded, half up, and the exact figure is beside "
	       "it.",
	.children = program_children,
};

static void build_path(struct buf *path, const struct options *o)
{
	if (o->request) {
		buf_text(path, "/api/v1/usage/");
		client_escape(path, sv_from(o->request));
	} else {
		buf_text(path, "/api/v1/statement");
		client_query(path, "month", o->month);
	}
}

static int no_usage(const struct options *o)
{
	struct buf text = BUF_INIT;

	term_safe(&text, sv_from(o->function));
	fprintf(stderr,
		"%s: no usage of function %s in that month; tally-bill lists "
		"those with usage\n",
		o->program.name, text.ptr ? text.ptr : "");
	buf_fini(&text);
	return PROGRAM_FAILED;
}

static int print(struct options *o, const struct page *page, struct json root)
{
	struct json function = { 0 };
	bool ok;

	if (o->function) {
		function = find_function(page, root, o->function);
		if (!function.doc)
			return no_usage(o);
	}
	if (o->program.json) {
		program_json(&o->program,
			     json_raw(function.doc ? function : root));
		return PROGRAM_OK;
	}
	if (o->request)
		ok = (o->csv ? csv_request : print_request)(page, root);
	else if (function.doc)
		ok = (o->csv ? csv_function : print_function)(page, root,
							      function);
	else
		ok = (o->csv ? csv_statement : print_statement)(page, root);
	if (!ok)
		page->out->failed = true; /* program_close says so */
	return ok ? PROGRAM_OK : PROGRAM_FAILED;
}

static int run(struct options *o)
{
	struct program *p = &o->program;
	struct arena arena = ARENA_INIT;
	struct buf path = BUF_INIT;
	struct page page = { &p->term, &arena, &p->out };
	struct diag diag = { 0 };
	struct json root = { 0 };
	int status, e;

	build_path(&path, o);
	e = path.failed ? diag_set(&diag, ERR_NOMEM, "out of memory") :
			  tape_get(p->client, path.ptr, &arena, &root, &diag);
	status = e ? program_fail(p, &diag) : print(o, &page, root);
	arena_fini(&arena);
	buf_fini(&path);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .program.name = "tally-bill" };

	argp_program_version = "tally-bill (Tallyscope) " TALLY_VERSION;
	if (!program_open(&o.program, &argp, argc, argv, &o))
		return PROGRAM_FAILED;
	return program_close(&o.program, run(&o));
}
