/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/answer.h"

#include <stdlib.h>

#include "core/client/program.h"

/* jansson stops at 2048 levels (JSON_PARSER_MAX_DEPTH); its stack use there is
 * small, but who walks the value afterwards may recurse with larger frames. */
static int depth_of(struct sv body)
{
	int depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < body.len; i++) {
		char c = body.ptr[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{'))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!quoted && (c == ']' || c == '}'))
			depth--;
	}
	return deepest;
}

int answer_parse(json_t **out, struct sv body, struct diag *diag)
{
	json_error_t error;

	*out = NULL;
	if (depth_of(body) > ANSWER_DEPTH_MAX)
		return diag_set(diag, ERR_LIMIT,
				"the answer is nested deeper than %d",
				ANSWER_DEPTH_MAX);
	*out = json_loadb(body.ptr, body.len, JSON_ALLOW_NUL, &error);
	if (!*out)
		return diag_set(diag, ERR_SYNTAX,
				"the answer is no JSON (byte %d); "
				"is it a tally-collector?",
				error.position);
	return 0;
}

int answer_get(struct client *c, const char *path, json_t **out,
	       struct diag *diag)
{
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	int err = client_get(c, path, &body, diag);

	*out = NULL;
	if (!err)
		err = answer_parse(out, buf_view(&body), diag);
	buf_fini(&body);
	return err;
}

bool answer_ask(struct program *p, const char *path, json_t **root)
{
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	struct diag diag;
	int e = client_get(p->client, path, &body, &diag);

	*root = NULL;
	if (!e)
		e = answer_parse(root, buf_view(&body), &diag);
	if (e) {
		program_fail(p, &diag);
	} else if (p->json) {
		json_decref(*root);
		*root = NULL;
		program_json(p, buf_view(&body));
	}
	buf_fini(&body);
	return !e;
}

void answer_print(struct program *p, const json_t *value)
{
	/* 16 figures give an epoch time back with its microseconds. */
	char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(16));

	if (text)
		program_json(p, sv_from(text));
	else
		p->out.failed = true;
	free(text);
}

struct sv answer_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		return SV("");
	return sv_make(json_string_value(value), json_string_length(value));
}

const char *answer_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

double answer_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

int64_t answer_integer(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	double real;

	if (json_is_integer(value))
		return json_integer_value(value);
	real = json_number_value(value);
	/* 2^63 is a double; the largest below it converts exactly. */
	if (real >= 0x1p63)
		return INT64_MAX;
	return real < -0x1p63 ? INT64_MIN : (int64_t)real;
}

bool answer_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

json_t *answer_array(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_array(value) ? value : NULL;
}

json_t *answer_object(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_object(value) ? value : NULL;
}
