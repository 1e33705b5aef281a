/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* What has a meaning for a file, not only for a folder. */
#define RIGHTS_FILE                                                     \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_TRUNCATE)
#define RIGHTS_WRITE                                                      \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |    \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |      \
	 LANDLOCK_ACCESS_FS_REFER)

/* Fields of later versions, which an older kernel takes when they are 0. */
struct ruleset {
	uint64_t files;
	uint64_t net;
};

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	return abi < LANDLOCK_ABI_LEAST ? 0 : (int)abi;
}

static uint64_t handled_files(int abi, unsigned scope)
{
	uint64_t all = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;

	if (abi >= 3)
		all |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (scope & LANDLOCK_KEEP_READ)
		all &= ~(RIGHTS_READ | LANDLOCK_ACCESS_FS_EXECUTE);
	return all;
}

int landlock_begin(struct landlock *l, unsigned scope)
{
	struct ruleset set = { 0 };

	*l = (struct landlock){ .fd = -1, .abi = landlock_abi() };
	if (!l->abi)
		return ERR_IO;
	set.files = l->handled = handled_files(l->abi, scope);
	if (l->abi >= LANDLOCK_ABI_TCP) {
		if (scope & LANDLOCK_NO_CONNECT)
			set.net |= LANDLOCK_ACCESS_NET_CONNECT_TCP;
		if (scope & LANDLOCK_NO_BIND)
			set.net |= LANDLOCK_ACCESS_NET_BIND_TCP;
	}
	l->fd = (int)syscall(SYS_landlock_create_ruleset, &set,
			     l->abi >= LANDLOCK_ABI_TCP ? sizeof(set) :
							  sizeof(set.files),
			     0);
	return l->fd < 0 ? ERR_IO : 0;
}

int landlock_allow(struct landlock *l, const char *path, unsigned access)
{
	struct landlock_path_beneath_attr rule = { 0 };
	struct stat st;
	int e = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND :
							     ERR_IO;
	if (access & LANDLOCK_READ)
		rule.allowed_access |= RIGHTS_READ;
	if (access & LANDLOCK_WRITE)
		rule.allowed_access |= RIGHTS_WRITE;
	rule.allowed_access &= l->handled;
	if (fstat(rule.parent_fd, &st) < 0)
		e = ERR_IO;
	if (!e && !S_ISDIR(st.st_mode))
		rule.allowed_access &= RIGHTS_FILE;
	if (!e && rule.allowed_access &&
	    syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0)
		e = ERR_IO;
	close(rule.parent_fd);
	return e;
}

int landlock_enforce(struct landlock *l)
{
	int e = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, l->fd, 0) < 0)
		e = ERR_IO;
	close(l->fd);
	l->fd = -1;
	return e;
}
