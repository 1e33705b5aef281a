/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the body of a PutTraceSegments: what is read the short way is
 * what JSON says, and every document can be judged. */
#include <stddef.h>
#include <stdint.h>

#include "collector/ingest/ingest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct message *m, struct sv body)
{
	struct json_doc doc;
	struct json list, it;
	size_t i = 0;

	if (json_parse(&doc, &m->arena, body, NULL))
		return; /* a document that is not UTF-8, or the whole */
	list = json_get(json_root(&doc), SV("TraceSegmentDocuments"));
	for (it = json_first(list); it.doc; it = json_next(list, it), i++)
		if (i == m->records.segment_count ||
		    !sv_eq(json_string(it, &m->arena),
			   m->records.segments[i].document))
			__builtin_trap();
	if (i != m->records.segment_count)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m = { 0 };
	struct frame frame = { .decoder = 1, /* the body as it came */
			       .body = sv_make((const char *)data, size) };

	if (!xray_segments_decode_frame(&m, &frame))
		compare(&m, frame.body);
	for (size_t i = 0; i < m.records.segment_count; i++)
		(void)!segment_take(&m.records.segments[i], &m.arena);
	arena_fini(&m.arena);
	return 0;
}
