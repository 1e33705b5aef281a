/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head: events that are not in a block yet, by group. A group's events are
 * an array that is appended to and put in order when somebody looks: they come
 * nearly sorted, so only the new tail is sorted and merged in. Texts lie in
 * one arena that is given back when the head is sealed.
 *
 * The caller holds the view's lock, except for log_head_write while nothing is
 * added (the view's own thread, after log_head_order).
 */
#ifndef TALLY_COLLECTOR_LOGS_HEAD_H
#define TALLY_COLLECTOR_LOGS_HEAD_H

#include "collector/logs/keys.h"
#include "core/base/arena.h"
#include "core/store/block.h"
#include "core/wire/records.h"

struct head_event {
	struct event_key key;
	const char *stream;
	const char *message;
	uint32_t message_len;
	uint16_t stream_len;
	uint16_t id_at; /* of the request id in the message, or NO_ID */
};

struct head_group {
	struct head_group *next; /* in its bucket */
	struct prefix prefix;    /* of its EVENT rows */
	struct scope scope;
	struct sv name;
	bool has_requests;
	struct head_event *events;
	size_t count, capacity;
	size_t ordered; /* events before this are in order */
	size_t coming;  /* of the delivery that is being added */
};

struct head {
	struct arena arena;
	struct head_group **buckets;
	size_t bucket_count, group_count;
	uint64_t events, bytes;
};

/* Called for each line, in no promised order across groups. 0: go on; 1: this
 * source has nothing more of use; < 0: an error. */
typedef int line_fn(void *arg, const struct line *line);

void log_head_fini(struct head *h);
void log_head_reset(struct head *h);
/* All of the events or none: ERR_NOMEM. Sequences are given from first on. */
int log_head_add(struct head *h, const struct scope *scope,
		 const struct log_event *events, size_t count,
		 uint64_t first) MUST_USE;
/* What log_head_add will count into head.bytes, at most. */
uint64_t log_head_cost(const struct log_event *events, size_t count);

struct head_group *
log_head_group_find(struct head *h, const struct scope *scope, struct sv name);
/* The next group of the scope after `after` (NULL: the first). */
struct head_group *log_head_group_next(struct head *h,
				       const struct scope *scope,
				       struct head_group *after);
/* ERR_NOMEM: nothing is lost, the order is not there. */
int log_head_group_order(struct head_group *g) MUST_USE;
/* Lines of start <= time < end in order, or the reverse. */
int log_head_group_visit(struct head_group *g, int64_t start_ns, int64_t end_ns,
			 bool descending, line_fn *fn, void *arg) MUST_USE;
struct line log_head_line(const struct head_group *g,
			  const struct head_event *e);

int log_head_order(struct head *h) MUST_USE;
/* Writes every row; *min_ns, *max_ns: times of the events. */
int log_head_write(const struct head *h, struct block_writer *w,
		   int64_t *min_ns, int64_t *max_ns) MUST_USE;

#endif
