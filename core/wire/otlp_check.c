/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_check.h"

static int check_key_value(struct sv bytes, unsigned depth);

/* What repeats in an ArrayValue (AnyValue) or KeyValueList (KeyValue). */
static int check_list(struct sv bytes, unsigned depth,
		      int (*check)(struct sv bytes, unsigned depth))
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	if (depth == OTLP_NESTING_MAX)
		return OTLP_TOO_DEEP;
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != 1)
			continue;
		e = f.type == PROTOBUF_BYTES ? check(f.bytes, depth + 1) :
					       ERR_SYNTAX;
		if (e)
			return e;
	}
	return e;
}

static int check_value(struct sv bytes, unsigned depth)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		switch (PROTOBUF_TAG(f.number, f.type)) {
		case PROTOBUF_TAG(VALUE_STRING, PROTOBUF_BYTES):
		case PROTOBUF_TAG(VALUE_BOOL, PROTOBUF_VARINT):
		case PROTOBUF_TAG(VALUE_INT, PROTOBUF_VARINT):
		case PROTOBUF_TAG(VALUE_DOUBLE, PROTOBUF_FIXED64):
		case PROTOBUF_TAG(VALUE_BYTES, PROTOBUF_BYTES):
			continue;
		case PROTOBUF_TAG(VALUE_ARRAY, PROTOBUF_BYTES):
			e = check_list(f.bytes, depth, check_value);
			break;
		case PROTOBUF_TAG(VALUE_KVLIST, PROTOBUF_BYTES):
			e = check_list(f.bytes, depth, check_key_value);
			break;
		default:
			e = f.number > VALUE_BYTES ? 0 : ERR_SYNTAX;
		}
		if (e)
			return e;
	}
	return e;
}

static int check_key_value(struct sv bytes, unsigned depth)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number > KEY_VALUE_VALUE)
			continue;
		if (f.type != PROTOBUF_BYTES)
			return ERR_SYNTAX;
		if (f.number == KEY_VALUE_VALUE) {
			e = check_value(f.bytes, depth);
			if (e)
				return e;
		}
	}
	return e;
}

int otlp_check_value(struct sv value)
{
	return check_value(value, 0);
}

int otlp_check_attribute(struct sv key_value)
{
	return check_key_value(key_value, 0);
}

int otlp_check_flat(struct sv bytes, const uint8_t *types, size_t count,
		    uint32_t attributes)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int refusal = OTLP_OK;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number >= count || types[f.number] == OTLP_UNKNOWN)
			continue;
		if (f.type != types[f.number])
			return ERR_SYNTAX;
		if (f.number == attributes) {
			refusal = otlp_worse(refusal,
					     check_key_value(f.bytes, 0));
			if (refusal < 0)
				return refusal;
		}
	}
	return e ? e : refusal;
}

int otlp_check_resource(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = OTLP_UNKNOWN,
		[RESOURCE_ATTRIBUTES] = PROTOBUF_BYTES,
		[RESOURCE_DROPPED] = PROTOBUF_VARINT,
	};

	return otlp_check_flat(bytes, types, sizeof(types),
			       RESOURCE_ATTRIBUTES);
}

int otlp_check_scope(struct sv bytes)
{
	static const uint8_t types[] = {
		[0] = OTLP_UNKNOWN,
		[SCOPE_NAME] = PROTOBUF_BYTES,
		[SCOPE_VERSION] = PROTOBUF_BYTES,
		[SCOPE_ATTRIBUTES] = PROTOBUF_BYTES,
		[SCOPE_DROPPED] = PROTOBUF_VARINT,
	};

	return otlp_check_flat(bytes, types, sizeof(types), SCOPE_ATTRIBUTES);
}
