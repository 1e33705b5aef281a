/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handler writes becomes log events, in two ways. Plain bytes on stdout
 * and stderr are cut at line ends. AWS's runtime clients rather write frames
 * to the descriptor named by _LAMBDA_TELEMETRY_LOG_FD, so that an event may
 * hold line ends:
 *
 *      0        4        8                16
 *      +--------+--------+----------------+---------
 *      | type   | length | microseconds   | message      all big-endian
 *      +--------+--------+----------------+---------
 *      type = 0xA55A0003 (text) or 0xA55A0002 (JSON), or-ed with the level
 *
 * Both take bytes as they come, in any portions, and hold at most one event:
 * what is longer than LOG_EVENT_BYTES_MAX is given out in pieces.
 */
#ifndef TALLY_AGENT_LINES_H
#define TALLY_AGENT_LINES_H

#include <stdint.h>

#include "core/base/text.h"

enum {
	LOG_EVENT_BYTES_MAX = 256 << 10, /* CloudWatch Logs: an event */
	FRAME_HEADER_BYTES = 16,
	FRAME_BYTES_MAX = 16 << 20, /* a longer one is not a frame */
};

/* time_us is 0 where the bytes do not say when. */
typedef void (*line_fn)(void *arg, uint64_t time_us, struct sv message);

struct lines {
	struct buf held; /* the begin of an event */
	uint64_t cut;    /* events given out in pieces */
};
void lines_fini(struct lines *l);
void lines_add(struct lines *l, struct sv bytes, line_fn each, void *arg);
/* Gives out what has no line end yet. */
void lines_flush(struct lines *l, line_fn each, void *arg);

struct frames {
	struct buf held;
	uint64_t left; /* bytes of the message still to come */
	uint64_t time_us;
	bool in_message;
	bool broken; /* no frame: all that follows is taken as lines */
	struct lines rest;
};
void frames_fini(struct frames *f);
void frames_add(struct frames *f, struct sv bytes, line_fn each, void *arg);
void frames_flush(struct frames *f, line_fn each, void *arg);

/* text with bytes that are not UTF-8 made U+FFFD; borrowed from text, or from
 * scratch where something had to be changed. */
struct sv text_clean(struct sv text, struct buf *scratch);

#endif
