/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>

#include <jansson.h>

#include "core/client/answer.h"
#include "core/client/client.h"
#include "core/sys/env.h"
#include "tui/loop.h"

enum {
	EXIT_USAGE = 2,
	INTERVAL_MS = 2000,
	INTERVAL_MS_MIN = 100,
	INTERVAL_MS_MAX = 3600000,
	ROWS_AROUND = 16, /* of --once: title, alarms and head */
};

enum { KEY_ONCE = 0x1000, KEY_JSON, KEY_COLOUR };

struct options {
	const char *endpoint;
	enum term_when colour;
	int interval_ms;
	enum sort sort;
	bool sorted;
	bool reverse;
	bool once;
	bool json;
};

static const struct argp_option option_list[] = {
	{ "endpoint", 'e', "URL", 0,
	  "The collector; without it $" CLIENT_ENDPOINT_VARIABLE
	  ", then " CLIENT_ENDPOINT_DEFAULT,
	  0 },
	{ "interval", 'i', "SECONDS", 0, "Ask the collector so often (2)", 0 },
	{ "sort", 's', "COLUMN", 0,
	  "name, invocations (so it begins), errors, p50, p99 or cost", 0 },
	{ "reverse", 'r', NULL, 0, "The other way round", 0 },
	{ "once", KEY_ONCE, NULL, 0, "Print one frame and exit", 0 },
	{ "json", KEY_JSON, NULL, 0,
	  "Print functions and alarms as JSON and exit", 0 },
	{ "color", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0 },
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
	case 'e':
		o->endpoint = arg;
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
	case KEY_JSON:
		o->json = true;
		return 0;
	case KEY_COLOUR:
		if (!term_when_parse(arg, &o->colour))
			argp_error(state, "--color is auto, always or never");
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
	.doc = "Shows functions live: invocations, errors, durations, cost, "
	       "and alarms.\v"
	       "On the screen, ? lists the keys.",
};

static int fail(const struct diag *diag)
{
	fprintf(stderr, "tally-top: %s\n", diag->text);
	return EXIT_FAILURE;
}

static int write_out(const struct buf *out)
{
	if (!out->failed && fwrite(out->ptr, 1, out->len, stdout) == out->len &&
	    !fflush(stdout))
		return EXIT_SUCCESS;
	fputs("tally-top: cannot write all to standard output\n", stderr);
	return EXIT_FAILURE;
}

/* What the two answers hold, in one object. */
static int print_json(struct client *client)
{
	json_t *root = NULL, *alarms = NULL;
	struct buf out = BUF_INIT;
	struct diag diag;
	char *text = NULL;
	int status;

	if (answer_get(client, "/api/v1/functions", &root, &diag) ||
	    answer_get(client, "/api/v1/alarms", &alarms, &diag)) {
		status = fail(&diag);
		goto done;
	}
	json_object_update_missing(root, alarms);
	text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(16));
	term_safe_json(&out, sv_from(text));
	buf_char(&out, '\n');
	status = write_out(&out);
done:
	free(text);
	json_decref(root);
	json_decref(alarms);
	buf_fini(&out);
	return status;
}

static int print_frame(struct top *top, struct client *client,
		       const struct term *term)
{
	struct delivery d;
	struct cells cells;
	struct diag diag;
	struct buf out = BUF_INIT;
	int status, rows = ROWS_AROUND;

	if (feed_once(client, env_posix(), &top->question, &d, &diag)) {
		delivery_fini(&d);
		return fail(&diag);
	}
	rows += (int)d.functions->count;
	top->once = true;
	top->now = d.link.heard;
	top_take(top, &d);
	delivery_fini(&d);
	if (cells_init(&cells, term->width, rows)) {
		diag_set(&diag, ERR_NOMEM, "out of memory");
		return fail(&diag);
	}
	top_draw(top, &cells);
	cells_print(&cells, term, &out);
	while (out.len > 1 && out.ptr[out.len - 1] == '\n' &&
	       out.ptr[out.len - 2] == '\n')
		out.len--;
	status = write_out(&out);
	cells_fini(&cells);
	buf_fini(&out);
	return status;
}

static int run_live(struct top *top, const struct options *o,
		    const struct term *term)
{
	struct screen *screen;
	struct feed *feed;
	struct diag diag;

	if (feed_open(&feed, env_posix(), o->endpoint, o->interval_ms, &diag))
		return fail(&diag);
	if (screen_open(&screen, term->colour, &diag)) {
		feed_close(feed);
		return fail(&diag);
	}
	loop_run(top, screen, feed, env_posix());
	screen_close(screen);
	feed_close(feed);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options o = { .interval_ms = INTERVAL_MS };
	struct client *client;
	struct diag diag;
	struct term term;
	struct top top;
	int status;

	argp_program_version = "tally-top (Tallyscope) " TALLY_VERSION;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	term_open(&term, 1, o.colour);
	if (client_open(&client, o.endpoint, NULL, &diag))
		return fail(&diag);
	top_init(&top, client_endpoint(client));
	top.utf8 = term.utf8;
	if (o.sorted) {
		top.sort = o.sort;
		top.reverse = o.sort != SORT_NAME;
	}
	if (o.reverse)
		top.reverse = !top.reverse;
	if (o.json)
		status = print_json(client);
	else if (o.once)
		status = print_frame(&top, client, &term);
	else
		status = run_live(&top, &o, &term);
	top_fini(&top);
	client_close(client);
	return status;
}
