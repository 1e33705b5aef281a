/* SPDX-License-Identifier: Apache-2.0 */
/* Below the waterfall: annotations, and exceptions with their stacks. */
#include "tracer/cmd/cmd.h"

enum {
	EXCEPTIONS_MAX = 64,  /* shown; each once, however many say it */
	FRAMES_MAX = 20,      /* of one */
	ANNOTATIONS_MAX = 50, /* of one segment: X-Ray's limit of a trace */
};

/* --- annotations --------------------------------------------------------------- */

static void put_value(struct cmd *c, struct buf *out, struct json v)
{
	struct sv text = json_string(v, &c->arena);

	term_safe(out, text.ptr ? text : json_raw(v));
}

static void put_annotations(struct cmd *c, const struct segment *s,
			    struct json annotations, int width)
{
	struct buf *out = &c->program.out;
	int left = ANNOTATIONS_MAX;
	struct json it;

	buf_text(out, "  ");
	for (int used = term_safe_cut(out, s->name, width); used < width;
	     used++)
		buf_char(out, ' ');
	for (it = json_first(annotations); it.doc && left > 0;
	     it = json_next(annotations, it), left--) {
		struct sv key = json_string(it, &c->arena);

		buf_text(out, "  ");
		buf_text(out, term_style(&c->program.term, TERM_DIM));
		term_safe(out, key.ptr ? key : SV(""));
		buf_char(out, '=');
		buf_text(out, term_style(&c->program.term, TERM_PLAIN));
		put_value(c, out, json_member(it));
	}
	if (it.doc)
		buf_text(out, "  and more");
	buf_char(out, '\n');
}

static struct json annotations_of(const struct span *span)
{
	struct json v = json_get(span->segment.json, SV("annotations"));

	return json_is(v, JSON_OBJECT) && json_first(v).doc ?
		       v :
		       (struct json){ 0 };
}

void cmd_show_annotations(struct cmd *c, const struct assembly *a)
{
	int width = 0;

	for (uint32_t i = 0; i < a->count; i++)
		if (annotations_of(&a->spans[i]).doc) {
			int w = term_safe_width(a->spans[i].segment.name);

			width = w > width ? w : width;
		}
	if (!width)
		return;
	if (width > c->program.term.width / 3)
		width = c->program.term.width / 3;
	buf_text(&c->program.out, "\nAnnotations\n");
	for (uint32_t i = 0; i < a->count; i++) {
		struct json v = annotations_of(&a->spans[i]);

		if (v.doc)
			put_annotations(c, &a->spans[i].segment, v, width);
	}
}

/* --- exceptions ----------------------------------------------------------------- */

struct said {
	struct sv type, message;
};

struct exceptions {
	struct cmd *c;
	struct said said[EXCEPTIONS_MAX];
	size_t count;
	size_t cut; /* that had no room */
};

/* Callers repeat what the callee said. */
static bool is_new(struct exceptions *x, struct sv type, struct sv message)
{
	for (size_t i = 0; i < x->count; i++)
		if (sv_eq(x->said[i].type, type) &&
		    sv_eq(x->said[i].message, message))
			return false;
	if (x->count == EXCEPTIONS_MAX) {
		x->cut++;
		return false;
	}
	x->said[x->count++] = (struct said){ type, message };
	return true;
}

static void put_frame(struct cmd *c, struct json frame)
{
	struct buf *out = &c->program.out;
	struct sv label = cmd_text(c, frame, SV("label"));
	struct sv path = cmd_text(c, frame, SV("path"));
	struct sv line = cmd_text(c, frame, SV("line"));

	buf_text(out, "      at ");
	term_safe(out, label.len ? label : SV("(anonymous)"));
	buf_text(out, term_style(&c->program.term, TERM_DIM));
	if (path.len) {
		buf_text(out, " (");
		term_safe(out, path);
		if (line.len) {
			buf_char(out, ':');
			term_safe(out, line);
		}
		buf_char(out, ')');
	}
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	buf_char(out, '\n');
}

static void put_stack(struct cmd *c, struct json exception)
{
	struct json stack = json_get(exception, SV("stack"));
	double more = cmd_number(exception, SV("truncated"));
	size_t shown = 0;
	struct json it;

	if (!json_is(stack, JSON_ARRAY))
		return;
	for (it = json_first(stack); it.doc; it = json_next(stack, it))
		if (shown++ < FRAMES_MAX)
			put_frame(c, it);
	if (shown > FRAMES_MAX)
		more += (double)(shown - FRAMES_MAX);
	if (more > 0)
		buf_format(&c->program.out, "      and %.0f more frames\n",
			   more);
}

static void put_exception(struct exceptions *x, const struct segment *s,
			  struct json exception)
{
	struct cmd *c = x->c;
	struct buf *out = &c->program.out;
	struct sv type = cmd_text(c, exception, SV("type"));
	struct sv message = cmd_text(c, exception, SV("message"));
	struct json stack = json_get(exception, SV("stack"));

	/* A name and a message stand in the waterfall already. */
	if (!json_is(stack, JSON_ARRAY) || !json_first(stack).doc ||
	    !is_new(x, type, message))
		return;
	if (x->count == 1)
		buf_text(out, "\nExceptions\n");
	buf_text(out, "  ");
	term_styled(&c->program.term, out, TERM_BOLD, s->name);
	buf_text(out, ": ");
	buf_text(out, term_style(&c->program.term, TERM_RED));
	term_safe(out, type);
	if (type.len && message.len)
		buf_text(out, ": ");
	if (message.len && memchr(message.ptr, '\n', message.len)) {
		buf_char(out, '\n');
		term_safe_lines(out, message, 4);
	} else {
		term_safe(out, message);
	}
	buf_text(out, term_style(&c->program.term, TERM_PLAIN));
	if (cmd_true(exception, SV("remote")))
		buf_text(out, " (in what it called)");
	buf_char(out, '\n');
	put_stack(c, exception);
}

void cmd_show_exceptions(struct cmd *c, const struct assembly *a)
{
	struct exceptions x = { .c = c };

	for (uint32_t i = 0; i < a->count; i++) {
		const struct segment *s = &a->spans[i].segment;
		struct json list = json_get(json_get(s->json, SV("cause")),
					    SV("exceptions"));
		struct json it;

		if (!json_is(list, JSON_ARRAY))
			continue;
		for (it = json_first(list); it.doc; it = json_next(list, it))
			put_exception(&x, s, it);
	}
	if (x.cut)
		buf_format(&c->program.out, "  and %zu more; --json has all\n",
			   x.cut);
}
