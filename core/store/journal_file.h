/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a journal file, and what a file says about itself. Private to
 * core/store/journal*.c. All numbers are little-endian.
 *
 *   DIR/0000000007.journal
 *   0      file header, 64 bytes      \
 *   2048   the same again              > written once, when the file begins
 *   4096   frame, frame, ... zeros to the file's size
 *
 * File header: the first eight bytes and the CRC's place hold for all formats,
 * so that an older release can name what it does not read.
 *
 *    0 magic "TJNL"      4 format          8 file number   12 nonce
 *   16 size of the file (64)              24 begun, ns since 1970 (64)
 *   32 previous file    36 its good end   40 zeros         60 CRC of 0..59
 *
 * The good end is how far the previous file is to be believed: all before it
 * was synced and acknowledged, nothing behind it was.
 *
 * Frame, at a multiple of 8:
 *
 *    0 magic "TJFR"      4 CRC of 8..79    8 file number   12 own offset
 *   16 nonce of the file 20 durable       24 body bytes    28 refused records
 *   32 CRC of the rest   36 protocol (8), decoder (8), 0 (16)
 *   40 received, ns since 1970 (64)       48 account (64)
 *   56 region (24 bytes, padded with zeros)
 *   80 refused records, 4 bytes each | body | zeros to a multiple of 8
 *
 * File number and own offset are in the CRC, so stale or copied bytes never
 * pass for a frame; the nonce is random for each file, so neither does a frame
 * that a client put into a body. `durable` is the offset up to which the file
 * was synced when the frame was written. It tells rot from a torn write: bytes
 * that do not hold, with a later frame whose `durable` is above them, were
 * whole once. Protocol 0 is a mark: no body, written when the journal closes,
 * to bear this witness for the last commit.
 */
#ifndef TALLY_CORE_STORE_JOURNAL_FILE_H
#define TALLY_CORE_STORE_JOURNAL_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/store/journal.h"

enum {
	FILE_MAGIC = 0x4c4e4a54,  /* "TJNL" */
	FRAME_MAGIC = 0x52464a54, /* "TJFR" */
	FILE_HEADER_BYTES = 64,
	FILE_HEADER_COPY = 2048, /* where its copy is */
	FILE_DATA = 4096,        /* where frames begin */
	FRAME_HEADER_BYTES = 80,
	FRAME_ALIGN = 8,
	FRAME_BYTES_MAX = FRAME_HEADER_BYTES + JOURNAL_FRAME_MAX + FRAME_ALIGN,
	FILE_ZERO_SLICE = 1 << 20, /* zeros per write and sync */
	JOURNAL_PATH_MAX = 4096,
	QUARANTINE_FILES_MAX = 1000,
	PROTOCOL_MARK = 0,
};

struct file_header {
	uint32_t number;
	uint32_t nonce;
	uint64_t size;
	int64_t begun_ns;
	uint32_t previous; /* 0: none */
	uint32_t previous_end;
};

/* The fixed part of a frame, decoded. */
struct frame_header {
	uint32_t file, offset, nonce, durable;
	uint32_t body_bytes, refused_count;
	uint32_t crc;
	uint8_t protocol, decoder;
	int64_t received_ns;
	uint64_t account;
	char region[REGION_MAX];
};

static inline uint64_t position_make(uint32_t file, uint64_t offset)
{
	return (uint64_t)file << 32 | offset;
}

static inline uint32_t position_file(uint64_t position)
{
	return (uint32_t)(position >> 32);
}

static inline uint32_t position_offset(uint64_t position)
{
	return (uint32_t)position;
}

/* Bytes of a whole frame with its padding. */
uint64_t frame_bytes(uint32_t body_bytes, uint32_t refused_count);
/* A frame with file, offset, nonce, durable and the header's CRC still open:
 * where it goes is known only to the writer. out has frame_bytes(). */
void frame_write(uint8_t *out, const struct frame *frame, uint32_t crc);
uint32_t frame_crc(const struct frame *frame);
void frame_place(uint8_t *out, uint32_t file, uint32_t offset, uint32_t nonce,
		 uint32_t durable);
void frame_write_mark(uint8_t out[FRAME_HEADER_BYTES], int64_t now_ns);

/* Where a frame is looked for. */
struct frame_place {
	uint32_t file;
	uint32_t nonce;
	bool any_nonce; /* the file's header is damaged */
};
/* True: the header of a frame that is at this place and ends before `end`. */
bool frame_read_header(const uint8_t *bytes, struct frame_place place,
		       uint64_t offset, uint64_t end, struct frame_header *out);
/* The rest of it (refused list and body) has the CRC. */
bool frame_rest_holds(const struct frame_header *h, const uint8_t *rest);

void file_path(char out[JOURNAL_PATH_MAX], const char *dir, uint32_t number);
/* The number in a file's name; 0: it is not a journal file's. */
uint32_t file_number(const char *name);

/* Writes both copies. Not synced. Negative errno. */
int file_write_header(const struct env *env, int fd,
		      const struct file_header *h) MUST_USE;
/* ERR_CORRUPT: neither copy holds; ERR_VERSION; ERR_IO. */
int file_read_header(const struct env *env, int fd, uint32_t number,
		     struct file_header *out) MUST_USE;
/* A new file of `size` zero bytes that are written and synced, so that later
 * writes into it change no metadata. fd, or negative errno (nothing is left).
 * Stops early with -ECANCELED when *stop becomes true (may be NULL). */
int file_create(const struct env *env, const char *path, uint64_t size,
		const atomic_bool *stop) MUST_USE;

/* What a scan of a whole file found. */
struct file_scan {
	uint64_t end;        /* behind the last frame to be believed */
	uint64_t frames_end; /* behind the last one that is not a mark */
	uint64_t dirty_end;  /* behind the last byte that is not zero */
	uint64_t damaged;    /* ranges before end that do not hold */
	uint32_t nonce;      /* of the frames; the header's if it holds */
	bool found;          /* any frame */
};
typedef void damage_fn(void *arg, uint32_t file, uint64_t from, uint64_t to);
/* Reads the file up to `size`, tells `damage` each bad range before the end.
 * 0, ERR_IO, ERR_NOMEM. */
int file_scan(const struct env *env, int fd, struct frame_place place,
	      uint64_t size, damage_fn *damage, void *arg,
	      struct file_scan *out) MUST_USE;

/* A window on a file: bytes [at, at+n) are in memory, 8-aligned. The window
 * moves and grows as asked, and reads ahead. */
struct file_window {
	uint8_t *bytes;
	size_t cap;
	uint64_t at;
	size_t len;
};
/* Pointer to bytes [at, at+n) of the file; short: NULL and *err 0; ERR_IO,
 * ERR_NOMEM in *err. Nothing at or behind `end` is read. at is a multiple of
 * 8. Valid until the next call. */
const uint8_t *file_window_get(struct file_window *w, const struct env *env,
			       int fd, uint64_t at, size_t n, uint64_t end,
			       int *err);
void file_window_forget(struct file_window *w);
void file_window_fini(struct file_window *w);

/* One step from `from`, a multiple of 8. STEP_FRAME: a frame is there, its
 * header and rest (valid until the window moves) are set. STEP_DAMAGE: bytes
 * [from, next) do not hold: one frame whose header does but whose rest does
 * not, or all up to the next header that does, or up to the end. STEP_END:
 * nothing before `end`. < 0: ERR_IO, ERR_NOMEM. With any_nonce the first frame
 * that holds decides the nonce. */
enum { STEP_END = 0, STEP_FRAME = 1, STEP_DAMAGE = 2 };
struct frame_step {
	struct frame_header header;
	const uint8_t *rest;
	uint64_t next; /* behind what was passed */
};
int frame_step(struct file_window *w, const struct env *env, int fd,
	       struct frame_place *place, uint64_t from, uint64_t end,
	       struct frame_step *out) MUST_USE;

#endif
