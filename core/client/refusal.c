/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/refusal.h"

#include "core/codec/json.h"

/* Copies the first line of text; what has no room is cut, at the end of a
 * sentence if there is one. */
static void printable(char *out, size_t room, struct sv text)
{
	size_t n = 0, sentences = 0;

	for (; n < text.len && n + 1 < room && text.ptr[n] != '\n'; n++) {
		unsigned char c = (unsigned char)text.ptr[n];

		out[n] = c >= 0x20 && c < 0x7F ? (char)c : '?';
		if (c == ' ' && n && out[n - 1] == '.')
			sentences = n;
	}
	if (n < text.len && text.ptr[n] != '\n' && sentences)
		n = sentences;
	out[n] = '\0';
}

/* "com.amazonaws.logs#Name:http://..." is Name. */
static struct sv bare(struct sv type)
{
	struct sv rest = type;

	(void)sv_cut(&rest, '#');
	if (rest.ptr)
		type = rest;
	return sv_cut(&type, ':');
}

static void read_json(struct refusal *out, struct sv body)
{
	struct arena arena = ARENA_INIT;
	struct json_doc doc;
	struct json root, error;
	struct sv code, message;

	if (json_parse(&doc, &arena, body, NULL) == 0) {
		root = json_root(&doc);
		error = json_get(root, SV("error"));
		code = json_string(json_get(error, SV("code")), &arena);
		message = json_string(json_get(error, SV("message")), &arena);
		if (!code.len)
			code = json_string(json_get(root, SV("__type")),
					   &arena);
		if (!message.len)
			message = json_string(json_get(root, SV("message")),
					      &arena);
		printable(out->code, sizeof(out->code), bare(code));
		printable(out->message, sizeof(out->message), message);
	}
	arena_fini(&arena);
}

void refusal_read(struct refusal *out, const char *content_type, struct sv body)
{
	*out = (struct refusal){ 0 };
	if (content_type && sv_starts(sv_from(content_type), SV("text/plain")))
		printable(out->message, sizeof(out->message), body);
	else
		read_json(out, body);
}
