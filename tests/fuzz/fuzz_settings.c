/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as one of the three files: what is taken is well-formed, what is
 * refused says where. */
#include <assert.h>

#include "core/client/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const profiles[] = { NULL, "work" };
	const struct sv text = sv_make((const char *)data, size);

	/* As one of the files, with a profile or without; the length decides,
	 * so that an input means the same each time. */
	const size_t i = size % 6;
	struct settings_sources sources = {
		.flags.profile = profiles[i / 3],
		.own = { "own", i % 3 == 0 ? text : SV("") },
		.credentials = { "keys", i % 3 == 1 ? text : SV("") },
		.config = { "config", i % 3 == 2 ? text : SV("") },
	};
	struct diag diag = { 0 };
	struct settings s;

	if (settings_resolve(&s, &sources, &diag)) {
		assert(diag.text[0] && diag.err && !s.area.ptr);
		return 0;
	}
	assert(s.endpoint && s.region && s.profile);
	assert(!s.key_id == !s.secret);
	assert(strlen(s.region) <= 31);
	assert(!s.token);
	settings_fini(&s);
	return 0;
}
