/* SPDX-License-Identifier: Apache-2.0 */
/* Signature Version 4: the claim, the key, the verdict. */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "collector/door/answer.h"
#include "collector/door/auth_internal.h"
#include "core/base/hash.h"

static enum sigv4_dialect dialect_of(const struct request *r)
{
	switch (r->protocol) {
	case AWS_QUERY:
		return SIGV4_QUERY;
	case AWS_REST_JSON:
		return SIGV4_REST_JSON;
	default:
		return SIGV4_JSON;
	}
}

bool auth_refuse_signature(struct auth *a, struct request *r,
			   enum sigv4_refusal why,
			   const struct sigv4_claim *claim,
			   struct auth_refusal *refusal)
{
	struct sigv4_error known = sigv4_error(why, dialect_of(r));
	/* JSON and CBOR of a service that was Query before name both. */
	struct sigv4_error query = sigv4_error(why, SIGV4_QUERY);
	const struct aws_error error = {
		.shape = known.code,
		.code = query.code,
		.status = (uint16_t)known.status,
	};
	char message[SIGV4_MESSAGE_MAX];

	snprintf(refusal->reason, sizeof(refusal->reason), "%s",
		 sigv4_refusal_name(why));
	answer_error_as(r, &error,
			sigv4_message(message, why, claim,
				      env_wall(a->env).ns / NS_PER_S));
	return false;
}

/* --- signatures ----------------------------------------------------------------- */

/* A request as the verifier sees it; on the stack, nothing is copied. */
struct signed_request {
	struct sigv4_request request;
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	size_t count; /* of those sent, may be more than there is room for */
	struct sigv4_claim claim;
};

static void add_header(void *arg, struct sv name, struct sv value)
{
	struct signed_request *s = arg;

	if (s->count < SIGV4_HEADERS_MAX)
		s->headers[s->count] = (struct sigv4_header){ name, value };
	s->count++;
}

static enum sigv4_refusal parse(struct request *r, struct signed_request *s)
{
	s->count = 0;
	request_headers_each(r, add_header, s);
	if (s->count > SIGV4_HEADERS_MAX)
		return SIGV4_LIMIT;
	s->request = (struct sigv4_request){
		.method = r->method_text,
		.path = r->target_path,
		.query = r->target_query,
		.headers = s->headers,
		.header_count = s->count,
	};
	return sigv4_parse(&s->claim, &s->request, NULL);
}

bool auth_region_is_name(struct sv region)
{
	if (!region.len || region.len >= REGION_MAX)
		return false;
	for (size_t i = 0; i < region.len; i++)
		if (!islower((unsigned char)region.ptr[i]) &&
		    !isdigit((unsigned char)region.ptr[i]) &&
		    region.ptr[i] != '-')
			return false;
	return true;
}

/* What the key, if there is one, and the scope must be for. */
static enum sigv4_refusal check_claim(const struct request *r,
				      const struct signed_request *s,
				      const struct key *key, int64_t now_s)
{
	const struct sigv4_claim *c = &s->claim;
	enum sigv4_refusal why = sigv4_check_time(c, now_s);

	if (why == SIGV4_OK)
		why = sigv4_check_scope(c, (struct sv){ NULL, 0 },
					sv_from(r->service->signing));
	if (why != SIGV4_OK)
		return why;
	if (!auth_region_is_name(c->region) ||
	    (key->known && !key_in_region(key, c->region)))
		return SIGV4_REGION;
	return SIGV4_OK;
}

static enum sigv4_refusal verify(struct auth *a, struct request *r,
				 struct signed_request *s,
				 const struct key *key)
{
	const struct sigv4_key candidate = {
		.secret = key->secret,
		.known = key->known,
		.expired = key_expired(key, env_wall(a->env).ns / NS_PER_S),
	};
	enum sigv4_path path = SIGV4_PATH_AS_SENT;
	uint8_t body[SIGV4_HASH_SIZE];
	enum sigv4_refusal why;

	sigv4_hash(body, buf_view(&r->body));
	why = sigv4_verify(&s->claim, &s->request, &candidate, body, a->cache,
			   &path);
	/* What was signed is not the path that dispatch would look at. */
	if (why == SIGV4_OK && path != SIGV4_PATH_AS_SENT)
		why = SIGV4_MISMATCH;
	return why;
}

static void become_key(struct request *r, const struct signed_request *s,
		       const struct key *key)
{
	struct caller *c = &r->caller;
	size_t n = key->name.len < CALLER_NAME_MAX ? key->name.len :
						     CALLER_NAME_MAX - 1;

	c->kind = CALLER_KEY;
	c->role = key->role;
	c->rate = key->rate;
	c->scope.account = key->account;
	memcpy(c->scope.region, s->claim.region.ptr, s->claim.region.len);
	memcpy(c->name, key->name.ptr, n);
	assert(key->id.len < sizeof(c->id));
	memcpy(c->id, key->id.ptr, key->id.len);
}

/* whole: the body is there, so the signature is judged. */
bool auth_by_key(struct auth *a, struct request *r, bool whole,
		 struct auth_refusal *refusal)
{
	const struct keys_table *table;
	const struct key *key;
	struct signed_request s;
	enum sigv4_refusal why;

	if (!a->keys)
		return auth_refuse_signature(a, r, SIGV4_UNKNOWN_KEY, NULL,
					     refusal);
	why = parse(r, &s);
	if (why != SIGV4_OK)
		return auth_refuse_signature(a, r, why, NULL, refusal);
	table = keys_borrow(a->keys);
	key = keys_find(table, s.claim.key_id);
	why = check_claim(r, &s, key, env_wall(a->env).ns / NS_PER_S);
	if (why == SIGV4_OK && whole)
		why = verify(a, r, &s, key);
	else if (why == SIGV4_OK && !key->known)
		why = SIGV4_UNKNOWN_KEY;
	if (why == SIGV4_OK && !whole)
		r->claimed = hash64(s.claim.key_id) | 1;
	if (why == SIGV4_OK && whole)
		become_key(r, &s, key);
	keys_return(a->keys, table);
	return why == SIGV4_OK ||
	       auth_refuse_signature(a, r, why, &s.claim, refusal);
}
