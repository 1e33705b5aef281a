/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the traces view, shared by its files: traces.c (the view),
 * traces_seal.c and traces_write.c (head to block), traces_image.c (the
 * checkpoint's image), traces_blocks.c (the list of blocks, retention),
 * traces_chunks.c and traces_dictionary.c (what is in a block), and the
 * questions: traces_query.c, _find.c, _recent.c, _scan.c, _map.c.
 *
 * The applying thread alone changes documents. It may therefore read the head
 * without the lock, and takes it to change anything, since readers look at
 * the head under it. Digests are the exception: whoever needs one makes it,
 * under the lock.
 */
#ifndef TALLY_TRACER_TRACES_INNER_H
#define TALLY_TRACER_TRACES_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/store/block.h"
#include "core/store/retention.h"
#include "tracer/head.h"
#include "tracer/map_windows.h"
#include "tracer/minutes.h"
#include "tracer/rows.h"
#include "tracer/span.h"
#include "tracer/traces.h"

enum {
	TRACES_IMAGE_FORMAT = 2,
	TRACES_PATH_MAX = 4096,
	TRACES_DICTIONARIES_BYTES = 8 << 20, /* of blocks, kept in memory */
	TRACES_LOCK_DIGESTS = 64, /* made before the lock is given back once */
};

struct block_ref {
	struct block *block;
	uint64_t number;
	/* Earliest and latest start of any span in it, and latest end. */
	int64_t start_ns_min, start_ns_max, end_ns_max;
	unsigned refs; /* under the view's lock */
	struct traces *owner;
	struct dictionary *dictionary; /* NULL: not in memory; under the lock */
	uint64_t dictionary_used;
	atomic_uint damage_told, damage_last; /* chunk + 1 */
};

/* What readers hold while they read: never changed, replaced by a new one. */
struct block_set {
	unsigned refs; /* under the view's lock */
	size_t count;
	struct block_ref *items[]; /* oldest first */
};

struct traces {
	struct view view;
	const struct env *env;
	char *dir;
	struct traces_options options;
	pthread_mutex_t lock; /* over head, set, epoch and stats */
	struct head head;
	struct block_set *set;
	uint64_t epoch;          /* grows when the head is replaced */
	size_t dictionary_bytes; /* of blocks, in memory */
	uint64_t dictionary_clock;
	struct traces_stats stats;
	struct map_windows windows; /* under the lock too */
	/* The applying thread's own: */
	struct arena scratch;
	struct span_reader spans;
	uint64_t next_number, next_sequence;
	int64_t opened_ns; /* frame time the head collects since; 0: empty */
	int64_t now_ns;    /* the time it was told last */
	struct retention retention; /* the time by which blocks expire */
	uint64_t half_applied;      /* position of a frame; UINT64_MAX: none */
	int seal_wait, seal_err;    /* calls to let pass after a failure */
};

static inline void traces_lock(struct traces *t)
{
	pthread_mutex_lock(&t->lock);
}

static inline void traces_unlock(struct traces *t)
{
	pthread_mutex_unlock(&t->lock);
}

/* --- traces.c --- */
/* Most bytes of the head's documents as they came. */
static inline uint64_t traces_text_max(const struct traces *t)
{
	return TRACES_HEAD_TEXT * t->options.head_bytes;
}
/* Adds what the head's dictionary counted. */
void traces_count_shapes(struct traces_stats *stats, const struct head *head);

/* --- traces_blocks.c --- */
void block_path(const struct traces *t, uint64_t number,
		char path[TRACES_PATH_MAX]);
void checkpoint_path(const struct traces *t, char path[TRACES_PATH_MAX]);
/* Opens block NUMBER; *out has one reference. */
int block_ref_open(struct traces *t, uint64_t number, struct block_ref **out,
		   struct diag *diag) MUST_USE;
/* Drops one reference. Under the lock, or before anybody else is there. */
void block_unref(struct block_ref *b);
/* A set with the blocks of `now` (NULL: none) but those keep() refuses, and
 * with `more` (NULL: none), which it takes over on success. NULL: memory. */
struct block_set *block_set_make(const struct block_set *now,
				 bool (*keep)(const struct block_ref *, void *),
				 void *arg, struct block_ref *more);
void block_set_unref(struct block_set *s);
/* Puts set in the place of t's. Under the lock. */
void traces_publish(struct traces *t, struct block_set *set);
struct block_set *traces_hold(struct traces *t); /* under the lock */
void traces_release(struct traces *t, struct block_set *set); /* not under */
/* Reads DIR: files that no block of t's names are deleted, or with `adopt`
 * opened, and *oldest is the journal position to go on from. */
int traces_scan_dir(struct traces *t, bool adopt, uint64_t *oldest,
		    struct diag *diag) MUST_USE;
/* How long an account's traces are kept. */
int64_t traces_retention_ns(const struct traces *t, uint64_t account);
/* Deletes blocks whose newest document is older than the retention. */
int traces_retain(struct traces *t) MUST_USE;

/* --- traces_dictionary.c --- */
struct dictionary;
/* The dictionary of b's rows, from memory or from its file, with a reference
 * for the caller. ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
int dictionary_take(struct traces *t, struct block_ref *b,
		    struct dictionary **out) MUST_USE;
void dictionary_release(struct traces *t, struct dictionary *d);
const struct shapes *dictionary_shapes(const struct dictionary *d);
/* Takes it out of memory, once nobody uses it. Under the lock. */
void dictionary_drop(struct traces *t, struct block_ref *b);

/* --- traces_image.c --- */
/* Writes the checkpoint: position, the blocks of set, and all documents of
 * head, which is what is applied up to position and in no block. */
int traces_write_checkpoint(struct traces *t, const struct block_set *set,
			    const struct head *head,
			    uint64_t position) MUST_USE;
/* After it failed with err at the view's position: it may be there. */
bool traces_checkpoint_in_doubt(const struct traces *t, int err);
/* Reads it into t: blocks opened, head filled. ERR_NOT_FOUND, ERR_CORRUPT:
 * t is as it was. */
int traces_read_checkpoint(struct traces *t, struct diag *diag) MUST_USE;

/* --- traces_seal.c --- */
enum { SEAL_FETCH_AHEAD = 12 }; /* documents */
enum seal_reason { SEAL_SIZE, SEAL_AGE, SEAL_ALL };
int traces_seal_head(struct traces *t, enum seal_reason reason) MUST_USE;

/* A trace's line of the list, in summaries. */
struct seal_summary {
	uint32_t trace; /* index in traces */
	uint32_t len;
	size_t at;
	int64_t start_ns;
};

struct seal {
	struct traces *t;
	struct head_trace **traces; /* chosen, by key once sorted */
	bool *dropped;              /* by the late decision: in the map alone */
	size_t count;
	/* Their documents, trace by trace, in order of arrival: [first[i],
	 * first[i + 1]) of traces[i]. */
	const struct head_document **documents;
	size_t *first;
	/* What was gathered of them: */
	struct map_minutes minutes;
	struct seal_summary *list; /* of those not dropped */
	size_t list_count;
	struct buf summaries;
	enum segment_status worst; /* of the trace at hand */
	uint64_t dropped_count, dropped_documents, ids_left_out;
	struct head kept; /* what stays, built anew */
	uint64_t oldest_position;
	struct block_writer *writer;
	struct buf value;
	int64_t start_ns_min, start_ns_max, end_ns_max;
	int64_t received_ns_min, received_ns_max;
};

/* Traces lie scattered in the head, as their documents came: what is needed
 * soon is fetched before. */
static inline void seal_fetch(const struct seal *s, size_t document)
{
	const char *at;

	if (document >= s->first[s->count])
		return;
	at = (const char *)s->documents[document];
	for (size_t i = 0; i < 4; i++)
		__builtin_prefetch(at + 64 * i);
}

/* --- traces_write.c --- */
/* Writes the block of what was chosen. */
int seal_write(struct seal *s, const char *path) MUST_USE;

/* --- traces_chunks.c --- */
/* The stored row that is chunk n of the container; scan is the caller's to
 * close. ERR_CORRUPT: it is damaged, which the log says. */
int block_load_row(struct block_scan **scan, struct block_ref *b, uint32_t n,
		   struct sv *key, struct sv *value) MUST_USE;
/* Documents of a trace in a block, from the chunk that has them; only from
 * ROWS_FORMAT 3 on. Calls fn for each, in order of arrival. */
typedef int block_document_fn(void *arg, const struct document *document);
int block_documents(struct traces *t, struct block_ref *b,
		    const struct trace_key *key, block_document_fn *fn,
		    void *arg) MUST_USE;

/* --- traces_map.c --- */
/* As traces_map, from head and blocks alone. */
int traces_map_scan(struct traces *t, const struct scope *scope,
		    int64_t start_ns, int64_t end_ns,
		    struct graph *out) MUST_USE;

/* --- traces_query.c --- */
/* Documents of a trace in head and blocks; scan bytes are in arena. */
int traces_collect(struct traces *t, const struct trace_key *key,
		   struct arena *arena, struct trace *out) MUST_USE;
/* In how many places documents of a trace may be. */
size_t traces_places(struct traces *t, const struct block_set *set,
		     const struct trace_key *key, bool *in_head);
void traces_count_damage(struct traces *t, uint64_t damaged);
/* Makes the digests of all traces in the head, giving the lock back now and
 * then. Returns with the lock taken, also on an error. */
int traces_lock_digested(struct traces *t, struct arena *scratch) MUST_USE;

#endif
