/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "billing/pricebook.h"
#include "billing/rate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that is taken can be asked and priced by; one that is refused says
 * what is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = { 0 };
	struct price_file f;

	if (price_file_parse(&f, sv_make((const char *)data, size), &diag)) {
		assert(diag.text[0] || diag.err == ERR_NOMEM);
		return 0;
	}
	for (size_t i = 0; i < f.period_count; i++) {
		const struct price_period *p = &f.periods[i];
		struct rated r;

		assert(p->from_ns < p->to_ns);
		for (int t = 0; t < USAGE_TYPE_COUNT; t++)
			for (int a = 0; a < ARCH_COUNT; a++)
				if (!rate_quantity(&r, &p->price[t][a],
						   (int128)1 << 60, 1000,
						   TIERS_PAID_ONLY, 0))
					assert(r.cost.units >= 0);
	}
	free((void *)(uintptr_t)f.periods);
	return 0;
}
