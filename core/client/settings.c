/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/client/settings_file.h"

/* --- which one goes first ---------------------------------------------------------- */

static const char *variable(const struct settings_sources *s, const char *name)
{
	const char *text = s->variable ? s->variable(s->self, name) : NULL;

	return text && *text ? text : NULL;
}

static struct settings_value from_variables(const struct settings_sources *s,
					    enum settings_field field)
{
	for (int i = 0; i < SETTINGS_VARIABLES_MAX; i++) {
		const char *name = settings_rows[field].variables[i];
		const char *text = name ? variable(s, name) : NULL;

		if (text)
			return (struct settings_value){ sv_from(text), name,
							0 };
	}
	return (struct settings_value){ .text = { NULL, 0 } };
}

static struct settings_value from_flag(const char *text, const char *name)
{
	if (!text || !*text)
		return (struct settings_value){ .text = { NULL, 0 } };
	return (struct settings_value){ sv_from(text), name, 0 };
}

static void prefer(struct settings_value *v, struct settings_value first)
{
	if (first.text.ptr)
		*v = first;
}

/* Half a key in one place is a mistake there, not a reason to look on. */
static int check_pair(const struct settings_value *id,
		      const struct settings_value *secret, const char *id_name,
		      const char *secret_name, struct diag *diag)
{
	char what[80];

	if (!id->text.ptr == !secret->text.ptr)
		return 0;
	snprintf(what, sizeof(what), "there is %s without %s",
		 id->text.ptr ? id_name : secret_name,
		 id->text.ptr ? secret_name : id_name);
	return settings_wrong(diag, ERR_INVALID,
			      id->text.ptr ? id->from : secret->from,
			      id->text.ptr ? id->line : secret->line, what);
}

/* Key, secret and session token are from one place, all three. */
static void prefer_keys(struct settings_value out[FIELDS],
			const struct settings_value first[FIELDS])
{
	if (!first[KEY_ID].text.ptr)
		return;
	out[KEY_ID] = first[KEY_ID];
	out[SECRET] = first[SECRET];
	out[SESSION_TOKEN] = first[SESSION_TOKEN];
}

static bool is_of_key(int field)
{
	return field == KEY_ID || field == SECRET || field == SESSION_TOKEN;
}

static void prefer_all(struct settings_value out[FIELDS],
		       const struct settings_value first[FIELDS])
{
	for (int f = 0; f < FIELDS; f++)
		if (!is_of_key(f))
			prefer(&out[f], first[f]);
	prefer_keys(out, first);
}

/* The profile that is meant: flag, environment, our file's [default]. */
static int choose_profile(struct settings_value *out,
			  const struct settings_sources *s, struct diag *diag)
{
	struct settings_value own[FIELDS] = { 0 };
	bool found = false;
	int e = settings_read_section(own, &found, OWN, &s->own,
				      SV(SETTINGS_PROFILE_DEFAULT), diag);

	if (e)
		return e;
	*out = own[PROFILE];
	prefer(out, from_variables(s, PROFILE));
	prefer(out, from_flag(s->flags.profile, "--profile"));
	return out->text.ptr && settings_complaint(PROFILE, out->text) ?
		       settings_wrong(diag, ERR_INVALID, out->from, out->line,
				      settings_complaint(PROFILE, out->text)) :
		       0;
}

static int read_files(struct settings_value values[FIELDS],
		      const struct settings_sources *s,
		      const struct settings_value *profile, struct diag *diag)
{
	/* From what counts least to what counts most. */
	const struct {
		const struct settings_file *file;
		enum settings_kind kind;
	} files[] = { { &s->config, AWS_CONFIG },
		      { &s->credentials, AWS_CREDENTIALS },
		      { &s->own, OWN } };
	struct sv name = profile->text.ptr ? profile->text :
					     SV(SETTINGS_PROFILE_DEFAULT);
	bool found = false;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct settings_value read[FIELDS] = { 0 };
		int e = settings_read_section(read, &found, files[i].kind,
					      files[i].file, name, diag);

		if (!e)
			e = check_pair(&read[KEY_ID], &read[SECRET],
				       "aws_access_key_id",
				       "aws_secret_access_key", diag);
		if (e)
			return e;
		prefer_all(values, read);
	}
	if (profile->text.ptr && !found &&
	    !sv_eq(name, SV(SETTINGS_PROFILE_DEFAULT))) {
		diag_set(diag, ERR_NOT_FOUND,
			 "%.60s: there is no profile of that name in %.70s, "
			 "%.50s or %.50s",
			 profile->from, s->own.path, s->credentials.path,
			 s->config.path);
		return ERR_NOT_FOUND;
	}
	return 0;
}

static int read_variables(struct settings_value values[FIELDS],
			  const struct settings_sources *s, struct diag *diag)
{
	static const struct settings_value none = { .text = { NULL, 0 } };
	const char *ignore = variable(s, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	struct settings_value read[FIELDS];
	int e;

	for (int f = 0; f < FIELDS; f++)
		read[f] = from_variables(s, (enum settings_field)f);
	if (s->flags.profile && *s->flags.profile)
		read[KEY_ID] = read[SECRET] = none;
	/* Of AWS's tools: what AWS's names say about endpoints is for others. */
	if (ignore && !strcmp(ignore, "true")) {
		if (read[ENDPOINT].text.ptr &&
		    !strcmp(read[ENDPOINT].from, "AWS_ENDPOINT_URL"))
			read[ENDPOINT] = none;
		if (values[ENDPOINT].text.ptr &&
		    values[ENDPOINT].from != s->own.path)
			values[ENDPOINT] = none;
	}
	e = check_pair(&read[KEY_ID], &read[SECRET], "AWS_ACCESS_KEY_ID",
		       "AWS_SECRET_ACCESS_KEY", diag);
	if (e)
		return e;
	/* A token itself goes before a file of a file. */
	if (read[TOKEN].text.ptr)
		values[TOKEN_FILE] = none;
	prefer_all(values, read);
	return 0;
}

/* --- the result -------------------------------------------------------------------- */

/* A copy of its own; NULL: there is no more room. */
static const char *keep(struct settings *out, struct sv text)
{
	char *p = (char *)out->area.ptr + out->used;

	if (text.len >= out->area.size - out->used)
		return NULL;
	if (text.len)
		memcpy(p, text.ptr, text.len);
	p[text.len] = '\0';
	out->used += text.len + 1;
	return p;
}

static int keep_all(struct settings *out,
		    const struct settings_value values[FIELDS],
		    struct diag *diag)
{
	const char **const to[FIELDS] = {
		[ENDPOINT] = &out->endpoint,
		[REGION] = &out->region,
		[PROFILE] = &out->profile,
		[KEY_ID] = &out->key_id,
		[SECRET] = &out->secret,
		[SESSION_TOKEN] = &out->session_token,
		[TOKEN] = &out->token,
		[TOKEN_FILE] = &out->token_file,
		[CA_BUNDLE] = &out->ca_bundle,
		[CLIENT_CERT] = &out->client_cert,
		[CLIENT_KEY] = &out->client_key,
	};
	static const struct sv usual[FIELDS] = {
		[ENDPOINT] = SV_INIT(SETTINGS_ENDPOINT_DEFAULT),
		[REGION] = SV_INIT(SETTINGS_REGION_DEFAULT),
		[PROFILE] = SV_INIT(SETTINGS_PROFILE_DEFAULT),
	};

	if (secret_area_init(&out->area, SETTINGS_BYTES_MAX))
		return diag_set(diag, ERR_NOMEM, "no memory for settings");
	for (int f = 0; f < FIELDS; f++) {
		struct sv text = values[f].text.ptr ? values[f].text : usual[f];

		if (!text.ptr)
			continue;
		*to[f] = keep(out, text);
		if (!*to[f])
			return diag_set(diag, ERR_LIMIT,
					"the settings have more than %d bytes",
					SETTINGS_BYTES_MAX);
	}
	return 0;
}

static int check(const struct settings_value values[FIELDS], struct diag *diag)
{
	for (int i = 0; i < FIELDS; i++) {
		const struct settings_value *v = &values[i];
		const char *what =
			v->text.ptr ? settings_complaint((enum settings_field)i,
							 v->text) :
				      NULL;

		if (what)
			return settings_wrong(diag, ERR_INVALID, v->from,
					      v->line, what);
	}
	return 0;
}

int settings_resolve(struct settings *out, const struct settings_sources *s,
		     struct diag *diag)
{
	struct settings_value values[FIELDS] = { 0 };
	struct settings_value profile;
	int e = choose_profile(&profile, s, diag);

	*out = (struct settings){ 0 };
	if (!e)
		e = read_files(values, s, &profile, diag);
	if (!e)
		e = read_variables(values, s, diag);
	if (e)
		return e;
	values[PROFILE] = profile;
	prefer(&values[ENDPOINT], from_flag(s->flags.endpoint, "--endpoint"));
	prefer(&values[REGION], from_flag(s->flags.region, "--region"));
	e = check(values, diag);
	if (!e)
		e = keep_all(out, values, diag);
	if (e)
		settings_fini(out);
	return e;
}

void settings_fini(struct settings *s)
{
	secret_area_fini(&s->area);
	*s = (struct settings){ 0 };
}
