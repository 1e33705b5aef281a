/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/auth.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "collector/door/answer.h"
#include "core/auth/sigv4.h"
#include "core/base/hash.h"

struct auth {
	const struct env *env;
	struct auth_options options;
	struct keys *keys; /* NULL: no file of them */
	struct sigv4_cache *cache;
	pthread_rwlock_t lock; /* of jwks, which a reload replaces */
	struct jwks *jwks;     /* NULL: no tokens */
	_Atomic int64_t read_at_ns;
};

/* --- opening ------------------------------------------------------------------ */

static int read_jwks(struct jwks **out, const struct auth *a, struct diag *diag)
{
	const struct env *env = a->env;
	const char *path = a->options.jwks_path;
	int fd = env->disk->open(env->disk_self, path, O_RDONLY);
	struct buf text = { .limit = JWKS_FILE_MAX + 1 };
	struct diag inner = { 0 };
	int64_t size, got = -1;
	int e = 0;
	char *p;

	if (fd < 0)
		return diag_set(diag, env_err(fd), "cannot read %s: %s", path,
				strerror(-fd));
	size = env->disk->size(env->disk_self, fd);
	p = size > 0 ? buf_grow(&text, (size_t)size) : NULL;
	if (p)
		got = env->disk->pread(env->disk_self, fd, p, (size_t)size, 0);
	env->disk->close(env->disk_self, fd);
	if (got < 0)
		e = diag_set(diag, ERR_IO,
			     "%s is empty, over %d bytes, or cannot be read",
			     path, (int)JWKS_FILE_MAX);
	if (!e)
		e = jwks_parse(out, sv_make(p, (size_t)got), &inner);
	if (e && got >= 0)
		diag_set(diag, e, "%.100s: %s", path, inner.text);
	if (p)
		explicit_bzero(p, (size_t)size);
	buf_fini(&text);
	return e;
}

int auth_open(struct auth **out, const struct env *env,
	      const struct auth_options *options, struct diag *diag)
{
	struct auth *a = calloc(1, sizeof(*a));
	int e = 0;

	if (!a)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	a->env = env;
	a->options = *options;
	pthread_rwlock_init(&a->lock, NULL);
	if (options->keys_path[0]) {
		e = keys_open(&a->keys, options->keys_path, diag);
		if (!e && sigv4_cache_new(&a->cache, SIGV4_CACHE_MAX))
			e = diag_set(diag, ERR_NOMEM, "out of memory");
	}
	if (!e && options->jwks_path[0])
		e = read_jwks(&a->jwks, a, diag);
	if (e) {
		auth_close(a);
		return e;
	}
	atomic_store(&a->read_at_ns, env_wall(env).ns);
	*out = a;
	return 0;
}

void auth_close(struct auth *a)
{
	if (!a)
		return;
	if (a->keys)
		keys_close(a->keys);
	sigv4_cache_free(a->cache);
	jwks_free(a->jwks);
	pthread_rwlock_destroy(&a->lock);
	free(a);
}

int auth_reload(struct auth *a, struct diag *diag)
{
	struct jwks *fresh = NULL, *old;
	int e = a->jwks ? read_jwks(&fresh, a, diag) : 0;

	if (!e && a->keys)
		e = keys_reload(a->keys, diag);
	if (e) {
		jwks_free(fresh);
		return e;
	}
	atomic_store(&a->read_at_ns, env_wall(a->env).ns);
	if (!fresh)
		return 0;
	pthread_rwlock_wrlock(&a->lock);
	old = a->jwks;
	a->jwks = fresh;
	pthread_rwlock_unlock(&a->lock);
	jwks_free(old);
	return 0;
}

struct wall auth_read_at(const struct auth *a)
{
	return (struct wall){ atomic_load(&a->read_at_ns) };
}

bool auth_required(const struct auth *a)
{
	return a->keys || a->jwks;
}

size_t auth_key_count(struct auth *a)
{
	const struct keys_table *t = a->keys ? keys_borrow(a->keys) : NULL;
	size_t n = t ? keys_count(t) : 0;

	if (t)
		keys_return(a->keys, t);
	return n;
}

/* --- refusing ------------------------------------------------------------------- */

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

static bool refuse_signature(struct auth *a, struct request *r,
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

static bool refuse_token(struct request *r, const char *reason,
			 const char *message, struct auth_refusal *refusal)
{
	static const struct aws_error error = { "InvalidTokenException", NULL,
						401, false };
	size_t n = strlen("token_");

	memcpy(refusal->reason, "token_", n);
	for (; *reason && n < sizeof(refusal->reason) - 1; n++, reason++)
		refusal->reason[n] = (char)tolower((unsigned char)*reason);
	refusal->reason[n] = '\0';
	answer_error_as(r, &error, message);
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

static bool region_is_name(struct sv region)
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
	if (!region_is_name(c->region) ||
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
static bool by_key(struct auth *a, struct request *r, bool whole,
		   struct auth_refusal *refusal)
{
	const struct keys_table *table;
	const struct key *key;
	struct signed_request s;
	enum sigv4_refusal why;

	if (!a->keys)
		return refuse_signature(a, r, SIGV4_UNKNOWN_KEY, NULL, refusal);
	why = parse(r, &s);
	if (why != SIGV4_OK)
		return refuse_signature(a, r, why, NULL, refusal);
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
	       refuse_signature(a, r, why, &s.claim, refusal);
}

/* --- tokens ------------------------------------------------------------------------ */

static bool claim_account(struct json payload, struct arena *arena,
			  uint64_t *account)
{
	struct sv text =
		json_string(json_get(payload, SV(AUTH_CLAIM_ACCOUNT)), arena);

	return text.len == 12 && sv_to_u64(text, account);
}

static bool claim_role(struct json payload, enum key_role *role)
{
	struct json v = json_get(payload, SV(AUTH_CLAIM_ROLE));

	for (int i = KEY_INGEST; v.doc && i <= KEY_ADMIN; i++) {
		enum key_role known = (enum key_role)i;

		if (!json_string_is(v, sv_from(key_role_name(known))))
			continue;
		*role = known;
		return true;
	}
	return false;
}

/* What the claims say; false: they do not say enough. */
static bool become_token(struct auth *a, struct request *r,
			 const struct jwt_claims *claims)
{
	struct json region = json_get(claims->payload, SV(AUTH_CLAIM_REGION));
	struct caller *c = &r->caller;
	struct caller fresh = { .kind = CALLER_TOKEN,
				.scope = a->options.scope };
	struct sv subject = claims->subject;

	if (!claim_account(claims->payload, &r->arena, &fresh.scope.account) ||
	    !claim_role(claims->payload, &fresh.role))
		return false;
	if (region.doc) {
		struct sv name = json_string(region, &r->arena);

		if (!region_is_name(name))
			return false;
		memset(fresh.scope.region, 0, REGION_MAX);
		memcpy(fresh.scope.region, name.ptr, name.len);
	}
	if (subject.len >= CALLER_NAME_MAX)
		subject.len = CALLER_NAME_MAX - 1;
	if (subject.len)
		memcpy(fresh.name, subject.ptr, subject.len);
	*c = fresh;
	return true;
}

static bool by_token(struct auth *a, struct request *r, struct sv token,
		     struct auth_refusal *refusal)
{
	const struct jwt_policy policy = {
		.issuer = sv_from(a->options.issuer),
		.audience = sv_from(a->options.audience),
		.skew_s = AUTH_SKEW_S,
	};
	struct jwt_claims claims;
	enum jwt_refusal why;

	if (!a->jwks)
		return refuse_token(r, "none_taken",
				    "this collector takes no bearer tokens: "
				    "sign with an access key",
				    refusal);
	if (r->service->aws)
		return refuse_token(r, "service",
				    "bearer tokens are for OTLP and "
				    "the native API: sign with an access key",
				    refusal);
	pthread_rwlock_rdlock(&a->lock);
	why = jwt_verify(a->jwks, &policy, token,
			 env_wall(a->env).ns / NS_PER_S, &r->arena, &claims);
	pthread_rwlock_unlock(&a->lock);
	if (why != JWT_OK)
		return refuse_token(r, jwt_refusal_name(why), jwt_message(why),
				    refusal);
	if (!become_token(a, r, &claims))
		return refuse_token(
			r, "claims",
			"the token must have the claims " AUTH_CLAIM_ACCOUNT
			" (twelve digits) and " AUTH_CLAIM_ROLE
			" (ingest, read or admin)",
			refusal);
	r->claimed = hash64(claims.subject) | 1;
	return true;
}

/* --- both ----------------------------------------------------------------------------- */

/* What follows "Bearer ", in any case (RFC 6750, 7235). */
static bool bearer(struct sv authorization, struct sv *token)
{
	static const char scheme[] = "bearer ";
	size_t n = sizeof(scheme) - 1;

	if (authorization.len < n || strncasecmp(authorization.ptr, scheme, n))
		return false;
	*token = sv_trim(sv_make(authorization.ptr + n, authorization.len - n));
	return true;
}

static bool identify(struct auth *a, struct request *r, bool whole,
		     struct auth_refusal *refusal)
{
	struct sv token;

	if (bearer(request_header(r, "Authorization"), &token))
		return by_token(a, r, token, refusal);
	return by_key(a, r, whole, refusal);
}

/* Nothing at all is claimed, as by a scanner: cheap to see. */
static bool claims_nothing(struct request *r)
{
	return !request_header(r, "Authorization").ptr &&
	       !request_query(r, "X-Amz-Signature").ptr;
}

/* The body is long, or nobody knows how long. */
static bool is_long(struct request *r)
{
	struct sv length = request_header(r, "Content-Length");
	uint64_t bytes;

	if (length.ptr)
		return !sv_to_u64(length, &bytes) || bytes > AUTH_HEAD_BYTES;
	return request_header(r, "Transfer-Encoding").ptr != NULL;
}

/* The Host is this machine: an address, or localhost. Any other name may be
 * one that a web page made point here (DNS rebinding). */
static bool is_this_machine(struct sv host)
{
	char name[INET6_ADDRSTRLEN + 1] = "";
	struct in6_addr address;

	if (host.len && host.ptr[0] == '[') {
		host = sv_make(host.ptr + 1, host.len - 1);
		host = sv_cut(&host, ']');
	} else {
		host = sv_cut(&host, ':');
	}
	if (host.len >= sizeof(name))
		return false;
	memcpy(name, host.ptr, host.len);
	return !strcasecmp(name, "localhost") ||
	       inet_pton(AF_INET, name, &address) == 1 ||
	       inet_pton(AF_INET6, name, &address) == 1;
}

/* Without keys loopback is all that keeps strangers out, and a browser on this
 * machine is on the inside: what a web page sends through it is refused. */
static bool refuse_browsers(struct request *r, struct auth_refusal *refusal)
{
	static const struct aws_error error = { "AccessDeniedException", NULL,
						403, false };
	struct sv host = request_header(r, "Host");

	if (!request_header(r, "Origin").ptr &&
	    (!host.len || is_this_machine(host)))
		return true;
	snprintf(refusal->reason, sizeof(refusal->reason), "browser");
	answer_error_as(r, &error,
			"without access keys web pages, and names other than "
			"localhost, are refused: use 127.0.0.1, or keys");
	return false;
}

bool auth_head(struct auth *a, struct request *r, struct auth_refusal *refusal)
{
	if (!auth_required(a))
		return refuse_browsers(r, refusal);
	if (claims_nothing(r))
		return refuse_signature(a, r, SIGV4_MISSING, NULL, refusal);
	return !is_long(r) || identify(a, r, false, refusal);
}

bool auth_request(struct auth *a, struct request *r,
		  struct auth_refusal *refusal)
{
	if (auth_required(a))
		return identify(a, r, true, refusal);
	r->caller.kind = CALLER_LISTENER;
	r->caller.role = KEY_ADMIN;
	r->caller.scope = a->options.scope;
	return true;
}
