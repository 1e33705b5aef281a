/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON writer: appends to a struct buf; puts commas and colons itself. Calls
 * that do not nest are our bug (assert). Strings are escaped for JSON and must
 * be UTF-8; bytes that are not become U+FFFD, so that an answer always parses.
 */
#ifndef TALLY_CORE_CODEC_JSON_WRITE_H
#define TALLY_CORE_CODEC_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum { JSON_WRITE_DEPTH_MAX = 64 };

struct json_writer {
	struct buf *out;
	uint8_t depth;
	bool after_key;
	bool need_comma[JSON_WRITE_DEPTH_MAX + 1];
};

static inline struct json_writer json_writer(struct buf *out)
{
	return (struct json_writer){ .out = out };
}

void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_sv(struct json_writer *w, struct sv key);
void json_put_sv(struct json_writer *w, struct sv text);
void json_put_text(struct json_writer *w, const char *text);
void json_put_i64(struct json_writer *w, int64_t v);
void json_put_u64(struct json_writer *w, uint64_t v);
/* Shortest text that reads back as the same double; NaN and Inf are null. */
void json_put_double(struct json_writer *w, double v);
void json_put_bool(struct json_writer *w, bool v);
void json_put_null(struct json_writer *w);
/* Bytes that are a JSON value already. */
void json_put_raw(struct json_writer *w, struct sv json);
/* Epoch seconds with three decimals, as AWS's JSON has times. */
void json_put_seconds(struct json_writer *w, int64_t ns);
/* "2026-11-22T09:00:00.123Z" */
void json_put_iso(struct json_writer *w, int64_t ns);

/* The bytes of text escaped for a JSON string, without the quotes. */
void json_escape(struct buf *out, struct sv text);

#endif
