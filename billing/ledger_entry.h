/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's entry: 128 bytes, little-endian, at (1 + n) * 128 of its file
 * (place 0 is the header), so that entry n is one pread.
 *
 *     0 id hash, high and low   16    64 memory MB          4
 *    16 payload hash             8    68 max memory MB      4
 *    24 time ns                  8    72 scope name         4
 *    32 duration us              8    76 source name        4
 *    40 init us                  8    80 resource name      4
 *    48 billed ms                8    84 architecture, status,
 *    56 journal frame            8       kinds of the texts 4
 *    88 request id, packed      16   120 entry's number     4
 *   104 trace id, packed        16   124 CRC-32 of 0..123   4
 *
 * Names are numbers of the names file. A request id that is a UUID and a
 * trace id in X-Ray's or W3C's form are packed to their 16 bytes; any other
 * text stands in the segment's text file: offset, length, CRC.
 */
#ifndef TALLY_BILLING_LEDGER_ENTRY_H
#define TALLY_BILLING_LEDGER_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/wire/records.h"

enum { ENTRY_BYTES = 128, PACKED_BYTES = 16 };

enum text_kind { TEXT_NONE, TEXT_UUID, TEXT_XRAY, TEXT_HEX, TEXT_FILE };

struct packed {
	uint8_t kind; /* enum text_kind */
	uint8_t bytes[PACKED_BYTES];
};

struct entry {
	struct hash128 id;
	uint64_t payload;
	int64_t time_ns;
	uint64_t duration_us, init_us, billed_ms;
	uint64_t frame;
	uint32_t memory_mb, max_memory_mb;
	uint32_t scope, source, resource; /* numbers of names */
	uint8_t architecture, status;
	struct packed request, trace;
	uint32_t number;
};

/* What makes a record the same one: account, source, request id. */
struct hash128 usage_id(uint64_t account, struct sv source, struct sv id);
/* What makes it say the same: every field, each with its length. */
uint64_t usage_payload(const struct scope *scope, const struct usage *u);

void entry_encode(uint8_t out[ENTRY_BYTES], const struct entry *e);
/* False: the CRC or the number does not hold. */
bool entry_decode(struct entry *out, const uint8_t in[ENTRY_BYTES],
		  uint32_t number) MUST_USE;

/* False: not one of the packed forms; the caller puts it in the text file. */
bool text_pack(struct packed *out, struct sv text) MUST_USE;
/* Not TEXT_FILE. ptr NULL: memory is used up. */
struct sv text_unpack(const struct packed *p, struct arena *arena) MUST_USE;
void text_place(struct packed *out, uint64_t offset, struct sv text);
struct text_at {
	uint64_t offset;
	uint32_t len, crc;
};
struct text_at text_where(const struct packed *p);

#endif
