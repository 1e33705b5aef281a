/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's files. Each begins with a header of 128 bytes: magic, format,
 * number, CRC. In its folder:
 *
 *   00000001.entries   entries (ledger_entry.h)
 *   00000001.text      texts that do not pack, one behind the other
 *   00000001.index     of a sealed segment, derived (ledger_index.h)
 *   names              scopes, sources and functions (ledger_names.h)
 *   checkpoint         (core/store/checkpoint.h)
 */
#ifndef TALLY_BILLING_LEDGER_FILE_H
#define TALLY_BILLING_LEDGER_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "billing/ledger_entry.h"
#include "core/sys/env.h"

enum {
	LEDGER_FORMAT = 1,
	LEDGER_HEADER_BYTES = 128,
	LEDGER_READ_ENTRIES = 1024, /* in one pread, and of one time span */
};

enum ledger_file { FILE_ENTRIES, FILE_TEXT, FILE_INDEX, FILE_NAMES };

/* DIR/00000001.entries; number is ignored for FILE_NAMES. ERR_NOMEM. */
int ledger_path(struct buf *out, const char *dir, enum ledger_file file,
		uint32_t number, const char *suffix) MUST_USE;
/* An fd for reading (and writing with O_RDWR in flags) whose header holds.
 * ERR_NOT_FOUND, ERR_CORRUPT, ERR_VERSION, ERR_IO. */
int ledger_file_open(const struct env *env, const char *dir,
		     enum ledger_file file, uint32_t number,
		     int flags) MUST_USE;
/* An fd of an empty file with its header; what was there is gone. */
int ledger_file_create(const struct env *env, const char *dir,
		       enum ledger_file file, uint32_t number) MUST_USE;
void ledger_header(uint8_t out[LEDGER_HEADER_BYTES], enum ledger_file file,
		   uint32_t number);

/* Calls each(arg, number, entry) for the entries [first, end) of an open
 * entries file; entry is NULL where it is damaged or cut off. buffer has room
 * for LEDGER_READ_ENTRIES entries. */
typedef void entry_fn(void *arg, uint32_t number, const struct entry *e);
int ledger_entries(const struct env *env, int fd, uint64_t first, uint64_t end,
		   uint8_t *buffer, entry_fn *each, void *arg) MUST_USE;

#endif
