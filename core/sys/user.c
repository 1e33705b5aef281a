/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sys/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int user_find(struct user *u, const char *name, struct diag *diag)
{
	struct passwd entry, *found = NULL;
	char text[16 << 10];
	int e;

	*u = (struct user){ .group_count = USER_GROUPS_MAX };
	if (strlen(name) >= sizeof(u->name))
		return diag_set(diag, ERR_INVALID,
				"a user's name has less than %d bytes",
				(int)USER_NAME_MAX);
	e = getpwnam_r(name, &entry, text, sizeof(text), &found);
	if (e || !found)
		return diag_set(diag, ERR_NOT_FOUND,
				"there is no user '%s'%s%s", name,
				e ? ": " : "", e ? strerror(e) : "");
	if (found->pw_uid == 0)
		return diag_set(diag, ERR_INVALID,
				"user '%s' is root; name one without rights",
				name);
	if (geteuid() != 0 && found->pw_uid != geteuid())
		return diag_set(diag, ERR_INVALID,
				"only root can become user '%s'; start it as "
				"root, or leave --user out",
				name);
	if (getgrouplist(name, found->pw_gid, u->groups, &u->group_count) < 0)
		return diag_set(diag, ERR_LIMIT,
				"user '%s' is in more than %d groups", name,
				(int)USER_GROUPS_MAX);
	memcpy(u->name, name, strlen(name) + 1);
	u->uid = found->pw_uid;
	u->gid = found->pw_gid;
	return 0;
}

/* Sets all sets of capabilities to `mask`. No library for one call. */
static int set_capabilities(uint32_t mask)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct sets[2] = {
		{ .effective = mask, .permitted = mask },
	};

	return (int)syscall(SYS_capset, &head, sets);
}

/* Whether root, or a group of it, can be had again. */
static bool way_back(const struct user *u)
{
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) < 0 || real != u->uid ||
	    effective != u->uid || saved != u->uid || getegid() != u->gid)
		return true;
	return setuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0;
}

int user_become(const struct user *u, bool low_ports, struct diag *diag)
{
	const uint32_t keep = low_ports ? 1u << CAP_NET_BIND_SERVICE : 0;

	if (geteuid() == u->uid && getuid() == u->uid)
		return 0;
	if (keep && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return diag_set(diag, ERR_IO, "cannot keep low ports: %s",
				strerror(errno));
	if (setgroups((size_t)u->group_count, u->groups) < 0 ||
	    setresgid(u->gid, u->gid, u->gid) < 0 ||
	    setresuid(u->uid, u->uid, u->uid) < 0 || set_capabilities(keep) < 0)
		return diag_set(diag, ERR_IO, "cannot become user '%s': %s",
				u->name, strerror(errno));
	if (way_back(u))
		return diag_set(diag, ERR_IO,
				"user '%s' could become root again", u->name);
	return 0;
}
