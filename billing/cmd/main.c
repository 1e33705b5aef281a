/* SPDX-License-Identifier: Apache-2.0 */
/* tally-bill: the statement of a month, or the cost of one request. */
#include <argp.h>

#include "billing/cmd/bill.h"
#include "billing/statement.h"
#include "core/client/client.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };
enum { KEY_JSON = 0x1000, KEY_COLOUR };

struct options {
	const char *endpoint;
	const char *month;
	const char *function;
	const char *request;
	const char *verb;
	bool json;
	enum term_when colour;
};

static const struct argp_option option_list[] = {
	{ "month", 'm', "YYYY-MM", 0,
	  "The month of the statement, in UTC (the current one)", 0 },
	{ "function", 'f', "NAME", 0, "Only this function's part", 0 },
	{ "endpoint", 'e', "URL", 0,
	  "The collector; without it $" CLIENT_ENDPOINT_VARIABLE
	  ", then " CLIENT_ENDPOINT_DEFAULT,
	  1 },
	{ "json", KEY_JSON, NULL, 0, "Print JSON", 1 },
	{ "color", KEY_COLOUR, "WHEN", 0, "auto, always or never", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct month month;

	switch (key) {
	case 'm':
		if (!month_parse(&month, sv_from(arg)))
			argp_error(state, "--month must be YYYY-MM, as "
					  "2026-11");
		o->month = arg;
		return 0;
	case 'f':
		o->function = arg;
		return 0;
	case 'e':
		o->endpoint = arg;
		return 0;
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_COLOUR:
		if (!term_when_parse(arg, &o->colour))
			argp_error(state, "--color is auto, always or never");
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

static int say(const struct diag *diag)
{
	fprintf(stderr, "tally-bill: %s\n", diag->text);
	return EXIT_FAILED;
}

static int print(const struct options *o, const struct page *p, struct sv body,
		 struct json root)
{
	struct json function = { 0 };
	bool ok;

	if (o->function) {
		function = find_function(p, root, o->function);
		if (!function.doc) {
			struct buf text = BUF_INIT;

			buf_text(&text, "no usage of function ");
			term_safe(&text, sv_from(o->function));
			fprintf(stderr,
				"tally-bill: %s in that month; "
				"tally-bill lists those with usage\n",
				text.ptr ? text.ptr : "");
			buf_fini(&text);
			return EXIT_FAILED;
		}
	}
	if (o->json) {
		term_safe_json(p->out,
			       sv_trim(function.doc ? json_raw(function) :
						      body));
		buf_char(p->out, '\n');
		ok = !p->out->failed;
	} else if (o->request) {
		ok = print_request(p, root);
	} else if (function.doc) {
		ok = print_function(p, root, function);
	} else {
		ok = print_statement(p, root);
	}
	if (!ok || fwrite(p->out->ptr, 1, p->out->len, stdout) != p->out->len ||
	    fflush(stdout)) {
		fputs("tally-bill: cannot write all to standard output\n",
		      stderr);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int run(const struct options *o, const struct term *term,
	       struct client *client)
{
	struct arena arena = ARENA_INIT;
	struct buf path = BUF_INIT;
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	struct buf out = { .limit = 2 * (size_t)CLIENT_ANSWER_MAX };
	struct page page = { term, &arena, &out };
	struct diag diag = { 0 };
	struct json_doc doc;
	int status;
	int e;

	build_path(&path, o);
	e = path.failed ? diag_set(&diag, ERR_NOMEM, "out of memory") :
			  client_get(client, path.ptr, &body, &diag);
	if (!e)
		e = json_parse(&doc, &arena, buf_view(&body), &diag);
	status = e ? say(&diag) :
		     print(o, &page, buf_view(&body), json_root(&doc));
	arena_fini(&arena);
	buf_fini(&path);
	buf_fini(&body);
	buf_fini(&out);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct client *client;
	struct term term;
	struct diag diag;
	int status;

	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "tally-bill (Tallyscope) " TALLY_VERSION;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	term_open(&term, 1, o.colour);
	if (client_open(&client, o.endpoint, NULL, &diag))
		return say(&diag);
	status = run(&o, &term, client);
	client_close(client);
	return status;
}
