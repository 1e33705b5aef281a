/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutMetricData: from the input's struct to data, by CloudWatch's rules (its
 * API reference, PutMetricData and MetricDatum; what the shapes check is not
 * here). A call is taken as a whole or not at all.
 *
 * Its frame, PROTOCOL_CLOUDWATCH, is ingest's envelope around
 *
 *   0          1
 *   | form     | body, decompressed
 *
 * form being CLOUDWATCH_JSON, CLOUDWATCH_CBOR or CLOUDWATCH_QUERY: a replay
 * reads the same bytes by the same reader.
 */
#ifndef TALLY_COLLECTOR_INGEST_CLOUDWATCH_H
#define TALLY_COLLECTOR_INGEST_CLOUDWATCH_H

#include "collector/api/cloudwatch_shapes.h"
#include "collector/ingest/ingest.h"

enum {
	CLOUDWATCH_BODY_MAX = 1 << 20, /* also after decompression */
	CLOUDWATCH_DATA_MAX = 1000,    /* of one call, entities' with them */
	CLOUDWATCH_MESSAGE_MAX = 400,
	CLOUDWATCH_DECODER = 1,
};

/* Stored: never renumber. */
enum cloudwatch_form {
	CLOUDWATCH_JSON = 'j',
	CLOUDWATCH_CBOR = 'c',
	CLOUDWATCH_QUERY = 'q',
};

struct cloudwatch_fault {
	const char *shape; /* of CloudWatch's errors */
	char message[CLOUDWATCH_MESSAGE_MAX];
};

/* Fills records->data, in the arena, which borrows from in. A datum without a
 * time has that of now. 0; ERR_INVALID with *fault; ERR_NOMEM. */
int cloudwatch_data(const struct put_metric_data *in, struct wall now,
		    struct arena *arena, struct records *records,
		    struct cloudwatch_fault *fault) MUST_USE;

/* The operation. */
void cloudwatch_post(struct ingest *in, struct request *r);
int cloudwatch_decode_frame(struct message *m,
			    const struct frame *frame) MUST_USE;

#endif
