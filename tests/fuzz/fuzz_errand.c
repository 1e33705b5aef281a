/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector and its errand process read from each other: any bytes,
 * and what is taken is written the same. */
#include <stddef.h>
#include <stdint.h>

#include "collector/errand/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in = { (const char *)data, size };
	struct errand_request request;
	struct errand_answer answer;
	struct buf out = { 0 };
	bool restarted, taken = true;

	if (errand_request_parse(in, &request) == 0)
		errand_request_write(&request, &out);
	else if (errand_answer_parse(in, &answer, &restarted) || restarted)
		taken = false; /* of a restart the other words mean nothing */
	else
		errand_answer_write(&answer, &out);
	if (taken && !sv_eq(buf_view(&out), in))
		__builtin_trap();
	buf_fini(&out);
	return 0;
}
