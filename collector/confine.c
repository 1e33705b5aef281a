/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/sys/landlock.h"
#include "core/sys/seccomp.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

bool confine_mode_from(struct sv text, enum confine_mode *out)
{
	static const struct sv names[] = {
		[CONFINE_AUTO] = SV_INIT("auto"),
		[CONFINE_REQUIRE] = SV_INIT("require"),
		[CONFINE_KILL] = SV_INIT("kill"),
		[CONFINE_OFF] = SV_INIT("off"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (sv_eq(text, names[i])) {
			*out = (enum confine_mode)i;
			return true;
		}
	}
	return false;
}

/* Why nothing is confined here; NULL: it is. valgrind preloads its own part,
 * and says so to its child only there. */
static const char *skipped(enum confine_mode mode)
{
	const char *preload = getenv("LD_PRELOAD");

	if (mode == CONFINE_OFF)
		return "it is off";
	if (SANITIZED)
		return "this is a build with sanitizers";
	return preload && strstr(preload, "vgpreload") ? "valgrind runs it" :
							 NULL;
}

/* What could not be done: refused where it is required, else told. */
static int lacking(enum confine_mode mode, const char *what, struct diag *diag)
{
	if (mode == CONFINE_REQUIRE)
		return diag_set(diag, ERR_INVALID,
				"confinement is required, but %s", what);
	log_warn("confine", "%s: less is confined", what);
	return 0;
}

/* For all modes but off: costs nothing and is everywhere. */
static int give_up_privileges(const struct user *user, bool low_ports,
			      struct diag *diag)
{
	int e = user ? user_become(user, low_ports, diag) : 0;

	if (!e && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		   prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		e = diag_set(diag, ERR_IO, "prctl: %s", strerror(errno));
	return e;
}

/* --- files -------------------------------------------------------------------- */

/* The path, and the folder it is in. */
static int allow_place(struct landlock *l, const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int e = landlock_allow(l, path, LANDLOCK_READ);

	if (e && e != ERR_NOT_FOUND)
		return e;
	if (n >= sizeof(folder))
		return ERR_LIMIT;
	memcpy(folder, path, n);
	folder[n] = '\0';
	if (!slash || n == 0)
		memcpy(folder, slash ? "/" : ".", 2);
	e = landlock_allow(l, folder, LANDLOCK_READ);
	return e == ERR_NOT_FOUND ? 0 : e;
}

/* Where the path leads and where it stands: a certificate is often a link to
 * where the next one will be. */
static int allow_settings(struct landlock *l, const char *path)
{
	char *real = realpath(path, NULL);
	int e = allow_place(l, path);

	if (!e && real)
		e = allow_place(l, real);
	free(real);
	return e;
}

/* /proc makes a folder's inode when it is looked up, and a rule is on an inode:
 * the kernel would forget both when it is short of memory. So it is held, for
 * the life of the process. */
static bool hold_own_numbers(void)
{
	return open("/proc/self", O_PATH | O_CLOEXEC) >= 0;
}

static int confine_files(const struct confine_options *o)
{
	/* Its own numbers, the zone of a time that librrd prints, and what the
	 * C library's malloc asks. */
	static const char *const always[] = {
		"/proc/self",
		"/etc/localtime",
		"/usr/share/zoneinfo",
		"/sys/devices/system/cpu/online",
		"/proc/sys/vm/overcommit_memory",
	};
	struct landlock l;
	int e = landlock_begin(&l, LANDLOCK_NO_CONNECT);

	if (!hold_own_numbers())
		log_warn("confine", "there is no /proc: no numbers of its own");
	if (!e)
		e = landlock_allow(&l, o->data, LANDLOCK_READ | LANDLOCK_WRITE);
	for (size_t i = 0; !e && i < o->read_count; i++)
		if (o->read[i] && o->read[i][0])
			e = allow_settings(&l, o->read[i]);
	for (size_t i = 0; !e && i < sizeof(always) / sizeof(always[0]); i++) {
		e = landlock_allow(&l, always[i], LANDLOCK_READ);
		if (e == ERR_NOT_FOUND)
			e = 0;
	}
	if (e) {
		if (l.fd >= 0)
			close(l.fd);
		return e;
	}
	return landlock_enforce(&l);
}

int confine_begin(const struct confine_options *o, struct diag *diag)
{
	const char *why = skipped(o->mode);
	int e;

	if (o->user) {
		e = user_become(o->user, o->low_ports, diag);
		if (e)
			return e;
	} else if (geteuid() == 0) {
		log_warn("confine", "it runs as root; name a user with --user");
	}
	if (why && o->mode == CONFINE_REQUIRE)
		return lacking(o->mode, why, diag);
	if (why) {
		log_info("confine", "nothing is confined: %s", why);
		return 0;
	}
	e = give_up_privileges(NULL, false, diag);
	if (e)
		return e;
	if (!landlock_abi())
		return lacking(o->mode,
			       "the kernel has no landlock, or an "
			       "old one",
			       diag);
	if (landlock_abi() < LANDLOCK_ABI_TCP) {
		e = lacking(o->mode, "the kernel's landlock knows no TCP",
			    diag);
		if (e)
			return e;
	}
	if (confine_files(o))
		return diag_set(diag, ERR_IO, "cannot confine files: %s",
				strerror(errno));
	log_info("confine", "files: only below %s (landlock %d)", o->data,
		 landlock_abi());
	return 0;
}

/* --- calls -------------------------------------------------------------------- */

static int seal(enum confine_mode mode, const struct seccomp_rule *rules,
		size_t count, struct diag *diag)
{
	if (skipped(mode))
		return 0;
	if (!seccomp_there())
		return lacking(mode,
			       "the kernel has no seccomp, or this "
			       "machine's calls are not known",
			       diag);
	if (seccomp_enforce(rules, count, mode == CONFINE_KILL))
		return diag_set(diag, ERR_IO, "cannot confine calls: %s",
				strerror(errno));
	return 0;
}

#define ALWAYS(name)               \
	{                          \
		.call = SYS_##name \
	}
#define ABSENT(name) { .call = SYS_##name, .test = SECCOMP_ABSENT },
#define TEST(name, how, n, v)    \
	{ .call = SYS_##name,    \
	  .test = SECCOMP_##how, \
	  .argument = (n),       \
	  .value = (uint32_t)(v) },

int confine_seal(enum confine_mode mode, struct diag *diag)
{
	const struct seccomp_rule rules[] = {
#define CALL(name) ALWAYS(name),
#define CALL_COLLECTOR(name) ALWAYS(name),
#define CALL_ERRAND(name)
#define TEST_COLLECTOR TEST
#include "collector/confine.def"
#undef CALL
#undef CALL_COLLECTOR
#undef CALL_ERRAND
#undef TEST_COLLECTOR
	};
	bool there = !skipped(mode) && seccomp_there();
	int e = seal(mode, rules, sizeof(rules) / sizeof(rules[0]), diag);

	if (!e && there)
		log_info("confine", "calls: only those it needs (seccomp)");
	return e;
}

/* --- the errand process ------------------------------------------------------------ */

int confine_supervisor(enum confine_mode mode, const struct user *user,
		       struct diag *diag)
{
	struct landlock l;
	int e = user ? user_become(user, false, diag) : 0;

	if (e || skipped(mode))
		return e;
	e = give_up_privileges(NULL, false, diag);
	if (e || !landlock_abi())
		return e; /* the collector says what is lacking */
	e = landlock_begin(&l, LANDLOCK_KEEP_READ | LANDLOCK_NO_BIND);
	if (!e)
		e = landlock_enforce(&l);
	return e ? diag_set(diag, e, "landlock: %s", strerror(errno)) : 0;
}

/* What the C library reads to find a host, and GnuTLS to trust it. Files of
 * /etc one by one: the collector's keys may be beside them. */
static int confine_names(void)
{
	static const char *const files[] = {
		"/etc/resolv.conf",
		"/etc/hosts",
		"/etc/host.conf",
		"/etc/nsswitch.conf",
		"/etc/gai.conf",
		"/etc/services",
		"/etc/protocols",
		"/etc/ld.so.cache",
		"/etc/localtime",
		"/etc/ssl",
		"/etc/ca-certificates",
		"/etc/gnutls",
		"/etc/pkcs11",
		"/etc/pki",
		"/usr",
		"/lib",
		"/lib64",
		"/run/systemd/resolve",
		"/run/resolvconf",
		"/run/NetworkManager",
		"/dev/urandom",
		"/dev/null",
	};
	struct landlock l;
	int e = landlock_begin(&l, LANDLOCK_NO_BIND);

	for (size_t i = 0; !e && i < sizeof(files) / sizeof(files[0]); i++) {
		e = landlock_allow(&l, files[i], LANDLOCK_READ);
		if (e == ERR_NOT_FOUND)
			e = 0;
	}
	return e ? e : landlock_enforce(&l);
}

int confine_errand(enum confine_mode mode, struct diag *diag)
{
	const struct seccomp_rule rules[] = {
#define CALL(name) ALWAYS(name),
#define CALL_COLLECTOR(name)
#define CALL_ERRAND(name) ALWAYS(name),
#define TEST_COLLECTOR(name, how, n, v)
#include "collector/confine.def"
#undef CALL
#undef CALL_COLLECTOR
#undef CALL_ERRAND
#undef TEST_COLLECTOR
	};

	if (skipped(mode))
		return 0;
	if (landlock_abi() && confine_names())
		return diag_set(diag, ERR_IO, "landlock: %s", strerror(errno));
	return seal(mode, rules, sizeof(rules) / sizeof(rules[0]), diag);
}
