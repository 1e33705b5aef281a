/* SPDX-License-Identifier: Apache-2.0 */
/* From the essences of a trace to its assembly and its digest. */
#include <assert.h>

#include "tracer/head.h"

int head_assemble(const struct head *h, const struct head_trace *trace,
		  const struct head_document *const *documents, size_t n,
		  struct arena *arena, struct assembly *out)
{
	struct assembly_part *parts;
	struct segment *segments;
	size_t count = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		count += documents[i]->essence_count;
	parts = arena_alloc(arena, count * sizeof(*parts));
	segments = arena_alloc(arena, count * sizeof(*segments));
	if (!parts || !segments)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct essence *e =
			(const struct essence *)(documents[i] + 1);

		for (uint32_t k = 0; k < documents[i]->essence_count;
		     k++, at++) {
			e = essence_get(e, &h->words, trace_key_id(&trace->key),
					arena, &segments[at]);
			if (!e)
				return ERR_NOMEM;
			parts[at] = (struct assembly_part){ &segments[at],
							    (uint32_t)i };
		}
	}
	return assemble_parts(parts, count, arena, out);
}

static int assemble_trace(const struct head *h, const struct head_trace *trace,
			  struct arena *scratch, struct assembly *out)
{
	const struct head_document **documents = arena_array(
		scratch, trace->document_count, sizeof(struct head_document *));
	size_t count = 0;

	if (!documents)
		return ERR_NOMEM;
	for (const struct head_document *d = head_first(trace); d;
	     d = head_next(d))
		documents[count++] = d;
	return head_assemble(h, trace, documents, count, scratch, out);
}

int head_digest(struct head *h, struct head_trace *trace, struct arena *scratch,
		const struct digest **out)
{
	if (!trace->digest) {
		struct arena_mark mark = arena_mark(scratch);
		struct assembly a;
		int e = assemble_trace(h, trace, scratch, &a);

		if (!e)
			e = digest_make(&trace->digest, &a,
					trace_key_id(&trace->key));
		arena_rollback(scratch, mark);
		if (e)
			return e;
		assert(trace->digest);
		h->digest_bytes += trace->digest->bytes;
		head_count_bytes(h);
	}
	*out = trace->digest;
	return 0;
}
