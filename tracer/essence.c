/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/essence.h"

#include <assert.h>

/* Flags; the namespace is two bits of them. */
enum {
	HAS_PARENT = 1,
	SUBSEGMENT = 2,
	IN_PROGRESS = 4,
	TRACED = 8,
	NS_AWS = 16,
	NS_REMOTE = 32,
	HAS_ACCOUNT = 64,
};

/* The tail: u64 account, if there is one | links | request id. */
struct tail_link {
	uint8_t id[SEGMENT_ID_SIZE];
	int64_t sent_ns;
	uint32_t source; /* struct words */
	uint32_t has_id;
};

_Static_assert(sizeof(struct essence) == 56, "its size is what a head costs");
_Static_assert(SEGMENT_LINKS_MAX <= UINT8_MAX && REQUEST_ID_MAX <= UINT8_MAX,
	       "lengths are bytes");

/* Longer ones are neither listed nor found. */
static size_t request_id_len(const struct segment *s)
{
	return s->request_id.len <= REQUEST_ID_MAX ? s->request_id.len : 0;
}

static size_t tail_size(const struct segment *s)
{
	size_t size = (s->account ? 8 : 0) +
		      s->link_count * sizeof(struct tail_link) +
		      request_id_len(s);

	return (size + 7) / 8 * 8;
}

size_t essence_size(const struct segment *s)
{
	return sizeof(struct essence) + tail_size(s);
}

static uint8_t flags_of(const struct segment *s)
{
	return (uint8_t)((s->has_parent ? HAS_PARENT : 0) |
			 (s->subsegment ? SUBSEGMENT : 0) |
			 (s->in_progress ? IN_PROGRESS : 0) |
			 (s->traced ? TRACED : 0) |
			 (sv_eq(s->ns, SV("aws")) ? NS_AWS : 0) |
			 (sv_eq(s->ns, SV("remote")) ? NS_REMOTE : 0) |
			 (s->account ? HAS_ACCOUNT : 0));
}

static bool put_tail(const struct segment *s, struct words *words,
		     struct arena *arena, char *at)
{
	if (s->account) {
		memcpy(at, &s->account, 8);
		at += 8;
	}
	for (size_t i = 0; i < s->link_count; i++) {
		struct tail_link l = { .sent_ns = s->links[i].sent_ns,
				       .has_id = s->links[i].has_id };

		memcpy(l.id, s->links[i].id, SEGMENT_ID_SIZE);
		l.source = words_number(words, arena, s->links[i].source);
		if (l.source == WORDS_NONE)
			return false;
		memcpy(at, &l, sizeof(l));
		at += sizeof(l);
	}
	if (request_id_len(s))
		memcpy(at, s->request_id.ptr, request_id_len(s));
	return true;
}

size_t essence_put(const struct segment *s, struct words *words,
		   struct arena *arena, struct essence *to)
{
	size_t size = essence_size(s);

	assert(s->link_count <= SEGMENT_LINKS_MAX);
	memset(to, 0, size);
	memcpy(to->id, s->id, SEGMENT_ID_SIZE);
	memcpy(to->parent_id, s->parent_id, SEGMENT_ID_SIZE);
	to->start_ns = s->start_ns;
	to->end_ns = s->end_ns;
	to->name = words_number(words, arena, s->name);
	to->origin = words_number(words, arena, s->origin);
	to->resource = words_number(words, arena, s->resource);
	to->resource_key = words_number(words, arena, s->resource_key);
	if (to->name == WORDS_NONE || to->origin == WORDS_NONE ||
	    to->resource == WORDS_NONE || to->resource_key == WORDS_NONE ||
	    !put_tail(s, words, arena, (char *)(to + 1)))
		return 0;
	to->http_status = s->http_status;
	to->status = (uint8_t)s->status;
	to->flags = flags_of(s);
	to->links = (uint8_t)s->link_count;
	to->request_id_len = (uint8_t)request_id_len(s);
	to->tail_len = (uint16_t)(size - sizeof(*to));
	return size;
}

static const char *get_links(const struct essence *e, const char *at,
			     const struct words *words, struct arena *arena,
			     struct segment *out)
{
	struct segment_link *links =
		arena_array(arena, e->links, sizeof(*links));

	if (!links)
		return NULL;
	for (size_t i = 0; i < e->links; i++) {
		struct tail_link l;

		memcpy(&l, at, sizeof(l));
		at += sizeof(l);
		links[i] = (struct segment_link){
			.has_id = l.has_id,
			.source = words_text(words, l.source),
			.sent_ns = l.sent_ns,
		};
		memcpy(links[i].id, l.id, SEGMENT_ID_SIZE);
	}
	out->links = links;
	out->link_count = e->links;
	return at;
}

const struct essence *essence_get(const struct essence *e,
				  const struct words *words,
				  const uint8_t trace_id[TRACE_ID_SIZE],
				  struct arena *arena, struct segment *out)
{
	const char *tail = (const char *)(e + 1), *at = tail;

	*out = (struct segment){
		.has_parent = e->flags & HAS_PARENT,
		.subsegment = e->flags & SUBSEGMENT,
		.in_progress = e->flags & IN_PROGRESS,
		.traced = e->flags & TRACED,
		.status = (enum segment_status)e->status,
		.http_status = e->http_status,
		.start_ns = e->start_ns,
		.end_ns = e->end_ns,
		.name = words_text(words, e->name),
		.ns = e->flags & NS_AWS    ? SV("aws") :
		      e->flags & NS_REMOTE ? SV("remote") :
					     SV(""),
		.origin = words_text(words, e->origin),
		.operation = SV(""),
		.resource = words_text(words, e->resource),
		.resource_key = words_text(words, e->resource_key),
		.error_type = SV(""),
		.error_message = SV(""),
	};
	memcpy(out->trace_id, trace_id, TRACE_ID_SIZE);
	memcpy(out->id, e->id, SEGMENT_ID_SIZE);
	memcpy(out->parent_id, e->parent_id, SEGMENT_ID_SIZE);
	if (e->flags & HAS_ACCOUNT) {
		memcpy(&out->account, at, 8);
		at += 8;
	}
	if (e->links)
		at = get_links(e, at, words, arena, out);
	if (!at)
		return NULL;
	out->request_id = sv_make(at, e->request_id_len);
	return (const struct essence *)(const void *)(tail + e->tail_len);
}
