/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounds of the plain records, for every decoder: text is UTF-8 without
 * control characters and of the allowed length and alphabet, numbers are
 * finite and in range, times are after 1970 and before 2100. What is wrong is
 * said with CloudWatch's codes; both texts are constant.
 */
#ifndef TALLY_CORE_WIRE_CHECK_H
#define TALLY_CORE_WIRE_CHECK_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/wire/records.h"

enum { USAGE_SOURCE_MAX = 64, USAGE_TRACE_ID_MAX = 64 };
#define RECORD_TIME_NS_MAX 4102444800000000000 /* 2100-01-01 */

struct fault {
	struct sv code;
	struct sv message;
};

/* False: *fault says why. Dimensions must be sorted by name. A
 * document's tape is put in the arena, for r->parsed; a lack of memory for it
 * is a fault with code.ptr NULL. */
bool segment_record_check(struct segment_record *r, struct arena *arena,
			  struct fault *fault) MUST_USE;
bool datum_check(const struct datum *d, struct fault *fault) MUST_USE;
bool log_event_check(const struct log_event *e, struct fault *fault) MUST_USE;
bool usage_check(const struct usage *u, struct fault *fault) MUST_USE;

/* One of CloudWatch's 27 names. */
bool unit_is_known(struct sv unit);

/* By name, then value; what datum_check wants. At most DIMENSIONS_MAX. */
void dimensions_sort(struct dimension *dimensions, size_t count);

#endif
