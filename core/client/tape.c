/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/tape.h"

int tape_get(struct client *c, const char *path, struct arena *arena,
	     struct json *root, struct diag *diag)
{
	struct buf body = { .limit = CLIENT_ANSWER_MAX };
	struct json_doc *doc = arena_new(arena, struct json_doc);
	struct sv text;
	int e = client_get(c, path, &body, diag);

	*root = (struct json){ 0 };
	if (!e) {
		text = arena_copy(arena, buf_view(&body));
		e = doc && text.ptr ? json_parse(doc, arena, text, diag) :
				      ERR_NOMEM;
		if (e)
			(void)diag_set(diag, e,
				       "the collector's answer cannot be "
				       "read: %s; is %s a collector?",
				       err_text(e), client_endpoint(c));
		else
			*root = json_root(doc);
	}
	buf_fini(&body);
	return e;
}
