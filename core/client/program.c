/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/client/when.h"
#include "core/sys/env.h"

enum { KEY_JSON = 0x1000, KEY_COLOUR, KEY_REGION, KEY_PROFILE };

#define OUTPUT_OPTIONS                                                     \
	{ "json", KEY_JSON, NULL, 0, "Print JSON", 0 },                    \
	{                                                                  \
		"color", KEY_COLOUR, "WHEN", 0, "auto, always or never", 0 \
	}

static const struct argp_option options[] = {
	{ "endpoint", 'e', "URL", 0,
	  "The collector; without it $TALLY_ENDPOINT, then files, "
	  "then " SETTINGS_ENDPOINT_DEFAULT,
	  0 },
	{ "region", KEY_REGION, "NAME", 0,
	  "Its region; without it $AWS_REGION, then files, "
	  "then " SETTINGS_REGION_DEFAULT,
	  0 },
	{ "profile", KEY_PROFILE, "NAME", 0,
	  "Whose keys, in ~/.aws/credentials and config", 0 },
	OUTPUT_OPTIONS,
	{ 0 },
};

static const struct argp_option output_options[] = {
	OUTPUT_OPTIONS,
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct program *p = state->input;

	switch (key) {
	case 'e':
		p->flags.endpoint = arg;
		return 0;
	case KEY_REGION:
		p->flags.region = arg;
		return 0;
	case KEY_PROFILE:
		p->flags.profile = arg;
		return 0;
	case KEY_JSON:
		p->json = true;
		return 0;
	case KEY_COLOUR:
		if (!term_when_parse(arg, &p->colour))
			argp_error(state, "--color is auto, always or never");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* argp frees what is not the text it gave. */
static char *help(int key, const char *text, void *input)
{
	const struct program *p = input;

	if (key == KEY_JSON && p && p->json_help)
		return strdup(p->json_help);
	return (char *)text;
}

const struct argp program_argp = {
	.options = options,
	.parser = parse,
	.help_filter = help,
};

static const struct argp output_argp = {
	.options = output_options,
	.parser = parse,
	.help_filter = help,
};

const struct argp_child program_children[] = { { &program_argp, 0, NULL, 100 },
					       { 0 } };
const struct argp_child program_file_children[] = {
	{ &output_argp, 0, NULL, 100 },
	{ 0 },
};

void program_begin(struct program *p, const struct argp *argp, int argc,
		   char **argv, void *input)
{
	if (!p->name)
		p->name = argv[0];
	p->now = (double)env_wall(env_posix()).ns / (double)NS_PER_S;
	p->out.limit = PROGRAM_OUT_MAX;
	argp_err_exit_status = PROGRAM_USAGE;
	argp_parse(argp, argc, argv, 0, NULL, input);
	term_open(&p->term, 1, p->colour);
}

bool program_open(struct program *p, const struct argp *argp, int argc,
		  char **argv, void *input)
{
	struct diag diag;

	program_begin(p, argp, argc, argv, input);
	if (settings_load(&p->settings, env_posix(), &p->flags, &diag) ||
	    client_open(&p->client, &p->settings, NULL, &diag)) {
		program_fail(p, &diag);
		settings_fini(&p->settings);
		return false;
	}
	return true;
}

bool program_flush(struct program *p)
{
	bool ok = !p->out.failed;

	if (p->out.len)
		ok = fwrite(p->out.ptr, 1, p->out.len, stdout) == p->out.len &&
		     ok;
	ok = fflush(stdout) == 0 && ok;
	buf_reset(&p->out);
	return ok;
}

int program_close(struct program *p, int status)
{
	if (!program_flush(p)) {
		fprintf(stderr, "%s: cannot write all to standard output\n",
			p->name);
		status = PROGRAM_FAILED;
	}
	client_close(p->client);
	settings_fini(&p->settings);
	buf_fini(&p->out);
	return status;
}

int program_fail(const struct program *p, const struct diag *diag)
{
	fprintf(stderr, "%s: %s\n", p->name, diag->text);
	return PROGRAM_FAILED;
}

void program_json(struct program *p, struct sv json)
{
	term_safe_json(&p->out, sv_trim(json));
	buf_char(&p->out, '\n');
}

double program_when(struct argp_state *state, const struct program *p,
		    const char *option, const char *text)
{
	double epoch = 0;

	if (!when_parse(text, p->now, &epoch))
		argp_error(state, "%s is a time: %s", option, WHEN_HELP);
	return epoch;
}

int64_t program_number(struct argp_state *state, const char *option,
		       const char *text, int64_t min, int64_t max)
{
	int64_t v = 0;

	if (!sv_to_i64(sv_from(text), &v) || v < min || v > max)
		argp_error(state,
			   "%s is a whole number from %" PRId64 " to %" PRId64,
			   option, min, max);
	return v;
}
