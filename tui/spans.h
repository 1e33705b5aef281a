/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans: one trace, from the documents as they came to rows of a waterfall.
 * Both kinds are read, X-Ray's segments with their nested subsegments and
 * OpenTelemetry's spans, and joined by parent id. Documents are foreign: ids
 * may repeat, parents be missing or in a circle, times be absurd. What has no
 * parent here is a root; what a circle hides is shown as a root as well, so
 * that every span has exactly one row.
 */
#ifndef TALLY_TUI_SPANS_H
#define TALLY_TUI_SPANS_H

#include "tui/model.h"

enum {
	SPANS_MAX = 5000,
	SPAN_DEPTH_MAX = 64, /* deeper subsegments are left out, and counted */
	EVENTS_MAX = 5000,   /* lines of logs */
	CHARGES_MAX = 200,
};

struct span {
	struct sv id;
	struct sv parent_id; /* "": none */
	struct sv name;
	struct sv detail; /* "POST 429", "GetItem carts" */
	double start;     /* epoch seconds */
	double end;
	enum span_status status;
	bool in_progress;
	int depth; /* of the row, 0 for a root */
};

struct event {
	double time;
	size_t order;   /* as it came, among equal times */
	bool continued; /* a further line of the message above */
	struct sv message;
};

struct charge {
	struct sv usage_type;
	struct sv quantity;
	struct sv unit;
	struct sv cost;
};

struct waterfall {
	struct arena arena;
	struct sv id;    /* as the collector names it */
	struct sv asked; /* as it was asked for */
	double start;
	double duration_s; /* of all spans */
	struct sv status_text;
	enum span_status status;
	bool partial;
	struct span *spans; /* in the order of the waterfall */
	size_t span_count;
	struct event *events; /* oldest first */
	size_t event_count;
	struct sv total; /* cost of all usage; "" where there is none */
	struct sv note;
	struct sv summary; /* "128 MB, 71 used, 226 ms billed, 52.000 init" */
	struct charge *charges;
	size_t charge_count;
	size_t left_out; /* spans, events and charges over the limits */
};

struct waterfall *waterfall_new(const json_t *answer, struct sv asked);
void waterfall_free(struct waterfall *t);

#endif
