/* SPDX-License-Identifier: Apache-2.0 */
/* landlock, seccomp and another user: each in a child, since they are for ever.
 * A child's status says which step went wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/sys/landlock.h"
#include "core/sys/seccomp.h"
#include "core/sys/user.h"
#include "tests/sim/scratch.h"

/* What the child's function returns, or 1000 and its signal. */
static int in_child(int (*f)(const char *folder), const char *folder)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(f(folder));
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

static int try_open(const char *folder, const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* --- landlock -------------------------------------------------------------------- */

static int use_landlock(const char *folder)
{
	char in[128], read_only[128], other[128], link[160];
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(1) };
	struct landlock l;
	int fd;

	snprintf(in, sizeof(in), "%s/in", folder);
	snprintf(read_only, sizeof(read_only), "%s/ro", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	if (mkdir(in, 0700) || mkdir(read_only, 0700) || mkdir(other, 0700) ||
	    try_open(read_only, "a", O_RDWR | O_CREAT) ||
	    try_open(other, "a", O_RDWR | O_CREAT))
		return 1;
	snprintf(link, sizeof(link), "%s/link", in);
	if (symlink("../other/a", link))
		return 1;
	if (landlock_begin(&l, LANDLOCK_NO_CONNECT) ||
	    landlock_allow(&l, in, LANDLOCK_READ | LANDLOCK_WRITE) ||
	    landlock_allow(&l, read_only, LANDLOCK_READ))
		return 2;
	if (landlock_allow(&l, "/nowhere", LANDLOCK_READ) != ERR_NOT_FOUND)
		return 3;
	if (landlock_enforce(&l))
		return 4;
	if (try_open(in, "b", O_RDWR | O_CREAT) ||
	    try_open(in, "b", O_WRONLY | O_TRUNC) || try_open(in, "", O_RDONLY))
		return 5;
	if (try_open(read_only, "a", O_RDONLY) ||
	    try_open(read_only, "a", O_WRONLY) != EACCES ||
	    try_open(read_only, "b", O_RDWR | O_CREAT) != EACCES)
		return 6;
	if (try_open(other, "a", O_RDONLY) != EACCES ||
	    try_open(in, "../other/a", O_RDONLY) != EACCES ||
	    try_open(other, "", O_RDONLY) != EACCES)
		return 7;
	/* A link is where it leads. */
	if (try_open(in, "link", O_RDONLY) != EACCES)
		return 8;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l.abi >= LANDLOCK_ABI_TCP &&
	    (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ||
	     errno != EACCES))
		return 9;
	return 0;
}

/* What no rule allows for writing, while reading is not restricted. */
static int write_nowhere(const char *folder)
{
	struct landlock l;

	if (try_open(folder, "a", O_RDWR | O_CREAT))
		return 1;
	if (landlock_begin(&l, LANDLOCK_KEEP_READ | LANDLOCK_NO_BIND) ||
	    landlock_enforce(&l))
		return 2;
	if (try_open(folder, "a", O_RDONLY))
		return 3;
	if (try_open(folder, "a", O_WRONLY) != EACCES ||
	    try_open(folder, "b", O_RDWR | O_CREAT) != EACCES)
		return 4;
	return 0;
}

static void test_landlock(void **state)
{
	char folder[64];

	(void)state;
	if (!landlock_abi())
		return; /* cmocka's skip() is a failure in TAP */
	scratch_make(folder, sizeof(folder), "confine");
	assert_int_equal(in_child(use_landlock, folder), 0);
	assert_int_equal(in_child(write_nowhere, folder), 0);
	scratch_remove(folder);
}

/* --- seccomp --------------------------------------------------------------------- */

/* What the end of a process takes, and the start of a thread. */
#define RULES_BASE                                                     \
	{ .call = SYS_exit_group }, { .call = SYS_exit },              \
		{ .call = SYS_futex }, { .call = SYS_rt_sigprocmask }, \
		{ .call = SYS_madvise }, { .call = SYS_munmap },       \
		{ .call = SYS_rseq },                                  \
	{                                                              \
		.call = SYS_set_robust_list                            \
	}

static void *ask_in_thread(void *arg)
{
	int *go = arg;
	char c;

	while (read(go[0], &c, 1) < 0)
		continue;
	return syscall(SYS_getppid) < 0 && errno == EPERM ? NULL : arg;
}

/* A thread that was there before is bound too. */
static int use_seccomp(const char *folder)
{
	static const struct seccomp_rule rules[] = {
		RULES_BASE,
		{ .call = SYS_read },
		{ .call = SYS_write },
		{ SYS_fcntl, SECCOMP_EQUAL, 1, F_GETFD },
		{ SYS_fcntl, SECCOMP_EQUAL, 1, F_GETFL },
		{ SYS_dup3, SECCOMP_WITH, 2, O_CLOEXEC },
		{ SYS_pipe2, SECCOMP_WITHOUT, 1, O_NONBLOCK },
		{ SYS_getpgid, SECCOMP_ABSENT, 0, 0 },
	};
	pthread_t thread;
	void *other = NULL;
	int go[2], ends[2];

	(void)folder;
	if (pipe(go) || pthread_create(&thread, NULL, ask_in_thread, go))
		return 1;
	if (seccomp_enforce(rules, sizeof(rules) / sizeof(rules[0]), false))
		return 2;
	if (syscall(SYS_getppid) >= 0 || errno != EPERM)
		return 3;
	if (syscall(SYS_getpgid, 0) >= 0 || errno != ENOSYS)
		return 4;
	if (fcntl(go[0], F_GETFD) < 0 || fcntl(go[0], F_GETFL) < 0 ||
	    fcntl(go[0], F_SETFL, O_NONBLOCK) >= 0 || errno != EPERM)
		return 5;
	if (dup3(go[0], go[0] + 50, O_CLOEXEC) < 0 ||
	    dup3(go[0], go[0] + 51, 0) >= 0 || errno != EPERM)
		return 6;
	if (pipe2(ends, O_CLOEXEC) < 0 || pipe2(ends, O_NONBLOCK) >= 0 ||
	    errno != EPERM)
		return 7;
	if (write(go[1], "x", 1) != 1 || pthread_join(thread, &other) || other)
		return 8;
	return 0;
}

static int be_killed(const char *folder)
{
	static const struct seccomp_rule rules[] = { RULES_BASE };

	(void)folder;
	if (seccomp_enforce(rules, sizeof(rules) / sizeof(rules[0]), true))
		return 1;
	(void)syscall(SYS_getppid);
	return 2;
}

static int too_many_rules(const char *folder)
{
	static struct seccomp_rule rules[SECCOMP_RULES_MAX + 1];

	(void)folder;
	/* The rows that matter are the last ones that fit; each needs the most
	 * instructions that a row can. */
	for (size_t i = 0; i < SECCOMP_RULES_MAX; i++)
		rules[i] = (struct seccomp_rule){ SYS_dup3, SECCOMP_EQUAL, 2,
						  (uint32_t)i };
	rules[SECCOMP_RULES_MAX - 1] =
		(struct seccomp_rule){ .call = SYS_exit_group };
	if (seccomp_enforce(rules, SECCOMP_RULES_MAX + 1, false) != ERR_LIMIT)
		return 1;
	return seccomp_enforce(rules, SECCOMP_RULES_MAX, false) ? 2 : 0;
}

static void test_seccomp(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return;
#endif
	if (!seccomp_there() || getenv("UNDER_VALGRIND"))
		return;
	assert_int_equal(in_child(use_seccomp, NULL), 0);
	assert_int_equal(in_child(be_killed, NULL), 1000 + SIGSYS);
	assert_int_equal(in_child(too_many_rules, NULL), 0);
}

/* --- another user ------------------------------------------------------------------- */

static int become_nobody(const char *folder)
{
	struct user u;
	struct diag diag;

	(void)folder;
	if (user_find(&u, "nobody", &diag) || user_become(&u, false, &diag))
		return 1;
	if (getuid() != u.uid || geteuid() != u.uid || getegid() != u.gid ||
	    getgroups(0, NULL) != u.group_count)
		return 2;
	if (setuid(0) == 0 || setgid(0) == 0)
		return 3;
	/* Once more is nothing to do; somebody else is not possible. */
	if (user_become(&u, false, &diag))
		return 4;
	return user_find(&u, "daemon", &diag) == ERR_INVALID ? 0 : 5;
}

static int keep_low_ports(const char *folder)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(1023) };
	struct user u;
	struct diag diag;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)folder;
	if (user_find(&u, "nobody", &diag) || user_become(&u, true, &diag))
		return 1;
	/* A capability, and no other: a file of root's stays closed. */
	if (open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0)
		return 2;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 &&
	    errno != EADDRINUSE)
		return 3;
	return setuid(0) == 0 ? 4 : 0;
}

static void test_user(void **state)
{
	struct user u;
	struct diag diag;
	char name[USER_NAME_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(user_find(&u, name, &diag), ERR_INVALID);
	assert_int_equal(user_find(&u, "no-such-user-here", &diag),
			 ERR_NOT_FOUND);
	assert_int_equal(user_find(&u, "root", &diag), ERR_INVALID);
	if (geteuid() != 0)
		return;
	assert_int_equal(in_child(become_nobody, NULL), 0);
	assert_int_equal(in_child(keep_low_ports, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
