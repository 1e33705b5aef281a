/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several places a setting is taken from, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/client/settings.h"
#include "core/codec/ini.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CREDENTIALS                                                     \
	"[default]\naws_access_key_id = DEFAULTKEY\n"                   \
	"aws_secret_access_key = defaultsecret\n[work]\n"               \
	"aws_access_key_id=WORKKEY\naws_secret_access_key=worksecret\n" \
	"aws_session_token=worksession\n"
#define CONFIG                                                             \
	"# a comment\n[default]\nregion = eu-west-1\ns3 =\n"               \
	"  region = nested-1\n  no equals sign\noutput = json\n"           \
	"[profile work]\nregion=eu-north-1\nendpoint_url=http://aws:1\n"   \
	"ca_bundle=/aws.pem\n[profile \"two words\"]\nregion=eu-south-1\n" \
	"[sso-session work]\nsso_region = xx-1\n"
#define OWN                                                       \
	"[default]\nendpoint = http://own:1\ntoken_file=/token\n" \
	"[profile work]\nca_bundle=/own.pem\nregion=own-1\n"

struct row {
	const char *variables[8]; /* NAME=VALUE */
	struct settings_flags flags;
	const char *own, *credentials, *config;
	/* expected; NULL: none */
	const char *endpoint, *region, *key, *secret, *session, *token,
		*token_file, *ca;
};

static const char *variable(void *self, const char *name)
{
	const char *const *list = self;
	size_t n = strlen(name);

	for (; *list; list++)
		if (!strncmp(*list, name, n) && (*list)[n] == '=')
			return *list + n + 1;
	return NULL;
}

static int resolve(struct settings *out, const struct row *r, struct diag *diag)
{
	const struct settings_sources sources = {
		.flags = r->flags,
		.variable = variable,
		.self = (void *)(uintptr_t)r->variables,
		.own = { "own", sv_from(r->own) },
		.credentials = { "credentials", sv_from(r->credentials) },
		.config = { "config", sv_from(r->config) },
	};

	return settings_resolve(out, &sources, diag);
}

static void same(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got ? got : "(none)", want);
	else
		assert_null(got);
}

#define LOCAL SETTINGS_ENDPOINT_DEFAULT
#define EAST SETTINGS_REGION_DEFAULT

static void test_precedence(void **state)
{
	static const struct row rows[] = {
		/* nothing at all */
		{ .endpoint = LOCAL, .region = EAST },
		/* empty is none */
		{ .variables = { "TALLY_ENDPOINT=", "AWS_REGION=" },
		  .flags = { .endpoint = "", .profile = "" },
		  .endpoint = LOCAL,
		  .region = EAST },
		/* endpoint: each place gives way to the one above */
		{ .variables = { "AWS_PROFILE=work" },
		  .config = CONFIG,
		  .credentials = CREDENTIALS,
		  .endpoint = "http://aws:1",
		  .region = "eu-north-1",
		  .key = "WORKKEY",
		  .secret = "worksecret",
		  .session = "worksession",
		  .ca = "/aws.pem" },
		{ .own = OWN,
		  .config = CONFIG,
		  .endpoint = "http://own:1",
		  .region = "eu-west-1",
		  .token_file = "/token" },
		{ .variables = { "AWS_ENDPOINT_URL=http://e:2" },
		  .own = OWN,
		  .endpoint = "http://e:2",
		  .region = EAST,
		  .token_file = "/token" },
		{ .variables = { "AWS_ENDPOINT_URL=http://e:2",
				 "TALLY_ENDPOINT=http://e:3" },
		  .endpoint = "http://e:3",
		  .region = EAST },
		{ .variables = { "TALLY_ENDPOINT=http://e:3" },
		  .flags = { .endpoint = "http://f:4" },
		  .endpoint = "http://f:4",
		  .region = EAST },
		/* what is AWS's is to be ignored, what is ours is not */
		{ .variables = { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
				 "AWS_ENDPOINT_URL=http://e:2",
				 "AWS_PROFILE=work" },
		  .config = CONFIG,
		  .endpoint = LOCAL,
		  .region = "eu-north-1",
		  .ca = "/aws.pem" },
		{ .variables = { "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
				 "TALLY_ENDPOINT=http://e:3" },
		  .own = OWN,
		  .endpoint = "http://e:3",
		  .region = EAST,
		  .token_file = "/token" },
		/* region */
		{ .variables = { "AWS_DEFAULT_REGION=aa-1" },
		  .config = CONFIG,
		  .endpoint = LOCAL,
		  .region = "aa-1" },
		{ .variables = { "AWS_DEFAULT_REGION=aa-1", "AWS_REGION=bb-1" },
		  .endpoint = LOCAL,
		  .region = "bb-1" },
		{ .variables = { "AWS_REGION=bb-1" },
		  .flags = { .region = "cc-1" },
		  .endpoint = LOCAL,
		  .region = "cc-1" },
		/* profile: our file's before AWS's, flag before environment */
		{ .flags = { .profile = "work" },
		  .own = OWN,
		  .config = CONFIG,
		  .credentials = CREDENTIALS,
		  .endpoint = "http://aws:1",
		  .region = "own-1",
		  .key = "WORKKEY",
		  .secret = "worksecret",
		  .session = "worksession",
		  .ca = "/own.pem" },
		{ .variables = { "AWS_PROFILE=nobody" },
		  .flags = { .profile = "two words" },
		  .config = CONFIG,
		  .endpoint = LOCAL,
		  .region = "eu-south-1" },
		{ .own = "[default]\nprofile = work\nendpoint=http://own:1\n",
		  .credentials = CREDENTIALS,
		  .endpoint = LOCAL,
		  .region = EAST,
		  .key = "WORKKEY",
		  .secret = "worksecret",
		  .session = "worksession" },
		/* a profile named default need not be anywhere */
		{ .flags = { .profile = "default" },
		  .endpoint = LOCAL,
		  .region = EAST },
		/* keys: all three from one place */
		{ .variables = { "AWS_ACCESS_KEY_ID=ENVKEY",
				 "AWS_SECRET_ACCESS_KEY=envsecret",
				 "AWS_PROFILE=work" },
		  .credentials = CREDENTIALS,
		  .endpoint = LOCAL,
		  .region = EAST,
		  .key = "ENVKEY",
		  .secret = "envsecret" },
		{ .variables = { "AWS_ACCESS_KEY_ID=ENVKEY",
				 "AWS_SECRET_ACCESS_KEY=envsecret",
				 "AWS_SESSION_TOKEN=envsession" },
		  .credentials = CREDENTIALS,
		  .endpoint = LOCAL,
		  .region = EAST,
		  .key = "ENVKEY",
		  .secret = "envsecret",
		  .session = "envsession" },
		{ .variables = { "AWS_SESSION_TOKEN=envsession" },
		  .credentials = CREDENTIALS,
		  .endpoint = LOCAL,
		  .region = EAST,
		  .key = "DEFAULTKEY",
		  .secret = "defaultsecret" },
		/* with --profile the environment's keys do not count */
		{ .variables = { "AWS_ACCESS_KEY_ID=ENVKEY",
				 "AWS_SECRET_ACCESS_KEY=envsecret" },
		  .flags = { .profile = "work" },
		  .credentials = CREDENTIALS,
		  .endpoint = LOCAL,
		  .region = EAST,
		  .key = "WORKKEY",
		  .secret = "worksecret",
		  .session = "worksession" },
		/* credentials before config */
		{ .credentials = CREDENTIALS,
		  .config = "[default]\naws_access_key_id=CONFIGKEY\n"
			    "aws_secret_access_key=configsecret\n"
			    "aws_session_token=configsession\n",
		  .endpoint = LOCAL,
		  .region = EAST,
		  .key = "DEFAULTKEY",
		  .secret = "defaultsecret" },
		{ .config = "[default]\r\naws_access_key_id=CONFIGKEY\r\n"
			    "aws_secret_access_key = config=secret\r\n",
		  .endpoint = LOCAL,
		  .region = EAST,
		  .key = "CONFIGKEY",
		  .secret = "config=secret" },
		/* a token goes before a file with one; both may be there */
		{ .variables = { "TALLY_TOKEN=t.o.k" },
		  .own = OWN,
		  .endpoint = "http://own:1",
		  .region = EAST,
		  .token = "t.o.k" },
		{ .variables = { "TALLY_TOKEN_FILE=/other", "AWS_CA_BUNDLE=/ca",
				 "TALLY_CA_BUNDLE=/tca" },
		  .own = OWN,
		  .endpoint = "http://own:1",
		  .region = EAST,
		  .token_file = "/other",
		  .ca = "/tca" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct settings s;
		struct diag diag = { .text = "" };

		if (resolve(&s, r, &diag))
			fail_msg("row %zu: %s", i, diag.text);
		same(s.endpoint, r->endpoint);
		same(s.region, r->region);
		same(s.key_id, r->key);
		same(s.secret, r->secret);
		same(s.session_token, r->session);
		same(s.token, r->token);
		same(s.token_file, r->token_file);
		same(s.ca_bundle, r->ca);
		settings_fini(&s);
		assert_null(s.secret);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct row row;
		int err;
		const char *text;
	} rows[] = {
		{ { .config = "[default]\nregion\n" },
		  ERR_SYNTAX,
		  "config, line 2: a setting is written NAME = VALUE" },
		{ { .config = "\n[profile x\n" },
		  ERR_SYNTAX,
		  "config, line 2: " },
		{ { .credentials = "a = b\n" },
		  ERR_SYNTAX,
		  "credentials, line 1: a setting before" },
		{ { .own = "[default]\nendpiont = x\n" },
		  ERR_INVALID,
		  "own, line 2: no such setting" },
		{ { .own = "[default]\naws_secret_access_key = hushhush\n" },
		  ERR_INVALID,
		  "own, line 2: no such setting" },
		{ { .credentials = "[default]\naws_access_key_id = A\n" },
		  ERR_INVALID,
		  "credentials, line 2: there is aws_access_key_id without "
		  "aws_secret_access_key" },
		{ { .variables = { "AWS_SECRET_ACCESS_KEY=hushhush" } },
		  ERR_INVALID,
		  "AWS_SECRET_ACCESS_KEY: there is AWS_SECRET_ACCESS_KEY "
		  "without AWS_ACCESS_KEY_ID" },
		{ { .credentials = "[default]\naws_access_key_id = A\n"
				   "aws_secret_access_key = hushhush # x\n" },
		  ERR_INVALID,
		  "credentials, line 3: a secret has visible" },
		{ { .variables = { "AWS_ACCESS_KEY_ID=A/B",
				   "AWS_SECRET_ACCESS_KEY=hushhush" } },
		  ERR_INVALID,
		  "AWS_ACCESS_KEY_ID: this is no access key id" },
		{ { .flags = { .region = "Not A Region" } },
		  ERR_INVALID,
		  "--region: a region is written as us-east-1" },
		{ { .config = "[default]\nregion = Hush_1\n" },
		  ERR_INVALID,
		  "config, line 2: a region" },
		{ { .variables = { "TALLY_TOKEN=hush hush" } },
		  ERR_INVALID,
		  "TALLY_TOKEN: a secret has visible" },
		{ { .flags = { .profile = "none" }, .config = CONFIG },
		  ERR_NOT_FOUND,
		  "--profile: there is no profile of that name in own, "
		  "credentials or config" },
		{ { .variables = { "AWS_PROFILE=WORK" }, .config = CONFIG },
		  ERR_NOT_FOUND,
		  "AWS_PROFILE: there is no profile" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct settings s;
		struct diag diag = { .text = "" };

		assert_int_equal(resolve(&s, &rows[i].row, &diag), rows[i].err);
		assert_non_null(strstr(diag.text, rows[i].text));
		assert_null(strstr(diag.text, "hush"));
		assert_null(s.area.ptr);
	}
}

/* Too long a line, value, and all values together. */
static void test_limits(void **state)
{
	static const char *const sections[] = { "[default]\nca_bundle=",
						"[default]\nregion=" };
	struct buf text = BUF_INIT;
	struct settings s;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < COUNT(sections); i++) {
		buf_reset(&text);
		buf_text(&text, sections[i]);
		for (int n = 0; n < (i ? 40 : INI_LINE_MAX); n++)
			buf_char(&text, 'a');
		assert_int_equal(resolve(&s, &(struct row){ .own = text.ptr },
					 &diag),
				 i ? ERR_INVALID : ERR_LIMIT);
		assert_int_equal(diag.line, 2);
	}
	buf_fini(&text);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void test_files(void **state)
{
	char home[] = "/tmp/settings.XXXXXX", path[128];
	const struct settings_flags none = { .endpoint = NULL };
	struct settings s;
	struct diag diag = { .text = "" };
	struct buf token = BUF_INIT;

	(void)state;
	assert_non_null(mkdtemp(home));
	setenv("HOME", home, 1);
	unsetenv("XDG_CONFIG_HOME");
	/* There is nothing. */
	assert_int_equal(settings_load(&s, env_posix(), &none, &diag), 0);
	assert_string_equal(s.endpoint, LOCAL);
	settings_fini(&s);
	snprintf(path, sizeof(path), "%s/.aws", home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.aws/credentials", home);
	put(path, CREDENTIALS);
	snprintf(path, sizeof(path), "%s/.config", home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.config/tallyscope", home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.config/tallyscope/config", home);
	put(path, OWN);
	assert_int_equal(settings_load(&s, env_posix(), &none, &diag), 0);
	assert_string_equal(s.endpoint, "http://own:1");
	assert_string_equal(s.secret, "defaultsecret");
	settings_fini(&s);
	/* Elsewhere; a folder cannot be read, and it says so. */
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	setenv("AWS_CONFIG_FILE", home, 1);
	assert_int_equal(settings_load(&s, env_posix(), &none, &diag), ERR_IO);
	assert_non_null(strstr(diag.text, home));
	unsetenv("AWS_CONFIG_FILE");
	assert_int_equal(settings_load(&s, env_posix(), &none, &diag), 0);
	assert_null(s.secret);
	settings_fini(&s);
	/* A file with a token. */
	put(path, "\n  a.b.c \n");
	assert_int_equal(settings_read_token(&token, env_posix(), path, &diag),
			 0);
	assert_string_equal(token.ptr, "a.b.c");
	put(path, "a\nb");
	assert_int_equal(settings_read_token(&token, env_posix(), path, &diag),
			 ERR_INVALID);
	put(path, "");
	assert_int_equal(settings_read_token(&token, env_posix(), path, &diag),
			 ERR_INVALID);
	unlink(path);
	assert_int_equal(settings_read_token(&token, env_posix(), path, &diag),
			 ERR_NOT_FOUND);
	buf_fini(&token);
	unsetenv("AWS_SHARED_CREDENTIALS_FILE");
	snprintf(path, sizeof(path), "%s/.config/tallyscope", home);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/.config", home);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/.aws/credentials", home);
	unlink(path);
	snprintf(path, sizeof(path), "%s/.aws", home);
	rmdir(path);
	assert_int_equal(rmdir(home), 0);
}

int main(void)
{
	static const char *const mine[] = {
		"TALLY_ENDPOINT",    "AWS_ENDPOINT_URL",
		"AWS_REGION",        "AWS_DEFAULT_REGION",
		"AWS_PROFILE",       "AWS_ACCESS_KEY_ID",
		"AWS_SESSION_TOKEN", "AWS_SECRET_ACCESS_KEY",
		"TALLY_TOKEN",       "TALLY_TOKEN_FILE",
		"AWS_CONFIG_FILE",   "AWS_SHARED_CREDENTIALS_FILE",
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_files),
	};

	for (size_t i = 0; i < COUNT(mine); i++)
		unsetenv(mine[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
