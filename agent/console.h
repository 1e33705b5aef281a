/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console: what a person sees of the invocations. Answers go to stdout, log
 * lines to stderr; whole lines, so that workers do not mix. Bytes of a handler
 * are shown as they are only where the stream is no terminal: there, control
 * characters could do what they like.
 */
#ifndef TALLY_AGENT_CONSOLE_H
#define TALLY_AGENT_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/emit.h"
#include "core/base/text.h"

struct console;

int console_new(struct console **out, bool json, bool quiet) MUST_USE;
void console_free(struct console *c);
/* first: of the first invocation, that quiet lets through. */
void console_log(struct console *c, bool first, struct sv line);
void console_answer(struct console *c, bool first, const struct run *run,
		    struct sv payload);

/* One line of --json, without the line end. */
void console_json(struct buf *out, const struct run *run, struct sv payload);

#endif
