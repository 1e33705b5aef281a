/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/settings_file.h"

#include "core/auth/sigv4.h"
#include "core/codec/ini.h"

const struct settings_row settings_rows[FIELDS] = {
	[ENDPOINT] = { "endpoint",
		       "endpoint_url",
		       { "TALLY_ENDPOINT", "AWS_ENDPOINT_URL" },
		       2048 },
	[REGION] = { "region",
		     "region",
		     { "AWS_REGION", "AWS_DEFAULT_REGION" },
		     SIGV4_REGION_MAX },
	[PROFILE] = { "profile",
		      NULL,
		      { "AWS_PROFILE" },
		      SETTINGS_PROFILE_MAX },
	[KEY_ID] = { NULL,
		     "aws_access_key_id",
		     { "AWS_ACCESS_KEY_ID" },
		     SIGV4_KEY_ID_MAX },
	[SECRET] = { NULL,
		     "aws_secret_access_key",
		     { "AWS_SECRET_ACCESS_KEY" },
		     SIGV4_SECRET_MAX },
	[SESSION_TOKEN] = { NULL,
			    "aws_session_token",
			    { "AWS_SESSION_TOKEN" },
			    SETTINGS_VALUE_MAX },
	[TOKEN] = { NULL, NULL, { "TALLY_TOKEN" }, SETTINGS_VALUE_MAX },
	[TOKEN_FILE] = { "token_file",
			 NULL,
			 { "TALLY_TOKEN_FILE" },
			 SETTINGS_PATH_MAX },
	[CA_BUNDLE] = { "ca_bundle",
			"ca_bundle",
			{ "TALLY_CA_BUNDLE", "AWS_CA_BUNDLE" },
			SETTINGS_PATH_MAX },
	[CLIENT_CERT] = { "client_cert",
			  NULL,
			  { "TALLY_CLIENT_CERT" },
			  SETTINGS_PATH_MAX },
	[CLIENT_KEY] = { "client_key",
			 NULL,
			 { "TALLY_CLIENT_KEY" },
			 SETTINGS_PATH_MAX },
};

int settings_wrong(struct diag *diag, int e, const char *from, int line,
		   const char *what)
{
	if (line)
		diag_set(diag, e, "%.120s, line %d: %s", from, line, what);
	else
		diag_set(diag, e, "%.120s: %s", from, what);
	if (diag)
		diag->line = line;
	return e;
}

/* --- a value is well-formed -------------------------------------------------------- */

static bool is_visible(struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
			return false;
	return true;
}

bool settings_is_token(struct sv text)
{
	return text.len > 0 && text.len <= SETTINGS_VALUE_MAX &&
	       is_visible(text);
}

static bool is_region(struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
		      (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '-'))
			return false;
	return true;
}

static bool is_line(struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7F)
			return false;
	return true;
}

const char *settings_complaint(enum settings_field field, struct sv text)
{
	if (text.len > settings_rows[field].max)
		return "the value is too long";
	switch (field) {
	case REGION:
		return is_region(text) ? NULL :
					 "a region is written as us-east-1";
	case KEY_ID:
		if (is_visible(text) && !memchr(text.ptr, '/', text.len) &&
		    !memchr(text.ptr, ',', text.len))
			return NULL;
		return "this is no access key id";
	case SECRET:
	case SESSION_TOKEN:
	case TOKEN:
		return is_visible(text) ? NULL :
					  "a secret has visible characters of "
					  "ASCII only";
	default:
		return is_line(text) ? NULL :
				       "a control character in the value";
	}
}

/* --- one section of a file --------------------------------------------------------- */

/* "profile x" in config files; in the credentials file "x" alone. */
static bool is_section(enum settings_kind kind, struct sv name,
		       struct sv profile)
{
	struct sv word;

	if (kind == AWS_CREDENTIALS ||
	    sv_eq(profile, SV(SETTINGS_PROFILE_DEFAULT)))
		if (sv_eq(name, profile))
			return true;
	if (kind == AWS_CREDENTIALS)
		return false;
	word = SV("profile");
	if (!sv_starts(name, word) || name.len == word.len ||
	    (name.ptr[word.len] != ' ' && name.ptr[word.len] != '\t'))
		return false;
	name = sv_trim(sv_make(name.ptr + word.len, name.len - word.len));
	if (name.len > 1 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
		name = sv_make(name.ptr + 1, name.len - 2);
	return sv_eq(name, profile);
}

static int set(struct settings_value values[FIELDS], enum settings_kind kind,
	       const struct ini_line *line, const char *path, int at,
	       struct diag *diag)
{
	for (int i = 0; i < FIELDS; i++) {
		const char *name = kind == OWN ? settings_rows[i].own :
						 settings_rows[i].aws;

		if (!name || !sv_eq(line->name, sv_from(name)))
			continue;
		/* Of two the last counts, as with AWS's tools. */
		values[i] = (struct settings_value){ line->value, path, at };
		if (!line->value.len)
			values[i].text.ptr = NULL;
		return 0;
	}
	if (kind != OWN)
		return 0;
	/* Not the name: with a '=' at a wrong place it may be a secret. */
	return settings_wrong(
		diag, ERR_INVALID, path, at,
		"no such setting; there are endpoint, region, profile, "
		"token_file, ca_bundle, client_cert and client_key");
}

/* The settings of the profile's section, into values; *found: it is there. All
 * of the file must be well-formed. */
int settings_read_section(struct settings_value values[FIELDS], bool *found,
			  enum settings_kind kind,
			  const struct settings_file *file, struct sv profile,
			  struct diag *diag)
{
	bool in_section = false, inside = false, first = true;
	size_t indent = 0;
	struct ini_line line;
	struct ini ini;
	int more, e = 0;

	ini_init(&ini, file->text, 0);
	while (!e && (more = ini_next(&ini, &line)) > 0) {
		/* Below a setting and deeper: a part of its value. */
		if (!first && line.indent > indent)
			continue;
		indent = line.indent;
		first = line.kind == INI_SECTION;
		switch (line.kind) {
		case INI_SECTION:
			in_section = true;
			inside = is_section(kind, line.name, profile);
			*found |= inside;
			break;
		case INI_SETTING:
			if (!in_section)
				return settings_wrong(
					diag, ERR_SYNTAX, file->path, ini.line,
					"a setting before the first "
					"[section]");
			if (inside)
				e = set(values, kind, &line, file->path,
					ini.line, diag);
			break;
		case INI_BAD_SECTION:
			return settings_wrong(diag, ERR_SYNTAX, file->path,
					      ini.line,
					      "a section is written [NAME]");
		case INI_BAD_SETTING:
			return settings_wrong(
				diag, ERR_SYNTAX, file->path, ini.line,
				"a setting is written NAME = VALUE");
		}
	}
	if (!e && more < 0)
		return settings_wrong(diag, ERR_LIMIT, file->path, ini.line,
				      "the line is too long");
	return e;
}
