/* SPDX-License-Identifier: Apache-2.0 */
/* A call, as the door and handlers see it. */
#include <assert.h>
#include <errno.h>
#include <strings.h>
#include <unistd.h>

#include "collector/door/grpc_internal.h"

/* As sent; ptr NULL: it was not. */
struct sv grpc_call_sent_header(const struct grpc_call *c, struct sv name)
{
	for (size_t i = 0; i < c->header_count; i++) {
		const struct grpc_header *h = &c->headers[i];

		if (h->name.len == name.len &&
		    !strncasecmp(h->name.ptr, name.ptr, name.len))
			return h->value;
	}
	return (struct sv){ NULL, 0 };
}

/* Metadata that would mean something to AWS's protocols, and names no method
 * here. */
static bool is_hidden(struct sv name)
{
	static const char *const hidden[] = { "x-amz-", "smithy-" };

	if (name.len && name.ptr[0] == ':')
		return true;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (name.len >= strlen(hidden[i]) &&
		    !strncasecmp(name.ptr, hidden[i], strlen(hidden[i])))
			return true;
	return false;
}

static struct sv carrier_header(struct request *r, const char *name)
{
	const struct grpc_call *c = (struct grpc_call *)r;
	const struct sv none = { NULL, 0 };

	if (!strcasecmp(name, "Host"))
		return grpc_call_sent_header(c, SV(":authority"));
	if (!strcasecmp(name, "Content-Length"))
		return sv_from(c->length_text);
	if (!strcasecmp(name, "Content-Type"))
		return SV("application/x-protobuf");
	if (!strcasecmp(name, "Content-Encoding"))
		return c->compressed ? SV("gzip") : none;
	if (is_hidden(sv_from(name)))
		return none;
	return grpc_call_sent_header(c, sv_from(name));
}

static void carrier_headers(struct request *r,
			    void (*each)(void *arg, struct sv name,
					 struct sv value),
			    void *arg)
{
	const struct grpc_call *c = (struct grpc_call *)r;

	for (size_t i = 0; i < c->header_count; i++)
		if (!is_hidden(c->headers[i].name))
			each(arg, c->headers[i].name, c->headers[i].value);
}

static void carrier_defer(struct request *r)
{
	struct grpc_call *c = (struct grpc_call *)r;

	assert(c->phase == GRPC_HANDLER && !c->deferred);
	c->deferred = true;
}

/* By any thread; c may be gone when this returns. */
static void carrier_send(struct request *r)
{
	struct grpc_call *c = (struct grpc_call *)r;
	struct grpc *g = c->grpc;
	const uint64_t one = 1;

	assert(c->deferred);
	pthread_mutex_lock(&g->lock);
	c->next_sent = g->sent;
	g->sent = c;
	/* Under the lock: else it may be told, be stopped, and be gone. */
	if (!c->next_sent && g->event >= 0 &&
	    write(g->event, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN); /* it is told already */
	pthread_mutex_unlock(&g->lock);
}

const struct carrier grpc_carrier = {
	.header = carrier_header,
	.headers_each = carrier_headers,
	.defer = carrier_defer,
	.send = carrier_send,
};
