/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operations on the catalogue have in common: an object is the JSON of
 * its shape under a name; a change is planned with its condition, and once it is
 * applied the object is read again and the answer made of that.
 */
#ifndef TALLY_COLLECTOR_API_CONTROL_H
#define TALLY_COLLECTOR_API_CONTROL_H

#include "collector/api/api.h"
#include "collector/ingest/change.h"
#include "core/smithy/shape.h"

enum { CONTROL_ARN_MAX = 512, CONTROL_VERDICTS = CATALOGUE_NO_ROOM + 1 };

/* What a verdict is answered by; shape NULL: as it is for all of them. */
struct control_error {
	const char *shape;
	const char *message;
};

struct control_plan {
	struct catalogue_changes changes;
	/* What is read again for the answer; name empty: it is given `told`
	 * instead. */
	enum catalogue_kind kind;
	struct sv name;
	const struct catalogue_item *told;
	/* item NULL: nothing was asked for, or it is gone again. */
	void (*answer)(struct api *a, struct request *r,
		       const struct catalogue_item *item);
	/* The handler, where its change is of one revision; NULL. */
	void (*again)(struct api *a, struct request *r);
	struct control_error refused[CONTROL_VERDICTS];
};

/* A plan in the request's arena; NULL: answered. */
struct control_plan *control_plan(struct request *r);
/* Adds a change to it and returns it: to be filled further. */
struct catalogue_change *control_put(struct control_plan *p,
				     enum catalogue_kind kind, struct sv name,
				     struct sv value);
struct catalogue_change *control_delete(struct control_plan *p,
					enum catalogue_kind kind,
					struct sv name);
/* Sends the plan on its way. The handler returns. */
void control_submit(struct api *a, struct request *r, struct control_plan *p);

/* The JSON of an object, in the arena; ptr NULL: no memory. */
struct sv control_write(const struct shape *shape, const void *in,
			struct arena *arena);
/* 0; ERR_CORRUPT: it is not as it was written; ERR_NOMEM. */
int control_read(const struct shape *shape, struct sv value,
		 struct arena *arena, void *out) MUST_USE;
/* An object by its name, with its item where that is asked for. */
int control_get(struct api *a, struct request *r, enum catalogue_kind kind,
		struct sv name, const struct shape *shape, void *out,
		struct catalogue_item *item) MUST_USE;
/* The answer to an err of the above but ERR_NOT_FOUND. */
void control_failed(struct request *r, int err);
/* InvalidRequestException with a text by a format. */
void control_invalid(struct request *r, const char *format, ...) PRINTF(2, 3);

/* arn:aws:xray:REGION:ACCOUNT:RESOURCE of the caller, in the arena. */
struct sv control_arn(struct request *r, const char *format, ...) PRINTF(2, 3);
/* What is behind the account in such an ARN of the caller: "group/name/id".
 * False: it is no ARN of X-Ray's, or of another account or region. */
bool control_arn_read(const struct request *r, struct sv arn,
		      struct sv *resource) MUST_USE;

#endif
