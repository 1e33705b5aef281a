/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ids.h"

#include <assert.h>
#include <stdint.h>
#include <sys/random.h>

#include "core/base/text.h"

static void random_bytes(uint8_t *out, size_t n)
{
	size_t done = 0;

	assert(n <= 256); /* up to here getrandom never gives less */
	while (done < n) {
		ssize_t got = getrandom(out + done, n - done, 0);

		if (got > 0)
			done += (size_t)got;
	}
}

void id_hex(char *out, size_t bytes)
{
	uint8_t raw[32];

	assert(bytes <= sizeof(raw));
	random_bytes(raw, bytes);
	hex_from(out, raw, bytes);
	out[2 * bytes] = '\0';
}

void id_request(char out[REQUEST_ID_SIZE])
{
	static const uint8_t lengths[] = { 4, 2, 2, 2, 6 };
	uint8_t raw[16];
	size_t at = 0;
	char *p = out;

	random_bytes(raw, sizeof(raw));
	raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);
	raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(lengths); i++) {
		if (i)
			*p++ = '-';
		hex_from(p, raw + at, lengths[i]);
		p += 2 * lengths[i];
		at += lengths[i];
	}
	*p = '\0';
	assert(p - out == REQUEST_ID_SIZE - 1);
}

void id_trace(char out[TRACE_ID_SIZE], struct wall now)
{
	uint64_t seconds = (uint64_t)now.ns / NS_PER_S;
	uint8_t epoch[4] = { (uint8_t)(seconds >> 24), (uint8_t)(seconds >> 16),
			     (uint8_t)(seconds >> 8), (uint8_t)seconds };

	out[0] = '1';
	out[1] = '-';
	hex_from(out + 2, epoch, sizeof(epoch));
	out[10] = '-';
	id_hex(out + 11, 12);
}
