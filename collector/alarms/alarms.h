/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms: CloudWatch's metric alarms. The engine is pure: a range of points, a
 * definition and the previous state give the new state and its reason. The
 * view keeps what was decided: an evaluation only *proposes* a change (a
 * value), the collector journals it as a PROTOCOL_ALARM_CHANGE frame, and the
 * frame's apply makes it so; states and history therefore survive a restart,
 * and a replay decides nothing anew. Until its frame is applied a proposed
 * change is remembered, so that it is proposed once.
 *
 * The rule for missing data is the published one (CloudWatch user guide, 40 cells). An open
 * period is judged early only where its verdict is final already: see
 * docs/decisions/early-verdict.md.
 */
#ifndef TALLY_COLLECTOR_ALARMS_ALARMS_H
#define TALLY_COLLECTOR_ALARMS_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/series/series.h"
#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/store/view.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	ALARMS_MAX = 5000, /* CloudWatch: of an account and region */
	ALARM_NAME_MAX = 255,
	ALARM_PERIODS_MAX = 1440,  /* N * period is at most a day */
	ALARM_HISTORY_MAX = 10000, /* changes kept, oldest go first */
	ALARM_REASON_MAX = 1023,   /* CloudWatch: StateReason */
	ALARM_URL_MAX = 2048,
	ALARM_PENDING_S = 60,     /* then a proposed change is proposed again */
	ALARM_REASON_POINTS = 10, /* data points named in a reason */
};

enum alarm_state { ALARM_OK, ALARM_ALARM, ALARM_INSUFFICIENT_DATA };
enum alarm_comparison {
	ALARM_GREATER_OR_EQUAL, /* GreaterThanOrEqualToThreshold */
	ALARM_GREATER,          /* GreaterThanThreshold */
	ALARM_LESS,             /* LessThanThreshold */
	ALARM_LESS_OR_EQUAL,    /* LessThanOrEqualToThreshold */
};
enum alarm_missing {
	ALARM_MISSING, /* "missing", the default */
	ALARM_IGNORE,
	ALARM_BREACHING,
	ALARM_NOT_BREACHING,
};

const char *alarm_state_name(enum alarm_state state); /* "OK", "ALARM", ... */
const char *alarm_comparison_name(enum alarm_comparison c);
const char *alarm_missing_name(enum alarm_missing m);
bool alarm_state_from(struct sv name, enum alarm_state *out) MUST_USE;
bool alarm_comparison_from(struct sv name, enum alarm_comparison *out) MUST_USE;
bool alarm_missing_from(struct sv name, enum alarm_missing *out) MUST_USE;

struct alarm_definition {
	struct sv name;
	struct sv ns;
	struct sv metric;
	const struct dimension *dimensions;
	size_t dimension_count;
	struct sv statistic; /* series_statistic_known */
	uint32_t period_s;   /* multiple of 60 */
	double threshold;
	enum alarm_comparison comparison;
	uint32_t datapoints;         /* M; 0: as evaluation_periods */
	uint32_t evaluation_periods; /* N */
	enum alarm_missing treat_missing;
	struct sv webhook; /* URL; empty: none */
};

/* 0 or ERR_INVALID with the story in diag. */
int alarm_definition_check(const struct alarm_definition *d,
			   struct diag *diag) MUST_USE;

/* --- the engine ---------------------------------------------------------- */

struct alarm_point {
	int64_t time_ns; /* start of the period */
	double value;
	bool present;
};

/* Periods that are looked at: N and some more. */
uint32_t alarm_range(const struct alarm_definition *d);
bool alarm_breaches(const struct alarm_definition *d, double value);
/* points: alarm_range(d) of them, oldest first. The reason, in CloudWatch's
 * words, is appended to reason (may be NULL) for the state that is returned. */
enum alarm_state alarm_judge(const struct alarm_definition *d,
			     const struct alarm_point *points,
			     enum alarm_state previous, struct buf *reason);

/* --- changes ---------------------------------------------------------------- */

struct alarm_change {
	struct sv name;
	enum alarm_state from, to;
	struct sv reason;
	int64_t time_ns;
};

/* The body of a PROTOCOL_ALARM_CHANGE frame:
 * {"name","from","to","reason","time":seconds}. */
void alarm_change_encode(const struct alarm_change *c, struct buf *out);
/* Text is in the arena. ERR_SYNTAX, ERR_INVALID, ERR_NOMEM. */
int alarm_change_decode(struct sv body, struct arena *arena,
			struct alarm_change *out) MUST_USE;
/* What is posted to a webhook: as SNS has it, AlarmName, NewStateValue, ... */
void alarm_webhook_body(const struct alarm_definition *d,
			const struct scope *scope, const struct alarm_change *c,
			struct buf *out);

/* --- the view ------------------------------------------------------------- */

struct alarms;

struct alarms_options {
	struct scope scope; /* whose definitions these are; nobody else sees
			     * them */
	const struct alarm_definition *definitions; /* copied */
	size_t count;
	size_t history_max; /* 0: ALARM_HISTORY_MAX */
};

struct alarms_stats {
	uint64_t definitions, evaluations, proposed, applied;
	uint64_t ignored; /* frames that were no change any more, or damaged */
	uint64_t errors;  /* reads of series that failed */
	uint64_t history, history_dropped;
	uint64_t in_alarm;
};

int alarms_open(struct alarms **out, const struct env *env, const char *dir,
		const struct alarms_options *options,
		struct diag *diag) MUST_USE;
void alarms_close(struct alarms *a);
struct view *alarms_view(struct alarms *a);
void alarms_stats(struct alarms *a, struct alarms_stats *out);
/* New definitions (SIGHUP); states of names that stay are kept. On an error
 * the old ones stay. Any thread. */
int alarms_define(struct alarms *a, const struct alarm_definition *definitions,
		  size_t count, struct diag *diag) MUST_USE;

/* Called once a change; everything is borrowed for the call. Journals it. 0:
 * the frame is on its way; < 0: nothing happened, propose it again. No lock
 * of alarms is held. */
typedef int alarm_change_fn(void *arg, const struct scope *scope,
			    const struct alarm_change *change);
/* Judges every definition in this scope at `now`. One thread at a time (the
 * collector's timer, every 10 s). 0, or the first error of a read; the other
 * alarms are judged all the same. */
int alarms_evaluate(struct alarms *a, struct series *s,
		    const struct scope *scope, struct wall now,
		    alarm_change_fn *change, void *arg) MUST_USE;
/* The frame of a proposed change was given up: propose it again. */
void alarms_change_failed(struct alarms *a, const struct scope *scope,
			  struct sv name);

struct alarm_status {
	struct alarm_definition definition;
	enum alarm_state state;
	struct sv reason;
	int64_t since_ns; /* 0: never judged yet */
};

/* The definitions of this scope with their state; in the arena. */
int alarms_list(struct alarms *a, const struct scope *scope,
		struct arena *arena, struct alarm_status **out,
		size_t *count) MUST_USE;
/* Newest first; an empty name takes all. *truncated: there were more. */
int alarms_history(struct alarms *a, const struct scope *scope, struct sv name,
		   size_t limit, struct arena *arena, struct alarm_change **out,
		   size_t *count, bool *truncated) MUST_USE;
/* The definition of a name, in the arena; false: none. */
bool alarms_find(struct alarms *a, struct sv name, struct arena *arena,
		 struct alarm_definition *out) MUST_USE;

#endif
