/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally: a dispatcher in the manner of git. A control command runs here; any
 * other `tally X ...` becomes `tally-X ...`, the one beside this program first
 * (so that a build in a working tree finds its own), else the one on PATH.
 */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "collector/ctl/ctl.h"
#include "collector/ctl/suggest.h"

enum { NAME_MAX_BYTES = 32 };

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* NULL: a program of its own */
	const char *help;
};

static const struct command commands[] = {
#define BUILTIN(name, run, help) { #name, run, help },
#define PROGRAM(name, help) { #name, NULL, help },
#include "collector/ctl/commands.def"
#undef BUILTIN
#undef PROGRAM
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int usage(FILE *to, int status)
{
	fputs("Usage: tally COMMAND [ARGUMENT...]\n"
	      "       tally help [COMMAND]\n\n"
	      "Watches functions: every invocation, why it was slow or "
	      "failed, what it cost.\n\n",
	      to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n`tally COMMAND --help` lists the options of one.\n"
	      "The collector is at --endpoint URL, $TALLY_ENDPOINT "
	      "or " SETTINGS_ENDPOINT_DEFAULT ".\n",
	      to);
	return status;
}

/* A name that may become part of a path: a-z, 0-9 and inner hyphens. */
static bool is_command_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_BYTES && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* Becomes tally-NAME; comes back only where there is none. */
static void run_program(const char *name, char **argv)
{
	char path[PATH_MAX];
	char program[NAME_MAX_BYTES + 8];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	snprintf(program, sizeof(program), "tally-%s", name);
	argv[0] = program;
	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		if (slash && (size_t)(slash + 1 - path) + strlen(program) <
				     sizeof(path)) {
			memcpy(slash + 1, program, strlen(program) + 1);
			execv(path, argv);
		}
	}
	execvp(program, argv);
}

static int unknown(const char *name)
{
	struct buf safe = BUF_INIT;
	bool head = false;

	term_safe(&safe, sv_from(name));
	fprintf(stderr,
		"tally: '%s' is no command of tally; `tally help` lists them\n",
		safe.ptr ? safe.ptr : "");
	buf_fini(&safe);
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!suggest_is_near(name, commands[i].name))
			continue;
		if (!head)
			fputs("\nDid you mean\n", stderr);
		head = true;
		fprintf(stderr, "\ttally %s\n", commands[i].name);
	}
	return PROGRAM_USAGE;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command = find(argv[0]);
	char name[NAME_MAX_BYTES + 8];
	int err;

	if (!is_command_name(argv[0]))
		return unknown(argv[0]);
	if (command && command->run) {
		snprintf(name, sizeof(name), "tally %s", argv[0]);
		argv[0] = name;
		return command->run(argc, argv);
	}
	snprintf(name, sizeof(name), "%s", argv[0]);
	run_program(name, argv);
	err = errno;
	if (!command && err == ENOENT)
		return unknown(name);
	fprintf(stderr, "tally: cannot run tally-%s: %s; is it installed?\n",
		name, strerror(err));
	return PROGRAM_FAILED;
}

int main(int argc, char **argv)
{
	char help[] = "--help";
	char *ask[3] = { NULL, help, NULL };

	argp_program_version = "tally (Tallyscope) " TALLY_VERSION;
	if (argc < 2)
		return usage(stderr, PROGRAM_USAGE);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return PROGRAM_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (!strcmp(argv[1], "help") && argc == 2))
		return usage(stdout, PROGRAM_OK);
	if (!strcmp(argv[1], "help")) {
		ask[0] = argv[2];
		return dispatch(2, ask);
	}
	return dispatch(argc - 1, argv + 1);
}
