/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a filter expression: a bad one says where, a good one has an
 * answer that its guess does not contradict. */
#include <assert.h>

#include "tests/unit/tracer/filter_traces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct filter_trace trace = {
	"t",
	{ "{'id':'00000000000000a1','name':'web','start_time':10,'end_time':12,"
	  "'annotations':{'n':2,'b':true},'subsegments':[{'id':"
	  "'00000000000000a2','name':'db','namespace':'remote','fault':true,"
	  "'start_time':10,'end_time':11}]}" }
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct filter_hint hint = { .duration_ns = 2000000000 };
	struct arena arena = ARENA_INIT;
	struct diag diag = { 0 };
	struct filter_case c;
	struct filter f;

	if (filter_parse(&f, sv_make((const char *)data, size), NULL, &arena,
			 &diag)) {
		assert(diag.err && diag.text[0] && f.error_at <= size);
	} else {
		enum filter_guess g = filter_guess(&f, &hint);
		bool is;

		filter_case_make(&c, &trace, 0);
		is = filter_match(&f, &c.facts);
		assert(g == FILTER_MAYBE || is == (g == FILTER_YES));
		filter_case_free(&c);
	}
	arena_fini(&arena);
	return 0;
}
