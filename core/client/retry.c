/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/retry.h"

#include <assert.h>

uint64_t retry_pause_ms(unsigned failures, uint64_t retry_after_ms,
			uint64_t random)
{
	uint64_t pause = RETRY_MS_MIN;

	assert(failures > 0);
	while (--failures && pause < RETRY_MS_MAX)
		pause *= 2;
	if (pause > RETRY_MS_MAX)
		pause = RETRY_MS_MAX;
	pause = pause / 2 + random % (pause - pause / 2 + 1);
	if (retry_after_ms > RETRY_AFTER_MS_MAX)
		retry_after_ms = RETRY_AFTER_MS_MAX;
	return pause > retry_after_ms ? pause : retry_after_ms;
}

bool retry_status(long status)
{
	return status == 429 || status == 500 || status == 502 ||
	       status == 503 || status == 504;
}

static bool is_one_of(struct sv code, const struct sv *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sv_eq(code, names[i]))
			return true;
	return false;
}

bool retry_code_is_throttle(struct sv code)
{
	static const struct sv names[] = {
		SV_INIT("Throttling"),
		SV_INIT("ThrottlingException"),
		SV_INIT("ThrottledException"),
		SV_INIT("RequestThrottled"),
		SV_INIT("RequestThrottledException"),
		SV_INIT("TooManyRequestsException"),
		SV_INIT("RequestLimitExceeded"),
		SV_INIT("SlowDown"),
	};

	return is_one_of(code, names, sizeof(names) / sizeof(names[0]));
}

bool retry_code_is_signature(struct sv code)
{
	static const struct sv names[] = {
		SV_INIT("InvalidSignatureException"),
		SV_INIT("SignatureDoesNotMatch"),
		SV_INIT("RequestTimeTooSkewed"),
		SV_INIT("RequestExpired"),
		SV_INIT("RequestInTheFuture"),
		SV_INIT("AuthFailure"),
	};

	return is_one_of(code, names, sizeof(names) / sizeof(names[0]));
}
