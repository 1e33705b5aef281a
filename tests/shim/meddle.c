/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into tally keys: when it has made its own file and is about to
 * write it, somebody else appends to the file of keys ($MEDDLE). */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int fchmod(int fd, mode_t mode)
{
	int (*next)(int, mode_t);
	void *symbol = dlsym(RTLD_NEXT, "fchmod");
	const char *file = getenv("MEDDLE");
	FILE *f = file ? fopen(file, "a") : NULL;

	memcpy(&next, &symbol, sizeof(next));
	if (f) {
		fputs("# by another hand\n", f);
		fclose(f);
	}
	return next(fd, mode);
}
