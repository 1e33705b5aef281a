/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace: one request with all that is known of it, the list of requests,
 * and the service map. */
#include <argp.h>

#include "core/client/when.h"
#include "core/sys/env.h"
#include "tracer/cmd/cmd.h"

enum { LIMIT_MAX = 10000 };
enum { KEY_JSON = 0x1000, KEY_COLOUR, KEY_SINCE, KEY_UNTIL };

const char *argp_program_version = "tally-trace (Tallyscope) " TALLY_VERSION;

struct arguments {
	struct cmd cmd;
	const char *what; /* an id, "map" or "list" */
};

static const struct argp_option options[] = {
	{ "endpoint", 'e', "URL", 0,
	  "The collector; without it $" CLIENT_ENDPOINT_VARIABLE
	  ", then " CLIENT_ENDPOINT_DEFAULT,
	  0 },
	{ "since", KEY_SINCE, "TIME", 0,
	  "map, list: from here on (1h): " WHEN_HELP, 0 },
	{ "until", KEY_UNTIL, "TIME", 0, "map, list: up to here (now)", 0 },
	{ "function", 'f', "NAME", 0,
	  "list: only requests that went through this function or service", 0 },
	{ "limit", 'n', "N", 0, "list: at most N requests (50)", 0 },
	{ "json", KEY_JSON, NULL, 0, "Print the collector's answer", 0 },
	{ "color", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0 },
	{ 0 },
};

static void parse_when(struct argp_state *state, struct cmd *c,
		       const char *option, const char *text, double *out)
{
	if (!when_parse(text, c->now, out))
		argp_error(state, "%s is a time: %s", option, WHEN_HELP);
}

static void parse_limit(struct argp_state *state, struct cmd *c,
			const char *text)
{
	if (!sv_to_i64(sv_from(text), &c->limit) || c->limit < 1 ||
	    c->limit > LIMIT_MAX)
		argp_error(state, "--limit is a number from 1 to %d",
			   LIMIT_MAX);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	struct cmd *c = &a->cmd;

	switch (key) {
	case 'e':
		c->endpoint = arg;
		return 0;
	case 'f':
		c->function = arg;
		return 0;
	case 'n':
		parse_limit(state, c, arg);
		return 0;
	case KEY_SINCE:
		parse_when(state, c, "--since", arg, &c->since);
		return 0;
	case KEY_UNTIL:
		parse_when(state, c, "--until", arg, &c->until);
		return 0;
	case KEY_JSON:
		c->json = true;
		return 0;
	case KEY_COLOUR:
		if (!term_when_parse(arg, &c->colour))
			argp_error(state, "--color is auto, always or never");
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_usage(state);
		a->what = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID\nlist\nmap",
	.doc = "Shows a request by its trace id or request id: what it went "
	       "through and for how long, its log lines, and what it cost and "
	       "why; or lists requests; or prints the service map.",
};

static int run(struct cmd *c, const char *what)
{
	if (!strcmp(what, "map"))
		return cmd_map(c);
	if (!strcmp(what, "list"))
		return cmd_list(c);
	return cmd_show(c, what);
}

/* False: standard output takes no more. */
static bool write_out(const struct cmd *c)
{
	bool ok = !c->out.failed;

	if (c->out.len)
		ok = fwrite(c->out.ptr, 1, c->out.len, stdout) == c->out.len &&
		     ok;
	return fflush(stdout) == 0 && ok;
}

int main(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct cmd *c = &a.cmd;
	struct diag diag;
	int status;

	argp_err_exit_status = 2;
	c->now = (double)env_wall(env_posix()).ns / (double)NS_PER_S;
	c->out.limit = 4 * (size_t)CLIENT_ANSWER_MAX;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	term_open(&c->term, 1, c->colour);
	if (client_open(&c->client, c->endpoint, NULL, &diag))
		return cmd_fail(&diag);
	status = run(c, a.what);
	if (!write_out(c)) {
		fprintf(stderr,
			"tally-trace: cannot write all to standard output\n");
		status = 1;
	}
	client_close(c->client);
	arena_fini(&c->arena);
	buf_fini(&c->out);
	return status;
}
