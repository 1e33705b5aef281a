/* SPDX-License-Identifier: Apache-2.0 */
/* A batch: what is taken, less what is refused, comes back the same from its
 * own encoding, without refusals. Then the same bytes as an answer. */
#include <stddef.h>
#include <stdint.h>

#include "core/wire/native.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode_again(struct arena *a, struct native_batch *b)
{
	struct buf out = BUF_INIT;
	struct native_batch c;

	native_apply_refused(&b->records, native_refused_keys(a, b),
			     b->refusal_count);
	if (native_encode(&out, b->producer, b->sequence, &b->records) ||
	    (out.len <= NATIVE_BYTES_MAX &&
	     (native_decode(a, buf_view(&out), &c, NULL) || c.refusal_count ||
	      c.records.log_count != b->records.log_count ||
	      c.records.datum_count != b->records.datum_count)))
		__builtin_trap();
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv body = { (const char *)data, size };
	struct arena a = ARENA_INIT;
	struct native_answer answer;
	struct native_batch b;

	if (!native_decode(&a, body, &b, NULL))
		encode_again(&a, &b);
	(void)!native_answer_decode(&a, body, &answer, NULL);
	arena_fini(&a);
	return 0;
}
