/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: a process, its threads and children give up every file but those
 * below some folders, for ever and without being root. What is open already
 * stays open, and what a path names is decided when the rule is made: rules
 * are on folders, so that a file in it may be replaced. Raw system calls: the
 * C library has none. What the running kernel does not know is left out, and
 * the caller is told its version.
 *
 * It binds the calling thread and those it starts later: call it before there
 * are others. Source: Documentation/userspace-api/landlock.rst of Linux.
 */
#ifndef TALLY_CORE_SYS_LANDLOCK_H
#define TALLY_CORE_SYS_LANDLOCK_H

#include <stdint.h>

#include "core/base/err.h"

enum {
	/* 2 is the first with renames between folders, 4 with TCP. */
	LANDLOCK_ABI_LEAST = 2,
	LANDLOCK_ABI_TCP = 4,
};

/* What may be done below a folder. */
enum landlock_access {
	LANDLOCK_READ = 1 << 0,  /* files and folders */
	LANDLOCK_WRITE = 1 << 1, /* make, write, rename, remove both */
};

struct landlock {
	int fd;
	int abi;
	uint64_t handled; /* file rights that are taken away */
};

enum landlock_scope {
	LANDLOCK_KEEP_READ = 1 << 0,  /* reading is not restricted */
	LANDLOCK_NO_CONNECT = 1 << 1, /* no TCP connection to anybody */
	LANDLOCK_NO_BIND = 1 << 2,    /* no TCP port */
};

/* What the running kernel has; 0: nothing, or too old to be of use. */
int landlock_abi(void);
/* A set without rules: all is taken away that `scope` does not leave. ERR_IO:
 * the kernel has none. */
int landlock_begin(struct landlock *l, unsigned scope) MUST_USE;
/* Allows `access` below the folder, or for the file. A path that is not there
 * is nothing to allow: ERR_NOT_FOUND. */
int landlock_allow(struct landlock *l, const char *path,
		   unsigned access) MUST_USE;
/* In force from now on. Closes the set, whatever comes of it. */
int landlock_enforce(struct landlock *l) MUST_USE;

#endif
