/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/scratch.h"

#include <assert.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scratch_make(char *dir, size_t size, const char *name)
{
	int n = snprintf(dir, size, "/tmp/%s.XXXXXX", name);

	assert(n > 0 && (size_t)n < size);
	dir = mkdtemp(dir);
	assert(dir);
}

/* part NULL: folders too. */
static void remove_below(const char *dir, const char *part)
{
	char *const roots[] = { (char *)dir, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	assert(tree);
	while ((entry = fts_read(tree))) {
		bool folder = entry->fts_info == FTS_D ||
			      entry->fts_info == FTS_DP;

		if (part && (folder || !strstr(entry->fts_path, part)))
			continue;
		if (entry->fts_info == FTS_D)
			continue;
		if (remove(entry->fts_path))
			perror(entry->fts_path);
	}
	fts_close(tree);
}

void scratch_remove(const char *dir)
{
	remove_below(dir, NULL);
}

void scratch_remove_files(const char *dir, const char *part)
{
	remove_below(dir, part);
}

static int no_datasync(void *self, int fd)
{
	(void)self;
	(void)fd;
	return 0;
}

static int no_sync_dir(void *self, const char *path)
{
	(void)self;
	(void)path;
	return 0;
}

struct disk_ops scratch_disk(void)
{
	struct disk_ops disk = *env_posix()->disk;

	disk.datasync = no_datasync;
	disk.sync_dir = no_sync_dir;
	return disk;
}
