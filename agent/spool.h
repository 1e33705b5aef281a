/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spool: the batches that the collector has not taken yet, on disk. A batch is
 * rendered to bytes once, gets this producer's next sequence number, is written
 * and synced before anybody may send it, and stays until the collector's answer
 * is final; so a batch sent twice carries the same bytes, whatever crashed in
 * between, and the collector knows it again.
 *
 *   DIR/lock            one writer (flock)
 *   DIR/producer        32 hex digits, made once
 *   DIR/NNN.tmp         being written; removed at the next start
 *   DIR/NNN.batch       to be sent; 20-digit sequence number
 *   DIR/NNN.done        the last one taken, so that its number is not given
 *                       again: renamed from NNN.batch, not removed, until a
 *                       higher number exists
 *   DIR/refused/NNN.batch  what the collector will never take (400)
 *
 * A file is a 24-byte header (magic "TSSP", format version, length, XXH3 of
 * the bytes) and the bytes. The spool is bounded: what is over bytes_max is
 * not taken, and the agent runs no more invocations; usage is never dropped.
 * Calls may come from several threads.
 */
#ifndef TALLY_AGENT_SPOOL_H
#define TALLY_AGENT_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	SPOOL_FORMAT = 1,
	SPOOL_HEADER_BYTES = 24,
	SPOOL_FILES_MAX = 1 << 20,
	SPOOL_PATH_MAX = 4096,
	SPOOL_PRODUCER_SIZE = 33, /* 32 hex and a NUL; PRODUCER_MAX is 64 */
	SPOOL_BATCH_BYTES_MAX = 8 << 20, /* NATIVE_BYTES_MAX */
	SPOOL_MARGIN_BYTES = 4 << 20,    /* for what runs when it gets full */
};
#define SPOOL_BYTES_DEFAULT (256ULL << 20)

struct spool;

struct spool_stats {
	uint64_t files; /* not yet taken by the collector */
	uint64_t bytes;
	uint64_t put, done, refused;
	uint64_t full;    /* batches that were not taken in */
	uint64_t damaged; /* found with a wrong checksum; in refused/ */
};

/* Makes the folder where it is missing. bytes_max 0: the default. ERR_BUSY:
 * another process has it. */
int spool_open(struct spool **out, const struct env *env, const char *dir,
	       uint64_t bytes_max, struct diag *diag) MUST_USE;
void spool_close(struct spool *s);
const char *spool_producer(const struct spool *s);
const char *spool_dir(const struct spool *s);

/* False: near bytes_max. Nothing that makes more records should begin. */
bool spool_has_room(struct spool *s);
/* Renders the records and stores them, durable when it returns 0. ERR_FULL:
 * over bytes_max, or the disk is full; ERR_IO. After an error nothing was
 * stored and no number was used: try again with the same records. */
int spool_put(struct spool *s, const struct records *records,
	      struct diag *diag) MUST_USE;

/* The oldest batch. ERR_NOT_FOUND: there is none. A damaged one is moved to
 * refused/ and counted, and the next is given. */
int spool_oldest(struct spool *s, uint64_t *sequence,
		 struct buf *bytes) MUST_USE;
/* The collector's answer was final; sequence is spool_oldest's. */
int spool_done(struct spool *s, uint64_t sequence) MUST_USE;
int spool_refuse(struct spool *s, uint64_t sequence) MUST_USE;
struct spool_stats spool_stats(struct spool *s);

#endif
