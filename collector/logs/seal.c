/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/logs/internal.h"

#include <assert.h>
#include <inttypes.h>

#include "core/base/log.h"

static int write_block(struct logs *l, struct log_block *b, const char *path)
{
	struct block_options options = {
		.kind = LOGS_KIND,
		.format = LOGS_FORMAT,
		.filter_prefix = PREFIX_BYTES,
	};
	struct block_writer *w = NULL;
	int err = block_writer_open(&w, l->env, path, &options);

	if (err)
		return err;
	err = log_head_write(&l->head, w, &b->time_min_ns, &b->time_max_ns);
	if (err) {
		block_writer_abort(w);
		return err;
	}
	block_writer_times(w, b->time_min_ns, b->time_max_ns);
	return block_writer_finish(w);
}

/* The head is ordered under the lock and then left alone, so readers do not
 * wait for the disk; block and head change places in one step. */
int logs_seal(struct logs *l)
{
	struct log_block *b;
	struct buf path = BUF_INIT;
	struct block_info info;
	int err;

	assert(l->head.events > 0);
	pthread_mutex_lock(&l->lock);
	err = log_head_order(&l->head);
	pthread_mutex_unlock(&l->lock);
	if (err)
		return err;
	b = calloc(1, sizeof(*b));
	if (!b)
		return ERR_NOMEM;
	b->position = l->applied;
	b->sequence = l->sequence;
	b->received_ns = l->received_ns;
	snprintf(b->name, sizeof(b->name), "%016" PRIx64 "-%016" PRIx64 ".logs",
		 b->position, b->sequence);
	log_block_path(l, b->name, &path);
	err = path.failed ? ERR_NOMEM : write_block(l, b, path.ptr);
	if (!err)
		err = block_open(&b->open, l->env, path.ptr, LOGS_KIND,
				 LOGS_FORMAT, NULL);
	buf_fini(&path);
	if (!err) {
		block_info(b->open, &info);
		b->bytes = info.file_bytes;
		pthread_mutex_lock(&l->lock);
		err = log_blocks_append(l, b);
		if (!err) {
			l->open_count++;
			b->used = ++l->uses;
			log_head_reset(&l->head);
			l->stats.sealed++;
			l->lag_bytes = 0;
		}
		pthread_mutex_unlock(&l->lock);
	}
	if (err) {
		if (b->open)
			block_close(b->open);
		free(b);
		return err;
	}
	return log_blocks_checkpoint(l, l->applied);
}
