/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and lines of a handler: the same events whatever the portions. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_line(void *arg, uint64_t time_us, struct sv message)
{
	buf_u64(arg, time_us);
	buf_sv(arg, message);
	buf_char(arg, '\n');
}

static struct buf read_in(const uint8_t *data, size_t size, size_t portion)
{
	struct buf out = BUF_INIT;
	struct frames f = { 0 };

	for (size_t at = 0; at < size; at += portion)
		frames_add(&f,
			   sv_make((const char *)data + at,
				   size - at < portion ? size - at : portion),
			   on_line, &out);
	frames_flush(&f, on_line, &out);
	frames_fini(&f);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = read_in(data, size, size + 1);
	struct buf parts = read_in(data, size, size ? data[0] % 31 + 1U : 1);

	assert(sv_eq(buf_view(&whole), buf_view(&parts)));
	buf_fini(&whole);
	buf_fini(&parts);
	return 0;
}
