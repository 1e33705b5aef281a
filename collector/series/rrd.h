/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only door to librrd: create, update, fetch, by path, in whole seconds.
 * One thread alone may come in (the feeder's), because the library's errors
 * and its locale are the thread's, and its writes block. It writes without a
 * sync and is not crash-safe; the feeder knows.
 */
#ifndef TALLY_COLLECTOR_SERIES_RRD_H
#define TALLY_COLLECTOR_SERIES_RRD_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

/* ERR_IO with the library's text in diag. */
int rrd_file_create(const char *path, unsigned long step_s, int64_t start_s,
		    const char *const *definition, size_t count,
		    struct diag *diag) MUST_USE;
int rrd_file_update(const char *path, const char **lines, size_t count,
		    struct diag *diag) MUST_USE;

struct rrd_grid {
	double *values; /* rows of `width`; NaN: unknown */
	size_t width, rows;
};

/* Exactly the steps between start_s and end_s, multiples of step_s. ERR_IO;
 * ERR_INVALID: the file has no such step for that range. */
int rrd_file_fetch(const char *path, const char *cf, int64_t start_s,
		   int64_t end_s, uint32_t step_s, struct rrd_grid *out,
		   struct diag *diag) MUST_USE;
void rrd_grid_fini(struct rrd_grid *g);

#endif
