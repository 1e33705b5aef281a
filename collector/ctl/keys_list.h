/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as tally keys lists them: all of them but the secret. */
#ifndef TALLY_COLLECTOR_CTL_KEYS_LIST_H
#define TALLY_COLLECTOR_CTL_KEYS_LIST_H

#include "core/auth/keys.h"
#include "core/client/program.h"

/* A table, or with --json a list of objects, into p's out. False: memory
 * ended. */
bool keys_list_print(struct program *p, const struct keys_table *t) MUST_USE;

#endif
