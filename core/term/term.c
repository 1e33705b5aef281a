/* SPDX-License-Identifier: Apache-2.0 */
#include "core/term/term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int clamp(int64_t width)
{
	if (width < TERM_WIDTH_MIN)
		return TERM_WIDTH_MIN;
	return width > TERM_WIDTH_MAX ? TERM_WIDTH_MAX : (int)width;
}

static int width_of(int fd, bool is_tty)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t n;

	if (is_tty && !ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		return clamp(size.ws_col);
	if (columns && sv_to_u64(sv_from(columns), &n) && n > 0)
		return clamp(n > TERM_WIDTH_MAX ? TERM_WIDTH_MAX : (int64_t)n);
	return TERM_WIDTH_DEFAULT;
}

static bool colour_wanted(bool is_tty, enum term_when when)
{
	const char *no = getenv("NO_COLOR"); /* no-color.org: when not empty */
	const char *kind = getenv("TERM");

	if (when != TERM_AUTO)
		return when == TERM_ALWAYS;
	return is_tty && !(no && *no) && kind && *kind && strcmp(kind, "dumb");
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

void term_open(struct term *t, int fd, enum term_when colour)
{
	if (!setlocale(LC_CTYPE, "") ||
	    (!is_set("LC_ALL") && !is_set("LC_CTYPE") && !is_set("LANG")))
		setlocale(LC_CTYPE, "C.UTF-8");
	t->is_tty = isatty(fd) == 1;
	t->colour = colour_wanted(t->is_tty, colour);
	t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	t->width = width_of(fd, t->is_tty);
}

bool term_when_parse(const char *word, enum term_when *out)
{
	static const struct {
		const char *word;
		enum term_when when;
	} words[] = {
		{ "auto", TERM_AUTO },  { "always", TERM_ALWAYS },
		{ "yes", TERM_ALWAYS }, { "never", TERM_NEVER },
		{ "no", TERM_NEVER },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i].word)) {
			*out = words[i].when;
			return true;
		}
	return false;
}

const char *term_style(const struct term *t, enum term_style style)
{
	static const char *const codes[TERM_STYLES] = {
		[TERM_PLAIN] = "\033[0m",  [TERM_BOLD] = "\033[1m",
		[TERM_DIM] = "\033[2m",    [TERM_RED] = "\033[31m",
		[TERM_GREEN] = "\033[32m", [TERM_YELLOW] = "\033[33m",
		[TERM_BLUE] = "\033[34m",  [TERM_CYAN] = "\033[36m",
	};

	return t->colour ? codes[style] : "";
}

void term_styled(const struct term *t, struct buf *out, enum term_style style,
		 struct sv text)
{
	if (style == TERM_PLAIN) {
		term_safe(out, text);
		return;
	}
	buf_text(out, term_style(t, style));
	term_safe(out, text);
	buf_text(out, term_style(t, TERM_PLAIN));
}
