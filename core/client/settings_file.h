/* SPDX-License-Identifier: Apache-2.0 */
/* Private to core/client/settings*.c: the table of settings, and one section
 * of a file read by it. */
#ifndef TALLY_CORE_CLIENT_SETTINGS_FILE_H
#define TALLY_CORE_CLIENT_SETTINGS_FILE_H

#include "core/client/settings.h"

enum { SETTINGS_VARIABLES_MAX = 2 };

enum settings_field {
	ENDPOINT,
	REGION,
	PROFILE,
	KEY_ID,
	SECRET,
	SESSION_TOKEN,
	TOKEN,
	TOKEN_FILE,
	CA_BUNDLE,
	CLIENT_CERT,
	CLIENT_KEY,
	FIELDS,
};

/* name: in files; NULL: in none of them. */
struct settings_row {
	const char *own;
	const char *aws;
	/* The first goes first. */
	const char *variables[SETTINGS_VARIABLES_MAX];
	size_t max;
};

extern const struct settings_row settings_rows[FIELDS];

/* A value and where it is from. */
struct settings_value {
	struct sv text; /* ptr NULL: none */
	const char *from;
	int line; /* 0: from is a variable or an option */
};

enum settings_kind { OWN, AWS_CREDENTIALS, AWS_CONFIG };

/* Fills diag with place and what; returns e. */
int settings_wrong(struct diag *diag, int e, const char *from, int line,
		   const char *what);
/* Why text cannot be that setting; NULL: it can. */
const char *settings_complaint(enum settings_field field, struct sv text);
/* The settings of the profile's section, into values; *found becomes true where
 * it is there. All of the file must be well-formed. */
int settings_read_section(struct settings_value values[FIELDS], bool *found,
			  enum settings_kind kind,
			  const struct settings_file *file, struct sv profile,
			  struct diag *diag) MUST_USE;

#endif
