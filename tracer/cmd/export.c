/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace export: a request's documents, for other programs. */
#include "tracer/cmd/cmd.h"

/* X-Ray's: one a line, as they came or as the rules of conversion make them. */
static void put_documents(struct cmd *c, struct json segments)
{
	struct json it;

	for (it = json_first(segments); it.doc; it = json_next(segments, it))
		program_json(&c->program,
			     json_raw(json_get(it, SV("document"))));
}

int cmd_export(struct cmd *c, const char *id)
{
	struct buf path = { .limit = CLIENT_URL_MAX };
	struct json root = { 0 };
	struct diag diag;
	int e;

	buf_text(&path, "/api/v1/traces/");
	client_escape(&path, sv_from(id));
	if (c->otlp)
		buf_text(&path, "?format=otlp");
	e = path.failed ? diag_set(&diag, ERR_LIMIT, "the id is too long") :
			  tape_get(c->program.client, path.ptr, &c->arena,
				   &root, &diag);
	buf_fini(&path);
	if (e)
		return program_fail(&c->program, &diag);
	if (c->otlp)
		program_json(&c->program, json_raw(root));
	else
		put_documents(c, json_get(root, SV("segments")));
	return PROGRAM_OK;
}
