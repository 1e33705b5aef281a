/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP's exports, whatever carries them. otlp_submit is one call from its body
 * to the acknowledgement; the HTTP face (otlp_http.c) and gRPC's
 * (door/grpc.h) put its result in the form of their protocol
 * (core/wire/otlp_answer.h).
 */
#ifndef TALLY_COLLECTOR_INGEST_OTLP_H
#define TALLY_COLLECTOR_INGEST_OTLP_H

#include "collector/ingest/ingest.h"
#include "core/wire/otlp.h"

struct otlp_call {
	enum otlp_signal signal;
	enum otlp_encoding encoding;
	const struct scope *scope; /* of the caller; copied */
	struct buf *body; /* plain, at most HTTP_BODY_MAX; taken: empty after */
};

struct otlp_result {
	/* 0: what was accepted is durable. Else nothing of it was stored:
	 * ERR_SYNTAX, ERR_LIMIT, ERR_INVALID: the same bytes will not do again;
	 * ERR_BUSY, ERR_FULL, ERR_CLOSED, ERR_NOMEM: later they may
	 * (INGEST_RETRY_AFTER_S). */
	int err;
	uint64_t accepted, rejected; /* spans, data points, log records */
	/* What was wrong and what to do; empty where nothing was. Of UTF-8
	 * without controls. */
	char message[OTLP_MESSAGE_MAX];
};

/* In any thread: before otlp_submit returns, or in the journal's, where it must
 * be short and must not wait. *result is valid until it returns. */
typedef void otlp_done_fn(void *arg, const struct otlp_result *result);

/* Calls done exactly once. */
void otlp_submit(struct ingest *in, const struct otlp_call *call,
		 otlp_done_fn *done, void *arg);

/* POST /v1/traces, /v1/metrics, /v1/logs */
void otlp_traces_post(struct ingest *in, struct request *r);
void otlp_metrics_post(struct ingest *in, struct request *r);
void otlp_logs_post(struct ingest *in, struct request *r);

/* Frames of PROTOCOL_OTLP_TRACES, _METRICS and _LOGS. */
int otlp_decode_frame(struct message *m, const struct frame *frame) MUST_USE;

#endif
