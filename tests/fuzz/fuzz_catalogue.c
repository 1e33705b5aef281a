/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the catalogue: what is read is written as the same bytes. */
#include <stddef.h>
#include <stdint.h>

#include "collector/catalogue/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data, size };
	struct catalogue_changes changes;
	struct buf body = BUF_INIT;

	if (!catalogue_changes_decode(in, &changes)) {
		catalogue_changes_encode(&changes, &body);
		if (!sv_eq(buf_view(&body), in))
			__builtin_trap();
		buf_fini(&body);
	}
	return 0;
}
