/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native batch (telemetry.proto): bytes to plain records and back. This
 * file's module alone knows protobuf. Decoding has three steps: a walker over
 * the wire bytes that knows the schema bounds depth and counts (protobuf-c's
 * unpack has no limit of its own), protobuf-c unpacks into the arena, and
 * every bound of records.h is checked, record by record.
 *
 * A bad batch (not protobuf, no producer, sequence 0, over a limit) is an
 * error: nothing of it counts. A bad record is listed in `refusals` and stays
 * in its place, so that an index means the same for the answer, the journal
 * and a replay: **call native_apply_refused before the records are used.**
 */
#ifndef TALLY_CORE_WIRE_NATIVE_H
#define TALLY_CORE_WIRE_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	NATIVE_DECODER = 1,         /* frame.decoder of PROTOCOL_NATIVE */
	NATIVE_BYTES_MAX = 8 << 20, /* of a batch, inflated */
	NATIVE_STREAMS_MAX = BATCH_RECORDS_MAX, /* LogStream messages */
	NATIVE_FIELDS_MAX = 1 << 20, /* fields in a batch, all levels */
	NATIVE_UNKNOWN_MAX = 50000,  /* of them, from a newer schema */
	NATIVE_ANSWER_BYTES_MAX = 8 << 20,
	REFUSAL_MESSAGE_MAX = 160,
};

/* What is wrong with one record, in CloudWatch's and X-Ray's words. */
struct native_refusal {
	enum record_kind kind;
	uint32_t index; /* within its kind, as it came; logs across streams */
	struct sv code; /* "InvalidParameterValue", "MissingParameter", ... */
	struct sv message;
};

/* How a record is named in a frame's refused list. */
static inline uint32_t native_key(enum record_kind kind, uint32_t index)
{
	return (uint32_t)kind << 24 | index;
}

/* "segment", "datum", "log", "usage". */
const char *native_kind_text(enum record_kind kind);

struct native_batch {
	struct sv producer;
	uint64_t sequence;
	struct records records; /* all that came, the refused ones too */
	struct native_refusal *refusals; /* ascending by native_key */
	size_t refusal_count;
};

/* Everything is in the arena; out borrows nothing from body. Gives the same
 * for the same bytes at any time. ERR_SYNTAX, ERR_LIMIT, ERR_INVALID (diag
 * says what), ERR_NOMEM. */
int native_decode(struct arena *arena, struct sv body, struct native_batch *out,
		  struct diag *diag) MUST_USE;

enum {
	NATIVE_AGE_DAYS_MAX = 14,       /* CloudWatch: data; PutLogEvents */
	NATIVE_USAGE_AGE_DAYS_MAX = 35, /* as long as ids are remembered */
	NATIVE_AHEAD_HOURS_MAX = 2,
};
/* Adds refusals for records too old or too far ahead when they are received.
 * Not for a replay: the frame has the refused ones. ERR_NOMEM. */
int native_check_times(struct arena *arena, struct native_batch *batch,
		       struct wall received) MUST_USE;

/* The refusals as keys, ascending, for frame.refused; in the arena.
 * NULL only when memory is used up. */
uint32_t *native_refused_keys(struct arena *arena,
			      const struct native_batch *batch) MUST_USE;

/* Takes the named records out, keeps the order of the rest. refused ascends;
 * names of records that are not there are passed over. */
void native_apply_refused(struct records *records, const uint32_t *refused,
			  size_t n);

/* Appends a Batch. Logs that follow each other with equal group and stream go
 * into one LogStream. A NUL in a name becomes '?'. The caller keeps a batch
 * below NATIVE_BYTES_MAX. ERR_NOMEM, ERR_LIMIT (out's limit). */
int native_encode(struct buf *out, struct sv producer, uint64_t sequence,
		  const struct records *records) MUST_USE;

struct native_answer {
	bool duplicate;    /* the whole batch was known */
	uint32_t accepted; /* records stored by this call */
	uint32_t known;    /* usage records stored before */
	const struct native_refusal *refusals;
	size_t refusal_count;
	struct sv message;
};

int native_answer_encode(struct buf *out,
			 const struct native_answer *answer) MUST_USE;
/* {"duplicate":false,"accepted":3,"known":0,"refused":[{"kind","index",
 * "code","message"}],"message":"..."}; message only where there is one. */
void native_answer_json(struct buf *out, const struct native_answer *answer);
int native_answer_decode(struct arena *arena, struct sv body,
			 struct native_answer *out, struct diag *diag) MUST_USE;

#endif
