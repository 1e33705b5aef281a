/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rating: a quantity and a price become an exact amount. The free part comes
 * off first, then the graduated tiers, each unit at its own tier. Pure: no
 * files, no clock; the price comes in as an argument.
 */
#ifndef TALLY_BILLING_RATE_H
#define TALLY_BILLING_RATE_H

#include "billing/money.h"
#include "billing/pricebook.h"

/* What one tier was charged. */
struct rated_tier {
	int128 quantity;
	struct rate rate;
	struct money cost;
};

struct rated {
	int128 quantity, free, billable; /* quantity = free + billable */
	/* Those with a quantity; where all is free, the next one's price. */
	struct rated_tier tiers[PRICEBOOK_TIERS_MAX];
	size_t tier_count;
	struct money cost;
};

/* Prices `quantity`, of which `covered` (<= quantity) costs nothing. `before` is
 * what earlier lines of the same month, region and architecture have filled of
 * the tiers already. ERR_NOT_FOUND: the price is missing, or its last tier
 * ends below the quantity; ERR_OVERFLOW. */
int rate_quantity(struct rated *out, const struct price *price, int128 quantity,
		  int128 covered, enum tier_position position,
		  int128 before) MUST_USE;

/* The cost of requests and MB-ms at list price: first tier, before the free
 * allowance. What one run, or a function on a screen, "costs". ERR_NOT_FOUND:
 * the books have no price for this region, architecture and time. */
int rate_list(struct money *out, const struct price_set *prices,
	      const char *region, int64_t time_ns, enum architecture arch,
	      int128 requests, int128 mb_ms) MUST_USE;

#endif
