/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a literal: it is one, and it is that text, to each database. */
#include "core/codec/sql_write.h"
#include "tests/unit/core/encoded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = sv_make((const char *)data, size), literal;
	struct buf out = BUF_INIT, want = BUF_INIT, read = BUF_INIT;

	encoded_clean(&want, text, true);
	for (int d = SQL_SQLITE; d <= SQL_CLICKHOUSE; d++) {
		bool escapes = d == SQL_CLICKHOUSE;

		buf_reset(&out);
		buf_reset(&read);
		sql_put_sv(&out, (enum sql_dialect)d, text);
		literal = buf_view(&out);
		if (d == SQL_POSTGRESQL && literal.ptr[0] == 'E') {
			escapes = true;
			literal = sv_make(literal.ptr + 1, literal.len - 1);
		}
		assert(sql_read(&read, literal, escapes));
		assert(sv_eq(buf_view(&read), buf_view(&want)));
	}
	buf_fini(&out);
	buf_fini(&want);
	buf_fini(&read);
	return 0;
}
