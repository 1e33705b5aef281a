/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/rows.h"

#include <assert.h>

#include "core/base/hash.h"

static void scope_bytes(uint8_t out[SCOPE_KEY_SIZE], const struct scope *scope)
{
	size_t len = strnlen(scope->region, REGION_MAX);

	memset(out, 0, SCOPE_KEY_SIZE);
	put_be64(out, scope->account);
	memcpy(out + 8, scope->region, len);
}

void trace_key_make(struct trace_key *key, const struct scope *scope,
		    const uint8_t id[TRACE_ID_SIZE])
{
	scope_bytes(key->bytes, scope);
	memcpy(key->bytes + SCOPE_KEY_SIZE, id, TRACE_ID_SIZE);
}

void trace_key_scope(const struct trace_key *key, struct scope *out)
{
	out->account = get_be64(key->bytes);
	memcpy(out->region, key->bytes + 8, REGION_MAX);
	out->region[REGION_MAX - 1] = '\0';
}

bool trace_key_in(const struct trace_key *key, const struct scope *scope)
{
	uint8_t bytes[SCOPE_KEY_SIZE];

	scope_bytes(bytes, scope);
	return !memcmp(bytes, key->bytes, SCOPE_KEY_SIZE);
}

static uint8_t *begin(struct row_key *k, char space,
		      const struct trace_key *key)
{
	memset(k->bytes, 0, sizeof(k->bytes));
	k->bytes[0] = (uint8_t)space;
	if (key)
		memcpy(k->bytes + 1, key->bytes, SCOPE_KEY_SIZE);
	k->len = ROW_PREFIX;
	return k->bytes + 1 + SCOPE_KEY_SIZE;
}

void row_key_minute(struct row_key *k, const struct trace_key *key,
		    int64_t minute)
{
	put_be64(begin(k, 'M', key), (uint64_t)minute);
}

void row_key_request(struct row_key *k, const struct trace_key *key,
		     struct sv request_id)
{
	struct hash128 h = hash128(request_id);
	uint8_t *at = begin(k, 'R', key);

	put_be64(at, h.high);
	put_be64(at + 8, h.low);
}

void row_key_start(struct row_key *k, const struct trace_key *key,
		   int64_t start_ns)
{
	uint8_t *at = begin(k, 'S', key);

	put_be64(at, ~(uint64_t)start_ns);
	memcpy(at + 8, trace_key_id(key), 8);
}

void row_key_position(struct row_key *k)
{
	(void)begin(k, 'P', NULL);
}

void row_key_chunk(struct row_key *k, const struct trace_key *key)
{
	memcpy(begin(k, 'C', key), trace_key_id(key), TRACE_ID_SIZE);
}

void row_key_dictionary(struct row_key *k)
{
	(void)begin(k, 'D', NULL);
}

void row_key_ids(struct row_key *k, uint32_t page)
{
	put_be64(begin(k, 'X', NULL), page);
}

void row_key_trace(struct row_key *k, const struct trace_key *key)
{
	memcpy(begin(k, 'T', key), trace_key_id(key), TRACE_ID_SIZE);
}

void row_key_document(struct row_key *k, const struct trace_key *key,
		      const uint8_t id[SEGMENT_ID_SIZE], uint64_t sequence)
{
	row_key_trace(k, key);
	memcpy(k->bytes + ROW_PREFIX, id, SEGMENT_ID_SIZE);
	put_be64(k->bytes + ROW_PREFIX + SEGMENT_ID_SIZE, sequence);
	k->len = ROW_KEY_MAX;
}

bool row_same_space(struct sv key, const struct row_key *other)
{
	return key.len >= ROW_PREFIX &&
	       !memcmp(key.ptr, other->bytes, 1 + SCOPE_KEY_SIZE);
}

bool row_chunk_account(struct sv key, uint64_t *account)
{
	if (key.len < ROW_PREFIX || key.ptr[0] != 'C')
		return false;
	*account = get_be64((const uint8_t *)key.ptr + 1);
	return true;
}

uint64_t row_account(const struct row_key *key)
{
	return get_be64(key->bytes + 1);
}

int64_t row_minute(struct sv key)
{
	assert(key.len >= ROW_PREFIX && key.ptr[0] == 'M');
	return (int64_t)get_be64((const uint8_t *)key.ptr + 1 + SCOPE_KEY_SIZE);
}

int64_t row_start_ns(struct sv key)
{
	assert(key.len >= ROW_PREFIX && key.ptr[0] == 'S');
	return (int64_t)~get_be64((const uint8_t *)key.ptr + 1 +
				  SCOPE_KEY_SIZE);
}

/* --- values: fixed fields first, little-endian ----------------------------- */

static void put_u64(struct buf *out, uint64_t v)
{
	uint8_t bytes[8];

	put_le64(bytes, v);
	buf_add(out, bytes, sizeof(bytes));
}

static const uint8_t *take(struct sv *rest, size_t n)
{
	const uint8_t *at = (const uint8_t *)rest->ptr;

	if (rest->len < n)
		return NULL;
	*rest = sv_make(rest->ptr + n, rest->len - n);
	return at;
}

static bool take_u64(struct sv *rest, uint64_t *out)
{
	const uint8_t *at = take(rest, 8);

	if (at)
		*out = get_le64(at);
	return at != NULL;
}

static bool take_i64(struct sv *rest, int64_t *out)
{
	uint64_t v = 0;
	bool ok = take_u64(rest, &v);

	*out = (int64_t)v;
	return ok;
}

static bool take_text(struct sv *rest, struct sv *out)
{
	const uint8_t *at = take(rest, 4);
	size_t len;

	if (!at)
		return false;
	len = get_le32(at);
	at = take(rest, len);
	*out = sv_make((const char *)at, len);
	return at != NULL;
}

void row_put_document(struct buf *out, bool in_progress, int64_t received_ns,
		      const struct document *document)
{
	_Static_assert(DOCUMENT_FORMATS <= 128, "it shares a byte");
	buf_char(out, (char)((int)document->format << 1 | in_progress));
	put_u64(out, (uint64_t)received_ns);
	buf_sv(out, document->bytes);
}

bool row_get_document(struct sv key, struct sv value,
		      struct trace_document *out)
{
	const uint8_t *flags = take(&value, 1);

	if (!flags || key.len != ROW_KEY_MAX ||
	    flags[0] >> 1 >= DOCUMENT_FORMATS ||
	    !take_i64(&value, &out->received_ns))
		return false;
	memcpy(out->segment_id, key.ptr + ROW_PREFIX, SEGMENT_ID_SIZE);
	out->sequence = get_be64((const uint8_t *)key.ptr + ROW_PREFIX +
				 SEGMENT_ID_SIZE);
	out->in_progress = flags[0] & 1;
	out->document =
		(struct document){ (enum document_format)(flags[0] >> 1),
				   value };
	return true;
}

void row_put_request(struct buf *out, const uint8_t id[TRACE_ID_SIZE],
		     int64_t received_ns, struct sv request_id)
{
	buf_add(out, id, TRACE_ID_SIZE);
	put_u64(out, (uint64_t)received_ns);
	buf_sv(out, request_id);
}

bool row_get_request(struct sv value, uint8_t id[TRACE_ID_SIZE],
		     int64_t *received_ns, struct sv *request_id)
{
	const uint8_t *at = take(&value, TRACE_ID_SIZE);

	if (!at || !take_i64(&value, received_ns))
		return false;
	memcpy(id, at, TRACE_ID_SIZE);
	*request_id = value;
	return true;
}

static bool take_list(struct sv *rest, struct arena *arena, size_t max,
		      const struct sv **out, size_t *count)
{
	const uint8_t *at = take(rest, 1);
	struct sv *texts;

	if (!at || at[0] > max)
		return false;
	*count = at[0];
	texts = arena_array(arena, *count, sizeof(*texts));
	if (!texts)
		return false;
	for (size_t i = 0; i < *count; i++)
		if (!take_text(rest, &texts[i]))
			return false;
	*out = texts;
	return true;
}

/* Flags of a summary; a short one is of format 3 on:
 *   flags | id, second half | varint duration | varint names, each varint
 *   length, text | varint root: 0 none, 1 to names the name, one more: text
 * Start and the id's first half are the key's; request ids are left out. */
enum {
	SUMMARY_PARTIAL = 16,
	SUMMARY_IDS_LEFT_OUT = 32,
	SUMMARY_SHORT = 64,
	SUMMARY_ID_HALF = TRACE_ID_SIZE / 2,
};

static void put_short_text(struct buf *out, struct sv text)
{
	graph_put_varint(out, text.len);
	buf_sv(out, text);
}

static void put_root(struct buf *out, const struct trace_summary *s)
{
	size_t i = 0;

	if (!s->root.len) {
		graph_put_varint(out, 0);
		return;
	}
	while (i < s->name_count && !sv_eq(s->names[i], s->root))
		i++;
	graph_put_varint(out, i + 1);
	if (i == s->name_count)
		put_short_text(out, s->root);
}

void row_put_summary(struct buf *out, const struct trace_summary *s)
{
	bool left_out = s->ids_left_out || s->request_id_count;

	buf_char(out,
		 (char)((int)s->status | (s->partial ? SUMMARY_PARTIAL : 0) |
			(left_out ? SUMMARY_IDS_LEFT_OUT : 0) | SUMMARY_SHORT));
	buf_add(out, s->id + SUMMARY_ID_HALF, SUMMARY_ID_HALF);
	graph_put_varint(out, (uint64_t)s->end_ns - (uint64_t)s->start_ns);
	graph_put_varint(out, s->name_count);
	for (size_t i = 0; i < s->name_count; i++)
		put_short_text(out, s->names[i]);
	put_root(out, s);
}

static bool take_short_text(struct sv *rest, struct sv *out)
{
	uint64_t len;
	const uint8_t *at;

	if (!graph_take_varint(rest, &len) || len > rest->len)
		return false;
	at = take(rest, (size_t)len);
	*out = sv_make((const char *)at, (size_t)len);
	return at != NULL;
}

static bool take_names(struct sv *rest, struct arena *arena,
		       struct trace_summary *out)
{
	uint64_t count, root;
	struct sv *names;

	if (!graph_take_varint(rest, &count) ||
	    count > TRACES_SUMMARY_NAMES_MAX)
		return false;
	names = arena_array(arena, (size_t)count, sizeof(*names));
	if (!names)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!take_short_text(rest, &names[i]))
			return false;
	out->names = names;
	out->name_count = (size_t)count;
	out->request_ids = NULL;
	out->request_id_count = 0;
	out->root = SV("");
	if (!graph_take_varint(rest, &root) || root > count + 1)
		return false;
	if (root == count + 1)
		return take_short_text(rest, &out->root);
	if (root)
		out->root = names[root - 1];
	return true;
}

static bool get_short(struct sv key, struct sv value, struct arena *arena,
		      struct trace_summary *out)
{
	const uint8_t *half = take(&value, SUMMARY_ID_HALF);
	uint64_t duration;

	if (!half || key.len < ROW_PREFIX || key.ptr[0] != 'S' ||
	    !graph_take_varint(&value, &duration))
		return false;
	memcpy(out->id, key.ptr + 1 + SCOPE_KEY_SIZE + 8, SUMMARY_ID_HALF);
	memcpy(out->id + SUMMARY_ID_HALF, half, SUMMARY_ID_HALF);
	out->start_ns = row_start_ns(key);
	return !__builtin_add_overflow(out->start_ns, duration, &out->end_ns) &&
	       take_names(&value, arena, out);
}

static bool get_long(struct sv value, struct arena *arena,
		     struct trace_summary *out)
{
	const uint8_t *id = take(&value, TRACE_ID_SIZE);

	if (!id)
		return false;
	memcpy(out->id, id, TRACE_ID_SIZE);
	return take_i64(&value, &out->start_ns) &&
	       take_i64(&value, &out->end_ns) &&
	       take_text(&value, &out->root) &&
	       take_list(&value, arena, TRACES_SUMMARY_IDS_MAX,
			 &out->request_ids, &out->request_id_count) &&
	       take_list(&value, arena, TRACES_SUMMARY_NAMES_MAX, &out->names,
			 &out->name_count);
}

bool row_get_summary(struct sv key, struct sv value, struct arena *arena,
		     struct trace_summary *out)
{
	const uint8_t *flags = take(&value, 1);

	if (!flags || (flags[0] & 15) > SEGMENT_STATUS_FAULT)
		return false;
	out->status = (enum segment_status)(flags[0] & 15);
	out->partial = flags[0] & SUMMARY_PARTIAL;
	out->ids_left_out = flags[0] & SUMMARY_IDS_LEFT_OUT;
	return flags[0] & SUMMARY_SHORT ? get_short(key, value, arena, out) :
					  get_long(value, arena, out);
}

void row_put_position(struct buf *out, uint64_t sealed, uint64_t oldest)
{
	put_u64(out, sealed);
	put_u64(out, oldest);
}

bool row_get_position(struct sv value, uint64_t *sealed, uint64_t *oldest)
{
	return take_u64(&value, sealed) && take_u64(&value, oldest);
}
