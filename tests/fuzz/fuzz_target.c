/* SPDX-License-Identifier: Apache-2.0 */
/* The target of a request line: path and arguments, unescaped. What is yielded
 * is no longer than what was sent, has its NUL, and is found by its name. */
#include <string.h>

#include "collector/door/http_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
	struct request *r;
	size_t bytes, count;
};

static void each(void *arg, struct sv name, struct sv value)
{
	struct walk *w = arg;

	w->bytes += name.len + value.len;
	w->count++;
	if (name.ptr[name.len] || (value.ptr && value.ptr[value.len]))
		__builtin_trap();
	if (strlen(name.ptr) == name.len && value.ptr && w->count == 1 &&
	    !sv_eq(request_query(w->r, name.ptr), value))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exchange x = { .request.carrier = &http_carrier };
	struct walk w = { .r = &x.request };

	if (size < HTTP_URL_MAX &&
	    target_read(&x, sv_make((const char *)data, size))) {
		if (x.request.path.len > x.request.target_path.len)
			__builtin_trap();
		request_query_each(&x.request, each, &w);
		if (w.bytes > x.request.target_query.len)
			__builtin_trap();
	}
	arena_fini(&x.request.arena);
	return 0;
}
