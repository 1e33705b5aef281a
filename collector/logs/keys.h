/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a logs block, and what is read from a line of log.
 *
 *   kind | account | region | hash | ...
 *     1  |  8, be  |   24   |  16  |
 *
 *   EVENT    hash of the group   time be64 | stream hash | sequence
 *            value: stream length le16, stream, message
 *   GROUP    hash of the group   (nothing)
 *            value: events le64, first le64, last le64, name
 *   REQUEST  hash of the id      time be64 | sequence
 *            value: mark, group length le16, group, stream
 *
 * The 49 bytes in front are the prefix that a block's filter is over. Times
 * are stored with the sign bit turned, so that bytes sort as numbers. Hashes
 * are XXH3 (128 bits for names, 64 for the order of streams within one time).
 */
#ifndef TALLY_COLLECTOR_LOGS_KEYS_H
#define TALLY_COLLECTOR_LOGS_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"
#include "core/wire/records.h"

enum row_kind { ROW_EVENT = 1, ROW_GROUP = 2, ROW_REQUEST = 3 };

enum {
	PREFIX_BYTES = 1 + 8 + REGION_MAX + 16,
	EVENT_KEY_BYTES = PREFIX_BYTES + 24,
	REQUEST_KEY_BYTES = PREFIX_BYTES + 16,
	NO_ID = 0xffff, /* a line that carries no request id */
};

struct prefix {
	uint8_t bytes[PREFIX_BYTES];
};

/* Where an event stands among all of its group: unique by sequence. */
struct event_key {
	int64_t time_ns;
	uint64_t stream_hash;
	uint64_t sequence;
};

/* A line as it is shown to whoever reads: borrowed for the call. */
struct line {
	struct event_key key;
	struct sv group, stream, message;
};

enum mark { MARK_LINE, MARK_START, MARK_END };

struct prefix log_prefix_make(enum row_kind kind, const struct scope *scope,
			      struct sv name);
/* The same place in another kind of rows. */
struct prefix log_prefix_as(struct prefix p, enum row_kind kind);
uint64_t log_stream_hash(struct sv stream);
int log_event_key_cmp(const struct event_key *a, const struct event_key *b);

/* Write EVENT_KEY_BYTES, REQUEST_KEY_BYTES. */
void log_event_key_put(uint8_t *out, const struct prefix *p,
		       const struct event_key *key);
void log_request_key_put(uint8_t *out, const struct prefix *p, int64_t time_ns,
			 uint64_t sequence);
/* False: the row does not have this form. */
bool log_event_row(struct sv key, struct sv value, struct line *line) MUST_USE;
bool log_request_row(struct sv key, struct sv value, struct line *line,
		     enum mark *mark) MUST_USE;

/* Is this the group of a function: do its lines carry request ids? */
bool log_group_has_requests(struct sv group);
/* Offset of the request id (a UUID) that the runtime wrote in the line, or
 * NO_ID. Known forms: "START RequestId: ID", "<time>\tID\tINFO\t...",
 * "<time> ID Task timed out", {"requestId":"ID"...}. */
uint16_t log_line_id_at(struct sv message);
enum mark log_line_mark(struct sv message);
/* Upper and lower case are one id. */
bool request_id_eq(struct sv a, struct sv b);
bool request_id_valid(struct sv id);
/* The prefix of an id's REQUEST rows. */
struct prefix log_prefix_of_id(const struct scope *scope, struct sv id);

#endif
