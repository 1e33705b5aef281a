/* SPDX-License-Identifier: Apache-2.0 */
/* Place: what an endpoint's URL says about where requests go. */
#ifndef TALLY_CORE_CLIENT_PLACE_H
#define TALLY_CORE_CLIENT_PLACE_H

#include <stdbool.h>

#include "core/base/text.h"

struct place {
	bool valid;    /* http(s)://host[:port][/path], and nothing more */
	bool secure;   /* https */
	bool loopback; /* by its name: what is sent stays on this machine */
};

struct place place_of(const char *endpoint);
/* Of a valid endpoint: "host:port" and the path, "" or from its '/' on. */
void place_cut(const char *endpoint, struct sv *host, struct sv *base);
/* Only bytes that a URL may have as they are. */
bool place_is_graphic(const char *text);

#endif
