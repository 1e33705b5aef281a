/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/cmd/cmd.h"

#include "core/client/when.h"

int cmd_fail(const struct diag *diag)
{
	fprintf(stderr, "tally-trace: %s\n", diag->text);
	return 1;
}

int cmd_get(struct cmd *c, const char *path, struct json *root,
	    struct diag *diag)
{
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	struct json_doc *doc = arena_new(&c->arena, struct json_doc);
	struct sv text;
	int e = client_get(c->client, path, &body, diag);

	*root = (struct json){ 0 };
	if (!e && c->json) {
		term_safe_json(&c->out, sv_trim(buf_view(&body)));
		buf_char(&c->out, '\n');
	} else if (!e) {
		text = arena_copy(&c->arena, buf_view(&body));
		e = doc && text.ptr ? json_parse(doc, &c->arena, text, diag) :
				      ERR_NOMEM;
		if (e)
			(void)diag_set(diag, e,
				       "the collector's answer cannot be "
				       "read: %s; is %s a collector?",
				       err_text(e), client_endpoint(c->client));
		else
			*root = json_root(doc);
	}
	buf_fini(&body);
	return e;
}

void cmd_query_range(const struct cmd *c, struct buf *path)
{
	double end = c->until > 0 ? c->until : c->now;
	double start = c->since > 0 ? c->since : end - 3600;
	struct buf text = BUF_INIT;

	when_format(&text, start);
	client_query(path, "start", text.ptr);
	buf_reset(&text);
	/* What starts this very moment is to be seen too. */
	when_format(&text, c->until > 0 ? end : end + 60);
	client_query(path, "end", text.ptr);
	buf_fini(&text);
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
	bool utf8 = c->term.utf8;

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
	term_styled(&c->term, &c->out, TERM_BOLD, sv_from(text));
	buf_char(&c->out, '\n');
}
