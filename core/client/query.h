/* SPDX-License-Identifier: Apache-2.0 */
/* Query: paths and queries with foreign text in them. */
#ifndef TALLY_CORE_CLIENT_QUERY_H
#define TALLY_CORE_CLIENT_QUERY_H

#include <stdint.h>

#include "core/base/text.h"

/* Adds text to out with everything but RFC 3986's unreserved bytes written as
 * %XX: good for a query value and for one part of a path. */
void client_escape(struct buf *out, struct sv text);
/* Adds "?name=value" or, when out holds a '?' already, "&name=value", the
 * value escaped. value NULL or "": adds nothing. */
void client_query(struct buf *out, const char *name, const char *value);
/* The same with a whole number. */
void client_query_number(struct buf *out, const char *name, int64_t value);

#endif
