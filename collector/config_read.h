/* SPDX-License-Identifier: Apache-2.0 */
/* Private to collector/config*.c: parts of the file that have one of their
 * own. Each reads its member of root, where it is there, into c; what it keeps
 * is in c's arena. diag says what is wrong. */
#ifndef TALLY_COLLECTOR_CONFIG_READ_H
#define TALLY_COLLECTOR_CONFIG_READ_H

#include "collector/config.h"
#include "core/codec/json.h"

int config_read_alarms(struct config *c, struct json root,
		       struct diag *diag) MUST_USE;
int config_read_days(struct config *c, struct json root,
		     struct diag *diag) MUST_USE;
int config_read_late(struct config *c, struct json root,
		     struct diag *diag) MUST_USE;

#endif
