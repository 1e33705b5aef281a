/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the logs view share. */
#ifndef TALLY_COLLECTOR_LOGS_INTERNAL_H
#define TALLY_COLLECTOR_LOGS_INTERNAL_H

#include <pthread.h>

#include "collector/logs/head.h"
#include "collector/logs/logs.h"
#include "core/store/block.h"
#include "core/store/retention.h"

enum {
	LOGS_KIND = 0x53474f4c, /* "LOGS": the block's kind */
	LOGS_NAME_BYTES = 48,   /* of a block's file name */
};

/* A sealed block. Counted: the list holds one reference, each reader one. */
struct log_block {
	char name[LOGS_NAME_BYTES];
	uint64_t position;                /* journal position it reaches to */
	uint64_t sequence;                /* of the first event behind it */
	int64_t time_min_ns, time_max_ns; /* of its events */
	int64_t received_ns;              /* of its last frame: what ages */
	uint64_t bytes;                   /* of the file */
	struct block *open;               /* NULL: not now */
	uint64_t used;                    /* when, by logs.uses */
	int references, users;            /* users read `open` now */
	bool damaged;
};

struct logs {
	const struct env *env;
	char *dir;
	struct logs_options options; /* without zeros */
	struct view view;

	/* Of the view's own thread. */
	uint64_t applied;      /* position behind the last frame applied */
	uint64_t saved;        /* position in the checkpoint file */
	uint64_t sequence;     /* of the next event */
	uint64_t lag_bytes;    /* of journal since the head's first event */
	int64_t head_since_ns; /* received: first frame in the head */
	int64_t received_ns;   /* of the last frame */
	int64_t now_ns;        /* the time last heard: a frame's, or tick's */
	struct retention retention; /* the time by which blocks expire */

	/* Guards what follows; the head's arrays are also read without it by
	 * the view's thread, which alone changes them. */
	pthread_mutex_t lock;
	struct head head;
	struct log_block **blocks; /* oldest first */
	size_t block_count, block_capacity;
	size_t open_count;
	uint64_t uses;
	struct logs_stats stats;
};

/* blocks.c: the list and what is open of it. */
void log_block_path(const struct logs *l, const char *name, struct buf *out);
/* Reads the checkpoint, takes in what it does not know, drops leftovers. */
int log_blocks_load(struct logs *l, struct diag *diag) MUST_USE;
int log_blocks_checkpoint(struct logs *l, uint64_t position) MUST_USE;
int log_blocks_append(struct logs *l, struct log_block *b) MUST_USE;
/* Deletes blocks for their age or number. */
int log_blocks_expire(struct logs *l) MUST_USE;
void log_blocks_free(struct logs *l);

/* lease.c: blocks as readers see them. */
/* Frees b with its last reference. With the lock. */
void log_block_unref(struct logs *l, struct log_block *b);
/* The blocks whose events overlap start <= time < end, referenced; *out is
 * malloc'ed. Called with the lock. */
int log_blocks_snapshot(struct logs *l, int64_t start_ns, int64_t end_ns,
			struct log_block ***out, size_t *count) MUST_USE;
void log_blocks_release(struct logs *l, struct log_block **blocks,
			size_t count);
/* 1: *out is open until log_block_unuse; 0: it cannot be read (counted) or has
 * been deleted; < 0: an error. Without the lock. */
int log_block_use(struct logs *l, struct log_block *b,
		  struct block **out) MUST_USE;
void log_block_unuse(struct logs *l, struct log_block *b);

/* seal.c: writes the head to a block, which takes its place. */
int logs_seal(struct logs *l) MUST_USE;

/* scan.c: lines of head and blocks. */
struct visit {
	const struct scope *scope;
	struct sv group; /* empty: all of the scope */
	int64_t start_ns, end_ns;
	bool descending;
	line_fn *line;
	/* May be NULL; true: nothing at this time or further is of use. */
	bool (*done)(void *arg, int64_t time_ns);
	void *arg;
};
int logs_scan_lines(struct logs *l, const struct visit *v) MUST_USE;
/* Every row that names the id, of blocks, and every such line of the head;
 * line.message is empty for rows. */
typedef int request_fn(void *arg, const struct line *line, enum mark mark);
int logs_scan_requests(struct logs *l, const struct visit *v, struct sv id,
		       request_fn *fn) MUST_USE;
/* 1: go on; 0: enough; < 0: an error. */
typedef int group_fn(void *arg, const struct logs_group *group);
int logs_scan_groups(struct logs *l, const struct scope *scope, group_fn *fn,
		     void *arg) MUST_USE;

#endif
