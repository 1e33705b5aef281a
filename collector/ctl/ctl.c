/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ctl/ctl.h"

#include <inttypes.h>
#include <time.h>

#include "core/client/when.h"
#include "core/sys/env.h"

enum { KEY_JSON = 0x1000, KEY_COLOUR };

static const struct argp_option options[] = {
	{ "endpoint", 'e', "URL", 0,
	  "The collector; without it $" CLIENT_ENDPOINT_VARIABLE
	  ", then " CLIENT_ENDPOINT_DEFAULT,
	  100 },
	{ "json", KEY_JSON, NULL, 0, "Print JSON", 100 },
	{ "color", KEY_COLOUR, "WHEN", 0, "auto, always or never", 100 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ctl *ctl = state->input;

	switch (key) {
	case 'e':
		ctl->endpoint = arg;
		return 0;
	case KEY_JSON:
		ctl->json = true;
		return 0;
	case KEY_COLOUR:
		if (!term_when_parse(arg, &ctl->colour))
			argp_error(state, "--color is auto, always or never");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ctl_argp = { .options = options, .parser = parse };

bool ctl_open(struct ctl *ctl, const struct argp *argp, int argc, char **argv,
	      void *input)
{
	struct diag diag;

	ctl->name = argv[0];
	ctl->now = (double)env_wall(env_posix()).ns / (double)NS_PER_S;
	ctl->out.limit = 2 * (size_t)CLIENT_ANSWER_MAX;
	argp_parse(argp, argc, argv, 0, NULL, input);
	term_open(&ctl->term, 1, ctl->colour);
	if (client_open(&ctl->client, ctl->endpoint, NULL, &diag)) {
		ctl_fail(ctl, &diag);
		return false;
	}
	return true;
}

bool ctl_flush(struct ctl *ctl)
{
	bool ok = !ctl->out.failed;

	if (ctl->out.len)
		ok = fwrite(ctl->out.ptr, 1, ctl->out.len, stdout) ==
			     ctl->out.len &&
		     ok;
	ok = fflush(stdout) == 0 && ok;
	buf_reset(&ctl->out);
	return ok;
}

int ctl_close(struct ctl *ctl, int status)
{
	if (!ctl_flush(ctl)) {
		fprintf(stderr, "%s: cannot write all to standard output\n",
			ctl->name);
		status = CTL_EXIT_FAILED;
	}
	client_close(ctl->client);
	buf_fini(&ctl->out);
	return status;
}

int ctl_fail(const struct ctl *ctl, const struct diag *diag)
{
	fprintf(stderr, "%s: %s\n", ctl->name, diag->text);
	return CTL_EXIT_FAILED;
}

bool ctl_get(struct ctl *ctl, const char *path, json_t **root)
{
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	struct diag diag;
	int err = client_get(ctl->client, path, &body, &diag);

	*root = NULL;
	if (!err)
		err = answer_parse(root, buf_view(&body), &diag);
	if (err) {
		ctl_fail(ctl, &diag);
	} else if (ctl->json) {
		json_decref(*root);
		*root = NULL;
		term_safe_json(&ctl->out, sv_trim(buf_view(&body)));
		buf_char(&ctl->out, '\n');
	}
	buf_fini(&body);
	return !err;
}

void ctl_json_line(struct ctl *ctl, const json_t *value)
{
	/* 16 figures give an epoch time back with its microseconds. */
	char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(16));

	if (!text)
		return;
	term_safe_json(&ctl->out, sv_from(text));
	buf_char(&ctl->out, '\n');
	free(text);
}

double ctl_when(struct argp_state *state, const struct ctl *ctl,
		const char *option, const char *text)
{
	double epoch = 0;

	if (!when_parse(text, ctl->now, &epoch))
		argp_error(state, "%s is a time: %s", option, WHEN_HELP);
	return epoch;
}

int64_t ctl_number(struct argp_state *state, const char *option,
		   const char *text, int64_t min, int64_t max)
{
	int64_t v = 0;

	if (!sv_to_i64(sv_from(text), &v) || v < min || v > max)
		argp_error(state,
			   "%s is a whole number from %" PRId64 " to %" PRId64,
			   option, min, max);
	return v;
}
