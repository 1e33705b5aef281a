/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/pack.h"

/* Whether the record gives this document back. */
static bool is_same(const struct span_record *span, struct sv document)
{
	struct buf again = BUF_INIT;
	bool same;

	document_of_span(span, &again);
	same = !again.failed && sv_eq(buf_view(&again), document);
	buf_fini(&again);
	return same;
}

static bool pack_as_it_is(struct shapes *s, const struct document *d,
			  struct buf *row)
{
	uint8_t *at = pack_begin(s, d->bytes.len + VALUE_BYTES_MAX + 8);

	if (!at)
		return false;
	at = pack_verbatim(at,
			   d->format == DOCUMENT_OTLP ? SHAPE_VERBATIM_OTLP :
							SHAPE_VERBATIM_JSON,
			   d->bytes);
	shapes_count(s, true);
	return pack_end(s, at, row);
}

bool shape_pack_document(struct shapes *s, const struct document *d,
			 const uint8_t trace_id[TRACE_ID_SIZE],
			 struct arena *scratch, struct buf *row)
{
	struct span_source source;
	struct span_record span;
	struct json_doc doc;

	if (d->format == DOCUMENT_OTLP) {
		if (document_to_span(d->bytes, &source, &span) &&
		    is_same(&span, d->bytes))
			return shape_pack_span(s, &span, trace_id, row);
	} else if (json_parse(&doc, scratch, d->bytes, NULL) == 0) {
		return shape_pack_json(s, &doc, trace_id, row);
	}
	return pack_as_it_is(s, d, row);
}
