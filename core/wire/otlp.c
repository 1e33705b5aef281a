/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/otlp.h"

#include <stdio.h>

uint32_t otlp_refused_sum(const struct otlp_refused *refused)
{
	uint32_t n = 0;

	for (size_t i = OTLP_OK + 1; i < OTLP_REFUSALS; i++)
		n += refused->counts[i];
	return n;
}

void otlp_refused_text(const struct otlp_refused *refused,
		       enum otlp_signal signal, char text[OTLP_MESSAGE_MAX])
{
	static const char *const whys[OTLP_REFUSALS] = {
		[OTLP_TOO_LARGE] = "over 256 KiB",
		[OTLP_TOO_DEEP] = "with attributes nested over 12 deep",
		[OTLP_BAD_TRACE_ID] = "without a valid trace id",
		[OTLP_BAD_SPAN_ID] = "without a valid span id",
		[OTLP_BAD_PARENT_ID] = "with a bad parent span id",
		[OTLP_NO_START] = "without a start time",
		[OTLP_BAD_TIME] = "with a time after 2262",
		[OTLP_TOO_OLD] = "older than 14 days",
		[OTLP_TOO_NEW] = "over 2 hours ahead",
		[OTLP_BAD_NAME] = "with attributes that are no dimensions",
		[OTLP_BAD_VALUE] = "with a value that is not finite",
		[OTLP_CUMULATIVE] = "of cumulative histograms (send deltas)",
		[OTLP_NO_SUM] = "of histograms without sum, min or max",
		[OTLP_QUANTILES] = "of summaries",
		[OTLP_NO_TEMPORALITY] = "without a temporality",
	};
	static const char *const nouns[OTLP_SIGNALS] = {
		[OTLP_TRACES] = "spans",
		[OTLP_METRICS] = "data points",
		[OTLP_LOGS] = "log records",
	};
	uint32_t sum = otlp_refused_sum(refused);
	const char *between = ": ";
	int n = 0;

	text[0] = '\0';
	if (!sum)
		return;
	n = snprintf(text, OTLP_MESSAGE_MAX, "%u %s refused", sum,
		     nouns[signal]);
	for (size_t i = OTLP_OK + 1; i < OTLP_REFUSALS; i++) {
		if (!refused->counts[i] || n >= OTLP_MESSAGE_MAX)
			continue;
		n += snprintf(text + n, OTLP_MESSAGE_MAX - (size_t)n, "%s%u %s",
			      between, refused->counts[i], whys[i]);
		between = ", ";
	}
}
