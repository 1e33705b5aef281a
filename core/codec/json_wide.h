/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/codec/json*.c do 64 bytes at a time where the processor can (AVX2,
 * BMI and carry-less multiplication; all of x86-64's since 2015), private to
 * them, their tests, and ingest/xray.c. The ways of telling strings from what is between them
 * by bit masks are those of Langdale and Lemire, "Parsing gigabytes of JSON per
 * second" (2019).
 *
 * They say yes only to what the portable code would answer in the same way,
 * byte by byte; whatever is odd, or wrong, they leave to it, which then names
 * the place. So there is one definition of what is accepted, and it is the
 * portable one.
 */
#ifndef TALLY_CORE_CODEC_JSON_WIDE_H
#define TALLY_CORE_CODEC_JSON_WIDE_H

#include "core/codec/json.h"

/* What this machine can. A test may pass less. */
enum json_wide { JSON_WIDE_NONE, JSON_WIDE_256, JSON_WIDE_512 };
enum json_wide json_wide_can(void);

/* What one look over a text says of it. */
struct json_census {
	size_t nodes_most; /* one, and one for each `,` `:` `[` `{` */
	bool slashes;      /* a backslash somewhere */
	bool high;         /* a byte of 0x80 or more */
};
struct json_census json_wide_census(struct sv text);
/* Nodes of a whole text into the census' room. False: ask the portable one. */
bool json_wide_parse(struct sv text, const struct json_census *census,
		     enum json_wide how, struct json_node *nodes,
		     uint32_t *count) MUST_USE;
enum { JSON_WIDE_SLACK = 64 }; /* bytes behind what json_wide_string writes */
/* A string's text from behind its opening quote, unescaped, to out, which has
 * room for end - from + JSON_WIDE_SLACK. Returns the closing quote, with *len; NULL: there
 * is an escape with a letter, a control character, or no closing quote before
 * `end`. UTF-8 is not looked at. Any `how` will do, also NONE. */
const char *json_wide_string(const char *from, const char *end,
			     enum json_wide how, char *out,
			     size_t *len) MUST_USE;

/* json.c: the portable parser, for tests of the two. */
int json_parse_portable(struct json_doc *doc, struct arena *arena,
			struct sv text, struct diag *diag) MUST_USE;

#endif
