/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans as rows of ClickHouse's RowBinary, for a table of
 *   trace_id FixedString(16), span_id, parent_id FixedString(8),
 *   service, name String, kind UInt8, ts, duration UInt64,
 *   keys, attribute_values Array(String)
 * Source: ClickHouse's documentation, "RowBinary".
 */
#ifndef TALLY_TESTS_BENCH_ROWBINARY_H
#define TALLY_TESTS_BENCH_ROWBINARY_H

#include "core/base/text.h"

/* Calls each span of an ExportTraceServiceRequest, whose resources have
 * service.name first. */
void spans_each(struct sv request,
		void (*each)(void *arg, struct sv span, struct sv service),
		void *arg);
/* Appends a row for each. */
void rowbinary_put(struct buf *out, struct sv request);

#endif
