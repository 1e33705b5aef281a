/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace: one request with all that is known of it, the list of requests,
 * and the service map. */
#include "core/client/when.h"
#include "tracer/cmd/cmd.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 10000 };
enum { KEY_SINCE = 0x2000, KEY_UNTIL, KEY_DOT, KEY_SVG, KEY_PNG };

const char *argp_program_version = "tally-trace (Tallyscope) " TALLY_VERSION;

struct arguments {
	struct cmd cmd;
	const char *what; /* an id, "map" or "list" */
};

static const struct argp_option options[] = {
	{ "since", KEY_SINCE, "TIME", 0,
	  "map, list: from here on (1h): " WHEN_HELP, 0 },
	{ "until", KEY_UNTIL, "TIME", 0, "map, list: up to here (now)", 0 },
	{ "function", 'f', "NAME", 0,
	  "list: only requests that went through this function or service", 0 },
	{ "svg", KEY_SVG, "FILE", 0,
	  "map: draw it into FILE (-: standard output)", 0 },
	{ "png", KEY_PNG, "FILE", 0, "map: the same, as pixels", 0 },
	{ "dot", KEY_DOT, NULL, 0, "map: print it in Graphviz's language", 0 },
	{ "limit", 'n', "N", 0, "list: at most N requests (50)", 0 },
	{ 0 },
};

static void draw(struct argp_state *state, struct cmd *c,
		 enum cmd_drawing drawing, const char *path)
{
	if (c->drawing)
		argp_error(state, "--dot, --svg and --png exclude each other");
	c->drawing = drawing;
	c->drawing_path = path;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	struct cmd *c = &a->cmd;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->program;
		return 0;
	case 'f':
		c->function = arg;
		return 0;
	case 'n':
		c->limit = program_number(state, "--limit", arg, 1, LIMIT_MAX);
		return 0;
	case KEY_DOT:
		draw(state, c, CMD_DOT, NULL);
		return 0;
	case KEY_SVG:
		draw(state, c, CMD_SVG, arg);
		return 0;
	case KEY_PNG:
		draw(state, c, CMD_PNG, arg);
		return 0;
	case KEY_SINCE:
		c->since = program_when(state, &c->program, "--since", arg);
		return 0;
	case KEY_UNTIL:
		c->until = program_when(state, &c->program, "--until", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_usage(state);
		a->what = arg;
		return 0;
	case ARGP_KEY_END:
		if (c->drawing && (!a->what || strcmp(a->what, "map")))
			argp_error(state, "only the map is drawn");
		if (c->drawing && c->program.json)
			argp_error(state, "--json draws nothing");
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Among its own options, not below them. */
static const struct argp_child children[] = { { &program_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID\nlist\nmap",
	.doc = "Shows a request by its trace id or request id: what it went "
	       "through and for how long, its log lines, and what it cost and "
	       "why; or lists requests; or prints the service map.",
	.children = children,
};

static int run(struct cmd *c, const char *what)
{
	if (!strcmp(what, "map"))
		return cmd_map(c);
	if (!strcmp(what, "list"))
		return cmd_list(c);
	return cmd_show(c, what);
}

int main(int argc, char **argv)
{
	struct arguments a = {
		.cmd.program.name = "tally-trace",
		.cmd.program.json_help = "Print the collector's answer",
		.cmd.limit = LIMIT_DEFAULT,
	};
	struct cmd *c = &a.cmd;
	int status;

	if (!program_open(&c->program, &argp, argc, argv, &a))
		return PROGRAM_FAILED;
	status = run(c, a.what);
	arena_fini(&c->arena);
	return program_close(&c->program, status);
}
