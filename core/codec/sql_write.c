/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/sql_write.h"

#include <assert.h>

#include "core/codec/foreign.h"

void sql_put_sv(struct buf *out, enum sql_dialect dialect, struct sv text)
{
	bool backslash = text.len && memchr(text.ptr, '\\', text.len);
	bool twice = backslash && dialect != SQL_SQLITE;
	struct foreign c;

	if (twice && dialect == SQL_POSTGRESQL)
		buf_char(out, 'E');
	buf_char(out, '\'');
	while (foreign_next(&text, &c)) {
		if (c.code == '\'' || (c.code == '\\' && twice))
			buf_sv(out, c.bytes);
		buf_sv(out, c.code ? c.bytes : FOREIGN_INSTEAD);
	}
	buf_char(out, '\'');
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if ((name[i] < 'a' || name[i] > 'z') && name[i] != '_' &&
		    (i == 0 || name[i] < '0' || name[i] > '9'))
			return false;
	return len > 0 && len <= SQL_NAME_MAX;
}

int sql_put_name(struct buf *out, struct sv name, const char *const *allowed,
		 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert(is_name(allowed[i]));
		if (!sv_eq(name, sv_from(allowed[i])))
			continue;
		buf_char(out, '"');
		buf_sv(out, name);
		buf_char(out, '"');
		return 0;
	}
	return ERR_INVALID;
}
