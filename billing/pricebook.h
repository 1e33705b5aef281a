/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Price book: dated prices and metering rules, read from a folder of JSON
 * files (billing/prices/; docs/decisions/money.md has the format). Prices are
 * data: change a file and the next statement follows, with no restart. All
 * money and quantities in a file are decimal strings, never JSON numbers, so
 * that no parser on the way can round them.
 *
 * A file is for one region, or ("region": "*") for the allowance an account
 * has over all regions, and holds periods that do not overlap. A bad file is
 * refused with file, line and what is wrong, and its last good content stays
 * in force. pricebook_refresh compares contents, not times: a file that was
 * changed twice within a second is seen, and reading a few KB costs about as
 * much as asking for their times.
 *
 * A struct price_set is what was in force at one moment: immutable, counted
 * references, so a statement is priced by one set throughout while another
 * thread refreshes.
 */
#ifndef TALLY_BILLING_PRICEBOOK_H
#define TALLY_BILLING_PRICEBOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "billing/money.h"
#include "core/base/err.h"
#include "core/base/text.h"
#include "core/sys/env.h"
#include "core/wire/records.h"

enum {
	PRICEBOOK_FILES_MAX = 64,
	PRICEBOOK_BYTES_MAX = 1 << 20, /* of a file */
	PRICEBOOK_PERIODS_MAX = 64,    /* of a file */
	PRICEBOOK_TIERS_MAX = 16,      /* of a price */
	PRICEBOOK_NAME_MAX = 64,       /* file name; version text */
	ARCH_COUNT = 2,
};

enum usage_type { USAGE_REQUEST, USAGE_GB_S, USAGE_TYPE_COUNT };

/* Graduated: what lies between the tier below and up_to goes at this rate. */
struct tier {
	int128 up_to; /* in quantity units (requests, MB-ms); 0: no end */
	struct rate rate;
};

struct price {
	struct tier tiers[PRICEBOOK_TIERS_MAX];
	size_t tier_count; /* 0: the book has no such price */
};

/* Whether the free allowance fills the first tier too. AWS publishes no
 * example of that size; its price list keeps the two apart. */
enum tier_position { TIERS_PAID_ONLY, TIERS_WITH_FREE };

struct allowance { /* of an account and calendar month (UTC) */
	bool present;
	int128 quantity[USAGE_TYPE_COUNT]; /* shared by architectures */
	enum tier_position position;
};

struct price_period {
	int64_t from_ns, to_ns; /* to is exclusive; INT64_MAX: open */
	uint32_t step_ms;       /* a run's duration is rounded up to this */
	bool init_billed;       /* initialization counts as duration */
	struct price price[USAGE_TYPE_COUNT][ARCH_COUNT];
	struct allowance allowance;
};

struct price_file {
	char name[PRICEBOOK_NAME_MAX]; /* in the folder */
	char version[PRICEBOOK_NAME_MAX];
	char region[REGION_MAX];            /* "*": the account's allowance */
	const struct price_period *periods; /* by time */
	size_t period_count;
};

struct price_set {
	const struct price_file *files; /* by name */
	size_t file_count;
	uint64_t generation;
};

/* NULL where no file covers it. *file (may be NULL) is where it is from. */
const struct price_period *price_set_find(const struct price_set *set,
					  const char *region, int64_t time_ns,
					  const struct price_file **file);
/* The first instant after time_ns at which another period begins for this
 * region or the allowance; INT64_MAX: none. */
int64_t price_set_next_change(const struct price_set *set, const char *region,
			      int64_t time_ns);

struct pricebook;
/* Reads dir, which must be there. A bad file is refused (diag names it, 0 is
 * returned all the same: the others are in force); ERR_NOT_FOUND: no folder. */
int pricebook_open(struct pricebook **out, const struct env *env,
		   const char *dir, struct diag *diag) MUST_USE;
void pricebook_close(struct pricebook *p);
/* Call before each use. 0, or the error of the first file that is refused now
 * (diag: file, line, what is wrong); what was in force stays so. Any thread. */
int pricebook_refresh(struct pricebook *p, struct diag *diag);
/* Never NULL; release it. */
const struct price_set *pricebook_acquire(struct pricebook *p);
void pricebook_release(struct pricebook *p, const struct price_set *set);

/* One file's bytes to a price_file; for tests and fuzzing too. Free the
 * periods. diag: line and what is wrong. */
int price_file_parse(struct price_file *out, struct sv text,
		     struct diag *diag) MUST_USE;

const char *usage_type_name(enum usage_type t);     /* "Lambda-Request" */
const char *usage_type_unit(enum usage_type t);     /* "requests", "GB-s" */
const char *architecture_name(enum architecture a); /* "x86_64" */

#endif
