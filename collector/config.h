/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a collector is told: a JSON file (docs/man/tallyscope.conf.5), over it
 * the command line. Read as a whole before anything of it is used: a bad file
 * changes nothing.
 */
#ifndef TALLY_COLLECTOR_CONFIG_H
#define TALLY_COLLECTOR_CONFIG_H

#include "collector/alarms/alarms.h"
#include "collector/confine.h"
#include "collector/door/network.h"
#include "core/base/arena.h"
#include "core/sys/env.h"
#include "core/wire/records.h"
#include "tracer/keep.h"
#include "tracer/traces.h"

enum { CONFIG_BYTES_MAX = 4 << 20, CONFIG_TEXT_MAX = 512, CONFIG_DAYS_MAX = 1000 };

struct config {
	char data[CONFIG_TEXT_MAX];
	char http[CONFIG_TEXT_MAX];
	char xray[CONFIG_TEXT_MAX];
	char grpc[CONFIG_TEXT_MAX];   /* "off": no such listener */
	char prices[CONFIG_TEXT_MAX]; /* folder; empty: found at start */
	char user[CONFIG_TEXT_MAX];   /* whom to become; empty: nobody else */
	enum confine_mode confine;
	/* PEM files of the HTTP port; empty: in clear. */
	char tls_cert[CONFIG_TEXT_MAX];
	char tls_key[CONFIG_TEXT_MAX];
	char tls_client_ca[CONFIG_TEXT_MAX];
	struct scope scope;
	char keys[CONFIG_TEXT_MAX]; /* file of access keys; empty: none */
	char jwks[CONFIG_TEXT_MAX]; /* file of token keys; empty: none */
	char issuer[CONFIG_TEXT_MAX];
	char audience[CONFIG_TEXT_MAX];
	struct networks xray_networks; /* that may use the X-Ray port */
	uint64_t memory_max_bytes;     /* 0: memory_default */
	struct alarm_definition *alarms;
	size_t alarm_count;
	const char *path; /* the file that was read, borrowed; NULL: none */
	uint64_t segment_bytes_max; /* of a document by HTTP; 0: X-Ray's */
	/* Seconds the window of the series stays open; 0: the default. */
	int64_t series_window_s;
	uint32_t trace_days_default; /* 0: the view's own */
	const struct traces_days *trace_days; /* of accounts that differ */
	size_t trace_day_count;
	struct keep keep;   /* which traces a late decision keeps */
	struct arena arena; /* what alarms and keep point into */
};

/* The defaults of docs/man/tally-collector.8. */
void config_init(struct config *c);
void config_fini(struct config *c);
/* Reads the file over what c holds. diag: what is wrong where. */
int config_read(struct config *c, const struct env *env, const char *path,
		struct diag *diag) MUST_USE;
int config_parse(struct config *c, struct sv text, struct diag *diag) MUST_USE;
/* Twelve digits; a region's name. Also for the command line. */
int config_set_account(struct config *c, struct sv text,
		       struct diag *diag) MUST_USE;
int config_set_region(struct config *c, struct sv text,
		      struct diag *diag) MUST_USE;
int config_set_confine(struct config *c, struct sv text,
		       struct diag *diag) MUST_USE;

#endif
