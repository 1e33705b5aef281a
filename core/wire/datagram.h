/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The X-Ray daemon's datagram, as SDKs send it (source: the X-Ray daemon, and
 * recorded from Node.js' and Python's SDKs):
 *
 *   {"format": "json", "version": 1} LF document
 */
#ifndef TALLY_CORE_WIRE_DATAGRAM_H
#define TALLY_CORE_WIRE_DATAGRAM_H

#include "core/base/text.h"

enum {
	DATAGRAM_HEADER_MAX = 256,
	DATAGRAM_BYTES_MAX = 64 << 10, /* UDP carries 65,507 */
};

/* The document behind a header that holds, without white space around it; it
 * is not looked at. ptr NULL: no such header, or nothing behind it. */
struct sv datagram_document(struct sv datagram);

#endif
