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

void stats_copy(const struct stats *s, uint64_t out[STATS_COUNT])
{
	size_t i = 0;

#define COUNTER(id, metric, labels, help) out[i++] = stats_get(&s->id);
#include "collector/stats.def"
#undef COUNTER
}

/* What is between the quotes of name="value". */
static struct sv label_value(const char *labels)
{
	struct sv rest = sv_from(labels);

	(void)sv_cut(&rest, '"');
	return rest.ptr ? sv_cut(&rest, '"') : SV("");
}

void stats_each_of(const char *metric,
		   void (*each)(void *arg, size_t i, struct sv label),
		   void *arg)
{
	static const struct {
		const char *metric, *labels;
	} rows[STATS_COUNT] = {
#define COUNTER(id, metric, labels, help) { metric, labels },
#include "collector/stats.def"
#undef COUNTER
	};

	for (size_t i = 0; i < STATS_COUNT; i++)
		if (!strcmp(rows[i].metric, metric))
			each(arg, i, label_value(rows[i].labels));
}
