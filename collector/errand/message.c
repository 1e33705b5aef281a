/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/errand/message.h"

#include <assert.h>

/* Far from the kinds of requests: a message that comes back is not taken. */
enum { KIND_ANSWER = 0x101, KIND_RESTARTED = 0x102 };

static void write_message(struct buf *out, const uint32_t head[3], uint64_t id,
			  struct sv first, struct sv second)
{
	uint8_t bytes[ERRAND_HEAD_SIZE];

	put_le32(bytes, head[0]);
	put_le32(bytes + 4, head[1]);
	put_le64(bytes + 8, id);
	put_le32(bytes + 16, head[2]);
	put_le32(bytes + 20, (uint32_t)second.len);
	buf_add(out, bytes, sizeof(bytes));
	buf_sv(out, first);
	buf_sv(out, second);
}

void errand_request_write(const struct errand_request *r, struct buf *out)
{
	const uint32_t head[3] = { r->kind, r->timeout_ms,
				   (uint32_t)r->target.len };

	assert(r->target.len <= ERRAND_TARGET_MAX);
	assert(r->body.len <= ERRAND_BODY_MAX);
	write_message(out, head, r->id, r->target, r->body);
}

void errand_answer_write(const struct errand_answer *a, struct buf *out)
{
	const uint32_t head[3] = { KIND_ANSWER, a->status, a->result };

	assert(a->result <= ERRAND_REFUSED);
	assert(a->text.len <= ERRAND_TEXT_MAX);
	write_message(out, head, a->id, SV(""), a->text);
}

void errand_restarted_write(struct buf *out)
{
	const uint32_t head[3] = { KIND_RESTARTED, 0, 0 };

	write_message(out, head, 0, SV(""), SV(""));
}

int errand_request_parse(struct sv message, struct errand_request *out)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	size_t target, body;

	if (message.len < ERRAND_HEAD_SIZE)
		return ERR_SYNTAX;
	target = get_le32(p + 16);
	body = get_le32(p + 20);
	if (get_le32(p) != ERRAND_WEBHOOK)
		return ERR_SYNTAX;
	if (target > ERRAND_TARGET_MAX || body > ERRAND_BODY_MAX)
		return ERR_LIMIT;
	if (message.len != ERRAND_HEAD_SIZE + target + body)
		return ERR_SYNTAX;
	*out = (struct errand_request){
		.kind = ERRAND_WEBHOOK,
		.timeout_ms = get_le32(p + 4),
		.id = get_le64(p + 8),
		.target = { message.ptr + ERRAND_HEAD_SIZE, target },
		.body = { message.ptr + ERRAND_HEAD_SIZE + target, body },
	};
	if (out->timeout_ms < 1 || out->timeout_ms > ERRAND_TIMEOUT_MS_MAX)
		return ERR_LIMIT;
	return memchr(out->target.ptr, '\0', target) ? ERR_INVALID : 0;
}

int errand_answer_parse(struct sv message, struct errand_answer *out,
			bool *restarted)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	uint32_t kind, result;
	size_t text;

	*out = (struct errand_answer){ 0 };
	*restarted = false;
	if (message.len < ERRAND_HEAD_SIZE)
		return ERR_SYNTAX;
	kind = get_le32(p);
	result = get_le32(p + 16);
	text = get_le32(p + 20);
	if (text > ERRAND_TEXT_MAX)
		return ERR_LIMIT;
	if (message.len != ERRAND_HEAD_SIZE + text)
		return ERR_SYNTAX;
	if (kind == KIND_RESTARTED && text == 0) {
		*restarted = true;
		return 0;
	}
	if (kind != KIND_ANSWER || result > ERRAND_REFUSED)
		return ERR_SYNTAX;
	*out = (struct errand_answer){
		.id = get_le64(p + 8),
		.result = (enum errand_result)result,
		.status = get_le32(p + 4),
		.text = { message.ptr + ERRAND_HEAD_SIZE, text },
	};
	return 0;
}
