/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents for tests: those of the fixtures, and made-up ones of services
 * (tests/bench/spans.h). All belong to the arena they are loaded into.
 */
#ifndef TALLY_TESTS_SIM_DOCUMENTS_H
#define TALLY_TESTS_SIM_DOCUMENTS_H

#include "tracer/shape/shape.h"

enum { DOCUMENTS_MAX = 20000 };

struct documents {
	struct document *list; /* DOCUMENTS_MAX of them */
	size_t count;
};

void documents_init(struct documents *d, struct arena *arena);
void documents_add(struct documents *d, struct arena *arena,
		   enum document_format format, struct sv bytes);
/* Every span of an ExportTraceServiceRequest. */
void documents_add_request(struct documents *d, struct arena *arena,
			   struct sv request);
/* Datagrams, raw segments and requests below tests/fixtures. */
void documents_add_fixtures(struct documents *d, struct arena *arena);

/* Made-up ones: spans of `traces` traces, and that many segments. */
void documents_add_made(struct documents *d, struct arena *arena,
			unsigned traces);
/* A dictionary that knows their shapes, always the same; shapes_free. */
struct shapes *documents_shapes(void);

#endif
