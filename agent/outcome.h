/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcome: what the end of a sandbox's call means in Lambda's words - status,
 * error type, the line in the log, and the payload that the caller gets.
 *
 *   end       result    status           REPORT's Error Type
 *   DONE      response  ok
 *   DONE      error     error            of the handler
 *   FAILED    init      error            of the runtime
 *   TIMEOUT   any       timeout
 *   MEMORY    any       out of memory    Runtime.OutOfMemory
 *   EXIT      response  ok (it answered before it ended)
 *   EXIT      other     error            Runtime.ExitError
 */
#ifndef TALLY_AGENT_OUTCOME_H
#define TALLY_AGENT_OUTCOME_H

#include "agent/emit.h"
#include "agent/runtime_api.h"
#include "agent/sandbox.h"

struct outcome {
	enum sandbox_end end;
	struct api_result result; /* what the runtime said, if it did */
	struct buf payload;       /* made here where it did not */
	struct buf error;         /* of a stream that broke: decoded JSON */
	struct buf line;          /* for the log; empty: nothing to say */
	char report_type[ERROR_TYPE_MAX];
};

/* Judges end and result; fills in the rest and run's status and error. run
 * borrows from o. */
void outcome_judge(struct outcome *o, struct sandbox *sandbox, struct run *run);
struct sv outcome_payload(const struct outcome *o);
void outcome_fini(struct outcome *o);

#endif
