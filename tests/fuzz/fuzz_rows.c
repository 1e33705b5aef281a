/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from blocks, should a checksum ever let damage pass. */
#include <stdlib.h>

#include "tracer/id_index.h"
#include "tracer/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv bytes = { (const char *)data, size };
	struct sv key =
		sv_make(bytes.ptr, size < ROW_KEY_MAX ? size : ROW_KEY_MAX);
	struct arena arena = { .limit = 1 << 20 };
	struct graph_page_cursor at = { 0 };
	struct graph graph = GRAPH_INIT;
	struct trace_summary summary;
	struct trace_document document;
	uint8_t id[TRACE_ID_SIZE];
	struct buf again = BUF_INIT;
	uint32_t chunks[8];
	int64_t received_ns;
	size_t found;
	struct sv text;

	if (graph_decode(&graph, bytes) == 0)
		while (graph_put_page(&graph, &at, &again))
			;
	if (row_get_summary(key, bytes, &arena, &summary))
		row_put_summary(&again, &summary);
	(void)!row_get_document(key, bytes, &document);
	(void)!id_index_find(bytes, (uint32_t)size * 0x9e3779b9u, chunks, 8,
			     &found);
	(void)!row_get_request(bytes, id, &received_ns, &text);
	buf_fini(&again);
	graph_fini(&graph);
	arena_fini(&arena);
	return 0;
}
