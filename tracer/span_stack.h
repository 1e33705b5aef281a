/* SPDX-License-Identifier: Apache-2.0 */
/* Stack traces as Node.js, Python and Java print them. */
#ifndef TALLY_TRACER_SPAN_STACK_H
#define TALLY_TRACER_SPAN_STACK_H

#include "core/codec/json_write.h"

enum { SPAN_FRAMES_MAX = 100 };

/* The frames of stack as members of a list, {"path","line","label"}, the
 * innermost first, at most SPAN_FRAMES_MAX. Lines that are none are passed
 * over. */
void span_stack_write(struct json_writer *w, struct sv stack);

#endif
