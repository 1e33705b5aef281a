/* SPDX-License-Identifier: Apache-2.0 */
#include "core/auth/secret.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

int secret_area_init(struct secret_area *a, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	assert(size > 0 && size <= SIZE_MAX / 2);
	*a = (struct secret_area){ NULL, 0, false };
	size = (size + page - 1) / page * page;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return ERR_NOMEM;
	if (madvise(p, size, MADV_DONTDUMP)) {
		munmap(p, size);
		return ERR_NOMEM;
	}
	*a = (struct secret_area){ p, size, mlock(p, size) == 0 };
	return 0;
}

void secret_area_fini(struct secret_area *a)
{
	if (!a->ptr)
		return;
	explicit_bzero(a->ptr, a->size);
	munmap(a->ptr, a->size);
	*a = (struct secret_area){ NULL, 0, false };
}

int secret_random(void *out, size_t size)
{
	uint8_t *p = out;

	while (size) {
		ssize_t n = getrandom(p, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}
