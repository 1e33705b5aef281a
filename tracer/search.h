/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Search: the traces of a time range that a filter expression selects, newest
 * first, page by page. A page's work is bounded by counts, not by a clock, so
 * that the same question over the same traces has the same pages. Most traces
 * that are not selected are told by their summary (filter_guess), and their
 * documents are never read.
 */
#ifndef TALLY_TRACER_SEARCH_H
#define TALLY_TRACER_SEARCH_H

#include "tracer/filter.h"
#include "tracer/traces.h"

enum {
	SEARCH_TRACES_MAX = 20000, /* looked at for one page */
	SEARCH_READS_MAX = 4000,   /* of which the documents are read */
	SEARCH_FOUND_MAX = 1000,   /* on a page */
	SEARCH_TOKEN_TEXT = 64,
};

struct search {
	const struct scope *scope;
	int64_t start_ns, end_ns;
	enum traces_time by;
	const struct filter *filter; /* NULL: all */
	uint32_t share_ppm; /* of the traces, by their id; 0: all of them */
	size_t found_max;   /* 0: SEARCH_FOUND_MAX */
	struct traces_cursor cursor; /* moved on */
	/* A trace that is selected. 0: go on; 1: the page ends behind it; < 0:
	 * an error, returned. All is valid in the call only. */
	int (*found)(void *arg, const struct trace *trace, struct facts *facts);
	void *arg;
	uint64_t processed, reads, count; /* looked at, read, found */
};

/* One page. 1: there may be more behind the cursor; 0: that was all. Errors of
 * traces_scan; ERR_NOMEM. */
int search_page(struct traces *t, struct search *s) MUST_USE;

/* The cursor as text, bound to a question: SEARCH_TOKEN_TEXT characters. */
void search_token(const struct search *s, uint64_t question,
		  char text[SEARCH_TOKEN_TEXT + 1]);
/* Sets the cursor. False: it is none, or of another question. */
bool search_token_read(struct search *s, uint64_t question,
		       struct sv text) MUST_USE;

#endif
