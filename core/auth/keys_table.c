/* SPDX-License-Identifier: Apache-2.0 */
#include "core/auth/keys_table.h"

#include <assert.h>
#include <nettle/memops.h>

#include "core/auth/sigv4_canonical.h"
#include "core/base/hash.h"
#include "core/codec/ini.h"

enum {
	DECOY_SECRET = 40, /* as long as those AWS makes */
	SEEDS_MAX = 8,
	REGIONS_BYTES_MAX = KEYS_FILE_MAX * 16,
};

/* --- settings of a key --------------------------------------------------------- */

static bool is_id(struct sv s)
{
	if (s.len < KEY_ID_MIN || s.len > SIGV4_KEY_ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '_' || c == '-' ||
		      c == '.'))
			return false;
	}
	return true;
}

static bool is_visible(struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
			return false;
	return true;
}

static int set_id(struct keys_table *t, struct key *k, struct sv v,
		  struct diag *diag)
{
	(void)t;
	if (!is_id(v))
		return diag_set(diag, ERR_INVALID,
				"aws_access_key_id must be %d to %d of A-Z "
				"a-z 0-9 _ - .",
				KEY_ID_MIN, SIGV4_KEY_ID_MAX);
	k->id = v;
	return 0;
}

static int set_secret(struct keys_table *t, struct key *k, struct sv v,
		      struct diag *diag)
{
	(void)t;
	if (v.len < KEY_SECRET_MIN || v.len > SIGV4_SECRET_MAX ||
	    !is_visible(v))
		return diag_set(diag, ERR_INVALID,
				"aws_secret_access_key must be %d to %d "
				"visible characters",
				KEY_SECRET_MIN, SIGV4_SECRET_MAX);
	k->secret = v;
	return 0;
}

static int set_role(struct keys_table *t, struct key *k, struct sv v,
		    struct diag *diag)
{
	(void)t;
	for (int role = KEY_INGEST; role <= KEY_ADMIN; role++)
		if (sv_eq(v, sv_from(key_role_name((enum key_role)role)))) {
			k->role = (enum key_role)role;
			return 0;
		}
	return diag_set(diag, ERR_INVALID,
			"role must be ingest, read or admin");
}

static int set_account(struct keys_table *t, struct key *k, struct sv v,
		       struct diag *diag)
{
	(void)t;
	if (v.len != 12 || !sv_to_u64(v, &k->account))
		return diag_set(diag, ERR_INVALID,
				"account must be twelve digits");
	return 0;
}

static bool is_region(struct sv s)
{
	if (s.len == 0 || s.len > KEY_REGION_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
		      (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '-'))
			return false;
	return true;
}

static int set_regions(struct keys_table *t, struct key *k, struct sv v,
		       struct diag *diag)
{
	struct sv list[KEY_REGIONS_MAX];
	struct sv *copy;
	size_t n = 0;

	if (sv_eq(v, SV("*")))
		return 0;
	do {
		struct sv region = sv_trim(sv_cut(&v, ','));

		if (n == KEY_REGIONS_MAX)
			return diag_set(diag, ERR_LIMIT,
					"a key has at most %d regions",
					KEY_REGIONS_MAX);
		if (!is_region(region))
			return diag_set(diag, ERR_INVALID,
					"regions must be * or a list of "
					"regions with commas");
		list[n++] = region;
	} while (v.ptr);
	copy = arena_array(&t->arena, n, sizeof(*copy));
	if (!copy)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	memcpy(copy, list, n * sizeof(*copy));
	k->regions = copy;
	k->region_count = n;
	return 0;
}

static int set_rate(struct keys_table *t, struct key *k, struct sv v,
		    struct diag *diag)
{
	(void)t;
	if (!sv_to_u64(v, &k->rate) || k->rate > KEY_RATE_MAX)
		return diag_set(diag, ERR_INVALID,
				"rate must be 0 (no limit) to %d requests a "
				"second",
				KEY_RATE_MAX);
	return 0;
}

static int set_expires(struct keys_table *t, struct key *k, struct sv v,
		       struct diag *diag)
{
	(void)t;
	if (!sigv4_time(v, &k->expires_s) || k->expires_s == 0)
		return diag_set(diag, ERR_INVALID,
				"expires must be a time such as "
				"20270101T000000Z");
	return 0;
}

static const struct setting {
	struct sv name;
	int (*set)(struct keys_table *t, struct key *k, struct sv v,
		   struct diag *diag);
	bool required;
} settings[] = {
	{ SV_INIT("aws_access_key_id"), set_id, true },
	{ SV_INIT("aws_secret_access_key"), set_secret, true },
	{ SV_INIT("role"), set_role, true },
	{ SV_INIT("account"), set_account, true },
	{ SV_INIT("regions"), set_regions, false },
	{ SV_INIT("rate"), set_rate, false },
	{ SV_INIT("expires"), set_expires, false },
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

/* --- lines ---------------------------------------------------------------------- */

struct reader {
	struct keys_table *table;
	struct diag *diag;
	struct key *key; /* of the section we are in; NULL: none yet */
	unsigned seen;   /* bit per setting */
	int line;
	int section_line;
	size_t cap;
};

/* The section is complete? */
static int end_section(struct reader *r)
{
	if (!r->key)
		return 0;
	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].required && !(r->seen & 1U << i)) {
			r->line = r->section_line;
			return diag_set(r->diag, ERR_INVALID,
					"[%.*s] has no %.*s",
					SV_ARG(r->key->name),
					SV_ARG(settings[i].name));
		}
	return 0;
}

static int begin_section(struct reader *r, struct sv name)
{
	struct keys_table *t = r->table;
	int e = end_section(r);

	if (e)
		return e;
	if (name.len == 0 || name.len > KEY_NAME_MAX || !is_visible(name))
		return diag_set(r->diag, ERR_INVALID,
				"the name of a key is 1 to %d visible "
				"characters",
				KEY_NAME_MAX);
	for (size_t i = 0; i < t->count; i++)
		if (sv_eq(t->keys[i].name, name))
			return diag_set(r->diag, ERR_EXISTS,
					"[%.*s] is there twice", SV_ARG(name));
	if (t->count == KEYS_MAX)
		return diag_set(r->diag, ERR_LIMIT, "more than %d keys",
				KEYS_MAX);
	assert(t->count < r->cap);
	r->key = &t->keys[t->count++];
	r->key->name = name;
	r->key->known = true;
	r->seen = 0;
	r->section_line = r->line;
	return 0;
}

static int read_setting(struct reader *r, struct sv name, struct sv value)
{
	if (!r->key)
		return diag_set(r->diag, ERR_SYNTAX,
				"a setting before the first [NAME]");
	for (size_t i = 0; i < SETTINGS; i++) {
		if (!sv_eq(settings[i].name, name))
			continue;
		if (r->seen & 1U << i)
			return diag_set(r->diag, ERR_EXISTS,
					"%.*s is there twice", SV_ARG(name));
		r->seen |= 1U << i;
		return settings[i].set(r->table, r->key, value, r->diag);
	}
	/* Not the name: with a '=' forgotten it may be a secret. */
	return diag_set(r->diag, ERR_INVALID,
			"no such setting; there are aws_access_key_id, "
			"aws_secret_access_key, role, account, regions, rate "
			"and expires");
}

static int read_line(struct reader *r, const struct ini_line *line)
{
	switch (line->kind) {
	case INI_SECTION:
		return begin_section(r, line->name);
	case INI_SETTING:
		return read_setting(r, line->name, line->value);
	case INI_BAD_SECTION:
		return diag_set(r->diag, ERR_SYNTAX,
				"a section is written [NAME]");
	case INI_BAD_SETTING:
		break;
	}
	return diag_set(r->diag, ERR_SYNTAX,
			"a setting is written NAME = VALUE");
}

static int read_lines(struct reader *r, struct sv text)
{
	struct ini ini;
	struct ini_line line;
	int e = 0, more = 0;

	ini_init(&ini, text, KEYS_LINE_MAX);
	while (!e && (more = ini_next(&ini, &line)) > 0) {
		r->line = ini.line;
		e = read_line(r, &line);
	}
	if (more < 0) {
		r->line = ini.line;
		e = diag_set(r->diag, ERR_LIMIT, "a line of more than %d bytes",
			     KEYS_LINE_MAX);
	}
	if (!e)
		e = end_section(r);
	if (e && r->diag)
		r->diag->line = r->line;
	return e;
}

/* --- the index -------------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
	const struct keys_slot *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static void pad_id(char out[SIGV4_KEY_ID_MAX], struct sv id)
{
	memset(out, 0, SIGV4_KEY_ID_MAX);
	if (id.len)
		memcpy(out, id.ptr, id.len);
}

/* Each hash another, so that one comparison decides. ERR_EXISTS: two keys have
 * one id. */
static int index_keys(struct keys_table *t, struct diag *diag)
{
	for (int attempt = 0; attempt < SEEDS_MAX; attempt++) {
		bool again = false;

		if (secret_random(&t->seed, sizeof(t->seed)))
			return diag_set(diag, ERR_IO, "no random numbers");
		for (size_t i = 0; i < t->count; i++) {
			t->slots[i].hash = hash64_seed(t->keys[i].id, t->seed);
			t->slots[i].key = &t->keys[i];
			pad_id(t->slots[i].id, t->keys[i].id);
		}
		if (t->count)
			qsort(t->slots, t->count, sizeof(*t->slots), by_hash);
		for (size_t i = 1; i < t->count; i++) {
			if (t->slots[i - 1].hash != t->slots[i].hash)
				continue;
			if (sv_eq(t->slots[i - 1].key->id, t->slots[i].key->id))
				return diag_set(
					diag, ERR_EXISTS,
					"[%.*s] and [%.*s] have the same "
					"aws_access_key_id",
					SV_ARG(t->slots[i - 1].key->name),
					SV_ARG(t->slots[i].key->name));
			again = true;
		}
		if (!again)
			return 0;
	}
	return diag_set(diag, ERR_IO, "random numbers repeat");
}

static int make_decoy(struct keys_table *t, char *at, struct diag *diag)
{
	uint8_t bytes[DECOY_SECRET / 2];

	if (secret_random(bytes, sizeof(bytes)))
		return diag_set(diag, ERR_IO, "no random numbers");
	hex_from(at, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	t->decoy = (struct key){ .name = SV(""),
				 .id = SV(""),
				 .secret = sv_make(at, DECOY_SECRET) };
	t->no_slot.key = &t->decoy;
	return 0;
}

/* --- a table ---------------------------------------------------------------------- */

int keys_area(struct secret_area *area, size_t size, struct diag *diag)
{
	int e = secret_area_init(area, size + DECOY_SECRET);

	return e ? diag_set(diag, e, "no memory for access keys") : 0;
}

static size_t count_sections(struct sv text)
{
	size_t n = 0;

	while (text.ptr) {
		struct sv line = sv_trim(sv_cut(&text, '\n'));

		n += line.len && line.ptr[0] == '[';
	}
	return n < KEYS_MAX ? n : KEYS_MAX;
}

int keys_parse_area(struct keys_table **out, struct secret_area *area,
		    size_t len, struct diag *diag)
{
	struct keys_table *t = calloc(1, sizeof(*t));
	struct sv text = sv_make(area->ptr, len);
	struct reader r = { .table = t, .diag = diag };
	int e;

	assert(len + DECOY_SECRET <= area->size);
	if (!t) {
		secret_area_fini(area);
		return diag_set(diag, ERR_NOMEM, "out of memory");
	}
	t->area = *area;
	*area = (struct secret_area){ 0 };
	t->arena.limit = REGIONS_BYTES_MAX;
	r.cap = count_sections(text);
	t->keys = calloc(r.cap + 1, sizeof(*t->keys));
	t->slots = calloc(r.cap + 1, sizeof(*t->slots));
	if (!t->keys || !t->slots)
		e = diag_set(diag, ERR_NOMEM, "out of memory");
	else
		e = make_decoy(t, (char *)t->area.ptr + len, diag);
	if (!e)
		e = read_lines(&r, text);
	if (!e)
		e = index_keys(t, diag);
	if (e) {
		keys_table_free(t);
		return e;
	}
	*out = t;
	return 0;
}

int keys_parse(struct keys_table **out, struct sv text, struct diag *diag)
{
	struct secret_area area;
	int e;

	if (text.len > KEYS_FILE_MAX)
		return diag_set(diag, ERR_LIMIT,
				"more than %d bytes of access keys",
				KEYS_FILE_MAX);
	e = keys_area(&area, text.len, diag);
	if (e)
		return e;
	if (text.len)
		memcpy(area.ptr, text.ptr, text.len);
	return keys_parse_area(out, &area, text.len, diag);
}

void keys_table_free(struct keys_table *t)
{
	if (!t)
		return;
	assert(t->users == 0);
	free(t->keys);
	free(t->slots);
	arena_fini(&t->arena);
	secret_area_fini(&t->area);
	free(t);
}

const struct key *keys_find(const struct keys_table *t, struct sv id)
{
	char padded[SIGV4_KEY_ID_MAX];
	bool fits = id.len > 0 && id.len <= sizeof(padded);
	uint64_t hash = hash64_seed(id, t->seed);
	const struct keys_slot *slot = t->count ? t->slots : &t->no_slot;
	const struct key *pick[2];

	pad_id(padded, fits ? id : SV(""));
	/* The last slot whose hash is not above ours: as many steps for any. */
	for (size_t n = t->count; n > 1;) {
		size_t half = n / 2;

		slot += slot[half].hash <= hash ? half : 0;
		n -= half;
	}
	pick[0] = &t->decoy;
	pick[1] = slot->key;
	/* The hash tells an id from the same with zeros behind it. */
	return pick[memeql_sec(padded, slot->id, sizeof(padded)) & fits &
		    (slot->hash == hash)];
}

size_t keys_count(const struct keys_table *t)
{
	return t->count;
}

const struct key *keys_at(const struct keys_table *t, size_t i)
{
	assert(i < t->count);
	return &t->keys[i];
}

bool keys_locked(const struct keys_table *t)
{
	return t->area.locked;
}
