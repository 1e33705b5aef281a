/* SPDX-License-Identifier: Apache-2.0 */
/* A connection of gRPC: any bytes behind the preface. Nothing is kept of it
 * afterwards, and what is sent back stays small. */
#include <stdlib.h>

#include "collector/door/grpc_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void handle(void *arg, struct request *r)
{
	(void)arg;
	if (r->body.len > GRPC_MESSAGE_BYTES || !r->path.len)
		__builtin_trap();
	buf_sv(&r->reply, request_header(r, "te"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct grpc_options options = { .handler = handle };
	struct grpc g = { 0 };
	struct diag diag = { 0 };
	struct grpc_link *l;

	if (grpc_init(&g, &options, &diag))
		abort();
	l = grpc_link_new(&g, -1, NULL);
	grpc_link_feed(l, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
	grpc_link_feed(l, data, size);
	grpc_link_produce(l, &l->out);
	if (l->out.failed || l->call_count > 2 * GRPC_STREAMS_MAX)
		__builtin_trap();
	grpc_link_free(l);
	if (atomic_load(g.used))
		__builtin_trap();
	grpc_fini(&g);
	return 0;
}
