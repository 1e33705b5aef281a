/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/loop.h"

static void show(struct top *top, struct screen *screen, struct cells *cells,
		 const struct env *env)
{
	int columns, rows;

	top->now = (double)env_wall(env).ns / (double)NS_PER_S;
	screen_size(screen, &columns, &rows);
	cells_resize(cells, columns, rows);
	top_draw(top, cells);
	screen_show(screen, cells);
}

void loop_run(struct top *top, struct screen *screen, struct feed *feed,
	      const struct env *env)
{
	struct cells cells;

	if (cells_init(&cells, 1, 1))
		return;
	while (!top->quit) {
		struct delivery d;
		int key;

		feed_take(feed, &d);
		top_take(top, &d);
		delivery_fini(&d);
		show(top, screen, &cells, env);
		key = screen_key(screen, feed_fd(feed), LOOP_TICK_MS);
		if (key == SCREEN_GONE)
			break;
		top_key(top, key);
		feed_ask(feed, &top->question);
		if (top->hurry)
			feed_hurry(feed);
		top->hurry = false;
	}
	cells_fini(&cells);
}
