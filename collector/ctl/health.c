/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ctl/ctl.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "takes no argument");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.doc = "Says whether the collector takes records.\v"
	       "Exit status 0: it does. 1: it does not, and the reason is on "
	       "standard error.",
	.children = program_children,
};

static void print_json(struct program *p, bool ok, const char *reason)
{
	json_t *value = json_pack("{s:b,s:s}", "ok", ok, "reason", reason);

	if (value)
		answer_print(p, value);
	json_decref(value);
}

int ctl_health(int argc, char **argv)
{
	struct program program = { 0 };
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	struct diag diag;
	int status = PROGRAM_FAILED;
	bool ok;

	if (!program_open(&program, &argp, argc, argv, &program))
		return PROGRAM_FAILED;
	ok = !client_get(program.client, "/healthz", &body, &diag);
	if (program.json)
		print_json(&program, ok, ok ? "" : diag.text);
	else if (ok)
		buf_text(&program.out, "ok\n");
	else
		program_fail(&program, &diag);
	if (ok)
		status = PROGRAM_OK;
	buf_fini(&body);
	return program_close(&program, status);
}
