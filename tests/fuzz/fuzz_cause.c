/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime says of an error, and datagrams of its SDK: the document made
 * from it is JSON and not over its limit, whatever it was. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/emit.h"
#include "agent/xray_udp.h"
#include "core/codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct function f = { .name = "f", .code_dir = "/" };
	struct sv text = sv_make((const char *)data, size);
	struct run run = { .function = &f, .arn = "a", .status = RUN_ERROR };
	struct arena arena = ARENA_INIT;
	struct buf out = BUF_INIT;
	struct json_doc doc;

	run.error_cause = sv_cut(&text, '\0');
	run.error_body = text.ptr ? text : run.error_cause;
	emit_function_document(&out, &run);
	assert(out.len <= SEGMENT_BYTES_MAX);
	assert(json_parse(&doc, &arena, buf_view(&out), NULL) == 0);
	text = xray_udp_document(sv_make((const char *)data, size), &arena);
	assert(!text.ptr || text.len >= 2);
	buf_fini(&out);
	arena_fini(&arena);
	return 0;
}
