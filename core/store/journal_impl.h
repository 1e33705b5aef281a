/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's inside, shared by journal.c (open, append, close),
 * journal_write.c (the writer's thread), journal_direct.c (how its bytes go to
 * the disk), journal_keep.c (the helper's thread: next file, deletion) and
 * journal_read.c (readers). One lock guards what
 * more than one thread touches; it is never held over the disk.
 */
#ifndef TALLY_CORE_STORE_JOURNAL_IMPL_H
#define TALLY_CORE_STORE_JOURNAL_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/store/journal_file.h"

enum {
	QUEUE_SHRINK_BYTES = 8 << 20, /* a buffer above it is given back */
	FILE_TRIES_MAX = 3,           /* files a commit tries when syncs fail */
	DAMAGE_KNOWN_MAX = 1024,      /* ranges that are not counted twice */
	FILE_TRIM_BYTES = 64 << 10,   /* unused room that is given back */
	KEEP_TICK_S = 10,             /* how often ages are looked at */
};

/* One waiting frame (bytes > 0) or barrier. */
struct entry {
	uint64_t sequence; /* a barrier: of the first frame that it waits for */
	uint32_t bytes;    /* in the queue's buffer, behind the one before */
	journal_done_fn *done;
	void *arg;
};

/* Two of these: one fills while the other is written. The first frame lies as
 * far behind a block's begin as it will in the file, if all goes well. */
struct queue {
	uint8_t *bytes; /* aligned to a block */
	size_t base;    /* where the first frame is */
	size_t len, cap;
	struct entry *entries;
	size_t count, entry_cap;
};

struct journal_file {
	uint32_t number, nonce;
	uint32_t previous; /* 0: it does not say */
	bool any_nonce;    /* its header is damaged */
	bool closed;       /* `end` is final */
	bool lost;         /* cannot be read at all */
	uint64_t end;      /* open: durable end */
	uint64_t size;     /* on disk */
	int64_t closed_ns;
};

enum spare { SPARE_NONE, SPARE_WANTED, SPARE_MAKING, SPARE_READY };

struct journal {
	const struct env *env;
	char *dir;
	struct journal_options options;

	pthread_mutex_t lock;
	pthread_cond_t work;   /* writer: frames wait, or the end */
	pthread_cond_t help;   /* helper: a spare is wanted, files released */
	pthread_cond_t spared; /* writer: the spare is made, or failed */
	pthread_t writer, helper;
	bool writer_runs, helper_runs;

	/* Under the lock. */
	struct queue waiting;
	uint64_t appended, completed; /* frames, counted from 1 */
	bool closing;
	struct journal_file *files; /* oldest first */
	size_t file_count, file_cap;
	uint64_t released;
	struct journal_stats stats;
	uint64_t known_damage[DAMAGE_KNOWN_MAX];
	size_t known_damage_count;
	size_t quarantine_count; /* files there */
	enum spare spare;
	int spare_fd;
	uint64_t spare_bytes;

	_Atomic uint64_t backlog_bytes; /* journal_note_backlog */
	atomic_bool stop_helper;

	/* The writer's own. */
	struct queue writing;
	int fd; /* -1: a new file must begin */
	uint32_t number, nonce;
	uint32_t next_number;
	uint64_t end, size;
	uint8_t *tail; /* of the file: from the block's begin to `end` */
	bool tail_known;
	bool no_direct;   /* the file system cannot */
	bool spare_asked; /* once for each file */
	bool marked;      /* nothing behind the last mark */
	uint64_t failed_sequence;
	int failed_err;
	struct instant probed;
};

/* journal_write.c */
void *journal_writer(void *journal);
/* Ends the file there is and begins one with room for a frame of `need`
 * bytes. ERR_FULL, ERR_IO, ERR_NOMEM: nothing has begun. */
int journal_begin_file(struct journal *j, uint64_t need) MUST_USE;
/* The last frame of a clean end. */
void journal_write_mark(struct journal *j);

/* journal_direct.c */
/* Memory for q->len + more bytes, the blocks before and behind included. */
int journal_queue_room(struct queue *q, size_t more) MUST_USE;
/* Writes bytes [from, from + bytes) of the queue that is written to the file's
 * end, and remembers its tail. May move what is not written yet: from is 0 then,
 * and what was before is gone. Negative errno. */
int journal_write_out(struct journal *j, size_t *from, size_t bytes) MUST_USE;

/* journal_keep.c */
/* Under the lock, when files or what is released have changed. */
void journal_note_backlog(struct journal *j);
void *journal_helper(void *journal);
void journal_spare_path(const struct journal *j, char out[JOURNAL_PATH_MAX]);
/* Deletes what may go, so that `more` bytes fit into the budget. True: they
 * do. */
bool journal_make_room(struct journal *j, uint64_t more);

/* journal_recover.c */
int journal_recover(struct journal *j, struct diag *diag) MUST_USE;
/* Counts and copies a range that does not hold. Any thread, without the lock;
 * a range is counted once. */
void journal_damage(struct journal *j, int fd, uint32_t file, uint64_t from,
		    uint64_t to);

#endif
