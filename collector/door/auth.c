/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/auth.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/door/answer.h"
#include "collector/door/auth_internal.h"

/* --- opening ------------------------------------------------------------------ */

static int read_jwks(struct jwks **out, const struct auth *a, struct diag *diag)
{
	const struct env *env = a->env;
	const char *path = a->options.jwks_path;
	int fd = env->disk->open(env->disk_self, path, O_RDONLY);
	struct buf text = { .limit = JWKS_FILE_MAX + 1 };
	struct diag inner = { 0 };
	int64_t size, got = -1;
	struct stat st;
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
	if (!e && jwks_has_secret(*out) && !stat(path, &st) &&
	    st.st_mode & 07) {
		jwks_free(*out);
		*out = NULL;
		e = diag_set(diag, ERR_INVALID,
			     "%s holds secrets (HS256) and others may reach "
			     "it; chmod o= %s",
			     path, path);
	}
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
		return auth_by_token(a, r, token, refusal);
	if (r->grpc)
		return auth_refuse_tokenless(r, refusal);
	return auth_by_key(a, r, whole, refusal);
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
	if (r->grpc && claims_nothing(r))
		return auth_refuse_tokenless(r, refusal);
	if (claims_nothing(r))
		return auth_refuse_signature(a, r, SIGV4_MISSING, NULL,
					     refusal);
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
