/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/memory.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "billing/ledger.h"
#include "collector/apply.h"
#include "collector/door/grpc.h"
#include "collector/logs/logs.h"
#include "collector/series/series.h"
#include "tracer/traces.h"

/* What one of each costs, all that belongs to it (measured, rounded up). */
enum {
	SERIES_BYTES = 768,
	ROW_BYTES = 192,
	SUM_BYTES = 96,
	ENTRY_BYTES = 112, /* of the open segment */
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void memory_plan(struct memory_plan *out, uint64_t max_bytes)
{
	uint64_t share = max_bytes / 64;
	uint64_t work, load, series, ledger;

	assert(max_bytes >= MEMORY_MIN && max_bytes <= MEMORY_MAX);
	work = least(12 * share, 256 << 20) / HTTP_THREADS;
	load = least(16 * share, 2 * (uint64_t)APPLY_LIVE_BYTES);
	series = 6 * share;
	ledger = 4 * share;
	*out = (struct memory_plan){
		.max_bytes = max_bytes,
		.connections_max = (uint32_t)least(
			5 * share / 8 * 7 / HTTP_CONNECTION_BYTES,
			HTTP_CONNECTIONS_MAX),
		.grpc_connections_max =
			(uint32_t)least(5 * share / 8 / GRPC_CONNECTION_BYTES,
					GRPC_CONNECTIONS_MAX),
		.load_bytes = (size_t)load,
		.request_bytes = (size_t)work,
		/* An answer grows by doubling, and what it is made of is
		 * there as long. */
		.answer_bytes = (size_t)least(work / 4, LOGS_ANSWER_BYTES),
		.reply_bytes = (size_t)least(work / 3, HTTP_REPLY_MAX),
		.traces_head_bytes =
			(size_t)least(5 * share, TRACES_HEAD_BYTES),
		.logs_head_bytes = (size_t)least(5 * share, LOGS_HEAD_BYTES),
		.series_max =
			(size_t)least(series / 2 / SERIES_BYTES, SERIES_MAX),
		.rows_max =
			(size_t)least(series / 2 / ROW_BYTES, SERIES_ROWS_MAX),
		.ledger_filter_bytes =
			(size_t)least(ledger / 4, LEDGER_FILTER_BYTES_MAX),
		/* of days, and as many of hours */
		.ledger_sums_max =
			(size_t)least(ledger / 8 / SUM_BYTES, LEDGER_SUMS_MAX),
		.ledger_segment_entries = (size_t)least(
			ledger / 2 / ENTRY_BYTES, LEDGER_SEGMENT_ENTRIES),
		.ledger_inflight_max = (size_t)least(load / APPLY_USAGE_BYTES,
						     LEDGER_INFLIGHT_MAX),
	};
}

/* --- what there is ---------------------------------------------------------------- */

/* The number at the file's begin, or right behind `behind`; 0: none ("max"). */
static uint64_t number_of(const char *path, const char *behind)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *p = text;
	uint64_t v = 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (behind) {
		p = strstr(text, behind);
		p = p ? p + strlen(behind) : "";
	}
	p += strspn(p, " \t");
	if (!sv_to_u64(sv_make(p, strspn(p, "0123456789")), &v))
		v = 0;
	return v;
}

/* Least of the limits from the process's group up; 0: none. hierarchy: ":" or
 * ":memory:", as /proc/self/cgroup names it. */
static uint64_t group_limit(const char *hierarchy, const char *mount,
			    const char *file)
{
	char text[4096], path[4096 + 128];
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	uint64_t limit = 0;
	char *group, *end;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	group = strstr(text, hierarchy);
	if (!group)
		return 0;
	group += strlen(hierarchy);
	group[strcspn(group, "\n")] = '\0';
	for (;;) {
		uint64_t v;

		snprintf(path, sizeof(path), "%s%s/%s", mount, group, file);
		v = number_of(path, NULL);
		if (v && (!limit || v < limit))
			limit = v;
		end = strrchr(group, '/');
		if (!end)
			return limit;
		*end = '\0';
	}
}

uint64_t memory_default(void)
{
	uint64_t max = number_of("/proc/meminfo", "MemTotal:") * 1024 / 2;
	uint64_t limits[] = {
		group_limit("::", "/sys/fs/cgroup", "memory.max"),
		group_limit(":memory:", "/sys/fs/cgroup/memory",
			    "memory.limit_in_bytes"),
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i] && limits[i] / 4 * 3 < max)
			max = limits[i] / 4 * 3;
	return max < MEMORY_MIN ? MEMORY_MIN : least(max, MEMORY_MAX);
}

int memory_parse(struct sv text, uint64_t *out, struct diag *diag)
{
	static const char units[] = "KMGT";
	struct sv digits = text;
	unsigned shift = 0;
	uint64_t v = 0;

	if (text.len && strchr(units, text.ptr[text.len - 1])) {
		const char *unit = strchr(units, text.ptr[text.len - 1]);

		shift = 10 * (unsigned)(unit - units + 1);
		digits.len--;
	}
	if (!sv_to_u64(digits, &v) || v > MEMORY_MAX >> shift ||
	    v << shift < MEMORY_MIN)
		return diag_set(diag, ERR_INVALID,
				"memory '%.*s' is not a size from 128M to "
				"1024G, such as 256M",
				SV_ARG(text));
	*out = v << shift;
	return 0;
}
