/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/logs/collect.h"

#include <assert.h>

struct collect_item {
	struct line line;
	char text[];
};

enum { ITEMS_FIRST = 64 };

void logs_collect_fini(struct collect *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->items[i]);
	free(c->items);
	c->items = NULL;
	c->count = c->capacity = 0;
}

static bool worse(const struct collect *c, const struct event_key *a,
		  const struct event_key *b)
{
	int order = log_event_key_cmp(a, b);

	return c->descending ? order < 0 : order > 0;
}

static void swap(struct collect *c, size_t a, size_t b)
{
	struct collect_item *item = c->items[a];

	c->items[a] = c->items[b];
	c->items[b] = item;
}

static bool item_worse(const struct collect *c, size_t a, size_t b)
{
	return worse(c, &c->items[a]->line.key, &c->items[b]->line.key);
}

static void sift_up(struct collect *c, size_t at)
{
	while (at > 0 && item_worse(c, at, (at - 1) / 2)) {
		swap(c, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static void sift_down(struct collect *c)
{
	size_t at = 0;

	for (;;) {
		size_t top = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
			if (child < c->count && item_worse(c, child, top))
				top = child;
		if (top == at)
			return;
		swap(c, at, top);
		at = top;
	}
}

static uint64_t item_bytes(const struct collect_item *item)
{
	return item->line.group.len + item->line.stream.len +
	       item->line.message.len;
}

/* Takes the worst item off the heap; the caller owns it. */
static struct collect_item *pop(struct collect *c)
{
	struct collect_item *item = c->items[0];

	assert(c->count > 0);
	c->items[0] = c->items[--c->count];
	c->bytes -= item_bytes(item);
	sift_down(c);
	return item;
}

static struct sv text_place(char **at, struct sv text)
{
	struct sv copy = { *at, text.len };

	if (text.len)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
	return copy;
}

static struct collect_item *item_new(const struct line *line)
{
	struct collect_item *item =
		malloc(sizeof(*item) + line->group.len + line->stream.len +
		       line->message.len + 1);
	char *at;

	if (!item)
		return NULL;
	at = item->text;
	item->line.key = line->key;
	item->line.group = text_place(&at, line->group);
	item->line.stream = text_place(&at, line->stream);
	item->line.message = text_place(&at, line->message);
	return item;
}

static int room(struct collect *c)
{
	size_t capacity = c->capacity ? c->capacity * 2 : ITEMS_FIRST;
	struct collect_item **items;

	if (c->count < c->capacity)
		return 0;
	items = realloc(c->items, capacity * sizeof(struct collect_item *));
	if (!items)
		return ERR_NOMEM;
	c->items = items;
	c->capacity = capacity;
	return 0;
}

int logs_collect_add(struct collect *c, const struct line *line)
{
	struct collect_item *item;

	if (c->has_bar && !worse(c, &c->bar, &line->key))
		return 0;
	if (c->count > c->limit && worse(c, &line->key, &c->items[0]->line.key))
		return 0;
	item = item_new(line);
	if (!item || room(c)) {
		free(item);
		return ERR_NOMEM;
	}
	c->items[c->count++] = item;
	c->bytes += item_bytes(item);
	sift_up(c, c->count - 1);
	while (c->count > c->limit + 1 ||
	       (c->count > 1 && c->bytes > c->bytes_max)) {
		item = pop(c);
		c->has_bar = true;
		c->bar = item->line.key;
		free(item);
	}
	return 0;
}

bool logs_collect_done(const struct collect *c, int64_t time_ns)
{
	int64_t worst_ns;

	if (c->count > c->limit) /* the worst that is kept is before the bar */
		worst_ns = c->items[0]->line.key.time_ns;
	else if (c->has_bar)
		worst_ns = c->bar.time_ns;
	else
		return false;
	return c->descending ? time_ns < worst_ns : time_ns > worst_ns;
}

int logs_collect_take(struct collect *c, struct arena *arena,
		      struct log_event **events, size_t *count, bool *truncated)
{
	struct log_event *out;

	*truncated = c->has_bar || c->count > c->limit;
	while (c->count > c->limit)
		free(pop(c));
	*count = c->count;
	*events = out = arena_array(arena, c->count + 1, sizeof(*out));
	while (out && c->count) {
		struct collect_item *item = pop(c);
		struct log_event *e = &out[c->count];

		e->time_ns = item->line.key.time_ns;
		e->group = arena_copy(arena, item->line.group);
		e->stream = arena_copy(arena, item->line.stream);
		e->message = arena_copy(arena, item->line.message);
		free(item);
		if (!e->group.ptr || !e->stream.ptr || !e->message.ptr)
			return ERR_NOMEM;
	}
	return out ? 0 : ERR_NOMEM;
}
