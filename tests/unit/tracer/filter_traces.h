/* SPDX-License-Identifier: Apache-2.0 */
/* A set of traces for filter expressions, and which of them one selects.
 * Documents are written with ' for " and without a trace id. */
#ifndef TALLY_TESTS_TRACER_FILTER_TRACES_H
#define TALLY_TESTS_TRACER_FILTER_TRACES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/filter.h"

enum { FILTER_DOCUMENTS_MAX = 8, FILTER_ACCOUNT = 1234 };

struct filter_trace {
	const char *name;
	const char *documents[FILTER_DOCUMENTS_MAX];
};

/* An id of 16 digits of a digit and a letter. */
#define ID(x) \
	"'"   \
	"00000000000000" x "'"
/* Begins a segment: id, name, start and end. */
#define SEG(id, name, start, end)                                  \
	"{'id':" ID(id) ",'name':'" name "','start_time':1." start \
			",'end_time':1" end
#define AT(start, end) "'start_time':" start ",'end_time':" end
#define STATUS(n) ",'http':{'response':{'status':" #n "}}"

/* The document of trace number i as JSON: free() it. */
static inline char *filter_document(const char *text, unsigned i)
{
	size_t size = strlen(text) + 64;
	char *out = malloc(size);

	if (!out)
		abort();
	snprintf(out, size, "{\"trace_id\":\"1-6b02bf61-%024x\",%s", i + 1,
		 text + 1);
	for (char *c = out; *c; c++)
		if (*c == '\'')
			*c = '"';
	return out;
}

/* A trace made ready for questions. */
struct filter_case {
	struct arena arena;
	struct document documents[FILTER_DOCUMENTS_MAX];
	struct assembly assembly;
	struct facts facts;
};

static inline void filter_case_make(struct filter_case *c,
				    const struct filter_trace *t, unsigned i)
{
	size_t n = 0;

	*c = (struct filter_case){ .arena = ARENA_INIT };
	for (; n < FILTER_DOCUMENTS_MAX && t->documents[n]; n++)
		c->documents[n].bytes =
			sv_from(filter_document(t->documents[n], i));
	if (assemble(c->documents, n, &c->arena, &c->assembly))
		abort();
	if (c->assembly.skipped) {
		fprintf(stderr, "trace %s has a bad document\n", t->name);
		abort();
	}
	facts_init(&c->facts, &c->assembly, c->documents,
		   sizeof(c->documents[0]), FILTER_ACCOUNT, &c->arena);
}

static inline void filter_case_free(struct filter_case *c)
{
	for (size_t i = 0; i < FILTER_DOCUMENTS_MAX; i++)
		free((void *)(uintptr_t)c->documents[i].bytes.ptr);
	arena_fini(&c->arena);
}

#endif
