/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sys/seccomp.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0 /* its numbers were not tried */
#endif

enum {
	/* A rule's instructions, most: number, load, test, return, reload. */
	RULE_SIZE = 5,
	HEAD_SIZE = 8,
	X32_BIT = 0x40000000, /* x86-64's second set of numbers */
};

struct program {
	struct sock_filter code[HEAD_SIZE + SECCOMP_RULES_MAX * RULE_SIZE + 1];
	unsigned short size;
};

static void add(struct program *p, uint16_t code, uint8_t yes, uint8_t no,
		uint32_t k)
{
	assert(p->size < sizeof(p->code) / sizeof(p->code[0]));
	p->code[p->size++] = (struct sock_filter){ code, yes, no, k };
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void answer(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, 0, 0, action);
}

/* The lower half of an argument; both architectures are little-endian. */
static size_t argument_at(unsigned n)
{
	return offsetof(struct seccomp_data, args) + n * sizeof(uint64_t);
}

/* Every rule begins with the number of the call in the accumulator. */
static void add_rule(struct program *p, const struct seccomp_rule *r)
{
	const uint16_t equal = BPF_JMP | BPF_JEQ | BPF_K;
	const uint16_t bits = BPF_JMP | BPF_JSET | BPF_K;

	assert(r->argument < 6);
	if (r->test == SECCOMP_ALWAYS || r->test == SECCOMP_ABSENT) {
		add(p, equal, 0, 1, r->call);
		answer(p, r->test == SECCOMP_ALWAYS ?
				  SECCOMP_RET_ALLOW :
				  SECCOMP_RET_ERRNO | ENOSYS);
		return;
	}
	add(p, equal, 0, 4, r->call);
	load(p, argument_at(r->argument));
	if (r->test == SECCOMP_EQUAL)
		add(p, equal, 0, 1, r->value);
	else if (r->test == SECCOMP_WITH)
		add(p, bits, 0, 1, r->value);
	else
		add(p, bits, 1, 0, r->value);
	answer(p, SECCOMP_RET_ALLOW);
	load(p, offsetof(struct seccomp_data, nr));
}

static void build(struct program *p, const struct seccomp_rule *rules,
		  size_t count, bool kill)
{
	uint32_t refused = kill ? SECCOMP_RET_KILL_PROCESS :
				  SECCOMP_RET_ERRNO | EPERM;

	load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	add(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32_BIT);
	answer(p, refused);
	for (size_t i = 0; i < count; i++)
		add_rule(p, &rules[i]);
	answer(p, refused);
}

bool seccomp_there(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return ARCH &&
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int seccomp_enforce(const struct seccomp_rule *rules, size_t count, bool kill)
{
	struct program p = { .size = 0 };
	struct sock_fprog whole;

	if (count > SECCOMP_RULES_MAX)
		return ERR_LIMIT;
	if (!seccomp_there())
		return ERR_IO;
	build(&p, rules, count, kill);
	whole = (struct sock_fprog){ .len = p.size, .filter = p.code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
		    &whole) != 0)
		return ERR_IO;
	return 0;
}
