/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML writer for answers of the Query protocol: elements and text, appended to
 * a struct buf. Whatever goes into text or an attribute goes through
 * xml_escape; names of elements are constants of ours, and calls that do not
 * nest are our bug (assert). No XML is ever read.
 */
#ifndef TALLY_CORE_CODEC_XML_WRITE_H
#define TALLY_CORE_CODEC_XML_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/text.h"

enum { XML_DEPTH_MAX = 64 };

struct xml_writer {
	struct buf *out;
	uint8_t depth;
	struct {
		const char *name, *suffix;
	} open[XML_DEPTH_MAX];
};

static inline struct xml_writer xml_writer(struct buf *out)
{
	return (struct xml_writer){ .out = out };
}

/* <name>; the name must live until it is closed. */
void xml_open(struct xml_writer *w, const char *name);
void xml_close(struct xml_writer *w);
void xml_put_sv(struct xml_writer *w, struct sv text);
void xml_put_i64(struct xml_writer *w, int64_t v);
/* As JSON has it; NaN, Infinity, -Infinity. */
void xml_put_double(struct xml_writer *w, double v);
void xml_put_bool(struct xml_writer *w, bool v);
void xml_put_iso(struct xml_writer *w, int64_t ns);
/* <name>text</name> */
void xml_element(struct xml_writer *w, const char *name, struct sv text);

/* <OpResponse xmlns=".."> and, with a result, <OpResult>; closing adds the
 * ResponseMetadata with the request's id. */
void xml_open_response(struct xml_writer *w, const char *operation,
		       const char *xmlns, bool result);
void xml_close_response(struct xml_writer *w, struct sv request_id);
/* A whole <ErrorResponse>; sender: the caller is to blame. */
void xml_error(struct buf *out, const char *xmlns, bool sender, struct sv code,
	       struct sv message, struct sv request_id);

/* Text for between elements or in quotes. What XML 1.0 cannot say (controls,
 * U+FFFE, U+FFFF, bytes that are not UTF-8) becomes U+FFFD; tab, newline and
 * return become references, since a parser would change them. */
void xml_escape(struct buf *out, struct sv text);

#endif
