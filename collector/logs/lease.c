/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks as readers see them: noted under the lock, opened when used, a few
 * kept open. */
#include "collector/logs/internal.h"

#include <assert.h>

#include "core/base/log.h"

int log_blocks_snapshot(struct logs *l, int64_t start_ns, int64_t end_ns,
			struct log_block ***out, size_t *count)
{
	struct log_block **blocks =
		calloc(l->block_count + 1, sizeof(struct log_block *));

	*out = blocks;
	*count = 0;
	if (!blocks)
		return ERR_NOMEM;
	for (size_t i = 0; i < l->block_count; i++) {
		struct log_block *b = l->blocks[i];

		if (b->time_max_ns < start_ns || b->time_min_ns >= end_ns)
			continue;
		b->references++;
		blocks[(*count)++] = b;
	}
	return 0;
}

void log_blocks_release(struct logs *l, struct log_block **blocks, size_t count)
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < count; i++)
		log_block_unref(l, blocks[i]);
	pthread_mutex_unlock(&l->lock);
	free(blocks);
}

/* Closes what was used longest ago while too many are open. With the lock. */
static void blocks_close_idle(struct logs *l)
{
	while (l->open_count > LOGS_OPEN_MAX) {
		struct log_block *oldest = NULL;

		for (size_t i = 0; i < l->block_count; i++) {
			struct log_block *b = l->blocks[i];

			if (b->open && !b->users &&
			    (!oldest || b->used < oldest->used))
				oldest = b;
		}
		if (!oldest)
			return;
		block_close(oldest->open);
		oldest->open = NULL;
		l->open_count--;
	}
}

static int block_open_fresh(struct logs *l, struct log_block *b,
			    struct block **out)
{
	struct buf path = BUF_INIT;
	struct diag diag = { 0 };
	int err;

	log_block_path(l, b->name, &path);
	err = path.failed ? ERR_NOMEM :
			    block_open(out, l->env, path.ptr, LOGS_KIND,
				       LOGS_FORMAT, &diag);
	buf_fini(&path);
	if (err != ERR_CORRUPT && err != ERR_NOT_FOUND && err != ERR_VERSION)
		return err;
	pthread_mutex_lock(&l->lock);
	if (!b->damaged) {
		b->damaged = true;
		l->stats.damaged_blocks++;
		log_error("logs",
			  "block %s cannot be read: %s; its lines are "
			  "left out",
			  b->name, err_text(err));
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

int log_block_use(struct logs *l, struct log_block *b, struct block **out)
{
	struct block *fresh = NULL;
	int err;

	pthread_mutex_lock(&l->lock);
	b->used = ++l->uses;
	if (b->open) {
		b->users++;
		*out = b->open;
		pthread_mutex_unlock(&l->lock);
		return 1;
	}
	if (b->damaged) {
		pthread_mutex_unlock(&l->lock);
		return 0;
	}
	pthread_mutex_unlock(&l->lock);
	err = block_open_fresh(l, b, &fresh);
	if (err)
		return err == ERR_CORRUPT || err == ERR_NOT_FOUND ||
				       err == ERR_VERSION ?
			       0 :
			       err;
	pthread_mutex_lock(&l->lock);
	if (b->open) { /* another reader was faster */
		block_close(fresh);
	} else {
		b->open = fresh;
		l->open_count++;
	}
	b->users++;
	*out = b->open;
	pthread_mutex_unlock(&l->lock);
	return 1;
}

void log_block_unuse(struct logs *l, struct log_block *b)
{
	pthread_mutex_lock(&l->lock);
	assert(b->users > 0);
	b->users--;
	blocks_close_idle(l);
	pthread_mutex_unlock(&l->lock);
}
