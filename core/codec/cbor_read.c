/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a tape: members, text and numbers. The parser is cbor.c. */
#include <assert.h>
#include <math.h>

#include "core/codec/cbor.h"
#include "core/codec/time_text.h"

static const struct cbor none;

static const struct cbor_node *node_of(struct cbor v)
{
	assert(v.index < v.doc->count);
	return &v.doc->nodes[v.index];
}

struct cbor cbor_first(struct cbor container)
{
	const struct cbor_node *n;

	if (!container.doc)
		return none;
	n = node_of(container);
	if (n->next == container.index + 1)
		return none;
	return (struct cbor){ container.doc, container.index + 1 };
}

struct cbor cbor_next(struct cbor container, struct cbor it)
{
	uint32_t next;

	if (!it.doc)
		return none;
	next = node_of(it)->next;
	if (cbor_is(container, CBOR_MAP))
		next = it.doc->nodes[next].next;
	return next < node_of(container)->next ? (struct cbor){ it.doc, next } :
						 none;
}

struct cbor cbor_member(struct cbor key)
{
	if (!key.doc)
		return none;
	return (struct cbor){ key.doc, node_of(key)->next };
}

struct cbor cbor_get(struct cbor map, struct sv key)
{
	if (!cbor_is(map, CBOR_MAP))
		return none;
	for (struct cbor it = cbor_first(map); it.doc; it = cbor_next(map, it))
		if (cbor_text_is(it, key))
			return cbor_member(it);
	return none;
}

static const unsigned char *at_of(struct cbor v)
{
	return (const unsigned char *)v.doc->bytes.ptr + node_of(v)->at;
}

/* The number of a head at *p, which the parser has checked; *p behind it. */
static uint64_t take_number(const unsigned char **p)
{
	uint8_t info = **p & 31;
	uint64_t v = info;

	(*p)++;
	if (info < 24)
		return v;
	v = 0;
	for (int n = 1 << (info - 24); n > 0; n--)
		v = v << 8 | *(*p)++;
	return v;
}

/* The next piece of a string of indefinite length; len 0 at its end, too. */
static struct sv take_piece(const unsigned char **p)
{
	struct sv piece;
	uint64_t len;

	if (**p == 0xff)
		return (struct sv){ NULL, 0 };
	len = take_number(p);
	piece = sv_make((const char *)*p, (size_t)len);
	*p += len;
	return piece;
}

static struct sv string_of(struct cbor v, enum cbor_type type,
			   struct arena *arena)
{
	const struct cbor_node *n;
	const unsigned char *p;
	struct sv piece;
	char *out, *o;

	if (!cbor_is(v, type))
		return (struct sv){ NULL, 0 };
	n = node_of(v);
	p = at_of(v);
	if (!n->pieces)
		return sv_make((const char *)p, n->len);
	out = o = arena_alloc(arena, n->len);
	if (!out)
		return (struct sv){ NULL, 0 };
	while ((piece = take_piece(&p)).ptr) {
		memcpy(o, piece.ptr, piece.len);
		o += piece.len;
	}
	assert((size_t)(o - out) == n->len);
	return sv_make(out, n->len);
}

struct sv cbor_text(struct cbor v, struct arena *arena)
{
	return string_of(v, CBOR_TEXT, arena);
}

struct sv cbor_bytes(struct cbor v, struct arena *arena)
{
	return string_of(v, CBOR_BYTES, arena);
}

bool cbor_text_is(struct cbor v, struct sv text)
{
	const unsigned char *p;
	struct sv piece;

	if (!cbor_is(v, CBOR_TEXT) || node_of(v)->len != text.len)
		return false;
	p = at_of(v);
	if (!node_of(v)->pieces)
		return sv_eq(sv_make((const char *)p, text.len), text);
	while ((piece = take_piece(&p)).ptr) {
		if (!sv_eq(piece, sv_make(text.ptr, piece.len)))
			return false;
		text = sv_make(text.ptr + piece.len, text.len - piece.len);
	}
	return true;
}

static double double_of_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* RFC 8949, appendix D. */
static double double_of_half(uint64_t bits)
{
	int exponent = (int)(bits >> 10 & 31);
	double mantissa = (double)(bits & 1023), v;

	if (exponent == 0)
		v = ldexp(mantissa, -24);
	else if (exponent != 31)
		v = ldexp(mantissa + 1024, exponent - 25);
	else
		v = mantissa > 0 ? (double)NAN : (double)INFINITY;
	return bits & 0x8000 ? -v : v;
}

static double float_of(struct cbor v)
{
	const unsigned char *p = at_of(v);
	uint8_t info = *p & 31;
	uint64_t bits = take_number(&p);
	uint32_t low = (uint32_t)bits;
	float single;

	if (info == 25)
		return double_of_half(bits);
	if (info == 27)
		return double_of_bits(bits);
	memcpy(&single, &low, sizeof(single));
	return (double)single;
}

static bool is_integer(struct cbor v)
{
	return cbor_is(v, CBOR_UINT) || cbor_is(v, CBOR_NEGATIVE);
}

bool cbor_to_i64(struct cbor v, int64_t *out)
{
	const unsigned char *p;
	uint64_t n;

	if (cbor_is(v, CBOR_FLOAT)) {
		/* In decimal, as cppcheck reads 0x1p63 for a 0. */
		const double limit = 9223372036854775808.0;
		double d = float_of(v);

		if (!(d >= -limit && d < limit) || d != trunc(d))
			return false;
		*out = (int64_t)d;
		return true;
	}
	if (!is_integer(v))
		return false;
	p = at_of(v);
	n = take_number(&p);
	if (n > INT64_MAX)
		return false;
	*out = cbor_is(v, CBOR_UINT) ? (int64_t)n : -1 - (int64_t)n;
	return true;
}

bool cbor_to_double(struct cbor v, double *out)
{
	const unsigned char *p;
	__extension__ __int128 n;

	if (cbor_is(v, CBOR_FLOAT)) {
		*out = float_of(v);
		return true;
	}
	if (!is_integer(v))
		return false;
	p = at_of(v);
	n = take_number(&p);
	*out = cbor_is(v, CBOR_UINT) ? (double)n : (double)(-1 - n);
	return true;
}

bool cbor_to_bool(struct cbor v, bool *out)
{
	*out = cbor_is(v, CBOR_TRUE);
	return *out || cbor_is(v, CBOR_FALSE);
}

bool cbor_to_tag(struct cbor v, uint64_t *out)
{
	const unsigned char *p;

	if (!cbor_is(v, CBOR_TAG))
		return false;
	p = at_of(v);
	*out = take_number(&p);
	return true;
}

bool cbor_to_ns(struct cbor v, int64_t *out)
{
	struct cbor number = cbor_first(v);
	int64_t seconds;
	uint64_t tag;

	if (!cbor_to_tag(v, &tag) || tag != 1)
		return false;
	if (is_integer(number))
		return cbor_to_i64(number, &seconds) &&
		       !__builtin_mul_overflow(seconds, 1000000000, out);
	return cbor_is(number, CBOR_FLOAT) &&
	       time_from_double(float_of(number), out);
}
