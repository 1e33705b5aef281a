/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally logs. Without --follow it is one question. Following asks every second
 * for the last FOLLOW_OVERLAP_S again, because events arrive late and not in
 * order, and prints those that the answer before did not have: an event has no
 * id of its own, so it is known by the hash of all its fields and its number
 * among equal ones.
 */
#include <math.h>
#include <time.h>

#include <xxhash.h>

#include "collector/ctl/ctl.h"
#include "core/client/when.h"
#include "core/codec/csv_write.h"
#include "core/codec/time_text.h"

enum {
	LIMIT_DEFAULT = 1000,
	LIMIT_MAX = 10000, /* the API's */
	FOLLOW_OVERLAP_S = 10,
	FOLLOW_LIMIT = LIMIT_MAX, /* in one answer, and so to remember */
	SINCE_DEFAULT_S = 3600,
};

enum { KEY_SINCE = 0x2000, KEY_UNTIL, KEY_FILTER, KEY_REQUEST, KEY_CSV };

struct options {
	struct program program;
	const char *group;
	const char *stream;
	const char *filter;
	const char *request_id;
	double since;
	double until;
	int64_t limit;
	bool follow;
	bool csv;
};

static const struct argp_option option_list[] = {
	{ "stream", 's', "NAME", 0, "Only this log stream", 0 },
	{ "since", KEY_SINCE, "TIME", 0, "From here on (1h): " WHEN_HELP, 0 },
	{ "until", KEY_UNTIL, "TIME", 0, "Up to here (now)", 0 },
	{ "filter", KEY_FILTER, "TEXT", 0, "Only messages with TEXT in them",
	  0 },
	{ "request-id", KEY_REQUEST, "ID", 0, "Only this request's events", 0 },
	{ "follow", 'f', NULL, 0, "Go on with new events until interrupted",
	  0 },
	{ "limit", 'n', "N", 0, "At most N events, the latest (1000)", 0 },
	{ "csv", KEY_CSV, NULL, 0, "Print CSV", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case 's':
		o->stream = arg;
		return 0;
	case KEY_SINCE:
		o->since = program_when(state, &o->program, "--since", arg);
		return 0;
	case KEY_UNTIL:
		o->until = program_when(state, &o->program, "--until", arg);
		return 0;
	case KEY_FILTER:
		o->filter = arg;
		return 0;
	case KEY_REQUEST:
		o->request_id = arg;
		return 0;
	case KEY_CSV:
		o->csv = true;
		return 0;
	case 'f':
		o->follow = true;
		return 0;
	case 'n':
		o->limit = program_number(state, "--limit", arg, 1, LIMIT_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_usage(state);
		o->group = arg;
		return 0;
	case ARGP_KEY_END:
		if (o->follow && o->until > 0)
			argp_error(state, "--follow has no --until");
		if (o->csv && o->program.json)
			argp_error(state, "--csv and --json exclude each "
					  "other");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.args_doc = "[GROUP]",
	.doc = "Prints log events, oldest first: of GROUP, or of all groups.\v"
	       "With --json one object a line.",
	.children = program_children,
};

/* end 0: none. */
static bool ask(struct options *o, const char *order, double start, double end,
		int64_t limit, json_t **root)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct diag diag;
	int err;

	buf_text(&path, "/api/v1/logs");
	client_query(&path, "group", o->group);
	client_query(&path, "stream", o->stream);
	client_query(&path, "request_id", o->request_id);
	client_query(&path, "contains", o->filter);
	if (start > 0)
		when_query(&path, "start", start);
	if (end > 0)
		when_query(&path, "end", end);
	client_query(&path, "order", order);
	client_query_number(&path, "limit", limit);
	if (path.failed)
		err = diag_set(&diag, ERR_LIMIT, "the query is too long");
	else
		err = answer_get(o->program.client, path.ptr, root, &diag);
	if (err)
		program_fail(&o->program, &diag);
	buf_fini(&path);
	return !err;
}

static void csv_heading(struct options *o)
{
	struct csv_writer w = csv_writer(&o->program.out);

	csv_put_text(&w, "time");
	csv_put_text(&w, "group");
	csv_put_text(&w, "stream");
	csv_put_text(&w, "message");
	csv_end_row(&w);
}

static void csv_event(struct options *o, const json_t *event)
{
	struct csv_writer w = csv_writer(&o->program.out);
	struct buf time = BUF_INIT;
	int64_t ns;

	if (time_from_double(answer_number(event, "time"), &ns))
		time_put_iso(&time, ns);
	csv_put_sv(&w, buf_view(&time));
	csv_put_sv(&w, answer_text(event, "group"));
	csv_put_sv(&w, answer_text(event, "stream"));
	csv_put_sv(&w, answer_text(event, "message"));
	csv_end_row(&w);
	buf_fini(&time);
}

static void print_event(struct options *o, const json_t *event)
{
	struct buf *out = &o->program.out;

	if (o->csv) {
		csv_event(o, event);
		return;
	}
	if (o->program.json) {
		answer_print(&o->program, event);
		return;
	}
	buf_text(out, term_style(&o->program.term, TERM_DIM));
	term_time(out, answer_number(event, "time"), true);
	if (!o->group) {
		buf_char(out, ' ');
		term_safe(out, answer_text(event, "group"));
	}
	buf_text(out, term_style(&o->program.term, TERM_PLAIN));
	term_message(out, answer_text(event, "message"));
}

/* The hashes of one answer's events, sorted; equal events are there as often
 * as they came. */
struct seen {
	uint64_t hashes[FOLLOW_LIMIT];
	size_t count;
};

struct place {
	uint64_t hash;
	size_t index;
};

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static uint64_t hash_event(const json_t *event)
{
	static const char *const fields[] = { "group", "stream", "message" };
	double time = answer_number(event, "time");
	uint64_t hash = XXH3_64bits(&time, sizeof(time));

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct sv text = answer_text(event, fields[i]);

		hash = XXH3_64bits_withSeed(text.ptr, text.len, hash);
	}
	return hash;
}

/* Prints what old does not hold, and makes next hold this answer: both sorted,
 * so that one walk over the two pairs them. Returns how many were new. */
static size_t print_new(struct options *o, const json_t *root,
			const struct seen *old, struct seen *next)
{
	const json_t *events = answer_array(root, "events");
	size_t count = json_array_size(events), at = 0, fresh = 0;
	struct place *places;
	bool *is_new;

	count = count < FOLLOW_LIMIT ? count : FOLLOW_LIMIT;
	places = calloc(count + 1, sizeof(*places));
	is_new = calloc(count + 1, sizeof(*is_new));
	next->count = places && is_new ? count : 0;
	for (size_t i = 0; i < next->count; i++)
		places[i] =
			(struct place){ hash_event(json_array_get(events, i)),
					i };
	if (next->count)
		qsort(places, next->count, sizeof(*places), compare);
	for (size_t i = 0; i < next->count; i++) {
		uint64_t hash = next->hashes[i] = places[i].hash;

		while (at < old->count && old->hashes[at] < hash)
			at++;
		if (at < old->count && old->hashes[at] == hash)
			at++;
		else
			is_new[places[i].index] = true;
	}
	for (size_t i = 0; i < next->count; i++)
		if (is_new[i]) {
			print_event(o, json_array_get(events, i));
			fresh++;
		}
	free(places);
	free(is_new);
	return fresh;
}

static double last_time(const json_t *root, double otherwise)
{
	const json_t *events = answer_array(root, "events");
	size_t n = json_array_size(events);

	if (!n)
		return otherwise;
	return fmax(otherwise,
		    answer_number(json_array_get(events, n - 1), "time"));
}

static int follow(struct options *o)
{
	struct seen *sets = calloc(2, sizeof(*sets));
	double start = o->since;
	double newest = start;
	double floor = start; /* before it, what was printed is forgotten */
	int turn = 0, status = PROGRAM_FAILED;
	json_t *root = NULL;

	while (sets && ask(o, "asc", start, 0, FOLLOW_LIMIT, &root)) {
		bool cut = answer_bool(root, "truncated");
		size_t fresh = print_new(o, root, &sets[turn], &sets[1 - turn]);

		turn = 1 - turn;
		newest = last_time(root, newest);
		json_decref(root);
		root = NULL;
		if (!program_flush(&o->program))
			break;
		if (cut) {
			/* More is waiting: go on at the last one. A page that
			 * brought nothing new would be asked for ever. */
			start = fresh ? newest : newest + 0.001;
			newest = floor = start;
			continue;
		}
		start = fmax(floor, newest - FOLLOW_OVERLAP_S);
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	json_decref(root);
	free(sets);
	return status;
}

static int once(struct options *o)
{
	const json_t *events;
	json_t *root = NULL;

	/* Asked backwards, so that a limit keeps the latest. */
	if (!ask(o, "desc", o->since, o->until, o->limit, &root))
		return PROGRAM_FAILED;
	events = answer_array(root, "events");
	for (size_t i = json_array_size(events); i-- > 0;)
		print_event(o, json_array_get(events, i));
	if (!json_array_size(events))
		fprintf(stderr, "%s: no such log event %s\n", o->program.name,
			o->since > 0 ? "in this time; --since shows earlier "
				       "ones" :
				       "is stored");
	if (answer_bool(root, "truncated"))
		fprintf(stderr,
			"%s: there are older ones: raise --limit, or give "
			"--until\n",
			o->program.name);
	json_decref(root);
	return PROGRAM_OK;
}

int ctl_logs(int argc, char **argv)
{
	struct options o = { .limit = LIMIT_DEFAULT };
	int status;

	if (!program_open(&o.program, &argp, argc, argv, &o))
		return PROGRAM_FAILED;
	/* One request's events are few, whenever they were. */
	if (o.since <= 0 && !o.request_id)
		o.since = o.program.now - SINCE_DEFAULT_S;
	if (o.csv)
		csv_heading(&o);
	status = o.follow ? follow(&o) : once(&o);
	return program_close(&o.program, status);
}
