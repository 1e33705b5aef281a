/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign text in HTML: between tags, as the value of an attribute, and as the
 * address of a link. Tags themselves are ours, and no foreign text goes into a
 * script, a style or a comment: there is no encoding for these that holds
 * everywhere (OWASP, "Cross Site Scripting Prevention"), so there is no
 * function. One escape serves text and attributes: & < > " ' and the backtick
 * become references. Bytes that are not UTF-8, controls but tab, line feed and
 * return, and bidirectional overrides become U+FFFD; in an attribute the three
 * are references, or a parser would change them.
 */
#ifndef TALLY_CORE_CODEC_HTML_WRITE_H
#define TALLY_CORE_CODEC_HTML_WRITE_H

#include <stdbool.h>

#include "core/base/text.h"

/* Between tags, but not in script, style, textarea or title. */
void html_put_sv(struct buf *out, struct sv text);
/* Writes ` name="value"`. The name is a constant of ours in lower case, and
 * none whose value is code, markup or an address (assert): on..., style, href,
 * src, srcdoc, srcset, action, formaction, poster, data, ping. */
void html_put_attribute(struct buf *out, const char *name, struct sv value);
/* Writes ` href="url"`. False, and nothing is written: its scheme is none of
 * http, https, mailto, or it has no scheme and is not a path of ours (it begins
 * with one '/') or a part of this page ('#'). */
bool html_put_link(struct buf *out, struct sv url) MUST_USE;

#endif
