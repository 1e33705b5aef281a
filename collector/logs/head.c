/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/logs/head.h"

#include <assert.h>

enum {
	BUCKETS_FIRST = 64,
	EVENTS_FIRST = 16,
	STREAM_LOOK_BACK = 16, /* events looked at for the same stream name */
};

static void groups_free(struct head *h)
{
	for (size_t i = 0; i < h->bucket_count; i++)
		for (struct head_group *g = h->buckets[i]; g;) {
			struct head_group *next = g->next;

			free(g->events);
			free(g);
			g = next;
		}
	free(h->buckets);
	h->buckets = NULL;
	h->bucket_count = h->group_count = 0;
	h->events = h->bytes = 0;
}

void log_head_fini(struct head *h)
{
	groups_free(h);
	arena_fini(&h->arena);
}

void log_head_reset(struct head *h)
{
	groups_free(h);
	arena_reset(&h->arena);
}

/* The hash at the prefix's end is evenly spread: any 8 bytes of it will do. */
static size_t bucket_of(const struct head *h, const struct prefix *p)
{
	return get_be64(p->bytes + PREFIX_BYTES - 8) & (h->bucket_count - 1);
}

static int buckets_grow(struct head *h)
{
	struct head old = *h;
	size_t count = h->bucket_count ? h->bucket_count * 2 : BUCKETS_FIRST;
	struct head_group **buckets =
		calloc(count, sizeof(struct head_group *));

	if (!buckets)
		return ERR_NOMEM;
	h->buckets = buckets;
	h->bucket_count = count;
	for (size_t i = 0; i < old.bucket_count; i++)
		for (struct head_group *g = old.buckets[i]; g;) {
			struct head_group *next = g->next;
			size_t at = bucket_of(h, &g->prefix);

			g->next = h->buckets[at];
			h->buckets[at] = g;
			g = next;
		}
	free(old.buckets);
	return 0;
}

static struct head_group *find(struct head *h, const struct prefix *p)
{
	struct head_group *g = h->bucket_count ? h->buckets[bucket_of(h, p)] :
						 NULL;

	while (g && memcmp(g->prefix.bytes, p->bytes, PREFIX_BYTES))
		g = g->next;
	return g;
}

struct head_group *
log_head_group_find(struct head *h, const struct scope *scope, struct sv name)
{
	struct prefix p = log_prefix_make(ROW_EVENT, scope, name);

	return find(h, &p);
}

struct head_group *log_head_group_next(struct head *h,
				       const struct scope *scope,
				       struct head_group *after)
{
	struct prefix p = log_prefix_make(ROW_EVENT, scope, sv_make("", 0));
	struct head_group *g = after ? after->next : NULL;
	size_t at = after ? bucket_of(h, &after->prefix) + 1 : 0;

	for (;;) {
		for (; g; g = g->next)
			if (!memcmp(g->prefix.bytes, p.bytes,
				    PREFIX_BYTES - 16))
				return g;
		if (at >= h->bucket_count)
			return NULL;
		g = h->buckets[at++];
	}
}

static struct head_group *group_get(struct head *h, const struct scope *scope,
				    struct sv name)
{
	struct prefix p = log_prefix_make(ROW_EVENT, scope, name);
	struct head_group *g = find(h, &p);

	if (g)
		return g;
	if (h->group_count >= h->bucket_count && buckets_grow(h))
		return NULL;
	g = calloc(1, sizeof(*g) + name.len + 1);
	if (!g)
		return NULL;
	if (name.len)
		memcpy(g + 1, name.ptr, name.len);
	g->name = sv_make((const char *)(g + 1), name.len);
	g->prefix = p;
	g->scope = *scope;
	g->has_requests = log_group_has_requests(name);
	g->next = h->buckets[bucket_of(h, &p)];
	h->buckets[bucket_of(h, &p)] = g;
	h->group_count++;
	h->bytes += sizeof(*g) + name.len + 1;
	return g;
}

/* Room for all that is coming to g. */
static int group_reserve(struct head_group *g)
{
	size_t need = g->count + g->coming;
	size_t capacity = g->capacity ? g->capacity : EVENTS_FIRST;
	struct head_event *events;

	if (need <= g->capacity)
		return 0;
	while (capacity < need)
		capacity *= 2;
	events = realloc(g->events, capacity * sizeof(*events));
	if (!events)
		return ERR_NOMEM;
	g->events = events;
	g->capacity = capacity;
	return 0;
}

/* Streams repeat: the few newest events mostly have the name already. */
static const char *stream_copy(struct head *h, const struct head_group *g,
			       size_t count, struct sv stream)
{
	for (size_t i = 0; i < STREAM_LOOK_BACK && i < count; i++) {
		const struct head_event *e = &g->events[count - 1 - i];

		if (sv_eq(sv_make(e->stream, e->stream_len), stream))
			return e->stream;
	}
	return arena_copy(&h->arena, stream).ptr;
}

/* Writes the event behind what g counts: it is there once count says so. */
static int event_place(struct head *h, struct head_group *g,
		       const struct log_event *event, uint64_t sequence)
{
	struct head_event *e;

	g->coming++;
	if (group_reserve(g))
		return ERR_NOMEM;
	e = &g->events[g->count + g->coming - 1];
	*e = (struct head_event){
		.key = { event->time_ns, log_stream_hash(event->stream),
			 sequence },
		.stream_len = (uint16_t)event->stream.len,
		.message_len = (uint32_t)event->message.len,
		.id_at = NO_ID,
	};
	e->stream = stream_copy(h, g, g->count + g->coming - 1, event->stream);
	e->message = arena_copy(&h->arena, event->message).ptr;
	if (!e->stream || !e->message)
		return ERR_NOMEM;
	if (g->has_requests)
		e->id_at = log_line_id_at(event->message);
	return 0;
}

uint64_t log_head_cost(const struct log_event *events, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += sizeof(struct head_event) + events[i].message.len +
			 events[i].stream.len + 2 * ARENA_ALIGN;
	return bytes;
}

int log_head_add(struct head *h, const struct scope *scope,
		 const struct log_event *events, size_t count, uint64_t first)
{
	struct arena_mark mark = arena_mark(&h->arena);
	struct head_group *g = NULL;
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		assert(events[i].stream.len <= LOG_NAME_MAX);
		assert(events[i].message.len <= LOG_MESSAGE_MAX);
		if (!g || !sv_eq(g->name, events[i].group))
			g = group_get(h, scope, events[i].group);
		err = g ? event_place(h, g, &events[i], first + i) : ERR_NOMEM;
	}
	/* Everything has its place: now, and only now, it counts. */
	for (size_t i = 0; i < count; i++) {
		g = log_head_group_find(h, scope, events[i].group);
		if (!g)
			break;
		if (!err)
			g->count += g->coming;
		g->coming = 0;
	}
	if (err) {
		arena_rollback(&h->arena, mark);
		return err;
	}
	h->events += count;
	h->bytes += log_head_cost(events, count);
	return 0;
}

static int event_cmp(const void *a, const void *b)
{
	return log_event_key_cmp(&((const struct head_event *)a)->key,
				 &((const struct head_event *)b)->key);
}

int log_head_group_order(struct head_group *g)
{
	size_t tail = g->count - g->ordered, at = g->count, left = g->ordered;
	struct head_event *tmp;

	if (!tail)
		return 0;
	qsort(g->events + g->ordered, tail, sizeof(*g->events), event_cmp);
	if (!left || event_cmp(&g->events[left - 1], &g->events[left]) < 0) {
		g->ordered = g->count;
		return 0;
	}
	tmp = malloc(tail * sizeof(*tmp));
	if (!tmp)
		return ERR_NOMEM;
	memcpy(tmp, g->events + left, tail * sizeof(*tmp));
	while (tail) {
		if (left && event_cmp(&g->events[left - 1], &tmp[tail - 1]) > 0)
			g->events[--at] = g->events[--left];
		else
			g->events[--at] = tmp[--tail];
	}
	free(tmp);
	g->ordered = g->count;
	return 0;
}

/* Index of the first event at or after time_ns. */
static size_t lower_bound(const struct head_group *g, int64_t time_ns)
{
	size_t low = 0, high = g->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (g->events[middle].key.time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct line log_head_line(const struct head_group *g,
			  const struct head_event *e)
{
	return (struct line){
		.key = e->key,
		.group = g->name,
		.stream = sv_make(e->stream, e->stream_len),
		.message = sv_make(e->message, e->message_len),
	};
}

int log_head_group_visit(struct head_group *g, int64_t start_ns, int64_t end_ns,
			 bool descending, line_fn *fn, void *arg)
{
	size_t from, to;
	int more = log_head_group_order(g);

	if (more < 0)
		return more;
	from = lower_bound(g, start_ns);
	to = lower_bound(g, end_ns);
	for (size_t i = from; i < to && !more; i++) {
		size_t at = descending ? to - 1 - (i - from) : i;
		struct line line = log_head_line(g, &g->events[at]);

		more = fn(arg, &line);
	}
	return more < 0 ? more : 0;
}

int log_head_order(struct head *h)
{
	int err = 0;

	for (size_t i = 0; i < h->bucket_count; i++)
		for (struct head_group *g = h->buckets[i]; g && !err;
		     g = g->next)
			err = log_head_group_order(g);
	return err;
}
