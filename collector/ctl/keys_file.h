/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of access keys (core/auth/keys.h), changed: a section is added or
 * taken out, all other bytes, comments too, stay as they are. A change is
 * written beside the file, synced and renamed over it, so that a collector
 * which reads at that moment sees the old keys or the new ones. Owner, group
 * and mode are kept; a new file is for its owner alone.
 *
 * Who changes it holds a lock (flock); who edits it by hand holds none, so
 * before the rename it is looked at once more.
 *
 * The text is in memory that is locked and wiped, as the collector has it.
 */
#ifndef TALLY_COLLECTOR_CTL_KEYS_FILE_H
#define TALLY_COLLECTOR_CTL_KEYS_FILE_H

#include <sys/stat.h>

#include "core/auth/keys.h"
#include "core/auth/secret.h"

enum {
	KEYS_FILE_PATH_MAX = 4096,
	KEYS_FILE_SECTION_MAX = 4 << 10, /* bytes of one that is added */
	KEYS_FILE_WAIT_MS = 5000,        /* for who has the lock */
};

struct keys_file {
	char path[KEYS_FILE_PATH_MAX]; /* where links lead */
	int fd;                        /* locked */
	bool fresh;                    /* was not there before */
	struct stat was;
	struct secret_area area; /* the text, with room for one section */
	size_t len;
	struct keys_table *table; /* of the text */
};

/* Locks and reads. create: a file that is not there is an empty one. Every
 * error is in diag, and what to do. */
int keys_file_open(struct keys_file *f, const char *path, bool create,
		   struct diag *diag) MUST_USE;
/* Reads without a lock, for who changes nothing. */
int keys_file_read(struct keys_file *f, const char *path,
		   struct diag *diag) MUST_USE;
void keys_file_close(struct keys_file *f);

/* section: "[NAME]\n..." with its newline. Written once this returned 0. */
int keys_file_add(struct keys_file *f, struct sv section,
		  struct diag *diag) MUST_USE;
/* One that is in f->table. */
int keys_file_remove(struct keys_file *f, const struct key *key,
		     struct diag *diag) MUST_USE;

#endif
