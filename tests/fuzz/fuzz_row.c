/* SPDX-License-Identifier: Apache-2.0 */
/* A row of a metric block: whatever decodes, encodes and decodes to the same;
 * the rest is refused and leaves nothing behind. An alarm's change as well. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/alarms/alarms.h"
#include "collector/series/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = sv_make((const char *)data, size);
	struct row row = { 0 }, again = { 0 };
	struct arena arena = ARENA_INIT;
	struct alarm_change change;
	struct buf bytes = BUF_INIT;

	if (row_decode(&row, text, true) == 0) {
		row_encode(&row, &bytes);
		assert(!bytes.failed);
		assert(row_decode(&again, buf_view(&bytes), true) == 0);
		assert(again.sum == row.sum && again.count == row.count);
		assert(again.min == row.min && again.max == row.max);
	} else {
		assert(row.count == 0 && !row.dist);
	}
	if (alarm_change_decode(text, &arena, &change) == 0)
		assert(change.name.len && change.name.len <= ALARM_NAME_MAX);
	row_fini(&row);
	row_fini(&again);
	buf_fini(&bytes);
	arena_fini(&arena);
	return 0;
}
