/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign text in SQL that is exported for somebody else's database: SQLite,
 * PostgreSQL, ClickHouse. (Our own programs run no SQL.) A text becomes one
 * string literal by sql_put_sv alone. The three agree on '' for a quote; they
 * differ in what a backslash is:
 *
 *   SQLite       a character like others
 *   PostgreSQL   that or an escape, by a setting, in '...'; an escape in E'...'
 *   ClickHouse   an escape
 *
 * so the writer is told whose it is, and a literal with a backslash is only
 * good there. A zero byte, which ends the statement in SQLite and is refused by
 * PostgreSQL, and bytes that are not UTF-8 become U+FFFD; all else is kept.
 *
 * No text becomes an identifier: names of tables and columns are on a list of
 * the caller's, and another is refused.
 */
#ifndef TALLY_CORE_CODEC_SQL_WRITE_H
#define TALLY_CORE_CODEC_SQL_WRITE_H

#include "core/base/text.h"

enum sql_dialect { SQL_SQLITE, SQL_POSTGRESQL, SQL_CLICKHOUSE };

enum { SQL_NAME_MAX = 63 }; /* bytes; PostgreSQL cuts longer ones */

/* 'text', or E'text'. */
void sql_put_sv(struct buf *out, enum sql_dialect dialect, struct sv text);
/* "name", in quotes, so that it may be a key word. ERR_INVALID, and nothing is
 * written: it is not one of the count names allowed. These are constants of
 * ours: a-z 0-9 _, no digit first, at most SQL_NAME_MAX (assert). */
int sql_put_name(struct buf *out, struct sv name, const char *const *allowed,
		 size_t count) MUST_USE;

#endif
