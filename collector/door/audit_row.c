/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/audit_row.h"

#include <assert.h>

#include "core/codec/deflate.h"
#include "core/codec/json_write.h"

/* Between the bytes it is of and the line's end: ,"crc":"1a2b3c4d"} */
enum { CRC_DIGITS = 8 };
static const char crc_head[] = ",\"crc\":\"";
static const char crc_tail[] = "\"}";
enum {
	CRC_HEAD = sizeof(crc_head) - 1,
	CRC_TAIL = sizeof(crc_tail) - 1,
	CRC_BYTES = CRC_HEAD + CRC_DIGITS + CRC_TAIL,
};

static const char *kind_name(enum audit_kind kind)
{
	switch (kind) {
	case AUDIT_CALL:
		return "call";
	case AUDIT_REFUSAL:
		return "refusal";
	case AUDIT_EVENT:
		return "event";
	case AUDIT_LOST:
		return "lost";
	}
	return "";
}

static void member(struct json_writer *w, const char *name, const char *text)
{
	if (!text || !text[0])
		return;
	json_key(w, name);
	json_put_text(w, text);
}

static void put_scope(struct json_writer *w, const struct scope *scope)
{
	char account[24];

	snprintf(account, sizeof(account), "%012llu",
		 (unsigned long long)scope->account);
	member(w, "account", account);
	member(w, "region", scope->region);
}

static void crc_text(struct sv bytes, char out[CRC_DIGITS])
{
	uint32_t crc = crc32_add(0, bytes.ptr, bytes.len);
	const uint8_t be[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16),
				(uint8_t)(crc >> 8), (uint8_t)crc };

	hex_from(out, be, sizeof(be));
}

void audit_row_write(const struct audit_row *row, struct buf *out)
{
	size_t from = out->len;
	struct json_writer w = json_writer(out);
	char crc[CRC_DIGITS];

	json_open_object(&w);
	json_key(&w, "time");
	json_put_iso(&w, row->time_ns);
	member(&w, "kind", kind_name(row->kind));
	member(&w, "caller", row->caller);
	member(&w, "key", row->key);
	if (row->owned)
		put_scope(&w, &row->scope);
	member(&w, "service", row->service);
	member(&w, "operation", row->operation);
	member(&w, "address", row->address);
	member(&w, "agent", row->agent);
	member(&w, "outcome", row->outcome);
	if (row->status) {
		json_key(&w, "status");
		json_put_u64(&w, row->status);
	}
	json_key(&w, "count");
	json_put_u64(&w, row->count ? row->count : 1);
	if (row->since_ns) {
		json_key(&w, "since");
		json_put_iso(&w, row->since_ns);
	}
	member(&w, "id", row->id);
	/* The object stays open for the CRC of what is there. */
	if (out->failed)
		return;
	crc_text(sv_make(out->ptr + from, out->len - from), crc);
	buf_add(out, crc_head, CRC_HEAD);
	buf_add(out, crc, sizeof(crc));
	buf_add(out, crc_tail, CRC_TAIL);
	buf_char(out, '\n');
}

bool audit_line_check(struct sv line)
{
	struct sv body = { line.ptr, line.len - CRC_BYTES };
	char crc[CRC_DIGITS];

	if (line.len <= CRC_BYTES ||
	    memcmp(line.ptr + body.len, crc_head, CRC_HEAD) ||
	    memcmp(line.ptr + line.len - CRC_TAIL, crc_tail, CRC_TAIL))
		return false;
	crc_text(body, crc);
	return !memcmp(line.ptr + body.len + CRC_HEAD, crc, CRC_DIGITS);
}

struct sv audit_line_object(struct sv line, struct arena *arena)
{
	size_t n = line.len - CRC_BYTES;
	char *p;

	assert(line.len > CRC_BYTES);
	p = arena_alloc(arena, n + 1);
	if (!p)
		return (struct sv){ NULL, 0 };
	memcpy(p, line.ptr, n);
	p[n] = '}';
	return sv_make(p, n + 1);
}

void audit_copy(char *to, size_t cap, struct sv text)
{
	size_t n = text.len < cap ? text.len : cap - 1;

	/* Not within a character of UTF-8. */
	while (n && n < text.len && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
		n--;
	if (n)
		memcpy(to, text.ptr, n);
	to[n] = '\0';
}
