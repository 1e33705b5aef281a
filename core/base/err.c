/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/err.h"

#include <stddef.h>
#include <stdio.h>

const char *err_text(int e)
{
	switch ((enum err)e) {
	case ERR_OK:
		return "ok";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_IO:
		return "input/output error";
	case ERR_FULL:
		return "disk full";
	case ERR_BUSY:
		return "queue full";
	case ERR_CORRUPT:
		return "damaged data";
	case ERR_VERSION:
		return "written by a newer release";
	case ERR_SYNTAX:
		return "syntax error";
	case ERR_LIMIT:
		return "over a limit";
	case ERR_INVALID:
		return "invalid value";
	case ERR_NOT_FOUND:
		return "not found";
	case ERR_EXISTS:
		return "exists already";
	case ERR_CLOSED:
		return "closed";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_OVERFLOW:
		return "sum does not fit";
	}
	return "unknown error";
}

int diag_set(struct diag *d, int e, const char *format, ...)
{
	if (d) {
		va_list ap;

		d->err = e;
		d->line = 0;
		va_start(ap, format);
		vsnprintf(d->text, sizeof(d->text), format, ap);
		va_end(ap);
	}
	return e;
}
