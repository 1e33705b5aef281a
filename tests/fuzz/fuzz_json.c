/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes, by both parsers, which must agree; and of a text that is taken,
 * every value is read in every way. */
#include <stddef.h>
#include <stdint.h>

#include "core/codec/json_wide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(struct json v, struct arena *a)
{
	struct json_doc again;
	int64_t n;
	double d;

	if (json_to_i64(v, &n) && !json_to_double(v, &d))
		__builtin_trap();
	(void)!json_to_ns(v, &n);
	if (json_is(v, JSON_STRING) && !sv_is_utf8(json_string(v, a)))
		__builtin_trap();
	if (json_is(v, JSON_STRING) && !json_string_is(v, json_string(v, a)))
		__builtin_trap();
	if (v.index % 16 == 1 && json_parse(&again, a, json_raw(v), NULL))
		__builtin_trap();
	for (struct json it = json_first(v); it.doc; it = json_next(v, it))
		visit(json_is(v, JSON_OBJECT) ? json_member(it) : it, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct sv text = sv_make((const char *)data, size);
	struct json_doc doc, same;
	int e = json_parse(&doc, &a, text, NULL);

	if (json_parse_portable(&same, &a, text, NULL) != e ||
	    (!e &&
	     (doc.count != same.count ||
	      memcmp(doc.nodes, same.nodes, doc.count * sizeof(*doc.nodes)))))
		__builtin_trap();
	if (!e)
		visit(json_root(&doc), &a);
	arena_fini(&a);
	return 0;
}
