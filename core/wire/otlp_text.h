/* SPDX-License-Identifier: Apache-2.0 */
/* From OTLP's texts, which may be anything, to names that records may have. */
#ifndef TALLY_CORE_WIRE_OTLP_TEXT_H
#define TALLY_CORE_WIRE_OTLP_TEXT_H

#include "core/sys/env.h"
#include "core/wire/otlp.h"
#include "core/wire/otlp_value.h"

/* The text of an attribute (field `number` of message) of this name; of a list
 * of texts its first; else empty. */
struct sv otlp_text_of(struct sv message, uint32_t number, struct sv name);
/* The bytes of a field that stands once; or empty. */
struct sv otlp_field_text(struct sv message, uint32_t number);

/* prefix and text as one word of letters, digits and what is in also, '_' for
 * all else, at most max bytes. ptr NULL: no memory. */
struct sv otlp_word(struct arena *arena, struct sv prefix, struct sv text,
		    const char *also, size_t max) MUST_USE;
/* text as UTF-8 without controls and without what is in but, for which '_'
 * stands, at most max bytes. ptr NULL: no memory. */
struct sv otlp_line(struct arena *arena, struct sv text, const char *but,
		    size_t max) MUST_USE;

/* OTLP_OK; OTLP_TOO_OLD, OTLP_TOO_NEW: the bounds of every other protocol
 * (core/wire/native.h). */
int otlp_judge_time(int64_t time_ns, struct wall received) MUST_USE;

#endif
