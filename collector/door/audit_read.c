/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/audit_read.h"

#include <assert.h>
#include <stdlib.h>

#include "core/codec/json.h"
#include "core/codec/time_text.h"

struct found {
	int64_t time_ns;
	struct sv line; /* a JSON object */
};

struct reading {
	const struct audit_query *query;
	char account[24];
	struct arena *arena;
	struct arena scratch; /* of one line */
	struct found *found;
	size_t count, limit; /* limit: of this kind of files */
	uint64_t damaged;
	bool more;
	int err;
};

static bool is_text(struct json row, const char *name, struct sv want)
{
	return json_string_is(json_get(row, sv_from(name)), want);
}

/* Whether the asker may see it, and wants to. */
static bool matches(const struct reading *g, struct json row)
{
	const struct audit_query *q = g->query;
	struct json account = json_get(row, SV("account"));

	if (account.doc ? !json_string_is(account, sv_from(g->account)) :
			  !q->unowned)
		return false;
	if (q->operation.len && !is_text(row, "operation", q->operation))
		return false;
	return !q->caller.len || is_text(row, "caller", q->caller) ||
	       is_text(row, "key", q->caller);
}

static bool on_line(void *arg, struct sv line)
{
	struct reading *g = arg;
	struct json_doc doc;
	struct json row;
	struct sv text;
	int64_t ns;

	arena_reset(&g->scratch);
	if (!audit_line_check(line) ||
	    json_parse(&doc, &g->scratch, line, NULL)) {
		g->damaged++;
		return true;
	}
	row = json_root(&doc);
	text = json_string(json_get(row, SV("time")), &g->scratch);
	if (!text.ptr || !time_from_iso(text, &ns)) {
		g->damaged++;
		return true;
	}
	if (ns < g->query->start_ns || ns >= g->query->end_ns ||
	    !matches(g, row))
		return true;
	if (g->count == g->limit) {
		g->more = true;
		return false;
	}
	text = audit_line_object(line, g->arena);
	if (!text.ptr) {
		g->err = ERR_NOMEM;
		return false;
	}
	g->found[g->count++] = (struct found){ ns, text };
	return true;
}

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a;
	const struct found *y = b;

	return x->time_ns > y->time_ns ? -1 : x->time_ns < y->time_ns;
}

int audit_files_query(struct audit_files *const *files, size_t file_count,
		      const struct audit_query *query, struct arena *arena,
		      struct sv **rows, size_t *count, bool *truncated,
		      uint64_t *damaged)
{
	struct reading g = { .query = query, .arena = arena };
	int e = 0;

	assert(query->limit > 0 && query->limit <= AUDIT_LIMIT_MAX);
	snprintf(g.account, sizeof(g.account), "%012llu",
		 (unsigned long long)query->account);
	g.found =
		arena_array(arena, file_count * query->limit, sizeof(*g.found));
	*rows = arena_array(arena, query->limit, sizeof(**rows));
	if (!g.found || !*rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < file_count && !e; i++) {
		g.limit = g.count + query->limit;
		e = audit_files_read(files[i], query->start_ns, on_line, &g);
	}
	arena_fini(&g.scratch);
	*damaged = g.damaged;
	if (e || g.err)
		return e ? e : g.err;
	qsort(g.found, g.count, sizeof(*g.found), newest_first);
	*truncated = g.more || g.count > query->limit;
	*count = g.count < query->limit ? g.count : query->limit;
	for (size_t i = 0; i < *count; i++)
		(*rows)[i] = g.found[i].line;
	return 0;
}
