/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log: one JSON object a line on stderr, written by one write() so that lines
 * of threads do not mix:
 *   {"time":"2026-11-22T09:00:00.123Z","level":"warn","part":"journal",
 *    "message":"..."}
 * Untrusted bytes in the message are escaped. A line is cut at LOG_LINE_MAX.
 */
#ifndef TALLY_CORE_BASE_LOG_H
#define TALLY_CORE_BASE_LOG_H

#include "core/base/err.h"

enum { LOG_LINE_MAX = 2048 };
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_line(enum log_level level, const char *part, const char *format, ...)
	PRINTF(3, 4);
#define log_info(part, ...) log_line(LOG_INFO, part, __VA_ARGS__)
#define log_warn(part, ...) log_line(LOG_WARN, part, __VA_ARGS__)
#define log_error(part, ...) log_line(LOG_ERROR, part, __VA_ARGS__)

#endif
