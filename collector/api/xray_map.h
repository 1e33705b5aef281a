/* SPDX-License-Identifier: Apache-2.0 */
/* What X-Ray's questions about the service map have in common. */
#ifndef TALLY_COLLECTOR_API_XRAY_MAP_H
#define TALLY_COLLECTOR_API_XRAY_MAP_H

#include "collector/api/api.h"
#include "core/smithy/shape.h"

enum { XRAY_GRAPH_HOURS_MAX = 6 }; /* X-Ray: of GetServiceGraph's window */

/* The answer to an err of a view, or of a page. */
void xray_map_failed(struct request *r, int err);
/* False: an error is in the reply. */
bool xray_range_fits(struct request *r, const struct shape_time *start,
		     const struct shape_time *end, int64_t hours_max) MUST_USE;
/* The hash of a question, for which alone a token is good: who asks and which
 * operation, then whatever else is in it. */
void xray_question_begin(struct buf *b, const struct request *r);
void xray_question_text(struct buf *b, struct sv text);
uint64_t xray_question_end(struct buf *b);

/* The map of traces by their ids, as GetTraceGraph and
 * GetRetrievedTracesGraph have it (xray_services_page makes Services of it);
 * ids that are not known are left out. ERR_SYNTAX: one is no trace id;
 * ERR_NOMEM, ERR_IO. *out is the caller's: graph_fini. */
int xray_traces_graph(struct api *a, struct request *r, const struct sv *ids,
		      size_t count, struct graph *out) MUST_USE;

#endif
