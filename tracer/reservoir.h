/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservoirs: a sampling rule's requests a second, shared among the clients
 * that use it. A client reports every RESERVOIR_INTERVAL_S and is granted a
 * quota, good for RESERVOIR_TTL_S: its part of the reservoir by its part of
 * what all were asked lately.
 *
 * What is granted and has not expired never exceeds the reservoir, whoever
 * joins, leaves or dies, and also where an answer does not arrive: a client is
 * taken to hold the greatest of its grants that have not expired, since it may
 * know that one alone. Who is to get less keeps what it has until that expires,
 * so a newcomer finds its part within RESERVOIR_TTL_S; until then it gets what
 * is free, perhaps nothing. Only where a rule's reservoir is made smaller is it
 * exceeded, until grants of before have expired.
 *
 * What was granted is not stored. After a start nothing is granted until all
 * that an earlier run may have granted has expired (reservoirs_new: quiet):
 * clients then borrow, one request a second each, as before their first answer.
 *
 * Counts of each rule's last minutes are kept beside it. All of it is in memory
 * and bounded; reads no clock. Not for two threads at once.
 */
#ifndef TALLY_TRACER_RESERVOIR_H
#define TALLY_TRACER_RESERVOIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/text.h"
#include "core/wire/records.h"

enum {
	RESERVOIR_INTERVAL_S = 10,
	/* Three reports may be lost. X-Ray's are good for longer, and there a
	 * newcomer waits longer. */
	RESERVOIR_TTL_S = 30,
	RESERVOIR_POOLS_MAX = 1024,   /* rules of all accounts with traffic */
	RESERVOIR_CLIENTS_MAX = 1000, /* of one rule; others get no quota */
	RESERVOIR_ALL_CLIENTS_MAX = 16384,
	RESERVOIR_GRANTS_MAX = 4,    /* of a client, that count apart */
	RESERVOIR_MINUTES = 30,      /* of which there are counts */
	RESERVOIR_CLIENT_BYTES = 12, /* 24 hex digits */
	RESERVOIR_RULE_MAX = 128,    /* bytes of a name */
	RESERVOIR_BOOST_S = 60,
};

struct reservoirs;

/* quiet_until_ns: nothing is granted before; 0: at once. */
int reservoirs_new(struct reservoirs **out, int64_t quiet_until_ns) MUST_USE;
void reservoirs_free(struct reservoirs *rs);

struct reservoir_report {
	const struct scope *scope;
	struct sv rule;     /* its name */
	uint32_t reservoir; /* requests a second, as the rule is now */
	uint8_t client[RESERVOIR_CLIENT_BYTES];
	uint64_t requests, sampled, borrowed; /* since its last report */
};

struct reservoir_grant {
	bool granted; /* false: no quota can be told (yet); quota is 0 */
	uint32_t quota;
	int64_t expires_ns;
};

/* Counts the report and grants a quota. ERR_LIMIT: there are
 * RESERVOIR_POOLS_MAX rules in use; nothing is counted. ERR_NOMEM. */
int reservoirs_report(struct reservoirs *rs, const struct reservoir_report *in,
		      int64_t now_ns, struct reservoir_grant *out) MUST_USE;

/* Whether a boost of this rule begins or goes on, since anomalies were seen:
 * one of RESERVOIR_BOOST_S within cooldown_min minutes. *ends_ns: when it
 * ends. */
bool reservoirs_boost(struct reservoirs *rs, const struct scope *scope,
		      struct sv rule, bool anomalies, uint32_t cooldown_min,
		      int64_t now_ns, int64_t *ends_ns);

struct reservoir_minute {
	int64_t start_ns;
	uint64_t requests, sampled, borrowed;
};

/* Calls each for the minutes of a scope's rules that had reports, the oldest of
 * a rule first. */
void reservoirs_minutes(struct reservoirs *rs, const struct scope *scope,
			int64_t now_ns,
			void (*each)(void *arg, struct sv rule,
				     const struct reservoir_minute *minute),
			void *arg);

struct reservoirs_stats {
	uint64_t pools, clients;
	uint64_t refused; /* reports for which there was no room */
};
void reservoirs_stats(const struct reservoirs *rs,
		      struct reservoirs_stats *out);

#endif
