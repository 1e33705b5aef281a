/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Program: what every command that asks a collector does alike. It takes
 * --endpoint, --region, --profile, --json and --color, finds the settings
 * (settings.h), opens the client and the terminal, builds
 * its text whole in program.out, and writes that at the end (or by parts, where
 * it follows). Errors are one line on stderr that begins with the name; the
 * exit status is one of three.
 *
 * Reading an answer is answer.h's (jansson) or tape.h's (the strict tape):
 * names of the two clash, so no file may include both.
 *
 * A command embeds the struct, gives its name, puts program_children (or
 * program_argp among children of its own) below its parser, and hands the
 * struct down as that child's input at ARGP_KEY_INIT.
 */
#ifndef TALLY_CORE_CLIENT_PROGRAM_H
#define TALLY_CORE_CLIENT_PROGRAM_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/client/client.h"
#include "core/term/term.h"

enum { PROGRAM_OK, PROGRAM_FAILED, PROGRAM_USAGE };

/* Bytes of program.out: every byte of an answer may be escaped. */
enum { PROGRAM_OUT_MAX = 4 * CLIENT_ANSWER_MAX };

struct program {
	/* the caller's, before program_open */
	const char *name;      /* "tally-bill"; NULL: argv[0] */
	const char *json_help; /* of --json; NULL: "Print JSON" */
	/* from the command line */
	struct settings_flags flags;
	enum term_when colour;
	bool json;
	/* program_open's */
	double now; /* epoch seconds, read once, before options are parsed */
	struct settings settings;
	struct client *client;
	struct term term;
	struct buf out;
};

extern const struct argp program_argp; /* its input is the struct program */
/* It alone, to stand below the command's own options in --help. */
extern const struct argp_child program_children[];
/* --json and --color alone, for a command that asks no collector. */
extern const struct argp_child program_file_children[];

/* Parses argv (exits with 2 on a wrong one), then opens the terminal: all for a
 * command that asks no collector. program_close releases it. */
void program_begin(struct program *p, const struct argp *argp, int argc,
		   char **argv, void *input);
/* The same, and opens the client.
 * false: it was said why, exit with 1. program_close releases all. */
bool program_open(struct program *p, const struct argp *argp, int argc,
		  char **argv, void *input) MUST_USE;
/* Writes what is in out, releases all; returns the exit status: status, or 1
 * where standard output took no more. */
int program_close(struct program *p, int status);
/* Writes out now. false: standard output takes no more. */
bool program_flush(struct program *p);
/* "tally-bill: text" on stderr; returns PROGRAM_FAILED. */
int program_fail(const struct program *p, const struct diag *diag);

/* Adds a line to out: a valid JSON text made safe to print. */
void program_json(struct program *p, struct sv json);

/* A time for an option; a wrong one ends with usage, exit 2. */
double program_when(struct argp_state *state, const struct program *p,
		    const char *option, const char *text);
/* A whole number from min to max, likewise. */
int64_t program_number(struct argp_state *state, const char *option,
		       const char *text, int64_t min, int64_t max);

#endif
