/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents as shape and values. A service sends the same document over and
 * over with other values in it: what stays is its shape, interned once in a
 * dictionary; what changes is its row. A row is 60 to 120 bytes where the
 * document is 400 to 1,000, and gives back the document byte by byte.
 *
 *   shape   of JSON the text between the values; of a span the order of its
 *           fields and its attributes' keys
 *   row     the shape's number and the values in order. A value is a number
 *           in the dictionary if its text is repeated; else binary if it is
 *           an id, a UUID or a decimal number that prints the same; else text
 *   list    an array (a span's events, links) is a place with rows of its
 *           own, so that two calls or three make no difference to the shape
 *
 * What is not worth a shape, or could not be given back exactly, is its own
 * text behind shape 0 or 1 (SHAPE_VERBATIM_*): always possible, counted.
 *
 * The dictionary takes what it has seen before: a shape or string becomes an
 * entry when it comes the second time within the last few thousand misses.
 * Texts that do not repeat therefore never enter; those of one column may fill
 * an eighth of it, all of them half, resources three quarters. Over its limit
 * nothing enters, and documents of new shapes are stored as they are: once
 * shapes_stats.full is not 0, it is time for a new dictionary.
 * Entries are never moved or changed: who got a row under a lock may unpack it
 * without the lock while the owner packs on.
 */
#ifndef TALLY_TRACER_SHAPE_SHAPE_H
#define TALLY_TRACER_SHAPE_SHAPE_H

#include "core/wire/records.h"
#include "tracer/document.h"

enum {
	SHAPES_BYTES_DEFAULT = 1 << 20, /* of one dictionary */
	SHAPES_BYTES_MIN = 4 << 10,
	SHAPE_STRING_MAX = 4 << 10, /* bytes; longer ones are not interned */
	SHAPE_TEXT_MAX = 16 << 10,  /* bytes of one shape */
	SHAPE_PLACES_MAX = 512,     /* values of one shape, lists not counted */
	SHAPE_DEPTH_MAX = 16,       /* lists in lists; deeper ones are text */
	SHAPE_ROW_MAX = 4 << 20,    /* bytes of a row, and of a document */
};

struct shapes;

struct shapes_stats {
	uint64_t packed;   /* documents that became shape and values */
	uint64_t verbatim; /* documents that are stored as they are */
	uint64_t full; /* shapes, columns and sources there was no room for */
	uint64_t refused; /* strings over their part of it */
	uint32_t entries;
	size_t bytes; /* of the entries; of the image about the same */
};

/* An empty dictionary that takes at most bytes_max (0: the default); memory is
 * taken as it fills. ERR_NOMEM. */
int shapes_new(struct shapes **out, size_t bytes_max) MUST_USE;
void shapes_free(struct shapes *s);
void shapes_stats(const struct shapes *s, struct shapes_stats *out);
/* Memory it has, in bytes, with its tables. */
size_t shapes_memory(const struct shapes *s);

/* Appends the dictionary's image. It has no checksum: its container does. */
void shapes_save(const struct shapes *s, struct buf *out);
/* A dictionary to read from (shape_unpack, columns_*), straight from its
 * image, which must outlive it: nothing is copied or built, and entries are
 * checked when they are read. ERR_CORRUPT, ERR_NOMEM. */
int shapes_open(struct shapes **out, struct sv image) MUST_USE;

/* Appends doc's row. trace_id is the one the row will be kept under: where
 * the document repeats it, the row does not. Never refuses a document; false:
 * row->failed, or memory is used up (row is then as it was). */
bool shape_pack_json(struct shapes *s, const struct json_doc *doc,
		     const uint8_t trace_id[TRACE_ID_SIZE],
		     struct buf *row) MUST_USE;
/* The same of a span; its document is document_of_span's. */
bool shape_pack_span(struct shapes *s, const struct span_record *span,
		     const uint8_t trace_id[TRACE_ID_SIZE],
		     struct buf *row) MUST_USE;
/* The same of a document that comes out of another dictionary. */
bool shape_pack_document(struct shapes *s, const struct document *d,
			 const uint8_t trace_id[TRACE_ID_SIZE],
			 struct arena *scratch, struct buf *row) MUST_USE;

/* Appends the document as it came and sets its format. ERR_CORRUPT: not a row
 * of this dictionary (out is then as it was); ERR_NOMEM: out->limit. */
int shape_unpack(const struct shapes *s, struct sv row,
		 const uint8_t trace_id[TRACE_ID_SIZE],
		 enum document_format *format, struct buf *out) MUST_USE;

#endif
