/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An X-Ray segment document: what a service says of its part of a request.
 * segment_check judges one as it comes in, by the rules of "AWS X-Ray segment
 * documents", and reads out what the views need; the document itself is kept
 * as it came. A document is a segment, or with "type":"subsegment" a piece of
 * one sent alone; either may nest further subsegments, which segment_walk
 * visits. Reading costs one pass over the bytes (core/codec/json.h) and
 * copies only names with escapes in them.
 *
 * Refused is only what cannot be placed: without ids, name or times. A member
 * of an odd kind (a numeric namespace, an annotation that is a list) is kept
 * with the document and read as absent; an end before its start, which a
 * stepped clock makes, counts as no time at all.
 */
#ifndef TALLY_TRACER_SEGMENT_H
#define TALLY_TRACER_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/codec/json.h"
#include "core/wire/records.h"

enum {
	TRACE_ID_SIZE = 16, /* bytes */
	TRACE_ID_TEXT = 35, /* "1-" 8 hex "-" 24 hex */
	SEGMENT_ID_SIZE = 8,
	SEGMENT_ID_TEXT = 16,
	SEGMENT_NAME_MAX = 200,        /* characters */
	REQUEST_ID_MAX = USAGE_ID_MAX, /* longer ones are not indexed */
	SEGMENT_LINKS_MAX = 100, /* X-Ray: of a trace; more are not read */
};

/* Why a document is refused, in order of precedence: the first that applies
 * is the answer. segment_refusal_code has X-Ray's ErrorCode for it. */
enum segment_refusal {
	SEGMENT_OK = 0,
	SEGMENT_TOO_LARGE, /* over SEGMENT_BYTES_MOST, or what its door takes */
	SEGMENT_NOT_JSON,  /* or not an object */
	SEGMENT_NO_ID,
	SEGMENT_BAD_ID,
	SEGMENT_NO_TRACE_ID,
	SEGMENT_BAD_TRACE_ID,
	SEGMENT_NO_NAME,
	SEGMENT_BAD_NAME, /* over 200 characters; of a segment also:
				    * not letters, digits, space, or one of
				    * _ . : / % & # = + \\ - @ */
	SEGMENT_NO_START_TIME,
	SEGMENT_BAD_START_TIME,
	SEGMENT_BAD_END_TIME, /* not a number */
	SEGMENT_NO_END_TIME,  /* and not in progress */
	SEGMENT_BAD_TYPE,     /* "type" is there and not "subsegment" */
	SEGMENT_NO_PARENT_ID, /* a subsegment alone must name one */
	SEGMENT_BAD_PARENT_ID,
	SEGMENT_BAD_SUBSEGMENT, /* a nested one breaks a rule above */
	SEGMENT_NO_MEMORY,      /* the arena's limit: try again later */
	SEGMENT_REFUSALS,
};

/* How a segment ended. Ordered: a higher one is worse. */
enum segment_status {
	SEGMENT_STATUS_OK,
	SEGMENT_STATUS_ERROR,    /* the caller's mistake, 4xx */
	SEGMENT_STATUS_THROTTLE, /* 429; X-Ray counts it as an error too */
	SEGMENT_STATUS_FAULT,    /* the service's own, 5xx */
};

/* A message, or another trace, that a segment tells it goes on from. */
struct segment_link {
	uint8_t id[SEGMENT_ID_SIZE]; /* of the segment it came from */
	bool has_id;
	struct sv source; /* where it was received from: a queue's URL, an ARN
			   * or a name; or empty */
	int64_t sent_ns;  /* 0: not known */
};

struct segment {
	uint8_t trace_id[TRACE_ID_SIZE];
	uint8_t id[SEGMENT_ID_SIZE];
	uint8_t parent_id[SEGMENT_ID_SIZE];
	bool has_parent;
	bool subsegment;  /* nested, or "type":"subsegment" */
	bool in_progress; /* no end yet; end_ns equals start_ns */
	bool traced;      /* http.request.traced, or traced beside it */
	enum segment_status status;
	uint16_t http_status;     /* 0: none was given */
	int64_t start_ns, end_ns; /* end never before start */
	struct sv name;
	struct sv ns;           /* "aws", "remote" or what was sent; or empty */
	struct sv origin;       /* "AWS::Lambda::Function"; or empty */
	struct sv request_id;   /* aws.request_id; or empty */
	struct sv operation;    /* aws.operation; or empty */
	struct sv resource;     /* aws.table_name, queue_url, ...; or empty */
	struct sv resource_key; /* the name of that member; or empty */
	struct sv error_type;   /* cause.exceptions[0].type; or empty */
	struct sv error_message; /* cause.exceptions[0].message; or empty */
	uint64_t account;        /* aws.account_id; 0: none was given */
	const struct segment_link *links; /* at most SEGMENT_LINKS_MAX */
	size_t link_count;
	struct json json;   /* of this (sub)segment; valid as the arena is */
	struct json nested; /* its subsegments: an array, or no doc */
	/* In segment_record.read: where the one is that it is nested in, and
	 * how deep; both 0 for the document's own. */
	uint32_t container, depth;
};

/* Judges document and fills *out; all in it is valid as long as the arena and
 * the document's bytes. On a refusal *out is unspecified. The whole tree is
 * checked, so that segment_walk cannot fail later on the same bytes. */
enum segment_refusal segment_check(struct sv document, struct arena *arena,
				   struct segment *out) MUST_USE;
/* Judges record->document, parses it where nobody has, and leaves parsed, read
 * and read_count in the record, in arena. On a refusal read is NULL. A record
 * whose read is set was judged: nobody needs to look at its text again. */
enum segment_refusal segment_take(struct segment_record *record,
				  struct arena *arena) MUST_USE;
/* X-Ray's ErrorCode (its Message is "Invalid segment. ErrorCode: " and the
 * code), and a sentence that says what is wrong; never NULL. */
const char *segment_refusal_code(enum segment_refusal refusal);
const char *segment_refusal_text(enum segment_refusal refusal);

/* Visits root (depth 0, parent NULL) and all nested subsegments, parents
 * first, in document order. A nested one has its root's trace id and its
 * container's id as parent. fn returns 0 to go on; anything else ends the
 * walk and is returned. ERR_NOMEM when the arena is used up. */
typedef int segment_walk_fn(void *arg, const struct segment *segment,
			    const struct segment *parent, unsigned depth);
int segment_walk(const struct segment *root, struct arena *arena,
		 segment_walk_fn *fn, void *arg) MUST_USE;

/* `1-8hex-24hex` or 32 hex digits (the W3C form). */
bool trace_id_parse(struct sv text, uint8_t id[TRACE_ID_SIZE]) MUST_USE;
/* Writes TRACE_ID_TEXT characters and a NUL. */
void trace_id_text(const uint8_t id[TRACE_ID_SIZE],
		   char text[TRACE_ID_TEXT + 1]);
/* Writes SEGMENT_ID_TEXT characters and a NUL. */
void segment_id_text(const uint8_t id[SEGMENT_ID_SIZE],
		     char text[SEGMENT_ID_TEXT + 1]);
/* "ok", "error", "throttle", "fault" */
const char *segment_status_text(enum segment_status status);

#endif
