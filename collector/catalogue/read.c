/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the catalogue: by copy, each in a transaction of its own. */
#include "collector/catalogue/inner.h"

#include <assert.h>

#include "core/base/log.h"

static void count_damaged(struct catalogue *c, uint64_t n)
{
	if (!n)
		return;
	atomic_fetch_add(&c->damaged_items, n);
	log_error("catalogue", "%llu items are damaged and are not shown",
		  (unsigned long long)n);
}

static int copy_item(struct arena *arena, const struct catalogue_item *item,
		     struct catalogue_item *out)
{
	*out = *item;
	out->name = arena_copy(arena, item->name);
	out->value = arena_copy(arena, item->value);
	return out->name.ptr && out->value.ptr ? 0 : ERR_NOMEM;
}

int catalogue_get(struct catalogue *c, const struct scope *scope,
		  enum catalogue_kind kind, struct sv name, struct arena *arena,
		  struct catalogue_item *out)
{
	struct catalogue_item item;
	struct store_txn *t;
	int e;

	if (!name.len || name.len > CATALOGUE_NAME_MAX)
		return ERR_NOT_FOUND;
	e = store_begin(c->store, false, &t);
	if (e)
		return e;
	e = store_get(t, scope, kind, name, &item);
	if (!e)
		e = copy_item(arena, &item, out);
	store_abort(t);
	if (e != ERR_CORRUPT)
		return e;
	count_damaged(c, 1);
	return ERR_NOT_FOUND;
}

struct listing {
	struct arena *arena;
	struct catalogue_item *items;
	size_t count, max;
	bool more;
	int err;
};

static bool list_one(void *arg, const struct catalogue_item *item)
{
	struct listing *l = arg;

	l->more = l->count == l->max;
	if (l->more)
		return false;
	l->err = copy_item(l->arena, item, &l->items[l->count]);
	if (l->err)
		return false;
	l->count++;
	return true;
}

int catalogue_list(struct catalogue *c, const struct scope *scope,
		   enum catalogue_kind kind, struct sv after, size_t max,
		   struct arena *arena, struct catalogue_item **out,
		   size_t *count, bool *more)
{
	struct listing l = { .arena = arena, .max = max };
	uint64_t damaged = 0;
	struct store_txn *t;
	int e;

	assert(max > 0 && max <= CATALOGUE_LIST_MAX);
	l.items = arena_array(arena, max, sizeof(*l.items));
	if (!l.items)
		return ERR_NOMEM;
	e = store_begin(c->store, false, &t);
	if (e)
		return e;
	e = store_walk(t, scope, kind, after, list_one, &l, &damaged);
	store_abort(t);
	count_damaged(c, damaged);
	*out = l.items;
	*count = l.count;
	*more = l.more;
	return e ? e : l.err;
}

int catalogue_scopes(struct catalogue *c, enum catalogue_kind kind,
		     catalogue_scope_fn *each, void *arg)
{
	struct store_txn *t;
	int e = store_begin(c->store, false, &t);

	if (e)
		return e;
	e = store_scopes(t, kind, each, arg);
	store_abort(t);
	return e;
}
