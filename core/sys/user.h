/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User: who a process is, for a program that was started as root and does not
 * want to stay it. The name is looked up before anything is given up (name
 * services open files and sockets); becoming that user cannot be undone, which
 * is tried and not believed.
 */
#ifndef TALLY_CORE_SYS_USER_H
#define TALLY_CORE_SYS_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"

enum { USER_NAME_MAX = 64, USER_GROUPS_MAX = 64 };

struct user {
	char name[USER_NAME_MAX]; /* "": nobody was looked up */
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX];
	int group_count;
};

/* ERR_NOT_FOUND: no such user; ERR_LIMIT: in more than USER_GROUPS_MAX groups;
 * ERR_INVALID: root is no user to become, or somebody else's name and this
 * process is not root. */
int user_find(struct user *u, const char *name, struct diag *diag) MUST_USE;

/* Becomes u with its groups and without capabilities, for the calling thread
 * and those it starts; call it before there are others. Nothing happens where
 * the process is u already and not root. low_ports: CAP_NET_BIND_SERVICE stays
 * (ports under 1024). ERR_IO: the kernel said no, or the way back is open. */
int user_become(const struct user *u, bool low_ports,
		struct diag *diag) MUST_USE;

#endif
