/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logs view: log events by group and stream, and by the request that wrote
 * them. New events wait in a head in memory; when it holds LOGS_HEAD_BYTES, is
 * LOGS_SEAL_NS old by frame time, or holds back LOGS_LAG_BYTES of journal, all
 * of it is sealed into one block (core/store/block.h), which from then on is
 * the primary copy. What is only in the head is in the journal still:
 * view.durable stays at the position of the last seal.
 *
 * A block has three kinds of rows (keys.h draws them): events, sorted so that
 * a time range of one group is one scan; request ids, for groups of functions
 * (/aws/lambda/...), so that the lines of one request are found without
 * reading the others; and the names of the groups.
 *
 * A block's file name holds the journal position it reaches to. A crash between
 * a seal and its checkpoint therefore neither loses nor doubles an event: what
 * the checkpoint does not know but the name covers is taken in at open.
 *
 * One thread drives the view; any number read. A reader takes the lock while
 * it reads the head and notes the blocks; these are immutable, counted, and
 * read without it. Few blocks are open at a time (LOGS_OPEN_MAX).
 */
#ifndef TALLY_COLLECTOR_LOGS_LOGS_H
#define TALLY_COLLECTOR_LOGS_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/text.h"
#include "core/store/view.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	LOGS_FORMAT = 1,
	LOGS_HEAD_BYTES = 64 << 20, /* and one frame's events */
	LOGS_LAG_BYTES = 256 << 20, /* of frames since the head's first */
	LOGS_SEAL_S = 3600,
	LOGS_RETENTION_DAYS = 30,
	LOGS_BLOCKS_MAX = 16384,   /* files; over it the oldest go */
	LOGS_OPEN_MAX = 32,        /* blocks open and idle */
	LOGS_LIMIT_DEFAULT = 1000, /* events of one answer */
	LOGS_LIMIT_MAX = 10000,
	LOGS_ANSWER_BYTES = 16 << 20, /* of text in one answer */
	LOGS_GROUPS_MAX = 10000,      /* names in one answer */
	LOGS_ID_MAX = 36,             /* a request id is a UUID */
	LOGS_ID_WITHIN = 256,         /* bytes of a line searched for one */
	LOGS_INVOCATION_S = 930,      /* the longest run: 900 s and its edges */
};

struct logs;

struct logs_options {
	uint64_t head_bytes;   /* 0: LOGS_HEAD_BYTES */
	int64_t seal_ns;       /* 0: LOGS_SEAL_S */
	int64_t retention_ns;  /* 0: LOGS_RETENTION_DAYS; negative: for ever */
	uint64_t answer_bytes; /* 0: LOGS_ANSWER_BYTES */
	size_t blocks_max;     /* 0: LOGS_BLOCKS_MAX */
};

/* Opens DIR (made if missing) and sets the view's position. A block that
 * cannot be read is renamed NAME.damaged, counted and logged, and the rest is
 * served. ERR_VERSION: DIR is from a newer release. options may be NULL. */
int logs_open(struct logs **out, const struct env *env, const char *dir,
	      const struct logs_options *options, struct diag *diag) MUST_USE;
/* Writes nothing: what is in the head is in the journal. No reader may be
 * left. */
void logs_close(struct logs *l);
struct view *logs_view(struct logs *l);

struct logs_query {
	struct sv group;      /* empty: all groups */
	struct sv stream;     /* empty: all streams */
	struct sv request_id; /* empty: any; else all lines of that run */
	struct sv contains;   /* bytes the message must have; empty: any */
	int64_t start_ns;     /* inclusive; 0: from the first */
	int64_t end_ns;       /* exclusive; 0: to the last */
	size_t limit;    /* 0: LOGS_LIMIT_DEFAULT; at most LOGS_LIMIT_MAX */
	bool descending; /* newest first, and the newest when cut */
};

/* Events in order of time, then stream, then arrival, copied to the arena.
 * *truncated: there were more than the limit, or than fit an answer's bytes.
 * For a request id: every line with the id, and the lines between them in the
 * same stream (a stream runs one request at a time), also while it runs.
 * ERR_NOMEM, ERR_IO. Any thread. */
int logs_read(struct logs *l, const struct scope *scope,
	      const struct logs_query *query, struct arena *arena,
	      struct log_event **events, size_t *count,
	      bool *truncated) MUST_USE;

struct logs_group {
	struct sv name;
	uint64_t events;
	int64_t first_ns, last_ns; /* of its events */
};

/* The groups of a scope, by name. Any thread. */
int logs_groups(struct logs *l, const struct scope *scope, struct arena *arena,
		struct logs_group **groups, size_t *count,
		bool *truncated) MUST_USE;

struct logs_stats {
	uint64_t events; /* applied since open */
	uint64_t head_events, head_bytes;
	uint64_t blocks, block_bytes;
	uint64_t sealed;         /* blocks written since open */
	uint64_t expired;        /* blocks deleted for their age */
	uint64_t over_budget;    /* blocks deleted for LOGS_BLOCKS_MAX */
	uint64_t damaged_blocks; /* set aside at open, or missing */
	uint64_t damaged_chunks; /* skipped by readers */
	uint64_t truncated;      /* answers that were cut */
};
void logs_stats(struct logs *l, struct logs_stats *out);

#endif
