/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes. A tree that is taken is written out again, all percent-encoded
 * and from its end, and must be read as the same tree. */
#include "core/codec/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct buf *out, struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		buf_format(out, "%%%02X", (unsigned char)s.ptr[i]);
}

/* Pairs below v, the last one first; depth of them lead to it. */
static void write_tree(struct buf *out, struct form v, struct sv *path,
		       size_t depth, uint32_t child)
{
	struct form it = form_first(v);

	if (form_value(v).ptr) {
		for (size_t i = 0; i < depth; i++) {
			buf_text(out, i ? "." : "");
			encode(out, path[i]);
		}
		buf_char(out, '=');
		encode(out, form_value(v));
		buf_char(out, '&');
		return;
	}
	for (uint32_t i = 0; i < child; i++)
		it = form_next(v, it);
	path[depth] = form_name(it);
	write_tree(out, it, path, depth + 1, form_count(it) - 1);
	if (child)
		write_tree(out, v, path, depth, child - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv path[FORM_DEPTH_MAX + 1];
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct form_doc doc, again;
	struct form v, u;

	if (!form_parse(&doc, &a, sv_make((const char *)data, size), NULL)) {
		if (doc.count > 1 && doc.count < 500)
			write_tree(&b, form_root(&doc), path, 0,
				   form_count(form_root(&doc)) - 1);
		if (form_parse(&again, &a, buf_view(&b), NULL))
			__builtin_trap();
		for (uint32_t i = 0; b.len && i < doc.count; i++) {
			v = (struct form){ &doc, i };
			u = (struct form){ &again, i };
			if (!sv_eq(form_name(v), form_name(u)) ||
			    !sv_eq(form_value(v), form_value(u)) ||
			    form_count(v) != form_count(u))
				__builtin_trap();
		}
	}
	buf_fini(&b);
	arena_fini(&a);
	return 0;
}
