/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/reservoir.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/hash.h"
#include "core/sys/env.h"

#define TTL_NS (RESERVOIR_TTL_S * NS_PER_S)
/* Until the next report, which may be late. */
#define LASTS_NS ((RESERVOIR_INTERVAL_S + 2) * NS_PER_S)
#define MINUTE_NS (60 * NS_PER_S)

enum { CLIENTS_FIRST = 8 };

struct grant {
	uint32_t quota;
	int64_t expires_ns;
};

/* Grants that have not expired: later ones expire later and are smaller, those
 * that a later and greater one covers are not kept. */
struct client {
	uint8_t id[RESERVOIR_CLIENT_BYTES];
	uint8_t grant_count;
	int64_t reported_ns;
	double demand; /* requests a second, lately */
	struct grant grants[RESERVOIR_GRANTS_MAX];
};

struct pool {
	uint64_t hash;
	struct scope scope;
	char rule[RESERVOIR_RULE_MAX];
	size_t rule_len;
	struct client *clients;
	size_t count, cap;
	int64_t used_ns;
	int64_t boost_ns; /* when the last boost began; 0: never */
	struct reservoir_minute minutes[RESERVOIR_MINUTES];
};

struct reservoirs {
	int64_t quiet_until_ns;
	struct pool *pools[RESERVOIR_POOLS_MAX]; /* in no order */
	size_t count, client_count;
	uint64_t refused;
};

int reservoirs_new(struct reservoirs **out, int64_t quiet_until_ns)
{
	struct reservoirs *rs = calloc(1, sizeof(*rs));

	if (!rs)
		return ERR_NOMEM;
	rs->quiet_until_ns = quiet_until_ns;
	*out = rs;
	return 0;
}

static void pool_free(struct reservoirs *rs, struct pool *p)
{
	rs->client_count -= p->count;
	free(p->clients);
	free(p);
}

void reservoirs_free(struct reservoirs *rs)
{
	if (!rs)
		return;
	for (size_t i = 0; i < rs->count; i++)
		pool_free(rs, rs->pools[i]);
	free(rs);
}

/* --- clients --------------------------------------------------------------------- */

/* The greatest that it may know: grants are in falling order. */
static uint32_t held(const struct client *c)
{
	return c->grant_count ? c->grants[0].quota : 0;
}

static void expire(struct client *c, int64_t now_ns)
{
	size_t gone = 0;

	while (gone < c->grant_count && c->grants[gone].expires_ns <= now_ns)
		gone++;
	if (!gone)
		return;
	c->grant_count = (uint8_t)(c->grant_count - gone);
	memmove(c->grants, c->grants + gone,
		c->grant_count * sizeof(c->grants[0]));
}

static void grant(struct client *c, uint32_t quota, int64_t expires_ns)
{
	while (c->grant_count && c->grants[c->grant_count - 1].quota <= quota)
		c->grant_count--;
	/* No room for one more: the last counts as if it lived on. */
	if (c->grant_count == RESERVOIR_GRANTS_MAX)
		c->grants[c->grant_count - 1].expires_ns = expires_ns;
	else
		c->grants[c->grant_count++] =
			(struct grant){ quota, expires_ns };
}

/* Who has gone and holds nothing is forgotten. */
static void prune(struct reservoirs *rs, struct pool *p, int64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct client *c = &p->clients[i];

		expire(c, now_ns);
		if (c->grant_count || now_ns - c->reported_ns < TTL_NS)
			p->clients[kept++] = *c;
	}
	rs->client_count -= p->count - kept;
	p->count = kept;
}

static struct client *find_client(const struct pool *p, const uint8_t *id)
{
	for (size_t i = 0; i < p->count; i++)
		if (!memcmp(p->clients[i].id, id, RESERVOIR_CLIENT_BYTES))
			return &p->clients[i];
	return NULL;
}

/* NULL: too many, or no memory. */
static struct client *add_client(struct reservoirs *rs, struct pool *p,
				 const uint8_t *id, int64_t now_ns)
{
	struct client *c;

	for (size_t i = 0;
	     i < rs->count && rs->client_count == RESERVOIR_ALL_CLIENTS_MAX;
	     i++)
		prune(rs, rs->pools[i], now_ns);
	if (p->count == RESERVOIR_CLIENTS_MAX ||
	    rs->client_count == RESERVOIR_ALL_CLIENTS_MAX)
		return NULL;
	if (p->count == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : CLIENTS_FIRST;
		struct client *more = realloc(p->clients, cap * sizeof(*more));

		if (!more)
			return NULL;
		p->clients = more;
		p->cap = cap;
	}
	c = &p->clients[p->count++];
	rs->client_count++;
	*c = (struct client){ .grant_count = 0 };
	memcpy(c->id, id, RESERVOIR_CLIENT_BYTES);
	return c;
}

/* --- pools ----------------------------------------------------------------------- */

static uint64_t hash_of(const struct scope *scope, struct sv rule)
{
	return hash64_seed(rule,
			   scope->account ^ hash64(sv_from(scope->region)));
}

static bool is_of(const struct pool *p, const struct scope *scope)
{
	return p->scope.account == scope->account &&
	       !strcmp(p->scope.region, scope->region);
}

static struct pool *find_pool(const struct reservoirs *rs,
			      const struct scope *scope, struct sv rule)
{
	uint64_t hash = hash_of(scope, rule);

	for (size_t i = 0; i < rs->count; i++) {
		struct pool *p = rs->pools[i];

		if (p->hash == hash && is_of(p, scope) &&
		    sv_eq(sv_make(p->rule, p->rule_len), rule))
			return p;
	}
	return NULL;
}

/* One that was not used for as long as its minutes are kept: nothing of it is
 * told, and what it granted has expired. */
static bool drop_old(struct reservoirs *rs, int64_t now_ns)
{
	for (size_t i = 0; i < rs->count; i++)
		if (now_ns - rs->pools[i]->used_ns >
		    RESERVOIR_MINUTES * MINUTE_NS) {
			pool_free(rs, rs->pools[i]);
			rs->pools[i] = rs->pools[--rs->count];
			return true;
		}
	return false;
}

static int take_pool(struct reservoirs *rs, const struct scope *scope,
		     struct sv rule, int64_t now_ns, struct pool **out)
{
	struct pool *p = find_pool(rs, scope, rule);

	assert(rule.len < RESERVOIR_RULE_MAX);
	if (!p) {
		if (rs->count == RESERVOIR_POOLS_MAX && !drop_old(rs, now_ns)) {
			rs->refused++;
			return ERR_LIMIT;
		}
		p = calloc(1, sizeof(*p));
		if (!p)
			return ERR_NOMEM;
		p->hash = hash_of(scope, rule);
		p->scope = *scope;
		memcpy(p->rule, rule.ptr, rule.len);
		p->rule_len = rule.len;
		rs->pools[rs->count++] = p;
	}
	p->used_ns = now_ns;
	*out = p;
	return 0;
}

static void count_minute(struct pool *p, const struct reservoir_report *in,
			 int64_t now_ns)
{
	int64_t start_ns = now_ns - now_ns % MINUTE_NS;
	struct reservoir_minute *m =
		&p->minutes[(size_t)(now_ns / MINUTE_NS) % RESERVOIR_MINUTES];

	if (m->start_ns != start_ns)
		*m = (struct reservoir_minute){ .start_ns = start_ns };
	m->requests += in->requests;
	m->sampled += in->sampled;
	m->borrowed += in->borrowed;
}

/* --- sharing --------------------------------------------------------------------- */

/* Half of what was, half of what is now. */
static void note_demand(struct client *c, uint64_t requests, int64_t now_ns)
{
	int64_t since_ns = c->reported_ns ? now_ns - c->reported_ns :
					    RESERVOIR_INTERVAL_S * NS_PER_S;
	double per_s;

	if (since_ns < NS_PER_S)
		since_ns = NS_PER_S;
	per_s = (double)requests * (double)NS_PER_S / (double)since_ns;
	c->demand = c->reported_ns ? (c->demand + per_s) / 2 : per_s;
	c->reported_ns = now_ns;
}

/* Its part by its demand; who gets none of so small a reservoir gets one, where
 * one is free. */
static uint32_t share_of(const struct pool *p, const struct client *c,
			 uint32_t reservoir, int64_t now_ns)
{
	double all = 0, share;
	size_t active = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (now_ns - p->clients[i].reported_ns >= TTL_NS)
			continue;
		all += p->clients[i].demand;
		active++;
	}
	share = all > 0 ? (double)reservoir * (c->demand / all) :
			  (double)reservoir / (double)active;
	if (share < 1)
		return c->demand > 0 || all <= 0;
	return share < reservoir ? (uint32_t)share : reservoir;
}

static uint32_t free_for(const struct pool *p, const struct client *c,
			 uint32_t reservoir)
{
	uint64_t others = 0;

	for (size_t i = 0; i < p->count; i++)
		if (&p->clients[i] != c)
			others += held(&p->clients[i]);
	return others < reservoir ? reservoir - (uint32_t)others : 0;
}

/* Who is to get less has what it had until that expires: nobody else may have
 * it before, and if it were told now to take less, nobody would. */
static bool keeps(const struct client *c, uint32_t reservoir, uint32_t share,
		  int64_t now_ns)
{
	return share < held(c) && held(c) <= reservoir &&
	       c->grants[0].expires_ns - now_ns > LASTS_NS;
}

int reservoirs_report(struct reservoirs *rs, const struct reservoir_report *in,
		      int64_t now_ns, struct reservoir_grant *out)
{
	struct client *c;
	struct pool *p;
	uint32_t share, most;
	int e = take_pool(rs, in->scope, in->rule, now_ns, &p);

	*out = (struct reservoir_grant){ .granted = false };
	if (e)
		return e;
	count_minute(p, in, now_ns);
	prune(rs, p, now_ns);
	c = find_client(p, in->client);
	if (!c)
		c = add_client(rs, p, in->client, now_ns);
	if (!c) {
		rs->refused++;
		return 0;
	}
	note_demand(c, in->requests, now_ns);
	if (now_ns < rs->quiet_until_ns)
		return 0;
	share = share_of(p, c, in->reservoir, now_ns);
	if (keeps(c, in->reservoir, share, now_ns)) {
		*out = (struct reservoir_grant){
			.granted = true,
			.quota = c->grants[0].quota,
			.expires_ns = c->grants[0].expires_ns,
		};
		return 0;
	}
	most = free_for(p, c, in->reservoir);
	*out = (struct reservoir_grant){
		.granted = true,
		.quota = share < most ? share : most,
		.expires_ns = now_ns + TTL_NS,
	};
	grant(c, out->quota, out->expires_ns);
	return 0;
}

bool reservoirs_boost(struct reservoirs *rs, const struct scope *scope,
		      struct sv rule, bool anomalies, uint32_t cooldown_min,
		      int64_t now_ns, int64_t *ends_ns)
{
	const int64_t lasts_ns = RESERVOIR_BOOST_S * NS_PER_S;
	int64_t cooldown_ns = cooldown_min * MINUTE_NS;
	struct pool *p;

	if (take_pool(rs, scope, rule, now_ns, &p))
		return false;
	if (cooldown_ns < lasts_ns)
		cooldown_ns = lasts_ns;
	if (anomalies && (!p->boost_ns || now_ns - p->boost_ns >= cooldown_ns))
		p->boost_ns = now_ns;
	*ends_ns = p->boost_ns + lasts_ns;
	return p->boost_ns && now_ns < *ends_ns;
}

void reservoirs_minutes(struct reservoirs *rs, const struct scope *scope,
			int64_t now_ns,
			void (*each)(void *arg, struct sv rule,
				     const struct reservoir_minute *minute),
			void *arg)
{
	int64_t now_minute = now_ns / MINUTE_NS;

	for (size_t i = 0; i < rs->count; i++) {
		struct pool *p = rs->pools[i];

		if (!is_of(p, scope))
			continue;
		for (int64_t back = RESERVOIR_MINUTES - 1; back >= 0; back--) {
			int64_t minute = now_minute - back;
			const struct reservoir_minute *m =
				&p->minutes[(size_t)minute % RESERVOIR_MINUTES];

			if (m->start_ns == minute * MINUTE_NS && m->start_ns)
				each(arg, sv_make(p->rule, p->rule_len), m);
		}
	}
}

void reservoirs_stats(const struct reservoirs *rs, struct reservoirs_stats *out)
{
	*out = (struct reservoirs_stats){ rs->count, rs->client_count,
					  rs->refused };
}
