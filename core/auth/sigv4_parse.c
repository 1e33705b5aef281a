/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "core/auth/sigv4_canonical.h"

#define ALGORITHM SV("AWS4-HMAC-SHA256")

enum { METHOD_MAX = 32 };

/* What both places (Authorization, query) say, as text. */
struct said {
	struct sv credential;
	struct sv signed_headers;
	struct sv signature;
};

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static bool made_of(struct sv s, size_t max, const char *more)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_alnum(s.ptr[i]) &&
		    (s.ptr[i] == '\0' || !strchr(more, s.ptr[i])))
			return false;
	return true;
}

static bool is_set(struct sv s)
{
	return s.ptr != NULL;
}

/* KEYID/20261122/us-east-1/logs/aws4_request */
static enum sigv4_refusal read_credential(struct sigv4_claim *c, struct sv s)
{
	struct sv rest = s;

	c->key_id = sv_cut(&rest, '/');
	c->scope = rest;
	c->date = sv_cut(&rest, '/');
	c->region = sv_cut(&rest, '/');
	c->service = sv_cut(&rest, '/');
	if (!sv_eq(rest, SV("aws4_request")) ||
	    !made_of(c->key_id, SIGV4_KEY_ID_MAX, "._-=+@") ||
	    c->date.len != 8 || !made_of(c->date, 8, "") ||
	    !made_of(c->region, SIGV4_REGION_MAX, "-") ||
	    !made_of(c->service, SIGV4_SERVICE_MAX, "-_."))
		return SIGV4_INCOMPLETE;
	c->tag = sv_make(s.ptr, s.len - SV("/aws4_request").len);
	return SIGV4_OK;
}

/* Lower-case tokens (RFC 9110 5.6.2), sorted, each once. */
static enum sigv4_refusal read_signed_headers(struct sigv4_claim *c,
					      struct sv s)
{
	struct sv names = s, before = { NULL, 0 };
	size_t n = 0;

	if (s.len == 0)
		return SIGV4_INCOMPLETE;
	while (names.ptr) {
		struct sv name = sv_cut(&names, ';');

		if (++n > SIGV4_SIGNED_MAX)
			return SIGV4_LIMIT;
		if (!canonical_token(name) ||
		    (n > 1 && sv_cmp(before, name) >= 0))
			return SIGV4_INCOMPLETE;
		for (size_t i = 0; i < name.len; i++)
			if (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z')
				return SIGV4_INCOMPLETE;
		before = name;
	}
	c->signed_headers = s;
	return SIGV4_OK;
}

static enum sigv4_refusal read_said(struct sigv4_claim *c,
				    const struct said *said)
{
	enum sigv4_refusal why;

	if (said->signature.len != SIGV4_SIGNATURE_LEN)
		return SIGV4_INCOMPLETE;
	c->signature = said->signature;
	why = read_credential(c, said->credential);
	return why ? why : read_signed_headers(c, said->signed_headers);
}

/* --- Authorization ------------------------------------------------------------ */

static bool set_once(struct sv *field, struct sv value)
{
	if (is_set(*field))
		return false;
	*field = value;
	return true;
}

/* AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=... */
static enum sigv4_refusal read_authorization(struct sigv4_claim *c,
					     struct sv value)
{
	struct said said = { 0 };
	struct sv algorithm;

	value = sv_trim(value);
	if (!sv_starts(value, SV("AWS4-")))
		return SIGV4_MISSING;
	if (value.len > SIGV4_AUTHORIZATION_MAX)
		return SIGV4_LIMIT;
	algorithm = sv_cut(&value, ' ');
	if (!sv_eq(algorithm, ALGORITHM))
		return SIGV4_ALGORITHM;
	while (value.ptr) {
		struct sv text = sv_trim(sv_cut(&value, ','));
		struct sv name = sv_cut(&text, '=');
		bool ok = is_set(text);

		if (sv_eq(name, SV("Credential")))
			ok = ok && set_once(&said.credential, text);
		else if (sv_eq(name, SV("SignedHeaders")))
			ok = ok && set_once(&said.signed_headers, text);
		else if (sv_eq(name, SV("Signature")))
			ok = ok && set_once(&said.signature, text);
		else
			ok = false;
		if (!ok)
			return SIGV4_INCOMPLETE;
	}
	return read_said(c, &said);
}

/* X-Amz-Date wins over Date, as with AWS. */
static enum sigv4_refusal read_header_date(struct sigv4_claim *c,
					   const struct sigv4_request *r)
{
	size_t from = 0;
	const struct sigv4_header *h =
		canonical_header(r, SV("x-amz-date"), &from);
	struct sv name = SV("x-amz-date");
	struct sv text;

	if (!h) {
		name = SV("date");
		from = 0;
		h = canonical_header(r, name, &from);
	}
	if (!h || canonical_header(r, name, &from))
		return SIGV4_DATE;
	text = sv_trim(h->value);
	if (!sigv4_time(text, &c->time_s) &&
	    (name.len != SV("date").len || !sigv4_http_date(text, &c->time_s)))
		return SIGV4_DATE;
	sigv4_date(c->time, c->time_s);
	return SIGV4_OK;
}

/* --- query -------------------------------------------------------------------- */

/* A parameter that may be there once, decoded into the claim's text. */
static enum sigv4_refusal query_text(struct sigv4_claim *c, size_t *used,
				     struct sv name, struct sv *out)
{
	*out = (struct sv){ NULL, 0 };
	for (size_t i = 0; i < c->param_count; i++) {
		char *at = c->text + *used;
		size_t len;

		if (!canonical_is(c->params[i].name, name))
			continue;
		if (is_set(*out))
			return SIGV4_INCOMPLETE;
		if (!canonical_decode(at, sizeof(c->text) - *used, &len,
				      c->params[i].value))
			return SIGV4_LIMIT;
		*out = sv_make(at, len);
		*used += len;
	}
	return SIGV4_OK;
}

static enum sigv4_refusal read_query(struct sigv4_claim *c, size_t *used)
{
	struct said said = { 0 };
	struct sv algorithm, date, expires;
	const struct {
		struct sv name;
		struct sv *out;
	} rows[] = {
		{ SV("X-Amz-Algorithm"), &algorithm },
		{ SV("X-Amz-Credential"), &said.credential },
		{ SV("X-Amz-SignedHeaders"), &said.signed_headers },
		{ SV("X-Amz-Signature"), &said.signature },
		{ SV("X-Amz-Date"), &date },
		{ SV("X-Amz-Expires"), &expires },
		{ SV("X-Amz-Security-Token"), &c->token },
		{ SV("X-Amz-Content-Sha256"), &c->body_hash },
	};
	enum sigv4_refusal why;
	uint64_t seconds;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why = query_text(c, used, rows[i].name, rows[i].out);
		if (why)
			return why;
	}
	if (!sv_eq(algorithm, ALGORITHM))
		return SIGV4_ALGORITHM;
	why = read_said(c, &said);
	if (why)
		return why;
	if (!is_set(date) || !sigv4_time(date, &c->time_s))
		return SIGV4_DATE;
	sigv4_date(c->time, c->time_s);
	if (!is_set(expires) || !sv_to_u64(expires, &seconds) || seconds < 1 ||
	    seconds > SIGV4_EXPIRES_MAX_S)
		return SIGV4_EXPIRES;
	c->expires_s = (int64_t)seconds;
	c->presigned = true;
	return SIGV4_OK;
}

/* --- what must be signed -------------------------------------------------------- */

static bool is_signed(const struct sigv4_claim *c, struct sv sent)
{
	struct sv names = c->signed_headers;
	const struct sigv4_header h = { sent, { NULL, 0 } };
	const struct sigv4_request one = { .headers = &h, .header_count = 1 };

	while (names.len) {
		size_t from = 0;

		if (canonical_header(&one, sv_cut(&names, ';'), &from))
			return true;
	}
	return false;
}

static bool starts_lower(struct sv sent, struct sv prefix)
{
	const struct sigv4_header h = { sv_make(sent.ptr, prefix.len),
					{ NULL, 0 } };
	const struct sigv4_request one = { .headers = &h, .header_count = 1 };
	size_t from = 0;

	return sent.len >= prefix.len && canonical_header(&one, prefix, &from);
}

/* Host and all x-amz- headers, or X-Amz-Target could be swapped under way. Of
 * these the session token alone is added after signing by some clients. */
static enum sigv4_refusal check_signed(const struct sigv4_claim *c,
				       const struct sigv4_request *r)
{
	if (!is_signed(c, SV("host")))
		return SIGV4_UNSIGNED_HEADER;
	for (size_t i = 0; i < r->header_count; i++) {
		struct sv name = r->headers[i].name;

		if (starts_lower(name, SV("x-amz-")) &&
		    !(name.len == SV("x-amz-security-token").len &&
		      starts_lower(name, SV("x-amz-security-token"))) &&
		    !is_signed(c, name))
			return SIGV4_UNSIGNED_HEADER;
	}
	return SIGV4_OK;
}

/* At most once, its value trimmed; ptr NULL: none. */
static bool read_header(const struct sigv4_request *r, struct sv name,
			struct sv *out)
{
	size_t from = 0;
	const struct sigv4_header *h = canonical_header(r, name, &from);

	if (!h)
		return true;
	*out = sv_trim(h->value);
	return !canonical_header(r, name, &from);
}

static enum sigv4_refusal check_body(struct sigv4_claim *c,
				     const struct sigv4_policy *policy)
{
	uint8_t hash[SIGV4_HASH_SIZE];

	if (!is_set(c->body_hash))
		return SIGV4_OK;
	if (sv_starts(c->body_hash, SV("STREAMING-")))
		return SIGV4_STREAMING;
	if (sv_eq(c->body_hash, SV("UNSIGNED-PAYLOAD"))) {
		c->unsigned_body = policy && policy->unsigned_body_allowed;
		return c->unsigned_body ? SIGV4_OK : SIGV4_UNSIGNED_BODY;
	}
	return sv_to_hex(c->body_hash, hash, sizeof(hash)) ?
		       SIGV4_OK :
		       SIGV4_UNSIGNED_BODY;
}

static bool within_limits(const struct sigv4_request *r)
{
	return r->header_count <= SIGV4_HEADERS_MAX &&
	       r->method.len <= METHOD_MAX && canonical_path_ok(r->path, false);
}

enum sigv4_refusal sigv4_parse(struct sigv4_claim *c,
			       const struct sigv4_request *r,
			       const struct sigv4_policy *policy)
{
	size_t from = 0, used = 0;
	const struct sigv4_header *h;
	bool by_query = false, limits;
	enum sigv4_refusal why;

	memset(c, 0, offsetof(struct sigv4_claim, params));
	h = canonical_header(r, SV("authorization"), &from);
	limits = within_limits(r) &&
		 canonical_params(c->params, &c->param_count, r->query);
	for (size_t i = 0; limits && i < c->param_count; i++)
		by_query |=
			canonical_is(c->params[i].name, SV("X-Amz-Algorithm"));
	if (!h && !by_query && limits)
		return SIGV4_MISSING;
	if (!limits)
		return SIGV4_LIMIT;
	if (h && (by_query || canonical_header(r, SV("authorization"), &from)))
		return SIGV4_INCOMPLETE; /* one way of signing, once */
	why = by_query ? read_query(c, &used) : read_authorization(c, h->value);
	if (!why && !by_query)
		why = read_header_date(c, r);
	if (why)
		return why;
	if (!made_of(r->method, METHOD_MAX, "-") || r->path.len == 0 ||
	    r->path.ptr[0] != '/' ||
	    (sv_eq(c->service, SV("s3")) &&
	     !canonical_path_ok(r->path, true)) ||
	    !read_header(r, SV("x-amz-content-sha256"), &c->body_hash) ||
	    !read_header(r, SV("x-amz-security-token"), &c->token))
		return SIGV4_INCOMPLETE;
	why = check_signed(c, r);
	if (!why)
		why = check_body(c, policy);
	if (!why && memcmp(c->date.ptr, c->time, 8) != 0)
		why = SIGV4_SCOPE_DATE;
	return why;
}
