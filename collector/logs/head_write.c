/* SPDX-License-Identifier: Apache-2.0 */
/* The head as the rows of a block, in the order of their keys. */
#include "collector/logs/head.h"

#include <assert.h>

#include "collector/logs/logs.h"

/* A line that carries a request id. */
struct request_ref {
	struct prefix prefix;
	const struct head_group *group;
	const struct head_event *event;
};

static int group_cmp(const void *a, const void *b)
{
	const struct head_group *const *x = a, *const *y = b;

	return memcmp((*x)->prefix.bytes, (*y)->prefix.bytes, PREFIX_BYTES);
}

/* All groups with events, in order; *count. NULL: no memory. */
static const struct head_group **groups_sorted(const struct head *h,
					       size_t *count)
{
	const struct head_group **groups =
		calloc(h->group_count + 1, sizeof(struct head_group *));

	*count = 0;
	if (!groups)
		return NULL;
	for (size_t i = 0; i < h->bucket_count; i++)
		for (const struct head_group *g = h->buckets[i]; g; g = g->next)
			if (g->count)
				groups[(*count)++] = g;
	qsort(groups, *count, sizeof(struct head_group *), group_cmp);
	return groups;
}

static void put_text(struct buf *b, struct sv text)
{
	char len[2] = { (char)(text.len & 0xff), (char)(text.len >> 8) };

	buf_add(b, len, 2);
	buf_sv(b, text);
}

static int add_row(struct block_writer *w, const uint8_t *key, size_t key_len,
		   const struct buf *value)
{
	if (value->failed)
		return ERR_NOMEM;
	return block_writer_add(w, sv_make((const char *)key, key_len),
				buf_view(value));
}

static int write_events(struct block_writer *w, const struct head_group *g,
			struct buf *value)
{
	uint8_t key[EVENT_KEY_BYTES];
	int err = 0;

	assert(g->ordered == g->count);
	for (size_t i = 0; i < g->count && !err; i++) {
		const struct head_event *e = &g->events[i];

		log_event_key_put(key, &g->prefix, &e->key);
		buf_reset(value);
		put_text(value, sv_make(e->stream, e->stream_len));
		buf_add(value, e->message, e->message_len);
		err = add_row(w, key, sizeof(key), value);
	}
	return err;
}

static int write_group(struct block_writer *w, const struct head_group *g,
		       struct buf *value)
{
	struct prefix key = log_prefix_as(g->prefix, ROW_GROUP);
	uint8_t numbers[24];

	put_le64(numbers, g->count);
	put_le64(numbers + 8, (uint64_t)g->events[0].key.time_ns);
	put_le64(numbers + 16, (uint64_t)g->events[g->count - 1].key.time_ns);
	buf_reset(value);
	buf_add(value, numbers, sizeof(numbers));
	buf_sv(value, g->name);
	return add_row(w, key.bytes, PREFIX_BYTES, value);
}

static int ref_cmp(const void *a, const void *b)
{
	const struct request_ref *x = a, *y = b;
	int order = memcmp(x->prefix.bytes, y->prefix.bytes, PREFIX_BYTES);

	if (order)
		return order;
	if (x->event->key.time_ns != y->event->key.time_ns)
		return x->event->key.time_ns < y->event->key.time_ns ? -1 : 1;
	return x->event->key.sequence < y->event->key.sequence ? -1 : 1;
}

static struct request_ref *refs_sorted(const struct head_group **groups,
				       size_t group_count, size_t *count)
{
	struct request_ref *refs;
	size_t n = 0;

	for (size_t i = 0; i < group_count; i++)
		for (size_t j = 0; j < groups[i]->count; j++)
			n += groups[i]->events[j].id_at != NO_ID;
	*count = n;
	refs = calloc(n + 1, sizeof(*refs));
	if (!refs)
		return NULL;
	n = 0;
	for (size_t i = 0; i < group_count; i++)
		for (size_t j = 0; j < groups[i]->count; j++) {
			const struct head_event *e = &groups[i]->events[j];

			if (e->id_at == NO_ID)
				continue;
			refs[n++] = (struct request_ref){
				log_prefix_of_id(&groups[i]->scope,
						 sv_make(e->message + e->id_at,
							 LOGS_ID_MAX)),
				groups[i], e
			};
		}
	qsort(refs, n, sizeof(*refs), ref_cmp);
	return refs;
}

static bool same_run(const struct request_ref *a, const struct request_ref *b)
{
	return a->group == b->group &&
	       a->event->key.stream_hash == b->event->key.stream_hash &&
	       !memcmp(a->prefix.bytes, b->prefix.bytes, PREFIX_BYTES);
}

/* A reader scans from the first to the last line of a request, so only these
 * need a row, and the lines that mark a start and an end. */
static int write_requests(struct block_writer *w,
			  const struct request_ref *refs, size_t count,
			  struct buf *value)
{
	uint8_t key[REQUEST_KEY_BYTES];
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		const struct head_event *e = refs[i].event;
		enum mark mark =
			log_line_mark(sv_make(e->message, e->message_len));

		if (mark == MARK_LINE && i > 0 && i + 1 < count &&
		    same_run(&refs[i - 1], &refs[i]) &&
		    same_run(&refs[i], &refs[i + 1]))
			continue;
		log_request_key_put(key, &refs[i].prefix, e->key.time_ns,
				    e->key.sequence);
		buf_reset(value);
		buf_char(value, (char)mark);
		put_text(value, refs[i].group->name);
		buf_add(value, e->stream, e->stream_len);
		err = add_row(w, key, sizeof(key), value);
	}
	return err;
}

static void times_of(const struct head_group *g, int64_t *min_ns,
		     int64_t *max_ns)
{
	if (g->events[0].key.time_ns < *min_ns)
		*min_ns = g->events[0].key.time_ns;
	if (g->events[g->count - 1].key.time_ns > *max_ns)
		*max_ns = g->events[g->count - 1].key.time_ns;
}

int log_head_write(const struct head *h, struct block_writer *w,
		   int64_t *min_ns, int64_t *max_ns)
{
	size_t group_count, ref_count = 0;
	const struct head_group **groups = groups_sorted(h, &group_count);
	struct request_ref *refs =
		groups ? refs_sorted(groups, group_count, &ref_count) : NULL;
	struct buf value = BUF_INIT;
	int err = refs ? 0 : ERR_NOMEM;

	*min_ns = INT64_MAX;
	*max_ns = INT64_MIN;
	for (size_t i = 0; i < group_count && !err; i++) {
		times_of(groups[i], min_ns, max_ns);
		err = write_events(w, groups[i], &value);
	}
	for (size_t i = 0; i < group_count && !err; i++)
		err = write_group(w, groups[i], &value);
	if (!err)
		err = write_requests(w, refs, ref_count, &value);
	buf_fini(&value);
	free(refs);
	free(groups);
	return err;
}
