/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648, 4: the standard alphabet, with padding; strict (no line
 * breaks, nothing behind the padding, bits that say nothing must be zero). */
#ifndef TALLY_CORE_CODEC_BASE64_H
#define TALLY_CORE_CODEC_BASE64_H

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"

/* 0 and the bytes in arena; ERR_SYNTAX; ERR_NOMEM. */
int base64_parse(struct arena *arena, struct sv text, struct sv *out) MUST_USE;
void base64_put(struct buf *out, struct sv bytes);

#endif
