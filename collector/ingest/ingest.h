/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ingest: from a body to the acknowledgement. Each protocol has a file that
 * turns bytes into a message (native.c, xray.c); what follows is the same for
 * all and stands here:
 *
 *   decode (any thread) -> admit and append (one at a time, under a lock)
 *     -> the journal's fdatasync -> views' queues -> the reply
 *
 * Admission and append are one step, so that the order of admission is the
 * order of the journal: a record that is "known" because another request is
 * just bringing it lies before this frame, and is durable when this one is.
 * Should that other frame fail after all, `failures` has moved, and whoever
 * relied on it is told to send again instead of being told a lie.
 */
#ifndef TALLY_COLLECTOR_INGEST_INGEST_H
#define TALLY_COLLECTOR_INGEST_INGEST_H

#include <pthread.h>
#include <stdatomic.h>

#include "billing/ledger.h"
#include "collector/apply.h"
#include "collector/door/admission.h"
#include "collector/door/http.h"
#include "collector/ingest/invocations.h"
#include "collector/ingest/producers.h"
#include "collector/ingest/shed.h"
#include "collector/stats.h"
#include "tracer/segment.h"

enum {
	INGEST_RETRY_AFTER_S = 1,
	XRAY_DOCUMENTS_MAX = 1000, /* of one PutTraceSegments */
};

struct ingest {
	const struct env *env;
	struct journal *journal;
	struct apply *apply;
	struct stats *stats;
	struct ledger *ledger;
	struct producers *producers;
	struct invocations *invocations;
	struct admission *admission;
	struct scope scope;        /* of datagrams */
	size_t segment_bytes_max;  /* of a document by HTTP; 0: X-Ray's */
	pthread_mutex_t lock;      /* admit and append are one step */
	_Atomic uint64_t failures; /* frames given up by the journal */
};

/* One request between decode and reply. */
struct submission {
	struct ingest *ingest;
	struct message *message;
	struct request *request; /* NULL: nobody waits (UDP, alarms) */
	/* Writes the reply; err is the journal's, or 0. */
	void (*reply)(struct submission *s, int err);
	bool duplicate; /* the whole batch was known */
	bool admitted; /* its batch and usage, or its invocation, is reserved */
	bool filtered; /* the message is without what was refused */
	bool relies;   /* on a record that may be in flight elsewhere */
	uint64_t failures_before;
	/* Native: */
	struct sv producer;
	struct native_refusal *refusals;
	size_t refusal_count;
	struct shed shed; /* of these, for want of memory */
	uint32_t known;
	uint32_t accepted;
	bool conflict;          /* of a usage record */
	enum batch_state batch; /* what producers said */
	bool json;              /* the answer's form */
};

void ingest_init(struct ingest *in);
void ingest_fini(struct ingest *in);

/* Appends the message's frame; its done function pushes it to the views and
 * sends the reply. Takes s and its message. The caller holds no lock. */
void ingest_submit(struct submission *s);

/* Counts the records of a message that is given up: its sender is told to send
 * them again. */
void ingest_count_given_up(struct submission *s);

/* The amz-sdk-invocation-id of the request, where it is one that can be
 * remembered; ptr NULL otherwise. */
struct sv ingest_invocation(struct request *r);
/* Calls of SDKs are framed as
 *   0        1      1 + n
 *   | n      | id   | body as received
 * so that a replay knows the id as well; n may be 0. */
void ingest_envelope_put(struct buf *out, struct sv invocation, struct sv body);
/* Both borrow from framed. False: it is cut short. */
bool ingest_envelope_take(struct sv framed, struct sv *invocation,
			  struct sv *body) MUST_USE;

/* The reply for an err of the journal or of admission, in the form of the
 * request's protocol; what may be sent again has Retry-After. */
void ingest_reply_error(struct request *r, int err);

/* For apply_options.decode: every protocol, by frame->protocol. */
int ingest_decode_frame(struct message *m, const struct frame *frame);

/* --- the protocols --------------------------------------------------------- */

/* POST /api/v1/batches */
void native_batch_post(struct ingest *in, struct request *r);
int native_decode_frame(struct message *m, const struct frame *frame) MUST_USE;
/* Under in->lock: reserves the batch and its usage. Fills refusals, known.
 * 0: append it; 1: the whole batch is known: wait for a barrier; < 0. */
int native_admit(struct submission *s) MUST_USE;
void native_withdraw(struct submission *s);

/* POST /TraceSegments */
void xray_segments_post(struct ingest *in, struct request *r);
int xray_segments_decode_frame(struct message *m,
			       const struct frame *frame) MUST_USE;
/* Datagrams as received, in one message of PROTOCOL_XRAY_UDP. */
int xray_udp_decode_frame(struct message *m,
			  const struct frame *frame) MUST_USE;
/* Adds one datagram's document to the body of a PROTOCOL_XRAY_UDP message. */
void xray_udp_add(struct buf *body, struct sv document);

#endif
