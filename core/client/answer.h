/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answer: reading what the API sent. A thin layer on jansson for the commands:
 * one call that gets, parses and reports, and readers that never fail, because
 * a field that is missing or of another kind reads as nothing, so that an
 * older command shows a newer collector's answer.
 *
 * Texts are as they came: foreign bytes. Whoever prints one sends it through
 * term_safe() (core/term/term.h) first.
 */
#ifndef TALLY_CORE_CLIENT_ANSWER_H
#define TALLY_CORE_CLIENT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/client/client.h"

struct program;

enum { ANSWER_DEPTH_MAX = 512 }; /* nested arrays and objects */

/* Body to value; the caller's to json_decref. ERR_SYNTAX says where. Numbers
 * without fraction that do not fit 64 bits are refused as well. */
int answer_parse(json_t **out, struct sv body, struct diag *diag) MUST_USE;
/* client_get and answer_parse in one. */
int answer_get(struct client *c, const char *path, json_t **out,
	       struct diag *diag) MUST_USE;

/* The same for a command, which says what went wrong itself: false. With
 * --json the body is in p's out as it came and *root is NULL; otherwise *root
 * is the caller's. */
bool answer_ask(struct program *p, const char *path, json_t **root) MUST_USE;
/* Adds a value to p's out, as JSON on one line that is safe to print. */
void answer_print(struct program *p, const json_t *value);

/* Readers; object may be NULL or of any kind. */
struct sv answer_text(const json_t *object, const char *key); /* "" */
/* NUL-terminated, never NULL, but a NUL inside cuts it: only for what is not
 * printed, such as a decimal string or a name to compare. */
const char *answer_string(const json_t *object, const char *key);
double answer_number(const json_t *object, const char *key);   /* 0 */
int64_t answer_integer(const json_t *object, const char *key); /* 0 */
bool answer_bool(const json_t *object, const char *key);       /* false */
/* NULL where there is none; json_array_size and _foreach take NULL well. */
json_t *answer_array(const json_t *object, const char *key);
json_t *answer_object(const json_t *object, const char *key);

#endif
