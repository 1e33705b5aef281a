/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AWS emits for one invocation, made from what was measured:
 *
 *   AWS::Lambda            the service: from the request to the answer
 *   AWS::Lambda::Function  the function: Initialization (a cold start),
 *                          Invocation (until the response), Overhead (until
 *                          the runtime asks for the next). The handler's own
 *                          segments have this one as their parent.
 *   AWS/Lambda             Invocations, Errors, Throttles, Duration,
 *                          ConcurrentExecutions, by FunctionName, booked at
 *                          the start of the run
 *   usage                  what is paid for
 */
#ifndef TALLY_AGENT_EMIT_H
#define TALLY_AGENT_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/batch.h"
#include "agent/function.h"
#include "agent/ids.h"
#include "agent/runtime_api.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	CAUSE_TEXT_MAX = 1024, /* of a message, where a document is too big */
};

struct run {
	const struct function *function;
	const char *arn;
	char request_id[REQUEST_ID_SIZE];
	char trace_id[TRACE_ID_SIZE];
	char service_id[SEGMENT_ID_SIZE];  /* of the AWS::Lambda segment */
	char function_id[SEGMENT_ID_SIZE]; /* of AWS::Lambda::Function */
	struct wall arrived;               /* the request */
	bool cold;
	struct wall init_start;
	uint64_t init_us;     /* 0: warm, or the init was made in the run */
	struct wall start;    /* of the invocation */
	uint64_t response_us; /* since start; 0: there was no response */
	uint64_t duration_us; /* since start */
	uint32_t max_memory_mb;
	uint32_t concurrent;
	enum run_status status;
	char error_type[ERROR_TYPE_MAX];
	struct sv error_body;  /* {"errorType","errorMessage",...} */
	struct sv error_cause; /* X-Ray's cause; may be empty */
};

/* The two documents, into buffers of the caller's. */
void emit_service_document(struct buf *out, const struct run *run);
void emit_function_document(struct buf *out, const struct run *run);
/* All records of an ended run. */
void emit_run(struct batch *batch, const struct run *run);

#endif
