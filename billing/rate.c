/* SPDX-License-Identifier: Apache-2.0 */
#include "billing/rate.h"

#include <assert.h>

/* The tier that the next unit would be in; the last one when all are full. */
static const struct tier *tier_at(const struct price *price, int128 at)
{
	size_t i = 0;

	while (i + 1 < price->tier_count && at >= price->tiers[i].up_to)
		i++;
	return &price->tiers[i];
}

int rate_quantity(struct rated *out, const struct price *price, int128 quantity,
		  int128 covered, enum tier_position position, int128 before)
{
	int128 at = before; /* how full the tiers are */
	int128 left = quantity - covered;

	int128 sum;

	assert(quantity >= 0 && before >= 0);
	assert(covered >= 0 && covered <= quantity);
	*out = (struct rated){ .quantity = quantity,
			       .free = covered,
			       .billable = left };
	if (!int128_add(&sum, before, quantity))
		return ERR_OVERFLOW; /* nothing below can then */
	if (position == TIERS_WITH_FREE)
		at += covered;
	for (size_t i = 0; i < price->tier_count && left > 0; i++) {
		const struct tier *t = &price->tiers[i];
		int128 part = left;
		struct rated_tier *r = &out->tiers[out->tier_count];
		int e;

		if (t->up_to && at >= t->up_to)
			continue;
		if (t->up_to && part > t->up_to - at)
			part = t->up_to - at;
		r->quantity = part;
		r->rate = t->rate;
		e = money_of(&r->cost, part, t->rate);
		if (!e)
			e = money_add(&out->cost, out->cost, r->cost);
		if (e)
			return e;
		out->tier_count++;
		at += part;
		left -= part;
	}
	if (left > 0 || price->tier_count == 0)
		return ERR_NOT_FOUND;
	if (out->tier_count == 0) /* all free: the price is told all the same */
		out->tiers[out->tier_count++].rate = tier_at(price, at)->rate;
	return 0;
}

int rate_list(struct money *out, const struct price_set *prices,
	      const char *region, int64_t time_ns, enum architecture arch,
	      int128 requests, int128 mb_ms)
{
	const struct price_period *p =
		price_set_find(prices, region, time_ns, NULL);
	const int128 quantity[USAGE_TYPE_COUNT] = { requests, mb_ms };
	struct money sum = MONEY_ZERO;

	if (!p)
		return ERR_NOT_FOUND;
	for (int t = 0; t < USAGE_TYPE_COUNT; t++) {
		const struct price *price = &p->price[t][arch];
		struct money m;
		int e;

		if (price->tier_count == 0)
			return ERR_NOT_FOUND;
		e = money_of(&m, quantity[t], price->tiers[0].rate);
		if (!e)
			e = money_add(&sum, sum, m);
		if (e)
			return e;
	}
	*out = sum;
	return 0;
}
