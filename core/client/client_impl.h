/* SPDX-License-Identifier: Apache-2.0 */
/* Private to client.c and exchange.c: what a handle is. */
#ifndef TALLY_CORE_CLIENT_CLIENT_IMPL_H
#define TALLY_CORE_CLIENT_CLIENT_IMPL_H

#include <pthread.h>

#include <curl/curl.h>

#include "core/client/client.h"

struct client {
	const struct settings *settings;
	struct client_options options;
	pthread_mutex_t lock; /* of all below: a handle is for one thread */
	CURL *curl;
	char *endpoint;
	struct sv host; /* of endpoint: name and port */
	struct sv base; /* of endpoint: the path before ours */
	int64_t clock_offset_s;
	char error[CURL_ERROR_SIZE];
};

bool client_is_cancelled(const struct client *c);
bool client_has_token(const struct settings *s);

#endif
