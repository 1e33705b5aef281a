/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INI: the lines of AWS's credentials and config files and of our own ones.
 * A pull reader: each call gives the next line that says something, as views
 * into the text; what a section or a setting means is the caller's affair.
 *
 *   # or ; at its beginning: a comment
 *   [name]                       a section
 *   name = value                 a setting; value is the rest, white space at
 *                                both ends cut, and no comment in it
 *     name = value               deeper than the setting before it: AWS nests
 *                                settings so; the caller sees the indent
 */
#ifndef TALLY_CORE_CODEC_INI_H
#define TALLY_CORE_CODEC_INI_H

#include "core/base/err.h"
#include "core/base/text.h"

enum { INI_LINE_MAX = 8 << 10 }; /* bytes of a line, where none is given */

enum ini_kind {
	INI_SECTION,     /* name */
	INI_SETTING,     /* name and value, which may be empty */
	INI_BAD_SECTION, /* a '[' without its ']' */
	INI_BAD_SETTING, /* no '=' */
};

struct ini_line {
	enum ini_kind kind;
	size_t indent; /* bytes of white space before it */
	struct sv name;
	struct sv value;
};

struct ini {
	struct sv rest;
	size_t line_max_bytes;
	int line; /* of what ini_next gave last, from 1 */
};

/* line_max_bytes 0: INI_LINE_MAX. text must outlive reader and lines. */
void ini_init(struct ini *ini, struct sv text, size_t line_max_bytes);
/* 1: *out is the next line; 0: there is none; ERR_LIMIT: it is too long. */
int ini_next(struct ini *ini, struct ini_line *out) MUST_USE;

#endif
