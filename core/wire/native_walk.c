/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/native_walk.h"

#include <assert.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

enum field_kind {
	UNKNOWN,
	NUMBER, /* varint */
	DOUBLE,
	DOUBLES, /* packed, or one by one */
	TEXT,
	BYTES,
	NESTED,
};

struct field {
	enum field_kind kind;
	enum native_message message; /* of NESTED */
};

enum { FIELD_NUMBER_MAX = 12 };

/* telemetry.proto once more; native_test.c compares it with what protobuf-c
 * generated. */
static const struct field schema[MESSAGE_COUNT][FIELD_NUMBER_MAX + 1] = {
	[MESSAGE_BATCH] = { [1] = { TEXT, 0 },
			    [2] = { NUMBER, 0 },
			    [3] = { NESTED, MESSAGE_SEGMENT },
			    [4] = { NESTED, MESSAGE_DATUM },
			    [5] = { NESTED, MESSAGE_STREAM },
			    [6] = { NESTED, MESSAGE_USAGE } },
	[MESSAGE_SEGMENT] = { [1] = { BYTES, 0 } },
	[MESSAGE_DATUM] = { [1] = { TEXT, 0 },
			    [2] = { TEXT, 0 },
			    [3] = { NESTED, MESSAGE_DIMENSION },
			    [4] = { NUMBER, 0 },
			    [5] = { TEXT, 0 },
			    [6] = { NUMBER, 0 },
			    [7] = { DOUBLES, 0 },
			    [8] = { DOUBLES, 0 },
			    [9] = { NESTED, MESSAGE_STATISTICS } },
	[MESSAGE_DIMENSION] = { [1] = { TEXT, 0 }, [2] = { TEXT, 0 } },
	[MESSAGE_STATISTICS] = { [1] = { DOUBLE, 0 },
				 [2] = { DOUBLE, 0 },
				 [3] = { DOUBLE, 0 },
				 [4] = { DOUBLE, 0 } },
	[MESSAGE_STREAM] = { [1] = { TEXT, 0 },
			     [2] = { TEXT, 0 },
			     [3] = { NESTED, MESSAGE_EVENT } },
	[MESSAGE_EVENT] = { [1] = { NUMBER, 0 }, [2] = { BYTES, 0 } },
	[MESSAGE_USAGE] = { [1] = { TEXT, 0 },
			    [2] = { TEXT, 0 },
			    [3] = { NUMBER, 0 },
			    [4] = { TEXT, 0 },
			    [5] = { NUMBER, 0 },
			    [6] = { NUMBER, 0 },
			    [7] = { NUMBER, 0 },
			    [8] = { NUMBER, 0 },
			    [9] = { NUMBER, 0 },
			    [10] = { NUMBER, 0 },
			    [11] = { NUMBER, 0 },
			    [12] = { TEXT, 0 } },
	[MESSAGE_ANSWER] = { [1] = { NUMBER, 0 },
			     [2] = { NUMBER, 0 },
			     [3] = { NUMBER, 0 },
			     [4] = { NESTED, MESSAGE_REFUSAL },
			     [5] = { TEXT, 0 } },
	[MESSAGE_REFUSAL] = { [1] = { TEXT, 0 },
			      [2] = { NUMBER, 0 },
			      [3] = { TEXT, 0 },
			      [4] = { TEXT, 0 } },
};

static const uint32_t counts_max[MESSAGE_COUNT] = {
	[MESSAGE_BATCH] = 1,
	[MESSAGE_SEGMENT] = BATCH_RECORDS_MAX,
	[MESSAGE_DATUM] = BATCH_RECORDS_MAX,
	[MESSAGE_DIMENSION] = NATIVE_DIMENSIONS_MAX,
	[MESSAGE_STATISTICS] = BATCH_RECORDS_MAX,
	[MESSAGE_STREAM] = NATIVE_STREAMS_MAX,
	[MESSAGE_EVENT] = BATCH_RECORDS_MAX,
	[MESSAGE_USAGE] = BATCH_RECORDS_MAX,
	[MESSAGE_ANSWER] = 1,
	[MESSAGE_REFUSAL] = NATIVE_REFUSALS_MAX,
};

static int walk_fail(struct native_walk *w, int err, const char *what)
{
	w->what = what;
	return err;
}

/* False: cut off, or longer than ten bytes. */
static bool take_varint(struct sv *s, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 10 && i < s->len; i++) {
		uint8_t c = (uint8_t)s->ptr[i];

		v |= (uint64_t)(c & 0x7f) << 7 * i;
		if (c & 0x80)
			continue;
		*s = sv_make(s->ptr + i + 1, s->len - i - 1);
		*out = v;
		return true;
	}
	return false;
}

/* Takes the value off *s; *value is its bytes where the type is WIRE_BYTES. */
static bool take_value(struct sv *s, unsigned wire, struct sv *value)
{
	uint64_t n;

	*value = sv_make(s->ptr, 0);
	switch (wire) {
	case WIRE_VARINT:
		return take_varint(s, &n);
	case WIRE_FIXED64:
		n = 8;
		break;
	case WIRE_FIXED32:
		n = 4;
		break;
	case WIRE_BYTES:
		if (!take_varint(s, &n))
			return false;
		break;
	default:
		return false; /* groups, and what is not defined */
	}
	if (n > s->len)
		return false;
	*value = sv_make(s->ptr, (size_t)n);
	*s = sv_make(s->ptr + n, s->len - (size_t)n);
	return true;
}

static bool wire_fits(enum field_kind kind, unsigned wire, struct sv value)
{
	switch (kind) {
	case UNKNOWN:
		return true;
	case NUMBER:
		return wire == WIRE_VARINT;
	case DOUBLE:
		return wire == WIRE_FIXED64;
	case DOUBLES:
		return wire == WIRE_FIXED64 ||
		       (wire == WIRE_BYTES && value.len % 8 == 0);
	case TEXT:
	case BYTES:
	case NESTED:
		return wire == WIRE_BYTES;
	}
	return false;
}

static void mark_nul(struct native_walk *w, enum record_kind kind,
		     uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		w->record_nul[kind][from / 8] |= (uint8_t)(1 << from % 8);
}

/* A NUL in a message's own texts counts for the record it is part of: of a
 * stream's, for all of its events. */
static void leave(struct native_walk *w, enum native_message message,
		  uint32_t first_event, bool outer_nul)
{
	if (message == MESSAGE_DIMENSION || message == MESSAGE_REFUSAL) {
		w->nul |= outer_nul;
		return;
	}
	if (w->nul && message == MESSAGE_DATUM)
		mark_nul(w, RECORD_DATUM, w->counts[message] - 1,
			 w->counts[message]);
	if (w->nul && message == MESSAGE_USAGE)
		mark_nul(w, RECORD_USAGE, w->counts[message] - 1,
			 w->counts[message]);
	if (w->nul && message == MESSAGE_STREAM)
		mark_nul(w, RECORD_LOG, first_event, w->counts[MESSAGE_EVENT]);
	if (message != MESSAGE_BATCH && message != MESSAGE_ANSWER)
		w->nul = outer_nul;
}

static int walk_field(struct native_walk *w, enum native_message message,
		      struct sv *s)
{
	struct field field = { UNKNOWN, 0 };
	uint64_t tag;
	struct sv value;

	if (++w->fields > NATIVE_FIELDS_MAX)
		return walk_fail(w, ERR_LIMIT, "too many fields");
	if (!take_varint(s, &tag) || tag >> 3 == 0 || tag > UINT32_MAX ||
	    !take_value(s, tag & 7, &value))
		return walk_fail(w, ERR_SYNTAX,
				 "not a protobuf message, or cut off");
	if (tag >> 3 <= FIELD_NUMBER_MAX)
		field = schema[message][tag >> 3];
	if (!wire_fits(field.kind, tag & 7, value))
		return walk_fail(w, ERR_SYNTAX,
				 "a field does not have its wire type");
	if (field.kind == UNKNOWN && ++w->unknown > NATIVE_UNKNOWN_MAX)
		return walk_fail(w, ERR_LIMIT, "too many unknown fields");
	if (field.kind == TEXT && value.len &&
	    memchr(value.ptr, '\0', value.len))
		w->nul = true;
	return field.kind == NESTED ? native_walk(w, field.message, value) : 0;
}

int native_walk(struct native_walk *w, enum native_message message,
		struct sv bytes)
{
	uint32_t first_event = w->counts[MESSAGE_EVENT];
	bool outer_nul = w->nul;
	int err = 0;

	if (++w->counts[message] > counts_max[message])
		return walk_fail(w, ERR_LIMIT,
				 message == MESSAGE_DIMENSION ?
					 "too many dimensions" :
					 "too many records");
	w->nul = false;
	while (bytes.len && !err)
		err = walk_field(w, message, &bytes);
	leave(w, message, first_event, outer_nul);
	return err;
}
