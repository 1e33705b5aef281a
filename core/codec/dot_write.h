/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings of Graphviz's DOT language. In a label, a backslash begins an escape
 * (`\N` is the node's name, `\l` ends a line) and `&lt;` is a character
 * reference, quotes or not; so names that came from whoever sent telemetry
 * could change a picture or the file's structure. Here each is written such
 * that dot draws the text as it is: escapes and references undone, control
 * characters, bidirectional overrides and bytes that are not UTF-8 as U+FFFD.
 */
#ifndef TALLY_CORE_CODEC_DOT_WRITE_H
#define TALLY_CORE_CODEC_DOT_WRITE_H

#include "core/base/text.h"

/* "text", in quotes, for a label or an id. */
void dot_put_string(struct buf *out, struct sv text);
/* The inside of a quoted string alone, for a label of several parts. */
void dot_put_text(struct buf *out, struct sv text);

#endif
