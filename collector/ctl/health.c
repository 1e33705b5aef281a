/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ctl/ctl.h"

static const struct argp_child children[] = { { &ctl_argp, 0, NULL, 0 },
					      { 0 } };

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
	.children = children,
};

static void print_json(struct ctl *ctl, bool ok, const char *reason)
{
	json_t *value = json_pack("{s:b,s:s}", "ok", ok, "reason", reason);

	if (value)
		ctl_json_line(ctl, value);
	json_decref(value);
}

int ctl_health(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	struct diag diag;
	int status = CTL_EXIT_FAILED;
	bool ok;

	if (!ctl_open(&ctl, &argp, argc, argv, &ctl))
		return CTL_EXIT_FAILED;
	ok = !client_get(ctl.client, "/healthz", &body, &diag);
	if (ctl.json)
		print_json(&ctl, ok, ok ? "" : diag.text);
	else if (ok)
		buf_text(&ctl.out, "ok\n");
	else
		ctl_fail(&ctl, &diag);
	if (ok)
		status = CTL_EXIT_OK;
	buf_fini(&body);
	return ctl_close(&ctl, status);
}
