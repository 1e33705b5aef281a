/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace: one request with all that is known of it, requests that were
 * searched for, and the service map. */
#include "core/client/when.h"
#include "tracer/cmd/cmd.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 10000 };
enum {
	KEY_SINCE = 0x2000,
	KEY_UNTIL,
	KEY_DOT,
	KEY_SVG,
	KEY_PNG,
	KEY_FUNCTION,
	KEY_OTLP,
};

const char *argp_program_version = "tally-trace (Tallyscope) " TALLY_VERSION;

struct arguments {
	struct cmd cmd;
	const char *what; /* an id, or one of verbs */
	const char *id;   /* of export */
};

static const struct argp_option options[] = {
	{ "since", KEY_SINCE, "TIME", 0,
	  "map, list, search, compare: from here on (1h): " WHEN_HELP, 0 },
	{ "until", KEY_UNTIL, "TIME", 0,
	  "map, list, search, compare: up to here (now)", 0 },
	{ "function", KEY_FUNCTION, "NAME", 0,
	  "list: only requests that went through this function or service", 0 },
	{ "follow", 'f', NULL, 0,
	  "list, search: go on with new requests until interrupted", 0 },
	{ "svg", KEY_SVG, "FILE", 0,
	  "map: draw it into FILE (-: standard output)", 0 },
	{ "png", KEY_PNG, "FILE", 0, "map: the same, as pixels", 0 },
	{ "dot", KEY_DOT, NULL, 0, "map: print it in Graphviz's language", 0 },
	{ "otlp", KEY_OTLP, NULL, 0,
	  "export: in OpenTelemetry's form, not X-Ray's", 0 },
	{ "limit", 'n', "N", 0,
	  "list, search: at most N requests (50); compare: N rows (20)", 0 },
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

static bool is(const struct arguments *a, const char *verb)
{
	return a->what && !strcmp(a->what, verb);
}

/* One behind the verb. False: it takes no such. */
static bool take_argument(struct arguments *a, unsigned n, const char *text)
{
	if (n == 1 && (is(a, "search") || is(a, "compare")))
		a->cmd.filter = text;
	else if (n == 2 && is(a, "compare"))
		a->cmd.other = text;
	else if (n == 1 && is(a, "export"))
		a->id = text;
	else
		return false;
	return true;
}

static void check_verb(struct argp_state *state, const struct arguments *a)
{
	if (is(a, "search") && !a->cmd.filter)
		argp_error(state, "search wants an expression, such as "
				  "'service(\"orders\") { fault }'");
	if (is(a, "compare") && !a->cmd.other)
		argp_error(state, "compare wants two expressions, such as "
				  "'duration > 1' 'duration <= 1'");
	if (is(a, "export") && !a->id)
		argp_error(state, "export wants a trace id or a request id");
}

static bool is_list(const char *what)
{
	return what && (!strcmp(what, "list") || !strcmp(what, "search"));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *a = state->input;
	struct cmd *c = &a->cmd;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->program;
		return 0;
	case KEY_FUNCTION:
		c->function = arg;
		return 0;
	case 'f':
		c->follow = true;
		return 0;
	case 'n':
		c->limit_given = true;
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
	case KEY_OTLP:
		c->otlp = true;
		return 0;
	case KEY_SINCE:
		c->since = program_when(state, &c->program, "--since", arg);
		return 0;
	case KEY_UNTIL:
		c->until = program_when(state, &c->program, "--until", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			a->what = arg;
		else if (!take_argument(a, state->arg_num, arg))
			argp_usage(state);
		return 0;
	case ARGP_KEY_END:
		check_verb(state, a);
		if (c->otlp && !a->id)
			argp_error(state, "--otlp is for export");
		if (c->follow && (c->until > 0 || !is_list(a->what)))
			argp_error(state, "--follow is for list and search, "
					  "without --until");
		if (c->drawing && !is(a, "map"))
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
	.args_doc = "ID\nlist\nsearch EXPRESSION\nmap\n"
		    "compare EXPRESSION EXPRESSION\nexport ID",
	.doc = "Shows a request by its trace id or request id: what it went "
	       "through and for how long, its log lines, and what it cost and "
	       "why; or lists requests, all or those that a filter "
	       "expression selects; or prints the service map, what tells "
	       "two sets of requests from each other, or the documents of a "
	       "request for other programs.",
	.children = children,
};

static int run(struct cmd *c, const char *what, const char *id)
{
	if (id)
		return cmd_export(c, id);
	if (!strcmp(what, "map"))
		return cmd_map(c);
	if (!strcmp(what, "compare"))
		return cmd_compare(c);
	if (is_list(what))
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
	status = run(c, a.what, a.id);
	arena_fini(&c->arena);
	return program_close(&c->program, status);
}
