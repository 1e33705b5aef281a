/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of tally status without --all. */
#ifndef TALLY_COLLECTOR_CTL_OVERVIEW_H
#define TALLY_COLLECTOR_CTL_OVERVIEW_H

#include "collector/ctl/ctl.h"

/* Adds it to p's out. root is the answer of /api/v1/status; what it has not
 * got reads as nothing. False: memory ended. */
bool ctl_overview(struct program *p, const json_t *root) MUST_USE;

#endif
