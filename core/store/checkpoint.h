/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkpoint: the journal position up to which a view is durable, stored
 * atomically with the view's own state (an opaque image: which files count,
 * what is open). One file, written beside the old one, synced, renamed, the
 * folder synced. Magic, format version, CRC. An unreadable one is quarantined
 * (renamed to NAME.damaged-<time>) and reported as ERR_CORRUPT: the view then
 * starts from what its sealed files say, or from the journal's oldest frame.
 */
#ifndef TALLY_CORE_STORE_CHECKPOINT_H
#define TALLY_CORE_STORE_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/sys/env.h"

enum { CHECKPOINT_IMAGE_MAX = 1 << 30 };

/* view: a short name stored in the file and checked when it is read; format:
 * of the image. */
int checkpoint_write(const struct env *env, const char *path, struct sv view,
		     uint32_t format, uint64_t position,
		     struct sv image) MUST_USE;
/* After checkpoint_write failed with err: whether the file may be the new one
 * all the same, since only the sync of its folder failed (ERR_IO then). What it
 * names has to stay. */
bool checkpoint_in_doubt(const struct env *env, const char *path,
			 struct sv view, uint32_t format, uint64_t position,
			 int err);
/* 0: *position and *image (appended to the buf, whose limit, when it has none,
 * becomes CHECKPOINT_IMAGE_MAX) are set. ERR_NOT_FOUND: none.
 * ERR_CORRUPT, ERR_VERSION (image format above `format`). */
int checkpoint_read(const struct env *env, const char *path, struct sv view,
		    uint32_t format, uint64_t *position,
		    struct buf *image) MUST_USE;

#endif
