/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <ncurses.h>

enum { ESCAPE_DELAY_MS = 50 };

struct screen {
	SCREEN *curses;
	bool colour;
};

static void start_colours(struct screen *s, bool colour)
{
	static const short colours[TERM_STYLES] = {
		[TERM_RED] = COLOR_RED,       [TERM_GREEN] = COLOR_GREEN,
		[TERM_YELLOW] = COLOR_YELLOW, [TERM_BLUE] = COLOR_BLUE,
		[TERM_CYAN] = COLOR_CYAN,
	};

	s->colour = colour && has_colors() && start_color() == OK &&
		    use_default_colors() == OK;
	for (short i = TERM_RED; s->colour && i < TERM_STYLES; i++)
		init_pair(i, colours[i], -1);
}

int screen_open(struct screen **out, bool colour, struct diag *diag)
{
	struct screen *s;
	const char *kind = getenv("TERM");

	*out = NULL;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return diag_set(diag, ERR_INVALID,
				"the dashboard needs a terminal; use --once "
				"to print it");
	s = calloc(1, sizeof(*s));
	if (!s)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	s->curses = newterm(NULL, stdout, stdin);
	if (!s->curses) {
		free(s);
		return diag_set(diag, ERR_INVALID,
				"the terminal \"%.40s\" is unknown; set TERM, "
				"or use --once",
				kind ? kind : "");
	}
	set_term(s->curses);
	set_escdelay(ESCAPE_DELAY_MS);
	raw(); /* ctrl-C is a key, so that the terminal is given back */
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	start_colours(s, colour);
	*out = s;
	return 0;
}

void screen_close(struct screen *s)
{
	if (!s)
		return;
	endwin();
	delscreen(s->curses);
	free(s);
}

void screen_size(const struct screen *s, int *columns, int *rows)
{
	(void)s;
	*columns = COLS;
	*rows = LINES;
}

static void set_style(const struct screen *s, unsigned style)
{
	unsigned colour = style & CELL_COLOUR;
	attr_t a = A_NORMAL;

	if (style & CELL_BOLD || colour == TERM_BOLD)
		a |= A_BOLD;
	if (style & CELL_DIM || colour == TERM_DIM)
		a |= A_DIM;
	if (style & CELL_REVERSE)
		a |= A_REVERSE;
	attr_set(a, s->colour && colour >= TERM_RED ? (short)colour : 0, NULL);
}

void screen_show(struct screen *s, const struct cells *cells)
{
	int columns = cells->columns < COLS ? cells->columns : COLS;
	int rows = cells->rows < LINES ? cells->rows : LINES;

	erase();
	for (int y = 0; y < rows; y++)
		for (int x = 0; x < columns; x++) {
			const struct cell *cell = cells_at(cells, x, y);

			if (cell->width == 0 || x + cell->width > columns)
				continue;
			set_style(s, cell->style);
			/* ERR in the last cell: it is written all the same. */
			(void)mvaddstr(y, x, cell->bytes);
		}
	set_style(s, TERM_PLAIN);
	refresh();
}

static int translate(int key)
{
	switch (key) {
	case KEY_RESIZE:
		return SCREEN_RESIZE;
	case KEY_UP:
		return SCREEN_UP;
	case KEY_DOWN:
		return SCREEN_DOWN;
	case KEY_LEFT:
		return SCREEN_LEFT;
	case KEY_RIGHT:
		return SCREEN_RIGHT;
	case KEY_PPAGE:
		return SCREEN_PAGE_UP;
	case KEY_NPAGE:
		return SCREEN_PAGE_DOWN;
	case KEY_HOME:
		return SCREEN_HOME;
	case KEY_END:
		return SCREEN_END;
	case KEY_ENTER:
	case '\r':
	case '\n':
		return SCREEN_ENTER;
	case KEY_BACKSPACE:
	case 0x08:
	case 0x7F:
		return SCREEN_BACKSPACE;
	case 0x1B:
		return SCREEN_ESCAPE;
	case 0x03: /* ctrl-C */
		return 'q';
	default:
		return key >= ' ' && key < 0x7F ? key : SCREEN_OTHER;
	}
}

int screen_key(struct screen *s, int fd, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	int key = getch(); /* what curses holds already, a resize too */

	(void)s;
	if (key != ERR)
		return translate(key);
	if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
		return SCREEN_GONE;
	key = getch();
	if (key != ERR)
		return translate(key);
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return SCREEN_GONE;
	return SCREEN_NOTHING;
}
