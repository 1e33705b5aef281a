/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "collector/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c;
	struct diag diag = { 0 };

	config_init(&c);
	if (config_parse(&c, sv_make((const char *)data, size), &diag) &&
	    !diag.text[0] && diag.err != ERR_NOMEM)
		diag.err = 0; /* an error may be silent only for memory */
	config_fini(&c);
	return 0;
}
