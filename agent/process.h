/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of one sandbox: all that share its session or descend from its
 * root, found in /proc (this kernel may have no `children` files). Memory is
 * what Linux calls RSS. The peak of one process is exact (VmHWM: the kernel
 * keeps it); of several it is the highest sum that a sample saw.
 */
#ifndef TALLY_AGENT_PROCESS_H
#define TALLY_AGENT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/sys/env.h"

enum {
	TREE_PROCESSES_MAX = 1024, /* as Lambda: 1,024 processes and threads */
	TREE_SCAN_MS = 50,         /* new members are looked for this often */
	TREE_KILL_ROUNDS = 100,
};

struct process_tree {
	pid_t root;
	pid_t members[TREE_PROCESSES_MAX]; /* without the root */
	unsigned count;
	bool overflow; /* there were more; the rest is not measured */
	uint64_t peak_kb;
	struct instant scanned; /* last look for members */
	bool fresh;
};

void process_tree_init(struct process_tree *t, pid_t root);
/* Reads memory, looks for new members where it is time; keeps the peak.
 * Returns the memory that counts against the limit: the higher of the sum now
 * and the root's own peak. */
uint64_t process_tree_sample_kb(struct process_tree *t, struct instant now);
/* Kills the session and every descendant until none is left, not even a zombie
 * that came to us. The root stays one: whoever started it waits for it. */
void process_tree_kill(struct process_tree *t);
/* Kills every descendant of the root, but not the root. */
void process_tree_kill_children(struct process_tree *t);

#endif
