/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/ledger_entry.h"

#include <assert.h>

#include "core/codec/deflate.h"

/* Fields in a fixed order and width; a text is there by its own hash, so that
 * no two lists of fields have the same bytes and nothing is allocated. */
struct digest {
	uint8_t bytes[160];
	size_t used;
};

static void digest_u64(struct digest *d, uint64_t v)
{
	assert(d->used + 8 <= sizeof(d->bytes));
	put_le64(d->bytes + d->used, v);
	d->used += 8;
}

static void digest_text(struct digest *d, struct sv s)
{
	struct hash128 h = hash128(s);

	digest_u64(d, h.high);
	digest_u64(d, h.low);
}

static struct hash128 digest_end(const struct digest *d)
{
	return hash128(sv_make((const char *)d->bytes, d->used));
}

struct hash128 usage_id(uint64_t account, struct sv source, struct sv id)
{
	struct digest d = { .used = 0 };

	digest_u64(&d, account);
	digest_text(&d, source);
	digest_text(&d, id);
	return digest_end(&d);
}

uint64_t usage_payload(const struct scope *scope, const struct usage *u)
{
	struct digest d = { .used = 0 };

	digest_u64(&d, scope->account);
	digest_text(&d, sv_from(scope->region));
	digest_text(&d, u->id);
	digest_text(&d, u->source);
	digest_text(&d, u->resource);
	digest_text(&d, u->trace_id);
	digest_u64(&d, (uint64_t)u->time_ns);
	digest_u64(&d, u->memory_mb);
	digest_u64(&d, u->max_memory_mb);
	digest_u64(&d, u->duration_us);
	digest_u64(&d, u->billed_ms);
	digest_u64(&d, u->init_us);
	digest_u64(&d, u->architecture);
	digest_u64(&d, u->status);
	return digest_end(&d).low;
}

void entry_encode(uint8_t out[ENTRY_BYTES], const struct entry *e)
{
	put_le64(out, e->id.high);
	put_le64(out + 8, e->id.low);
	put_le64(out + 16, e->payload);
	put_le64(out + 24, (uint64_t)e->time_ns);
	put_le64(out + 32, e->duration_us);
	put_le64(out + 40, e->init_us);
	put_le64(out + 48, e->billed_ms);
	put_le64(out + 56, e->frame);
	put_le32(out + 64, e->memory_mb);
	put_le32(out + 68, e->max_memory_mb);
	put_le32(out + 72, e->scope);
	put_le32(out + 76, e->source);
	put_le32(out + 80, e->resource);
	out[84] = e->architecture;
	out[85] = e->status;
	out[86] = e->request.kind;
	out[87] = e->trace.kind;
	memcpy(out + 88, e->request.bytes, PACKED_BYTES);
	memcpy(out + 104, e->trace.bytes, PACKED_BYTES);
	put_le32(out + 120, e->number);
	put_le32(out + 124, crc32_add(0, out, 124));
}

bool entry_decode(struct entry *out, const uint8_t in[ENTRY_BYTES],
		  uint32_t number)
{
	if (get_le32(in + 124) != crc32_add(0, in, 124) ||
	    get_le32(in + 120) != number)
		return false;
	*out = (struct entry){
		.id = { get_le64(in), get_le64(in + 8) },
		.payload = get_le64(in + 16),
		.time_ns = (int64_t)get_le64(in + 24),
		.duration_us = get_le64(in + 32),
		.init_us = get_le64(in + 40),
		.billed_ms = get_le64(in + 48),
		.frame = get_le64(in + 56),
		.memory_mb = get_le32(in + 64),
		.max_memory_mb = get_le32(in + 68),
		.scope = get_le32(in + 72),
		.source = get_le32(in + 76),
		.resource = get_le32(in + 80),
		.architecture = in[84],
		.status = in[85],
		.request.kind = in[86],
		.trace.kind = in[87],
		.number = number,
	};
	memcpy(out->request.bytes, in + 88, PACKED_BYTES);
	memcpy(out->trace.bytes, in + 104, PACKED_BYTES);
	return true;
}

/* The text of each form, a lower-case hex digit for each 'h'. */
static const char *form_of(unsigned kind)
{
	switch (kind) {
	case TEXT_UUID:
		return "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
	case TEXT_XRAY:
		return "1-hhhhhhhh-hhhhhhhhhhhhhhhhhhhhhhhh";
	case TEXT_HEX:
		return "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh";
	default:
		return "";
	}
}

static bool pack_as(struct packed *out, struct sv text, unsigned kind)
{
	const char *form = form_of(kind);
	char hex[2 * PACKED_BYTES];
	size_t n = 0;

	if (text.len != strlen(form))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (form[i] != 'h' ?
			    c != form[i] :
			    !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		if (form[i] == 'h')
			hex[n++] = c;
	}
	assert(n == sizeof(hex));
	out->kind = (uint8_t)kind;
	return sv_to_hex(sv_make(hex, n), out->bytes, PACKED_BYTES);
}

bool text_pack(struct packed *out, struct sv text)
{
	*out = (struct packed){ .kind = TEXT_NONE };
	return text.len == 0 || pack_as(out, text, TEXT_UUID) ||
	       pack_as(out, text, TEXT_XRAY) || pack_as(out, text, TEXT_HEX);
}

struct sv text_unpack(const struct packed *p, struct arena *arena)
{
	const char *form = form_of(p->kind);
	char hex[2 * PACKED_BYTES];
	size_t len = strlen(form);
	char *text = arena_alloc(arena, len + 1);
	size_t n = 0;

	assert(p->kind != TEXT_FILE);
	if (!text)
		return (struct sv){ NULL, 0 };
	hex_from(hex, p->bytes, PACKED_BYTES);
	for (size_t i = 0; i < len; i++)
		text[i] = form[i] == 'h' ? hex[n++] : form[i];
	text[len] = '\0';
	return sv_make(text, len);
}

void text_place(struct packed *out, uint64_t offset, struct sv text)
{
	assert(text.len <= UINT32_MAX);
	out->kind = TEXT_FILE;
	put_le64(out->bytes, offset);
	put_le32(out->bytes + 8, (uint32_t)text.len);
	put_le32(out->bytes + 12, crc32_add(0, text.ptr, text.len));
}

struct text_at text_where(const struct packed *p)
{
	return (struct text_at){ get_le64(p->bytes), get_le32(p->bytes + 8),
				 get_le32(p->bytes + 12) };
}
