/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal and nothing else, to be killed.
 *
 *   journal_writer DIR append FIRST   appends frames FIRST, FIRST+1, ... and
 *                                     writes each number to stdout once it is
 *                                     acknowledged; ends only by a signal
 *   journal_writer DIR read           writes the number of each frame that is
 *                                     there; damage to stderr
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/store/journal.h"

enum { BODY = 700 };

static void on_done(void *arg, int err, uint64_t position, uint64_t next)
{
	char line[32];
	int n;

	(void)position;
	(void)next;
	if (err < 0)
		return;
	/* One write a number: what is in the pipe survives the kill. */
	n = snprintf(line, sizeof(line), "%" PRIu64 "\n",
		     (uint64_t)(uintptr_t)arg);
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(1);
}

static int append_all(struct journal *j, uint64_t number)
{
	for (;;) {
		char body[BODY] = { 0 };
		struct frame f = {
			.protocol = PROTOCOL_NATIVE,
			.body = { body, 8 + number % (BODY - 8) },
		};
		struct journal_stats stats;
		int e;

		put_le64((uint8_t *)body, number);
		e = journal_append(j, &f, on_done, (void *)(uintptr_t)number);
		if (e < 0 && e != ERR_BUSY)
			return 1;
		number += e == 0;
		/* A few at a time. */
		do
			journal_stats(j, &stats);
		while (stats.waiting_frames > 8 && usleep(20) == 0);
	}
}

static int read_all(struct journal *j)
{
	struct journal_reader *r;
	struct journal_stats stats;
	struct frame f;
	bool gap;
	int e = journal_reader_open(&r, j, 0);

	if (e < 0)
		return 1;
	while ((e = journal_reader_next(r, &f, &gap)) == 1)
		printf("%" PRIu64 "\n", get_le64((const uint8_t *)f.body.ptr));
	journal_reader_close(r);
	journal_stats(j, &stats);
	fprintf(stderr, "damaged %" PRIu64 "\n", stats.damaged_frames);
	return e < 0;
}

int main(int argc, char **argv)
{
	/* Small files, so that their beginnings and ends are hit too. */
	struct journal_options options = { .file_bytes = 64 << 10 };
	struct journal *j;
	struct diag diag;
	uint64_t first = 1;
	int status;

	if (argc < 3 || (argc > 3 && !sv_to_u64(sv_from(argv[3]), &first)))
		return 2;
	if (journal_open(&j, env_posix(), argv[1], &options, &diag) < 0) {
		fprintf(stderr, "journal_writer: %s\n", diag.text);
		return 1;
	}
	status = strcmp(argv[2], "append") ? read_all(j) : append_all(j, first);
	journal_close(j);
	return status;
}
