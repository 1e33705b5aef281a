/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confine: what the collector and its errand process give up for good, once
 * they have what they need. Bytes from anywhere reach both; what a mistake in
 * reading them can do ends here (docs/decisions/errand.md).
 *
 *                     collector              errand: parent    worker
 *   user              --user                 the same          the same
 *   files             below --data; reads    reads             reads what
 *   (landlock)        its settings                             names need
 *   TCP (landlock)    connects to nobody     no port           no port
 *   calls (seccomp)   no program, socket,    -                 no program,
 *                     trace, signal                            trace, signal
 *
 * None of the three gains rights by running a program (no_new_privs), and
 * nobody but root may look into them (not dumpable).
 *
 * Sanitizers and valgrind need calls and files that the collector does not:
 * under them nothing is confined, and the log says so.
 */
#ifndef TALLY_COLLECTOR_CONFINE_H
#define TALLY_COLLECTOR_CONFINE_H

#include <stddef.h>

#include "core/base/text.h"
#include "core/sys/user.h"

enum { CONFINE_READ_MAX = 16 };

enum confine_mode {
	CONFINE_AUTO,    /* what the kernel has; the log says what it lacks */
	CONFINE_REQUIRE, /* all of it, or the collector does not start */
	CONFINE_KILL,    /* as auto, but a call that is not allowed kills */
	CONFINE_OFF,
};

struct confine_options {
	enum confine_mode mode;
	const struct user *user; /* NULL: stays who it is */
	bool low_ports;          /* it will listen on a port under 1024 */
	const char *data;        /* the one folder it may write in */
	/* Files and folders that may be read, and all in the folder of a file:
	 * it may be replaced. NULL and "" are none. */
	const char *read[CONFINE_READ_MAX];
	size_t read_count;
};

/* "auto", "require", "kill", "off". */
bool confine_mode_from(struct sv text, enum confine_mode *out) MUST_USE;

/* The user and the files: before there are threads, after the data folder is
 * there. ERR_INVALID: `require`, and the kernel has not what it takes. */
int confine_begin(const struct confine_options *o, struct diag *diag) MUST_USE;
/* The calls, for all threads: when all sockets are open and all threads run. */
int confine_seal(enum confine_mode mode, struct diag *diag) MUST_USE;

/* The same for the errand process, and for its worker. */
int confine_supervisor(enum confine_mode mode, const struct user *user,
		       struct diag *diag) MUST_USE;
int confine_errand(enum confine_mode mode, struct diag *diag) MUST_USE;

#endif
