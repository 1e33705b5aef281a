/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dictionaries of blocks: read when a block is asked, kept while there is room
 * for them, so that memory does not grow with the number of blocks. Who uses
 * one holds a reference; the least recently used leaves first.
 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/traces_inner.h"

struct dictionary {
	struct shapes *shapes;
	struct buf image; /* which shapes reads from */
	unsigned refs;    /* under the view's lock */
};

static void dictionary_free(struct dictionary *d)
{
	if (d->shapes)
		shapes_free(d->shapes);
	buf_fini(&d->image);
	free(d);
}

static void unref(struct dictionary *d)
{
	assert(d->refs > 0);
	if (--d->refs == 0)
		dictionary_free(d);
}

static int read_image(const struct block_ref *b, struct buf *image)
{
	struct block_scan *scan;
	struct row_key from;
	struct sv key, value;
	int e;

	row_key_dictionary(&from);
	e = block_scan_open(&scan, b->block, row_key_view(&from));
	if (e)
		return e;
	e = block_scan_next(scan, &key, &value);
	if (e == 1 && sv_eq(key, row_key_view(&from)))
		buf_sv(image, value);
	else if (e >= 0)
		e = ERR_CORRUPT;
	block_scan_close(scan);
	return e < 0 ? e : image->failed ? ERR_NOMEM : 0;
}

static int load(const struct block_ref *b, struct dictionary **out)
{
	struct dictionary *d = calloc(1, sizeof(*d));
	int e;

	if (!d)
		return ERR_NOMEM;
	d->refs = 1;
	e = read_image(b, &d->image);
	if (!e)
		e = shapes_open(&d->shapes, buf_view(&d->image));
	if (e) {
		dictionary_free(d);
		return e;
	}
	*out = d;
	return 0;
}

/* Under the lock. */
static void make_room(struct traces *t, size_t bytes)
{
	while (t->dictionary_bytes &&
	       t->dictionary_bytes + bytes > TRACES_DICTIONARIES_BYTES) {
		struct block_ref *oldest = NULL;

		for (size_t i = 0; i < t->set->count; i++) {
			struct block_ref *b = t->set->items[i];

			if (b->dictionary &&
			    (!oldest ||
			     b->dictionary_used < oldest->dictionary_used))
				oldest = b;
		}
		if (!oldest)
			return; /* of blocks that are being deleted */
		dictionary_drop(t, oldest);
	}
}

void dictionary_drop(struct traces *t, struct block_ref *b)
{
	if (!b->dictionary)
		return;
	t->dictionary_bytes -= b->dictionary->image.len;
	unref(b->dictionary);
	b->dictionary = NULL;
}

int dictionary_take(struct traces *t, struct block_ref *b,
		    struct dictionary **out)
{
	struct dictionary *d;
	int e;

	traces_lock(t);
	b->dictionary_used = ++t->dictionary_clock;
	d = b->dictionary;
	if (d)
		d->refs++;
	traces_unlock(t);
	if (d) {
		*out = d;
		return 0;
	}
	e = load(b, &d);
	if (e)
		return e;
	traces_lock(t);
	/* Somebody else may have read it meanwhile. */
	if (!b->dictionary && d->image.len <= TRACES_DICTIONARIES_BYTES / 2) {
		make_room(t, d->image.len);
		d->refs++;
		b->dictionary = d;
		t->dictionary_bytes += d->image.len;
	}
	traces_unlock(t);
	*out = d;
	return 0;
}

void dictionary_release(struct traces *t, struct dictionary *d)
{
	traces_lock(t);
	unref(d);
	traces_unlock(t);
}

const struct shapes *dictionary_shapes(const struct dictionary *d)
{
	return d->shapes;
}
