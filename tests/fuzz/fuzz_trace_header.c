/* SPDX-License-Identifier: Apache-2.0 */
/* A header that carries a trace. What is taken is written in both forms, and
 * both must read as the same. */
#include <assert.h>

#include "tracer/trace_header.h"

static void again(struct sv text, const struct trace_header *want, bool w3c)
{
	struct trace_header h;

	assert(trace_header_parse(text, &h));
	assert(!memcmp(h.trace_id, want->trace_id, TRACE_ID_SIZE));
	assert(h.has_parent == want->has_parent);
	assert(!h.has_parent ||
	       !memcmp(h.parent_id, want->parent_id, SEGMENT_ID_SIZE));
	assert(w3c || h.sampled == want->sampled);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT;
	struct trace_header h;

	if (trace_header_parse(sv_make((const char *)data, size), &h)) {
		trace_header_put_xray(&b, &h);
		again(buf_view(&b), &h, false);
		buf_reset(&b);
		if (trace_header_put_w3c(&b, &h))
			again(buf_view(&b), &h, true);
	}
	buf_fini(&b);
	return 0;
}
