/* SPDX-License-Identifier: Apache-2.0 */
/* One price file: JSON to a struct price_file. Every key is known and every
 * number is a decimal string, or the file is refused with its line. */
#include "billing/pricebook.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "billing/calendar.h"
#include "core/base/arena.h"
#include "core/codec/json.h"

#define FORMAT SV("tallyscope price book 1")

struct reader {
	struct json_doc doc;
	struct arena arena;
	struct diag *diag;
};

/* Where the value stands, told in diag; returns e. */
static int refuse(struct reader *r, struct json at, int e, const char *format,
		  ...) PRINTF(4, 5);
static int refuse(struct reader *r, struct json at, int e, const char *format,
		  ...)
{
	char text[sizeof(r->diag->text)];
	uint32_t end = at.doc ? at.doc->nodes[at.index].at : 0;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	diag_set(r->diag, e, "%s", text);
	if (r->diag) {
		r->diag->line = 1;
		for (uint32_t i = 0; i < end && i < r->doc.text.len; i++)
			r->diag->line += r->doc.text.ptr[i] == '\n';
	}
	return e;
}

static int get_string(struct reader *r, struct json object, const char *key,
		      struct sv *out)
{
	struct json v = json_get(object, sv_from(key));

	*out = (struct sv){ NULL, 0 };
	if (!v.doc)
		return refuse(r, object, ERR_INVALID, "\"%s\" is missing", key);
	if (!json_is(v, JSON_STRING))
		return refuse(r, v, ERR_INVALID,
			      "\"%s\" must be a string; numbers are written "
			      "as decimal strings",
			      key);
	*out = json_string(v, &r->arena);
	return out->ptr ? 0 : refuse(r, v, ERR_NOMEM, "out of memory");
}

static int get_array(struct reader *r, struct json object, const char *key,
		     struct json *out)
{
	*out = json_get(object, sv_from(key));
	if (!json_is(*out, JSON_ARRAY))
		return refuse(r, out->doc ? *out : object, ERR_INVALID,
			      "\"%s\" must be a list", key);
	return 0;
}

/* A quantity as a decimal string, not negative. */
static int get_quantity(struct reader *r, struct json object, const char *key,
			enum usage_type type, int128 *out)
{
	struct json v = json_get(object, sv_from(key));
	struct sv text;
	int e = get_string(r, object, key, &text);

	if (e)
		return e;
	/* GB-s with three decimals are whole MB-ms: x 10^3 x 1024. */
	e = decimal_parse(out, text, type == USAGE_GB_S ? 3 : 0);
	if (!e && type == USAGE_GB_S && !int128_mul(out, *out, 1024))
		e = ERR_OVERFLOW;
	if (!e && *out < 0)
		e = ERR_INVALID;
	return e ? refuse(r, v, e, "\"%s\" is not a quantity: \"%.*s\"", key,
			  (int)(text.len > 40 ? 40 : text.len), text.ptr) :
		   0;
}

/* Refuses keys that are not in the list: a misspelt key must not pass for an
 * absent one. */
static int known_keys(struct reader *r, struct json object,
		      const char *const *keys)
{
	if (!json_is(object, JSON_OBJECT))
		return refuse(r, object, ERR_INVALID, "must be an object");
	for (struct json it = json_first(object); it.doc;
	     it = json_next(object, it)) {
		struct sv name = json_string(it, &r->arena);
		struct json same = json_get(object, name);
		size_t i = 0;

		while (keys[i] && !sv_eq(name, sv_from(keys[i])))
			i++;
		if (!keys[i])
			return refuse(r, it, ERR_INVALID,
				      "unknown key \"%.*s\"",
				      (int)(name.len > 40 ? 40 : name.len),
				      name.ptr);
		if (same.doc && same.index != json_member(it).index)
			return refuse(r, it, ERR_INVALID,
				      "\"%s\" is there twice", keys[i]);
	}
	return 0;
}

static int read_tier(struct reader *r, struct json v, enum usage_type type,
		     struct price *price)
{
	static const char *const keys[] = { "up_to", "rate", NULL };
	struct tier *t = &price->tiers[price->tier_count];
	int128 below = price->tier_count ? t[-1].up_to : 0;
	struct sv text;
	int e = known_keys(r, v, keys);

	if (e)
		return e;
	if (price->tier_count && below == 0)
		return refuse(r, v, ERR_INVALID,
			      "a tier follows one without \"up_to\"");
	e = get_string(r, v, "rate", &text);
	if (e)
		return e;
	e = rate_parse(&t->rate, text, type == USAGE_GB_S ? MB_MS_PER_GB_S : 1);
	if (e)
		return refuse(r, json_get(v, SV("rate")), e,
			      "\"rate\" must be a decimal string of at most "
			      "%d decimals, as \"0.0000166667\"",
			      RATE_DECIMALS);
	t->up_to = 0;
	if (json_get(v, SV("up_to")).doc) {
		e = get_quantity(r, v, "up_to", type, &t->up_to);
		if (e)
			return e;
		if (t->up_to <= below)
			return refuse(r, json_get(v, SV("up_to")), ERR_INVALID,
				      "\"up_to\" must grow from tier to tier");
	}
	price->tier_count++;
	return 0;
}

static int read_price(struct reader *r, struct json v,
		      struct price_period *period)
{
	static const char *const keys[] = { "usage_type", "architecture",
					    "unit", "tiers", NULL };
	struct sv type, arch, unit;
	struct json tiers;
	struct price *price;
	int t = 0;
	int a = 0;
	int e = known_keys(r, v, keys);

	if (e || (e = get_string(r, v, "usage_type", &type)) ||
	    (e = get_string(r, v, "architecture", &arch)) ||
	    (e = get_string(r, v, "unit", &unit)) ||
	    (e = get_array(r, v, "tiers", &tiers)))
		return e;
	while (t < USAGE_TYPE_COUNT &&
	       !sv_eq(type, sv_from(usage_type_name((enum usage_type)t))))
		t++;
	while (a < ARCH_COUNT &&
	       !sv_eq(arch, sv_from(architecture_name((enum architecture)a))))
		a++;
	if (t == USAGE_TYPE_COUNT || a == ARCH_COUNT)
		return refuse(r, v, ERR_INVALID,
			      "unknown usage type or architecture");
	if (!sv_eq(unit, sv_from(usage_type_unit((enum usage_type)t))))
		return refuse(r, json_get(v, SV("unit")), ERR_INVALID,
			      "\"unit\" must be \"%s\" here",
			      usage_type_unit((enum usage_type)t));
	price = &period->price[t][a];
	if (price->tier_count)
		return refuse(r, v, ERR_INVALID, "this price is there twice");
	for (struct json it = json_first(tiers); it.doc;
	     it = json_next(tiers, it)) {
		if (price->tier_count == PRICEBOOK_TIERS_MAX)
			return refuse(r, it, ERR_LIMIT, "more than %d tiers",
				      PRICEBOOK_TIERS_MAX);
		e = read_tier(r, it, (enum usage_type)t, price);
		if (e)
			return e;
	}
	return price->tier_count ? 0 :
				   refuse(r, tiers, ERR_INVALID, "no tiers");
}

static int read_metering(struct reader *r, struct json v,
			 struct price_period *period)
{
	static const char *const keys[] = { "duration_step_ms", "init_billed",
					    NULL };
	struct json init = json_get(v, SV("init_billed"));
	struct sv step;
	int e = known_keys(r, v, keys);

	if (e || (e = get_string(r, v, "duration_step_ms", &step)))
		return e;
	/* A run's billed time is rounded where it is measured, and the ledger
	 * sums it; a coarser step could not be applied to a sum. */
	if (!sv_eq(step, SV("1")))
		return refuse(r, json_get(v, SV("duration_step_ms")),
			      ERR_INVALID,
			      "\"duration_step_ms\" must be \"1\": the ledger "
			      "keeps time as it was billed, by the ms");
	period->step_ms = 1;
	if (!json_is(init, JSON_TRUE) && !json_is(init, JSON_FALSE))
		return refuse(r, init.doc ? init : v, ERR_INVALID,
			      "\"init_billed\" must be true or false");
	period->init_billed = json_is(init, JSON_TRUE);
	return 0;
}

static int read_allowance(struct reader *r, struct json v, struct allowance *a)
{
	static const char *const keys[] = { "requests", "gb_s", "tier_position",
					    NULL };
	struct sv position;
	int e = known_keys(r, v, keys);

	if (e ||
	    (e = get_quantity(r, v, "requests", USAGE_REQUEST,
			      &a->quantity[USAGE_REQUEST])) ||
	    (e = get_quantity(r, v, "gb_s", USAGE_GB_S,
			      &a->quantity[USAGE_GB_S])) ||
	    (e = get_string(r, v, "tier_position", &position)))
		return e;
	if (sv_eq(position, SV("paid_only")))
		a->position = TIERS_PAID_ONLY;
	else if (sv_eq(position, SV("with_free")))
		a->position = TIERS_WITH_FREE;
	else
		return refuse(r, json_get(v, SV("tier_position")), ERR_INVALID,
			      "\"tier_position\" must be \"paid_only\" or "
			      "\"with_free\"");
	a->present = true;
	return 0;
}

static int get_day(struct reader *r, struct json v, const char *key,
		   int64_t *out)
{
	struct date d;
	struct sv text;
	int e = get_string(r, v, key, &text);

	if (e)
		return e;
	if (!calendar_parse(&d, text))
		return refuse(r, json_get(v, sv_from(key)), ERR_INVALID,
			      "\"%s\" must be a day, as \"2025-08-01\" (UTC)",
			      key);
	*out = calendar_days(d.year, d.month, d.day) * NS_PER_DAY;
	return 0;
}

static int read_period(struct reader *r, struct json v, bool account_wide,
		       struct price_period *p)
{
	static const char *const of_region[] = { "from", "to", "metering",
						 "prices", NULL };
	static const char *const of_account[] = { "from", "to", "free_tier",
						  NULL };
	struct json prices;
	int e = known_keys(r, v, account_wide ? of_account : of_region);

	if (e || (e = get_day(r, v, "from", &p->from_ns)))
		return e;
	p->to_ns = INT64_MAX;
	if (json_get(v, SV("to")).doc && (e = get_day(r, v, "to", &p->to_ns)))
		return e;
	if (p->to_ns <= p->from_ns)
		return refuse(r, v, ERR_INVALID,
			      "\"to\" must be after \"from\"");
	if (account_wide)
		return read_allowance(r, json_get(v, SV("free_tier")),
				      &p->allowance);
	e = read_metering(r, json_get(v, SV("metering")), p);
	if (e || (e = get_array(r, v, "prices", &prices)))
		return e;
	for (struct json it = json_first(prices); it.doc;
	     it = json_next(prices, it)) {
		e = read_price(r, it, p);
		if (e)
			return e;
	}
	return 0;
}

static int read_periods(struct reader *r, struct json list, bool account_wide,
			struct price_period **out, size_t *count)
{
	struct price_period *p = calloc(PRICEBOOK_PERIODS_MAX, sizeof(*p));
	size_t n = 0;
	int e = p ? 0 : ERR_NOMEM;

	for (struct json it = json_first(list); !e && it.doc;
	     it = json_next(list, it)) {
		if (n == PRICEBOOK_PERIODS_MAX) {
			e = refuse(r, it, ERR_LIMIT, "more than %d periods",
				   PRICEBOOK_PERIODS_MAX);
			break;
		}
		e = read_period(r, it, account_wide, &p[n]);
		if (!e && n && p[n].from_ns < p[n - 1].to_ns)
			e = refuse(r, it, ERR_INVALID,
				   "periods must be in order of time and not "
				   "overlap");
		n++;
	}
	if (!e && n == 0)
		e = refuse(r, list, ERR_INVALID, "no periods");
	if (e) {
		free(p);
		return e;
	}
	*out = p;
	*count = n;
	return 0;
}

static int copy_name(struct reader *r, struct json object, const char *key,
		     char *out, size_t size)
{
	struct sv text;
	int e = get_string(r, object, key, &text);

	if (e)
		return e;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
			text.len = 0; /* refused below */
	if (text.len == 0 || text.len >= size)
		return refuse(r, json_get(object, sv_from(key)), ERR_LIMIT,
			      "\"%s\" must be 1 to %zu printable characters",
			      key, size - 1);
	memcpy(out, text.ptr, text.len);
	out[text.len] = '\0';
	return 0;
}

static int expect(struct reader *r, struct json object, const char *key,
		  struct sv want)
{
	struct sv text;
	int e = get_string(r, object, key, &text);

	if (!e && !sv_eq(text, want))
		e = refuse(r, json_get(object, sv_from(key)), ERR_INVALID,
			   "\"%s\" must be \"%.*s\"", key, SV_ARG(want));
	return e;
}

static int read_file(struct reader *r, struct price_file *out)
{
	static const char *const keys[] = { "format",    "service", "region",
					    "currency",  "version", "sources",
					    "not_found", "notes",   "periods",
					    NULL };
	struct json root = json_root(&r->doc);
	struct price_period *periods;
	struct json list;
	int e = known_keys(r, root, keys);

	if (e || (e = expect(r, root, "format", FORMAT)) ||
	    (e = expect(r, root, "service", SV("lambda"))) ||
	    (e = expect(r, root, "currency", SV("USD"))) ||
	    (e = copy_name(r, root, "region", out->region,
			   sizeof(out->region))) ||
	    (e = copy_name(r, root, "version", out->version,
			   sizeof(out->version))) ||
	    (e = get_array(r, root, "periods", &list)) ||
	    (e = read_periods(r, list, !strcmp(out->region, "*"), &periods,
			      &out->period_count)))
		return e;
	out->periods = periods;
	return 0;
}

int price_file_parse(struct price_file *out, struct sv text, struct diag *diag)
{
	struct reader r = { .arena = { .limit = 64 << 20 }, .diag = diag };
	int e;

	*out = (struct price_file){ 0 };
	if (text.len > PRICEBOOK_BYTES_MAX)
		return diag_set(diag, ERR_LIMIT, "larger than %d bytes",
				PRICEBOOK_BYTES_MAX);
	e = json_parse(&r.doc, &r.arena, text, diag);
	if (!e)
		e = read_file(&r, out);
	arena_fini(&r.arena);
	assert(!e == (out->periods != NULL));
	return e;
}
