/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens: the verdict, and what their claims make of the caller. */
#include <ctype.h>
#include <string.h>

#include "collector/door/answer.h"
#include "collector/door/auth_internal.h"
#include "core/base/hash.h"

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

bool auth_refuse_tokenless(struct request *r, struct auth_refusal *refusal)
{
	return refuse_token(r, "missing",
			    "gRPC calls bring a bearer token, in the metadata "
			    "authorization: Bearer TOKEN",
			    refusal);
}

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

		if (!auth_region_is_name(name))
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

bool auth_by_token(struct auth *a, struct request *r, struct sv token,
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
