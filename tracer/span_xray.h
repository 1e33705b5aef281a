/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a span's segment document: private to span_xray*.c. */
#ifndef TALLY_TRACER_SPAN_XRAY_H
#define TALLY_TRACER_SPAN_XRAY_H

#include "tracer/span.h"

struct conversion {
	struct json_writer *w;
	const struct span_reader *reader;
	const struct span_record *record;
	const struct segment *segment;
};

static inline void put_text(struct json_writer *w, const char *key,
			    struct sv text)
{
	if (!text.len)
		return;
	json_key(w, key);
	json_put_sv(w, text);
}

static inline void put_true(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_put_bool(w, true);
}

/* Members "http", "aws", "sql" and "service", as far as the span has them. */
void span_xray_put_blocks(const struct conversion *c);

#endif
