/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes as a frame's body: u8 length of the call's id, the id, u8 count, and
 * of each
 *
 *   0        1           2      3   4       8          16            18
 *   | action | condition | kind | 0 | limit | revision | name length | value length | name | value |
 *                                                                    22
 * little-endian.
 */
#include "collector/catalogue/catalogue.h"

#include <assert.h>

enum { HEAD_BYTES = 22 };

void catalogue_changes_encode(const struct catalogue_changes *changes,
			      struct buf *out)
{
	assert(changes->count > 0 && changes->count <= CATALOGUE_CHANGES_MAX);
	assert(changes->call.len <= CATALOGUE_CALL_MAX);
	buf_char(out, (char)changes->call.len);
	buf_sv(out, changes->call);
	buf_char(out, (char)changes->count);
	for (size_t i = 0; i < changes->count; i++) {
		const struct catalogue_change *c = &changes->list[i];
		uint8_t head[HEAD_BYTES] = {
			(uint8_t)c->action,
			(uint8_t)c->condition,
			(uint8_t)c->kind,
		};

		assert(c->name.len > 0 && c->name.len <= CATALOGUE_NAME_MAX);
		assert(c->value.len <= CATALOGUE_VALUE_MAX);
		put_le32(head + 4, c->limit);
		put_le64(head + 8, c->revision);
		head[16] = (uint8_t)c->name.len;
		head[17] = (uint8_t)(c->name.len >> 8);
		put_le32(head + 18, (uint32_t)c->value.len);
		buf_add(out, head, sizeof(head));
		buf_sv(out, c->name);
		buf_sv(out, c->value);
	}
}

static bool decode_one(struct sv *body, struct catalogue_change *out)
{
	const uint8_t *head = (const uint8_t *)body->ptr;
	size_t name_len, value_len;

	if (body->len < HEAD_BYTES)
		return false;
	name_len = head[16] | (size_t)head[17] << 8;
	value_len = get_le32(head + 18);
	if (!name_len || name_len > CATALOGUE_NAME_MAX ||
	    value_len > CATALOGUE_VALUE_MAX ||
	    body->len - HEAD_BYTES < name_len + value_len ||
	    head[0] < CATALOGUE_PUT || head[0] > CATALOGUE_DELETE ||
	    head[1] > CATALOGUE_IF_REVISION || !head[2] ||
	    head[2] >= CATALOGUE_KINDS || head[3])
		return false;
	*out = (struct catalogue_change){
		.action = (enum catalogue_action)head[0],
		.condition = (enum catalogue_condition)head[1],
		.kind = (enum catalogue_kind)head[2],
		.limit = get_le32(head + 4),
		.revision = get_le64(head + 8),
		.name = sv_make(body->ptr + HEAD_BYTES, name_len),
		.value = sv_make(body->ptr + HEAD_BYTES + name_len, value_len),
	};
	body->ptr += HEAD_BYTES + name_len + value_len;
	body->len -= HEAD_BYTES + name_len + value_len;
	return true;
}

/* u8 count and so many bytes behind it. */
static bool take_count(struct sv *body, size_t max, size_t *out)
{
	*out = body->len ? (uint8_t)body->ptr[0] : 0;
	if (!body->len || *out > max)
		return false;
	*body = sv_make(body->ptr + 1, body->len - 1);
	return true;
}

int catalogue_changes_decode(struct sv body, struct catalogue_changes *out)
{
	size_t n;

	if (!take_count(&body, CATALOGUE_CALL_MAX, &n) || n > body.len)
		return ERR_CORRUPT;
	out->call = sv_make(body.ptr, n);
	body = sv_make(body.ptr + n, body.len - n);
	if (!take_count(&body, CATALOGUE_CHANGES_MAX, &out->count) ||
	    !out->count)
		return ERR_CORRUPT;
	for (size_t i = 0; i < out->count; i++)
		if (!decode_one(&body, &out->list[i]))
			return ERR_CORRUPT;
	return body.len ? ERR_CORRUPT : 0;
}
