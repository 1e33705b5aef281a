/* SPDX-License-Identifier: Apache-2.0 */
/* tally-trace map --dot, --svg, --png: the map in Graphviz's language, and the
 * pictures that its `dot` makes of it, which is a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/codec/dot_write.h"
#include "tracer/cmd/map.h"

extern char **environ;

/* --- the text ------------------------------------------------------------------ */

/* The worst of what happened to more than one call in a hundred. */
static const char *colour(struct json counted)
{
	double few = cmd_number(counted, SV("total")) / 100;

	if (cmd_number(counted, SV("fault")) > few)
		return "#c62828";
	if (cmd_number(counted, SV("throttle")) > few)
		return "#8e24aa";
	if (cmd_number(counted, SV("error")) > few)
		return "#ef8c00";
	return cmd_number(counted, SV("total")) > 0 ? "#2e7d32" : "#757575";
}

/* A line of a label: how many calls, how long, how many failed. */
static void put_numbers(struct map *m, struct buf *out, struct json counted)
{
	static const struct {
		struct sv key;
		const char *name;
	} bad[] = { { SV_INIT("error"), "error" },
		    { SV_INIT("throttle"), "throttle" },
		    { SV_INIT("fault"), "fault" } };

	term_count(out, cmd_number(counted, SV("total")));
	buf_text(out, " \u00d7 ");
	term_seconds(out, map_mean(counted));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (cmd_number(counted, bad[i].key) <= 0)
			continue;
		buf_text(out, ", ");
		dot_put_text(out, cmd_text(m->c, counted, bad[i].key));
		buf_char(out, ' ');
		buf_text(out, bad[i].name);
	}
}

static void put_node(struct map *m, struct buf *out, uint32_t i)
{
	struct json n = m->nodes[i];
	struct sv type = cmd_text(m->c, n, SV("type"));
	bool client = sv_eq(type, SV("client"));

	buf_format(out, "  n%u [label=\"", (unsigned)i);
	dot_put_text(out, cmd_text(m->c, n, SV("name")));
	if (type.len) {
		buf_text(out, "\\n");
		dot_put_text(out, type);
	}
	if (!client && cmd_number(n, SV("total")) > 0) {
		buf_text(out, "\\n");
		put_numbers(m, out, n);
	}
	buf_format(out, "\", color=\"%s\"%s%s];\n", colour(n),
		   client ? ", shape=plaintext" : "",
		   cmd_true(n, SV("inferred")) ? ", style=\"rounded,dashed\"" :
						 "");
}

static void put_edge(struct map *m, struct buf *out, uint32_t i)
{
	struct json e = m->edges[i];

	if (m->from[i] == UINT32_MAX || m->to[i] == UINT32_MAX)
		return;
	buf_format(out, "  n%u -> n%u [label=\"", (unsigned)m->from[i],
		   (unsigned)m->to[i]);
	if (cmd_number(e, SV("total")) > 0)
		put_numbers(m, out, e);
	buf_format(out, "\", color=\"%s\"%s];\n", colour(e),
		   sv_eq(cmd_text(m->c, e, SV("type")), SV("link")) ?
			   ", style=dashed" :
			   "");
}

static void put_graph(struct map *m, struct buf *out)
{
	buf_text(out,
		 "digraph \"service map\" {\n"
		 "  rankdir=LR;\n"
		 "  node [shape=box, style=rounded, fontname=\"sans-serif\", "
		 "fontsize=11];\n"
		 "  edge [fontname=\"sans-serif\", fontsize=9];\n");
	for (uint32_t i = 0; i < m->node_count; i++)
		put_node(m, out, i);
	for (uint32_t i = 0; i < m->edge_count; i++)
		put_edge(m, out, i);
	buf_text(out, "}\n");
}

/* --- the picture --------------------------------------------------------------- */

/* Starts `dot` with in as its input and out as its output. 0, or errno. */
static int start_dot(const char *format, int in, int out, pid_t *pid)
{
	char option[8] = "-T";
	char *argv[] = { "dot", option, NULL };
	posix_spawn_file_actions_t actions;
	int e = posix_spawn_file_actions_init(&actions);

	memcpy(option + 2, format, 4);
	if (e)
		return e;
	e = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!e)
		e = posix_spawn_file_actions_adddup2(&actions, out,
						     STDOUT_FILENO);
	if (!e)
		e = posix_spawnp(pid, "dot", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return e;
}

static bool write_all(int fd, struct sv text)
{
	while (text.len) {
		ssize_t n = write(fd, text.ptr, text.len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			text = sv_make(text.ptr + n, text.len - (size_t)n);
	}
	return true;
}

/* text through `dot`, to the descriptor out. 0, or a diag. */
static int run_dot(struct sv text, const char *format, int out,
		   struct diag *diag)
{
	int ends[2], status = 0, e;
	bool written;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return diag_set(diag, ERR_IO, "%s", strerror(errno));
	e = start_dot(format, ends[0], out, &pid);
	close(ends[0]);
	if (e) {
		close(ends[1]);
		return diag_set(diag, ERR_IO,
				"cannot run Graphviz's `dot`: %s; install it, "
				"or print the map with --dot",
				strerror(e));
	}
	signal(SIGPIPE, SIG_IGN); /* it says itself why it ended */
	written = write_all(ends[1], text);
	close(ends[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!written || !WIFEXITED(status) || WEXITSTATUS(status))
		return diag_set(diag, ERR_IO, "`dot` failed");
	return 0;
}

static int draw_file(struct sv text, const char *format, const char *path,
		     struct diag *diag)
{
	int fd = STDOUT_FILENO, e;

	if (strcmp(path, "-") != 0)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
	e = run_dot(text, format, fd, diag);
	if (fd != STDOUT_FILENO && close(fd) && !e)
		e = diag_set(diag, ERR_IO, "%s: %s", path, strerror(errno));
	return e;
}

int map_draw(struct map *m, enum cmd_drawing drawing, const char *path)
{
	struct buf text = { .limit = PROGRAM_OUT_MAX };
	struct diag diag = { 0 };
	int e = 0;

	put_graph(m, &text);
	if (text.failed)
		e = diag_set(&diag, ERR_NOMEM, "the map is too large to draw");
	else if (drawing == CMD_DOT)
		buf_sv(&m->c->program.out, buf_view(&text));
	else
		e = draw_file(buf_view(&text),
			      drawing == CMD_SVG ? "svg" : "png", path, &diag);
	buf_fini(&text);
	return e ? program_fail(&m->c->program, &diag) : PROGRAM_OK;
}
