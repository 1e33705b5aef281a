/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader of shapes asks of a parsed document, once for each kind of
 * document. Private to core/smithy. */
#ifndef TALLY_CORE_SMITHY_SHAPE_SOURCE_H
#define TALLY_CORE_SMITHY_SHAPE_SOURCE_H

#include "core/smithy/shape.h"

/* A value in a document: a struct json, cbor or form, whichever it is. doc
 * NULL: there is none. */
struct cursor {
	const void *doc;
	uint32_t index;
};

/* Those that give an int: 0, ERR_INVALID (it is something else), ERR_NOMEM.
 * Those that give a bool: false, it is something else. */
struct shape_source {
	bool query; /* members have the names of the Query protocol */
	bool (*is_null)(struct cursor v);
	int (*text)(struct cursor v, struct arena *a, struct sv *out);
	int (*blob)(struct cursor v, struct arena *a, struct sv *out);
	bool (*integer)(struct cursor v, int64_t *out);
	bool (*real)(struct cursor v, double *out);
	bool (*boolean)(struct cursor v, bool *out);
	bool (*time)(struct cursor v, int64_t *ns);
	/* v as a structure, list or map: *container is what is walked. */
	bool (*enter)(struct cursor v, enum shape_kind kind,
		      struct cursor *container);
	struct cursor (*first)(struct cursor container);
	struct cursor (*next)(struct cursor container, struct cursor it);
	/* Of a place in a structure or map; ERR_INVALID: it is no text. */
	int (*key)(struct cursor it, enum shape_kind kind, struct arena *a,
		   struct sv *out);
	struct cursor (*value)(struct cursor it, enum shape_kind kind);
};

extern const struct shape_source shape_source_json;
extern const struct shape_source shape_source_cbor;
extern const struct shape_source shape_source_form;

#endif
