/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model: the API's answers as plain structs, one a question, each in an arena
 * of its own so that a new answer takes an old one's place by one free. Rows
 * over a limit are counted, not kept. Texts are foreign: they are drawn
 * through cells_text only, which makes them safe.
 */
#ifndef TALLY_TUI_MODEL_H
#define TALLY_TUI_MODEL_H

#include <jansson.h>

#include "core/base/arena.h"
#include "core/base/text.h"

enum {
	FUNCTIONS_MAX = 10000,
	ALARMS_MAX = 2000,
	TRACES_MAX = 500,
	SPARK_MAX = 30, /* docs/api.md: minutes, oldest first */
	MODEL_BYTES_MAX = 64 << 20,
};

struct function_row {
	struct sv name;
	double invocations;
	double errors;
	double throttles;
	double p50_ms; /* NAN: nothing measured */
	double p99_ms;
	struct sv cost;    /* exact decimal */
	double cost_order; /* for sorting alone; never shown */
	double spark[SPARK_MAX];
	size_t spark_count;
	double last; /* epoch seconds; 0: never */
};

struct functions {
	struct arena arena;
	struct function_row *rows;
	size_t count;
	size_t left_out;
	double start, end;
};

enum alarm_state { ALARM_ALARM, ALARM_NO_DATA, ALARM_OK };

struct alarm_row {
	struct sv name;
	enum alarm_state state;
	struct sv state_text;
	struct sv reason;
	struct sv metric;
	double since;
};

/* In order of urgency, then of name. */
struct alarms {
	struct arena arena;
	struct alarm_row *rows;
	size_t count;
	size_t left_out;
	size_t in_state[ALARM_OK + 1];
};

enum span_status { SPAN_OK, SPAN_THROTTLE, SPAN_ERROR, SPAN_FAULT };

struct trace_row {
	struct sv id;
	struct sv root;
	struct sv status_text;
	enum span_status status;
	struct sv request_id; /* the first one; "": none */
	double start;
	double duration_s;
};

struct traces {
	struct arena arena;
	struct sv function; /* what was asked */
	struct trace_row *rows;
	size_t count;
	size_t left_out;
	bool truncated;
};

/* Each reads an answer; NULL: memory, or MODEL_BYTES_MAX, is used up. */
struct functions *model_functions_new(const json_t *answer);
void model_functions_free(struct functions *f);
struct alarms *model_alarms_new(const json_t *answer);
void model_alarms_free(struct alarms *a);
struct traces *model_traces_new(const json_t *answer, struct sv function);
void model_traces_free(struct traces *t);

enum span_status span_status_parse(struct sv text);

#endif
