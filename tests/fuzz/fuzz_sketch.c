/* SPDX-License-Identifier: Apache-2.0 */
/* A stored sketch: what decodes can be asked, merged, and encoded again. */
#include <stddef.h>
#include <stdint.h>

#include "core/store/sketch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sketch s = SKETCH_INIT, t = SKETCH_INIT, u = SKETCH_INIT;
	struct buf out = BUF_INIT;

	if (!sketch_decode(&s, sv_make((const char *)data, size)) && s.count) {
		double p50 = sketch_quantile(&s, 0.5);

		if (!(p50 >= s.minimum && p50 <= s.maximum) ||
		    sketch_rank(&s, s.maximum) != s.weight)
			__builtin_trap();
		for (int i = 0; i < 40; i++)
			if (sketch_add(&t, i, 1))
				__builtin_trap();
		if (sketch_merge(&t, &s) || t.count > SKETCH_BUCKETS_MAX)
			__builtin_trap();
		sketch_encode(&t, &out);
		if (out.len > SKETCH_BYTES_MAX ||
		    (t.weight < 1e300 && sketch_decode(&u, buf_view(&out))))
			__builtin_trap();
	}
	sketch_fini(&s);
	sketch_fini(&t);
	sketch_fini(&u);
	buf_fini(&out);
	return 0;
}
