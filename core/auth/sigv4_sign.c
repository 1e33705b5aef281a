/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>

#include "core/auth/sigv4_canonical.h"

enum {
	NAMES_MAX = 2048, /* bytes of SignedHeaders that we make */
	SCOPE_MAX = 8 + SIGV4_REGION_MAX + SIGV4_SERVICE_MAX + 16,
};

void sigv4_hash(uint8_t out[SIGV4_HASH_SIZE], struct sv body)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, body.len, (const uint8_t *)body.ptr);
	sha256_digest(&ctx, SIGV4_HASH_SIZE, out);
}

/* What proxies and HTTP libraries change on the way. */
static bool left_out(struct sv lower)
{
	static const struct sv names[] = {
		SV_INIT("authorization"), SV_INIT("connection"),
		SV_INIT("expect"),        SV_INIT("transfer-encoding"),
		SV_INIT("user-agent"),    SV_INIT("x-amzn-trace-id"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sv_eq(lower, names[i]))
			return true;
	return false;
}

/* The names of all headers to sign: lower case, sorted, each once. */
struct names {
	char text[NAMES_MAX]; /* of the names, one after the other */
	size_t used;
	struct sv sorted[SIGV4_SIGNED_MAX];
	size_t count;
	struct buf list; /* with ';' */
};

static int add_name(struct names *n, struct sv sent)
{
	char *at = n->text + n->used;
	struct sv name = sv_make(at, sent.len);
	size_t i = n->count;

	if (!canonical_token(sent))
		return ERR_INVALID;
	if (sent.len > sizeof(n->text) - n->used)
		return ERR_LIMIT;
	for (size_t k = 0; k < sent.len; k++)
		at[k] = sent.ptr[k] >= 'A' && sent.ptr[k] <= 'Z' ?
				(char)(sent.ptr[k] + ('a' - 'A')) :
				sent.ptr[k];
	if (left_out(name))
		return 0;
	while (i > 0 && sv_cmp(n->sorted[i - 1], name) > 0)
		i--;
	if (i > 0 && sv_eq(n->sorted[i - 1], name))
		return 0;
	if (n->count == SIGV4_SIGNED_MAX)
		return ERR_LIMIT;
	memmove(n->sorted + i + 1, n->sorted + i,
		(n->count - i) * sizeof(n->sorted[0]));
	n->sorted[i] = name;
	n->count++;
	n->used += sent.len;
	return 0;
}

static int list_names(struct names *n, const struct sigv4_request *r)
{
	bool host = false;

	n->used = 0;
	n->count = 0;
	n->list = (struct buf){ .limit = NAMES_MAX + SIGV4_SIGNED_MAX };
	for (size_t i = 0; i < r->header_count; i++) {
		int e = add_name(n, r->headers[i].name);

		if (e)
			return e;
	}
	for (size_t i = 0; i < n->count; i++) {
		if (i)
			buf_char(&n->list, ';');
		buf_sv(&n->list, n->sorted[i]);
		host |= sv_eq(n->sorted[i], SV("host"));
	}
	if (n->list.failed)
		return ERR_NOMEM;
	return host ? 0 : ERR_INVALID;
}

/* One '/' more and the scope would mean something else. */
static bool plain(struct sv s, size_t max)
{
	return s.len > 0 && s.len <= max && !memchr(s.ptr, '/', s.len) &&
	       !memchr(s.ptr, ',', s.len);
}

static int make_scope(char out[SCOPE_MAX], struct sv *scope,
		      const struct sigv4_credentials *cred, const char *date)
{
	int n;

	if (!plain(cred->key_id, SIGV4_KEY_ID_MAX) ||
	    !plain(cred->region, SIGV4_REGION_MAX) ||
	    !plain(cred->service, SIGV4_SERVICE_MAX) ||
	    cred->secret.len > SIGV4_SECRET_MAX || cred->secret.len == 0)
		return ERR_INVALID;
	n = snprintf(out, SCOPE_MAX, "%.8s/%.*s/%.*s/aws4_request", date,
		     SV_ARG(cred->region), SV_ARG(cred->service));
	assert(n > 0 && n < SCOPE_MAX);
	*scope = sv_make(out, (size_t)n);
	return 0;
}

static void sign(char out[SIGV4_SIGNATURE_LEN],
		 const struct canonical_request *canonical,
		 const struct sigv4_credentials *cred, struct sv time,
		 struct sv scope)
{
	struct hmac_sha256_ctx ctx;
	struct canonical_sink sink;
	uint8_t hash[SIGV4_HASH_SIZE];
	bool all;

	canonical_start(&sink, NULL);
	all = canonical_write(&sink, canonical);
	assert(all);
	canonical_end(&sink, hash);
	sigv4_derive(&ctx, cred->secret, sv_make(scope.ptr, 8), cred->region,
		     cred->service);
	sigv4_signature(out, &ctx, time, scope, hash);
	explicit_bzero(&ctx, sizeof(ctx));
}

static enum canonical_path path_form(const struct sigv4_credentials *cred)
{
	return sv_eq(cred->service, SV("s3")) ? CANONICAL_S3 : CANONICAL_NORMAL;
}

/* The time of a request to sign. */
static int signing_time(const struct sigv4_request *r, struct sv *out)
{
	size_t from = 0;
	const struct sigv4_header *h =
		canonical_header(r, SV("x-amz-date"), &from);
	int64_t time_s;

	if (!h || !sigv4_time(sv_trim(h->value), &time_s))
		return ERR_INVALID;
	*out = sv_trim(h->value);
	return 0;
}

static int sign_with(struct buf *out, const struct sigv4_request *r,
		     const struct sigv4_credentials *cred, struct sv body,
		     struct names *names)
{
	struct sigv4_param params[SIGV4_PARAMS_MAX];
	struct canonical_request canonical = {
		.request = r,
		.params = params,
		.body = body,
		.path = path_form(cred),
	};
	char scope_text[SCOPE_MAX], signature[SIGV4_SIGNATURE_LEN];
	struct sv scope, time;
	int e = signing_time(r, &time);

	if (!e)
		e = make_scope(scope_text, &scope, cred, time.ptr);
	if (!e)
		e = list_names(names, r);
	if (e)
		return e;
	if (!canonical_path_ok(r->path, path_form(cred) == CANONICAL_S3) ||
	    !canonical_params(params, &canonical.param_count, r->query))
		return ERR_LIMIT;
	canonical.signed_headers = buf_view(&names->list);
	sign(signature, &canonical, cred, time, scope);
	buf_text(out, "AWS4-HMAC-SHA256 Credential=");
	buf_sv(out, cred->key_id);
	buf_char(out, '/');
	buf_sv(out, scope);
	buf_text(out, ", SignedHeaders=");
	buf_sv(out, canonical.signed_headers);
	buf_text(out, ", Signature=");
	buf_add(out, signature, sizeof(signature));
	return out->failed ? ERR_NOMEM : 0;
}

int sigv4_sign(struct buf *out, const struct sigv4_request *r,
	       const struct sigv4_credentials *cred,
	       const uint8_t body[SIGV4_HASH_SIZE])
{
	struct names names = { .list = BUF_INIT };
	char hex[2 * SIGV4_HASH_SIZE];
	int e;

	hex_from(hex, body, SIGV4_HASH_SIZE);
	e = sign_with(out, r, cred, sv_make(hex, sizeof(hex)), &names);
	buf_fini(&names.list);
	return e;
}

static int presign_with(struct buf *out, const struct sigv4_request *r,
			const struct sigv4_credentials *cred, const char *date,
			int64_t expires_s, struct sv body, struct names *names)
{
	struct sigv4_param params[SIGV4_PARAMS_MAX];
	struct canonical_request canonical = {
		.request = r,
		.params = params,
		.body = body,
		.path = path_form(cred),
	};
	char scope_text[SCOPE_MAX], signature[SIGV4_SIGNATURE_LEN];
	struct sv scope;
	int64_t time_s;
	int e;

	if (!sigv4_time(sv_from(date), &time_s) || expires_s < 1 ||
	    expires_s > SIGV4_EXPIRES_MAX_S)
		return ERR_INVALID;
	e = make_scope(scope_text, &scope, cred, date);
	if (!e)
		e = list_names(names, r);
	if (e)
		return e;
	buf_sv(out, r->query);
	buf_text(out, r->query.len ? "&X-Amz-Algorithm=AWS4-HMAC-SHA256" :
				     "X-Amz-Algorithm=AWS4-HMAC-SHA256");
	buf_text(out, "&X-Amz-Credential=");
	canonical_encode(out, cred->key_id);
	buf_text(out, "%2F");
	canonical_encode(out, scope);
	buf_format(out, "&X-Amz-Date=%s&X-Amz-Expires=%lld", date,
		   (long long)expires_s);
	buf_text(out, "&X-Amz-SignedHeaders=");
	canonical_encode(out, buf_view(&names->list));
	if (out->failed)
		return ERR_NOMEM;
	if (!canonical_path_ok(r->path, path_form(cred) == CANONICAL_S3) ||
	    !canonical_params(params, &canonical.param_count, buf_view(out)))
		return ERR_LIMIT;
	canonical.signed_headers = buf_view(&names->list);
	sign(signature, &canonical, cred, sv_from(date), scope);
	buf_text(out, "&X-Amz-Signature=");
	buf_add(out, signature, sizeof(signature));
	return out->failed ? ERR_NOMEM : 0;
}

int sigv4_presign(struct buf *out, const struct sigv4_request *r,
		  const struct sigv4_credentials *cred, const char *date,
		  int64_t expires_s, const uint8_t body[SIGV4_HASH_SIZE])
{
	struct names names = { .list = BUF_INIT };
	char hex[2 * SIGV4_HASH_SIZE];
	int e;

	assert(out->len == 0);
	hex_from(hex, body, SIGV4_HASH_SIZE);
	e = presign_with(out, r, cred, date, expires_s,
			 sv_make(hex, sizeof(hex)), &names);
	buf_fini(&names.list);
	return e;
}
