/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/series/rrd.h"

#include <rrd.h>
#include <stdlib.h>
#include <string.h>

/* The text lives in a buffer that the next call reuses: copied at once. */
static int library_error(struct diag *diag, const char *what)
{
	const char *text = rrd_get_error();
	int e = diag_set(diag, ERR_IO, "%s: %.180s", what,
			 text && *text ? text : "no reason given");

	rrd_clear_error();
	return e;
}

int rrd_file_create(const char *path, unsigned long step_s, int64_t start_s,
		    const char *const *definition, size_t count,
		    struct diag *diag)
{
	rrd_clear_error();
	if (rrd_create_r(path, step_s, (time_t)start_s, (int)count,
			 (const char **)definition))
		return library_error(diag, "create");
	return 0;
}

int rrd_file_update(const char *path, const char **lines, size_t count,
		    struct diag *diag)
{
	if (count == 0)
		return 0;
	rrd_clear_error();
	if (rrd_updatex_r(path, NULL, 0, (int)count, lines))
		return library_error(diag, "update");
	return 0;
}

int rrd_file_fetch(const char *path, const char *cf, int64_t start_s,
		   int64_t end_s, uint32_t step_s, struct rrd_grid *out,
		   struct diag *diag)
{
	/* A row is named by its end: the first one wanted ends at start+step. */
	time_t start = (time_t)start_s, end = (time_t)(end_s - 1);
	unsigned long step = step_s, width = 0;
	rrd_value_t *values = NULL;
	char **names = NULL;
	int e = 0;

	*out = (struct rrd_grid){ 0 };
	rrd_clear_error();
	if (rrd_fetch_r(path, cf, &start, &end, &step, &width, &names, &values))
		return library_error(diag, "fetch");
	if (step != step_s || start != (time_t)start_s || end < (time_t)end_s ||
	    width == 0)
		e = diag_set(diag, ERR_INVALID, "fetch: other step or range");
	for (unsigned long i = 0; i < width; i++)
		rrd_freemem(names[i]);
	rrd_freemem(names);
	if (e) {
		rrd_freemem(values);
		return e;
	}
	out->values = values;
	out->width = width;
	out->rows = (size_t)(end_s - start_s) / step_s;
	return 0;
}

void rrd_grid_fini(struct rrd_grid *g)
{
	if (g->values)
		rrd_freemem(g->values);
	*g = (struct rrd_grid){ 0 };
}
