/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of a request: of its group, by name or ARN, and groups that an
 * expression names. */
#ifndef TALLY_COLLECTOR_API_XRAY_FILTER_H
#define TALLY_COLLECTOR_API_XRAY_FILTER_H

#include "collector/api/xray.h"
#include "tracer/filter.h"

struct xray_filter_groups {
	struct api *api;
	struct request *request;
	struct filter_groups groups; /* for filter_parse */
};
/* Groups of the caller, found in the catalogue. */
void xray_filter_groups(struct xray_filter_groups *g, struct api *a,
			struct request *r);

/* The filter of the group that a request names; *any: it names none, or one
 * that holds all traces. False: an error is in the reply. */
bool xray_group_filter(struct api *a, struct request *r, struct sv name,
		       struct sv arn, struct filter *out, bool *any) MUST_USE;

#endif
