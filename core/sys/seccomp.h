/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp: all threads of the process give up every system call that is not in
 * a table, for ever. The filter is classic BPF, a comparison a row: a table is
 * shorter than the library that would make the same of it, and the kernel
 * (5.11 and later) remembers for each call whether it is always allowed.
 *
 * A row may look at one argument's lower 32 bits: enough for flags, commands
 * and small numbers, and never for addresses.
 */
#ifndef TALLY_CORE_SYS_SECCOMP_H
#define TALLY_CORE_SYS_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum { SECCOMP_RULES_MAX = 256 };

enum seccomp_test {
	SECCOMP_ALWAYS,
	SECCOMP_EQUAL,   /* the argument is value */
	SECCOMP_WITH,    /* it has a bit of value */
	SECCOMP_WITHOUT, /* it has none of them */
	SECCOMP_ABSENT,  /* ENOSYS: the C library then does without */
};

struct seccomp_rule {
	uint32_t call; /* SYS_... */
	uint8_t test;
	uint8_t argument; /* from 0 */
	uint32_t value;
};

/* Whether the running kernel has filters. */
bool seccomp_there(void);
/* In force for all threads at once. What no row allows fails with EPERM, or
 * kills the process (and says so in the kernel's log). ERR_LIMIT: too many
 * rows; ERR_IO: the kernel said no, or a thread has another filter. */
int seccomp_enforce(const struct seccomp_rule *rules, size_t count,
		    bool kill) MUST_USE;

#endif
