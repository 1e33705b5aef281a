/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/wire/native.h"
#include "core/wire/native_pb.h"
#include "core/wire/native_walk.h"

#define T0 1795338000000000000 /* 2026-11-22T09:00:00Z */

static const double values[] = { 1.5, -2, 0 };
static const double counts[] = { 1, 2, 3.5 };
static const struct dimension dimensions[] = {
	{ SV_INIT("Service"), SV_INIT("shop") },
	{ SV_INIT("Stage"), SV_INIT("\xc3\xa4") },
};

static struct datum good_datum(void)
{
	return (struct datum){
		.ns = SV("App/Orders"),
		.name = SV("Latency"),
		.dimensions = dimensions,
		.dimension_count = 2,
		.time_ns = T0,
		.unit = SV("Milliseconds"),
		.resolution_s = 60,
		.values = values,
		.counts = counts,
		.value_count = 3,
	};
}

static struct log_event good_log(const char *stream)
{
	return (struct log_event){ .group = SV("/aws/lambda/f"),
				   .stream = sv_from(stream),
				   .time_ns = T0,
				   .message = SV("one\0two") };
}

static struct usage good_usage(void)
{
	return (struct usage){ .id = SV("4f1c"),
			       .source = SV("lambda"),
			       .time_ns = T0,
			       .resource = SV("f"),
			       .memory_mb = 128,
			       .max_memory_mb = 70,
			       .duration_us = 1234,
			       .billed_ms = 2,
			       .init_us = 99,
			       .architecture = ARCH_ARM64,
			       .status = RUN_TIMEOUT,
			       .trace_id = SV("1-58e1-ab") };
}

static int try_decode(struct arena *a, const struct records *r,
		      struct native_batch *out)
{
	struct buf bytes = BUF_INIT;
	struct sv copy;
	int err;

	assert_int_equal(native_encode(&bytes, SV("host-1"), 7, r), 0);
	copy = arena_copy(a, buf_view(&bytes));
	buf_fini(&bytes);
	err = native_decode(a, copy, out, NULL);
	return err;
}

static void test_round_trip(void **state)
{
	struct segment_record segments[] = {
		{ .document = SV("{\"id\":\"1\"}") }, { .document = SV("{}") }
	};
	struct datum data[2] = { good_datum(), good_datum() };
	struct log_event logs[] = { good_log("a"), good_log("a"), good_log("b"),
				    good_log("a") };
	struct usage usage[] = { good_usage() };
	struct records r = { segments, data, logs, usage, NULL, 2, 2, 4, 1, 0 };
	struct arena a = ARENA_INIT;
	struct native_batch b;
	const struct usage *u;

	(void)state;
	data[1].counts = NULL;
	data[1].value_count = 0;
	data[1].has_statistics = true;
	data[1].sample_count = 4;
	data[1].maximum = 8;
	data[1].dimension_count = 0;
	assert_int_equal(try_decode(&a, &r, &b), 0);
	assert_int_equal(b.refusal_count, 0);
	assert_true(sv_eq(b.producer, SV("host-1")));
	assert_int_equal(b.sequence, 7);
	assert_int_equal(b.records.segment_count, 2);
	assert_true(
		sv_eq(b.records.segments[0].document, SV("{\"id\":\"1\"}")));
	assert_int_equal(b.records.datum_count, 2);
	assert_true(sv_eq(b.records.data[0].ns, SV("App/Orders")));
	assert_int_equal(b.records.data[0].value_count, 3);
	assert_memory_equal(b.records.data[0].values, values, sizeof(values));
	assert_memory_equal(b.records.data[0].counts, counts, sizeof(counts));
	assert_true(
		sv_eq(b.records.data[0].dimensions[1].value, SV("\xc3\xa4")));
	assert_true(b.records.data[1].has_statistics);
	assert_true(b.records.data[1].maximum == 8);
	assert_int_equal(b.records.log_count, 4);
	assert_true(sv_eq(b.records.logs[2].stream, SV("b")));
	assert_true(sv_eq(b.records.logs[3].stream, SV("a")));
	assert_true(sv_eq(b.records.logs[3].message, SV("one\0two")));
	u = &b.records.usage[0];
	assert_true(sv_eq(u->id, SV("4f1c")) && u->init_us == 99 &&
		    u->duration_us == 1234 && u->billed_ms == 2 &&
		    u->architecture == ARCH_ARM64 && u->status == RUN_TIMEOUT &&
		    u->max_memory_mb == 70);
	assert_true(sv_eq(u->trace_id, SV("1-58e1-ab")));
	arena_fini(&a);
}

static char long_text[LOG_MESSAGE_MAX + 2];
static struct dimension many[DIMENSIONS_MAX + 1];
static double many_values[DATUM_VALUES_MAX + 1];
static const double bad_values[] = { NAN, INFINITY, -INFINITY, 0x1.8p360,
				     -0x1.8p360 };
static const double bad_counts[] = { NAN, INFINITY, 0, -1 };

static struct sv long_sv(size_t n)
{
	memset(long_text, 'x', sizeof(long_text));
	return sv_make(long_text, n);
}

/* Each row changes one thing of a good datum. */
static struct datum bad_datum(int row, const char **code)
{
	static const struct dimension colon = { SV_INIT(":a"), SV_INIT("b") };
	static const struct dimension blank = { SV_INIT("a"), SV_INIT("  ") };
	static const struct dimension twice[] = {
		{ SV_INIT("a"), SV_INIT("1") }, { SV_INIT("a"), SV_INIT("2") }
	};
	struct datum d = good_datum();

	*code = "InvalidParameterValue";
	d.dimension_count = 0;
	switch (row) {
	case 0:
		*code = "MissingParameter";
		d.ns = SV("");
		break;
	case 1:
		d.ns = SV("a!b");
		break;
	case 2:
		d.ns = SV(":a");
		break;
	case 3:
		d.ns = long_sv(METRIC_NAME_MAX + 1);
		break;
	case 4:
		*code = "MissingParameter";
		d.name = SV("");
		break;
	case 5:
		d.name = SV("\xff");
		break;
	case 6:
		d.name = SV("a\nb");
		break;
	case 7:
		d.dimensions = &colon;
		d.dimension_count = 1;
		break;
	case 8:
		d.dimensions = &blank;
		d.dimension_count = 1;
		break;
	case 9:
		d.dimensions = twice;
		d.dimension_count = 2;
		break;
	case 10:
		d.dimensions = many;
		d.dimension_count = DIMENSIONS_MAX + 1;
		break;
	case 11:
		d.time_ns = 0;
		break;
	case 12:
		d.time_ns = INT64_MIN;
		break;
	case 13:
		d.time_ns = INT64_MAX;
		break;
	case 14:
		d.unit = SV("Furlongs");
		break;
	case 15:
		d.resolution_s = 30;
		break;
	case 16:
		*code = "MissingParameter";
		d.value_count = 0;
		break;
	case 17:
		*code = "InvalidParameterCombination";
		d.has_statistics = true;
		d.sample_count = 1;
		break;
	case 18:
		d.values = many_values;
		d.value_count = DATUM_VALUES_MAX + 1;
		d.counts = NULL;
		break;
	default:
		if (row < 24) {
			d.value_count = 1;
			d.values = &bad_values[row - 19];
		} else if (row < 28) {
			d.value_count = 1;
			d.counts = &bad_counts[row - 24];
		} else {
			d.value_count = 0;
			d.has_statistics = true;
			d.sample_count = row == 28 ? 0 : 1;
			d.minimum = row == 29 ? 2 : NAN;
			d.maximum = 1;
		}
	}
	return d;
}

enum { BAD_DATA = 31 };

static void test_bad_data(void **state)
{
	static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL";
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i <= DIMENSIONS_MAX; i++)
		many[i] = (struct dimension){ sv_make(&names[i], 1), SV("v") };
	for (int row = 0; row < BAD_DATA; row++) {
		const char *code;
		struct datum data[] = { good_datum(), bad_datum(row, &code),
					good_datum() };
		struct records r = { .data = data, .datum_count = 3 };
		struct native_batch b;
		uint32_t *keys;

		assert_int_equal(try_decode(&a, &r, &b), 0);
		if (b.refusal_count != 1)
			fail_msg("row %d: %zu refused", row, b.refusal_count);
		assert_int_equal(b.refusals[0].kind, RECORD_DATUM);
		assert_int_equal(b.refusals[0].index, 1);
		if (!sv_eq(b.refusals[0].code, sv_from(code)))
			fail_msg("row %d: %.*s", row,
				 SV_ARG(b.refusals[0].code));
		assert_true(b.refusals[0].message.len <= REFUSAL_MESSAGE_MAX);
		keys = native_refused_keys(&a, &b);
		native_apply_refused(&b.records, keys, 1);
		assert_int_equal(b.records.datum_count, 2);
		assert_true(sv_eq(b.records.data[1].name, SV("Latency")));
		arena_reset(&a);
	}
	arena_fini(&a);
}

/* The largest that is allowed, of everything. */
static void test_largest(void **state)
{
	struct datum d = good_datum();
	struct log_event e = good_log("s");
	struct usage u = good_usage();
	char *document = long_text;
	struct segment_record s = { .document = sv_make(document,
							SEGMENT_BYTES_MAX) };
	struct records r = { &s, &d, &e, &u, NULL, 1, 1, 1, 1, 0 };
	struct arena a = ARENA_INIT;
	struct native_batch b;

	(void)state;
	d.ns = d.name = long_sv(METRIC_NAME_MAX);
	d.dimensions = many;
	d.dimension_count = DIMENSIONS_MAX;
	d.values = many_values;
	d.value_count = DATUM_VALUES_MAX;
	d.counts = NULL;
	e.group = e.stream = long_sv(LOG_NAME_MAX);
	e.message = long_sv(LOG_MESSAGE_MAX);
	u.id = long_sv(USAGE_ID_MAX);
	u.resource = long_sv(RESOURCE_MAX);
	u.memory_mb = MEMORY_MB_MAX;
	u.billed_ms = BILLED_MS_MAX;
	s.document = SV("{}");
	assert_int_equal(try_decode(&a, &r, &b), 0);
	assert_int_equal(b.refusal_count, 0);
	e.message = long_sv(LOG_MESSAGE_MAX + 1);
	u.memory_mb++;
	s.document = long_sv(SEGMENT_BYTES_MAX + 1);
	assert_int_equal(try_decode(&a, &r, &b), 0);
	assert_int_equal(b.refusal_count, 3);
	arena_fini(&a);
}

static void test_bad_others(void **state)
{
	static struct segment_record segments[] = {
		{ .document = SV_INIT("{}") },
		{ .document = SV_INIT("[]") },
		{ .document = SV_INIT("") },
		{ .document = SV_INIT("{} x") },
		{ .document = SV_INIT("{\"a\":\"\xff\"}") },
	};
	struct log_event logs[] = { good_log("s"),   good_log(""),
				    good_log("a:b"), good_log("s"),
				    good_log("s"),   good_log("s") };
	struct usage usage[10];
	struct records r = {
		segments, NULL, logs, usage, NULL, 5, 0, 6, 10, 0
	};
	static const uint32_t want[] = {
		0x000001,  0x000002,  0x000003,  0x000004,  0x2000001,
		0x2000002, 0x2000003, 0x2000004, 0x3000001, 0x3000002,
		0x3000003, 0x3000004, 0x3000005, 0x3000006, 0x3000007,
		0x3000008, 0x3000009,
	};
	struct arena a = ARENA_INIT;
	struct native_batch b;
	uint32_t *keys;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		usage[i] = good_usage();
	logs[3].group = SV("a b");
	logs[4].message = SV("\xed\xa0\x80");
	usage[1].id = SV("");
	usage[2].source = SV("");
	usage[3].resource = SV("a\x01");
	usage[4].memory_mb = 127;
	usage[5].billed_ms = BILLED_MS_MAX + 1;
	usage[6].architecture = (enum architecture)2;
	usage[7].status = (enum run_status)4;
	usage[8].trace_id = SV("no spaces");
	usage[9].time_ns = -1;
	assert_int_equal(try_decode(&a, &r, &b), 0);
	keys = native_refused_keys(&a, &b);
	assert_int_equal(b.refusal_count, sizeof(want) / sizeof(want[0]));
	assert_memory_equal(keys, want, sizeof(want));
	native_apply_refused(&b.records, keys, b.refusal_count);
	assert_int_equal(b.records.segment_count, 1);
	assert_int_equal(b.records.log_count, 2);
	assert_int_equal(b.records.usage_count, 1);
	arena_fini(&a);
}

static void test_times(void **state)
{
	const int64_t day = 86400 * NS_PER_S;
	struct datum data[] = { good_datum(), good_datum(), good_datum(),
				good_datum() };
	struct usage usage[] = { good_usage(), good_usage() };
	struct records r = {
		.data = data, .usage = usage, .datum_count = 4, .usage_count = 2
	};
	static const uint32_t want[] = { 0x1000000, 0x1000001, 0x1000003,
					 0x3000001 };
	struct arena a = ARENA_INIT;
	struct native_batch b;

	(void)state;
	data[0].unit = SV("?");
	data[1].time_ns = T0 - 14 * day - 1;
	data[2].time_ns = T0 - 14 * day;
	data[3].time_ns = T0 + 2 * 3600 * NS_PER_S + 1;
	usage[0].time_ns = T0 - 35 * day;
	usage[1].time_ns = T0 - 35 * day - 1;
	assert_int_equal(try_decode(&a, &r, &b), 0);
	assert_int_equal(b.refusal_count, 1);
	assert_int_equal(native_check_times(&a, &b, (struct wall){ T0 }), 0);
	assert_int_equal(b.refusal_count, 4);
	assert_memory_equal(native_refused_keys(&a, &b), want, sizeof(want));
	/* A clock that is wrong refuses all, and harms nothing. */
	assert_int_equal(native_check_times(&a, &b, (struct wall){ INT64_MIN }),
			 0);
	assert_int_equal(b.refusal_count, 6);
	assert_int_equal(native_check_times(&a, &b, (struct wall){ INT64_MAX }),
			 0);
	assert_int_equal(b.refusal_count, 6);
	arena_fini(&a);
}

struct bad_batch {
	const char *name;
	struct sv bytes;
	int err;
};

#define PRODUCER "\x0a\x01p"

static void test_bad_batches(void **state)
{
	static const struct bad_batch rows[] = {
		{ "nothing", SV_INIT(""), ERR_INVALID },
		{ "no producer", SV_INIT("\x10\x01"), ERR_INVALID },
		{ "sequence 0", SV_INIT(PRODUCER), ERR_INVALID },
		{ "producer with NUL", SV_INIT("\x0a\x02p\0\x10\x01"),
		  ERR_INVALID },
		{ "producer not UTF-8", SV_INIT("\x0a\x01\xff\x10\x01"),
		  ERR_INVALID },
		{ "cut off", SV_INIT(PRODUCER "\x10"), ERR_SYNTAX },
		{ "length over the end", SV_INIT("\x0a\x05p"), ERR_SYNTAX },
		{ "length of 2^63",
		  SV_INIT("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
		  ERR_SYNTAX },
		{ "varint of 11 bytes",
		  SV_INIT(PRODUCER
			  "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
			  "\x01"),
		  ERR_SYNTAX },
		{ "field 0", SV_INIT("\x02\x00"), ERR_SYNTAX },
		{ "a group", SV_INIT("\x0b\x0c"), ERR_SYNTAX },
		{ "wire type 7", SV_INIT("\x0f"), ERR_SYNTAX },
		{ "producer as a number", SV_INIT("\x08\x01\x10\x01"),
		  ERR_SYNTAX },
		{ "text", SV_INIT("GET / HTTP/1.1\r\n"), ERR_SYNTAX },
		{ "broken datum", SV_INIT(PRODUCER "\x10\x01\x22\x01\x0a"),
		  ERR_SYNTAX },
		{ "doubles of 7 bytes",
		  SV_INIT(PRODUCER "\x10\x01\x22\x09\x3a\x07"
				   "1234567"),
		  ERR_SYNTAX },
	};
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct native_batch b;
		struct diag diag = { 0 };
		int err = native_decode(&a, rows[i].bytes, &b, &diag);

		if (err != rows[i].err)
			fail_msg("%s: %d %s", rows[i].name, err, diag.text);
		assert_true(diag.text[0] != '\0');
		arena_reset(&a);
	}
	arena_fini(&a);
}

/* Names with a NUL are refused one by one, wherever they are. */
static void test_nul(void **state)
{
	static const char bytes[] = PRODUCER "\x10\x01"
					     "\x22\x05\x0a\x03"
					     "a\0b" /* datum 0: namespace */
					     "\x22\x03\x0a\x01"
					     "a" /* datum 1 */
					     "\x22\x07\x1a\x05\x0a\x03"
					     "a\0b" /* datum 2: dimension */
					     "\x2a\x05\x1a\x03\x12\x01"
					     "\0" /* log 0: its message */
					     "\x2a\x0a\x1a\x03\x12\x01m\x0a\x03"
					     "a\0b"; /* log 1: group */
	struct arena a = ARENA_INIT;
	struct native_walk *w = arena_new(&a, struct native_walk);

	(void)state;
	assert_int_equal(native_walk(w, MESSAGE_BATCH,
				     sv_make(bytes, sizeof(bytes) - 1)),
			 0);
	assert_false(w->nul);
	assert_true(native_walk_nul(w, RECORD_DATUM, 0));
	assert_false(native_walk_nul(w, RECORD_DATUM, 1));
	assert_true(native_walk_nul(w, RECORD_DATUM, 2));
	assert_false(native_walk_nul(w, RECORD_LOG, 0));
	assert_true(native_walk_nul(w, RECORD_LOG, 1));
	arena_fini(&a);
}

/* count times the bytes of piece, behind a good head. */
static int decode_many(struct sv piece, size_t count, size_t limit)
{
	struct buf bytes = BUF_INIT;
	struct arena a = { .limit = limit };
	struct native_batch b;
	int err;

	buf_sv(&bytes, SV(PRODUCER "\x10\x01"));
	for (size_t i = 0; i < count; i++)
		buf_sv(&bytes, piece);
	err = native_decode(&a, buf_view(&bytes), &b, NULL);
	buf_fini(&bytes);
	arena_fini(&a);
	return err;
}

static void test_limits(void **state)
{
	static const struct sv kinds[] = { SV_INIT("\x1a\x00"),
					   SV_INIT("\x22\x00"),
					   SV_INIT("\x2a\x02\x1a\x00"),
					   SV_INIT("\x32\x00") };
	const struct sv dimensions_6 = SV("\x22\x0c\x1a\x00\x1a\x00\x1a\x00"
					  "\x1a\x00\x1a\x00\x1a\x00");
	const struct sv unknown = SV("\x78\x00");

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(decode_many(kinds[i], BATCH_RECORDS_MAX, 0),
				 0);
		assert_int_equal(decode_many(kinds[i], BATCH_RECORDS_MAX + 1,
					     0),
				 ERR_LIMIT);
	}
	assert_int_equal(decode_many(SV("\x2a\x00"), NATIVE_STREAMS_MAX, 0), 0);
	assert_int_equal(decode_many(SV("\x2a\x00"), NATIVE_STREAMS_MAX + 1, 0),
			 ERR_LIMIT);
	assert_int_equal(decode_many(dimensions_6, BATCH_RECORDS_MAX, 0), 0);
	assert_int_equal(decode_many(unknown, NATIVE_UNKNOWN_MAX, 0), 0);
	assert_int_equal(decode_many(unknown, NATIVE_UNKNOWN_MAX + 1, 0),
			 ERR_LIMIT);
	/* sequence, given again and again */
	assert_int_equal(decode_many(SV("\x10\x01"), NATIVE_FIELDS_MAX - 2, 0),
			 0);
	assert_int_equal(decode_many(SV("\x10\x01"), NATIVE_FIELDS_MAX - 1, 0),
			 ERR_LIMIT);
	assert_int_equal(decode_many(SV("\x10\x01"), NATIVE_BYTES_MAX / 2, 0),
			 ERR_LIMIT);
	assert_int_equal(decode_many(kinds[1], 1000, 64 << 10), ERR_NOMEM);
	assert_int_equal(decode_many(kinds[1], 1000, 1 << 10), ERR_NOMEM);
}

static void test_apply_refused(void **state)
{
	struct segment_record segments[3] = { { .document = SV("0") },
					      { .document = SV("1") },
					      { .document = SV("2") } };
	struct usage usage[2] = { good_usage(), good_usage() };
	struct records r = { .segments = segments,
			     .usage = usage,
			     .segment_count = 3,
			     .usage_count = 2 };
	static const uint32_t refused[] = { 0,         2,         9,
					    0x1000005, 0x3000000, 0x9000000 };

	(void)state;
	usage[1].billed_ms = 77;
	native_apply_refused(&r, NULL, 0);
	assert_int_equal(r.segment_count, 3);
	native_apply_refused(&r, refused, 6);
	assert_int_equal(r.segment_count, 1);
	assert_true(sv_eq(r.segments[0].document, SV("1")));
	assert_int_equal(r.usage_count, 1);
	assert_int_equal(r.usage[0].billed_ms, 77);
}

static void test_answer(void **state)
{
	static const struct native_refusal refusals[] = {
		{ RECORD_LOG, 3, SV_INIT("MissingParameter"),
		  SV_INIT("a \"b\"") },
	};
	struct native_answer a = { .accepted = 5,
				   .known = 1,
				   .refusals = refusals,
				   .refusal_count = 1,
				   .message = SV("m") };
	struct native_answer back;
	struct buf out = BUF_INIT;
	struct arena arena = ARENA_INIT;

	(void)state;
	assert_int_equal(native_answer_encode(&out, &a), 0);
	assert_int_equal(
		native_answer_decode(&arena, buf_view(&out), &back, NULL), 0);
	assert_int_equal(back.accepted, 5);
	assert_int_equal(back.known, 1);
	assert_false(back.duplicate);
	assert_int_equal(back.refusal_count, 1);
	assert_int_equal(back.refusals[0].kind, RECORD_LOG);
	assert_int_equal(back.refusals[0].index, 3);
	assert_true(sv_eq(back.refusals[0].code, SV("MissingParameter")));
	buf_reset(&out);
	native_answer_json(&out, &a);
	assert_string_equal(out.ptr,
			    "{\"duplicate\":false,\"accepted\":5,\"known\":1,"
			    "\"refused\":[{\"kind\":\"log\",\"index\":3,"
			    "\"code\":\"MissingParameter\","
			    "\"message\":\"a \\\"b\\\"\"}],\"message\":\"m\"}");
	assert_int_equal(native_answer_decode(&arena, SV("\x22\x00"), &back,
					      NULL),
			 ERR_INVALID);
	assert_int_equal(native_answer_decode(&arena, SV("\x22\x01"), &back,
					      NULL),
			 ERR_SYNTAX);
	buf_fini(&out);
	arena_fini(&arena);
}

/* The walker's table must say what telemetry.proto says: a walk over one
 * message of each type with all fields must know them all. */
static unsigned known_fields(const ProtobufCMessageDescriptor *type,
			     enum native_message message)
{
	unsigned known = 0;

	for (unsigned i = 0; i < type->n_fields; i++) {
		struct arena a = ARENA_INIT;
		struct native_walk *w = arena_new(&a, struct native_walk);
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		char bytes[9] = { 0 };
		size_t n = 2;

		switch (f->type) {
		case PROTOBUF_C_TYPE_DOUBLE:
			bytes[0] = (char)(f->id << 3 | 1);
			n = 9;
			break;
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_BYTES:
		case PROTOBUF_C_TYPE_MESSAGE:
			bytes[0] = (char)(f->id << 3 | 2);
			break;
		default:
			bytes[0] = (char)(f->id << 3);
		}
		assert_int_equal(native_walk(w, message, sv_make(bytes, n)), 0);
		known += w->unknown == 0;
		arena_fini(&a);
	}
	return known;
}

static void test_schema(void **state)
{
	static const struct {
		const ProtobufCMessageDescriptor *type;
		enum native_message message;
	} rows[] = {
		{ &tally__wire__batch__descriptor, MESSAGE_BATCH },
		{ &tally__wire__segment__descriptor, MESSAGE_SEGMENT },
		{ &tally__wire__datum__descriptor, MESSAGE_DATUM },
		{ &tally__wire__dimension__descriptor, MESSAGE_DIMENSION },
		{ &tally__wire__statistic_set__descriptor, MESSAGE_STATISTICS },
		{ &tally__wire__log_stream__descriptor, MESSAGE_STREAM },
		{ &tally__wire__log_event__descriptor, MESSAGE_EVENT },
		{ &tally__wire__usage__descriptor, MESSAGE_USAGE },
		{ &tally__wire__batch_answer__descriptor, MESSAGE_ANSWER },
		{ &tally__wire__refusal__descriptor, MESSAGE_REFUSAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(known_fields(rows[i].type, rows[i].message),
				 rows[i].type->n_fields);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_data),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_bad_others),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_bad_batches),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_apply_refused),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
