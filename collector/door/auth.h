/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Auth: who asks. A request is signed with an access key (Signature Version 4,
 * by headers or as a pre-signed URL; core/auth/sigv4.h), or brings a bearer
 * token (a JWT, for the native API; core/auth/jwt.h), or came through a
 * listener that needs neither.
 *
 * Where neither a file of keys nor one of token keys is configured, everybody
 * who reaches the listener is its account's admin: such listeners are loopback
 * (door/address.h), and what a web page sends there through a browser is
 * refused (by Origin, and by a Host that is not this machine). Where one is, every request needs it, on loopback too.
 *
 * A key brings role, account and rate; the region is that of the signature's
 * scope, if the key is for it. A token brings them as claims (AUTH_CLAIM_*).
 * The keys of usage plans, x-api-key, are not looked at: they say which plan a
 * request belongs to, not who may ask.
 */
#ifndef TALLY_COLLECTOR_DOOR_AUTH_H
#define TALLY_COLLECTOR_DOOR_AUTH_H

#include "collector/door/http.h"
#include "core/auth/jwt.h"
#include "core/sys/env.h"

enum {
	/* A longer body is waited for only from somebody who may be known. */
	AUTH_HEAD_BYTES = 16 << 10,
	AUTH_SKEW_S = 60, /* of a token's times */
	AUTH_REASON_MAX = 48,
};

#define AUTH_CLAIM_ACCOUNT "tallyscope_account" /* "123456789012" */
#define AUTH_CLAIM_ROLE "tallyscope_role"       /* ingest, read or admin */
/* May be missing: the collector's own. */
#define AUTH_CLAIM_REGION "tallyscope_region"

struct auth;

struct auth_options {
	const char *keys_path; /* "": none */
	const char *jwks_path; /* "": none; else issuer and audience are set */
	const char *issuer;
	const char *audience;
	struct scope scope; /* the collector's own */
};

int auth_open(struct auth **out, const struct env *env,
	      const struct auth_options *options, struct diag *diag) MUST_USE;
void auth_close(struct auth *a); /* no request is under way */
/* Reads both files again; on an error what was in force stays. */
int auth_reload(struct auth *a, struct diag *diag) MUST_USE;
/* False: nothing is configured, everybody is admin. */
bool auth_required(const struct auth *a);
size_t auth_key_count(struct auth *a);
/* When both files were read last. */
struct wall auth_read_at(const struct auth *a);

/* What came of it. reason is for counters and the audit log: "unknown_key". */
struct auth_refusal {
	char reason[AUTH_REASON_MAX];
};

/* With the head, after dispatch_service: refuses what can be refused before
 * the body. False: the error is r's reply. */
bool auth_head(struct auth *a, struct request *r,
	       struct auth_refusal *refusal) MUST_USE;
/* With the body: the last word. Fills r->caller. False: as above. */
bool auth_request(struct auth *a, struct request *r,
		  struct auth_refusal *refusal) MUST_USE;

#endif
