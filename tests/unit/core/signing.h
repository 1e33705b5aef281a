/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that our own signer signs, for tests of both ends. */
#ifndef TALLY_TESTS_SIGNING_H
#define TALLY_TESTS_SIGNING_H

#include "core/auth/sigv4.h"
#include "tests/unit/core/recording.h"

#define NOW 1795341191 /* 2026-11-22T09:53:11Z */

static const struct sigv4_credentials credentials = {
	SV_INIT(RECORDED_KEY),
	SV_INIT(RECORDED_SECRET),
	SV_INIT("us-east-1"),
	SV_INIT("logs"),
};

/* Signed by botocore: with headers, and as a query (where it can). */
static const struct signed_row {
	const char *method, *path, *query, *body, *header, *presigned;
} signed_rows[] = {
	{ "GET", "/", "", "",
	  "3927ec5ce56bfce25cd528c27a4b614832fe1cad3e25865aaf4180e29f0c2f64",
	  "28d3baa624d1713077437e4645fab6e635fbc7aee46e7efa35cf4970023f0eea" },
	{ "GET", "/a/./b/../c", "", "",
	  "d046a9a7f8936e91cddb6059d55616f66fb539aeb9d6102390323bc3b3c2e756",
	  "bab03599047cd9f8300537ffb5ab171e7a858bfb3e371c76c7beecb00e5c159e" },
	{ "GET", "//a//b/", "", "",
	  "9ae5477fd9e49ab1aec3efa0d5ada572cdf10c13a74932865ceef0456fb1f40f",
	  "36a6788d18edb7d5de34e640912cd4319632219f66897ce95c1c387a53b169f6" },
	{ "GET", "/a%20b/%3A/~x", "", "",
	  "5ab5e8ec714af1422c5360ce630080312ee03e090c0f8ee7ee715cca2dcaa730",
	  "72b37b2df5862707666d61015f341ba7003724a63d30b5cf1dba44e5cf100a64" },
	{ "GET", "/", "b=2&a=1&A=0&a-=3&a=0", "",
	  "93d6e5f717983f527520d8740306bd8278efd2285bde36bc6da2d75cfe724d23",
	  NULL },
	{ "GET", "/x", "flag&empty=&k=%2F%20z", "",
	  "acdb47141ec8bb51140f0cc935d18134909a7b74f2fbd740414c7963cc2d83a2",
	  "698ca08a9c23b36b9552c1732a10f2b2c3a9ef51636067b1a93bacf1110c5e8d" },
	{ "POST", "/v1", "", "{}",
	  "05d8fda1be1ca37bb7c32e9c5c323740447eecff9716e629bdf6159945ca6248",
	  NULL },
	{ "POST",
	  "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction"
	  "%3Ah/invocations",
	  "Qualifier=PROD", "{}",
	  "a2bd9fde8c66d42b1deb72cf76e98d8786a1cfc6f52758da1fa257e846c07fea",
	  NULL },
	{ "PUT", "/%E1%88%B4", "%E1%88%B4=bar&%C3%A9", "",
	  "4bf7e65e1bc2cc7f8ca5faeb9aae82bec95ebbd956bb31686fcda9027fced30f",
	  "c8f6240c1a22fd6d000131d6fc33c9b3026c33119fe56248a699d8e04a535a5c" },
	{ "DELETE", "/..", "", "",
	  "65e21710ad52f30f2217b95a86522da6ae71d4670d4ada3ae729f3f8b03536fb",
	  "cc815783021499b8d81fe12a432a0fe498b76e3fa3c8fe91b011c02b2ac581f6" },
};

enum { SIGNED_ROWS = sizeof(signed_rows) / sizeof(signed_rows[0]) };

static const struct sigv4_header plain_headers[] = {
	{ SV_INIT("Host"), SV_INIT("127.0.0.1:4318") },
	{ SV_INIT("X-Custom"), SV_INIT("  a   b  ") },
	{ SV_INIT("User-Agent"), SV_INIT("not signed") },
	{ SV_INIT("X-Amz-Date"), SV_INIT("20261122T095311Z") },
};

/* A request of a row, with room for one header more. */
struct made {
	struct sigv4_header headers[8];
	struct sigv4_request request;
	uint8_t hash[SIGV4_HASH_SIZE];
	struct buf text;
};

static inline void make(struct made *m, const struct signed_row *row,
			bool presign)
{
	size_t n = presign ? 3 : 4;

	*m = (struct made){ .text = BUF_INIT };
	memcpy(m->headers, plain_headers, n * sizeof(m->headers[0]));
	m->request = (struct sigv4_request){
		.method = sv_from(row->method),
		.path = sv_from(row->path),
		.query = sv_from(row->query),
		.headers = m->headers,
		.header_count = n,
	};
	sigv4_hash(m->hash, sv_from(row->body));
	if (presign) {
		assert_int_equal(sigv4_presign(&m->text, &m->request,
					       &credentials, "20261122T095311Z",
					       3600, m->hash),
				 0);
		m->request.query = buf_view(&m->text);
		return;
	}
	assert_int_equal(
		sigv4_sign(&m->text, &m->request, &credentials, m->hash), 0);
	m->headers[n].name = SV("AUTHORIZATION");
	m->headers[n].value = buf_view(&m->text);
	m->request.header_count++;
}

static inline enum sigv4_refusal judge(const struct made *m, int64_t now,
				       const struct sigv4_policy *policy,
				       struct sigv4_cache *cache)
{
	const struct sigv4_key key = { SV(RECORDED_SECRET), true, false };
	struct sigv4_claim c;
	enum sigv4_refusal why = sigv4_parse(&c, &m->request, policy);

	if (!why)
		why = sigv4_check_time(&c, now);
	return why ? why :
		     sigv4_verify(&c, &m->request, &key, m->hash, cache, NULL);
}

#endif
