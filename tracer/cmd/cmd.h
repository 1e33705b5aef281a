/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the questions of tally-trace share. Each asks the collector once or
 * twice, reads the answer with the JSON tape (a trace's documents then go to
 * the same assembly that the collector uses) and builds its text in the program's out.
 */
#ifndef TALLY_TRACER_CMD_CMD_H
#define TALLY_TRACER_CMD_CMD_H

#include "core/client/program.h"
#include "core/client/tape.h"
#include "tracer/assemble.h"
#include "tracer/critical.h"

enum cmd_drawing { CMD_TEXT, CMD_DOT, CMD_SVG, CMD_PNG };

struct cmd {
	struct program program;
	enum cmd_drawing drawing; /* of the map */
	const char *drawing_path;
	const char *function;
	const char *filter; /* an expression; NULL: none */
	const char *other;  /* that compare compares it with */
	bool follow;
	bool otlp;           /* export's form */
	double since, until; /* epoch seconds; 0: not given */
	int64_t limit;
	bool limit_given;
	struct arena arena; /* answers and what is read from them */
};

/* GET path into *root, whose text stays valid with the arena. With --json the
 * body is in the program's out and *root has no doc. Errors are not said yet. */
int cmd_get(struct cmd *c, const char *path, struct json *root,
	    struct diag *diag) MUST_USE;
/* Adds start and end to a query. */
void cmd_query_range(const struct cmd *c, struct buf *path);

/* A member as text: a string unescaped, a number as it is written; else
 * empty. */
struct sv cmd_text(struct cmd *c, struct json object, struct sv key);
double cmd_number(struct json object, struct sv key); /* else 0 */
bool cmd_true(struct json object, struct sv key);
enum term_style cmd_status_style(struct sv status);
/* The line that leads to a row of a tree: bit d of last says that at depth d
 * no sibling follows. */
void cmd_branch(const struct cmd *c, struct buf *out, unsigned depth,
		uint64_t last);
/* A bold line. */
void cmd_title(struct cmd *c, const char *format, ...) PRINTF(2, 3);

/* One a question; the exit status. */
int cmd_show(struct cmd *c, const char *id);
int cmd_export(struct cmd *c, const char *id);
int cmd_compare(struct cmd *c);
int cmd_map(struct cmd *c);
int cmd_list(struct cmd *c);

/* Marks a span on the critical path. */
struct sv cmd_path_mark(const struct cmd *c);

/* Parts of cmd_show: below the waterfall. */
void cmd_show_path(struct cmd *c, const struct assembly *a,
		   const struct critical_span *critical);
void cmd_show_annotations(struct cmd *c, const struct assembly *a);
void cmd_show_exceptions(struct cmd *c, const struct assembly *a);
void cmd_show_logs(struct cmd *c, struct json logs);
void cmd_show_usage(struct cmd *c, struct json usage);
/* Sum of two decimals of at most DECIMAL_MAX digits, exactly; false: one is
 * no such. out has room for DECIMAL_MAX + 4 characters. */
enum { DECIMAL_MAX = 60 };
bool decimal_add(struct sv a, struct sv b, char *out) MUST_USE;

#endif
