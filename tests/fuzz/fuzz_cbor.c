/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes. What is taken is written again (definite lengths, shortest heads)
 * and read again: every item must be the same. */
#include "core/codec/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy(struct cbor_writer *w, struct cbor v, struct arena *a)
{
	const struct cbor_node *n = &v.doc->nodes[v.index];
	uint64_t tag;
	int64_t i;
	double d;

	if (cbor_to_tag(v, &tag))
		cbor_put_tag(w, tag);
	else if (n->type == CBOR_MAP)
		cbor_put_map(w, n->len / 2);
	else if (n->type == CBOR_ARRAY)
		cbor_put_array(w, n->len);
	else if (n->type == CBOR_TEXT)
		cbor_put_sv(w, cbor_text(v, a));
	else if (n->type == CBOR_BYTES)
		cbor_put_bytes(w, cbor_bytes(v, a));
	else if (n->type != CBOR_FLOAT && cbor_to_i64(v, &i))
		cbor_put_i64(w, i);
	else if (cbor_to_double(v, &d))
		cbor_put_double(w, d);
	else if (n->type == CBOR_TRUE || n->type == CBOR_FALSE)
		cbor_put_bool(w, n->type == CBOR_TRUE);
	else
		cbor_put_null(w);
	for (struct cbor it = cbor_first(v); it.doc; it = cbor_next(v, it)) {
		copy(w, it, a);
		if (n->type == CBOR_MAP)
			copy(w, cbor_member(it), a);
	}
}

static bool same(struct cbor v, struct cbor u, struct arena *a)
{
	const struct cbor_node *n = &v.doc->nodes[v.index];
	const struct cbor_node *m = &u.doc->nodes[u.index];
	double d = 0, e = 0;
	int64_t i, j;

	if (n->next != m->next || n->len != m->len ||
	    !sv_eq(cbor_text(v, a), cbor_text(u, a)) ||
	    !sv_eq(cbor_bytes(v, a), cbor_bytes(u, a)) ||
	    cbor_to_double(v, &d) != cbor_to_double(u, &e) ||
	    (d != e && d == d) ||
	    /* One below -2^63 is copied as the nearest double, maybe -2^63. */
	    (n->type == m->type && cbor_to_i64(v, &i) != cbor_to_i64(u, &j)) ||
	    cbor_to_ns(v, &i) != cbor_to_ns(u, &j))
		return false;
	return !cbor_is(v, CBOR_TEXT) || cbor_text_is(u, cbor_text(v, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct cbor_writer w = cbor_writer(&b);
	struct cbor_doc doc, again;

	if (!cbor_parse(&doc, &a, sv_make((const char *)data, size), NULL)) {
		copy(&w, cbor_root(&doc), &a);
		if (!cbor_is_complete(&w) ||
		    cbor_parse(&again, &a, buf_view(&b), NULL) ||
		    again.count != doc.count)
			__builtin_trap();
		for (uint32_t i = 0; i < doc.count; i++)
			if (!same((struct cbor){ &doc, i },
				  (struct cbor){ &again, i }, &a))
				__builtin_trap();
	}
	buf_fini(&b);
	arena_fini(&a);
	return 0;
}
