/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "collector/door/http_internal.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place, and a NUL behind it, for which there is room. An escape that is
 * none stays as it is. */
static struct sv unescape(char *text, size_t len, bool plus)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%' && len - i > 2 && hex_digit(text[i + 1]) >= 0 &&
		    hex_digit(text[i + 2]) >= 0) {
			c = (char)(hex_digit(text[i + 1]) << 4 |
				   hex_digit(text[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		text[at++] = c;
	}
	text[at] = '\0';
	return sv_make(text, at);
}

bool target_read(struct exchange *x, struct sv target)
{
	struct request *r = &x->request;
	struct sv rest = arena_copy(&r->arena, target);
	struct sv path;

	if (!rest.ptr)
		return false;
	r->target_path = sv_cut(&rest, '?');
	r->target_query = rest;
	path = arena_copy(&r->arena, r->target_path);
	if (!path.ptr)
		return false;
	r->path = unescape((char *)path.ptr, path.len, false);
	return true;
}

/* On a copy that is cut up: "a=1&b=2". */
static void arguments_read(struct exchange *x)
{
	struct request *r = &x->request;
	struct sv query = arena_copy(&r->arena, r->target_query);
	size_t most = 1;

	if (!query.len)
		return;
	for (size_t i = 0; i < query.len; i++)
		most += query.ptr[i] == '&';
	x->arguments = arena_array(&r->arena, most, sizeof(*x->arguments));
	while (x->arguments && query.ptr) {
		struct sv value = sv_cut(&query, '&');
		struct sv name = sv_cut(&value, '=');
		struct argument *a = &x->arguments[x->argument_count];

		if (!name.len && !value.ptr)
			continue; /* "&&" */
		a->name = unescape((char *)name.ptr, name.len, true);
		if (value.ptr)
			a->value = unescape((char *)value.ptr, value.len, true);
		x->argument_count++;
	}
}

static const struct argument *arguments_of(struct exchange *x)
{
	if (!x->arguments)
		arguments_read(x);
	return x->arguments;
}

struct sv http_query(struct request *r, const char *name)
{
	struct exchange *x = exchange_of(r);
	const struct argument *a = arguments_of(x);

	for (size_t i = 0; i < x->argument_count; i++)
		if (sv_eq(a[i].name, sv_from(name)))
			return a[i].value;
	return (struct sv){ NULL, 0 };
}

void http_query_each(struct request *r,
		     void (*each)(void *arg, struct sv name, struct sv value),
		     void *arg)
{
	struct exchange *x = exchange_of(r);
	const struct argument *a = arguments_of(x);

	for (size_t i = 0; i < x->argument_count; i++)
		each(arg, a[i].name, a[i].value);
}

struct sv http_header(struct request *r, const char *name)
{
	return sv_from(MHD_lookup_connection_value(exchange_of(r)->connection,
						   MHD_HEADER_KIND, name));
}

struct walk {
	void (*each)(void *arg, struct sv name, struct sv value);
	void *arg;
};

static enum MHD_Result walk_values(void *arg, enum MHD_ValueKind kind,
				   const char *name, const char *value)
{
	struct walk *w = arg;

	(void)kind;
	w->each(w->arg, sv_from(name), sv_from(value));
	return MHD_YES;
}

void http_headers_each(struct request *r,
		       void (*each)(void *arg, struct sv name, struct sv value),
		       void *arg)
{
	struct walk w = { each, arg };

	MHD_get_connection_values(exchange_of(r)->connection, MHD_HEADER_KIND,
				  walk_values, &w);
}
