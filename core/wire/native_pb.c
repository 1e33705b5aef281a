/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/native_pb.h"

#include <assert.h>

struct pb_memory {
	struct arena *arena;
	bool used_up;
};

static void *pb_alloc(void *arg, size_t size)
{
	struct pb_memory *m = arg;
	void *p = arena_alloc(m->arena, size);

	if (!p)
		m->used_up = true;
	return p;
}

static void pb_free(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

ProtobufCMessage *native_pb_unpack(const ProtobufCMessageDescriptor *type,
				   struct arena *arena, struct sv bytes,
				   int *err)
{
	struct pb_memory memory = { .arena = arena };
	ProtobufCAllocator allocator = { pb_alloc, pb_free, &memory };
	ProtobufCMessage *m;

	m = protobuf_c_message_unpack(type, &allocator, bytes.len,
				      (const uint8_t *)bytes.ptr);
	*err = m ? 0 : memory.used_up ? ERR_NOMEM : ERR_SYNTAX;
	return m;
}

int native_pb_pack(struct buf *out, const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	bool failed = out->failed;
	char *p = buf_grow(out, size);
	size_t packed;

	if (!p) {
		out->failed = failed;
		return ERR_LIMIT;
	}
	packed = protobuf_c_message_pack(message, (uint8_t *)p);
	assert(packed == size);
	out->len += packed;
	out->ptr[out->len] = '\0';
	return 0;
}
