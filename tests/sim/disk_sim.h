/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory that can fail the way disks do. Written bytes are kept
 * apart from synced ones, names from synced names; a crash keeps what a real
 * one might: everything (the process died), only what was synced (the power
 * went), or what was synced and any of the sectors and names behind it.
 *
 * Operations that change something are counted, so that a test can run its
 * script once for each of them and let just that one fail. Safe for threads.
 */
#ifndef TALLY_TESTS_SIM_DISK_SIM_H
#define TALLY_TESTS_SIM_DISK_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sys/env.h"

enum {
	DISK_SIM_SECTOR = 512,
	DISK_SIM_FILES_MAX = 4096,
	DISK_SIM_FDS_MAX = 256,
	DISK_SIM_PATH_MAX = 256,
};

enum disk_sim_crash {
	CRASH_KEEP, /* the process died: the page cache lives on */
	CRASH_LOSE, /* the power went: only what was synced is there */
	CRASH_TEAR, /* and of the rest, some sectors and some names */
	CRASH_MODES,
};

/* Which operation, counted from 1, fails how; 0: none does. */
struct disk_sim_fault {
	uint64_t crash_at; /* from this one on all fail, until the reboot */
	uint64_t full_at;  /* ENOSPC for what needs room, half written ... */
	uint64_t full_ops; /* ... this many operations long */
	uint64_t error_at; /* EIO, once; a sync loses all or some
			    * of what it was to sync */
};

struct disk_sim;
struct disk_sim *disk_sim_new(uint64_t seed);
void disk_sim_free(struct disk_sim *s);
/* The machine's clock and this disk. */
struct env disk_sim_env(struct disk_sim *s);
/* Sets the faults and starts counting again. */
void disk_sim_fault(struct disk_sim *s, struct disk_sim_fault fault);
uint64_t disk_sim_ops(struct disk_sim *s);
/* Whether the fault asked for has happened. */
bool disk_sim_hit(struct disk_sim *s);
/* What is left after a crash. Descriptors are gone, faults are cleared. */
void disk_sim_reboot(struct disk_sim *s, enum disk_sim_crash mode);
/* While held, syncs wait. */
void disk_sim_hold(struct disk_sim *s, bool hold);
/* Bytes of a file as it is now, to look at or to damage; NULL: none. The
 * pointer is valid until the file is written. */
uint8_t *disk_sim_bytes(struct disk_sim *s, const char *path, size_t *size);
/* Room is `bytes` in all; 0: no limit. */
void disk_sim_room(struct disk_sim *s, uint64_t bytes);
/* Files whose path begins so. */
size_t disk_sim_count(struct disk_sim *s, const char *prefix);
/* A random number of the seed's row. */
uint64_t disk_sim_random(struct disk_sim *s);

#endif
