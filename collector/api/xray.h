/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of X-Ray's control plane, each on the caller's own catalogue, and
 * what several of them need.
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
	XRAY_FILTER_BYTES_MAX = 4096,
};

/* A group by its name or its ARN, of which one is set; Default is always there.
 * *name: by which it is stored, in the arena. ERR_NOT_FOUND; ERR_INVALID:
 * answered. */
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

void api_xray_create_group(struct api *a, struct request *r);
void api_xray_update_group(struct api *a, struct request *r);
void api_xray_delete_group(struct api *a, struct request *r);
void api_xray_get_group(struct api *a, struct request *r);
void api_xray_get_groups(struct api *a, struct request *r);
void api_xray_tag(struct api *a, struct request *r);
void api_xray_untag(struct api *a, struct request *r);
void api_xray_list_tags(struct api *a, struct request *r);
void api_xray_put_policy(struct api *a, struct request *r);
void api_xray_delete_policy(struct api *a, struct request *r);
void api_xray_list_policies(struct api *a, struct request *r);
void api_xray_put_encryption(struct api *a, struct request *r);
void api_xray_get_encryption(struct api *a, struct request *r);
void api_xray_get_indexing(struct api *a, struct request *r);
void api_xray_update_indexing(struct api *a, struct request *r);
void api_xray_get_destination(struct api *a, struct request *r);
void api_xray_update_destination(struct api *a, struct request *r);
void api_xray_telemetry(struct api *a, struct request *r);
void api_create_sampling_rule(struct api *a, struct request *r);
void api_update_sampling_rule(struct api *a, struct request *r);
void api_delete_sampling_rule(struct api *a, struct request *r);
void api_sampling_summaries(struct api *a, struct request *r);

#endif
