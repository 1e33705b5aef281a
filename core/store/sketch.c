/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store/sketch.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

/*
 * Bucket keys. A positive v is in bucket i = ceil(log v / log GAMMA); doubles
 * have |i| < 36000. Key i + KEY_ZERO is above 0 then, a negative value has the
 * key of its size with a minus, and zero (with the subnormals, which no metric
 * means) has key 0: one ascending array in order of value, and what a bucket
 * stands for, 2 g^i / (g + 1), is within (g - 1) / (g + 1) = 0.99 % of all in it.
 */
#define GAMMA 1.02
#define LOG_GAMMA 0.019802627296179712 /* ln 1.02 */
enum { KEY_ZERO = 40000, KEY_MAX = 2 * KEY_ZERO };

static double key_of(double value)
{
	double size = fabs(value), i;

	if (size < DBL_MIN)
		return 0;
	i = ceil(log(size) / LOG_GAMMA) + KEY_ZERO;
	assert(i > 0 && i < KEY_MAX);
	return value < 0 ? -i : i;
}

static double value_of(double key)
{
	double size;

	if (key == 0)
		return 0;
	size = exp((fabs(key) - KEY_ZERO) * LOG_GAMMA) * 2 / (GAMMA + 1);
	if (size > DBL_MAX)
		size = DBL_MAX;
	return key < 0 ? -size : size;
}

void sketch_reset(struct sketch *s)
{
	s->count = 0;
	s->bucketed = false;
	s->weight = s->collapsed = 0;
	s->minimum = s->maximum = 0;
}

void sketch_fini(struct sketch *s)
{
	if (!s->arena)
		free(s->bins);
	s->bins = NULL;
	s->cap = 0;
	sketch_reset(s);
}

static int reserve(struct sketch *s, uint32_t n)
{
	uint32_t cap = s->cap ? s->cap : 4;
	struct sketch_bin *bins;

	if (n <= s->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	if (s->arena) {
		bins = arena_alloc(s->arena, cap * sizeof(*bins));
		if (bins && s->count)
			memcpy(bins, s->bins, s->count * sizeof(*bins));
	} else {
		bins = realloc(s->bins, cap * sizeof(*bins));
	}
	if (!bins)
		return ERR_NOMEM;
	s->bins = bins;
	s->cap = cap;
	return 0;
}

/* The first bin that is not below at. */
static uint32_t lower_bound(const struct sketch *s, double at)
{
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->bins[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert(struct sketch *s, double at, double weight)
{
	uint32_t i;
	int err;

	if (s->collapsed > 0 && at < s->bins[0].at)
		at = s->bins[0].at;
	i = lower_bound(s, at);
	if (i < s->count && s->bins[i].at == at) {
		s->bins[i].weight += weight;
		return 0;
	}
	err = reserve(s, s->count + 1);
	if (err)
		return err;
	memmove(&s->bins[i + 1], &s->bins[i],
		(s->count - i) * sizeof(*s->bins));
	s->bins[i] = (struct sketch_bin){ at, weight };
	s->count++;
	return 0;
}

/* Raw values to buckets, in place: keys ascend as values do. */
static void to_buckets(struct sketch *s)
{
	uint32_t n = 0;

	assert(!s->bucketed);
	for (uint32_t i = 0; i < s->count; i++) {
		double key = key_of(s->bins[i].at);
		double weight = s->bins[i].weight;

		if (n && s->bins[n - 1].at == key)
			s->bins[n - 1].weight += weight;
		else
			s->bins[n++] = (struct sketch_bin){ key, weight };
	}
	s->count = n;
	s->bucketed = true;
}

/* The lowest bucket joins the next one. From then on the lowest one holds all
 * that is below it too, and it alone is not within 1 %. */
static void collapse(struct sketch *s)
{
	assert(s->count > 1);
	s->bins[1].weight += s->bins[0].weight;
	s->count--;
	memmove(&s->bins[0], &s->bins[1], s->count * sizeof(*s->bins));
	s->collapsed = s->bins[0].weight;
}

static bool has_raw(const struct sketch *s, double value)
{
	uint32_t i = lower_bound(s, value);

	return i < s->count && s->bins[i].at == value;
}

int sketch_add(struct sketch *s, double value, double weight)
{
	bool first = s->count == 0;
	int err = 0;

	assert(isfinite(value) && isfinite(weight) && weight > 0);
	if (value == 0)
		value = 0; /* not -0 */
	if (!s->bucketed && s->count == SKETCH_RAW_MAX && !has_raw(s, value)) {
		/* Before anything changes: insert cannot fail then. */
		err = reserve(s, SKETCH_RAW_MAX + 1);
		if (err)
			return err;
		to_buckets(s);
	}
	err = insert(s, s->bucketed ? key_of(value) : value, weight);
	if (err)
		return err;
	if (s->bucketed && s->count > SKETCH_BUCKETS_MAX)
		collapse(s);
	if (s->collapsed > 0)
		s->collapsed = s->bins[0].weight;
	s->weight += weight;
	if (first || value < s->minimum)
		s->minimum = value;
	if (first || value > s->maximum)
		s->maximum = value;
	return 0;
}

static int merge_buckets(struct sketch *s, const struct sketch *other)
{
	if (!s->bucketed)
		to_buckets(s);
	for (uint32_t i = 0; i < other->count; i++) {
		int err = insert(s, other->bins[i].at, other->bins[i].weight);

		if (err)
			return err;
		if (s->count > SKETCH_BUCKETS_MAX)
			collapse(s);
	}
	/* What the other one cannot tell apart, the sum cannot either. */
	if (other->collapsed > 0)
		while (s->bins[0].at < other->bins[0].at)
			collapse(s);
	if (s->collapsed > 0 || other->collapsed > 0)
		s->collapsed = s->bins[0].weight;
	return 0;
}

int sketch_merge(struct sketch *s, const struct sketch *other)
{
	bool first = s->count == 0;
	int err;

	assert(s != other);
	if (other->count == 0)
		return 0;
	if (!other->bucketed) {
		for (uint32_t i = 0; i < other->count; i++) {
			err = sketch_add(s, other->bins[i].at,
					 other->bins[i].weight);
			if (err)
				return err;
		}
		return 0;
	}
	err = merge_buckets(s, other);
	if (err)
		return err;
	s->weight += other->weight;
	if (first || other->minimum < s->minimum)
		s->minimum = other->minimum;
	if (first || other->maximum > s->maximum)
		s->maximum = other->maximum;
	return 0;
}

double sketch_value(const struct sketch *s, uint32_t i)
{
	double v;

	assert(i < s->count);
	if (!s->bucketed)
		return s->bins[i].at;
	v = value_of(s->bins[i].at);
	if (v < s->minimum)
		return s->minimum;
	return v > s->maximum ? s->maximum : v;
}

double sketch_quantile(const struct sketch *s, double q)
{
	double wanted = q * s->weight - 1e-12 * s->weight, sum = 0;

	assert(q >= 0 && q <= 1);
	if (s->count == 0)
		return NAN;
	if (q == 0)
		return s->minimum;
	if (q == 1)
		return s->maximum;
	for (uint32_t i = 0; i < s->count; i++) {
		sum += s->bins[i].weight;
		if (sum >= wanted)
			return sketch_value(s, i);
	}
	return s->maximum;
}

double sketch_rank(const struct sketch *s, double value)
{
	double at = s->bucketed ? key_of(value) : value, sum = 0;

	if (s->count && value >= s->maximum)
		return s->weight;
	if (s->count == 0 || value < s->minimum)
		return 0;
	for (uint32_t i = 0; i < s->count && s->bins[i].at <= at; i++)
		sum += s->bins[i].weight;
	return sum;
}

/*
 * Encoded, little-endian:
 *
 *   u8 format | u8 flags | varint count
 *   [buckets: f64 minimum | f64 maximum]
 *   raw:     count x f64 value
 *   buckets: zigzag varint first key, count-1 x varint key - previous key
 *   weights: count x varint (all whole and < 2^53), or count x f64
 *
 * Varints are LEB128. 1024 buckets with f64 weights are 11.3 KB.
 */
enum { FLAG_BUCKETS = 1, FLAG_WHOLE = 2, FLAG_COLLAPSED = 4, FLAGS = 7 };

static void put_f64(struct buf *out, double v)
{
	uint64_t bits;
	uint8_t bytes[8];

	memcpy(&bits, &v, sizeof(bits));
	put_le64(bytes, bits);
	buf_add(out, bytes, sizeof(bytes));
}

static void put_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_char(out, (char)(uint8_t)(v | 0x80));
	buf_char(out, (char)v);
}

static bool weights_whole(const struct sketch *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->bins[i].weight >= 0x1p53 ||
		    s->bins[i].weight != floor(s->bins[i].weight))
			return false;
	return true;
}

/* Small numbers of either sign as small numbers: 0, -1, 1, -2 are 0 to 3. */
static uint64_t zigzag(int64_t v)
{
	uint64_t twice = (uint64_t)v << 1;

	return v < 0 ? ~twice : twice;
}

void sketch_encode(const struct sketch *s, struct buf *out)
{
	bool whole = weights_whole(s);
	unsigned flags = (s->bucketed ? FLAG_BUCKETS : 0u) |
			 (whole ? FLAG_WHOLE : 0u) |
			 (s->collapsed > 0 ? FLAG_COLLAPSED : 0u);
	int64_t previous = 0;

	buf_char(out, SKETCH_FORMAT);
	buf_char(out, (char)flags);
	put_varint(out, s->count);
	if (s->bucketed) {
		put_f64(out, s->minimum);
		put_f64(out, s->maximum);
	}
	for (uint32_t i = 0; i < s->count; i++) {
		int64_t key;

		if (!s->bucketed) {
			put_f64(out, s->bins[i].at);
			continue;
		}
		key = (int64_t)s->bins[i].at;
		put_varint(out, i ? (uint64_t)(key - previous) : zigzag(key));
		previous = key;
	}
	for (uint32_t i = 0; i < s->count; i++)
		if (whole)
			put_varint(out, (uint64_t)s->bins[i].weight);
		else
			put_f64(out, s->bins[i].weight);
}

static bool take_u8(struct sv *s, uint8_t *out)
{
	if (!s->len)
		return false;
	*out = (uint8_t)s->ptr[0];
	*s = sv_make(s->ptr + 1, s->len - 1);
	return true;
}

static bool take_f64(struct sv *s, double *out)
{
	uint64_t bits;

	if (s->len < 8)
		return false;
	bits = get_le64((const uint8_t *)s->ptr);
	memcpy(out, &bits, sizeof(bits));
	*s = sv_make(s->ptr + 8, s->len - 8);
	return isfinite(*out);
}

/* At most eight bytes: nothing here is above 2^56. */
static bool take_varint(struct sv *s, uint64_t *out)
{
	uint8_t c;

	*out = 0;
	for (unsigned i = 0; i < 8 && take_u8(s, &c); i++) {
		*out |= (uint64_t)(c & 0x7f) << 7 * i;
		if (!(c & 0x80))
			return true;
	}
	return false;
}

static bool decode_places(struct sketch *s, struct sv *in, uint32_t count)
{
	int64_t key = 0;

	for (uint32_t i = 0; i < count; i++) {
		double at;
		uint64_t v;

		if (!s->bucketed) {
			if (!take_f64(in, &at))
				return false;
		} else {
			if (!take_varint(in, &v) || v > 4 * KEY_MAX)
				return false;
			key += i ? (int64_t)v :
				   (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
			if (key <= -KEY_MAX || key >= KEY_MAX)
				return false;
			at = (double)key;
		}
		if (i && at <= s->bins[i - 1].at)
			return false;
		s->bins[i].at = at;
	}
	return true;
}

static bool decode_weights(struct sketch *s, struct sv *in, uint32_t count,
			   bool whole)
{
	for (uint32_t i = 0; i < count; i++) {
		double weight;
		uint64_t v;

		if (whole) {
			if (!take_varint(in, &v) || v >= UINT64_C(1) << 53)
				return false;
			weight = (double)v;
		} else if (!take_f64(in, &weight)) {
			return false;
		}
		if (weight <= 0)
			return false;
		s->bins[i].weight = weight;
		s->weight += weight;
	}
	return isfinite(s->weight);
}

static int decode_body(struct sketch *s, struct sv in, unsigned flags)
{
	uint64_t count;
	int err;

	s->bucketed = flags & FLAG_BUCKETS;
	if (!take_varint(&in, &count) ||
	    count > (s->bucketed ? SKETCH_BUCKETS_MAX : SKETCH_RAW_MAX) ||
	    (s->bucketed && count == 0))
		return ERR_CORRUPT;
	if (s->bucketed &&
	    (!take_f64(&in, &s->minimum) || !take_f64(&in, &s->maximum) ||
	     s->minimum > s->maximum))
		return ERR_CORRUPT;
	if (flags & FLAG_COLLAPSED && !s->bucketed)
		return ERR_CORRUPT;
	err = reserve(s, (uint32_t)count);
	if (err)
		return err;
	if (!decode_places(s, &in, (uint32_t)count) ||
	    !decode_weights(s, &in, (uint32_t)count, flags & FLAG_WHOLE) ||
	    in.len)
		return ERR_CORRUPT;
	s->count = (uint32_t)count;
	if (flags & FLAG_COLLAPSED)
		s->collapsed = s->bins[0].weight;
	if (!s->bucketed && count) {
		s->minimum = s->bins[0].at;
		s->maximum = s->bins[count - 1].at;
	}
	return 0;
}

int sketch_decode(struct sketch *s, struct sv bytes)
{
	uint8_t format, flags;
	int err;

	assert(s->count == 0);
	if (!take_u8(&bytes, &format))
		return ERR_CORRUPT;
	if (format > SKETCH_FORMAT)
		return ERR_VERSION;
	if (format != SKETCH_FORMAT || !take_u8(&bytes, &flags) ||
	    flags & ~FLAGS)
		return ERR_CORRUPT;
	err = decode_body(s, bytes, flags);
	if (err)
		sketch_reset(s);
	return err;
}
