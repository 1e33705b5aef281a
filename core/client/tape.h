/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tape: what the API sent, read with core/codec/json.h instead of jansson: for
 * commands that show numbers as the text they are, or that hand documents on
 * to the code the collector reads them with.
 */
#ifndef TALLY_CORE_CLIENT_TAPE_H
#define TALLY_CORE_CLIENT_TAPE_H

#include "core/base/arena.h"
#include "core/client/client.h"
#include "core/codec/json.h"

/* client_get and json_parse in one. *root and its text are valid with the
 * arena; on an error *root is no value. */
int tape_get(struct client *c, const char *path, struct arena *arena,
	     struct json *root, struct diag *diag) MUST_USE;

#endif
