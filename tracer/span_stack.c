/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/span_stack.h"

struct frame {
	struct sv path, label;
	uint64_t line;
};

/* Takes digits off the end of s, and the mark before them. */
static bool take_number(struct sv *s, char mark, uint64_t *out)
{
	size_t n = s->len;

	while (n && s->ptr[n - 1] >= '0' && s->ptr[n - 1] <= '9')
		n--;
	if (!n || s->ptr[n - 1] != mark ||
	    !sv_to_u64(sv_make(s->ptr + n, s->len - n), out))
		return false;
	s->len = n - 1;
	return true;
}

/* "at label (path:line:column)", "at path:line:column", Java's
 * "at package.Class.method(File.java:line)" */
static bool read_at(struct sv line, struct frame *out)
{
	struct sv place = line;
	uint64_t number;
	const char *open;

	if (!sv_starts(line, SV("at ")))
		return false;
	place = sv_make(line.ptr + 3, line.len - 3);
	open = memrchr(place.ptr, '(', place.len);
	*out = (struct frame){ SV(""), SV(""), 0 };
	if (open && sv_ends(place, SV(")"))) {
		size_t n = (size_t)(open - place.ptr);

		out->label = sv_trim(sv_make(place.ptr, n));
		place = sv_make(open + 1, place.len - n - 2);
	}
	out->path = place;
	if (!take_number(&place, ':', &number))
		return true; /* "native code" and the like */
	out->path = place;
	out->line = number;
	if (take_number(&place, ':', &number)) { /* that was a column */
		out->path = place;
		out->line = number;
	}
	return true;
}

/* Python's "File "path", line 12, in label" */
static bool read_file(struct sv line, struct frame *out)
{
	const struct sv head = SV("File \""), middle = SV("\", line ");
	const char *at;
	struct sv rest;

	if (!sv_starts(line, head))
		return false;
	rest = sv_make(line.ptr + head.len, line.len - head.len);
	at = memmem(rest.ptr, rest.len, middle.ptr, middle.len);
	if (!at)
		return false;
	*out = (struct frame){ sv_make(rest.ptr, (size_t)(at - rest.ptr)),
			       SV(""), 0 };
	rest = sv_make(at + middle.len, rest.len - out->path.len - middle.len);
	if (!sv_to_u64(sv_cut(&rest, ','), &out->line))
		return false;
	rest = sv_trim(rest);
	if (rest.ptr && sv_starts(rest, SV("in ")))
		out->label = sv_make(rest.ptr + 3, rest.len - 3);
	return true;
}

static void put_frame(struct json_writer *w, const struct frame *f)
{
	json_open_object(w);
	json_key(w, "path");
	json_put_sv(w, f->path);
	json_key(w, "line");
	json_put_u64(w, f->line);
	json_key(w, "label");
	json_put_sv(w, f->label);
	json_close_object(w);
}

void span_stack_write(struct json_writer *w, struct sv stack)
{
	struct frame frames[SPAN_FRAMES_MAX];
	size_t count = 0;
	bool outermost_first = false;

	while (stack.ptr && count < SPAN_FRAMES_MAX) {
		struct sv line = sv_trim(sv_cut(&stack, '\n'));

		if (read_at(line, &frames[count])) {
			count++;
		} else if (read_file(line, &frames[count])) {
			outermost_first = true;
			count++;
		}
	}
	for (size_t i = 0; i < count; i++)
		put_frame(w, &frames[outermost_first ? count - 1 - i : i]);
}
