/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/spools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int default_base(char *out, struct diag *diag)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	if (state && *state == '/')
		n = snprintf(out, SPOOL_PATH_MAX, "%s/tallyscope/spool", state);
	else if (home && *home == '/')
		n = snprintf(out, SPOOL_PATH_MAX,
			     "%s/.local/state/tallyscope/spool", home);
	else
		return diag_set(diag, ERR_INVALID,
				"neither XDG_STATE_HOME nor HOME is set; say "
				"--spool DIR");
	return n < SPOOL_PATH_MAX ? 0 :
				    diag_set(diag, ERR_LIMIT,
					     "the path of the spool is too "
					     "long; say --spool DIR");
}

static bool exists(const struct env *env, const char *dir)
{
	int e = env->disk->open(env->disk_self, dir, 0);

	if (e >= 0)
		env->disk->close(env->disk_self, e);
	return e >= 0;
}

/* The first free one is ours; a later one only if it is there already. */
static int open_one(struct spools *s, const struct env *env, const char *base,
		    unsigned number, uint64_t bytes_max, struct diag *diag)
{
	char dir[SPOOL_PATH_MAX];
	struct spool *spool;
	int e;

	if (snprintf(dir, sizeof(dir), "%s/%u", base, number) >= SPOOL_PATH_MAX)
		return diag_set(diag, ERR_LIMIT,
				"the path of the spool is too long");
	if (s->own && !exists(env, dir))
		return ERR_NOT_FOUND;
	e = spool_open(&spool, env, dir, bytes_max, diag);
	if (e < 0)
		return e;
	if (!s->own)
		s->own = spool;
	else if (spool_stats(spool).files)
		s->list[s->count++] = spool;
	else
		spool_close(spool);
	return 0;
}

int spools_open(struct spools *s, const struct env *env, const char *base,
		uint64_t bytes_max, struct diag *diag)
{
	char path[SPOOL_PATH_MAX];
	int e = 0;

	*s = (struct spools){ 0 };
	if (!base) {
		e = default_base(path, diag);
		if (e < 0)
			return e;
		base = path;
	}
	for (unsigned i = 0; i < SPOOLS_MAX; i++) {
		struct diag why = { 0 };

		e = open_one(s, env, base, i, bytes_max, &why);
		if (e == ERR_NOT_FOUND && s->own)
			break;
		if (e < 0 && e != ERR_BUSY && !s->own) {
			*diag = why;
			return e;
		}
	}
	if (!s->own)
		return diag_set(diag, ERR_BUSY,
				"all %d spools in %.120s are in use",
				SPOOLS_MAX, base);
	s->list[s->count++] = s->own;
	return 0;
}

void spools_close(struct spools *s)
{
	for (unsigned i = 0; i < s->count; i++)
		spool_close(s->list[i]);
	*s = (struct spools){ 0 };
}

uint64_t spools_files(const struct spools *s, uint64_t *bytes)
{
	uint64_t files = 0;

	*bytes = 0;
	for (unsigned i = 0; i < s->count; i++) {
		struct spool_stats stats = spool_stats(s->list[i]);

		files += stats.files;
		*bytes += stats.bytes;
	}
	return files;
}
