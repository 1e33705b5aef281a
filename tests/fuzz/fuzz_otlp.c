/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP's requests: the first byte says which and in which encoding. What is
 * taken must become a valid segment document. */
#include <assert.h>

#include "core/wire/otlp.h"
#include "core/wire/otlp_json.h"
#include "tracer/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wall now = { 1795342353600000000 };
	struct arena a = ARENA_INIT;
	struct records records = { 0 };
	struct otlp_refused refused;
	struct buf bytes = BUF_INIT, text = BUF_INIT;
	struct sv body = sv_make((const char *)data + !!size, size - !!size);
	unsigned kind = size ? data[0] % 6 : 0;
	int e = kind < 3 ? 0 : otlp_json_read(kind % 3, &a, body, &bytes, NULL);

	if (kind >= 3)
		body = buf_view(&bytes);
	if (!e && kind % 3 == OTLP_TRACES)
		e = otlp_traces_decode(&a, body, &records, &refused, NULL);
	else if (!e && kind % 3 == OTLP_METRICS)
		e = otlp_metrics_decode(&a, body, now, &records, &refused,
					NULL);
	else if (!e)
		e = otlp_logs_decode(&a, body, now, &records, &refused, NULL);
	for (size_t i = 0; !e && i < records.span_count && i < 100; i++) {
		struct json_writer w = json_writer(&text);
		struct segment s;

		buf_reset(&text);
		assert(span_put_xray(&w, &records.spans[i], &a));
		assert(text.len > SEGMENT_BYTES_MAX ||
		       segment_check(buf_view(&text), &a, &s) == SEGMENT_OK);
	}
	buf_reset(&text);
	(void)!otlp_json_write(kind % 3, body,
			       &(struct json_writer){ .out = &text });
	buf_fini(&text);
	buf_fini(&bytes);
	arena_fini(&a);
	return 0;
}
