/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/memory_keep.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

void memory_keep_init(struct memory_keep *k, uint64_t max_bytes)
{
	*k = (struct memory_keep){
		.limit_bytes = max_bytes / 64 * MEMORY_KEEP_64THS,
	};
}

uint64_t memory_resident_bytes(void)
{
	unsigned long long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f)
		return 0;
	/* The kernel's own numbers. NOLINTNEXTLINE(cert-err34-c) */
	if (fscanf(f, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void memory_keep(struct memory_keep *k)
{
	uint64_t before;

	if (k->pause) {
		k->pause--;
		return;
	}
	before = memory_resident_bytes();
	if (before <= k->limit_bytes)
		return;
	malloc_trim(0);
	k->trims++;
	if (memory_resident_bytes() + k->limit_bytes / 16 > before)
		k->pause = MEMORY_KEEP_PAUSE;
}
