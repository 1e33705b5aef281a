/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Screen: the one file that knows curses. Cells go in, keys come out. It waits
 * for a key and for the feed at once, so that both are seen at once. What
 * reaches the terminal comes from cells alone, and cells hold nothing that
 * steers one.
 */
#ifndef TALLY_TUI_SCREEN_H
#define TALLY_TUI_SCREEN_H

#include "tui/cells.h"

/* Keys: a character below 0x80, or one of these. */
enum screen_key {
	SCREEN_NOTHING = 0x100, /* time is up, or the feed has something */
	SCREEN_RESIZE,
	SCREEN_GONE, /* the terminal hung up */
	SCREEN_UP,
	SCREEN_DOWN,
	SCREEN_LEFT,
	SCREEN_RIGHT,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
	SCREEN_END,
	SCREEN_ENTER,
	SCREEN_ESCAPE,
	SCREEN_BACKSPACE,
	SCREEN_OTHER, /* a key that nothing here knows */
};

struct screen;

/* Takes over standard output's terminal. ERR_INVALID: it is none, or $TERM is
 * unknown. screen_close gives it back as it was. */
int screen_open(struct screen **out, bool colour, struct diag *diag) MUST_USE;
void screen_close(struct screen *s);
void screen_size(const struct screen *s, int *columns, int *rows);
void screen_show(struct screen *s, const struct cells *cells);
/* The next key, at the latest after timeout_ms, at once when fd is readable
 * (-1: no such). */
int screen_key(struct screen *s, int fd, int timeout_ms);

#endif
