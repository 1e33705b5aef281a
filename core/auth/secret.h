/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for secrets: whole pages of its own, locked (never swapped out), left
 * out of core dumps, wiped when given back. Locking needs RLIMIT_MEMLOCK; when
 * the kernel refuses, the memory works all the same and says so in locked.
 */
#ifndef TALLY_CORE_AUTH_SECRET_H
#define TALLY_CORE_AUTH_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

struct secret_area {
	void *ptr;   /* zeroed at first; NULL: none */
	size_t size; /* bytes, whole pages */
	bool locked;
};

int secret_area_init(struct secret_area *a, size_t size) MUST_USE;
void secret_area_fini(struct secret_area *a);
/* size bytes of the kernel's randomness; ERR_IO where there is none. */
int secret_random(void *out, size_t size) MUST_USE;

#endif
