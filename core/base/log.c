/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/base/text.h"

static void add_escaped(char *line, size_t *len, size_t cap, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*len + 8 > cap)
			return;
		if (*p == '"' || *p == '\\') {
			line[(*len)++] = '\\';
			line[(*len)++] = (char)*p;
		} else if (*p < 0x20 || *p >= 0x7f) {
			*len += (size_t)snprintf(line + *len, cap - *len,
						 "\\u%04x", *p);
		} else {
			line[(*len)++] = (char)*p;
		}
	}
}

void log_line(enum log_level level, const char *part, const char *format, ...)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char text[LOG_LINE_MAX / 2];
	char line[LOG_LINE_MAX];
	struct timespec now;
	struct tm tm;
	size_t len;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = (size_t)snprintf(
		line, sizeof(line),
		"{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\","
		"\"level\":\"%s\",\"part\":\"%s\",\"message\":\"",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000, names[level],
		part);
	add_escaped(line, &len, sizeof(line) - 4, text);
	memcpy(line + len, "\"}\n", 3);
	len += 3;
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody is left to be told */
}
