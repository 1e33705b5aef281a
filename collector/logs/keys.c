/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/logs/keys.h"

#include <assert.h>
#include <xxhash.h>

#include "collector/logs/logs.h"

struct prefix log_prefix_make(enum row_kind kind, const struct scope *scope,
			      struct sv name)
{
	struct prefix p = { { 0 } };
	XXH128_canonical_t hash;

	p.bytes[0] = (uint8_t)kind;
	put_be64(p.bytes + 1, scope->account);
	memcpy(p.bytes + 9, scope->region, strnlen(scope->region, REGION_MAX));
	XXH128_canonicalFromHash(&hash, XXH3_128bits(name.ptr, name.len));
	memcpy(p.bytes + 9 + REGION_MAX, hash.digest, sizeof(hash.digest));
	return p;
}

struct prefix log_prefix_as(struct prefix p, enum row_kind kind)
{
	p.bytes[0] = (uint8_t)kind;
	return p;
}

uint64_t log_stream_hash(struct sv stream)
{
	return XXH3_64bits(stream.ptr, stream.len);
}

int log_event_key_cmp(const struct event_key *a, const struct event_key *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->stream_hash != b->stream_hash)
		return a->stream_hash < b->stream_hash ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	return 0;
}

static void time_put(uint8_t *out, int64_t time_ns)
{
	put_be64(out, (uint64_t)time_ns ^ 1ULL << 63);
}

static int64_t time_get(const uint8_t *in)
{
	return (int64_t)(get_be64(in) ^ 1ULL << 63);
}

void log_event_key_put(uint8_t *out, const struct prefix *p,
		       const struct event_key *key)
{
	memcpy(out, p->bytes, PREFIX_BYTES);
	time_put(out + PREFIX_BYTES, key->time_ns);
	put_be64(out + PREFIX_BYTES + 8, key->stream_hash);
	put_be64(out + PREFIX_BYTES + 16, key->sequence);
}

void log_request_key_put(uint8_t *out, const struct prefix *p, int64_t time_ns,
			 uint64_t sequence)
{
	memcpy(out, p->bytes, PREFIX_BYTES);
	time_put(out + PREFIX_BYTES, time_ns);
	put_be64(out + PREFIX_BYTES + 8, sequence);
}

/* Takes a text with a length of two bytes before it off the front of *rest. */
static bool take_text(struct sv *rest, struct sv *text)
{
	size_t len;

	if (rest->len < 2)
		return false;
	len = (uint8_t)rest->ptr[0] | (size_t)(uint8_t)rest->ptr[1] << 8;
	if (rest->len - 2 < len)
		return false;
	*text = sv_make(rest->ptr + 2, len);
	*rest = sv_make(rest->ptr + 2 + len, rest->len - 2 - len);
	return true;
}

bool log_event_row(struct sv key, struct sv value, struct line *line)
{
	const uint8_t *k = (const uint8_t *)key.ptr;

	if (key.len != EVENT_KEY_BYTES || k[0] != ROW_EVENT)
		return false;
	line->key.time_ns = time_get(k + PREFIX_BYTES);
	line->key.stream_hash = get_be64(k + PREFIX_BYTES + 8);
	line->key.sequence = get_be64(k + PREFIX_BYTES + 16);
	if (!take_text(&value, &line->stream))
		return false;
	line->message = value;
	return true;
}

bool log_request_row(struct sv key, struct sv value, struct line *line,
		     enum mark *mark)
{
	const uint8_t *k = (const uint8_t *)key.ptr;

	if (key.len != REQUEST_KEY_BYTES || k[0] != ROW_REQUEST || !value.len)
		return false;
	line->key.time_ns = time_get(k + PREFIX_BYTES);
	line->key.sequence = get_be64(k + PREFIX_BYTES + 8);
	*mark = value.ptr[0] == MARK_START ? MARK_START :
		value.ptr[0] == MARK_END   ? MARK_END :
					     MARK_LINE;
	value = sv_make(value.ptr + 1, value.len - 1);
	if (!take_text(&value, &line->group))
		return false;
	line->stream = value;
	line->key.stream_hash = log_stream_hash(value);
	line->message = sv_make("", 0);
	return true;
}

bool log_group_has_requests(struct sv group)
{
	return sv_starts(group, SV("/aws/lambda/"));
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

bool request_id_valid(struct sv id)
{
	if (id.len != LOGS_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? id.ptr[i] != '-' : !is_hex(id.ptr[i]))
			return false;
	}
	return true;
}

/* The first eight digits are looked at last: what decides is a dash with a
 * dash five bytes behind it, which ordinary text seldom has. */
uint16_t log_line_id_at(struct sv message)
{
	static const char *const before[] = {
		"RequestId: ",       "Z\t", "Z ", "\"requestId\":\"",
		"\"requestId\": \"",
	};
	size_t end = message.len < LOGS_ID_WITHIN ? message.len :
						    LOGS_ID_WITHIN;

	for (size_t at = 0; at + LOGS_ID_MAX <= end; at++) {
		struct sv front = sv_make(message.ptr, at);

		if (message.ptr[at + 8] != '-' || message.ptr[at + 13] != '-' ||
		    !request_id_valid(sv_make(message.ptr + at, LOGS_ID_MAX)))
			continue;
		for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
			if (sv_ends(front, sv_from(before[i])))
				return (uint16_t)at;
	}
	return NO_ID;
}

enum mark log_line_mark(struct sv message)
{
	if (sv_starts(message, SV("START RequestId: ")))
		return MARK_START;
	if (sv_starts(message, SV("END RequestId: ")))
		return MARK_END;
	return MARK_LINE;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'F' ? (char)(c + ('a' - 'A')) : c;
}

bool request_id_eq(struct sv a, struct sv b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

struct prefix log_prefix_of_id(const struct scope *scope, struct sv id)
{
	char text[LOGS_ID_MAX];

	assert(request_id_valid(id));
	for (size_t i = 0; i < id.len; i++)
		text[i] = lower(id.ptr[i]);
	return log_prefix_make(ROW_REQUEST, scope, sv_make(text, id.len));
}
