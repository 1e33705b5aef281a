/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Ray's control plane, each operation on the caller's own catalogue: what
 * several of them need.
 */
#ifndef TALLY_COLLECTOR_API_XRAY_H
#define TALLY_COLLECTOR_API_XRAY_H

#include "collector/api/control.h"
#include "collector/api/xray_shapes.h"

enum {
	/* X-Ray's quotas of an account and region. */
	XRAY_GROUPS_MAX = 25,
	XRAY_POLICIES_MAX = 5,
	XRAY_POLICY_BYTES_MAX = 5 << 10,
	XRAY_TAGS_MAX = 50, /* of one resource */
};

/* A group by its name or its ARN, of which one is set; Default is always there.
 * ERR_NOT_FOUND; ERR_INVALID: answered. */
int xray_group_find(struct api *a, struct request *r, struct sv name,
		    struct sv arn, struct xray_group *out) MUST_USE;
/* Whether the tags fit the rules for tags; false: answered. */
bool xray_tags_check(struct request *r, const struct xray_tag *tags,
		     size_t count) MUST_USE;
/* 0; ERR_NOT_FOUND: nothing has this ARN. */
int xray_resource_find(struct api *a, struct request *r,
		       struct sv arn) MUST_USE;
/* The answer to a NextToken where all is told at once. False: answered. */
bool xray_no_token(struct request *r, struct sv token) MUST_USE;

#endif
