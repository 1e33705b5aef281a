/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch: a folder of a test on the machine's disk, and that disk without its
 * syncs: who kills nothing, or copies files for a kill, need not wait for them.
 */
#ifndef TALLY_TESTS_SIM_SCRATCH_H
#define TALLY_TESTS_SIM_SCRATCH_H

#include <stddef.h>

#include "core/sys/env.h"

/* Makes "/tmp/NAME.XXXXXX" and writes its path to dir. */
void scratch_make(char *dir, size_t size, const char *name);
/* Removes dir and all in it. */
void scratch_remove(const char *dir);
/* Removes the files below dir whose path has part in it. */
void scratch_remove_files(const char *dir, const char *part);
/* The machine's disk, but nothing is synced. */
struct disk_ops scratch_disk(void);

#endif
