/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp_walk.h"

struct walk {
	struct arena *arena;
	otlp_item_fn *fn;
	void *arg;
};

/* A message that comes twice is one: its parts one behind the other. */
static bool join(struct arena *arena, struct sv *to, struct sv more)
{
	char *both;

	if (!to->len) {
		*to = more;
		return true;
	}
	both = arena_alloc(arena, to->len + more.len);
	if (!both)
		return false;
	memcpy(both, to->ptr, to->len);
	memcpy(both + to->len, more.ptr, more.len);
	*to = sv_make(both, to->len + more.len);
	return true;
}

/* What stands once in ResourceSpans or ScopeSpans, wherever in it: the message
 * 1 and the schema_url 3; and how many of field 2 there are. */
struct once {
	struct sv message, schema;
	size_t count;
};

static int read_once(struct arena *arena, struct sv bytes, struct once *out)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	*out = (struct once){ SV(""), SV(""), 0 };
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number > 3)
			continue;
		if (f.type != PROTOBUF_BYTES)
			return ERR_SYNTAX;
		if (f.number == 2)
			out->count++;
		else if (f.number == 3)
			out->schema = f.bytes;
		else if (!join(arena, &out->message, f.bytes))
			return ERR_NOMEM;
	}
	return e;
}

static int walk_items(const struct walk *w, struct sv bytes,
		      const struct span_source *source, int refusal)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != 2)
			continue;
		e = w->fn(w->arg, source, refusal, f.bytes);
		if (e)
			return e;
	}
	return e;
}

static int walk_scope(const struct walk *w, struct sv bytes,
		      const struct once *resource, int refusal)
{
	struct span_source *source;
	struct once scope;
	int e = read_once(w->arena, bytes, &scope);

	if (e)
		return e;
	refusal = otlp_worse(refusal, otlp_check_scope(scope.message));
	if (refusal < 0 || !scope.count)
		return refusal < 0 ? refusal : 0;
	source = arena_new(w->arena, struct span_source);
	if (!source)
		return ERR_NOMEM;
	*source = (struct span_source){ .resource = resource->message,
					.resource_schema = resource->schema,
					.scope = scope.message,
					.scope_schema = scope.schema };
	return walk_items(w, bytes, source, refusal);
}

static int walk_resource(const struct walk *w, struct sv bytes)
{
	struct protobuf r = protobuf_reader(bytes);
	struct protobuf_field f;
	struct once resource;
	int e = read_once(w->arena, bytes, &resource);
	int refusal;

	if (e)
		return e;
	refusal = otlp_check_resource(resource.message);
	if (refusal < 0)
		return refusal;
	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != 2)
			continue;
		e = walk_scope(w, f.bytes, &resource, refusal);
		if (e)
			return e;
	}
	return e;
}

static size_t count_items(struct sv body, unsigned level)
{
	struct protobuf r = protobuf_reader(body);
	struct protobuf_field f;
	size_t n = 0;

	while (protobuf_next(&r, &f) > 0)
		if (f.type == PROTOBUF_BYTES && f.number == (level ? 2 : 1))
			n += level == 2 ? 1 : count_items(f.bytes, level + 1);
	return n;
}

size_t otlp_walk_count(struct sv body)
{
	return count_items(body, 0);
}

int otlp_walk(struct arena *arena, struct sv body, otlp_item_fn *fn, void *arg)
{
	const struct walk w = { arena, fn, arg };
	struct protobuf r = protobuf_reader(body);
	struct protobuf_field f;
	int e;

	while ((e = protobuf_next(&r, &f)) > 0) {
		if (f.number != 1)
			continue;
		e = f.type == PROTOBUF_BYTES ? walk_resource(&w, f.bytes) :
					       ERR_SYNTAX;
		if (e)
			break;
	}
	return e;
}

int otlp_walk_fail(struct diag *diag, int err)
{
	if (err == ERR_LIMIT)
		return diag_set(diag, err,
				"more than %d records in one request: send "
				"smaller batches",
				(int)OTLP_RECORDS_MAX);
	if (err == ERR_SYNTAX)
		return diag_set(diag, err,
				"the body is not a protobuf message of this "
				"kind, or is cut off");
	return err;
}
