/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, request ids and groups of the head and of the blocks, offered to a
 * function. The head first, under the lock that also fixes the list of blocks:
 * a seal between the two would hide or repeat lines. */
#include "collector/logs/internal.h"

/* Rows whose key begins with the prefix: 1 while there are some. */
static int next_with(struct block_scan *s, const void *prefix, size_t len,
		     struct sv *key, struct sv *value)
{
	int more = block_scan_next(s, key, value);

	if (more <= 0)
		return more;
	return key->len >= len && !memcmp(key->ptr, prefix, len);
}

static void scan_close(struct logs *l, struct block_scan *s)
{
	uint64_t damaged = block_scan_damaged(s);

	block_scan_close(s);
	if (!damaged)
		return;
	pthread_mutex_lock(&l->lock);
	l->stats.damaged_chunks += damaged;
	pthread_mutex_unlock(&l->lock);
}

/* --- groups ------------------------------------------------------------------ */

static bool group_row(struct sv value, struct logs_group *g)
{
	const uint8_t *p = (const uint8_t *)value.ptr;

	if (value.len < 24)
		return false;
	g->events = get_le64(p);
	g->first_ns = (int64_t)get_le64(p + 8);
	g->last_ns = (int64_t)get_le64(p + 16);
	g->name = sv_make(value.ptr + 24, value.len - 24);
	return true;
}

static int block_groups(struct logs *l, const struct block *b,
			const struct scope *scope, group_fn *fn, void *arg)
{
	struct prefix p = log_prefix_make(ROW_GROUP, scope, sv_make("", 0));
	struct sv from = { (const char *)p.bytes, PREFIX_BYTES - 16 };
	struct block_scan *s = NULL;
	struct sv key, value;
	int more = block_scan_open(&s, b, from);

	if (more < 0)
		return more;
	while ((more = next_with(s, from.ptr, from.len, &key, &value)) > 0) {
		struct logs_group g;

		if (group_row(value, &g))
			more = fn(arg, &g);
		if (more <= 0)
			break;
	}
	scan_close(l, s);
	return more < 0 ? more : 0;
}

static int head_groups(struct logs *l, const struct scope *scope, group_fn *fn,
		       void *arg)
{
	int more = 1;

	for (struct head_group *g = log_head_group_next(&l->head, scope, NULL);
	     g && more > 0; g = log_head_group_next(&l->head, scope, g)) {
		struct logs_group row = { .name = g->name, .events = g->count };

		if (!g->count)
			continue;
		more = log_head_group_order(g);
		if (more < 0)
			return more;
		row.first_ns = g->events[0].key.time_ns;
		row.last_ns = g->events[g->count - 1].key.time_ns;
		more = fn(arg, &row);
	}
	return more < 0 ? more : 0;
}

int logs_scan_groups(struct logs *l, const struct scope *scope, group_fn *fn,
		     void *arg)
{
	struct log_block **blocks = NULL;
	size_t count = 0;
	int err;

	pthread_mutex_lock(&l->lock);
	err = head_groups(l, scope, fn, arg);
	if (!err)
		err = log_blocks_snapshot(l, INT64_MIN, INT64_MAX, &blocks,
					  &count);
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < count && !err; i++) {
		struct block *b;

		err = log_block_use(l, blocks[i], &b);
		if (err <= 0)
			continue;
		err = block_groups(l, b, scope, fn, arg);
		log_block_unuse(l, blocks[i]);
	}
	log_blocks_release(l, blocks, count);
	return err;
}

/* --- lines --------------------------------------------------------------------- */

static bool is_done(const struct visit *v, int64_t time_ns)
{
	return v->done && v->done(v->arg, time_ns);
}

static int block_group_lines(struct logs *l, const struct block *b,
			     const struct visit *v, struct sv group)
{
	struct prefix p = log_prefix_make(ROW_EVENT, v->scope, group);
	uint8_t from[EVENT_KEY_BYTES];
	struct block_scan *s = NULL;
	struct sv key, value;
	int more;

	if (!block_may_have(b, sv_make((const char *)p.bytes, PREFIX_BYTES)))
		return 0;
	log_event_key_put(from, &p,
			  &(struct event_key){ .time_ns = v->start_ns });
	more = block_scan_open(&s, b,
			       sv_make((const char *)from, sizeof(from)));
	if (more < 0)
		return more;
	while ((more = next_with(s, p.bytes, PREFIX_BYTES, &key, &value)) > 0) {
		struct line line = { .group = group };

		if (!log_event_row(key, value, &line))
			continue;
		if (line.key.time_ns >= v->end_ns ||
		    (!v->descending && is_done(v, line.key.time_ns)))
			break;
		more = v->line(v->arg, &line);
		if (more)
			break;
	}
	scan_close(l, s);
	return more < 0 ? more : 0;
}

struct all_groups {
	struct logs *l;
	const struct block *block;
	const struct visit *visit;
	int err;
};

static int lines_of_group(void *arg, const struct logs_group *group)
{
	struct all_groups *all = arg;
	/* The name lies in the scan's buffer, which stays while we are here. */
	int err =
		block_group_lines(all->l, all->block, all->visit, group->name);

	return err ? err : 1;
}

/* The head is read in the order that was asked for, so what is no longer of
 * use ends a group's scan. */
static int head_line_of(void *arg, const struct line *line)
{
	const struct visit *v = arg;

	return is_done(v, line->key.time_ns) ? 1 : v->line(v->arg, line);
}

static int head_lines(struct logs *l, const struct visit *v)
{
	struct visit copy = *v;
	struct head_group *g = NULL;
	int err = 0;

	if (v->group.len) {
		g = log_head_group_find(&l->head, v->scope, v->group);
		return g ? log_head_group_visit(g, v->start_ns, v->end_ns,
						v->descending, head_line_of,
						&copy) :
			   0;
	}
	while (!err && (g = log_head_group_next(&l->head, v->scope, g)))
		err = log_head_group_visit(g, v->start_ns, v->end_ns,
					   v->descending, head_line_of, &copy);
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct log_block *const *x = a, *const *y = b;

	return ((*x)->time_min_ns > (*y)->time_min_ns) -
	       ((*x)->time_min_ns < (*y)->time_min_ns);
}

static int by_end_reversed(const void *a, const void *b)
{
	const struct log_block *const *x = a, *const *y = b;

	return ((*x)->time_max_ns < (*y)->time_max_ns) -
	       ((*x)->time_max_ns > (*y)->time_max_ns);
}

static int block_lines(struct logs *l, struct log_block *lb,
		       const struct visit *v)
{
	struct block *b;
	int err;

	if (is_done(v, v->descending ? lb->time_max_ns : lb->time_min_ns))
		return 0;
	err = log_block_use(l, lb, &b);
	if (err <= 0)
		return err;
	if (v->group.len) {
		err = block_group_lines(l, b, v, v->group);
	} else {
		struct all_groups all = { .l = l, .block = b, .visit = v };

		err = block_groups(l, b, v->scope, lines_of_group, &all);
	}
	log_block_unuse(l, lb);
	return err;
}

int logs_scan_lines(struct logs *l, const struct visit *v)
{
	struct log_block **blocks = NULL;
	size_t count = 0;
	int err;

	pthread_mutex_lock(&l->lock);
	err = head_lines(l, v);
	if (!err)
		err = log_blocks_snapshot(l, v->start_ns, v->end_ns, &blocks,
					  &count);
	pthread_mutex_unlock(&l->lock);
	if (count)
		qsort(blocks, count, sizeof(struct log_block *),
		      v->descending ? by_end_reversed : by_start);
	for (size_t i = 0; i < count && !err; i++)
		err = block_lines(l, blocks[i], v);
	log_blocks_release(l, blocks, count);
	return err;
}

/* --- request ids ------------------------------------------------------------------ */

static int block_requests(struct logs *l, const struct block *b,
			  const struct visit *v, struct sv id, request_fn *fn)
{
	struct prefix p = log_prefix_of_id(v->scope, id);
	struct sv from = { (const char *)p.bytes, PREFIX_BYTES };
	struct block_scan *s = NULL;
	struct sv key, value;
	int more;

	if (!block_may_have(b, from))
		return 0;
	more = block_scan_open(&s, b, from);
	if (more < 0)
		return more;
	while ((more = next_with(s, p.bytes, PREFIX_BYTES, &key, &value)) > 0) {
		struct line line;
		enum mark mark;

		if (!log_request_row(key, value, &line, &mark) ||
		    (v->group.len && !sv_eq(v->group, line.group)))
			continue;
		more = fn(v->arg, &line, mark);
		if (more)
			break;
	}
	scan_close(l, s);
	return more < 0 ? more : 0;
}

static int head_requests(struct logs *l, const struct visit *v, struct sv id,
			 request_fn *fn)
{
	int more = 0;

	for (struct head_group *g =
		     log_head_group_next(&l->head, v->scope, NULL);
	     g && !more; g = log_head_group_next(&l->head, v->scope, g)) {
		if (!g->has_requests ||
		    (v->group.len && !sv_eq(v->group, g->name)))
			continue;
		for (size_t i = 0; i < g->count && !more; i++) {
			const struct head_event *e = &g->events[i];
			struct line line = log_head_line(g, e);
			struct sv found;

			if (e->id_at == NO_ID)
				continue;
			found = sv_make(e->message + e->id_at, LOGS_ID_MAX);
			if (request_id_eq(found, id))
				more = fn(v->arg, &line,
					  log_line_mark(line.message));
		}
	}
	return more < 0 ? more : 0;
}

int logs_scan_requests(struct logs *l, const struct visit *v, struct sv id,
		       request_fn *fn)
{
	struct log_block **blocks = NULL;
	size_t count = 0;
	int err;

	pthread_mutex_lock(&l->lock);
	err = head_requests(l, v, id, fn);
	if (!err)
		err = log_blocks_snapshot(l, v->start_ns, v->end_ns, &blocks,
					  &count);
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < count && !err; i++) {
		struct block *b;

		err = log_block_use(l, blocks[i], &b);
		if (err <= 0)
			continue;
		err = block_requests(l, b, v, id, fn);
		log_block_unuse(l, blocks[i]);
	}
	log_blocks_release(l, blocks, count);
	return err;
}
