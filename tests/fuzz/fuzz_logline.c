/* SPDX-License-Identifier: Apache-2.0 */
/* A line of log: where a request id is found there is one, written by the
 * runtime, and what is in front of it decides alone. */
#include <assert.h>
#include <stdint.h>

#include "collector/logs/keys.h"
#include "collector/logs/logs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv message = sv_make((const char *)data, size);
	uint16_t at = log_line_id_at(message);

	if (at == NO_ID)
		return 0;
	assert(at > 0 && at + LOGS_ID_MAX <= LOGS_ID_WITHIN);
	assert((size_t)at + LOGS_ID_MAX <= size);
	assert(request_id_valid(sv_make(message.ptr + at, LOGS_ID_MAX)));
	/* What follows the id does not matter. */
	assert(log_line_id_at(sv_make(message.ptr, at + LOGS_ID_MAX)) == at);
	(void)log_line_mark(message);
	return 0;
}
