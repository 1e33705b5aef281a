/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally keys: works on the file of access keys itself, with or without a
 * collector that runs. A secret is made of the kernel's randomness, written
 * into the file, shown once, and never read back out of it.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/types.h>

#include "collector/ctl/ctl.h"
#include "collector/ctl/keys_file.h"
#include "collector/ctl/keys_list.h"
#include "core/codec/json_write.h"
#include "core/codec/time_text.h"
#include "core/sys/env.h"

#define KEYS_PATH_VARIABLE "TALLY_KEYS"
#define KEYS_PATH_DEFAULT "/etc/tallyscope/keys"

enum {
	/* TALY, which none of AWS's own ids begins with, and 80 bits. */
	ID_RANDOM = 16,
	ID_BYTES = 20,
	SECRET_BYTES = 40, /* of 6 bits each, as AWS's are */
	KEY_FILE = 0x2000,
	KEY_ROLE,
	KEY_ACCOUNT,
	KEY_REGIONS,
	KEY_RATE,
	KEY_EXPIRES,
	KEY_FORMAT,
	KEY_PID,
};

enum verb { VERB_LIST, VERB_CREATE, VERB_REVOKE };

struct options {
	struct program program;
	enum verb verb;
	bool has_verb;
	const char *name; /* or an id, to revoke */
	const char *path;
	const char *role, *account, *regions;
	int64_t rate;
	char expires[20]; /* "20270101T000000Z"; "": never */
	bool profile;
	pid_t pid;
};

static const struct argp_option option_list[] = {
	{ "file", KEY_FILE, "FILE", 0,
	  "The file of keys; without it $" KEYS_PATH_VARIABLE
	  ", then " KEYS_PATH_DEFAULT,
	  0 },
	{ "role", KEY_ROLE, "ROLE", 0,
	  "ingest (writes telemetry), read (asks) or admin (all)", 0 },
	{ "account", KEY_ACCOUNT, "DIGITS", 0, "Twelve digits (123456789012)",
	  0 },
	{ "regions", KEY_REGIONS, "LIST", 0,
	  "us-east-1,eu-west-1,... or * (the default)", 0 },
	{ "rate", KEY_RATE, "N", 0, "Requests a second; 0: no limit", 0 },
	{ "expires", KEY_EXPIRES, "TIME", 0,
	  "90d from now, 2027-01-01 or 2027-01-01T00:00:00Z (never)", 0 },
	{ "format", KEY_FORMAT, "FORMAT", 0,
	  "text, or profile: for AWS's credentials file", 0 },
	{ "pid", KEY_PID, "PID", 0,
	  "Tell this collector to read the keys again", 0 },
	{ 0 },
};

/* --- arguments ------------------------------------------------------------------ */

static const char *role(struct argp_state *state, const char *text)
{
	if (strcmp(text, "ingest") != 0 && strcmp(text, "read") != 0 &&
	    strcmp(text, "admin") != 0)
		argp_error(state, "--role is ingest, read or admin");
	return text;
}

static const char *account(struct argp_state *state, const char *text)
{
	if (strlen(text) != 12 || strspn(text, "0123456789") != 12)
		argp_error(state, "--account is twelve digits");
	return text;
}

/* So that no argument can be two lines of the file. */
static const char *one_word(struct argp_state *state, const char *what,
			    const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("[]=#;", *c))
			argp_error(state,
				   "%s is one word of letters and digits "
				   "without []=#;",
				   what);
	if (!*text || strlen(text) > KEYS_LINE_MAX / 2)
		argp_error(state, "%s is empty or too long", what);
	return text;
}

static void put_time(char out[20], int64_t epoch_s)
{
	time_t t = (time_t)epoch_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, 20, "%Y%m%dT%H%M%SZ", &tm))
		out[0] = '\0';
}

/* "90d": from now. */
static bool relative(struct sv text, int64_t now_s, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	uint64_t n;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!text.len || text.ptr[text.len - 1] != units[i].unit ||
		    !sv_to_u64(sv_make(text.ptr, text.len - 1), &n) ||
		    n > 100 * 366 * 24)
			continue;
		*out = now_s + (int64_t)n * units[i].seconds;
		return true;
	}
	return false;
}

static void set_expires(struct options *o, struct argp_state *state,
			const char *text)
{
	int64_t now_s = (int64_t)o->program.now;
	int64_t epoch_s = 0, ns = 0;
	char day[64];

	snprintf(day, sizeof(day), "%.40s%s", text,
		 strlen(text) == 10 ? "T00:00:00Z" : "");
	if (time_from_iso(sv_from(day), &ns))
		epoch_s = ns / NS_PER_S;
	else if (!relative(sv_from(text), now_s, &epoch_s))
		argp_error(state, "--expires is 90d, 12h, 4w (from now), "
				  "2027-01-01 or 2027-01-01T00:00:00Z");
	if (epoch_s <= now_s)
		argp_error(state, "--expires is a time to come");
	put_time(o->expires, epoch_s);
}

static void set_verb(struct options *o, struct argp_state *state,
		     const char *arg)
{
	static const char *const verbs[] = { [VERB_LIST] = "list",
					     [VERB_CREATE] = "create",
					     [VERB_REVOKE] = "revoke" };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(arg, verbs[i])) {
			o->verb = (enum verb)i;
			o->has_verb = true;
			return;
		}
	argp_error(state, "it is list, create NAME or revoke NAME");
}

static void check_arguments(struct options *o, struct argp_state *state)
{
	if (o->verb != VERB_LIST && !o->name)
		argp_error(state, "%s needs the NAME of a key%s",
			   o->verb == VERB_CREATE ? "create" : "revoke",
			   o->verb == VERB_CREATE ? "" : ", or its id");
	if (o->verb == VERB_CREATE && !o->role)
		argp_error(state, "say with --role what it may do: ingest, "
				  "read or admin");
	if (o->verb != VERB_CREATE && (o->role || o->account || o->regions ||
				       o->rate || o->expires[0] || o->profile))
		argp_error(state, "only create takes the settings of a key");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case KEY_FILE:
		o->path = arg;
		return 0;
	case KEY_ROLE:
		o->role = role(state, arg);
		return 0;
	case KEY_ACCOUNT:
		o->account = account(state, arg);
		return 0;
	case KEY_REGIONS:
		o->regions = one_word(state, "--regions", arg);
		return 0;
	case KEY_RATE:
		o->rate = program_number(state, "--rate", arg, 0, KEY_RATE_MAX);
		return 0;
	case KEY_EXPIRES:
		set_expires(o, state, arg);
		return 0;
	case KEY_FORMAT:
		if (strcmp(arg, "text") != 0 && strcmp(arg, "profile") != 0)
			argp_error(state, "--format is text or profile");
		o->profile = !strcmp(arg, "profile");
		return 0;
	case KEY_PID:
		o->pid = (pid_t)program_number(state, "--pid", arg, 1,
					       INT32_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (!o->has_verb)
			set_verb(o, state, arg);
		else if (o->verb != VERB_LIST && !o->name)
			o->name = one_word(state, "NAME", arg);
		else
			argp_error(state, "that is one argument too many");
		return 0;
	case ARGP_KEY_END:
		check_arguments(o, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.args_doc = "[list]\ncreate NAME --role ROLE\nrevoke NAME|ID",
	.doc = "Lists, makes and takes back the access keys in a collector's "
	       "file of keys.\vA secret is shown once, when it is made. A "
	       "collector that runs reads the file again on SIGHUP.",
	.children = program_file_children,
};

/* --- create ---------------------------------------------------------------------- */

/* n characters of an alphabet whose length is a power of two. */
static int random_text(char *out, size_t n, const char *alphabet, size_t count)
{
	uint8_t bytes[SECRET_BYTES];

	if (secret_random(bytes, n))
		return ERR_IO;
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[bytes[i] & (count - 1)];
	out[n] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

struct fresh_key {
	char id[ID_BYTES + 1];
	char secret[SECRET_BYTES + 1];
};

static int make_key(struct fresh_key *k, struct diag *diag)
{
	static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	memcpy(k->id, "TALY", 4);
	if (random_text(k->id + 4, ID_RANDOM, base32, sizeof(base32) - 1) ||
	    random_text(k->secret, SECRET_BYTES, base64, sizeof(base64) - 1))
		return diag_set(diag, ERR_IO, "no random numbers");
	return 0;
}

static void put_section(const struct options *o, const struct fresh_key *k,
			struct buf *out)
{
	buf_format(out,
		   "[%s]\naws_access_key_id = %s\n"
		   "aws_secret_access_key = %s\nrole = %s\naccount = %s\n",
		   o->name, k->id, k->secret, o->role,
		   o->account ? o->account : "123456789012");
	if (o->regions)
		buf_format(out, "regions = %s\n", o->regions);
	if (o->rate)
		buf_format(out, "rate = %" PRId64 "\n", o->rate);
	if (o->expires[0])
		buf_format(out, "expires = %s\n", o->expires);
}

static void print_key(struct options *o, const struct fresh_key *k)
{
	struct buf *out = &o->program.out;
	struct json_writer w = json_writer(out);

	if (o->profile) {
		buf_format(out,
			   "[%s]\naws_access_key_id = %s\n"
			   "aws_secret_access_key = %s\n",
			   o->name, k->id, k->secret);
		return;
	}
	if (!o->program.json) {
		buf_format(out,
			   "Access key id      %s\n"
			   "Secret access key  %s\n",
			   k->id, k->secret);
		return;
	}
	json_open_object(&w);
	json_key(&w, "name");
	json_put_text(&w, o->name);
	json_key(&w, "aws_access_key_id");
	json_put_text(&w, k->id);
	json_key(&w, "aws_secret_access_key");
	json_put_text(&w, k->secret);
	json_close_object(&w);
	buf_char(out, '\n');
}

static const struct key *find(const struct keys_table *t, struct sv name)
{
	for (size_t i = 0; i < keys_count(t); i++)
		if (sv_eq(keys_at(t, i)->name, name) ||
		    sv_eq(keys_at(t, i)->id, name))
			return keys_at(t, i);
	return NULL;
}

static int create(struct options *o, struct diag *diag)
{
	struct secret_area area;
	struct fresh_key k;
	struct keys_file f;
	struct buf section;
	int e = secret_area_init(&area, KEYS_FILE_SECTION_MAX);

	if (e)
		return diag_set(diag, e, "no memory for a secret");
	/* A buf in locked memory: it never grows over its limit. */
	section = (struct buf){ .ptr = area.ptr,
				.cap = area.size,
				.limit = KEYS_FILE_SECTION_MAX - 2 };
	e = make_key(&k, diag);
	if (!e)
		put_section(o, &k, &section);
	if (!e && section.failed)
		e = diag_set(diag, ERR_LIMIT, "the settings are too long");
	if (!e)
		e = keys_file_open(&f, o->path, true, diag);
	if (!e) {
		e = find(f.table, sv_from(o->name)) ?
			    diag_set(diag, ERR_EXISTS,
				     "%.100s has a key of the name %.64s; "
				     "revoke it first, or take another name",
				     f.path, o->name) :
			    keys_file_add(&f, buf_view(&section), diag);
		keys_file_close(&f);
	}
	if (!e)
		print_key(o, &k);
	explicit_bzero(&k, sizeof(k));
	secret_area_fini(&area);
	return e;
}

/* --- revoke ---------------------------------------------------------------------- */

static int take_back(struct options *o, struct diag *diag)
{
	const struct key *key;
	struct keys_file f;
	int e = keys_file_open(&f, o->path, false, diag);

	if (e)
		return e;
	key = find(f.table, sv_from(o->name));
	if (key)
		e = keys_file_remove(&f, key, diag);
	else
		e = diag_set(diag, ERR_NOT_FOUND,
			     "%.100s has no key of the name or id %.64s; "
			     "`tally keys list` shows all",
			     f.path, o->name);
	if (key && !e && !o->program.json)
		buf_format(&o->program.out, "%.*s %.*s is revoked\n",
			   SV_ARG(key->name), SV_ARG(key->id));
	keys_file_close(&f);
	return e;
}

/* --- list ------------------------------------------------------------------------ */

static int list(struct options *o, struct diag *diag)
{
	struct keys_file f;
	int e = keys_file_read(&f, o->path, diag);

	if (e)
		return e;
	if (!keys_list_print(&o->program, f.table))
		e = diag_set(diag, ERR_NOMEM, "out of memory");
	keys_file_close(&f);
	return e;
}

/* --- all ------------------------------------------------------------------------- */

/* The collector that has the file open in its memory still. */
static int tell(struct options *o, struct diag *diag)
{
	if (!o->pid) {
		fprintf(stderr,
			"%s: a collector that runs goes on with the keys it "
			"has; tell it:\n"
			"  kill -HUP PID    or    systemctl reload "
			"tally-collector\n",
			o->program.name);
		return 0;
	}
	if (kill(o->pid, SIGHUP))
		return diag_set(diag, ERR_NOT_FOUND,
				"the file is changed, but process %ld was not "
				"told: %s",
				(long)o->pid, strerror(errno));
	return 0;
}

/* The secret that was shown is in there. */
static void wipe_out(struct program *p)
{
	if (p->out.ptr)
		explicit_bzero(p->out.ptr, p->out.cap);
}

int ctl_keys(int argc, char **argv)
{
	static int (*const run[])(struct options * o, struct diag * diag) = {
		[VERB_LIST] = list,
		[VERB_CREATE] = create,
		[VERB_REVOKE] = take_back,
	};
	struct options o = { .verb = VERB_LIST };
	struct diag diag = { 0 };
	int e;

	program_begin(&o.program, &argp, argc, argv, &o);
	if (!o.path)
		o.path = getenv(KEYS_PATH_VARIABLE);
	if (!o.path || !o.path[0])
		o.path = KEYS_PATH_DEFAULT;
	e = run[o.verb](&o, &diag);
	if (!e && !program_flush(&o.program))
		e = diag_set(&diag, ERR_IO,
			     o.verb == VERB_CREATE ?
				     "the secret could not be shown: revoke "
				     "the key and make another" :
				     "cannot write all to standard output");
	wipe_out(&o.program);
	if (!e && o.verb != VERB_LIST)
		e = tell(&o, &diag);
	if (e)
		program_fail(&o.program, &diag);
	return program_close(&o.program, e ? PROGRAM_FAILED : PROGRAM_OK);
}
