/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/search.h"

#include <assert.h>
#include <stdio.h>

#include "core/base/hash.h"

enum { PPM = 1000000, TOKEN_BYTES = 32 };
_Static_assert(TOKEN_BYTES == 16 + TRACE_ID_SIZE, "question, start, id");
_Static_assert(SEARCH_TOKEN_TEXT == 2 * TOKEN_BYTES, "in hex");

static bool in_share(const struct search *s, const uint8_t id[TRACE_ID_SIZE])
{
	struct sv bytes = sv_make((const char *)id, TRACE_ID_SIZE);

	return !s->share_ppm || hash64(bytes) % PPM < s->share_ppm;
}

static enum filter_guess guess(const struct search *s,
			       const struct trace_summary *summary)
{
	const struct filter_hint hint = {
		.duration_ns = summary->end_ns - summary->start_ns,
		.status = summary->status,
		.partial = summary->partial,
		.names = summary->names,
		.name_count = summary->name_count,
	};

	return s->filter ? filter_guess(s->filter, &hint) : FILTER_YES;
}

static bool wants(void *arg, const struct trace_summary *summary)
{
	struct search *s = arg;

	return in_share(s, summary->id) && guess(s, summary) != FILTER_NO;
}

static int visit(void *arg, const struct trace *trace, struct arena *arena)
{
	struct search *s = arg;
	struct facts facts;
	bool is;
	int e = 0;

	s->reads++;
	facts_init(&facts, &trace->assembly, &trace->documents[0].document,
		   sizeof(trace->documents[0]), s->scope->account, arena);
	is = guess(s, &trace->summary) == FILTER_YES ||
	     filter_match(s->filter, &facts);
	if (!facts.failed && is) {
		e = s->found(s->arg, trace, &facts);
		s->count++;
	}
	if (facts.failed)
		return ERR_NOMEM;
	if (e)
		return e;
	return s->count == s->found_max || s->reads == SEARCH_READS_MAX;
}

int search_page(struct traces *t, struct search *s)
{
	struct traces_scan scan = { .scope = s->scope,
				    .start_ns = s->start_ns,
				    .end_ns = s->end_ns,
				    .by = s->by,
				    .cursor = s->cursor,
				    .traces_max = SEARCH_TRACES_MAX,
				    .wants = wants,
				    .visit = visit,
				    .arg = s };
	int e;

	assert(s->found);
	if (!s->found_max || s->found_max > SEARCH_FOUND_MAX)
		s->found_max = SEARCH_FOUND_MAX;
	s->reads = s->count = 0;
	e = traces_scan(t, &scan);
	s->cursor = scan.cursor;
	s->processed = scan.processed;
	return e;
}

void search_token(const struct search *s, uint64_t question,
		  char text[SEARCH_TOKEN_TEXT + 1])
{
	uint8_t bytes[TOKEN_BYTES];

	put_be64(bytes, question);
	put_be64(bytes + 8, (uint64_t)s->cursor.start_ns);
	memcpy(bytes + 16, s->cursor.id, TRACE_ID_SIZE);
	hex_from(text, bytes, TOKEN_BYTES);
	text[SEARCH_TOKEN_TEXT] = '\0';
}

bool search_token_read(struct search *s, uint64_t question, struct sv text)
{
	uint8_t bytes[TOKEN_BYTES];

	if (text.len != SEARCH_TOKEN_TEXT ||
	    !sv_to_hex(text, bytes, TOKEN_BYTES) || get_be64(bytes) != question)
		return false;
	s->cursor.set = true;
	s->cursor.start_ns = (int64_t)get_be64(bytes + 8);
	memcpy(s->cursor.id, bytes + 16, TRACE_ID_SIZE);
	return true;
}
