/* SPDX-License-Identifier: Apache-2.0 */
/* X-Ray datagrams, and the frame they are stored in: what was taken comes back
 * the same. */
#include <stddef.h>
#include <stdint.h>

#include "collector/ingest/ingest.h"
#include "core/wire/datagram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data, size };
	struct sv document = datagram_document(in);
	struct message m = { .arena = { .limit = 1 << 20 } };
	struct frame frame = { .protocol = PROTOCOL_XRAY_UDP, .body = in };

	(void)!xray_udp_decode_frame(&m, &frame); /* any bytes: no crash */
	if (document.ptr) {
		struct buf body = { 0 };

		m.records = (struct records){ 0 };
		xray_udp_add(&body, document);
		frame.body = buf_view(&body);
		if (xray_udp_decode_frame(&m, &frame) ||
		    m.records.segment_count != 1 ||
		    !sv_eq(m.records.segments[0].document, document))
			__builtin_trap();
		buf_fini(&body);
	}
	arena_fini(&m.arena);
	return 0;
}
