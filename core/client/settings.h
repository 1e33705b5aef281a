/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings: which collector, as whom. From four places, in the order in which
 * AWS's tools look, so that what is set for them works here:
 *
 *              flag        environment                  own    AWS's  else
 *   endpoint   --endpoint  TALLY_ENDPOINT,              yes    yes    loopback
 *                          AWS_ENDPOINT_URL
 *   region     --region    AWS_REGION,                  yes    yes    us-east-1
 *                          AWS_DEFAULT_REGION
 *   profile    --profile   AWS_PROFILE                  yes    -      default
 *   keys       never       AWS_ACCESS_KEY_ID,           -      yes    none
 *                          AWS_SECRET_ACCESS_KEY,
 *                          AWS_SESSION_TOKEN
 *   token      never       TALLY_TOKEN,                 file   -      none
 *                          TALLY_TOKEN_FILE
 *   ca_bundle  -           TALLY_CA_BUNDLE,             yes    yes    system's
 *                          AWS_CA_BUNDLE
 *   client_    -           TALLY_CLIENT_CERT,           yes    -      none
 *   cert, _key             TALLY_CLIENT_KEY
 *
 * "own" is $XDG_CONFIG_HOME/tallyscope/config, "AWS's" are ~/.aws/credentials
 * and ~/.aws/config or what AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE
 * name. In each the section of the profile counts, and no other. An empty
 * variable is none. With --profile the keys of the environment do not count,
 * since it was said whose keys are meant (as in AWS's CLI).
 *
 * Names of ours that we do not know are errors, so that a slip is seen; AWS's
 * files may hold anything. Secrets are in locked memory that is wiped, and in
 * no message.
 */
#ifndef TALLY_CORE_CLIENT_SETTINGS_H
#define TALLY_CORE_CLIENT_SETTINGS_H

#include <stdbool.h>

#include "core/auth/secret.h"
#include "core/base/text.h"
#include "core/sys/env.h"

enum {
	SETTINGS_FILE_MAX = 1 << 20, /* bytes */
	SETTINGS_VALUE_MAX = 8 << 10,
	SETTINGS_BYTES_MAX = 64 << 10, /* of all values together */
	SETTINGS_PATH_MAX = 4096,
	SETTINGS_PROFILE_MAX = 128,
};

#define SETTINGS_ENDPOINT_DEFAULT "http://127.0.0.1:4318"
#define SETTINGS_REGION_DEFAULT "us-east-1"
#define SETTINGS_PROFILE_DEFAULT "default"

/* NULL or "": not given. For a client without keys {.endpoint = ...} will do.
 */
struct settings {
	const char *endpoint;
	const char *region;
	const char *profile;
	const char *key_id; /* with secret, or neither */
	const char *secret;
	const char *session_token;
	const char *token; /* bearer; goes before keys */
	const char *token_file;
	const char *ca_bundle;
	const char *client_cert;
	const char *client_key;
	/* settings_resolve's */
	struct secret_area area;
	size_t used;
};

/* From the command line. */
struct settings_flags {
	const char *endpoint;
	const char *region;
	const char *profile;
};

struct settings_file {
	const char *path; /* for messages */
	struct sv text;   /* ptr NULL: there is none */
};

struct settings_sources {
	struct settings_flags flags;
	const char *(*variable)(void *self, const char *name); /* getenv */
	void *self;
	struct settings_file own;
	struct settings_file credentials;
	struct settings_file config;
};

/* Decides; reads no file and no environment. All of *out is its own. On an
 * error diag names variable, or file and line, and *out needs no fini:
 * ERR_SYNTAX, ERR_INVALID, ERR_LIMIT, ERR_NOT_FOUND (no such profile),
 * ERR_NOMEM. */
int settings_resolve(struct settings *out, const struct settings_sources *s,
		     struct diag *diag) MUST_USE;
/* The same with the process's environment and files. A file that is not there
 * is none; one that cannot be read is ERR_IO. */
int settings_load(struct settings *out, const struct env *env,
		  const struct settings_flags *flags,
		  struct diag *diag) MUST_USE;
void settings_fini(struct settings *s);

/* The token of token_file, into *out (SETTINGS_VALUE_MAX at most), without
 * white space at its ends. Wipe it. ERR_NOT_FOUND, ERR_IO, ERR_INVALID. */
int settings_read_token(struct buf *out, const struct env *env,
			const char *path, struct diag *diag) MUST_USE;
/* Characters that a token may have (RFC 6750: b64token, and more). */
bool settings_is_token(struct sv text);

#endif
