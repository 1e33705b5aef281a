/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a span says, read once: its own fields, and of its attributes and its
 * resource's those that mean something to a segment (span_keys.def). Nothing is
 * copied or allocated; the bytes must follow the schema, as those of
 * otlp_traces_decode do. What a message repeats that should stand there once
 * counts as it came last.
 */
#ifndef TALLY_TRACER_SPAN_FACTS_H
#define TALLY_TRACER_SPAN_FACTS_H

#include "core/codec/protobuf.h"
#include "core/wire/otlp_fields.h"
#include "core/wire/otlp_value.h"
#include "core/wire/records.h"

enum span_key {
#define LENGTH(bytes)
#define KEY(id, text) KEY_##id,
#include "tracer/span_keys.def"
#undef KEY
#undef LENGTH
	SPAN_KEYS,
};

/* SPAN_KEYS: it is none of them. */
enum span_key span_key_find(struct sv name);

struct span_values {
	uint64_t have[SPAN_KEYS / 64 + 1]; /* which of of[] are set */
	struct otlp_value of[SPAN_KEYS];
};

struct span_facts {
	struct sv trace_id, id, parent_id; /* parent: empty where all zero */
	struct sv name, trace_state;
	uint64_t start_ns, end_ns;
	uint32_t kind, flags;
	uint32_t links; /* how many */
	uint32_t status; /* STATUS_UNSET, STATUS_OK, STATUS_ERROR */
	struct sv status_message;
	struct sv exception; /* the first Event of that name; or empty */
	struct sv span;      /* all of it */
	struct span_values values;
};

/* The known attributes among field `number` of a Resource, an
 * InstrumentationScope, an Event or a Span. */
void span_values_read(struct sv message, uint32_t number,
		      struct span_values *out);
/* ERR_SYNTAX: it is not a Span. */
int span_facts_read(struct sv span, struct span_facts *out) MUST_USE;

static inline bool span_has(const struct span_values *v, enum span_key key)
{
	return v->have[key / 64] >> key % 64 & 1;
}

/* The text of an attribute; of an array of texts its first; else empty. */
struct sv span_text(const struct span_values *v, enum span_key key);
/* A whole number, or text that is one. */
bool span_number(const struct span_values *v, enum span_key key, int64_t *out);

/* The first of keys that has a text, up to SPAN_KEYS, which ends the list. */
struct sv span_first_text(const struct span_values *v,
			  const enum span_key *keys);
#define SPAN_FIRST(v, ...) \
	span_first_text(v, (const enum span_key[]){ __VA_ARGS__, SPAN_KEYS })

#endif
