/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors. Three kinds, never mixed: our own bug is an assert (on in release
 * too); the world saying no is a negative enum err; a refusal in the domain
 * has its module's own enum. The fuller story is told at the border only, in
 * a struct diag.
 */
#ifndef TALLY_CORE_BASE_ERR_H
#define TALLY_CORE_BASE_ERR_H

#include <stdarg.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

enum err {
	ERR_OK = 0,
	ERR_NOMEM = -1,	    /* memory or an arena's limit is used up */
	ERR_IO = -2,	    /* the disk or a socket said no; errno is in diag */
	ERR_FULL = -3,	    /* the disk is full or over its budget */
	ERR_BUSY = -4,	    /* a bounded queue is full: try again later */
	ERR_CORRUPT = -5,   /* magic, length or checksum do not hold */
	ERR_VERSION = -6,   /* written by a newer release; refused by name */
	ERR_SYNTAX = -7,    /* foreign bytes do not follow their grammar */
	ERR_LIMIT = -8,	    /* foreign bytes go over a named limit */
	ERR_INVALID = -9,   /* well-formed, but a value is not allowed */
	ERR_NOT_FOUND = -10,
	ERR_EXISTS = -11,
	ERR_CLOSED = -12,   /* shutting down, or the peer has gone */
	ERR_TIMEOUT = -13,
	ERR_OVERFLOW = -14, /* a checked sum does not fit */
};

/* A short, constant English text for e; never NULL. */
const char *err_text(int e);

/* The fuller story, for config files and command lines. */
struct diag {
	int err;	/* an enum err */
	int line;	/* in the file that was read; 0: not about a line */
	char text[240]; /* what was wrong and what to do, no newline */
};

/* Fills d (which may be NULL) and returns e, so that a caller can write
 * `return diag_set(d, ERR_INVALID, "...")`. Text that is too long is cut. */
int diag_set(struct diag *d, int e, const char *format, ...) PRINTF(3, 4);

#endif
