/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searching traces, for X-Ray's GetTraceSummaries and for the native list.
 */
#ifndef TALLY_COLLECTOR_API_XRAY_SUMMARIES_H
#define TALLY_COLLECTOR_API_XRAY_SUMMARIES_H

#include "collector/api/api.h"
#include "tracer/search.h"

enum {
	XRAY_SUMMARIES_PAGE = 250,      /* of one answer */
	XRAY_SUMMARIES_BYTES = 1 << 20, /* an answer ends behind them */
	API_SEARCH_PAGES = 10,          /* gone through for one native list */
};

/* Parses an expression of the caller's, whose groups are the caller's. Errors
 * of filter_parse; diag says it all. */
int api_filter_parse(struct api *a, struct request *r, struct sv text,
		     struct filter *out, struct diag *diag) MUST_USE;

/* A native list's arguments; filter, function and next are r's. */
struct api_search {
	int64_t start_ns, end_ns;
	size_t limit;
};
void api_trace_search(struct api *a, struct request *r,
		      const struct api_search *q);

#endif
