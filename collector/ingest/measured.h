/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the collector measures itself, such as how many traces a group had in a
 * minute: data like any other, but of namespaces that nobody else may write to
 * (AWS/XRay). They are a frame of the journal, PROTOCOL_MEASURED, whose body is
 * the JSON of PutMetricData; so series and alarms know no difference.
 */
#ifndef TALLY_COLLECTOR_INGEST_MEASURED_H
#define TALLY_COLLECTOR_INGEST_MEASURED_H

#include "collector/ingest/ingest.h"

enum { MEASURED_DECODER = 1, MEASURED_DATA_MAX = 1000 };

struct measured {
	struct sv ns, name;
	struct dimension dimension; /* one */
	int64_t time_ns;
	double value;
};

/* Journals them, all of one namespace (assert), count: 1 to MEASURED_DATA_MAX.
 * Nobody waits; what is given up is counted. ERR_NOMEM, ERR_BUSY: none is
 * stored. */
int measured_submit(struct ingest *in, const struct scope *scope,
		    const struct measured *data, size_t count) MUST_USE;
int measured_decode_frame(struct message *m,
			  const struct frame *frame) MUST_USE;

#endif
