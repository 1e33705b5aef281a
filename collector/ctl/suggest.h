/* SPDX-License-Identifier: Apache-2.0 */
/* Suggest: whether a word may be a slip for another: a letter wrong, missing,
 * added or two swapped, in short words one such slip, in longer ones two; or
 * the beginning of it. */
#ifndef TALLY_COLLECTOR_CTL_SUGGEST_H
#define TALLY_COLLECTOR_CTL_SUGGEST_H

#include <stdbool.h>

enum { SUGGEST_MAX = 32 }; /* bytes; a longer word is near to nothing */

/* Slips between the two (optimal string alignment); -1: one is too long. */
int suggest_distance(const char *a, const char *b);
bool suggest_is_near(const char *typed, const char *meant);

#endif
