/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/headers.h"

#include <assert.h>
#include <stdio.h>

#include "core/auth/sigv4.h"

static void add(struct buf *out, const char *name, struct sv value)
{
	buf_text(out, name);
	buf_text(out, ": ");
	buf_sv(out, value);
	buf_char(out, '\0');
}

static int sign(struct buf *out, const struct headers_input *in,
		const struct settings *s)
{
	struct sv rest = in->target;
	const struct sigv4_credentials credentials = {
		.key_id = sv_from(s->key_id),
		.secret = sv_from(s->secret),
		.region = sv_from(s->region),
		.service = SV(HEADERS_SERVICE),
	};
	struct sigv4_header headers[5];
	struct sigv4_request request = { .method = in->method,
					 .headers = headers };
	struct buf value = { .limit = SIGV4_AUTHORIZATION_MAX };
	char date[SIGV4_DATE_LEN + 1];
	char hex[2 * SIGV4_HASH_SIZE];
	uint8_t hash[SIGV4_HASH_SIZE];
	size_t n = 0;
	int e;

	request.path = sv_cut(&rest, '?');
	request.query = rest;
	sigv4_date(date, in->now_s);
	sigv4_hash(hash, in->body);
	hex_from(hex, hash, sizeof(hash));
	headers[n++] = (struct sigv4_header){ SV("Host"), in->host };
	headers[n++] = (struct sigv4_header){ SV("X-Amz-Date"), sv_from(date) };
	headers[n++] = (struct sigv4_header){ SV("X-Amz-Content-Sha256"),
					      sv_make(hex, sizeof(hex)) };
	if (in->content_type.ptr)
		headers[n++] = (struct sigv4_header){ SV("Content-Type"),
						      in->content_type };
	if (s->session_token)
		headers[n++] =
			(struct sigv4_header){ SV("X-Amz-Security-Token"),
					       sv_from(s->session_token) };
	request.header_count = n;
	e = sigv4_sign(&value, &request, &credentials, hash);
	add(out, "X-Amz-Date", sv_from(date));
	add(out, "X-Amz-Content-Sha256", sv_make(hex, sizeof(hex)));
	if (s->session_token)
		add(out, "X-Amz-Security-Token", sv_from(s->session_token));
	if (!e)
		add(out, "Authorization", buf_view(&value));
	buf_fini(&value);
	return e;
}

int headers_build(struct buf *out, const struct headers_input *in,
		  const struct settings *settings)
{
	char attempt[64];
	int e = 0;

	assert(in->content_type.ptr || !in->body.len);
	add(out, "Host", in->host);
	if (in->content_type.ptr)
		add(out, "Content-Type", in->content_type);
	if (in->accept.ptr)
		add(out, "Accept", in->accept);
	add(out, "amz-sdk-invocation-id", sv_from(in->invocation_id));
	snprintf(attempt, sizeof(attempt), "attempt=%u; max=%u", in->attempt,
		 in->attempts_max);
	add(out, "amz-sdk-request", sv_from(attempt));
	if (in->token.ptr) {
		buf_text(out, "Authorization: Bearer ");
		buf_sv(out, in->token);
		buf_char(out, '\0');
	} else if (settings->key_id && settings->secret) {
		e = sign(out, in, settings);
	}
	if (e)
		return e;
	return out->failed ? ERR_NOMEM : 0;
}

void headers_invocation_id(char out[HEADERS_INVOCATION_ID_LEN + 1],
			   const uint8_t random[16])
{
	uint8_t bytes[16];
	char hex[32];
	size_t at = 0;

	memcpy(bytes, random, sizeof(bytes));
	bytes[6] = (uint8_t)(0x40 | (bytes[6] & 0x0F));
	bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F));
	hex_from(hex, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(hex); i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[at++] = '-';
		out[at++] = hex[i];
	}
	assert(at == HEADERS_INVOCATION_ID_LEN);
	out[at] = '\0';
}
