/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/span_json.h"

#include <math.h>

#include "core/codec/base64.h"

/* --- attributes --------------------------------------------------------------------------- */

bool span_is_scalar(const struct span_value *value)
{
	return value->kind >= VALUE_STRING && value->kind <= VALUE_DOUBLE;
}

static void put_double(struct json_writer *w, double d)
{
	if (isfinite(d))
		json_put_double(w, d);
	else
		json_put_text(w, isnan(d) ? "NaN" :
				 d < 0    ? "-Infinity" :
					    "Infinity");
}

static void put_base64(struct json_writer *w, struct sv bytes)
{
	struct buf text = BUF_INIT;

	base64_put(&text, bytes);
	json_put_sv(w, buf_view(&text));
	buf_fini(&text);
}

static void put_array(struct json_writer *w, struct sv array)
{
	struct protobuf r = protobuf_reader(array);
	struct protobuf_field f;
	struct span_value item;

	json_open_array(w);
	while (protobuf_next(&r, &f) > 0) {
		if (f.number != 1)
			continue;
		span_value_read(f.bytes, &item);
		span_json_value(w, &item);
	}
	json_close_array(w);
}

void span_json_value(struct json_writer *w, const struct span_value *value)
{
	switch (value->kind) {
	case VALUE_STRING:
		json_put_sv(w, value->bytes);
		return;
	case VALUE_BOOL:
		json_put_bool(w, value->number != 0);
		return;
	case VALUE_INT:
		json_put_i64(w, (int64_t)value->number);
		return;
	case VALUE_DOUBLE:
		put_double(w, protobuf_double(value->number));
		return;
	case VALUE_BYTES:
		put_base64(w, value->bytes);
		return;
	case VALUE_ARRAY:
		if (w->depth + 2 > JSON_WRITE_DEPTH_MAX)
			break;
		put_array(w, value->bytes);
		return;
	case VALUE_KVLIST:
		if (w->depth + 2 > JSON_WRITE_DEPTH_MAX)
			break;
		json_open_object(w);
		span_json_attributes(w, value->bytes, 1, SPAN_ALL, SV(""));
		json_close_object(w);
		return;
	default:
		break;
	}
	json_put_null(w);
}

static bool picks(enum span_pick pick, const struct span_value *value)
{
	return pick == SPAN_ALL ||
	       span_is_scalar(value) == (pick == SPAN_SCALARS);
}

static void put_key(struct json_writer *w, struct sv prefix, struct sv key)
{
	struct buf both = BUF_INIT;

	if (!prefix.len) {
		json_key_sv(w, key);
		return;
	}
	buf_sv(&both, prefix);
	buf_sv(&both, key);
	json_key_sv(w, buf_view(&both));
	buf_fini(&both);
}

bool span_json_attributes(struct json_writer *w, struct sv message,
			  uint32_t number, enum span_pick pick,
			  struct sv prefix)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	struct span_value value;
	struct sv key;
	bool any = false;

	while (protobuf_next(&r, &f) > 0) {
		if (f.number != number ||
		    !span_attribute_read(f.bytes, &key, &value) ||
		    !picks(pick, &value))
			continue;
		put_key(w, prefix, key);
		span_json_value(w, &value);
		any = true;
	}
	return any;
}

bool span_has_attributes(struct sv message, uint32_t number,
			 enum span_pick pick)
{
	struct protobuf r = protobuf_reader(message);
	struct protobuf_field f;
	struct span_value value;
	struct sv key;

	while (protobuf_next(&r, &f) > 0)
		if (f.number == number &&
		    span_attribute_read(f.bytes, &key, &value) &&
		    picks(pick, &value))
			return true;
	return false;
}

/* --- stack traces --------------------------------------------------------------------------- */

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

void span_json_stack(struct json_writer *w, struct sv stack)
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
