/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded HTTP/1.1 request, cut into the views that core/auth takes. For
 * tests: it trusts the file. */
#ifndef TALLY_TESTS_RECORDING_H
#define TALLY_TESTS_RECORDING_H

#include <assert.h>

#include "core/auth/sigv4.h"

enum { RECORDING_MAX = 64 << 10 };

#define RECORDED_KEY "AKIDEXAMPLE"
#define RECORDED_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

struct recording {
	char bytes[RECORDING_MAX];
	size_t len;
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	struct sigv4_request request;
	struct sv body;
};

static inline struct sv recording_line(struct sv *rest)
{
	struct sv line = sv_cut(rest, '\n');

	/* A line that begins with white space goes on with the one before. */
	while (line.len && rest->len &&
	       (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
		line.len += sv_cut(rest, '\n').len + 1;
	if (sv_ends(line, SV("\r")))
		line.len--;
	return line;
}

/* False: not the shape of a request, or too many headers. Leaves room for
 * three more. */
static inline bool recording_cut(struct recording *r)
{
	struct sv rest = sv_make(r->bytes, r->len);
	struct sv line = recording_line(&rest);
	struct sv target;
	struct sigv4_header *h;

	r->request = (struct sigv4_request){ .headers = r->headers };
	r->request.method = sv_cut(&line, ' ');
	if (!sv_ends(line, SV(" HTTP/1.1")))
		return false;
	target = sv_make(line.ptr, line.len - SV(" HTTP/1.1").len);
	r->request.path = sv_cut(&target, '?');
	r->request.query = target;
	while ((line = recording_line(&rest)).len) {
		if (r->request.header_count + 3 >= SIGV4_HEADERS_MAX)
			return false;
		h = &r->headers[r->request.header_count++];
		h->name = sv_cut(&line, ':');
		h->value = line;
	}
	r->body = rest;
	return true;
}

static inline bool recording_copy(struct recording *r, const void *bytes,
				  size_t len)
{
	if (len >= sizeof(r->bytes))
		return false;
	r->len = len;
	if (len)
		memcpy(r->bytes, bytes, len);
	return recording_cut(r);
}

static inline void recording_read(struct recording *r, const char *path)
{
	FILE *f = fopen(path, "rb");

	assert(f);
	r->len = fread(r->bytes, 1, sizeof(r->bytes), f);
	assert(r->len > 0 && r->len < sizeof(r->bytes));
	fclose(f);
	if (!recording_cut(r))
		abort();
}

/* The door's way from bytes to a verdict. */
static inline enum sigv4_refusal
recording_verify(const struct recording *r, const struct sigv4_policy *policy,
		 int64_t now_s, struct sigv4_cache *cache)
{
	struct sigv4_key key = { SV(RECORDED_SECRET), true, false };
	uint8_t hash[SIGV4_HASH_SIZE];
	struct sigv4_claim claim;
	enum sigv4_refusal why = sigv4_parse(&claim, &r->request, policy);

	if (!why && now_s)
		why = sigv4_check_time(&claim, now_s);
	if (why)
		return why;
	key.known = sv_eq(claim.key_id, SV(RECORDED_KEY));
	sigv4_hash(hash, r->body);
	return sigv4_verify(&claim, &r->request, &key, hash, cache, NULL);
}

#endif
