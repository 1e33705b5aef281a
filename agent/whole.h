/* SPDX-License-Identifier: Apache-2.0 */
/* Small files that are read and written as a whole. */
#ifndef TALLY_AGENT_WHOLE_H
#define TALLY_AGENT_WHOLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/sys/env.h"

/* Written to tmp, synced, renamed to path, the folder synced: there or not
 * there, never half. 0 or -errno. An error may leave path (the last sync
 * failed) but never tmp. */
int whole_write(const struct env *env, const char *dir, const char *tmp,
		const char *path, const void *bytes, size_t n) MUST_USE;
/* Replaces what is in out. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT (over limit). */
int whole_read(const struct env *env, const char *path, struct buf *out,
	       size_t limit) MUST_USE;
/* 0: it is not there, or empty. */
uint64_t whole_size(const struct env *env, const char *path);

#endif
