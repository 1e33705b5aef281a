/* SPDX-License-Identifier: Apache-2.0 */
/* Below the waterfall: the log lines, and the cost with its inputs. Money and
 * quantities stay the decimal texts they came as; nothing is rounded. */
#include "tracer/cmd/cmd.h"

/* --- log lines ---------------------------------------------------------------- */

void cmd_show_logs(struct cmd *c, struct json logs)
{
	struct buf *out = &c->program.out;
	struct sv group = SV("");
	struct json it = json_first(logs);

	if (!it.doc)
		return;
	for (; it.doc; it = json_next(logs, it)) {
		struct sv now = cmd_text(c, it, SV("group"));

		if (!sv_eq(now, group)) {
			buf_text(out, "\nLogs ");
			term_styled(&c->program.term, out, TERM_BOLD, now);
			buf_char(out, '\n');
			group = now;
		}
		buf_text(out, term_style(&c->program.term, TERM_DIM));
		term_time(out, cmd_number(it, SV("time")), true);
		buf_text(out, term_style(&c->program.term, TERM_PLAIN));
		term_message(out, cmd_text(c, it, SV("message")));
	}
}

/* --- cost --------------------------------------------------------------------- */

/* Digits before and behind the point; false: not a plain decimal. */
static bool split(struct sv text, struct sv *whole, struct sv *part)
{
	*part = text;
	*whole = sv_cut(part, '.');
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '.' &&
		    (text.ptr[i] < '0' || text.ptr[i] > '9'))
			return false;
	return text.len <= DECIMAL_MAX && whole->len > 0 &&
	       !(part->ptr && memchr(part->ptr, '.', part->len));
}

static int digit(struct sv s, size_t at)
{
	return at < s.len ? s.ptr[at] - '0' : 0;
}

/* Digit at place `at` left of the point, counted from it. */
static int digit_left(struct sv s, size_t at)
{
	return at < s.len ? s.ptr[s.len - 1 - at] - '0' : 0;
}

bool decimal_add(struct sv a, struct sv b, char *out)
{
	struct sv wa, pa, wb, pb;
	char digits[2 * DECIMAL_MAX + 2]; /* the last digit first */
	size_t count = 0, places, wholes;
	int carry = 0;

	if (!split(a, &wa, &pa) || !split(b, &wb, &pb))
		return false;
	places = pa.len > pb.len ? pa.len : pb.len;
	wholes = wa.len > wb.len ? wa.len : wb.len;
	if (places + wholes > DECIMAL_MAX)
		return false;
	for (size_t i = places; i > 0; i--) {
		carry += digit(pa, i - 1) + digit(pb, i - 1);
		digits[count++] = (char)('0' + carry % 10);
		carry /= 10;
	}
	for (size_t i = 0; i < wholes; i++) {
		carry += digit_left(wa, i) + digit_left(wb, i);
		digits[count++] = (char)('0' + carry % 10);
		carry /= 10;
	}
	if (carry)
		digits[count++] = (char)('0' + carry);
	for (size_t i = count; i > 0; i--) {
		*out++ = digits[i - 1];
		if (i - 1 == places && places)
			*out++ = '.';
	}
	*out = '\0';
	return true;
}

static void show_inputs(struct cmd *c, struct json u)
{
	struct buf *out = &c->program.out;
	struct sv status = cmd_text(c, u, SV("status"));

	buf_text(out, "  ");
	term_styled(&c->program.term, out, TERM_BOLD,
		    cmd_text(c, u, SV("function")));
	buf_text(out, ", request ");
	term_safe(out, cmd_text(c, u, SV("id")));
	buf_text(out, "\n  ");
	term_safe(out, cmd_text(c, u, SV("memory_mb")));
	buf_text(out, " MB (");
	term_safe(out, cmd_text(c, u, SV("max_memory_mb")));
	buf_text(out, " MB used), billed ");
	term_safe(out, cmd_text(c, u, SV("billed_ms")));
	buf_text(out, " ms (ran ");
	term_safe(out, cmd_text(c, u, SV("duration_ms")));
	buf_text(out, " ms, init ");
	term_safe(out, cmd_text(c, u, SV("init_ms")));
	buf_text(out, " ms), ");
	term_safe(out, cmd_text(c, u, SV("architecture")));
	buf_text(out, ", ");
	term_safe(out, cmd_text(c, u, SV("region")));
	buf_text(out, ", ");
	term_styled(&c->program.term, out, cmd_status_style(status), status);
	buf_char(out, '\n');
}

static void show_items(struct cmd *c, struct json items)
{
	static const struct term_column columns[] = {
		{ .title = "  USAGE TYPE" },
		{ .title = "QUANTITY", .align = TERM_RIGHT },
		{ .title = "UNIT" },
		{ .title = "RATE", .align = TERM_RIGHT },
		{ .title = "PER", .align = TERM_RIGHT },
		{ .title = "COST", .align = TERM_RIGHT },
	};
	static const struct sv keys[] = {
		{ "usage_type", 10 }, { "quantity", 8 }, { "unit", 4 },
		{ "rate", 4 },        { "per", 3 },      { "cost", 4 },
	};
	struct term_table *table = term_table_new(columns, 6);
	struct json it;

	if (!table)
		return;
	for (it = json_first(items); it.doc; it = json_next(items, it))
		for (size_t i = 0; i < 6; i++) {
			struct sv text = cmd_text(c, it, keys[i]);

			term_cellf(table, TERM_PLAIN, "%s%.*s", i ? "" : "  ",
				   SV_ARG(text));
		}
	if (!term_table_print(&c->program.term, table, &c->program.out))
		buf_text(&c->program.out, "  (not all can be shown)\n");
	term_table_free(table);
}

static void show_one(struct cmd *c, struct json u)
{
	struct buf *out = &c->program.out;
	struct json cost = json_get(u, SV("cost"));
	struct sv note = cmd_text(c, cost, SV("note"));

	if (!note.len)
		note = cmd_text(c, u, SV("note"));
	show_inputs(c, u);
	show_items(c, json_get(cost, SV("items")));
	buf_text(out, "  total ");
	term_styled(&c->program.term, out, TERM_BOLD,
		    cmd_text(c, cost, SV("total")));
	buf_char(out, ' ');
	term_safe(out, cmd_text(c, cost, SV("currency")));
	if (note.len) {
		buf_text(out, ", ");
		term_safe(out, note);
	}
	buf_char(out, '\n');
}

/* usage is a list, or one record. */
void cmd_show_usage(struct cmd *c, struct json usage)
{
	struct buf *out = &c->program.out;
	char sums[2][DECIMAL_MAX + 4] = { "0", "" };
	bool exact = true;
	size_t count = 0;
	struct json it;

	if (json_is(usage, JSON_OBJECT)) {
		buf_text(out, "\nCost\n");
		show_one(c, usage);
		return;
	}
	for (it = json_first(usage); it.doc; it = json_next(usage, it)) {
		struct sv total =
			cmd_text(c, json_get(it, SV("cost")), SV("total"));

		if (count++ == 0)
			buf_text(out, "\nCost\n");
		else
			buf_char(out, '\n');
		show_one(c, it);
		exact = exact && decimal_add(sv_from(sums[0]), total, sums[1]);
		if (exact)
			memcpy(sums[0], sums[1], sizeof(sums[0]));
	}
	if (count == 0)
		buf_text(out, "\nCost: no usage record has come for this "
			      "request\n");
	if (count > 1 && exact) {
		buf_char(out, '\n');
		cmd_title(c, "All %zu runs: %s USD", count, sums[0]);
	}
}
