/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caller: on whose behalf a request is, once the door knows. The scope comes
 * from the key and the signature's scope, never from what the request says of
 * itself; handlers take it from here and from nowhere else.
 */
#ifndef TALLY_COLLECTOR_DOOR_CALLER_H
#define TALLY_COLLECTOR_DOOR_CALLER_H

#include "core/auth/keys.h"
#include "core/wire/records.h"

enum { CALLER_NAME_MAX = 128 };

enum caller_kind {
	CALLER_NOBODY,   /* not known (yet): may do what is public */
	CALLER_LISTENER, /* came through a listener that carries no keys: the
			  * listener's account */
	CALLER_KEY,      /* signed with an access key */
	CALLER_TOKEN,    /* brought a bearer token */
};

struct caller {
	enum caller_kind kind;
	enum key_role role;
	bool owner; /* of the collector: its own account */
	struct scope scope;
	char name[CALLER_NAME_MAX]; /* of the key, the token's subject; cut */
	char id[SIGV4_KEY_ID_MAX + 1]; /* of the access key; "": none */
	uint64_t rate;                 /* requests a second; 0: no limit */
};

#endif
