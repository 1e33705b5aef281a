/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/answer.h"
#include "core/client/program.h"
#include "core/sys/env.h"
#include "tui/loop.h"

enum {
	INTERVAL_MS = 2000,
	INTERVAL_MS_MIN = 100,
	INTERVAL_MS_MAX = 3600000,
	ROWS_AROUND = 16, /* of --once: title, alarms and head */
};

enum { KEY_ONCE = 0x2000 };

struct options {
	struct program program;
	int interval_ms;
	enum sort sort;
	bool sorted;
	bool reverse;
	bool once;
};

static const struct argp_option option_list[] = {
	{ "interval", 'i', "SECONDS", 0, "Ask the collector so often (2)", 0 },
	{ "sort", 's', "COLUMN", 0,
	  "name, invocations (so it begins), errors, p50, p99 or cost", 0 },
	{ "reverse", 'r', NULL, 0, "The other way round", 0 },
	{ "once", KEY_ONCE, NULL, 0, "Print one frame and exit", 0 },
	{ 0 },
};

/* Seconds with up to three decimals, as milliseconds. */
static bool parse_interval(const char *text, int *out)
{
	struct sv part = sv_from(text);
	struct sv whole = sv_cut(&part, '.');
	uint64_t s, ms = 0;

	if (!sv_to_u64(whole, &s) || s > INTERVAL_MS_MAX / 1000 ||
	    (part.ptr && (part.len > 3 || !sv_to_u64(part, &ms))))
		return false;
	for (size_t i = part.ptr ? part.len : 3; i < 3; i++)
		ms *= 10;
	*out = (int)(s * 1000 + ms);
	return *out >= INTERVAL_MS_MIN && *out <= INTERVAL_MS_MAX;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case 'i':
		if (!parse_interval(arg, &o->interval_ms))
			argp_error(state, "--interval is 0.1 to 3600 seconds");
		return 0;
	case 's':
		if (!top_sort_parse(arg, &o->sort))
			argp_error(state, "--sort is name, invocations, "
					  "errors, p50, p99 or cost");
		o->sorted = true;
		return 0;
	case 'r':
		o->reverse = true;
		return 0;
	case KEY_ONCE:
		o->once = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "takes no argument");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Among its own options, not below them. */
static const struct argp_child children[] = { { &program_argp, 0, NULL, 0 },
					      { 0 } };

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.doc = "Shows functions live: invocations, errors, durations, cost, "
	       "and alarms.\v"
	       "On the screen, ? lists the keys.",
	.children = children,
};

/* What the two answers hold, in one object. */
static int print_json(struct program *p)
{
	json_t *root = NULL, *alarms = NULL;
	struct diag diag;
	int status = PROGRAM_OK;

	if (answer_get(p->client, "/api/v1/functions", &root, &diag) ||
	    answer_get(p->client, "/api/v1/alarms", &alarms, &diag)) {
		status = program_fail(p, &diag);
	} else {
		json_object_update_missing(root, alarms);
		answer_print(p, root);
	}
	json_decref(root);
	json_decref(alarms);
	return status;
}

static int print_frame(struct top *top, struct program *p)
{
	struct delivery d;
	struct cells cells;
	struct diag diag;
	int rows = ROWS_AROUND;

	if (feed_once(p->client, env_posix(), &top->question, &d, &diag)) {
		delivery_fini(&d);
		return program_fail(p, &diag);
	}
	rows += (int)d.functions->count;
	top->once = true;
	top->now = d.link.heard;
	top_take(top, &d);
	delivery_fini(&d);
	if (cells_init(&cells, p->term.width, rows)) {
		diag_set(&diag, ERR_NOMEM, "out of memory");
		return program_fail(p, &diag);
	}
	top_draw(top, &cells);
	cells_print(&cells, &p->term, &p->out);
	while (p->out.len > 1 && p->out.ptr[p->out.len - 1] == '\n' &&
	       p->out.ptr[p->out.len - 2] == '\n')
		p->out.len--;
	cells_fini(&cells);
	return PROGRAM_OK;
}

static int run_live(struct top *top, const struct options *o)
{
	struct screen *screen;
	struct feed *feed;
	struct diag diag;

	if (feed_open(&feed, env_posix(), &o->program.settings, o->interval_ms,
		      &diag))
		return program_fail(&o->program, &diag);
	if (screen_open(&screen, o->program.term.colour, &diag)) {
		feed_close(feed);
		return program_fail(&o->program, &diag);
	}
	loop_run(top, screen, feed, env_posix());
	screen_close(screen);
	feed_close(feed);
	return PROGRAM_OK;
}

int main(int argc, char **argv)
{
	struct options o = {
		.program.name = "tally-top",
		.program.json_help =
			"Print functions and alarms as JSON and exit",
		.interval_ms = INTERVAL_MS,
	};
	struct top top;
	int status;

	argp_program_version = "tally-top (Tallyscope) " TALLY_VERSION;
	if (!program_open(&o.program, &argp, argc, argv, &o))
		return PROGRAM_FAILED;
	top_init(&top, client_endpoint(o.program.client));
	top.utf8 = o.program.term.utf8;
	if (o.sorted) {
		top.sort = o.sort;
		top.reverse = o.sort != SORT_NAME;
	}
	if (o.reverse)
		top.reverse = !top.reverse;
	if (o.program.json)
		status = print_json(&o.program);
	else if (o.once)
		status = print_frame(&top, &o.program);
	else
		status = run_live(&top, &o);
	top_fini(&top);
	return program_close(&o.program, status);
}
