/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: the files and the environment of the process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/client/settings.h"

/* A text read whole, in memory for secrets. */
struct file {
	char path[SETTINGS_PATH_MAX];
	struct secret_area area;
	struct settings_file file;
};

static int read_fd(struct file *f, const struct env *env, int fd,
		   struct diag *diag)
{
	int64_t size = env->disk->size(env->disk_self, fd);
	int64_t got;

	if (size > SETTINGS_FILE_MAX)
		return diag_set(diag, ERR_LIMIT, "%.160s: more than %d bytes",
				f->path, SETTINGS_FILE_MAX);
	if (size < 0)
		return diag_set(diag, ERR_IO, "cannot read %.120s: %s", f->path,
				strerror((int)-size));
	f->file.text = SV("");
	if (size == 0)
		return 0;
	if (secret_area_init(&f->area, (size_t)size))
		return diag_set(diag, ERR_NOMEM, "%.120s: out of memory",
				f->path);
	got = env->disk->pread(env->disk_self, fd, f->area.ptr, (size_t)size,
			       0);
	if (got < 0)
		return diag_set(diag, ERR_IO, "cannot read %.120s: %s", f->path,
				strerror((int)-got));
	f->file.text = sv_make(f->area.ptr, (size_t)got);
	return 0;
}

/* f->path is set. None: a text whose ptr is NULL. */
static int read_file(struct file *f, const struct env *env, struct diag *diag)
{
	int fd, e;

	f->file.path = f->path;
	if (!f->path[0])
		return 0;
	fd = env->disk->open(env->disk_self, f->path, O_RDONLY);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return diag_set(diag, ERR_IO, "cannot read %.120s: %s", f->path,
				strerror(-fd));
	e = read_fd(f, env, fd, diag);
	env->disk->close(env->disk_self, fd);
	return e;
}

static int set_path(struct file *f, const char *folder, const char *name,
		    struct diag *diag)
{
	int n = folder && *folder ? snprintf(f->path, sizeof(f->path), "%s%s",
					     folder, name) :
				    0;

	if (n < 0 || n >= (int)sizeof(f->path))
		return diag_set(diag, ERR_LIMIT,
				"%.80s...: the path is too "
				"long",
				folder);
	return 0;
}

/* name of a variable with the whole path, else below the home folder. */
static int set_aws_path(struct file *f, const char *name, const char *below,
			struct diag *diag)
{
	const char *path = getenv(name);

	return path && *path ? set_path(f, path, "", diag) :
			       set_path(f, getenv("HOME"), below, diag);
}

static int set_own_path(struct file *f, struct diag *diag)
{
	const char *folder = getenv("XDG_CONFIG_HOME");

	return folder && *folder ?
		       set_path(f, folder, "/tallyscope/config", diag) :
		       set_path(f, getenv("HOME"), "/.config/tallyscope/config",
				diag);
}

static const char *of_process(void *self, const char *name)
{
	(void)self;
	return getenv(name);
}

enum { OWN, CREDENTIALS, CONFIG, FILES };

int settings_load(struct settings *out, const struct env *env,
		  const struct settings_flags *flags, struct diag *diag)
{
	struct file *files = calloc(FILES, sizeof(*files));
	struct settings_sources sources = { .flags = *flags,
					    .variable = of_process };
	int e;

	*out = (struct settings){ 0 };
	if (!files)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	e = set_own_path(&files[OWN], diag);
	if (!e)
		e = set_aws_path(&files[CREDENTIALS],
				 "AWS_SHARED_CREDENTIALS_FILE",
				 "/.aws/credentials", diag);
	if (!e)
		e = set_aws_path(&files[CONFIG], "AWS_CONFIG_FILE",
				 "/.aws/config", diag);
	for (int i = 0; !e && i < FILES; i++)
		e = read_file(&files[i], env, diag);
	sources.own = files[OWN].file;
	sources.credentials = files[CREDENTIALS].file;
	sources.config = files[CONFIG].file;
	if (!e)
		e = settings_resolve(out, &sources, diag);
	for (int i = 0; i < FILES; i++)
		secret_area_fini(&files[i].area);
	free(files);
	return e;
}

int settings_read_token(struct buf *out, const struct env *env,
			const char *path, struct diag *diag)
{
	struct file *f = calloc(1, sizeof(*f));
	struct sv token;
	int e;

	if (!f)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	e = set_path(f, path, "", diag);
	if (!e)
		e = read_file(f, env, diag);
	if (!e && !f->file.text.ptr)
		e = diag_set(diag, ERR_NOT_FOUND,
			     "the token file %.120s is not there", path);
	token = sv_trim(f->file.text);
	if (!e && !settings_is_token(token))
		e = diag_set(diag, ERR_INVALID,
			     "%.120s: a token is one line of at most %d "
			     "visible characters of ASCII",
			     path, SETTINGS_VALUE_MAX);
	if (!e)
		buf_sv(out, token);
	if (!e && out->failed)
		e = diag_set(diag, ERR_NOMEM, "out of memory");
	secret_area_fini(&f->area);
	free(f);
	return e;
}
