/* SPDX-License-Identifier: Apache-2.0 */
/* PutTraceSegments, and what arrives as datagrams. Source of the shapes: the
 * public X-Ray service model; of the datagram: the X-Ray daemon. */
#include <stdlib.h>

#include "collector/door/answer.h"
#include "collector/ingest/ingest.h"
#include "core/base/hash.h"
#include "core/codec/json_wide.h"
#include "core/codec/json_write.h"
#include "core/wire/native.h"
#include "tracer/segment.h"

/* Which decoder reads a frame of PROTOCOL_XRAY_SEGMENTS. */
enum {
	XRAY_PLAIN = 1,    /* the body as received */
	XRAY_ENVELOPE = 2, /* ingest_envelope_put around it */
};

/* --- PutTraceSegments --------------------------------------------------------- */

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* Behind c, which may have space before it; NULL: it is not there. */
static const char *skip(const char *p, const char *end, char c)
{
	if (!p)
		return NULL;
	p = skip_space(p, end);
	return p < end && *p == c ? p + 1 : NULL;
}

static int set_documents(struct message *m, const struct sv *documents,
			 size_t count)
{
	struct segment_record *records =
		arena_array(&m->arena, count, sizeof(*records));

	if (!records)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		records[i].document = documents[i];
	m->records.segments = records;
	m->records.segment_count = count;
	return 0;
}

/* A body as all clients send it: one member, the list, of strings whose escapes
 * are those that JSON within JSON needs. It is read in one pass, without nodes
 * for what is a copy with its backslashes left out. A document's UTF-8 is that
 * document's matter. 1: the body is of another form, or wrong. */
static int read_plain_body(struct message *m, struct sv body)
{
	static const char key[] = "\"TraceSegmentDocuments\"";
	const enum json_wide how = json_wide_can();
	const struct arena_mark mark = arena_mark(&m->arena);
	const char *end = body.ptr + body.len;
	const char *p = skip(body.ptr, end, '{');
	struct sv documents[XRAY_DOCUMENTS_MAX];
	size_t count = 0;
	char *out;

	p = p ? skip_space(p, end) : NULL;
	if (!p || (size_t)(end - p) < sizeof(key) ||
	    memcmp(p, key, sizeof(key) - 1) != 0)
		return 1;
	p = skip(skip(p + sizeof(key) - 1, end, ':'), end, '[');
	if (!p)
		return 1;
	out = arena_alloc(&m->arena, body.len + JSON_WIDE_SLACK);
	if (!out)
		return ERR_NOMEM;
	do {
		struct sv *d = &documents[count];

		p = skip(p, end, '"');
		if (!p || ++count > XRAY_DOCUMENTS_MAX)
			break;
		d->ptr = out;
		p = json_wide_string(p, end, how, out, &d->len);
		if (!p)
			break;
		out += d->len;
		p = skip_space(p + 1, end);
	} while (p < end && *p++ == ',');
	if (p && count <= XRAY_DOCUMENTS_MAX && p[-1] == ']')
		p = skip(p, end, '}');
	else
		p = NULL;
	if (p && skip_space(p, end) == end)
		return set_documents(m, documents, count);
	arena_rollback(&m->arena, mark);
	return 1;
}

/* The documents of a request's body, unescaped, in the message's arena. */
static int read_documents(struct message *m, struct sv body, struct diag *diag)
{
	struct json_doc doc;
	struct json list, it;
	size_t count = 0;
	int e = read_plain_body(m, body);

	if (e <= 0)
		return e;
	e = json_parse(&doc, &m->arena, body, diag);
	if (e)
		return e;
	list = json_get(json_root(&doc), SV("TraceSegmentDocuments"));
	if (!json_is(list, JSON_ARRAY))
		return diag_set(diag, ERR_INVALID,
				"TraceSegmentDocuments must be a list of "
				"strings");
	for (it = json_first(list); it.doc; it = json_next(list, it))
		count++;
	if (count > XRAY_DOCUMENTS_MAX)
		return diag_set(diag, ERR_LIMIT,
				"more than %d documents in one call",
				(int)XRAY_DOCUMENTS_MAX);
	m->records.segments =
		arena_array(&m->arena, count, sizeof(*m->records.segments));
	if (!m->records.segments)
		return ERR_NOMEM;
	for (it = json_first(list); it.doc; it = json_next(list, it)) {
		struct sv text = json_string(it, &m->arena);

		if (!text.ptr)
			return diag_set(diag, ERR_INVALID,
					"every document must be a string with "
					"a segment in JSON");
		m->records.segments[m->records.segment_count++].document = text;
	}
	return 0;
}

/* Writes one entry of UnprocessedTraceSegments. */
static void unprocessed(struct json_writer *w, struct sv document,
			enum segment_refusal why, struct arena *arena)
{
	struct arena_mark mark = arena_mark(arena);
	struct json_doc doc;
	struct sv id = { NULL, 0 };

	if (!json_parse(&doc, arena, document, NULL))
		id = json_string(json_get(json_root(&doc), SV("id")), arena);
	json_open_object(w);
	if (id.ptr) {
		json_key(w, "Id");
		json_put_sv(w, id);
	}
	json_key(w, "ErrorCode");
	json_put_text(w, segment_refusal_code(why));
	json_key(w, "Message");
	json_put_text(w, segment_refusal_text(why));
	json_close_object(w);
	arena_rollback(arena, mark);
}

/* Checks each document; writes the reply, which holds if the frame becomes
 * durable, and the refused list. */
static int check_documents(struct ingest *in, struct message *m,
			   struct buf *reply)
{
	struct json_writer w = json_writer(reply);
	size_t count = m->records.segment_count;
	uint32_t *refused = arena_array(&m->arena, count, sizeof(*refused));
	size_t most = in->segment_bytes_max ? in->segment_bytes_max :
					      SEGMENT_BYTES_MAX;
	size_t n = 0;

	if (!refused)
		return ERR_NOMEM;
	json_open_object(&w);
	json_key(&w, "UnprocessedTraceSegments");
	json_open_array(&w);
	for (uint32_t i = 0; i < count; i++) {
		struct sv document = m->records.segments[i].document;
		enum segment_refusal why =
			document.len > most ?
				SEGMENT_TOO_LARGE :
				segment_take(&m->records.segments[i],
					     &m->arena);

		if (why == SEGMENT_NO_MEMORY)
			return ERR_NOMEM;
		if (why == SEGMENT_OK)
			continue;
		unprocessed(&w, document, why, &m->arena);
		refused[n++] = native_key(RECORD_SEGMENT, i);
	}
	json_close_array(&w);
	json_close_object(&w);
	stats_add(&in->stats->segments_received, count);
	stats_add(&in->stats->refused_record, n);
	m->frame.refused = refused;
	m->frame.refused_count = n;
	native_apply_refused(&m->records, refused, n);
	return reply->failed ? ERR_NOMEM : 0;
}

static void segments_reply(struct submission *s, int err)
{
	if (err)
		ingest_reply_error(s->request, err);
}

static void refuse_call(struct ingest *in, struct request *r, int err,
			const char *text)
{
	if (err == ERR_NOMEM || err == ERR_BUSY) {
		stats_add(&in->stats->shed_memory, 1);
		ingest_reply_error(r, ERR_BUSY);
		return;
	}
	stats_add(&in->stats->refused_body, 1);
	answer_error(r, "InvalidRequestException", text);
}

/* The frame of a call, and in it *body: m owns the bytes from here on. */
static int frame_call(struct ingest *in, struct request *r, struct message *m,
		      struct sv *body)
{
	struct sv invocation = ingest_invocation(r);
	struct buf head = { 0 };

	m->body = r->body;
	r->body = (struct buf){ 0 };
	if (m->body.failed)
		return ERR_NOMEM;
	*body = buf_view(&m->body);
	m->frame = (struct frame){
		.protocol = PROTOCOL_XRAY_SEGMENTS,
		.decoder = invocation.len ? XRAY_ENVELOPE : XRAY_PLAIN,
		.scope = r->caller.scope,
		.received = env_wall(in->env),
		.body = *body,
	};
	if (!invocation.len)
		return 0;
	/* The envelope goes in front when the frame is written. */
	ingest_envelope_put(&head, invocation, SV(""));
	m->frame.prefix = head.failed ? (struct sv){ NULL, 0 } :
					arena_copy(&m->arena, buf_view(&head));
	buf_fini(&head);
	if (!m->frame.prefix.ptr)
		return ERR_NOMEM;
	m->invocation =
		sv_make(m->frame.prefix.ptr + 1, m->frame.prefix.len - 1);
	m->body_hash = hash64(*body);
	return 0;
}

void xray_segments_post(struct ingest *in, struct request *r)
{
	struct submission *s = calloc(1, sizeof(*s));
	struct message *m = message_new(in->apply);
	struct diag diag = { 0 };
	struct sv body;
	int e = ERR_NOMEM;

	stats_add(&in->stats->xray_http_requests, 1);
	stats_add(&in->stats->xray_http_bytes, r->body.len);
	r->content_type = "application/json";
	r->wants_id = true;
	if (s && m) {
		*s = (struct submission){ .ingest = in,
					  .message = m,
					  .request = r,
					  .reply = segments_reply };
		e = frame_call(in, r, m, &body);
		if (!e)
			e = read_documents(m, body, &diag);
		if (!e)
			e = check_documents(in, m, &r->reply);
		if (!e && !message_account(in->apply, m))
			e = ERR_BUSY;
	}
	if (!e && m->records.segment_count) {
		ingest_submit(s);
		return;
	}
	if (e == ERR_NOMEM && m && m->arena.full)
		e = diag_set(&diag, ERR_LIMIT,
			     "the documents take more memory than one "
			     "request may: send fewer");
	if (e == ERR_BUSY && s)
		ingest_count_given_up(s);
	if (e)
		refuse_call(in, r, e, diag.text);
	message_unref(m); /* or there is nothing to store */
	free(s);
}

int xray_segments_decode_frame(struct message *m, const struct frame *frame)
{
	struct sv body = frame->body;
	int e;

	if (frame->decoder == XRAY_ENVELOPE) {
		if (!ingest_envelope_take(frame->body, &m->invocation, &body))
			return ERR_CORRUPT;
		if (m->invocation.len)
			m->body_hash = hash64(body);
	}
	if (m->no_records)
		return 0;
	e = read_documents(m, body, NULL);
	if (e)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	native_apply_refused(&m->records, frame->refused, frame->refused_count);
	return 0;
}

/* --- datagrams ------------------------------------------------------------------ */

void xray_udp_add(struct buf *body, struct sv document)
{
	uint8_t len[4];

	put_le32(len, (uint32_t)document.len);
	buf_add(body, len, sizeof(len));
	buf_sv(body, document);
}

int xray_udp_decode_frame(struct message *m, const struct frame *frame)
{
	const uint8_t *p = (const uint8_t *)frame->body.ptr;
	size_t left = frame->body.len;
	size_t count = 0;

	for (size_t at = 0; left - at >= 4; count++) {
		size_t n = get_le32(p + at);

		if (n > left - at - 4)
			return ERR_CORRUPT;
		at += 4 + n;
	}
	m->records.segments =
		arena_array(&m->arena, count, sizeof(*m->records.segments));
	if (!m->records.segments)
		return ERR_NOMEM;
	for (size_t at = 0; m->records.segment_count < count;) {
		size_t n = get_le32(p + at);

		m->records.segments[m->records.segment_count++].document =
			sv_make((const char *)p + at + 4, n);
		at += 4 + n;
	}
	return 0;
}
