/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator keeps what was freed, in an arena for each thread, and knows no
 * limit: under load it came to three times what was in use. So the process's
 * resident memory is looked at four times a second, and once it is over
 * MEMORY_KEEP_64THS of what the collector may use, free pages go back to the
 * system. Where that brings little, what is resident is in use, and the shares
 * of the plan (memory.h) are its limits; the next try then waits.
 */
#ifndef TALLY_COLLECTOR_MEMORY_KEEP_H
#define TALLY_COLLECTOR_MEMORY_KEEP_H

#include <stdint.h>

enum {
	MEMORY_KEEP_64THS = 44,
	MEMORY_KEEP_MS = 250,  /* call memory_keep so often */
	MEMORY_KEEP_PAUSE = 8, /* calls, after one that brought little */
};

struct memory_keep {
	uint64_t limit_bytes;
	unsigned pause;
	uint64_t trims; /* how often pages were given back */
};

void memory_keep_init(struct memory_keep *k, uint64_t max_bytes);
void memory_keep(struct memory_keep *k);
/* Resident memory of this process; 0: the system does not say. */
uint64_t memory_resident_bytes(void);

#endif
