/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusal: what an answer that is none says: code and message, out of the
 * native API's {"error":{"code","message"}}, AWS's {"__type","message"}, or a
 * line of plain text. Foreign bytes, made safe to print.
 */
#ifndef TALLY_CORE_CLIENT_REFUSAL_H
#define TALLY_CORE_CLIENT_REFUSAL_H

#include "core/base/text.h"

enum { REFUSAL_CODE_MAX = 64, REFUSAL_MESSAGE_MAX = 160 };

struct refusal {
	char code[REFUSAL_CODE_MAX]; /* "": none was given */
	char message[REFUSAL_MESSAGE_MAX];
};

/* content_type may be NULL. */
void refusal_read(struct refusal *out, const char *content_type,
		  struct sv body);

#endif
