/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker beside libprotobuf-c: they take and refuse the same bodies, and
 * see the same records. Bodies are those SDKs sent, and what becomes of them
 * when bytes are changed, cut out, doubled and put in: so most are nearly
 * right, which is where two readers differ. The seed is fixed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/protobuf.h"
#include "core/wire/otlp.h"
#include "core/wire/otlp_fields.h"
#include "tests/unit/core/otlp.pb-c.h"

enum { BODY_MAX = 16 << 10, ROUNDS = 30000, STRUCTURED = 3000 };

struct random {
	uint64_t state;
};

static uint32_t next(struct random *r, uint32_t below)
{
	r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(r->state >> 33) % below;
}

static size_t load(const char *path, uint8_t *to)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(to, 1, BODY_MAX, f);
	fclose(f);
	assert_true(n > 0 && n < BODY_MAX);
	return n;
}

/* What protobuf-c takes and we do not: field 0, and tags of more than 32 bits.
 * Neither is protobuf. */
static bool has_odd_tag(struct sv bytes, unsigned depth)
{
	struct protobuf r = protobuf_reader(bytes);

	while (r.at < r.end) {
		const uint8_t *before = r.at;
		struct protobuf_field f;
		uint64_t tag;

		if (!protobuf_varint(&r, &tag))
			return false;
		if (tag < 8 || tag > UINT32_MAX)
			return true;
		r.at = before;
		if (protobuf_next(&r, &f) <= 0)
			return false;
		if (f.type == PROTOBUF_BYTES && depth < 40 &&
		    has_odd_tag(f.bytes, depth + 1))
			return true;
	}
	return false;
}

static bool same(ProtobufCBinaryData a, struct sv b)
{
	return sv_eq(sv_make((const char *)a.data, a.len), b);
}

/* The last field of this number. */
static struct sv field(struct sv message, uint32_t number)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	struct sv out = SV("");

	while (protobuf_next(&r, &f) > 0)
		if (f.number == number)
			out = f.bytes;
	return out;
}

static bool zero(ProtobufCBinaryData b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.data[i])
			return false;
	return true;
}

/* Whether a span is one that can be placed, by what protobuf-c made of it. Depth
 * is for those who made it. */
static bool placed(const Oracle__Span *s)
{
	return s->trace_id.len == 16 && !zero(s->trace_id) &&
	       s->span_id.len == 8 && !zero(s->span_id) &&
	       (!s->parent_id.len || s->parent_id.len == 8) && s->start &&
	       s->start <= INT64_MAX && s->end <= INT64_MAX;
}

struct count {
	size_t taken, refused, bodies, broken;
};

static void compare_spans(const Oracle__Traces *want, const struct records *got,
			  const struct otlp_refused *refused,
			  struct count *count)
{
	size_t at = 0, total = 0;
	bool deep = refused->counts[OTLP_TOO_DEEP] > 0;

	for (size_t i = 0; i < want->n_resources; i++)
		for (size_t k = 0; k < want->resources[i]->n_scopes; k++) {
			const Oracle__ScopeSpans *scope =
				want->resources[i]->scopes[k];

			for (size_t n = 0; n < scope->n_items; n++, total++) {
				const Oracle__Span *s = scope->items[n];
				struct sv span;

				if (deep || !placed(s))
					continue;
				assert_true(at < got->span_count);
				span = got->spans[at++].span;
				assert_true(same(s->trace_id,
						 field(span, SPAN_TRACE_ID)));
				assert_true(
					same(s->span_id, field(span, SPAN_ID)));
				assert_true(same(s->parent_id,
						 field(span, SPAN_PARENT_ID)));
			}
		}
	if (!deep)
		assert_int_equal(at, got->span_count);
	assert_int_equal(got->span_count + otlp_refused_sum(refused), total);
	count->taken += got->span_count;
	count->refused += otlp_refused_sum(refused);
}

static void compare_traces(struct arena *arena, struct sv body,
			   struct count *count)
{
	struct records records = { 0 };
	struct otlp_refused refused;
	int e = otlp_traces_decode(arena, body, &records, &refused, NULL);
	Oracle__Traces *want = oracle__traces__unpack(
		NULL, body.len, (const uint8_t *)body.ptr);

	assert_true(!e || e == ERR_SYNTAX);
	count->bodies++;
	count->broken += e != 0;
	/* What is nested too deep is not looked at further. */
	if ((!e != (want != NULL)) && !has_odd_tag(body, 0) &&
	    !refused.counts[OTLP_TOO_DEEP])
		fail_msg("body %zu: we say %d, protobuf-c %s", count->bodies, e,
			 want ? "takes it" : "does not");
	if (!e && want)
		compare_spans(want, &records, &refused, count);
	if (want)
		oracle__traces__free_unpacked(want, NULL);
}

static void compare_logs(struct arena *arena, struct sv body,
			 struct count *count)
{
	const struct wall received = { 1795342353600000000 };
	struct records records = { 0 };
	struct otlp_refused refused;
	int e = otlp_logs_decode(arena, body, received, &records, &refused,
				 NULL);
	Oracle__Logs *want =
		oracle__logs__unpack(NULL, body.len, (const uint8_t *)body.ptr);
	size_t total = 0;

	assert_true(!e || e == ERR_SYNTAX);
	count->bodies++;
	count->broken += e != 0;
	if ((!e != (want != NULL)) && !has_odd_tag(body, 0) &&
	    !refused.counts[OTLP_TOO_DEEP])
		fail_msg("body %zu: we say %d, protobuf-c %s", count->bodies, e,
			 want ? "takes it" : "does not");
	for (size_t i = 0; want && i < want->n_resources; i++)
		for (size_t k = 0; k < want->resources[i]->n_scopes; k++)
			total += want->resources[i]->scopes[k]->n_items;
	if (!e && want)
		assert_int_equal(records.log_count + otlp_refused_sum(&refused),
				 total);
	count->taken += records.log_count;
	count->refused += otlp_refused_sum(&refused);
	if (want)
		oracle__logs__free_unpacked(want, NULL);
}

/* Metrics have no oracle here; but they must come to an end. */
static void try_metrics(struct arena *arena, struct sv body,
			struct count *count)
{
	const struct wall received = { 1795342353600000000 };
	struct records records = { 0 };
	struct otlp_refused refused;
	int e = otlp_metrics_decode(arena, body, received, &records, &refused,
				    NULL);

	assert_true(!e || e == ERR_SYNTAX);
	count->bodies++;
	count->broken += e != 0;
	count->taken += records.datum_count;
	count->refused += otlp_refused_sum(&refused);
}

static size_t mutate(struct random *r, uint8_t *b, size_t n)
{
	for (uint32_t k = 2 + next(r, 2); k < 4 && n > 1; k++) {
		uint32_t at = next(r, (uint32_t)n), len = 1 + next(r, 8);

		switch (next(r, 5)) {
		case 0:
			b[at] = (uint8_t)next(r, 256);
			break;
		case 1: /* another type of the same field, or a near number */
			b[at] = (uint8_t)(b[at] ^ (1 << next(r, 8)));
			break;
		case 2:
			n = n < 8 ? n : n - next(r, 8); /* cut off */
			break;
		case 3: /* take out */
			if (at + len > n)
				break;
			memmove(b + at, b + at + len, n - at - len);
			n -= len;
			break;
		default: /* double */
			if (at + len > n || n + len > BODY_MAX)
				break;
			memmove(b + at + len, b + at, n - at);
			n += len;
		}
	}
	return n;
}

static void run(const char *path,
		void (*compare)(struct arena *arena, struct sv body,
				struct count *count))
{
	static uint8_t original[BODY_MAX], body[BODY_MAX];
	size_t size = load(path, original);
	struct random r = { 4 };
	struct arena arena = ARENA_INIT;
	struct count count = { 0 };

	compare(&arena, sv_make((const char *)original, size), &count);
	assert_true(count.taken && !count.broken);
	for (int i = 0; i < ROUNDS; i++) {
		size_t n;

		arena_reset(&arena);
		memcpy(body, original, size);
		n = mutate(&r, body, size);
		compare(&arena, sv_make((const char *)body, n), &count);
	}
	/* All of it was there: whole, broken and refused ones. */
	assert_true(count.broken > ROUNDS / 10);
	assert_true(count.taken > ROUNDS / 10);
	assert_true(count.refused > ROUNDS / 1000);
	arena_fini(&arena);
}

static void test_traces(void **state)
{
	(void)state;
	run("tests/fixtures/otlp/otel-protobuf-none-v1-traces.bin",
	    compare_traces);
}

static void test_logs(void **state)
{
	(void)state;
	run("tests/fixtures/otlp/otel-protobuf-none-v1-logs.bin", compare_logs);
}

static void test_metrics(void **state)
{
	(void)state;
	run("tests/fixtures/otlp/otel-protobuf-none-v1-metrics.bin",
	    try_metrics);
}

/* --- made at random ------------------------------------------------------------------ */

static void put_value(struct random *r, struct buf *b, unsigned depth)
{
	size_t mark;

	switch (next(r, depth < 20 ? 8 : 5)) {
	case 0:
		protobuf_put_bytes(b, VALUE_STRING, SV("text"));
		break;
	case 1:
		protobuf_put_u64(b, VALUE_BOOL, next(r, 3));
		break;
	case 2:
		protobuf_put_u64(b, VALUE_INT, (uint64_t)-1 - next(r, 9));
		break;
	case 3:
		protobuf_put_fixed64(b, VALUE_DOUBLE, protobuf_bits(0.5));
		break;
	case 4:
		protobuf_put_bytes(b, VALUE_BYTES, SV("\xff\0"));
		break;
	case 5:
	case 6:
		mark = protobuf_open(b, VALUE_ARRAY);
		for (uint32_t n = next(r, 3); n; n--) {
			size_t item = protobuf_open(b, 1);

			put_value(r, b, depth + 1);
			protobuf_close(b, item);
		}
		protobuf_close(b, mark);
		break;
	default:
		mark = protobuf_open(b, VALUE_KVLIST);
		for (uint32_t n = next(r, 3); n; n--) {
			size_t pair = protobuf_open(b, 1);
			size_t value;

			protobuf_put_bytes(b, KEY_VALUE_KEY, SV("k"));
			value = protobuf_open(b, KEY_VALUE_VALUE);
			put_value(r, b, depth + 1);
			protobuf_close(b, value);
			protobuf_close(b, pair);
		}
		protobuf_close(b, mark);
	}
}

static void put_attribute(struct random *r, struct buf *b, uint32_t number)
{
	size_t pair = protobuf_open(b, number), value;

	protobuf_put_bytes(b, KEY_VALUE_KEY, SV("key"));
	value = protobuf_open(b, KEY_VALUE_VALUE);
	put_value(r, b, 0);
	protobuf_close(b, value);
	protobuf_close(b, pair);
}

/* Fields in any order, some twice, some unknown, few of a wrong type. */
static void put_span(struct random *r, struct buf *b)
{
	size_t span = protobuf_open(b, 2), mark;

	protobuf_put_bytes(b, SPAN_TRACE_ID, SV("0123456789abcdef"));
	protobuf_put_fixed64(b, SPAN_START, 1 + next(r, 5));
	for (uint32_t n = next(r, 12); n; n--) {
		switch (next(r, 12)) {
		case 0:
			put_attribute(r, b, SPAN_ATTRIBUTES);
			break;
		case 1:
			mark = protobuf_open(b, SPAN_EVENTS);
			put_attribute(r, b, EVENT_ATTRIBUTES);
			protobuf_put_fixed64(b, EVENT_TIME, 7);
			protobuf_close(b, mark);
			break;
		case 2:
			mark = protobuf_open(b, SPAN_LINKS);
			put_attribute(r, b, LINK_ATTRIBUTES);
			protobuf_put_fixed32(b, LINK_FLAGS, 7);
			protobuf_close(b, mark);
			break;
		case 3:
			mark = protobuf_open(b, SPAN_STATUS);
			protobuf_put_u64(b, STATUS_CODE, next(r, 4));
			protobuf_close(b, mark);
			break;
		case 4:
			protobuf_put_bytes(b, SPAN_NAME, SV("name"));
			break;
		case 5:
			protobuf_put_fixed64(b, SPAN_END, next(r, 9));
			break;
		case 6:
			protobuf_put_bytes(b, SPAN_PARENT_ID, SV("87654321"));
			break;
		case 7:
			protobuf_put_bytes(b, 17 + next(r, 2000), SV("new"));
			break;
		case 8:
			if (!next(r, 20))
				protobuf_put_u64(b, 1 + next(r, 16), 1);
			break;
		default:
			protobuf_put_bytes(b, SPAN_ID,
					   next(r, 9) ? SV("12345678") :
							SV("1234567"));
		}
	}
	protobuf_close(b, span);
}

static void test_structured(void **state)
{
	struct random r = { 11 };
	struct arena arena = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct count count = { 0 };

	(void)state;
	for (int i = 0; i < STRUCTURED; i++) {
		arena_reset(&arena);
		buf_reset(&b);
		for (uint32_t n = next(&r, 3); n; n--) {
			size_t resource = protobuf_open(&b, 1), mark;

			for (uint32_t k = next(&r, 3); k; k--) {
				mark = protobuf_open(&b, 2);
				for (uint32_t s = next(&r, 4); s; s--)
					put_span(&r, &b);
				protobuf_close(&b, mark);
				mark = protobuf_open(&b, 1); /* and merged */
				put_attribute(&r, &b, RESOURCE_ATTRIBUTES);
				protobuf_close(&b, mark);
			}
			protobuf_close(&b, resource);
		}
		compare_traces(&arena, buf_view(&b), &count);
	}
	assert_true(count.taken > STRUCTURED / 10);
	assert_true(count.refused > STRUCTURED / 10);
	assert_true(count.broken > 10);
	buf_fini(&b);
	arena_fini(&arena);
}

/* Depth: exactly the limit is taken, one more is refused, and what would crash
 * a reader without a limit is no harm. */
static void test_depth(void **state)
{
	static const unsigned depths[] = { 0, 1, OTLP_NESTING_MAX,
					   OTLP_NESTING_MAX + 1, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		struct buf b = BUF_INIT, around = BUF_INIT;
		struct arena arena = ARENA_INIT;
		struct records records = { 0 };
		struct otlp_refused refused;
		size_t rs, ss, s, kv, v;

		protobuf_put_bytes(&b, VALUE_STRING, SV("x"));
		for (unsigned d = 0; d < depths[i]; d++) { /* from within */
			buf_reset(&around);
			v = protobuf_open(&around, VALUE_ARRAY);
			protobuf_put_bytes(&around, 1, buf_view(&b));
			protobuf_close(&around, v);
			buf_reset(&b);
			buf_sv(&b, buf_view(&around));
		}
		buf_reset(&around);
		rs = protobuf_open(&around, 1);
		ss = protobuf_open(&around, 2);
		s = protobuf_open(&around, 2);
		protobuf_put_bytes(&around, SPAN_TRACE_ID,
				   SV("0123456789abcdef"));
		protobuf_put_bytes(&around, SPAN_ID, SV("12345678"));
		protobuf_put_fixed64(&around, SPAN_START, 1);
		kv = protobuf_open(&around, SPAN_ATTRIBUTES);
		protobuf_put_bytes(&around, KEY_VALUE_VALUE, buf_view(&b));
		protobuf_close(&around, kv);
		protobuf_close(&around, s);
		protobuf_close(&around, ss);
		protobuf_close(&around, rs);
		assert_int_equal(otlp_traces_decode(&arena, buf_view(&around),
						    &records, &refused, NULL),
				 0);
		assert_int_equal(refused.counts[OTLP_TOO_DEEP],
				 depths[i] > OTLP_NESTING_MAX);
		assert_int_equal(records.span_count,
				 depths[i] <= OTLP_NESTING_MAX);
		arena_fini(&arena);
		buf_fini(&around);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_traces),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_structured),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests_name("otlp_oracle", tests, NULL, NULL);
}
