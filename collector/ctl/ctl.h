/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctl: what the control commands of tally share. Each is an argp program of
 * its own (`tally logs --help`), started by main.c with argv[0] = "tally
 * logs", and reaches the collector only through the client. What it prints is
 * built whole in ctl.out and written at the end (by lines where it follows).
 */
#ifndef TALLY_COLLECTOR_CTL_CTL_H
#define TALLY_COLLECTOR_CTL_CTL_H

#include <argp.h>
#include <stdbool.h>

#include "core/base/text.h"
#include "core/client/answer.h"
#include "core/client/client.h"
#include "core/term/term.h"

enum { CTL_EXIT_OK, CTL_EXIT_FAILED, CTL_EXIT_USAGE };

struct ctl {
	const char *name; /* "tally logs": begins every message */
	const char *endpoint;
	enum term_when colour;
	bool json;
	double now; /* epoch seconds, read once */
	struct client *client;
	struct term term;
	struct buf out;
};

/* --endpoint, --json, --color: the child of every command's parser, whose
 * child input is the struct ctl. */
extern const struct argp ctl_argp;

/* Parses argv (exits with 2 on a wrong one), then opens client and terminal.
 * false: it was said why, exit with 1. ctl_close releases both. */
bool ctl_open(struct ctl *ctl, const struct argp *argp, int argc, char **argv,
	      void *input) MUST_USE;
/* Writes what is in ctl.out, releases all; returns the exit status: status,
 * or 1 where standard output took no more. */
int ctl_close(struct ctl *ctl, int status);
/* Writes ctl.out now. false: standard output takes no more. */
bool ctl_flush(struct ctl *ctl);
/* "tally logs: text" on stderr; returns CTL_EXIT_FAILED. */
int ctl_fail(const struct ctl *ctl, const struct diag *diag);

/* GET path. With --json the body goes to ctl.out as it came and *root is NULL;
 * otherwise *root is the caller's. false: it was said why. */
bool ctl_get(struct ctl *ctl, const char *path, json_t **root) MUST_USE;
/* One value on one line of ctl.out. */
void ctl_json_line(struct ctl *ctl, const json_t *value);
/* Parses a time for an option; a wrong one ends with usage, exit 2. */
double ctl_when(struct argp_state *state, const struct ctl *ctl,
		const char *option, const char *text);
/* A whole number from min to max, likewise. */
int64_t ctl_number(struct argp_state *state, const char *option,
		   const char *text, int64_t min, int64_t max);

/* One a command: main of it. */
int ctl_status(int argc, char **argv);
int ctl_health(int argc, char **argv);
int ctl_logs(int argc, char **argv);
int ctl_metrics(int argc, char **argv);
int ctl_alarm(int argc, char **argv);

#endif
