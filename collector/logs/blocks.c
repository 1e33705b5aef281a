/* SPDX-License-Identifier: Apache-2.0 */
/* The list of sealed blocks: what is on disk, what the checkpoint says of it,
 * and which few are open. */
#include "collector/logs/internal.h"

#include <assert.h>
#include <inttypes.h>

#include "core/base/log.h"
#include "core/store/checkpoint.h"

enum { IMAGE_FORMAT = 1, ENTRY_BYTES = 48, IMAGE_HEAD_BYTES = 16 };

void log_block_path(const struct logs *l, const char *name, struct buf *out)
{
	buf_reset(out);
	buf_format(out, "%s/%s", l->dir, name);
}

/* Position and sequence are in the name: "%016x-%016x.logs". */
static bool name_parse(const char *name, uint64_t *position, uint64_t *sequence)
{
	uint8_t bytes[16];

	if (strlen(name) != 38 || name[16] != '-' ||
	    strcmp(name + 33, ".logs") != 0 ||
	    !sv_to_hex(sv_make(name, 16), bytes, 8) ||
	    !sv_to_hex(sv_make(name + 17, 16), bytes + 8, 8))
		return false;
	*position = get_be64(bytes);
	*sequence = get_be64(bytes + 8);
	return true;
}

void log_block_unref(struct logs *l, struct log_block *b)
{
	assert(b->references > 0);
	if (--b->references)
		return;
	assert(!b->users);
	if (b->open) {
		block_close(b->open);
		l->open_count--;
	}
	free(b);
}

int log_blocks_append(struct logs *l, struct log_block *b)
{
	if (l->block_count == l->block_capacity) {
		size_t capacity = l->block_capacity ? l->block_capacity * 2 :
						      64;
		struct log_block **blocks = realloc(
			l->blocks, capacity * sizeof(struct log_block *));

		if (!blocks)
			return ERR_NOMEM;
		l->blocks = blocks;
		l->block_capacity = capacity;
	}
	b->references++;
	l->blocks[l->block_count++] = b;
	l->stats.blocks++;
	l->stats.block_bytes += b->bytes;
	return 0;
}

/* --- the checkpoint ----------------------------------------------------- */

int log_blocks_checkpoint(struct logs *l, uint64_t position)
{
	struct buf image = BUF_INIT, path = BUF_INIT;
	uint8_t head[IMAGE_HEAD_BYTES];
	int err = ERR_NOMEM;

	put_le64(head, l->sequence - l->head.events);
	put_le64(head + 8, l->block_count);
	buf_add(&image, head, sizeof(head));
	for (size_t i = 0; i < l->block_count; i++) {
		const struct log_block *b = l->blocks[i];
		uint8_t entry[ENTRY_BYTES];

		put_le64(entry, b->position);
		put_le64(entry + 8, b->sequence);
		put_le64(entry + 16, (uint64_t)b->time_min_ns);
		put_le64(entry + 24, (uint64_t)b->time_max_ns);
		put_le64(entry + 32, (uint64_t)b->received_ns);
		put_le64(entry + 40, b->bytes);
		buf_add(&image, entry, sizeof(entry));
	}
	log_block_path(l, "checkpoint", &path);
	if (!image.failed && !path.failed)
		err = checkpoint_write(l->env, path.ptr, SV("logs"),
				       IMAGE_FORMAT, position,
				       buf_view(&image));
	buf_fini(&image);
	buf_fini(&path);
	if (err)
		return err;
	l->saved = l->view.durable = position;
	return 0;
}

static struct log_block *block_new(uint64_t position, uint64_t sequence)
{
	struct log_block *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->position = position;
	b->sequence = sequence;
	snprintf(b->name, sizeof(b->name), "%016" PRIx64 "-%016" PRIx64 ".logs",
		 position, sequence);
	return b;
}

static int image_read(struct logs *l, struct sv image)
{
	const uint8_t *p = (const uint8_t *)image.ptr;
	uint64_t count;

	if (image.len < IMAGE_HEAD_BYTES)
		return ERR_CORRUPT;
	l->sequence = get_le64(p);
	count = get_le64(p + 8);
	p += IMAGE_HEAD_BYTES;
	if ((image.len - IMAGE_HEAD_BYTES) / ENTRY_BYTES != count)
		return ERR_CORRUPT;
	for (uint64_t i = 0; i < count; i++, p += ENTRY_BYTES) {
		struct log_block *b = block_new(get_le64(p), get_le64(p + 8));

		if (!b)
			return ERR_NOMEM;
		b->time_min_ns = (int64_t)get_le64(p + 16);
		b->time_max_ns = (int64_t)get_le64(p + 24);
		b->received_ns = (int64_t)get_le64(p + 32);
		b->bytes = get_le64(p + 40);
		if (log_blocks_append(l, b)) {
			free(b);
			return ERR_NOMEM;
		}
	}
	return 0;
}

/* --- the folder ----------------------------------------------------------- */

struct listing {
	char (*names)[LOGS_NAME_BYTES];
	size_t count, capacity;
	bool failed;
};

static void list_name(void *arg, const char *name)
{
	struct listing *list = arg;

	if (strlen(name) >= LOGS_NAME_BYTES)
		return;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		char(*names)[LOGS_NAME_BYTES] =
			realloc(list->names, capacity * LOGS_NAME_BYTES);

		if (!names) {
			list->failed = true;
			return;
		}
		list->names = names;
		list->capacity = capacity;
	}
	memcpy(list->names[list->count++], name, strlen(name) + 1);
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void set_aside(struct logs *l, const char *name, const char *why)
{
	struct buf from = BUF_INIT, to = BUF_INIT;

	log_block_path(l, name, &from);
	buf_format(&to, "%s.damaged", from.ptr ? from.ptr : "");
	if (!from.failed && !to.failed)
		(void)l->env->disk->rename(l->env->disk_self, from.ptr, to.ptr);
	log_error("logs", "block %s is set aside: %s", name, why);
	buf_fini(&from);
	buf_fini(&to);
	l->stats.damaged_blocks++;
}

static void block_unlink(struct logs *l, const char *name)
{
	struct buf path = BUF_INIT;

	log_block_path(l, name, &path);
	if (!path.failed)
		(void)l->env->disk->unlink(l->env->disk_self, path.ptr);
	buf_fini(&path);
}

/* A block that was sealed but whose checkpoint was not written any more (or
 * cannot be read any more): it is whole, since its name is there. */
static int take_in(struct logs *l, uint64_t position, uint64_t sequence,
		   struct diag *diag)
{
	struct log_block *b = block_new(position, sequence);
	struct buf path = BUF_INIT;
	struct block_info info;
	int err;

	if (!b)
		return ERR_NOMEM;
	log_block_path(l, b->name, &path);
	err = path.failed ? ERR_NOMEM :
			    block_open(&b->open, l->env, path.ptr, LOGS_KIND,
				       LOGS_FORMAT, diag);
	buf_fini(&path);
	if (!err) {
		block_info(b->open, &info);
		block_close(b->open);
		b->open = NULL;
		b->time_min_ns = info.time_min_ns;
		b->time_max_ns = info.time_max_ns;
		b->received_ns = info.time_max_ns;
		b->bytes = info.file_bytes;
		err = log_blocks_append(l, b);
	}
	if (!err) {
		l->view.durable = position;
		if (l->sequence < sequence)
			l->sequence = sequence;
		return 0;
	}
	if (err == ERR_CORRUPT) {
		set_aside(l, b->name, err_text(err));
		err = 0;
	}
	free(b);
	return err;
}

static bool is_known(const struct logs *l, uint64_t sequence)
{
	for (size_t i = 0; i < l->block_count; i++)
		if (l->blocks[i]->sequence == sequence)
			return true;
	return false;
}

static int folder_read(struct logs *l, const struct listing *list, bool all,
		       struct diag *diag)
{
	uint64_t position, sequence;
	int err = 0;

	for (size_t i = 0; i < list->count && !err; i++) {
		const char *name = list->names[i];

		if (sv_ends(sv_from(name), SV(".tmp")))
			block_unlink(l, name); /* of a seal that was cut off */
		if (!name_parse(name, &position, &sequence) ||
		    is_known(l, sequence))
			continue;
		if (all || position > l->view.durable)
			err = take_in(l, position, sequence, diag);
		else /* it expired, and a crash came before the unlink */
			block_unlink(l, name);
	}
	return err;
}

/* What the checkpoint names but the folder does not have is counted. */
static void drop_missing(struct logs *l, const struct listing *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->block_count; i++) {
		struct log_block *b = l->blocks[i];

		if (list->count && bsearch(b->name, list->names, list->count,
					   LOGS_NAME_BYTES, name_cmp)) {
			l->blocks[kept++] = b;
			continue;
		}
		log_error("logs", "block %s is missing", b->name);
		l->stats.damaged_blocks++;
		l->stats.blocks--;
		l->stats.block_bytes -= b->bytes;
		log_block_unref(l, b);
	}
	l->block_count = kept;
}

int log_blocks_load(struct logs *l, struct diag *diag)
{
	struct listing list = { 0 };
	struct buf image = BUF_INIT, path = BUF_INIT;
	bool lost = false;
	int err;

	err = env_err(l->env->disk->list(l->env->disk_self, l->dir, list_name,
					 &list));
	if (!err && list.failed)
		err = ERR_NOMEM;
	log_block_path(l, "checkpoint", &path);
	if (!err && path.failed)
		err = ERR_NOMEM;
	if (!err) {
		err = checkpoint_read(l->env, path.ptr, SV("logs"),
				      IMAGE_FORMAT, &l->view.durable, &image);
		if (!err)
			err = image_read(l, buf_view(&image));
		lost = err == ERR_CORRUPT || err == ERR_NOT_FOUND;
		if (err == ERR_CORRUPT)
			log_error("logs", "the checkpoint is damaged: taking "
					  "in every block of the folder");
		if (lost)
			err = 0;
	}
	if (err)
		(void)diag_set(diag, err, "%s: %s", path.ptr ? path.ptr : "",
			       err_text(err));
	if (list.count)
		qsort(list.names, list.count, LOGS_NAME_BYTES, name_cmp);
	if (!err) {
		drop_missing(l, &list);
		err = folder_read(l, &list, lost, diag);
	}
	/* A block may be newer than the checkpoint's position, where the one
	 * of its seal could not be written and a later one only removed old
	 * blocks. */
	for (size_t i = 0; i < l->block_count; i++)
		if (l->blocks[i]->position > l->view.durable)
			l->view.durable = l->blocks[i]->position;
	l->saved = l->view.position = l->applied = l->view.durable;
	free(list.names);
	buf_fini(&image);
	buf_fini(&path);
	return err;
}

/* --- age ------------------------------------------------------------------ */

/* Is the oldest block to go, with `left` blocks in the list? */
static bool is_old(const struct logs *l, const struct log_block *b)
{
	return l->options.retention_ns > 0 &&
	       b->received_ns < l->retention.now_ns - l->options.retention_ns;
}

int log_blocks_expire(struct logs *l)
{
	struct log_block *gone[16];
	size_t count = 0, kept = 0;
	size_t over = l->block_count > l->options.blocks_max ?
			      l->block_count - l->options.blocks_max :
			      0;
	int err;

	for (size_t i = 0; i < l->block_count && !over; i++)
		if (is_old(l, l->blocks[i]))
			break;
		else if (i + 1 == l->block_count)
			return 0;
	if (!l->block_count)
		return 0;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->block_count; i++) {
		struct log_block *b = l->blocks[i];
		bool old = is_old(l, b);

		if (count == 16 || (!old && !over)) {
			l->blocks[kept++] = b;
			continue;
		}
		if (old)
			l->stats.expired++;
		else
			l->stats.over_budget++;
		over -= over > 0;
		l->stats.blocks--;
		l->stats.block_bytes -= b->bytes;
		gone[count++] = b;
	}
	l->block_count = kept;
	pthread_mutex_unlock(&l->lock);
	/* The checkpoint first: a file that is there but not named is deleted
	 * at the next start, one that is named but not there is a damage. */
	err = log_blocks_checkpoint(l, l->view.durable);
	for (size_t i = 0; i < count; i++) {
		block_unlink(l, gone[i]->name);
		pthread_mutex_lock(&l->lock);
		if (gone[i]->open && !gone[i]->users) {
			block_close(gone[i]->open);
			gone[i]->open = NULL;
			l->open_count--;
		}
		gone[i]->damaged = true; /* a late reader leaves it out */
		log_block_unref(l, gone[i]);
		pthread_mutex_unlock(&l->lock);
	}
	return err;
}

void log_blocks_free(struct logs *l)
{
	for (size_t i = 0; i < l->block_count; i++)
		log_block_unref(l, l->blocks[i]);
	free(l->blocks);
	l->blocks = NULL;
	l->block_count = 0;
}
