/* SPDX-License-Identifier: Apache-2.0 */
/* The checkpoint's image, all little-endian:
 *   u64 0, which an image of format 1 does not begin with
 *   u64 next block number, u64 next arrival number, i64 head collects since
 *   u32 blocks: each u64 number, i64 earliest and latest start, latest end
 *       (which format 1 has not)
 *   u32 documents: each 32 bytes scope, u64 arrival, i64 received,
 *       u64 position, u24 length, u8 format, the document */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "core/store/checkpoint.h"
#include "tracer/traces_inner.h"

static void put_u32(struct buf *out, uint32_t v)
{
	uint8_t bytes[4];

	put_le32(bytes, v);
	buf_add(out, bytes, sizeof(bytes));
}

static void put_u64(struct buf *out, uint64_t v)
{
	uint8_t bytes[8];

	put_le64(bytes, v);
	buf_add(out, bytes, sizeof(bytes));
}

static int put_document(struct buf *out, struct buf *text,
			const struct head *head, const struct head_trace *trace,
			const struct head_document *d)
{
	struct document document;
	int e;

	buf_reset(text);
	e = head_unpack(head, trace, d, text, &document);
	if (e)
		return e;
	buf_add(out, trace->key.bytes, SCOPE_KEY_SIZE);
	put_u64(out, d->sequence);
	put_u64(out, (uint64_t)d->received_ns);
	put_u64(out, trace->position);
	assert(d->len < 1U << 24);
	put_u32(out, d->len | (uint32_t)document.format << 24);
	buf_sv(out, document.bytes);
	return 0;
}

int traces_write_checkpoint(struct traces *t, const struct block_set *set,
			    const struct head *head, uint64_t position)
{
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	struct buf text = BUF_INIT;
	char path[TRACES_PATH_MAX];
	int e = 0;

	put_u64(&image, 0);
	put_u64(&image, t->next_number);
	put_u64(&image, t->next_sequence);
	put_u64(&image, (uint64_t)t->opened_ns);
	put_u32(&image, (uint32_t)set->count);
	for (size_t i = 0; i < set->count; i++) {
		put_u64(&image, set->items[i]->number);
		put_u64(&image, (uint64_t)set->items[i]->start_ns_min);
		put_u64(&image, (uint64_t)set->items[i]->start_ns_max);
		put_u64(&image, (uint64_t)set->items[i]->end_ns_max);
	}
	put_u32(&image, (uint32_t)head->documents);
	for (size_t i = 0; i < head->count; i++)
		for (const struct head_document *d =
			     head_first(head->traces[i]);
		     d && !e; d = head_next(d))
			e = put_document(&image, &text, head, head->traces[i],
					 d);
	buf_fini(&text);
	checkpoint_path(t, path);
	if (!e && image.failed)
		e = ERR_NOMEM;
	if (!e)
		e = checkpoint_write(t->env, path, SV("traces"),
				     TRACES_IMAGE_FORMAT, position,
				     buf_view(&image));
	buf_fini(&image);
	return e;
}

bool traces_checkpoint_in_doubt(const struct traces *t, int err)
{
	char path[TRACES_PATH_MAX];

	checkpoint_path(t, path);
	return checkpoint_in_doubt(t->env, path, SV("traces"),
				   TRACES_IMAGE_FORMAT, t->view.position, err);
}

static const uint8_t *take(struct sv *rest, size_t n)
{
	const uint8_t *at = (const uint8_t *)rest->ptr;

	if (rest->len < n)
		return NULL;
	*rest = sv_make(rest->ptr + n, rest->len - n);
	return at;
}

static int read_block(struct traces *t, bool first_format, struct sv *rest,
		      struct diag *diag)
{
	const uint8_t *at = take(rest, first_format ? 24 : 32);
	struct block_set *set;
	struct block_ref *b;
	int e;

	if (!at)
		return ERR_CORRUPT;
	e = block_ref_open(t, get_le64(at), &b, diag);
	if (e == ERR_VERSION || e == ERR_NOMEM)
		return e;
	if (e) {
		log_error("traces", "block %016" PRIx64 " is left out: %s",
			  get_le64(at), err_text(e));
		return 0;
	}
	b->start_ns_min = (int64_t)get_le64(at + 8);
	b->start_ns_max = (int64_t)get_le64(at + 16);
	if (!first_format)
		b->end_ns_max = (int64_t)get_le64(at + 24);
	set = block_set_make(t->set, NULL, NULL, b);
	if (!set) {
		block_unref(b);
		return ERR_NOMEM;
	}
	traces_publish(t, set);
	return 0;
}

static int read_document(struct traces *t, struct sv *rest)
{
	const uint8_t *at = take(rest, SCOPE_KEY_SIZE + 28);
	struct trace_key key = { { 0 } };
	struct head_arrival a = { 0 };
	struct document document;
	struct scope scope;
	int e;

	if (!at)
		return ERR_CORRUPT;
	memcpy(key.bytes, at, SCOPE_KEY_SIZE);
	trace_key_scope(&key, &scope);
	at += SCOPE_KEY_SIZE;
	a.scope = &scope;
	a.sequence = get_le64(at);
	a.received_ns = (int64_t)get_le64(at + 8);
	a.position = get_le64(at + 16);
	document.format = (enum document_format)at[27];
	document.bytes.len = get_le32(at + 24) & 0xffffff;
	document.bytes.ptr = (const char *)take(rest, document.bytes.len);
	if (at[27] >= DOCUMENT_FORMATS || !document.bytes.ptr)
		return ERR_CORRUPT;
	arena_reset(&t->scratch);
	e = head_add_document(&t->head, &a, &document, &t->scratch);
	return e < 0 ? e : 0;
}

static int read_image(struct traces *t, struct sv rest, struct diag *diag)
{
	bool first_format = rest.len < 8 ||
			    get_le64((const uint8_t *)rest.ptr) != 0;
	const uint8_t *at = first_format ? (const uint8_t *)"" : take(&rest, 8);
	uint32_t count;
	int e = 0;

	if (at)
		at = take(&rest, 28);
	if (!at)
		return ERR_CORRUPT;
	t->next_number = get_le64(at);
	t->next_sequence = get_le64(at + 8);
	t->opened_ns = (int64_t)get_le64(at + 16);
	count = get_le32(at + 24);
	for (uint32_t i = 0; i < count && !e; i++)
		e = read_block(t, first_format, &rest, diag);
	if (e)
		return e;
	at = take(&rest, 4);
	if (!at)
		return ERR_CORRUPT;
	count = get_le32(at);
	for (uint32_t i = 0; i < count && !e; i++)
		e = read_document(t, &rest);
	if (!e && rest.len)
		e = ERR_CORRUPT;
	return e;
}

/* Back to what a new view is. */
static void forget(struct traces *t, struct block_set *empty)
{
	head_fini(&t->head);
	traces_publish(t, empty);
	t->next_number = t->next_sequence = 1;
	t->opened_ns = 0;
}

int traces_read_checkpoint(struct traces *t, struct diag *diag)
{
	struct buf image = { .limit = CHECKPOINT_IMAGE_MAX };
	char path[TRACES_PATH_MAX];
	uint64_t position;
	int e;

	checkpoint_path(t, path);
	e = checkpoint_read(t->env, path, SV("traces"), TRACES_IMAGE_FORMAT,
			    &position, &image);
	if (!e)
		e = read_image(t, buf_view(&image), diag);
	buf_fini(&image);
	if (e == ERR_CORRUPT) {
		struct block_set *empty =
			block_set_make(NULL, NULL, NULL, NULL);

		if (!empty)
			return ERR_NOMEM;
		forget(t, empty);
	}
	if (!e)
		t->view.position = t->view.durable = position;
	return e;
}
