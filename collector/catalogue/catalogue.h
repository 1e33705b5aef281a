/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: the control plane's objects, such as sampling rules and
 * groups. One LMDB file holds them by (account, region, kind, name); a value
 * is bytes of its kind (JSON by its shape), which nobody here looks into.
 *
 * A view like all others: a change is a frame of the journal
 * (PROTOCOL_CATALOGUE) first, so it is durable before it is seen, and comes in
 * one order for everybody. What it depends on stands in the frame with it
 * (create what is not there, replace what is still of this revision, at most
 * so many), and is judged when it is applied: so two who create the same name
 * at once are told apart, and a replay judges as the first run did. The changes
 * of one frame happen together or not at all. Each LMDB transaction stores the
 * position behind its frame; a crash repeats none and loses none.
 *
 * Who asked for a change waits for its frame to be applied and is answered by
 * what it came to: a read after the answer sees it. Reads copy, in a
 * transaction of their own that no writer waits for. See
 * docs/decisions/catalogue.md; ingest/change.h is how a change gets here.
 */
#ifndef TALLY_COLLECTOR_CATALOGUE_CATALOGUE_H
#define TALLY_COLLECTOR_CATALOGUE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/store/view.h"
#include "core/sys/env.h"

enum {
	CATALOGUE_FORMAT = 1,
	CATALOGUE_DECODER = 1,     /* of frames */
	CATALOGUE_NAME_MAX = 2048, /* bytes: an ARN, a name of UTF-8 */
	CATALOGUE_VALUE_MAX = 1 << 20,
	CATALOGUE_CHANGES_MAX = 8, /* of one frame */
	CATALOGUE_CALL_MAX = 64,
	CATALOGUE_CALLS_MAX = 1024,     /* remembered; the oldest goes first */
	CATALOGUE_LIST_MAX = 1000,      /* items of one call */
	CATALOGUE_BYTES_MAX = 64 << 20, /* names and values of all accounts */
	/* Of address space; the file grows as it is used. With pages that are
	 * half empty and those that readers still hold it is never full. */
	CATALOGUE_MAP_BYTES = 512 << 20,
	CATALOGUE_READERS_MAX = 64, /* at once; over it ERR_BUSY */
};

/* Stored: never renumber. */
enum catalogue_kind {
	CATALOGUE_SAMPLING_RULE = 1,
	CATALOGUE_GROUP = 2,
	CATALOGUE_TAGS = 3, /* named by the ARN that they are of */
	CATALOGUE_RESOURCE_POLICY = 4,
	CATALOGUE_SETTING = 5, /* one of a kind, such as encryption */
	CATALOGUE_INSIGHT = 6, /* an incident, by its id */
	CATALOGUE_KINDS
};

/* Stored: never renumber. */
enum catalogue_action { CATALOGUE_PUT = 1, CATALOGUE_DELETE = 2 };
enum catalogue_condition {
	CATALOGUE_ALWAYS = 0,
	CATALOGUE_IF_ABSENT = 1,
	CATALOGUE_IF_PRESENT = 2,
	CATALOGUE_IF_REVISION = 3, /* absent and revision 0 count as equal */
};

struct catalogue_change {
	enum catalogue_action action;
	enum catalogue_condition condition;
	enum catalogue_kind kind;
	struct sv name;    /* 1 to CATALOGUE_NAME_MAX bytes */
	uint64_t revision; /* for CATALOGUE_IF_REVISION */
	uint32_t limit;    /* items of this kind and scope with it; 0: none */
	struct sv value;   /* of a put */
};

/* What became of a frame: of all its changes, or of the first that failed. */
enum catalogue_verdict {
	CATALOGUE_DONE,
	CATALOGUE_EXISTS,
	CATALOGUE_MISSING,
	CATALOGUE_CONFLICT, /* it is of another revision by now */
	CATALOGUE_LIMIT,    /* of its kind in this scope */
	CATALOGUE_NO_ROOM,  /* CATALOGUE_BYTES_MAX */
};

/* What a frame holds. */
struct catalogue_changes {
	/* An id that a retry repeats (amz-sdk-invocation-id), up to
	 * CATALOGUE_CALL_MAX bytes; empty: none. Of the same id for
	 * the same names only the first is made, the others come to
	 * CATALOGUE_DONE. */
	struct sv call;
	struct catalogue_change list[CATALOGUE_CHANGES_MAX];
	size_t count; /* at least one */
};

/* Appends the body of a frame; limits are asserted. */
void catalogue_changes_encode(const struct catalogue_changes *changes,
			      struct buf *out);
/* What is filled borrows from body. ERR_CORRUPT. */
int catalogue_changes_decode(struct sv body,
			     struct catalogue_changes *out) MUST_USE;

struct catalogue;

/* dir is made where it is not there. What is damaged is set aside, named, and
 * an empty one opened. ERR_VERSION: from a newer release. */
int catalogue_open(struct catalogue **out, const struct env *env,
		   const char *dir, struct diag *diag) MUST_USE;
void catalogue_close(struct catalogue *c);
struct view *catalogue_view(struct catalogue *c);
/* It was made by this catalogue_open: nothing of it was ever told. */
bool catalogue_is_new(const struct catalogue *c);

/* Called once when the frame at `position` is applied, in the view's thread, or
 * by catalogue_expect where it was applied before; err < 0: it could not be
 * (yet), what it came to is no longer known, or the catalogue closes. */
typedef void catalogue_applied_fn(void *arg, int err,
				  enum catalogue_verdict verdict);
struct catalogue_waiter {
	uint64_t position;
	catalogue_applied_fn *done;
	void *arg;
	struct catalogue_waiter *next;
};
/* Before the frame is given to the views, in order of position: by the
 * journal's done function alone. w lives until its done was called, which may
 * be before this returns. */
void catalogue_expect(struct catalogue *c, struct catalogue_waiter *w);

struct catalogue_item {
	struct sv name, value; /* in the arena */
	uint64_t revision;     /* of its last change: grows, never repeats */
	uint64_t version;      /* 1 when it was made, one more a change */
	struct wall created, modified;
};

/* Any thread. What is damaged is not there: it is counted and told in the log,
 * and may be made anew. ERR_NOT_FOUND, ERR_NOMEM, ERR_BUSY. */
int catalogue_get(struct catalogue *c, const struct scope *scope,
		  enum catalogue_kind kind, struct sv name, struct arena *arena,
		  struct catalogue_item *out) MUST_USE;
/* Those of a kind, in order of their names (of names longer than 256 bytes the
 * order is that of their hashes), from behind `after` on (empty: the first),
 * at most `max` (up to CATALOGUE_LIST_MAX, assert). *more: there are others.
 * Damaged ones are left out and counted. */
int catalogue_list(struct catalogue *c, const struct scope *scope,
		   enum catalogue_kind kind, struct sv after, size_t max,
		   struct arena *arena, struct catalogue_item **out,
		   size_t *count, bool *more) MUST_USE;
/* Calls each for every scope that has items of a kind, in order: for what works
 * for all accounts. */
typedef void catalogue_scope_fn(void *arg, const struct scope *scope);
int catalogue_scopes(struct catalogue *c, enum catalogue_kind kind,
		     catalogue_scope_fn *each, void *arg) MUST_USE;

struct catalogue_stats {
	uint64_t items, bytes;    /* that are there */
	uint64_t changes;         /* applied since the start */
	uint64_t refused;         /* by their condition or a limit */
	uint64_t damaged_items;   /* met when reading */
	uint64_t damaged_changes; /* frames that could not be read */
};
void catalogue_stats(struct catalogue *c, struct catalogue_stats *out);

#endif
