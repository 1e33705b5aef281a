/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/inner.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/hash.h"

enum {
	SLOTS_MIN = 1 << 10,
	PROBES_MAX = 32, /* a stranger's colliding strings cost no more */
	SEEN = 1 << 13,
	SHARES = 256, /* places are hashed to this many budgets */
	SHARE_PART = 8,
	HEADER = 8,
};
#define SEED UINT64_C(0x9e3779b97f4a7c15)

/* An entry and what it is compared by, in one line of the cache. */
struct slot {
	uint32_t hash;   /* its high half */
	uint32_t number; /* + 1; 0: free */
	uint32_t at;     /* its bytes, in text */
	uint32_t len : 24, kind : 8;
};

/* A dictionary that grows. Its bytes are reserved at once and touched as they
 * fill, so that nothing ever moves under a reader. */
struct shapes_live {
	uint8_t *text, *ends;
	size_t bytes_max;
	uint32_t entries_max;
	struct slot *slots;
	uint32_t slots_mask;
	uint64_t seen[SEEN];     /* hashes that missed */
	uint32_t shares[SHARES]; /* bytes of strings by column */
	struct shapes_stats stats;
	struct shapes_scratch scratch;
};

struct shapes_scratch *shapes_scratch(struct shapes *s)
{
	return &s->live->scratch;
}

/* Half a multiplication, both halves of which count. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of the dictionary in memory only; most strings have 4 to 16 bytes, and for
 * these the library's call is most of its cost. */
uint64_t shapes_hash(enum entry_kind kind, struct sv bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.ptr;
	uint64_t seed = ((uint64_t)kind << 32 | bytes.len) ^ SEED;

	if (bytes.len < 4 || bytes.len > 16)
		return mix(hash64(bytes) ^ SEED, seed);
	if (bytes.len < 8)
		return mix((get_le32(p) | (uint64_t)get_le32(p + bytes.len - 4)
						  << 32) ^
				   SEED,
			   seed);
	return mix(get_le64(p) ^ SEED, get_le64(p + bytes.len - 8) ^ seed);
}

uint32_t shapes_find(const struct shapes *s, enum entry_kind kind,
		     struct sv bytes, uint64_t hash)
{
	const struct shapes_live *l = s->live;
	uint64_t i = hash;

	for (int probe = 0; probe < PROBES_MAX; probe++, i++) {
		const struct slot *slot = &l->slots[i & l->slots_mask];

		if (!slot->number)
			break;
		if (slot->hash == hash >> 32 && slot->len == bytes.len &&
		    slot->kind == kind &&
		    shapes_same(s->text + slot->at, bytes.ptr, bytes.len))
			return slot->number - 1;
	}
	return SHAPE_NONE;
}

bool shapes_seen(struct shapes *s, uint64_t hash)
{
	/* Two that came to the same place do not drive each other out. */
	uint64_t *seen = &s->live->seen[(hash >> 16) % (SEEN / 2) * 2];

	if (seen[0] == hash || seen[1] == hash)
		return true;
	seen[1] = seen[0];
	seen[0] = hash;
	return false;
}

static void slot_put(struct shapes *s, uint32_t number)
{
	struct shapes_live *l = s->live;
	enum entry_kind kind;
	struct sv bytes;
	uint64_t hash, i;

	if (!shapes_entry(s, number, &kind, &bytes) || kind == ENTRY_PLACES)
		return;
	i = hash = shapes_hash(kind, bytes);
	for (int probe = 0; probe < PROBES_MAX; probe++, i++) {
		struct slot *slot = &l->slots[i & l->slots_mask];

		if (slot->number)
			continue;
		slot->hash = (uint32_t)(hash >> 32);
		slot->number = number + 1;
		slot->at = (uint32_t)((const uint8_t *)bytes.ptr - s->text);
		slot->len = (uint32_t)bytes.len & 0xffffff;
		slot->kind = (unsigned)kind & 0xff;
		return;
	}
	/* It is there and not found: entered twice at worst. */
}

static bool slots_grow(struct shapes *s)
{
	struct shapes_live *l = s->live;
	size_t n = l->slots ? 2 * ((size_t)l->slots_mask + 1) : SLOTS_MIN;
	struct slot *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return false;
	free(l->slots);
	l->slots = slots;
	l->slots_mask = (uint32_t)(n - 1);
	for (uint32_t i = 0; i < shapes_entries(s); i++)
		slot_put(s, i);
	return true;
}

/* Strings may fill half of it and sources three quarters: what is left is for
 * shapes, without which all else is of no use. */
static size_t limit_of(const struct shapes_live *l, enum entry_kind kind)
{
	if (kind == ENTRY_TEXT)
		return l->bytes_max / 2;
	if (kind == ENTRY_SOURCE)
		return l->bytes_max / 4 * 3;
	return l->bytes_max;
}

/* Room for n entries of bytes in all. */
static bool has_room(struct shapes *s, enum entry_kind kind, uint32_t n,
		     size_t bytes)
{
	struct shapes_live *l = s->live;
	size_t held = shapes_text(s) + 4 * (size_t)shapes_entries(s);
	size_t limit = limit_of(l, kind);

	if (n > l->entries_max - shapes_entries(s) ||
	    held + bytes + 5 * (size_t)n > limit) {
		*(kind == ENTRY_TEXT ? &l->stats.refused : &l->stats.full) += 1;
		return false;
	}
	return 2 * (shapes_entries(s) + n) <= l->slots_mask || slots_grow(s);
}

static uint32_t append(struct shapes *s, enum entry_kind kind, struct sv bytes)
{
	struct shapes_live *l = s->live;
	uint32_t number = shapes_entries(s), at = shapes_text(s);

	l->text[at++] = (uint8_t)kind;
	if (bytes.len)
		memcpy(l->text + at, bytes.ptr, bytes.len);
	at += (uint32_t)bytes.len;
	put_le32(l->ends + 4 * (size_t)number, at);
	atomic_store_explicit(&s->text_len, at, memory_order_relaxed);
	atomic_store_explicit(&s->count, number + 1, memory_order_relaxed);
	slot_put(s, number);
	return number;
}

uint32_t shapes_enter(struct shapes *s, enum entry_kind kind, struct sv bytes)
{
	uint32_t found = shapes_find(s, kind, bytes, shapes_hash(kind, bytes));

	if (found != SHAPE_NONE)
		return found;
	return has_room(s, kind, 1, bytes.len) ? append(s, kind, bytes) :
						 SHAPE_NONE;
}

uint32_t shapes_enter_shape(struct shapes *s, enum entry_kind kind,
			    struct sv shape, struct sv places)
{
	uint32_t number;

	if (!has_room(s, kind, 2, shape.len + places.len))
		return SHAPE_NONE;
	number = append(s, kind, shape);
	append(s, ENTRY_PLACES, places);
	return number;
}

/* Which budget a place of a shape spends from: its column's. */
static uint32_t *share_of(struct shapes *s, uint32_t shape, uint32_t place)
{
	enum entry_kind kind;
	struct sv bytes;
	struct reader r;
	uint64_t column = 0;

	if (!shapes_entry(s, shape + 1, &kind, &bytes))
		return &s->live->shares[0];
	for (r = reader_of(bytes); place && !r.bad; place--)
		(void)read_varint(&r);
	column = read_varint(&r) >> PLACE_BITS;
	return &s->live->shares[column % SHARES];
}

uint32_t shapes_string(struct shapes *s, struct sv text, uint32_t shape,
		       uint32_t place)
{
	uint64_t hash = shapes_hash(ENTRY_TEXT, text);
	uint32_t number = shapes_find(s, ENTRY_TEXT, text, hash);
	uint32_t *share;

	if (number != SHAPE_NONE || !shapes_seen(s, hash))
		return number;
	share = share_of(s, shape, place);
	if (*share + text.len > s->live->bytes_max / SHARE_PART) {
		s->live->stats.refused++;
		return SHAPE_NONE;
	}
	if (has_room(s, ENTRY_TEXT, 1, text.len)) {
		*share += (uint32_t)text.len + 5;
		number = append(s, ENTRY_TEXT, text);
	}
	return number;
}

void shapes_count(struct shapes *s, bool verbatim)
{
	if (verbatim)
		s->live->stats.verbatim++;
	else
		s->live->stats.packed++;
}

void place_put(struct buf *places, uint32_t column, enum place_role role)
{
	protobuf_varint_put(places, (uint64_t)column << PLACE_BITS | role);
}

/* --- life ---------------------------------------------------------------------- */

/* A verbatim document is a shape of one value, in a column of its own. */
static bool reserve(struct shapes *s)
{
	struct buf places = BUF_INIT;
	bool good;

	place_put(&places, SHAPE_VERBATIM_OTLP + 2, PLACE_PLAIN);
	(void)shapes_enter_shape(s, ENTRY_VERBATIM, SV("json"),
				 buf_view(&places));
	buf_reset(&places);
	place_put(&places, SHAPE_VERBATIM_OTLP + 3, PLACE_PLAIN);
	(void)shapes_enter_shape(s, ENTRY_VERBATIM, SV("otlp"),
				 buf_view(&places));
	good = !places.failed;
	buf_fini(&places);
	(void)shapes_enter(s, ENTRY_COLUMN, SV("json"));
	(void)shapes_enter(s, ENTRY_COLUMN, SV("otlp"));
	return good && shapes_entries(s) == SHAPES_RESERVED;
}

int shapes_new(struct shapes **out, size_t bytes_max)
{
	struct shapes *s = calloc(1, sizeof(*s));
	struct shapes_live *l = calloc(1, sizeof(*l));

	bytes_max = bytes_max ? bytes_max : SHAPES_BYTES_DEFAULT;
	if (bytes_max < SHAPES_BYTES_MIN)
		bytes_max = SHAPES_BYTES_MIN;
	*out = NULL;
	if (!s || !l) {
		free(s);
		free(l);
		return ERR_NOMEM;
	}
	assert(bytes_max <= UINT32_MAX);
	s->live = l;
	l->bytes_max = bytes_max;
	l->entries_max = (uint32_t)(bytes_max / 8);
	l->text = malloc(bytes_max);
	l->ends = malloc(4 * (size_t)l->entries_max);
	s->text = l->text;
	s->ends = l->ends;
	if (!l->text || !l->ends || !slots_grow(s) || !reserve(s)) {
		shapes_free(s);
		return ERR_NOMEM;
	}
	*out = s;
	return 0;
}

void shapes_free(struct shapes *s)
{
	struct shapes_live *l = s ? s->live : NULL;

	if (l) {
		free(l->text);
		free(l->ends);
		free(l->slots);
		buf_fini(&l->scratch.shape);
		buf_fini(&l->scratch.row);
		buf_fini(&l->scratch.places);
		buf_fini(&l->scratch.name);
		free(l->scratch.values);
		free(l);
	}
	free(s);
}

void shapes_stats(const struct shapes *s, struct shapes_stats *out)
{
	*out = s->live ? s->live->stats : (struct shapes_stats){ 0 };
	out->entries = shapes_entries(s);
	out->bytes = shapes_text(s) + 4 * (size_t)shapes_entries(s) + HEADER;
}

size_t shapes_memory(const struct shapes *s)
{
	const struct shapes_live *l = s->live;

	if (!l)
		return sizeof(*s);
	return sizeof(*s) + sizeof(*l) + shapes_text(s) +
	       4 * (size_t)shapes_entries(s) +
	       sizeof(*l->slots) * ((size_t)l->slots_mask + 1) +
	       l->scratch.shape.cap + l->scratch.row.cap +
	       l->scratch.places.cap + l->scratch.name.cap +
	       l->scratch.value_cap * 32;
}

void shapes_save(const struct shapes *s, struct buf *out)
{
	uint8_t header[HEADER];

	put_le32(header, shapes_entries(s));
	put_le32(header + 4, shapes_text(s));
	buf_add(out, header, sizeof(header));
	buf_add(out, s->ends, 4 * (size_t)shapes_entries(s));
	buf_add(out, s->text, shapes_text(s));
}

int shapes_open(struct shapes **out, struct sv image)
{
	const uint8_t *p = (const uint8_t *)image.ptr;
	struct shapes *s;
	uint32_t count;

	*out = NULL;
	if (image.len < HEADER)
		return ERR_CORRUPT;
	count = get_le32(p);
	if (count < SHAPES_RESERVED || count > (image.len - HEADER) / 4 ||
	    get_le32(p + 4) != image.len - HEADER - 4 * (size_t)count)
		return ERR_CORRUPT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ERR_NOMEM;
	s->count = count;
	s->text_len = get_le32(p + 4);
	s->ends = p + HEADER;
	s->text = p + HEADER + 4 * (size_t)count;
	*out = s;
	return 0;
}
