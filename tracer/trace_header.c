/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/trace_header.h"

enum { W3C_LENGTH = 2 + 1 + 32 + 1 + 16 + 1 + 2, W3C_SAMPLED = 1 };

static bool is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* W3C has lower case only. */
static bool hex_lower(struct sv text, uint8_t *out, size_t size)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
			return false;
	return sv_to_hex(text, out, size);
}

static bool parse_w3c(struct sv text, struct trace_header *out)
{
	const char *p = text.ptr;
	uint8_t version, flags;

	if (text.len < W3C_LENGTH || p[2] != '-' || p[35] != '-' ||
	    p[52] != '-' || !hex_lower(sv_make(p, 2), &version, 1) ||
	    version == 0xff ||
	    !hex_lower(sv_make(p + 3, 32), out->trace_id, TRACE_ID_SIZE) ||
	    !hex_lower(sv_make(p + 36, 16), out->parent_id, SEGMENT_ID_SIZE) ||
	    !hex_lower(sv_make(p + 53, 2), &flags, 1))
		return false;
	/* Later versions may go on, behind another dash. */
	if (text.len > W3C_LENGTH && (!version || p[W3C_LENGTH] != '-'))
		return false;
	out->has_parent = true;
	out->sampled = flags & W3C_SAMPLED ? TRACE_SAMPLED_YES :
					     TRACE_SAMPLED_NO;
	return !is_zero(out->trace_id, TRACE_ID_SIZE) &&
	       !is_zero(out->parent_id, SEGMENT_ID_SIZE);
}

static enum trace_sampled sampled_of(struct sv value)
{
	if (sv_eq(value, SV("1")))
		return TRACE_SAMPLED_YES;
	if (sv_eq(value, SV("0")))
		return TRACE_SAMPLED_NO;
	return sv_eq(value, SV("?")) ? TRACE_SAMPLED_ASK : TRACE_SAMPLED_UNSAID;
}

static bool parse_xray(struct sv text, struct trace_header *out)
{
	bool root = false;

	while (text.ptr) {
		struct sv value = sv_trim(sv_cut(&text, ';'));
		struct sv key = sv_cut(&value, '=');

		if (!value.ptr)
			continue; /* an empty one, or no pair */
		if (sv_eq(key, SV("Root"))) {
			root = value.len == TRACE_ID_TEXT &&
			       trace_id_parse(value, out->trace_id);
			if (!root)
				return false;
		} else if (sv_eq(key, SV("Parent"))) {
			out->has_parent = value.len == SEGMENT_ID_TEXT &&
					  sv_to_hex(value, out->parent_id,
						    SEGMENT_ID_SIZE);
		} else if (sv_eq(key, SV("Sampled"))) {
			out->sampled = sampled_of(value);
		}
	}
	if (out->has_parent && is_zero(out->parent_id, SEGMENT_ID_SIZE))
		out->has_parent = false;
	return root && !is_zero(out->trace_id, TRACE_ID_SIZE);
}

bool trace_header_parse(struct sv text, struct trace_header *out)
{
	*out = (struct trace_header){ .sampled = TRACE_SAMPLED_UNSAID };
	text = sv_trim(text);
	if (parse_w3c(text, out))
		return true;
	*out = (struct trace_header){ .sampled = TRACE_SAMPLED_UNSAID };
	return parse_xray(text, out);
}

bool trace_header_put_w3c(struct buf *out, const struct trace_header *h)
{
	char trace_id[2 * TRACE_ID_SIZE], parent_id[2 * SEGMENT_ID_SIZE];

	if (!h->has_parent)
		return false;
	hex_from(trace_id, h->trace_id, TRACE_ID_SIZE);
	hex_from(parent_id, h->parent_id, SEGMENT_ID_SIZE);
	buf_text(out, "00-");
	buf_add(out, trace_id, sizeof(trace_id));
	buf_char(out, '-');
	buf_add(out, parent_id, sizeof(parent_id));
	buf_text(out, h->sampled == TRACE_SAMPLED_YES ? "-01" : "-00");
	return true;
}

void trace_header_put_xray(struct buf *out, const struct trace_header *h)
{
	static const char *const sampled[] = {
		[TRACE_SAMPLED_UNSAID] = "",
		[TRACE_SAMPLED_NO] = ";Sampled=0",
		[TRACE_SAMPLED_YES] = ";Sampled=1",
		[TRACE_SAMPLED_ASK] = ";Sampled=?",
	};
	char trace_id[TRACE_ID_TEXT + 1], parent_id[SEGMENT_ID_TEXT + 1];

	trace_id_text(h->trace_id, trace_id);
	buf_text(out, "Root=");
	buf_text(out, trace_id);
	if (h->has_parent) {
		segment_id_text(h->parent_id, parent_id);
		buf_text(out, ";Parent=");
		buf_text(out, parent_id);
	}
	buf_text(out, sampled[h->sampled]);
}
