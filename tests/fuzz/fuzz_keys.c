/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is taken finds each of its keys; one that is refused says why
 * and where. */
#include <assert.h>

#include "core/auth/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = { 0 };
	struct keys_table *t;

	if (keys_parse(&t, sv_make((const char *)data, size), &diag)) {
		assert(diag.text[0] && diag.err);
		assert(diag.line > 0 || diag.err == ERR_EXISTS ||
		       diag.err == ERR_LIMIT);
		return 0;
	}
	for (size_t i = 0; i < keys_count(t); i++) {
		const struct key *k = keys_at(t, i);

		assert(keys_find(t, k->id) == k && k->known);
		assert(k->secret.len >= KEY_SECRET_MIN);
		assert(k->account <= 999999999999);
		assert(k->region_count <= KEY_REGIONS_MAX);
	}
	assert(!keys_find(t, sv_make((const char *)data, size))->known);
	keys_table_free(t);
	return 0;
}
