/* SPDX-License-Identifier: Apache-2.0 */
/* Private to collector/door/auth*.c: what auth.c opens and decides between,
 * auth_key.c has signatures judged, auth_token.c tokens. */
#ifndef TALLY_COLLECTOR_DOOR_AUTH_INTERNAL_H
#define TALLY_COLLECTOR_DOOR_AUTH_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/door/auth.h"
#include "core/auth/sigv4.h"

struct auth {
	const struct env *env;
	struct auth_options options;
	struct keys *keys; /* NULL: no file of them */
	struct sigv4_cache *cache;
	pthread_rwlock_t lock; /* of jwks, which a reload replaces */
	struct jwks *jwks;     /* NULL: no tokens */
	_Atomic int64_t read_at_ns;
};

/* Both fill r->caller, or leave the error as r's reply and say false.
 * whole: the body is there, so that the signature can be judged. */
bool auth_by_key(struct auth *a, struct request *r, bool whole,
		 struct auth_refusal *refusal) MUST_USE;
/* token: what follows "Bearer ". */
bool auth_by_token(struct auth *a, struct request *r, struct sv token,
		   struct auth_refusal *refusal) MUST_USE;
/* Both always false. */
bool auth_refuse_tokenless(struct request *r, struct auth_refusal *refusal);
bool auth_refuse_signature(struct auth *a, struct request *r,
			   enum sigv4_refusal why,
			   const struct sigv4_claim *claim,
			   struct auth_refusal *refusal);
/* As struct scope takes it: "us-east-1". */
bool auth_region_is_name(struct sv region);

#endif
