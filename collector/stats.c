/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/stats.h"

#include <string.h>

/* Source: Prometheus text exposition format, version 0.0.4: HELP and TYPE
 * once per metric, before its samples. */
static void add_counter(struct buf *out, const char **last, const char *metric,
			const char *labels, const char *help, uint64_t value)
{
	if (!*last || strcmp(*last, metric))
		buf_format(out, "# HELP %s %s\n# TYPE %s counter\n", metric,
			   help, metric);
	*last = metric;
	if (labels[0])
		buf_format(out, "%s{%s} ", metric, labels);
	else
		buf_format(out, "%s ", metric);
	buf_u64(out, value);
	buf_char(out, '\n');
}

void stats_prometheus(const struct stats *s, struct buf *out)
{
	const char *last = NULL;

#define COUNTER(id, metric, labels, help) \
	add_counter(out, &last, metric, labels, help, stats_get(&s->id));
#include "collector/stats.def"
#undef COUNTER
}

void stats_each(const struct stats *s,
		void (*each)(void *arg, const char *id, uint64_t value),
		void *arg)
{
#define COUNTER(id, metric, labels, help) each(arg, #id, stats_get(&s->id));
#include "collector/stats.def"
#undef COUNTER
}
