/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/xml_write.h"

#include <assert.h>
#include <math.h>

#include "core/codec/json_write.h"
#include "core/codec/time_text.h"
#include "core/codec/utf8.h"

static void put_name(struct xml_writer *w, uint8_t level)
{
	buf_text(w->out, w->open[level].name);
	if (w->open[level].suffix)
		buf_text(w->out, w->open[level].suffix);
}

static void open_element(struct xml_writer *w, const char *name,
			 const char *suffix, const char *xmlns)
{
	assert(w->depth < XML_DEPTH_MAX && name[0]);
	w->open[w->depth].name = name;
	w->open[w->depth].suffix = suffix;
	buf_char(w->out, '<');
	put_name(w, w->depth++);
	if (xmlns) {
		buf_text(w->out, " xmlns=\"");
		xml_escape(w->out, sv_from(xmlns));
		buf_char(w->out, '"');
	}
	buf_char(w->out, '>');
}

void xml_open(struct xml_writer *w, const char *name)
{
	open_element(w, name, NULL, NULL);
}

void xml_close(struct xml_writer *w)
{
	assert(w->depth > 0);
	buf_text(w->out, "</");
	put_name(w, --w->depth);
	buf_char(w->out, '>');
}

void xml_put_sv(struct xml_writer *w, struct sv text)
{
	assert(w->depth > 0);
	xml_escape(w->out, text);
}

void xml_put_i64(struct xml_writer *w, int64_t v)
{
	if (v < 0)
		buf_char(w->out, '-');
	buf_u64(w->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void xml_put_double(struct xml_writer *w, double v)
{
	struct json_writer number = json_writer(w->out);

	if (isnan(v))
		buf_text(w->out, "NaN");
	else if (isinf(v))
		buf_text(w->out, v < 0 ? "-Infinity" : "Infinity");
	else
		json_put_double(&number, v);
}

void xml_put_bool(struct xml_writer *w, bool v)
{
	buf_text(w->out, v ? "true" : "false");
}

void xml_put_iso(struct xml_writer *w, int64_t ns)
{
	time_put_iso(w->out, ns);
}

void xml_element(struct xml_writer *w, const char *name, struct sv text)
{
	xml_open(w, name);
	xml_put_sv(w, text);
	xml_close(w);
}

void xml_open_response(struct xml_writer *w, const char *operation,
		       const char *xmlns, bool result)
{
	assert(w->depth == 0);
	open_element(w, operation, "Response", xmlns);
	if (result)
		open_element(w, operation, "Result", NULL);
}

void xml_close_response(struct xml_writer *w, struct sv request_id)
{
	assert(w->depth == 1 || w->depth == 2);
	if (w->depth == 2)
		xml_close(w);
	xml_open(w, "ResponseMetadata");
	xml_element(w, "RequestId", request_id);
	xml_close(w);
	xml_close(w);
}

void xml_error(struct buf *out, const char *xmlns, bool sender, struct sv code,
	       struct sv message, struct sv request_id)
{
	struct xml_writer w = xml_writer(out);

	open_element(&w, "ErrorResponse", NULL, xmlns);
	xml_open(&w, "Error");
	xml_element(&w, "Type", sender ? SV("Sender") : SV("Receiver"));
	xml_element(&w, "Code", code);
	xml_element(&w, "Message", message);
	xml_close(&w);
	xml_element(&w, "RequestId", request_id);
	xml_close(&w);
}

static const char *reference(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return c < 0x20 ? "\xef\xbf\xbd" : NULL;
	}
}

/* Length of the character at p that XML 1.0 can say (2.2), or 0. */
static size_t sayable(const unsigned char *p, const unsigned char *end)
{
	size_t n = utf8_length(p, end);

	if (n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
		return 0;
	return n;
}

void xml_escape(struct buf *out, struct sv text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	const unsigned char *end = text.len ? p + text.len : p;
	const unsigned char *plain = p; /* not written yet, good as it is */

	while (p < end) {
		const char *other = NULL;
		size_t n = 1;

		if (*p < 0x80) {
			other = reference(*p);
		} else {
			n = sayable(p, end);
			if (!n) {
				other = "\xef\xbf\xbd"; /* U+FFFD */
				n = utf8_length(p, end);
				n += !n;
			}
		}
		if (other) {
			buf_add(out, plain, (size_t)(p - plain));
			buf_text(out, other);
			plain = p + n;
		}
		p += n;
	}
	buf_add(out, plain, (size_t)(p - plain));
}
