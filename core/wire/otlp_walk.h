/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two levels that all three of OTLP's requests have around their items:
 * ResourceSpans, ResourceMetrics and ResourceLogs are alike on the wire, and so
 * are their scopes.
 *
 *   request   { 1: resource_x ... }
 *   resource_x { 1: resource  2: scope_x ...  3: schema_url }
 *   scope_x    { 1: scope     2: item ...     3: schema_url }
 */
#ifndef TALLY_CORE_WIRE_OTLP_WALK_H
#define TALLY_CORE_WIRE_OTLP_WALK_H

#include "core/wire/otlp_check.h"

/* An item with what is said of it once. source is in the arena, one for each
 * scope. refusal: what is wrong with resource or scope, or OTLP_OK. 0, or an
 * error, which ends the walk. */
typedef int otlp_item_fn(void *arg, const struct span_source *source,
			 int refusal, struct sv item);

/* How many items there are, as far as the bytes can be read. */
size_t otlp_walk_count(struct sv body);
/* Calls fn for each, in order. ERR_SYNTAX, ERR_NOMEM, or what fn returned. */
int otlp_walk(struct arena *arena, struct sv body, otlp_item_fn *fn,
	      void *arg) MUST_USE;
/* Says in diag what is wrong with a body, and returns err. */
int otlp_walk_fail(struct diag *diag, int err);

#endif
