/* SPDX-License-Identifier: Apache-2.0 */
/* Below the waterfall: whose time the critical path is. */
#include "tracer/cmd/cmd.h"

enum { NAMES_MAX = 5 };

struct share {
	struct sv name;
	int64_t ns;
};

struct sv cmd_path_mark(const struct cmd *c)
{
	return c->program.term.utf8 ? SV("\u2022") : SV("*");
}

static int by_name(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return sv_cmp(x->name, y->name);
}

static int by_time(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return sv_cmp(x->name, y->name);
}

/* One a name, the largest first; returns how many. */
static size_t add_up(struct share *shares, size_t count)
{
	size_t n = 0;

	qsort(shares, count, sizeof(*shares), by_name);
	for (size_t i = 0; i < count; i++) {
		if (n && sv_eq(shares[n - 1].name, shares[i].name))
			shares[n - 1].ns += shares[i].ns;
		else
			shares[n++] = shares[i];
	}
	qsort(shares, n, sizeof(*shares), by_time);
	return n;
}

static void put_shares(struct cmd *c, const struct share *shares, size_t count,
		       int64_t total_ns)
{
	struct buf *out = &c->program.out;

	buf_text(out, "\nCritical path (");
	buf_sv(out, cmd_path_mark(c));
	buf_text(out, ")\n");
	for (size_t i = 0; i < count && i < NAMES_MAX; i++) {
		struct buf time = BUF_INIT;

		term_seconds(&time, (double)shares[i].ns / 1e9);
		buf_format(out, "  %8s %4.0f %%  ", time.ptr,
			   100.0 * (double)shares[i].ns / (double)total_ns);
		(void)term_safe_cut(out, shares[i].name,
				    c->program.term.width - 18);
		buf_char(out, '\n');
		buf_fini(&time);
	}
	if (count > NAMES_MAX)
		buf_format(out, "  and %zu more\n", count - NAMES_MAX);
}

void cmd_show_path(struct cmd *c, const struct assembly *a,
		   const struct critical_span *critical)
{
	struct share *shares =
		arena_array(&c->arena, a->count, sizeof(*shares));
	int64_t total_ns = 0;
	size_t count = 0;

	for (uint32_t i = 0; shares && i < a->count; i++) {
		if (critical[i].path_ns <= 0)
			continue;
		total_ns += critical[i].path_ns;
		shares[count++] = (struct share){ a->spans[i].segment.name,
						  critical[i].path_ns };
	}
	/* Of one span it says nothing that the row did not. */
	if (count > 1)
		put_shares(c, shares, add_up(shares, count), total_ns);
}
