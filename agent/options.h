/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of tally-agent. */
#ifndef TALLY_AGENT_OPTIONS_H
#define TALLY_AGENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/function.h"
#include "core/client/settings.h"

struct agent_options {
	struct function function; /* not resolved yet */
	const char *code;
	const char *event;
	const char *event_dir;
	uint64_t count;
	unsigned concurrency;
	struct settings_flags settings; /* as they were given */
	const char *spool;              /* NULL: the default */
	uint64_t spool_bytes;
	unsigned flush_timeout_s;
	bool json;
	bool quiet;
};

/* Ends the program itself: --help and --version with 0, mistakes with 2. */
void agent_options_parse(struct agent_options *o, int argc, char **argv);

#endif
