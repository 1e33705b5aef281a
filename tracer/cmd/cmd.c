/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/cmd/cmd.h"

#include "core/client/when.h"

int cmd_get(struct cmd *c, const char *path, struct json *root,
	    struct diag *diag)
{
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	int e;

	*root = (struct json){ 0 };
	if (!c->program.json)
		return tape_get(c->program.client, path, &c->arena, root, diag);
	e = client_get(c->program.client, path, &body, diag);
	if (!e)
		program_json(&c->program, buf_view(&body));
	buf_fini(&body);
	return e;
}

void cmd_query_range(const struct cmd *c, struct buf *path)
{
	double end = c->until > 0 ? c->until : c->program.now;
	double start = c->since > 0 ? c->since : end - 3600;

	when_query(path, "start", start);
	/* What starts this very moment is to be seen too. */
	when_query(path, "end", c->until > 0 ? end : end + 60);
}

struct sv cmd_text(struct cmd *c, struct json object, struct sv key)
{
	struct json v = json_get(object, key);
	struct sv text;

	if (json_is(v, JSON_NUMBER))
		return json_raw(v);
	text = json_string(v, &c->arena);
	return text.ptr ? text : SV("");
}

double cmd_number(struct json object, struct sv key)
{
	double v;

	return json_to_double(json_get(object, key), &v) ? v : 0;
}

bool cmd_true(struct json object, struct sv key)
{
	return json_is(json_get(object, key), JSON_TRUE);
}

enum term_style cmd_status_style(struct sv status)
{
	if (sv_eq(status, SV("ok")))
		return TERM_GREEN;
	return sv_eq(status, SV("error")) || sv_eq(status, SV("throttle")) ?
		       TERM_YELLOW :
		       TERM_RED;
}

void cmd_branch(const struct cmd *c, struct buf *out, unsigned depth,
		uint64_t last)
{
	bool utf8 = c->program.term.utf8;

	for (unsigned d = 1; d < depth; d++)
		buf_text(out, last >> d & 1 ? "   " :
			      utf8          ? "\u2502  " :
					      "|  ");
	if (!depth)
		return;
	if (last >> depth & 1)
		buf_text(out, utf8 ? "\u2514\u2500 " : "`- ");
	else
		buf_text(out, utf8 ? "\u251c\u2500 " : "|- ");
}

void cmd_title(struct cmd *c, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	term_styled(&c->program.term, &c->program.out, TERM_BOLD,
		    sv_from(text));
	buf_char(&c->program.out, '\n');
}
